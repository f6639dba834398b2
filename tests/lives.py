# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What holds at every moment of any life of a subscription."""

from collections import defaultdict
from contextlib import closing
from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import UserError

from .common import CancellationCase


class LivesCase(CancellationCase):
    """Take random steps; whatever happens, the invariants hold after each.

    A test class has a method ``step_VERB`` for each verb of its steps.
    """

    def execute_example(self, example):
        """Run one example and take it back (a hook of hypothesis)."""
        #: Days whose invoice was lost, by subscription line.
        self.lost = defaultdict(set)
        with closing(self.env.cr.savepoint()):
            return example()

    def take(self, subscription, step):
        """Take one step; what cannot be is refused with a sentence."""
        self.wait(days=step["pause"])
        try:
            with self.env.cr.savepoint():
                getattr(self, f"step_{step['verb']}")(subscription, step)
        except UserError:
            self.env.invalidate_all()

    def wait(self, **span):
        """Let time go by, a minute at least: no two steps are one transaction."""
        self.clock.tick(timedelta(**{"minutes": 1, **span}))
        self.env.cr._now = fields.Datetime.now()

    def get_day(self, step):
        return (date.today() + timedelta(days=step["days"])).isoformat()

    def execute_due(self, cancellations):
        """Execute what is due of these; nothing may fail."""
        due = cancellations.filtered_domain(cancellations._get_due_domain())
        if due:
            due._execute_batch()
        failed = cancellations.filtered_domain([("state", "=", "failed")])
        self.assertEqual(failed.mapped("failure_message"), [])

    def step_decide(self, subscription, step):
        pending = subscription.cancellation_ids.filtered_domain(
            [("state", "=", "to_approve")]
        )
        if pending and step["yes"]:
            pending[0]._approve()
        elif pending:
            pending[0]._refuse("No")

    def step_revoke(self, subscription, _step):
        subscription.revoke_cancellation()

    def step_undo(self, subscription, step):
        done = subscription.cancellation_ids.filtered("can_undo").sorted("id")
        if done:
            done[-1 if step["yes"] else 0].action_undo()

    def step_undo_again(self, subscription, step):
        """End it, or a line, and undo that: as if nothing had happened."""
        lines = subscription.sale_subscription_line_ids
        options = {"timing": "immediate", "refund_mode": "prorated"}
        if not step["yes"]:
            options["line_ids"] = lines[:1].ids
        for _number in range(2):
            known = subscription.cancellation_ids
            subscription.request_cancellation(**options)
            # One that needs an approval is not done.
            for cancellation in subscription.cancellation_ids - known:
                if cancellation.state == "done":
                    cancellation.action_undo()

    def step_postpone_daily(self, subscription, step):
        """Move the end on, day by day, and charge each day."""
        for cancellation in subscription.cancellation_ids.filtered("can_postpone"):
            day = cancellation.last_service_date
            for number in range(3 if step["yes"] else 2):
                cancellation._postpone(
                    day + timedelta(days=number + 1), charge_extension=True
                )

    def step_wait(self, _subscription, _step):
        self.wait(days=17)

    def step_lose(self, subscription, step):
        """Delete a draft, or reset and cancel an invoice that nothing stands on."""
        items = self.env["account.move.line"].search(
            [
                ("subscription_line_id", "in", subscription._get_all_lines().ids),
                ("move_id.move_type", "=", "out_invoice"),
                ("parent_state", "=", "draft" if step["yes"] else "posted"),
            ],
            order="move_id",
        )
        free = items.move_id.filtered(self.is_nothing_on)
        lost = free[-1:].invoice_line_ids
        for item in lost.filtered("subscription_line_id"):
            period = item._get_service_period()
            self.lost[item.subscription_line_id] |= {
                period.start + timedelta(days=number) for number in range(period.days)
            }
        if lost and step["yes"]:
            lost.move_id.unlink()
        elif lost:
            lost.move_id.button_draft()
            lost.move_id.button_cancel()

    def is_nothing_on(self, move):
        """Return whether an invoice was not paid, credited, or settled with an end."""
        steps = self.env["subscription.cancellation.step"].sudo()
        known = ["|", ("source_move_id", "=", move.id), ("move_id", "=", move.id)]
        rows = self.env["subscription.cancellation.line"].sudo()
        return not (
            move.cancellation_id
            or move.pause_id
            or move.reversal_move_ids
            or move.sudo().transaction_ids
            or move.line_ids.matched_credit_ids
            or move.invoice_line_ids.subscription_line_id.filtered(
                lambda line: not line.active
            )
            or steps.search_count(known, limit=1)
            or rows.search_count(
                [("origin_line_id", "in", move.invoice_line_ids.ids)], limit=1
            )
        )

    # === INVARIANTS === #

    def check(self, subscription):
        """Check everything that must hold at any time."""
        self.env.flush_all()
        self.check_credits(subscription)
        self.check_days(subscription)
        self.check_states(subscription)

    def check_credits(self, subscription):
        """No invoice is credited beyond its amounts; no line ends twice.

        What was taken back is not credited.
        """
        for invoice in subscription._get_invoices():
            memos = invoice.refund_invoice_ids.filtered(
                lambda memo: (
                    memo.state in ("draft", "posted")
                    and "posted" not in memo.reversal_move_ids.mapped("state")
                )
            )
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                self.assertLess(sum(memos.mapped(name)), invoice[name] + 1e-6, name)
            for line in invoice.invoice_line_ids:
                credited = line.refund_line_ids & memos.invoice_line_ids
                total = sum(credited.mapped("price_subtotal"))
                self.assertLess(total, line.price_subtotal + 1e-6, line.name)
        done = subscription.cancellation_ids.filtered_domain(
            [("state", "=", "done"), ("reactivated_date", "=", False)]
        )
        for line, rows in done.line_ids.grouped("subscription_line_id").items():
            self.assertEqual(len(rows.cancellation_id), 1, f"{line.name} ended twice")

    def check_days(self, subscription):
        """No day is billed twice; none of a running line is free."""
        items = self.env["account.move.line"].search(
            [
                ("subscription_line_id", "in", subscription._get_all_lines().ids),
                ("parent_state", "!=", "cancel"),
            ]
        )
        for line, line_items in items.grouped("subscription_line_id").items():
            rates = self.get_daily_rates(line_items)
            # A month has at least 28 days.
            limit = line.price_unit / 28 + 0.05
            for day, rate in rates.items():
                self.assertLess(rate, limit, f"{line.name} is billed twice on {day}")
            if line.active and not line.cancellation_date:
                for day in self.get_paid_days(subscription) - self.lost[line]:
                    self.assertGreater(rates[day], 0.1, f"{line.name} free on {day}")

    def get_daily_rates(self, items):
        """Return what was billed less what was credited, spread over the days."""
        rates = defaultdict(float)
        for item in items:
            period = item._get_service_period()
            sign = 1 if item.move_id.move_type == "out_invoice" else -1
            for number in range(period.days):
                day = period.start + timedelta(days=number)
                rates[day] += sign * item.price_subtotal / period.days
        return rates

    def get_paid_days(self, subscription):
        """Return today and the last billed day, where these days are billed."""
        last_day = (subscription.recurring_next_date or date.min) - timedelta(days=1)
        return {date.today(), last_day} if date.today() <= last_day else set()

    def check_states(self, subscription):
        """Subscription, lines and cancellations say the same."""
        active = subscription.sale_subscription_line_ids
        is_cancelled = subscription.cancellation_state == "cancelled"
        self.assertEqual(is_cancelled, not active)
        self.assertEqual(is_cancelled, subscription.stage_type == "post")
        self.assertEqual(is_cancelled, not subscription.recurring_next_date)
        open_rows = subscription.cancellation_ids.filtered("is_open").line_ids
        lines = open_rows.subscription_line_id
        self.assertEqual(len(open_rows), len(lines), "a line ends twice")
        self.assertEqual(active.filtered("cancellation_date") - lines, active.browse())
        for row in open_rows:
            date_of_line = row.subscription_line_id.cancellation_date
            self.assertEqual(date_of_line, row.cancellation_id.effective_date)
