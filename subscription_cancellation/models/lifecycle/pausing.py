# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pause and resume: upstream's flag, with a record, and the money settled."""

from datetime import date
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...arithmetic.proration import ONE_DAY, Period
from ...callers import forget_context
from ...engine import PAUSES, let_write
from ...formatting import as_note, format_day
from ...ledger.credit_scope import CreditScope
from ..common.actions import show_records
from ..subscription.served_days import ServedDays


class PausePlan(NamedTuple):
    """What a pause leads to; nothing is written yet."""

    date_from: date
    #: The first day after it, ``False`` where that is open.
    resume_on: object
    refund_mode: str
    post_credit_memos: bool
    #: Virtual ``subscription.cancellation.line``: what is credited.
    rows: models.BaseModel
    #: Draft ``account.move.line`` of paused days.
    drafts: models.BaseModel
    #: ``ChargePart`` of days before the pause that no invoice covers.
    charges: list
    #: ``sale.order.line`` that sold paused days, which are not invoiced yet.
    sold: models.BaseModel
    #: What comes back where the pause is taken back, and what it is now.
    next_date_before: object
    next_date: object

    @property
    def last_day(self):
        """The last paused day, ``False`` where that is open."""
        return self.resume_on and self.resume_on - ONE_DAY

    def get_fingerprint(self):
        """Return what has to be the same when it is confirmed."""
        credit = sum(self.rows.mapped("credit_total"))
        charged = sum(part.amount for part in self.charges)
        return f"{self.date_from}/{self.resume_on}/{credit:.3f}/{charged:.3f}"


