# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The reminder before service ends (D7)."""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

from ...const import MAX_CONFLICTS

_logger = logging.getLogger(__name__)


class SubscriptionCancellation(models.Model):
    """Remind the customer, once, some days before the last day of service."""

    _inherit = "subscription.cancellation"

    reminder_date = fields.Date(
        string="Reminded On",
        readonly=True,
        help="The day on which the customer was reminded of the end of service.",
    )

    _reminder_idx = models.Index(
        "(policy_id, effective_date) WHERE state = 'scheduled' AND send_confirmation "
        "AND reminder_date IS NULL"
    )

    @api.model
    def _cron_send_reminders(self, batch_size=50):
        """Remind the customers whose service ends soon, batch by batch.

        Several workers may run this at once: each skips what another one holds.

        :param int batch_size: cancellations per transaction
        """
        Cron = self.env["ir.cron"]
        found = self._search_to_remind()
        Cron._commit_progress(remaining=len(found))
        for batch in split_every(batch_size, found.ids, self.browse):
            batch._remind_batch()
            seconds_left = Cron._commit_progress(len(batch))
            self.env.invalidate_all()
            if not seconds_left:
                break

    @api.model
    def _search_to_remind(self):
        """Return the cancellations whose reminder is due; few queries for many."""
        # Archived ones still hold for what was requested under them.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        policies = Policy.with_context(active_test=False).search(
            [("reminder_days", ">", 0)]
        )
        if not policies:
            return self.browse()
        found = self.search(
            self._get_reminder_domain(policies), order="effective_date, id"
        )
        return found._filter_to_remind()

    @api.model
    def _get_reminder_domain(self, policies):
        """Return what may be due anywhere on earth: a day more on either side."""
        today = fields.Date.today()
        windows = [
            Domain("policy_id", "in", group.ids)
            & Domain("effective_date", "<=", today + timedelta(days=days + 2))
            for days, group in policies.grouped("reminder_days").items()
        ]
        return (
            Domain("state", "=", "scheduled")
            & Domain("send_confirmation", "=", True)
            & Domain("reminder_date", "=", False)
            & Domain("effective_date", ">=", today)
            & Domain.OR(windows)
        )

    def _filter_to_remind(self):
        """Return those of these that are to be reminded of now."""
        return self.filtered(lambda cancellation: cancellation._is_to_remind())

    def _is_to_remind(self):
        """Return whether the customer is to be reminded today, where they live.

        Whoever was told within these days, by a confirmation, need not be reminded.
        """
        subscription, end = self.subscription_id, self.last_service_date
        first_day = end - timedelta(days=self.policy_id.reminder_days)
        is_pending = self.state == "scheduled" and not self.reminder_date
        if not (is_pending and first_day <= subscription._today() <= end):
            return False
        told = self.told_date and subscription._to_local_date(self.told_date)
        return not told or told < first_day

    def _remind_batch(self):
        """Remind those of these that nobody else holds, each only once."""
        for _attempt in range(MAX_CONFLICTS):
            try:
                due = self.try_lock_for_update()._filter_to_remind()._as_engine()
                for cancellation in due:
                    cancellation._remind()
                self.env.flush_all()
                return
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another transaction changed one of them after ours began.
                self.env.cr.rollback()
        _logger.warning("Reminders of %s are left to the next run", self.ids)

    def _remind(self):
        """Remind the customer; what cannot be sent is told to somebody, once."""
        self.ensure_one()
        self.reminder_date = self.subscription_id._today()
        self._send_confirmation("reminder")
