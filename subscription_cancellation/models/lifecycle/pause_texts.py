# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a pause, planned or real, comes to in words."""

from odoo import models

from ...arithmetic.proration import ONE_DAY
from ...formatting import format_day


class SaleSubscription(models.Model):
    """Say days and money of a pause, for customers, too."""

    _inherit = "sale.subscription"

    def _describe_pause(self):
        """Return from when to when this is paused, ``False`` where it is not."""
        if not self.is_paused:
            return False
        pause = self._get_running_pause()
        return self._describe_paused_days(
            pause.date_from or self._today(), self.paused_until
        )

    def _describe_paused_days(self, start, resume_on):
        first = format_day(self.env, start)
        if not resume_on:
            return self.env._("Paused from %s on, until it is resumed.", first)
        if start == resume_on - ONE_DAY:
            return self.env._("Paused on %s only.", first)
        return self.env._(
            "Paused from %(first)s to %(last)s.",
            first=first,
            last=format_day(self.env, resume_on - ONE_DAY),
        )

    def _describe_pause_plan(self, plan):
        """Return in sentences what a pause leads to, for customers, too."""
        return [
            self._describe_paused_days(plan.date_from, plan.resume_on),
            *self._describe_pause_credit(plan),
            *self._describe_pause_charges(plan),
            *self._describe_orders(plan),
            *self._describe_billing_after(plan),
        ]

    def _describe_pause_credit(self, plan):
        """Return what is credited of what is paid, and what becomes of it."""
        if not plan.rows:
            if plan.refund_mode == "none" and plan.date_from > self._today():
                yield self.env._(
                    "Nothing is credited: the pause begins after the paid period."
                )
            return
        currency = plan.rows[0].currency_id
        total = sum(plan.rows.mapped("credit_total"))
        reducing = sum(plan.rows.mapped("reduces_invoice"))
        rest = currency.round(total - reducing)
        days = {(row.unused_days, row.period_days) for row in plan.rows}
        yield self.env._(
            "%(amount)s of what is invoiced for the paused days (%(days)s) is "
            "credited.",
            amount=currency.format(total),
            days=", ".join(
                self.env._("%(days)s of %(total)s days", days=number, total=of)
                for number, of in sorted(days)
            ),
        )
        if reducing:
            yield self.env._(
                "%s of it reduces what is still due.", currency.format(reducing)
            )
        if rest > 0:
            yield self.env._(
                "%s of it stays on account and pays the next invoice.",
                currency.format(rest),
            )
        if not plan.post_credit_memos:
            yield self.env._("The credit is reviewed by a person before it counts.")

    def _describe_pause_charges(self, plan):
        """Return what becomes of drafts, and of days that are not invoiced yet."""
        if plan.drafts:
            yield self.env._("Invoices that are still drafts do not bill paused days.")
        if plan.charges:
            yield self.env._(
                "%(amount)s is invoiced for the days up to %(day)s.",
                amount=self.sudo()._format_charge_total(plan.charges),
                day=format_day(self.env, plan.date_from - ONE_DAY),
            )

    def _describe_orders(self, plan):
        """Return what orders still invoice, and what becomes of payments of them."""
        for order, sold in plan.sold.grouped("order_id").items():
            yield self.env._(
                "Order %(name)s invoices the days before only.", name=order.name
            )
            shares = {
                line: line._get_share_before(plan.date_from)
                * line._get_share_not_posted()
                for line in sold
            }
            needed = order._get_amount_needed(sold) + order._sum_shares(shares)
            left = order.currency_id.round(order._get_amount_paid_ahead() - needed)
            if left > 0:
                yield self.env._(
                    "%(amount)s of what was paid for it stays on account.",
                    amount=order.currency_id.format(left),
                )

    def _describe_billing_after(self, plan):
        """Return how billing goes on."""
        if not plan.resume_on:
            yield self.env._("Nothing is invoiced until it is resumed.")
        else:
            yield self.env._("Nothing is invoiced for the pause.")
            end = self.cancellation_date or self._get_contract_end()
            if plan.next_date and not (end and end <= plan.next_date):
                yield self.env._(
                    "The next invoice is for the period from %s.",
                    format_day(self.env, plan.next_date),
                )
        if self._get_contract_end():
            yield self.env._(
                "The end of the term does not move: %s.",
                format_day(self.env, self._get_contract_end() - ONE_DAY),
            )

    def _describe_resumption(self, pause):
        """Return in words how the pause ended and billing goes on."""
        sentences = []
        if pause.state == "taken_back":
            sentences.append(
                self.env._("The pause is taken back, as if it had never begun.")
            )
        elif pause.date_to:
            sentences.append(
                self._describe_paused_days(pause.date_from, pause._get_resume_date())
            )
        if self._is_started() and self.recurring_next_date:
            sentences.append(
                self.env._(
                    "The next invoice is for the period from %s.",
                    format_day(self.env, self.recurring_next_date),
                )
            )
        return " ".join(sentences)
