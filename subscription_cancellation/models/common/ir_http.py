# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Odoo has tried five times in vain is no error of the server."""

import logging
import re
from urllib.parse import urlencode

from werkzeug.utils import redirect

from odoo import models
from odoo.exceptions import LockError
from odoo.http import request
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: Models whose callers are told to try again.
MODELS = {"sale.subscription", "subscription.cancellation"}
#: What customers do on a page of the portal, and that page.
PORTAL = re.compile(r"(/my/subscriptions/\d+)/")
#: Pages of this addon, also with a language in front.
OWN_PAGES = re.compile(r"(?:/\w+)?/(?:my/subscriptions|cancel-contract)(?:/|$)")


class IrHttp(models.AbstractModel):
    """Say so while too many change the same subscription: to programs and people."""

    _inherit = "ir.http"

    @classmethod
    def _handle_error(cls, exception):
        answer = None
        if isinstance(exception, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            answer = cls._answer_api() or cls._answer_customer()
        if not answer:
            return super()._handle_error(exception)
        # It is none for the log of errors either.
        exception.loglevel = logging.INFO
        if isinstance(answer, LockError):
            return super()._handle_error(answer)
        return answer

    @classmethod
    def _get_error_html(cls, env, code, values):
        """Say it in the frame, and the language, of the pages it happened on."""
        if code in (400, 404) and OWN_PAGES.match(request.httprequest.path):
            views = env["ir.ui.view"]
            return code, views._render_template(
                "subscription_cancellation.page_error", values
            )
        return super()._get_error_html(env, code, values)

    @classmethod
    def _answer_api(cls):
        """Return the error that a program gets: status 409."""
        if (
            request.dispatcher.routing_type == "json2"
            and request.params.get("__model__") in MODELS
        ):
            return LockError(
                request.env._(
                    "This is being changed by somebody else. Please try again in a "
                    "moment."
                )
            )
        return None

    @classmethod
    def _answer_customer(cls):
        """Return the way back to the subscription, where the customer is told."""
        page = PORTAL.match(request.httprequest.path)
        if not page:
            return None
        token = request.httprequest.values.get("access_token")
        values = {"busy": 1, **({"access_token": token} if token else {})}
        return redirect(f"{page[1]}?{urlencode(values)}", code=303)
