# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A pause as customers see it: offered instead of cancelling, and the way back."""

from odoo import models
from odoo.exceptions import UserError

from ...formatting import format_day


class SaleSubscription(models.Model):
    """Pause for customers who were offered it, and tell them how to go on."""

    _inherit = "sale.subscription"

    def _describe_pause_for_customer(self):
        """Return until when this is paused, what is invoiced next, and the way back.

        :return: list of sentences, empty where it is not paused
        """
        self.ensure_one()
        if not self.is_paused:
            return []
        next_date = self.paused_until and self._get_portal_next_invoice_date()
        next_invoice = next_date and self._describe_next_period(next_date)
        way_back = (
            self.env._("To resume it earlier, please write to us.")
            if self.paused_until
            else self.env._("To resume it, please write to us.")
        )
        return list(filter(None, [self._describe_pause(), next_invoice, way_back]))

    def _describe_next_period(self, start):
        """Return which period the next invoice is for."""
        return self.env._(
            "The next invoice is for the period from %s.", format_day(self.env, start)
        )

    def _pause_for_customer(self, message_id, terms, options, contradictions=None):
        """Pause instead of cancelling, as the policy offers it.

        :param str message_id: of the ``subscription.cancellation.retention``
        :param str terms: fingerprint of what was shown
        :param dict options: and contradictions: as of :meth:`_plan_for_customer`, what
            would have been cancelled
        """
        self.ensure_one()
        self.lock_for_update()
        message = self._get_pause_offer(options, contradictions)
        if not message or str(message.id) != message_id:
            raise UserError(self.env._("This offer is not available any more."))
        plan = message._plan_pause(self)
        if plan.get_fingerprint() != terms:
            raise UserError(
                self.env._(
                    "What this pause leads to has changed since it was shown, so "
                    "nothing was done. Please look at it again."
                )
            )
        self._pause(plan.resume_on, "portal")
        self._tell_of_pause()

    def _get_pause_offer(self, options, contradictions):
        """Return the message that offers a pause instead of cancelling, or none."""
        messages = self.env["subscription.cancellation.retention"]
        try:
            plan = self._plan_for_customer(options, contradictions)
        except UserError:
            return messages
        return plan._get_retention_message().filtered(lambda one: one.kind == "pause")