class SaleSubscription(models.Model):
    """Keep a record of upstream's pauses, and settle what is paid."""

    _inherit = "sale.subscription"

    # The first day after the pause; the history has the last one.
    paused_until = fields.Date(tracking=False)
    pause_count = fields.Integer(compute="_compute_pause_count")
    pause_text = fields.Char(compute="_compute_pause_text")

    # === COMPUTE METHODS === #

    @api.depends("pause_ids")
    def _compute_pause_count(self):
        for subscription in self:
            # sudo: the number may be seen by people who cannot open the records.
            subscription.pause_count = len(subscription.sudo().pause_ids)

    @api.depends("is_paused", "paused_until", "pause_ids.state")
    def _compute_pause_text(self):
        for subscription in self:
            subscription.pause_text = subscription._describe_pause()

    # === UPSTREAM'S VERBS === #

    def action_pause(self, paused_until=None):
        # Not upstream's, whose message calls the first day after the pause its end.
        self.ensure_one()
        self.check_access("write")
        self._pause(paused_until)

    def action_resume(self, automatic=False):
        self.ensure_one()
        if not self.is_paused or not self._get_running_pause():
            return super().action_resume(automatic)
        # Not upstream's, whose message says less than ours.
        self.check_access("write")
        return self._resume()

    @api.model
    def cron_subscription_management(self):
        result = super().cron_subscription_management()
        self._end_paused_terms()
        return result

    @api.model
    def _end_paused_terms(self):
        """End those whose term is over in a pause: upstream passes over what is paused.

        A failure is logged, and stops nothing.
        """
        paused = self.search(
            [
                ("is_paused", "=", True),
                ("stage_id.type", "=", "in_progress"),
                ("recurring_rule_boundary", "=", False),
                ("date", "<=", fields.Date.add(fields.Date.today(), days=1)),
            ]
        )
        for subscription in paused:
            if subscription._get_contract_end() <= subscription._today():
                subscription.with_company(subscription.company_id).close_subscription()

    def _switch_pause(self, vals):
        """Pause or resume where somebody writes upstream's flag."""
        is_paused = vals.get("is_paused", self.is_paused)
        until = fields.Date.to_date(vals.get("paused_until")) or False
        if not is_paused:
            if self.is_paused:
                self._resume()
        elif not self.is_paused:
            self._pause(until)
        elif "paused_until" in vals and until != self.paused_until:
            raise UserError(
                self.env._(
                    "The end of a pause cannot be changed: what is credited follows "
                    "from it. Resume subscription %s, and pause it anew.",
                    self.display_name,
                )
            )

    def _close(self, close_reason_id):
        result = super()._close(close_reason_id)
        if self.is_paused:
            pause = self._get_running_pause()._as_engine()
            closing = self._get_closing_cancellations()[-1:]
            pause._end(cancellation_id=closing.id)
            self._write_pause_flags(False)
        return result

    # === PAUSE === #

    def _pause(self, resume_on, channel="backend"):
        """Pause from today, or from the end of what is paid where that is not credited.

        :param resume_on: first day after the pause (date or text), empty where open
        :param str channel: the door it came through
        :return: the ``sale.subscription.pause``
        :raise UserError: it cannot be paused, or not until that day
        """
        self.ensure_one()
        self.lock_for_update()
        plan = self._plan_pause(resume_on, channel)
        Pause = self.env["sale.subscription.pause"]._as_engine()
        pause = Pause.create(
            {
                "subscription_id": self.id,
                "date_from": plan.date_from,
                "date_to": plan.last_day,
                "refund_mode": plan.refund_mode,
                "post_credit_memos": plan.post_credit_memos,
                "next_date_before": plan.next_date_before,
                "paused_on": fields.Datetime.now(),
                "paused_by_id": self.env.uid,
            }
        )
        pause._credit(plan.rows)
        sentences = self._describe_pause_plan(plan)
        # Not before: rows that are not stored do not outlive a deletion.
        pause._drop_drafts(plan.drafts)
        pause.subscription_id._charge_days(plan.charges, pause)
        plan.sold._set_end(dict.fromkeys(plan.sold, plan.date_from))
        self._write_pause_flags(True, plan.resume_on, plan.next_date)
        self._log_sentences([*sentences, *pause.move_ids._name_in_history()])
        return pause

    def _plan_pause(self, resume_on, channel="backend"):
        """Return the checked :class:`PausePlan`; nothing is written."""
        self.ensure_one()
        resume_on = fields.Date.to_date(resume_on) or False
        self._check_can_pause()
        policy = self._map_policies(channel)[self]
        is_credited = self._is_pause_credited(policy)
        start = self._get_first_paused_day(is_credited)
        self._check_pause_dates(start, resume_on)
        own = forget_context(self).sudo()
        lines = own.sale_subscription_line_ids
        drafts = own._get_drafts_within(lines, start, resume_on)
        # What is taken off a draft that stays does not come back with it.
        to_bill_again = drafts._filter_sharing().mapped("start_date")
        mode = "prorated" if is_credited else "none"
        scope = CreditScope(lines, start, mode, until=resume_on or None)
        rows = own._get_pause_rows(scope)
        sold = own.env["sale.order.line"]._search_sold(lines)._filter_open_on(start)
        return PausePlan(
            start,
            resume_on,
            mode,
            policy.post_credit_memos,
            rows,
            drafts,
            own._get_charges_before(lines, start, drafts),
            sold,
            min(filter(None, [own.recurring_next_date, *to_bill_again]), default=False),
            own._get_date_after_pause(start, resume_on, bool(rows), drafts, sold),
        )

    def _is_pause_credited(self, policy):
        """Return whether a policy lets paid days of a pause be credited."""
        Cancellation = self.env["subscription.cancellation"]
        options = Cancellation._get_default_options(self, policy)
        return options["refund_mode"] != "none"

    def _get_first_paused_day(self, is_credited):
        """Return today, or the first day that is not, and was not to be, billed yet.

        :param bool is_credited: whether paid days of the pause are credited
        """
        day = self._today()
        if not is_credited and self.recurring_next_date:
            day = self.recurring_next_date
            while day < self._today():
                day = self._get_next_invoice_date(day)
        return day

    def _get_pause_rows(self, scope):
        """Return, as virtual rows, what a pause credits."""
        Row = self.env["subscription.cancellation.line"]
        [values] = Row._compute_rows([scope])
        return Row.union(*(Row.new(row) for row in values if row["credit_untaxed"]))

    def _get_drafts_within(self, lines, start, end):
        """Return the draft invoice lines that bill days from ``start`` to ``end``."""
        drafts = self.env["account.move.line"]._search_drafts(lines)
        return drafts.filtered(
            lambda item: (
                item.end_date
                and item.end_date >= start
                and not (end and item.start_date >= end)
            )
        )

    def _get_charges_before(self, lines, end, drafts):
        """Return what days before a pause cost that no invoice is going to cover.

        These are the days from the next invoice on, as billing is late, and those of
        the drafts that the pause drops.

        :return: list of ``ChargePart``
        """
        begins = drafts.grouped("subscription_line_id")
        days = ServedDays(lines, ignored=drafts.move_id)
        next_date = self._is_started() and self.recurring_next_date
        parts = []
        for line in lines:
            begin = min(
                [*begins.get(line, drafts.browse()).mapped("start_date")]
                or [next_date or end]
            )
            period = line._cut_at_end(Period(begin, end))
            for gap in days.get_gaps(line, period) if period.days > 0 else ():
                parts += self._get_charge_parts(line, gap, begin)
        priced, _left_to_order = self._price_ordered_parts(parts, drafts.move_id)
        return priced

    def _get_date_after_pause(self, start, resume_on, is_credited, drafts, sold):
        """Return the next invoice date with a pause, ``False`` to leave it alone.

        A full period begins on the first day after the pause, or where what is paid
        beyond it ends.

        :param drafts: what of drafts bills paused days, and is dropped
        :param sold: ``sale.order.line`` that does not invoice paused days any more
        """
        if not (self._is_started() and self.recurring_next_date):
            return False
        if not resume_on:
            # What is billed from the pause on is credited, or was dropped.
            is_free = is_credited or drafts or sold
            return start if is_free else max(start, self.recurring_next_date)
        billed_until = self.recurring_next_date
        if drafts or sold:
            lines = self.sale_subscription_line_ids
            billed = drafts._map_billed_until(lines, ignored=drafts.move_id)
            billed_until = max(billed.values(), default=start)
        return max(resume_on, billed_until)

    def _write_pause_flags(self, is_paused, until=False, next_date=False):
        """Write upstream's flags and, where there is one, the next invoice date."""
        # sudo: rights are checked at the verbs.
        engine = let_write(self.sudo(), PAUSES)
        engine.write({"is_paused": is_paused, "paused_until": until})
        if next_date and next_date != self.recurring_next_date:
            engine.recurring_next_date = next_date

    # === RESUME === #

    def _resume(self):
        """End the running pause, today or on the day that was agreed.

        On the day it began it is taken back. Earlier than agreed, billing begins on
        that day; where what is paid reaches beyond the pause, the days in between are
        invoiced.
        """
        self.lock_for_update()
        pause = self._get_running_pause()._as_engine()
        resume_on = pause and pause._get_resume_date()
        # Upstream's scheduled action comes when the day begins in UTC.
        today = max(self._today(), fields.Date.today())
        known = pause.move_ids
        self._write_pause_flags(False)
        if not pause:
            return
        if resume_on and resume_on <= today:
            pause._end()
        elif self._today() <= pause.date_from:
            self._take_pause_back(pause)
        else:
            self._resume_early(pause, resume_on)
        documents = pause.move_ids - known
        self._log_sentences(
            [self._describe_resumption(pause), *documents._name_in_history()]
        )

    def _take_pause_back(self, pause):
        sold = pause._get_limited_orders()
        pause._end(state="taken_back")
        pause._take_back_documents()
        sold._offer_again()
        # sudo: whoever resumes need not be allowed to read invoices.
        items = self.env["account.move.line"].sudo()
        billed = items._map_billed_until(self.sale_subscription_line_ids).values()
        # Somebody may have invoiced the next period meanwhile.
        next_date = max(filter(None, [pause.next_date_before, *billed]), default=False)
        self._write_pause_flags(False, False, next_date)

    def _resume_early(self, pause, resume_on):
        """End a pause before its last day."""
        today = self._today()
        pause._end(date_to=today - ONE_DAY)
        next_date = self.recurring_next_date
        if not (self._is_started() and next_date):
            return
        if resume_on and next_date > resume_on:
            # Paid beyond the pause, but no more from today up to its end.
            items = pause.credit_note_ids._filter_standing_credits().invoice_line_ids
            lines = items.subscription_line_id.filtered("active")
            anchor = self._get_period_anchor(today)
            parts = [
                part
                for line in lines
                if (period := line._cut_at_end(Period(today, resume_on))).days > 0
                for part in pause.subscription_id._get_charge_parts(
                    line, period, anchor
                )
            ]
            pause.subscription_id._charge_days(parts, pause)
            return
        first_day = pause.date_from
        if not pause._has_credited():
            first_day = max(first_day, pause.next_date_before or first_day)
        self._write_pause_flags(False, False, max(today, first_day))

    def _bring_pause_back(self, closing):
        """Let a pause go on that a cancellation ended which is taken back.

        :param closing: ``subscription.cancellation``
        """
        # sudo: whoever undoes need not be allowed to read pauses.
        pause = self.sudo().pause_ids.filtered(
            lambda one: one.cancellation_id in closing.sudo()
        )[:1]
        resume_on = pause._get_resume_date() if pause else False
        if pause and not (resume_on and resume_on <= self._today()):
            pause._as_engine()._end(
                state="paused", cancellation_id=False, ended_on=False, ended_by_id=False
            )
            self._write_pause_flags(True, resume_on)

    def _pause_lines(self, lines):
        """Credit paid days of lines that came back in a pause, as it did the others'.

        :param lines: ``sale.subscription.line``
        """
        pause = self._get_running_pause()._as_engine()
        if pause.refund_mode == "prorated":
            until = pause._get_resume_date() or None
            scope = CreditScope(lines, pause.date_from, pause.refund_mode, until=until)
            pause._credit(pause.subscription_id._get_pause_rows(scope))

    # === ACTIONS === #

    def action_view_pauses(self):
        """Open the pauses of this subscription."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_cancellation.sale_subscription_pause_action"
        )
        return show_records(action, self.pause_ids)

    # === CHECKS === #

    def _check_can_pause(self):
        if self.stage_id.type == "post":
            raise UserError(
                self.env._(
                    "Subscription %s is cancelled and cannot be paused: reactivate it "
                    "first.",
                    self.display_name,
                )
            )
        if self.is_paused:
            raise UserError(
                self.env._(
                    "Subscription %s is paused already. Resume it first.",
                    self.display_name,
                )
            )

    def _check_pause_dates(self, start, resume_on):
        """Raise where a pause would end before it begins, or begin after service."""
        if resume_on and resume_on <= start:
            raise UserError(
                self.env._(
                    "The pause of subscription %(name)s begins on %(start)s: choose a "
                    "later day to resume on.",
                    name=self.display_name,
                    start=format_day(self.env, start),
                )
            )
        end = min(
            filter(None, [self.cancellation_date, self._get_contract_end()]),
            default=None,
        )
        if end and start >= end:
            raise UserError(
                self.env._(
                    "Subscription %(name)s ends on %(end)s, before the pause would "
                    "begin on %(start)s. There is nothing to pause.",
                    name=self.display_name,
                    end=format_day(self.env, end - ONE_DAY),
                    start=format_day(self.env, start),
                )
            )


class SaleSubscriptionPause(models.Model):
    """Credit what is paid of a pause."""

    _inherit = "sale.subscription.pause"

    def _credit(self, rows):
        """Issue the credit memos of this pause.

        :param rows: virtual ``subscription.cancellation.line``
        """
        rows = rows.with_env(self.env)
        memos = rows._create_memos_of({self: rows})
        memos._post_cancellation_credits()
        rows._take_over_posted(memos)

    def action_view_credit_notes(self):
        """Open the credit memos of this pause."""
        self.check_access("read")
        # sudo: all of them, so that none is left out in silence.
        memos = self.sudo().credit_note_ids.with_env(self.env)
        memos.check_access("read")
        return self.env["subscription.cancellation"]._get_memos_action(memos)

    def _prepare_credit_note(self, invoice, lines):
        """Return the values of the credit memo for ``invoice``."""
        return invoice._prepare_subscription_credit(self, lines)

    def _drop_drafts(self, items):
        """Take paused days off draft invoices; cancel those of nothing else.

        :param items: draft ``account.move.line``
        """
        sharing = items._filter_sharing()
        orders = items.sale_line_ids.order_id.with_env(self.env)
        drafts = (items - sharing).move_id.with_env(self.env)
        sharing._take_off_drafts()
        drafts.pause_id = self
        drafts.button_cancel()
        orders._ask_to_give_back()


class SaleOrder(models.Model):
    """Be invoiced where a pause has dropped what deducted a down payment."""

    _inherit = "sale.order"

    def _ask_to_give_back(self):
        """Ask somebody to invoice those whose down payment nothing deducts any more."""
        for order in self.filtered(lambda one: one._has_open_down_payments()):
            order.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=self.env._("Invoice order %s", order.name),
                note=as_note(
                    self.env._(
                        "The draft invoice that deducted the down payment is dropped, "
                        "or bills too little now. Choose Create Invoice: it invoices "
                        "what is left, and gives back the rest of the down payment."
                    )
                ),
                user_id=order.subscription_ids[:1]._get_responsible().id,
            )
