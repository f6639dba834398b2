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
    """A regular invoice that is still to come, or to be posted.

    Computed by Odoo's tax engine from what will be on its lines; nothing is read or
    written, so that any number of them costs no query.
    """

    def __init__(self, lines, currency, company, partner):
        """Prepare its lines.

        :param lines: ``sale.subscription.line`` or draft ``account.move.line``
        """
        self._currency, self._company, self._partner = currency, company, partner
        is_draft = lines._name == "account.move.line"
        quantity_name = "quantity" if is_draft else "product_uom_qty"
        self._charged = [
            line.subscription_line_id if is_draft else line for line in lines
        ]
        self._base_lines = [
            self._prepare(line, line.price_unit, line[quantity_name], line.discount)
            for line in lines
        ]
        self._add_taxes(self._base_lines)

    def get_amounts(self):
        """Return the :class:`Amounts` of all of it."""
        return self._sum(self._base_lines)

    def get_credit(self, period, days, lines):
        """Return the :class:`Amounts` of a credit of some days of it.

        :param Period period: what it charges
        :param Period days: what is credited of it
        :param lines: ``sale.subscription.line``, those of its lines that are credited
        """
        rounding = self._currency.rounding
        credited = []
        for line, base_line in zip(self._charged, self._base_lines, strict=True):
            if line not in lines:
                continue
            details = base_line["tax_details"]
            net = details["total_excluded_currency"]
            billed = to_units(net + details["delta_total_excluded_currency"], rounding)
            units = Charge(billed, period).units_in(days)
            if units:
                credited.append(self._prepare_credit(base_line, units, billed))
        self._add_taxes(credited)
        return self._sum(credited)

    def _prepare(self, line, price_unit, quantity, discount, **values):
        """Return a base line of Odoo's tax engine."""
        return line.env["account.tax"]._prepare_base_line_for_taxes_computation(
            line,
            price_unit=price_unit,
            quantity=quantity,
            discount=discount,
            currency_id=self._currency,
            partner_id=self._partner,
            tax_ids=line.tax_ids,
            **values,
        )

    def _prepare_credit(self, base_line, units, billed):
        """Return the base line of a part of one, as credit memos are computed."""
        amount = from_units(units, self._currency.rounding)
        quantity = 1.0
        if has_amount_per_unit(base_line["tax_ids"]):
            quantity = base_line["quantity"] * units / billed
        return self._prepare(
            base_line["record"],
            amount / quantity,
            quantity,
            0.0,
            special_mode="total_excluded",
            is_refund=True,
        )

    def _add_taxes(self, base_lines):
        AccountTax = self._company.env["account.tax"]
        AccountTax._add_tax_details_in_base_lines(base_lines, self._company)
        AccountTax._round_base_lines_tax_details(base_lines, self._company)

    def _sum(self, base_lines):
        totals = self._company.env["account.tax"]._get_tax_totals_summary(
            base_lines, self._currency, self._company
        )
        return Amounts(
            *(
                self._currency.round(totals[f"{name}_amount_currency"])
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
