# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The step that tells the customer."""

from odoo import models


class SubscriptionCancellationStep(models.Model):
    """Confirm by e-mail."""

    _inherit = "subscription.cancellation.step"

    def _do_confirm(self):
        """Queue the confirmation, with the summary as a PDF."""
        cancellation = self.cancellation_id
        reason = cancellation._get_cannot_tell_reason("done")
        if reason:
            self._skip(reason)
            return
        cancellation._queue_mail("done")
        self._set_done(self.env._("E-mail to %s.", cancellation.partner_id.email))
