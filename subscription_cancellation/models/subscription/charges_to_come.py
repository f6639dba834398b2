# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a document that does not stand yet will charge, and give back again."""

from typing import NamedTuple

from ...arithmetic.proration import Charge, Period, from_units, to_units
from ..accounting.order_discount import fit_parts
from ..accounting.tax_discount import has_amount_per_unit


class Amounts(NamedTuple):
    """An amount without tax, its tax, and both together, in currency."""

    untaxed: float = 0.0
    tax: float = 0.0
    total: float = 0.0

    def __add__(self, other):
        """Return both together."""
        return Amounts(*(sum(pair) for pair in zip(self, other, strict=True)))


class ChargeToCome:
    """An invoice that is still to come, or to be posted.

    Computed by Odoo's tax engine from what will be on its lines; nothing is read or
    written, so that any number of them costs no query.
    """

    def __init__(self, subscription, lines, beside):
        """Prepare its lines.

        :param subscription: one ``sale.subscription``
        :param lines: ``sale.subscription.line``, draft ``account.move.line``, or the
            ``sale.order.line`` that sold a period
        :param Beside beside: what else is on it
        """
        self._subscription = subscription
        self._lines = lines
        self._beside = beside
        self.payment_term = beside.payment_term
        self._base_lines = [subscription._get_base_line(line) for line in lines]
        self.currency = self._base_lines[0]["currency_id"]
        others = [
            subscription._get_base_line(line, **values)
            for line, values in beside.others
        ]
        self.amounts = self._compute([*self._base_lines, *others])

    def get_credit(self, period, days, lines):
        """Return the :class:`Amounts` of a credit of some days of it.

        :param Period period: what it charges
        :param Period days: what is credited of it
        :param lines: ``sale.subscription.line``, those of its lines that are credited
        """
        credited = []
        for line, base_line in zip(self._lines, self._base_lines, strict=True):
            if self._get_charged(line) in lines:
                credited += self._prepare_credits(line, base_line, period, days)
        return self._compute(credited)

    def _get_charged(self, line):
        """Return the subscription line that one of the lines is about."""
        is_sold = line._name == "sale.subscription.line"
        return line if is_sold else line.subscription_line_id

    def _get_units(self, base_line):
        """Return what a base line comes to without tax, in units of the currency."""
        details = base_line["tax_details"]
        net = details["total_excluded_currency"]
        net += details["delta_total_excluded_currency"]
        return to_units(net, self.currency.rounding)

    def _prepare_credits(self, line, base_line, period, days):
        """Return the base lines of a part of one, and of its discounts.

        A line and what is taken off it are rounded once, together, as in credit memos.
        """
        discounts = self._beside.discounts.get(line, {})
        amounts = [self._get_units(base_line), *discounts.values()]
        fitted = fit_parts(
            [Charge(units, period).units_in(days) for units in amounts],
            amounts,
            Charge(sum(amounts), period).units_in(days),
        )
        return [
            self._prepare_credit(part, units, whole)
            for part, units, whole in zip(
                [line, *discounts], fitted, amounts, strict=True
            )
            if units
        ]

    def _prepare_credit(self, line, units, whole):
        """Return the base line of a part of one, as credit memos are computed.

        :param int units: of its amount without tax
        :param int whole: what it comes to
        """
        amount = from_units(units, self.currency.rounding)
        quantity = 1.0
        if has_amount_per_unit(line.sudo().tax_ids):
            quantity = self._subscription._get_quantity(line) * units / whole
        return self._subscription._get_base_line(
            line,
            price_unit=amount / quantity,
            quantity=quantity,
            discount=0.0,
            special_mode="total_excluded",
            is_refund=True,
        )

    def _compute(self, base_lines):
        """Return the :class:`Amounts` of a document of these lines."""
        untaxed, tax = self._subscription._compute_document(
            base_lines, self.payment_term
        )
        amounts = (untaxed, tax, untaxed + tax)
        return Amounts(*(self.currency.round(amount) for amount in amounts))


def get_unused(period, end, refund_mode):
    """Return which days of a charged period are credited when service ends.

    :param Period period: the one in which service ends, or an earlier one
    :param date end: first day without service
    :param str refund_mode: ``full`` gives back all of the latest period
    """
    if refund_mode == "full":
        return period
    if refund_mode == "none":
        return Period(period.end, period.end)
    return Period(max(period.start, end), period.end)
