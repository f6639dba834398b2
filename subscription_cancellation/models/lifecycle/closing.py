# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Closing goes through a cancellation; the stage is no way around it."""

import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...arithmetic.proration import ONE_DAY
from ...callers import is_manager
from ...engine import DATES, STAGES, is_engine, let_write
from ...formatting import format_day

_logger = logging.getLogger(__name__)


class SaleSubscription(models.Model):
    """Close through a cancellation, and guard the stage."""

    _inherit = "sale.subscription"

    def _get_dates_to_keep(self, vals):
        """Return the dates of what runs already, by subscription, on a stage change.

        Upstream starts it anew, today, even where the stage does not change: a period
        for free, or one billed twice.
        """
        if "stage_id" not in vals:
            return {}
        names = {"date_start", "date", "recurring_next_date"} - vals.keys()
        if {"template_id", "date_start"} & vals.keys():
            # The end of the term follows from these.
            names -= {"date"}
        return {
            subscription: {name: subscription[name] for name in names}
            for subscription in self
            if subscription._is_in_progress()
        }

    def _get_starts_to_keep(self, vals):
        """Return start and first paid day of what is billed, where they may change.

        Notice, minimum term and fixed term are counted from them.
        """
        return {
            subscription: (
                subscription.date_start,
                subscription._get_first_paid_day(),
            )
            for subscription in self._filter_kept(vals, "date_start", "trial_end_date")
        }

    def _get_ends_to_keep(self, vals):
        """Return the end of the term of what is billed, and the one that terms make.

        Another plan may end it later, but not earlier than Deactivate would.
        """
        return {
            subscription: (
                subscription._get_contract_end(),
                subscription._get_earliest_end(),
            )
            for subscription in self._filter_kept(vals, "template_id")
        }

    def _filter_kept(self, vals, *names):
        """Return those of these whose dates stay: billed, and running or to resume.

        None where nothing of ``names`` is written, or a manager does.
        """
        is_moved = is_engine(self, DATES)
        if is_moved or is_manager(self.env) or not vals.keys() & set(names):
            return self.browse()
        return self.filtered(
            lambda subscription: (
                subscription._has_run() and subscription._get_standing_invoices()
            )
        )

    def _has_run(self):
        """Return whether this runs, or has ended and may be resumed."""
        return self.stage_id.type in ("in_progress", "post")

    def _get_earliest_end(self):
        """Return the first day without service that notice and minimum term allow.

        ``False`` where only a fixed term would make one.
        """
        Cancellation = self.env["subscription.cancellation"]
        policy = self._map_policies()[self]
        try:
            return Cancellation._get_ordinary_end(self, "earliest", policy)
        except UserError:
            return False

    def _check_start_kept(self, start, first_paid_day):
        """Raise where the days differ that the term of what is billed counts from."""
        day = self._get_first_paid_day()
        is_earlier = first_paid_day and (not day or day < first_paid_day)
        if self.date_start == start and not is_earlier:
            return
        raise UserError(
            self.env._(
                "Subscription %(name)s is invoiced, and its term counts from "
                "%(start)s: that day stays. Use Deactivate to end it earlier, or ask a "
                "cancellation manager.",
                name=self.display_name,
                start=format_day(self.env, first_paid_day),
            )
        )

    def _check_guarded_fields(self, vals):
        """Refuse back doors around a cancellation: policy, end, company, progress."""
        if "cancellation_policy_id" in vals:
            self._check_may_force_policy()
        if "in_progress" in vals:
            self._check_progress_follows_stage(vals["in_progress"])
        if not vals.get("active", True):
            self._check_not_running()
        if vals.get("recurring_rule_boundary") or not vals.get("date", True):
            # Another plan may have no end.
            plan = self.template_id.browse(vals.get("template_id"))
            if plan.recurring_rule_boundary != "unlimited":
                self._check_may_shorten(False)
        elif "date" in vals:
            self._check_may_shorten(fields.Date.to_date(vals["date"]))
        if "company_id" in vals:
            self._check_company_not_settled(vals["company_id"])

    def _check_progress_follows_stage(self, in_progress):
        """Raise where a subscription would be started, or stopped, beside its stage."""
        if not in_progress:
            self._check_not_running()
        elif self.filtered(lambda subscription: not subscription._is_in_progress()):
            raise UserError(
                self.env._("A subscription is started with its button, not by hand.")
            )

    def _check_not_running(self):
        """Raise where one would never be billed again, and not be cancelled either.

        Upstream passes over what is archived or not in progress.
        """
        for subscription in self:
            if subscription._is_in_progress():
                raise UserError(
                    self.env._(
                        "Subscription %(name)s is running and can neither be archived "
                        "nor stopped by hand: use Deactivate, so that the unused days "
                        "are credited. Archive it once it is cancelled.",
                        name=subscription.display_name,
                    )
                )

    def _check_not_archived(self):
        """Raise where one would run that upstream passes over, as it is archived."""
        for subscription in self:
            if subscription._is_in_progress() and not subscription.active:
                raise UserError(
                    self.env._(
                        "Subscription %(name)s is archived, so that nothing of it "
                        "would be invoiced: choose Unarchive before it is started.",
                        name=subscription.display_name,
                    )
                )

    def _check_may_force_policy(self):
        if self and not is_manager(self.env):
            raise AccessError(
                self.env._(
                    "Only a cancellation manager chooses the policy of a subscription."
                )
            )

    def _check_may_shorten(self, end):
        """Raise where a term would be cut without notice or approval."""
        for subscription in self:
            old_end = subscription._get_contract_end()
            is_shorter = old_end and (not end or end < old_end)
            if is_shorter and subscription._has_run() and not is_manager(self.env):
                subscription._raise_shorter(old_end)

    def _check_plan_not_shorter(self, ends):
        """Raise where another plan ends this before its term, or its minimum term.

        :param ends: what :meth:`_get_ends_to_keep` has returned
        """
        old_end, earliest_end = ends
        end = self._get_contract_end()
        if end and old_end and end < old_end:
            self._raise_shorter(old_end)
        if end and not old_end and earliest_end and end < earliest_end:
            raise UserError(
                self.env._(
                    "Subscription %(name)s ends on %(end)s at the earliest, by its "
                    "notice and minimum term. Choose a plan with a longer term, or ask "
                    "a cancellation manager.",
                    name=self.display_name,
                    end=format_day(self.env, earliest_end - ONE_DAY),
                )
            )

    def _raise_shorter(self, end):
        """Say that a term is not cut.

        :param date end: the first day after it
        """
        raise UserError(
            self.env._(
                "The term of subscription %(name)s runs until %(end)s. Use Deactivate "
                "to end it earlier, or ask a cancellation manager.",
                name=self.display_name,
                end=format_day(self.env, end - ONE_DAY),
            )
        )

    def _check_company_not_settled(self, company_id):
        """Raise where invoices or cancellations belong to the present company.

        Not where an order of another company has made it: see
        :meth:`action_move_to_order_company`.
        """
        for subscription in self:
            company = subscription.sudo().order_company_id
            if subscription.is_in_wrong_company and company.id == company_id:
                subscription.sudo()._check_nothing_hinders_move(company)
                continue
            settled = subscription.cancellation_ids or subscription._is_invoiced()
            if settled and subscription.company_id.id != company_id:
                raise UserError(
                    self.env._(
                        "Subscription %s was invoiced or cancelled and stays in its "
                        "company.",
                        subscription.display_name,
                    )
                )

    def _check_stage_change(self, values):
        """Refuse to close, or to reopen, by moving the stage by hand."""
        if "stage_id" not in values or is_engine(self, STAGES):
            return
        stage = self.env["sale.subscription.stage"].browse(values["stage_id"])
        for subscription in self:
            if stage.type == "post" and subscription.stage_id.type != "post":
                raise UserError(
                    self.env._(
                        "Subscription %(name)s cannot be moved to the stage "
                        "“%(stage)s” by hand: use Deactivate, so that the unused "
                        "days are credited.",
                        name=subscription.display_name,
                        stage=stage.name,
                    )
                )
            if subscription.stage_id.type == "post" and stage.type != "post":
                raise UserError(
                    self.env._(
                        "Subscription %(name)s is cancelled and cannot be moved back "
                        "to the stage “%(stage)s” by hand: use Reactivate.",
                        name=subscription.display_name,
                        stage=stage.name,
                    )
                )
            subscription._check_not_stopped_by_stage(stage)

    def _check_not_stopped_by_stage(self, stage):
        """Refuse to stop what is billed by moving its stage back."""
        is_stopped = self._is_in_progress() and stage.type != "in_progress"
        if is_stopped and (self._is_invoiced() or self.cancellation_date):
            raise UserError(
                self.env._(
                    "Subscription %(name)s is running and cannot be moved back to the "
                    "stage “%(stage)s”: pause or deactivate it.",
                    name=self.display_name,
                    stage=stage.name,
                )
            )

    def close_subscription(self, close_reason_id=False):
        """Close through a cancellation, so that there is a record and a credit.

        Upstream's scheduled action calls this at the end of a fixed term, and its
        close dialog does.
        """
        self.ensure_one()
        if is_engine(self, STAGES):
            return super().close_subscription(close_reason_id)
        self.cancellation_ids._execute_if_due()
        if self.stage_id.type == "post":
            return None
        if not self.sale_subscription_line_ids:
            return self._close(close_reason_id)
        end = self._get_contract_end()
        if end and end <= self._today():
            return self._end_of_term(close_reason_id)
        if self.env.su and end and end <= fields.Date.today():
            # West of UTC, upstream's scheduled action is a day early: it comes again.
            return None
        options = {"reason_id": close_reason_id}
        if self.env.su:
            self._request_cancellation(
                {**options, "timing": "immediate"}, channel="system"
            )
        else:
            # A person, through upstream's dialog: the policy decides as ever.
            self._request_cancellation(options, channel="backend")
        return None

    def _close(self, close_reason_id):
        """Close for good, with upstream's own method."""
        opened = let_write(self, STAGES)
        return opened.close_subscription(close_reason_id)

    def _end_of_term(self, close_reason_id):
        """End a subscription whose term is over, and credit what goes beyond it.

        Nothing does unless the periods were shifted, by resuming it for example, or
        the term was shortened. A failure must not stop upstream's scheduled action for
        everybody else.
        """
        reason = self.env.ref(
            "subscription_cancellation.close_reason_end_of_term", False
        )
        options = {
            "timing": "immediate",
            "effective_date": self._get_contract_end(),
            "refund_mode": "prorated",
            "reason_id": close_reason_id or (reason and reason.id),
        }
        try:
            with self.env.cr.savepoint():
                self._take_back_later_ends()
                self._request_cancellation(options, channel="system")
        except UserError:
            _logger.exception("Subscription %s could not be closed", self.name)

    def _take_back_later_ends(self):
        """Take back scheduled ends of everything that the end of the term overtakes."""
        scheduled = self.sudo().cancellation_ids.filtered(
            lambda cancellation: (
                cancellation.is_whole
                and cancellation.state in ("to_approve", "scheduled")
            )
        )
        scheduled._as_engine()._take_back_request(
            self.env._("The term of the subscription is over."), is_told=False
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cancelled(self):
        for subscription in self:
            if subscription.cancellation_ids or subscription._is_invoiced():
                raise UserError(
                    self.env._(
                        "Subscription %(name)s cannot be deleted: it was invoiced or "
                        "cancelled, and that history is kept. Archive it instead.",
                        name=subscription.display_name,
                    )
                )
