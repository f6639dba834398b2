# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Revoking: what was to come is taken back, and billing goes on."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...const import APPROVAL_ACTIVITY
from ...formatting import format_day
from ..common.activities import drop_activities


class SubscriptionCancellation(models.Model):
    """Take back what is scheduled, or waits for approval."""

    _inherit = "subscription.cancellation"

    can_revoke = fields.Boolean(compute="_compute_can_revoke")

    @api.depends_context("uid")
    @api.depends("state", "effective_date")
    def _compute_can_revoke(self):
        for cancellation in self:
            may = cancellation._may_revoke()
            cancellation.can_revoke = (
                may and not cancellation._get_cannot_revoke_reason()
            )
            cancellation.can_postpone = (
                may and not cancellation._get_cannot_postpone_reason()
            )
            cancellation.can_retry = may and cancellation.state == "failed"

    def action_revoke(self):
        """Revoke (button)."""
        self._revoke()

    def _revoke(self):
        """Take these back: billing goes on as if nothing had happened."""
        for cancellation in self:
            reason = cancellation._get_cannot_revoke_reason()
            if reason:
                raise UserError(reason)
            cancellation._check_revoke_access()
        self._as_engine()._take_back_request()

    def _take_back_request(self, reason=None, is_told=True):
        """Let these subscriptions and lines go on.

        :param str reason: in words, where nobody asked for it
        :param bool is_told: whether the customer may be told that service goes on
        """
        self.subscription_id.lock_for_update()
        known = self._get_documents()
        self._drop_activities()
        self._take_back_extension()
        lines = self.line_ids.subscription_line_id
        self._take_back_advance()
        self._set_state("revoked")
        lines._set_end(False)
        for cancellation in self:
            cancellation._charge_left_out_days()
        self._log_step(
            {one: [one._get_revoked_sentence(), reason] for one in self}, known
        )
        self._record_event("revoked")
        self._report_replaced()
        if is_told:
            self._send_confirmation("revoked")

    def _drop_activities(self):
        """Remove what nobody has to do any more."""
        drop_activities(self, "mail.mail_activity_data_warning", APPROVAL_ACTIVITY)

    def _check_revoke_access(self):
        """Raise AccessError unless the user may revoke this one."""
        self.subscription_id._check_cancellation_access()
        if not self._may_revoke():
            raise AccessError(self._get_not_own_text())

    def _get_cannot_revoke_reason(self):
        """Return why this cannot be revoked, or ``None``."""
        self.ensure_one()
        if not self.is_open:
            return self.env._(
                "Cancellation %(name)s is not scheduled any more, so there is nothing "
                "to revoke.",
                name=self.name,
            )
        today = self.subscription_id._today()
        if self.state == "scheduled" and self.effective_date <= today:
            return self.env._(
                "Cancellation %(name)s cannot be revoked: service ended on %(date)s.",
                name=self.name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    def _revoke_by_customer(self):
        """Take these back for the customer, who is told that it was done.

        :raise UserError: it is too late
        """
        self._revoke()
        self._acknowledge("revoked")
