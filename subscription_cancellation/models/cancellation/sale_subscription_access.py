# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who may cancel a subscription, and why it cannot be cancelled."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ...callers import is_id, is_user, quote
from ...formatting import format_day


class SaleSubscription(models.Model):
    """Know who may cancel this, and why it cannot be cancelled."""

    _inherit = "sale.subscription"

    def _check_one(self):
        """Raise a UserError unless this is one subscription (over the API: one id)."""
        if len(self) != 1:
            raise UserError(
                self.env._(
                    "Subscriptions are cancelled one at a time: give one id, not %s.",
                    len(self),
                )
            )
        [subscription_id] = self._ids
        # Odoo makes a record of whatever it is sent.
        if not (is_id(subscription_id) or isinstance(subscription_id, api.NewId)):
            raise UserError(
                self.env._(
                    "“%s” is not the id of a subscription: give a whole number.",
                    quote(subscription_id),
                )
            )

    def _check_cancellation_access(self):
        """Raise AccessError unless the user may cancel subscriptions."""
        if not is_user(self.env):
            raise AccessError(
                self.env._(
                    "You are not allowed to cancel subscriptions. Ask for the "
                    "“Subscription Cancellation: User” access right."
                )
            )

    def _check_can_cancel(self):
        """Raise a UserError that says why this subscription cannot be cancelled."""
        self.ensure_one()
        self._check_cancellation_access()
        reason = self._get_cannot_cancel_reason()
        if reason:
            raise UserError(reason)

    def _get_cannot_cancel_reason(self):
        """Return why Deactivate is not offered, or ``None``.

        One place for the button, the error and, later, the portal.
        """
        self.ensure_one()
        if self.cancellation_state == "cancelled":
            return self.env._(
                "Subscription %(name)s is already cancelled.", name=self.display_name
            )
        if not self.sale_subscription_line_ids:
            return self.env._(
                "Subscription %(name)s has no active line to cancel.",
                name=self.display_name,
            )
        if self._get_pending_cancellation():
            return self.env._(
                "A cancellation of subscription %(name)s already waits for approval "
                "(%(cancellation)s). Approve, refuse or revoke that one first.",
                name=self.display_name,
                cancellation=self._get_pending_cancellation().name,
            )
        if self.cancellation_date:
            return self.env._(
                "Subscription %(name)s is already cancelled: service ends on "
                "%(date)s. Revoke that cancellation first.",
                name=self.display_name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    def _get_pending_cancellation(self):
        """Return the cancellation of all of it that waits for approval, if any."""
        return self.cancellation_ids.filtered(
            lambda cancellation: (
                cancellation.is_whole and cancellation.state == "to_approve"
            )
        )[:1]

    def _filter_open_cancellations(self):
        """Return the open end of it all, else those of single lines, if any."""
        cancellations = self.cancellation_ids.filtered("is_open")
        return cancellations.filtered("is_whole") or cancellations
