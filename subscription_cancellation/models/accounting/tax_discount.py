# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an early payment discount takes off the bases of the taxes of an invoice.

Where the discount always reduces the tax, taken or not, Odoo adds a pair of journal
items to the invoice: the discount with the taxes, and against it without them. A credit
of the invoice takes its share of that pair back.
"""

from collections import defaultdict

from ...arithmetic.proration import clamp, half_up, to_units


def get_discounted_taxes(taxes):
    """Return those of these taxes that a discount reduces: none per unit."""
    return taxes.filtered(lambda tax: tax.amount_type != "fixed")


def has_amount_per_unit(taxes):
    """Return whether the amount of one of these is not in proportion to the price."""
    kinds = set(taxes.flatten_taxes_hierarchy().mapped("amount_type"))
    return not kinds <= {"percent", "division"}


class TaxDiscount:
    """What is left to take back of the discount of one invoice, by set of taxes."""

    def __init__(self, invoice_items, refund_items, rounding):
        """Read the journal items of the invoice, and those of its credit memos.

        :param float rounding: the size of a currency unit
        """
        self._rounding = rounding
        self.billed, self.base_billed = self._count(invoice_items)
        self.left, self.base_left = self._count(invoice_items | refund_items)

    def _count(self, items):
        """Return the discounts, and what they are a part of, by set of taxes."""
        discounts, bases = defaultdict(int), defaultdict(int)
        for item in items.filtered("tax_ids"):
            units = to_units(item.amount_currency, self._rounding)
            if item.display_type == "epd":
                discounts[item.tax_ids] += units
            elif item.display_type == "product":
                bases[get_discounted_taxes(item.tax_ids)] -= units
        return discounts, bases

    def get_share(self, line, units):
        """Return the discount of a part of an invoice line."""
        taxes = get_discounted_taxes(line.tax_ids)
        billed, base = self.billed[taxes], self.base_billed[taxes]
        return half_up(billed * units, base) if billed and base else 0

    def settle(self, rows):
        """Fix the discount of the rows of one credit memo: the last takes the rest."""
        by_taxes = defaultdict(list)
        for row in rows:
            by_taxes[get_discounted_taxes(row["_slice"].origin.tax_ids)].append(row)
            row["_discount_units"] = self.get_share(row["_slice"].origin, row["_units"])
        for taxes, same in by_taxes.items():
            self.base_left[taxes] -= sum(row["_units"] for row in same)
            total = sum(row["_discount_units"] for row in same)
            left = self.left[taxes]
            target = clamp(total, left) if self.base_left[taxes] else left
            self.left[taxes] -= target
            largest = max(same, key=lambda row: abs(row["_units"]))
            largest["_discount_units"] += target - total
