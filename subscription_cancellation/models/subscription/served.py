# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Days that were served and that no invoice covers: a draft was deleted (C9)."""

from collections import Counter
from typing import NamedTuple

from odoo import models

from ...arithmetic.proration import (
    ONE_DAY,
    Period,
    from_units,
    get_billing_periods,
    get_uncovered,
    half_up,
    share_out,
    to_units,
)
from .charge_part import ChargePart


class UnbilledParts(NamedTuple):
    """What nobody has invoiced of served days, in lists of ``ChargePart``."""

    #: To be invoiced, or dropped.
    due: list
    #: Longer ago than the billing period before the last one.
    old: list
    #: The first period of an order with a down payment that no invoice deducts.
    ordered: list
    #: What an invoice line that is linked with nothing may bill.
    unlinked: list
    #: What an order sold that was paid ahead, and that goes back in full.
    given_back: list | tuple = ()


class SaleSubscription(models.Model):
    """Find the served days behind the next invoice date that no invoice covers.

    Upstream moves that date on with each draft, and does not move it back where the
    draft is deleted, or the invoice reset and cancelled.
    """

    _inherit = "sale.subscription"

    def _get_unbilled_parts(self, lines, days, end, paid_until):
        """Return what these lines were served without an invoice.

        Late billing aside, nothing is due that is older than the billing period
        before the last one.

        :param lines: ``sale.subscription.line``
        :param ServedDays days: what is billed of them
        :param date end: first day that is not charged
        :param dict paid_until: by line, the same where more was paid ahead
        """
        self.ensure_one()
        next_date = self.recurring_next_date
        if not (self._is_started() and next_date):
            return UnbilledParts([], [], [], [])
        since = self._get_start_of_window(end - ONE_DAY)
        late, gaps = [], []
        for line in lines:
            late += self._get_late_parts(line, days, end)
            own_end = max(end, paid_until.get(line.id, end))
            gaps += self._get_gap_parts(line, days, since, own_end)
        gaps = [part._replace(unlinked=days.find_unlinked(part)) for part in gaps]
        unlinked = [part for part in gaps if part.unlinked]
        gaps, ordered = self._price_ordered_parts(
            [part for part in gaps if not part.unlinked],
            self.env["account.move"],
        )
        due = [part for part in gaps if part.period.start >= since]
        old = [part for part in gaps if part.period.start < since]
        # A rebate that ends alone is no charge.
        return UnbilledParts(
            _leave_out_rebates(due) + _leave_out_rebates(late),
            _leave_out_rebates(old),
            _leave_out_rebates(ordered),
            _leave_out_rebates(unlinked),
        )

    def _get_late_parts(self, line, days, end):
        """Return what days from the next regular invoice on cost that are not billed.

        Billing is late, was stopped, or comes after the service.
        """
        next_date = self.recurring_next_date
        if next_date >= end:
            return []
        return [
            part
            for gap in days.get_gaps(line, Period(next_date, end))
            for part in self._get_charge_parts(line, gap, next_date, days.charges)
        ]

    # === GAPS === #

    def _get_gap_parts(self, line, days, since, end):
        """Return what days before the next regular invoice cost that nobody billed.

        :param date since: where they are cut in two, as what is older is not charged
        :return: list of ``ChargePart``
        """
        start, stop = line._get_first_day_to_look_at(), self.recurring_next_date
        is_priced = line._get_period_price()
        if not (is_priced and start and start < min(end, stop)):
            return []
        served = [
            (part, part.end != gap.end)
            for billed in line._get_billed_periods()
            for gap in days.get_gaps(line, billed.intersect(Period(start, stop)))
            for part in self._leave_out_pauses(gap)
        ]
        interval = self._get_recurrence_delta()
        parts = []
        for part, is_cut in served:
            anchor = self._get_anchor_of_cut(part.start, part.end)
            for whole in get_billing_periods(part, interval, is_cut, anchor):
                own = part.intersect(whole).intersect(Period(start, end))
                gaps = line._leave_out_ends(own)
                cuts = [piece for gap in gaps for piece in gap.split(since)]
                parts += self._price_gaps(line, cuts, whole)
        return parts

    def _get_anchor_of_cut(self, start, end):
        """Return where the period of days begins that a document cuts off.

        ``None`` where they end with a period.
        """
        is_whole = self._get_period_anchor(end) == end
        return None if is_whole else self._get_period_anchor(start)

    def _price_gaps(self, line, gaps, whole):
        """Return what some days of one billing period cost, rounded once."""
        rounding = self._get_invoice_currency().rounding
        net, exact_net = self._get_period_net(line)
        numbers = [gap.days for gap in gaps]
        units = half_up(to_units(net, rounding) * sum(numbers), whole.days)
        sign = -1 if units < 0 else 1
        shares = share_out(abs(units), numbers) if numbers else []
        parts = []
        for gap, share in zip(gaps, shares, strict=True):
            amount = from_units(sign * share, rounding)
            parts.append(ChargePart(line, gap, whole, amount, amount / exact_net))
        return parts

    def _get_start_of_window(self, day):
        """Return where the billing period before the one that ``day`` is in begins.

        Not later than the next invoice date: what comes after that is only late.
        """
        next_date = self.recurring_next_date
        if day >= self._get_next_invoice_date(next_date):
            return next_date
        return self._get_period_anchor(self._get_period_anchor(day) - ONE_DAY)

    # === SOLD BY AN ORDER === #

    def _price_ordered_parts(self, parts, ignored):
        """Return parts at what their sales order charges, and those left to the order.

        An order with down payments takes that money with its own invoice; while its
        payment is on its way, a step of its own waits for it. What was paid before
        pays these days meanwhile.

        :param list parts: of ``ChargePart``
        :param ignored: drafts (``account.move``) that these parts are instead of
        """
        # sudo: who cancels need not be allowed to read sales orders.
        sold = self.env["sale.order.line"].sudo()._map_sold_periods(parts)
        priced, left, days = [], [], Counter()
        for part in parts:
            order_line = sold.get(part)
            if not order_line:
                priced.append(part)
            elif not order_line.order_id._waits_for_payment():
                earlier = days[order_line]
                days[order_line] += part.period.days
                part = self._price_ordered_part(part, order_line, earlier, ignored)
                is_left = order_line.order_id._has_open_down_payments()
                (left if is_left else priced).append(part)
        return priced, left

    def _price_ordered_part(self, part, order_line, earlier, ignored):
        """Return a part at the price of its order, less discounts of it.

        :param int earlier: how many days of the same period are charged before it
        :param ignored: drafts (``account.move``) that it is instead of
        """
        rounding = order_line.currency_id.rounding
        days = earlier + part.period.days
        before, taken = order_line._get_units_of_days(earlier, ignored)
        units, discounts = order_line._get_units_of_days(days, ignored)
        amount = from_units(units - before, rounding)
        _net, exact_net = self._get_period_net(order_line)
        return part._replace(
            amount=amount,
            share=amount / exact_net if exact_net else 0.0,
            order_line=order_line,
            discounts=tuple(
                (discount, share - taken[discount])
                for discount, share in discounts.items()
            ),
        )

    def _get_paid_until(self, closing):
        """Return the first day that needs a new invoice, as of the end of service.

        Where the running period was not billed yet, it is billed as a whole: until
        its end the subscription goes on as it was.
        """
        next_date = closing[:1].next_date_before
        while next_date and next_date < closing[:1].effective_date:
            next_date = self._get_next_invoice_date(next_date)
        return next_date


