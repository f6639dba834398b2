# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the lines of an invoice are: services, discounts of them, payments of them."""

from collections import defaultdict

from ...arithmetic.proration import half_up
from .order_discount import Priced, fit_parts, spread, spread_discount


class InvoiceLines:
    """The lines of one invoice, and what its discounts take off the others."""

    def __init__(self, items):
        """Sort the product lines of a posted invoice.

        A negative line of no subscription line is a discount, unless it stands for
        money: a down payment that is deducted, a gift card or an e-wallet.
        """
        self.items = items
        self.down_payments = items.filtered("is_downpayment")
        #: Parts of other invoices that are credited beside something new.
        self.reductions = items._filter_reductions()
        #: What was paid on other invoices is deducted by these.
        self.deductions = self.down_payments | self.reductions
        self.gifts = items._filter_gifts()
        self.units = {item: item._get_booked_units() for item in items}
        negative = items.filtered(
            lambda item: not item.subscription_line_id and self.units[item] < 0
        )
        self.discounts = negative - self.down_payments - self.gifts
        self.shares = {item: self._spread(item) for item in self.discounts}
        #: By line, what each discount takes off it.
        self.discounts_of = defaultdict(dict)
        for discount, shares in self.shares.items():
            for item, units in shares.items():
                self.discounts_of[item][discount] = units

    def _spread(self, discount):
        """Return the shares of lines in a discount."""
        if discount.discounted_line_id in self.units:
            return {discount.discounted_line_id: self.units[discount]}
        lines = self.items - self.discounts - self.down_payments - self.gifts
        rewarded = discount._get_rewarded_order_lines()
        return spread_discount(
            self._get_priced(discount),
            [self._get_priced(item) for item in lines],
            lines.filtered(lambda item: item.sale_line_ids & rewarded)
            if rewarded
            else (),
        )

    def _get_priced(self, item):
        taxes = frozenset(item.tax_ids.ids)
        return Priced(item, self.units[item], taxes)

    def spread_like(self, discount, amount):
        """Return an amount, split among lines like a discount."""
        shares = self.shares[discount]
        weights = [abs(units) for units in shares.values()]
        return dict(zip(shares, spread(amount, weights), strict=True))

    def get_part_of_services(self, discount):
        """Return how much of a discount is for lines that bill subscription lines."""
        return sum(
            units
            for item, units in self.shares[discount].items()
            if item.subscription_line_id
        )

    def get_parts_of_discounts(self, parts):
        """Return how much of each discount goes with parts of the lines.

        A line and what is taken off it are rounded once, together.

        :param dict parts: days that count, and days of the period, by line; other
            lines take nothing along
        :return: dict of shares between 0 and 1 by discount, without those of none
        """
        taken = defaultdict(int)
        for item, (days, total) in parts.items():
            if item not in self.discounts_of:
                continue
            discounts = self.discounts_of[item]
            amounts = [self.units[item], *discounts.values()]
            _line, *fitted = fit_parts(
                [half_up(units * days, total) for units in amounts],
                amounts,
                half_up(sum(amounts) * days, total),
            )
            for discount, units in zip(discounts, fitted, strict=True):
                taken[discount] += units
        return {
            discount: units / self.units[discount]
            for discount, units in taken.items()
            if units
        }
