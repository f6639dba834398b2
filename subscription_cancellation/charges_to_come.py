# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a document that does not stand yet will charge, and give back again."""

from typing import NamedTuple

from .proration import Charge, Period, from_units, to_units
from .tax_discount import has_amount_per_unit


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

    def __init__(self, subscription, lines):
        """Prepare its lines.

        :param subscription: one ``sale.subscription``
        :param lines: ``sale.subscription.line``, draft ``account.move.line``, or the
            ``sale.order.line`` that sold a period
        """
        self._subscription = subscription
        self._lines = lines
        self._base_lines = [subscription._get_base_line(line) for line in lines]
        self.currency = self._base_lines[0]["currency_id"]
        self._subscription._compute_taxes(self._base_lines)

    def get_amounts(self):
        """Return the :class:`Amounts` of all of it."""
        return self._sum(self._base_lines)

    def get_credit(self, period, days, lines):
        """Return the :class:`Amounts` of a credit of some days of it.

        :param Period period: what it charges
        :param Period days: what is credited of it
        :param lines: ``sale.subscription.line``, those of its lines that are credited
        """
        credited = []
        for line, base_line in zip(self._lines, self._base_lines, strict=True):
            if self._get_charged(line) in lines:
                charge = Charge(self._get_units(base_line), period)
                units = charge.units_in(days)
                if units:
                    credited.append(self._prepare_credit(line, charge, units))
        self._subscription._compute_taxes(credited)
        return self._sum(credited)

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

    def _prepare_credit(self, line, charge, units):
        """Return the base line of a part of one, as credit memos are computed."""
        amount = from_units(units, self.currency.rounding)
        quantity = 1.0
        if has_amount_per_unit(line.sudo().tax_ids):
            quantity = self._subscription._get_quantity(line) * units / charge.units
        return self._subscription._get_base_line(
            line,
            price_unit=amount / quantity,
            quantity=quantity,
            discount=0.0,
            special_mode="total_excluded",
            is_refund=True,
        )

    def _sum(self, base_lines):
        # sudo: prices and taxes only.
        company = self._subscription.company_id.sudo()
        totals = company.env["account.tax"]._get_tax_totals_summary(
            base_lines, self.currency, company
        )
        return Amounts(
            *(
                self.currency.round(totals[f"{name}_amount_currency"])
                for name in ("base", "tax", "total")
            )
        )


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