def _leave_out_rebates(parts):
    """Return these parts; none where rebates make up all of their amount."""
    return parts if sum(part.total for part in parts) > 0 else []


class SaleSubscriptionLine(models.Model):
    """Know which days of a line count, and when it was out of service."""

    _inherit = "sale.subscription.line"

    def _get_first_day_to_look_at(self):
        """Return where unbilled days may begin, ``False`` where nothing was billed.

        Not before the first period was due, nor before a reactivation by which
        billing began anew: what came before was settled then.
        """
        self.ensure_one()
        subscription = self.sale_subscription_id
        billed = self._get_billed_periods()
        days = [one.start for one in billed[:1]] + [subscription._get_first_paid_day()]
        for cancellation in self._get_reactivated():
            paid_until = subscription._get_paid_until(cancellation)
            resumed = subscription._to_local_date(cancellation.reactivated_date)
            if paid_until and resumed >= paid_until:
                days.append(max(resumed, cancellation.effective_date))
        return bool(billed) and max(filter(None, days))

    def _leave_out_ends(self, period):
        """Return the parts of a period that do not lie between an end and its undo."""
        to_day = self.sale_subscription_id._to_local_date
        ends = [
            (Period(one.effective_date, to_day(one.reactivated_date)), 1)
            for one in self._get_reactivated()
        ]
        return get_uncovered(period, ends) if period.days > 0 else []

    def _get_reactivated(self):
        """Return the cancellations that ended this line and were taken back."""
        # sudo: whoever cancels need not be allowed to read other cancellations.
        cancellations = self.sudo().cancellation_line_ids.cancellation_id
        return cancellations.filtered(
            lambda one: one.state == "done" and one.reactivated_date
        )
