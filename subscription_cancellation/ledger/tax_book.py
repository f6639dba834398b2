# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is left of the taxes of an invoice, and what a credit takes of them."""

from collections import defaultdict
from fractions import Fraction

from ..arithmetic.proration import clamp, from_units, half_up, to_units

#: Lines that add to the invoice, lines that reduce it, early payment discounts.
POSITIVE, NEGATIVE, DISCOUNT = "positive", "negative", "discount"


class TaxPool:
    """One tax of the lines of one kind: what was billed with it, and what is left."""

    def __init__(self):
        """Begin with nothing; amounts are in units."""
        self.base_billed = self.base_left = 0
        self.tax_billed = self.tax_left = 0
        self.balance_left = 0

    def take(self, base, tax):
        """Return how much of a tax goes with a base; whoever takes the rest, all."""
        self.base_left -= base
        taken = clamp(tax, self.tax_left) if self.base_left else self.tax_left
        self.tax_left -= taken
        return taken

    def take_balance(self, balance):
        """Return the same in the company's currency, of a tax that was just taken."""
        is_rest = not (self.base_left or self.tax_left)
        taken = self.balance_left if is_rest else clamp(balance, self.balance_left)
        self.balance_left -= taken
        return taken

    def get_share(self, base):
        """Return the tax of a part of what was billed."""
        billed = self.base_billed
        return take_part(self.tax_billed, Fraction(base, billed)) if billed else 0


def take_part(units, part):
    """Return a fraction of an amount, rounded."""
    part = Fraction(part)
    return half_up(units * part.numerator, part.denominator)


