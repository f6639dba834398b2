# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import requests

from odoo import models
from odoo.exceptions import ValidationError

#: Answers that say that the provider did not do it: 4xx but these.
UNDECIDED = (408, 409, 425, 429)


class OutcomeUnknown(Exception):
    """The provider may have received a request, but gave no answer that decides.

    No ``ValidationError``, which provider modules take for a refusal.
    """


class PaymentProvider(models.Model):
    """Tell a refusal from a lost connection while a cancellation step sends."""

    _inherit = "payment.provider"

    def _send_api_request(self, *args, **kwargs):
        try:
            return super()._send_api_request(*args, **kwargs)
        except ValidationError as error:
            if self.env.context.get("cancellation_step_sends"):
                self._check_is_refusal(error)
            raise

    def _check_is_refusal(self, error):
        """Raise :class:`OutcomeUnknown` where an error is no answer of the provider.

        :param ValidationError error: as raised by Odoo for what went wrong
        """
        cause = error.__context__
        if isinstance(cause, requests.exceptions.HTTPError):
            status = cause.response.status_code if cause.response is not None else 500
            is_refusal = 400 <= status < 500 and status not in UNDECIDED
        else:
            is_lost = isinstance(cause, requests.exceptions.RequestException)
            is_refusal = not is_lost or isinstance(
                cause, requests.exceptions.ConnectTimeout
            )
        if not is_refusal:
            raise OutcomeUnknown(str(error)) from error
