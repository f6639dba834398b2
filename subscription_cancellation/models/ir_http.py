# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Odoo has tried five times in vain is no error of the server."""

import logging

from odoo import models
from odoo.exceptions import LockError
from odoo.http import request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: Models whose callers are told to try again.
MODELS = {"sale.subscription", "subscription.cancellation"}


class IrHttp(models.AbstractModel):
    """Answer the API with 409 while too many change the same subscription."""

    _inherit = "ir.http"

    @classmethod
    def _handle_error(cls, exception):
        if not cls._is_lost_race(exception):
            return super()._handle_error(exception)
        # It is none for the log of errors either.
        exception.loglevel = logging.INFO
        return super()._handle_error(
            LockError(
                request.env._(
                    "This is being changed by somebody else. Please try again in a "
                    "moment."
                )
            )
        )

    @classmethod
    def _is_lost_race(cls, exception):
        """Return whether a call of the API came to nothing because of other ones."""
        return (
            isinstance(exception, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)
            and request.dispatcher.routing_type == "json2"
            and request.params.get("__model__") in MODELS
        )