class TaxBook:
    """The taxes of the lines of an invoice that cancellations credit.

    Each is limited by itself, and apart for lines that reduce the invoice: a rebate
    takes its tax along, whatever else has that tax. Lines of no subscription line keep
    theirs: whoever takes the rest takes nothing of them.
    """

    def __init__(self, invoice, lines, items, refunds):
        """Read the taxes of an invoice, and of all its credit memos.

        :param InvoiceLines lines: its product lines
        :param items: its journal items
        """
        self.invoice = invoice
        self.lines = lines
        self._tax_items = items.filtered(lambda item: item.display_type == "tax")
        self.pools = defaultdict(TaxPool)
        self._others_left = sum(
            lines.units[item] for item in lines.items if not self._get_kinds(item)
        )
        for kind, base, tax, amounts in self._read(invoice, self._get_kinds):
            pool = self.pools[tax, kind]
            pool.base_billed += base
            pool.base_left += base
            pool.tax_billed += amounts[0]
            pool.tax_left += amounts[0]
            pool.balance_left += amounts[1]
        for memo in refunds:
            self.give_back(memo, -1)

    def give_back(self, memo, part):
        """Count a part of what a credit memo takes as left; of ``-1``, all is taken."""
        for kind, base, tax, amounts in self._read(memo, self._get_memo_kinds):
            pool = self.pools[tax, kind]
            pool.base_left += take_part(base, part)
            pool.tax_left += take_part(amounts[0], part)
            pool.balance_left += take_part(amounts[1], part)

    def take_credit(self, part):
        """Count what a credit takes that is not on a credit memo of the invoice.

        :param CreditPart part: of the credit
        :return: its tax that the customer pays, in units
        """
        credit = part.credit
        share = Fraction(part.units, credit._get_booked_units())
        kinds = [(self.get_kind(part.units), share)]
        taken = 0
        for kind, base, tax, amounts in self._read(
            credit.move_id, lambda item: kinds if item == credit else []
        ):
            if kind == DISCOUNT:
                continue
            pool = self.pools[tax, kind]
            pool.base_left -= base
            pool.tax_left -= amounts[0]
            pool.balance_left -= amounts[1]
            taken += 0 if tax.has_negative_factor else amounts[0]
        return taken

    # === READ === #

    def _read(self, move, get_kinds):
        """Yield kind, base, tax and amounts of each tax of each line of a document.

        As Odoo spreads the tax items over the lines, amounts that somebody typed, too.
        """
        base_lines, _tax_lines = move._get_rounded_base_and_tax_lines()
        units_of, balance_of = (
            lambda amount, currency=currency: to_units(amount, currency.rounding)
            for currency in (move.currency_id, move.company_currency_id)
        )
        for base_line in base_lines:
            item = base_line["record"]
            is_product = item.display_type == "product"
            kinds = get_kinds(item) if is_product else [(DISCOUNT, 1)]
            for tax_data in get_taxes_data(base_line):
                amounts = (
                    item._get_booked_units(),
                    units_of(tax_data["tax_amount_currency"]),
                    balance_of(tax_data["tax_amount"]),
                )
                for kind, part in kinds:
                    base, tax, balance = (take_part(one, part) for one in amounts)
                    yield kind, base, tax_data["tax"], (tax, balance)

    def get_kind(self, units):
        """Return the kind of a line.

        What was paid on other invoices is deducted by tax, from all lines at once.
        """
        is_positive = units >= 0 or self.lines.deductions
        return POSITIVE if is_positive else NEGATIVE

    def _get_kinds(self, item):
        """Return which kinds an invoice line is of, each with the part that is.

        Where down payments are deducted, all of it is one: what is credited of the rest
        may be as much as the invoice is about.
        """
        units = self.lines.units[item]
        if item in self.lines.shares and not self.lines.down_payments:
            part = Fraction(self.lines.get_part_of_services(item), units)
            return [(self.get_kind(units), part)] if part else []
        is_credited = item.subscription_line_id or self.lines.deductions
        return [(self.get_kind(units), 1)] if is_credited else []

    def _get_memo_kinds(self, item):
        """Return the same of a credit memo line."""
        origin = item.origin_line_id
        if origin in self.lines.shares and item.discounted_line_id:
            origin = item.discounted_line_id
            if not origin.subscription_line_id:
                return []
            return [(self.get_kind(self.lines.units[item.origin_line_id]), 1)]
        if origin in self.lines.units:
            return self._get_kinds(origin)
        units = item._get_booked_units()
        if not origin and 0 < units <= self._others_left:
            # Not said of what: rather of what is nobody's.
            self._others_left -= units
            return []
        return [(self.get_kind(units), 1)]

    # === TAKE === #

    def limit(self, base_lines, compute_today):
        """Keep the taxes of base lines within what is left; the last takes the rest.

        :param list base_lines: pairs of a kind and one of Odoo's base lines
        :param compute_today: returns the base lines of the whole invoice, with taxes
            as they are configured today
        """
        by_pool = defaultdict(list)
        for kind, base_line in base_lines:
            base = self._to_units(base_line["tax_details"]["total_excluded_currency"])
            for tax_data in get_taxes_data(base_line):
                by_pool[tax_data["tax"], kind].append((base, tax_data))
        changed = self._get_changed_taxes(compute_today) if by_pool else ()
        for (tax, kind), parts in by_pool.items():
            self._limit_pool(self.pools[tax, kind], parts, tax in changed)

    def _limit_pool(self, pool, parts, is_changed):
        base = sum(units for units, _data in parts)
        rounded = sum(
            self._to_units(data["tax_amount_currency"]) for _base, data in parts
        )
        taken = pool.take(base, pool.get_share(base) if is_changed else rounded)
        largest = max(
            (data for _base, data in parts),
            key=lambda data: abs(data["tax_amount_currency"]),
        )
        rounding = self.invoice.currency_id.rounding
        largest["tax_amount_currency"] = from_units(
            self._to_units(largest["tax_amount_currency"]) + taken - rounded, rounding
        )
        self._limit_balance(pool, [data for _base, data in parts], largest)

    def _limit_balance(self, pool, taxes_data, largest):
        """Give each tax its balance at the rate of the invoice; the rest to one."""
        rate = self.invoice.invoice_currency_rate or 1.0
        rounding = self.invoice.company_currency_id.rounding
        balances = [
            to_units(data["tax_amount_currency"] / rate, rounding)
            for data in taxes_data
        ]
        taken = pool.take_balance(sum(balances))
        for data, units in zip(taxes_data, balances, strict=True):
            if data is largest:
                units += taken - sum(balances)
            data["tax_amount"] = from_units(units, rounding)

    def _get_changed_taxes(self, compute_today):
        """Return the taxes that were billed otherwise than they would be today.

        Somebody changed the tax, or its amount on the invoice, since: what was billed
        counts, never today's configuration.
        """
        billed, today = defaultdict(int), defaultdict(int)
        for item in self._tax_items:
            if not is_reverse_charge(item):
                billed[item.tax_line_id] -= self._to_units(item.amount_currency)
        for base_line in compute_today():
            for tax_data in get_taxes_data(base_line):
                units = self._to_units(tax_data["tax_amount_currency"])
                today[tax_data["tax"]] += units
        # Rounding alone makes less than one unit of difference per line.
        slack = len(self.lines.items)
        return {
            tax
            for tax in billed.keys() | today.keys()
            if abs(today[tax] - billed[tax]) > slack
        }

    def _to_units(self, amount):
        return to_units(amount, self.invoice.currency_id.rounding)


def get_taxes_data(base_line):
    """Return the taxes of one of Odoo's base lines, each once.

    A reverse charge is added and taken back at once; Odoo takes it back by itself.
    """
    return [
        data
        for data in base_line["tax_details"]["taxes_data"]
        if not data["is_reverse_charge"]
    ]


def is_reverse_charge(item):
    """Return whether a tax item only takes back the tax that another one adds."""
    is_pair = item.tax_line_id.has_negative_factor
    return is_pair and item.tax_repartition_line_id.factor < 0
