# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is left to credit of an invoice, and the exact tax of a credit."""

from collections import defaultdict

from ..arithmetic.matching import allocate
from ..arithmetic.proration import clamp, fit, from_units, half_up, share_out, to_units
from ..models.accounting.invoice_lines import InvoiceLines
from ..models.accounting.tax_discount import (
    TaxDiscount,
    get_discounted_taxes,
    has_amount_per_unit,
)
from .day_ledger import Slice
from .tax_book import DISCOUNT, TaxBook, get_taxes_data, take_part


class InvoiceBook:
    """What is left to credit of one invoice, untaxed and per tax.

    Credits of several cancellations in one run are settled one after the other, so
    that together they never exceed the invoice.
    """

    def __init__(self, invoice, invoice_items, refunds, refund_items, lines=None):
        """Read the posted invoice and all its credit memos, drafts included.

        :param invoice: ``account.move``
        :param invoice_items: its product, tax, discount and rounding journal items
        :param refunds: its credit memos, ``account.move``
        :param refund_items: those of its credit memos
        :param InvoiceLines lines: its product lines, where they are known already
        """
        self.invoice = invoice
        self.currency = invoice.currency_id
        self.due_left = self._count_due(refunds)
        self.total_left = self._to_units(
            invoice.amount_total - sum(refunds.mapped("amount_total"))
        )
        products = invoice_items.filtered(lambda item: item.display_type == "product")
        # Their orders are read for all invoices.
        products = products.with_prefetch(invoice_items._prefetch_ids)
        self.lines = lines or InvoiceLines(products)
        self.untaxed_left = self._sum_untaxed(invoice_items | refund_items)
        self.rounding_left = self._sum_rounding(invoice_items | refund_items)
        self._rooms = self._sum_by_taxes(invoice_items | refund_items)
        #: Tax of credits beyond the lines with that tax: others have less room for it.
        self.overdrawn = 0
        self.taxes = TaxBook(invoice, self.lines, invoice_items, refunds)
        self.discount = TaxDiscount(invoice_items, refund_items, self.currency.rounding)

    def _count_due(self, refunds):
        """Return what is due once the drafts among the credit memos are posted."""
        drafts = refunds.filtered(lambda move: move.state == "draft")
        due = self.invoice.amount_residual - sum(drafts.mapped("amount_total"))
        return max(self._to_units(due), 0)

    def _sum_untaxed(self, items):
        """Return what lines came to: revenue is negative, positive on a memo.

        What was paid by a gift card is no line: money.
        """
        return -sum(
            self._to_units(item.amount_currency)
            for item in items - self.lines.gifts
            if not item.tax_line_id and item.display_type != "rounding"
        )

    def _sum_by_taxes(self, items):
        """Return the same of product lines, by taxes."""
        rooms = defaultdict(int)
        for item in items - self.lines.gifts:
            if item.display_type == "product":
                rooms[item.tax_ids] -= self._to_units(item.amount_currency)
        return rooms

    def give_back(self, memo, items, part):
        """Leave out a part of what a credit memo has taken, which was taken back.

        The invoice that takes it back bills the rest only: for that, the part is less
        than zero.

        :param items: those of ``memo``
        :param Fraction part: of all amounts of the credit memo
        """
        self.total_left += take_part(self._to_units(memo.amount_total), part)
        self.rounding_left += take_part(-self._sum_rounding(items), part)
        for item in items:
            units = take_part(self._to_units(item.amount_currency), part)
            if item.tax_line_id or item.display_type == "rounding":
                continue
            self.untaxed_left += units
            if item.display_type == "product":
                self._rooms[item.tax_ids] += units
        self.taxes.give_back(memo, part)

    def take_credit(self, part):
        """Count a credit that is not on a credit memo of the invoice.

        :param CreditPart part: of the credit
        """
        taxes, tax = part.credit.tax_ids, self.taxes.take_credit(part)
        self.untaxed_left -= part.units
        self._rooms[taxes] -= part.units
        self.total_left -= part.units + tax
        beyond = clamp(-self._rooms[taxes], part.units)
        self.overdrawn += half_up(tax * beyond, part.units) if beyond > 0 else 0

    def take_tax_left(self, limit):
        """Let lines have what is left of the taxes, which another document gave back.

        :param int limit: at most so many units
        :return: units that the lines have got
        """
        units = max(min(self.total_left - self.untaxed_left, limit), 0)
        self.untaxed_left += units
        return units

    def get_due_room(self):
        """Return how much of what is due is left of the lines, without tax."""
        total = self.total_left
        due = min(self.due_left, total)
        return half_up(max(self.untaxed_left, 0) * due, total) if total > 0 else 0

    def get_room(self, taxes):
        """Return what is left of the lines with these taxes, of all for ``None``."""
        if taxes is None:
            return self.untaxed_left - self.overdrawn
        return self._rooms[taxes]

    def _sum_rounding(self, items):
        """Return the cash rounding, but where it was added to the largest tax."""
        return -sum(
            self._to_units(item.amount_currency)
            for item in items
            if not item.tax_line_id and item.display_type == "rounding"
        )

    def _to_units(self, amount):
        return to_units(amount, self.currency.rounding)

    def settle(self, rows):
        """Fix the untaxed amounts and the tax of the rows of one credit memo."""
        self._fit(rows)
        rows = [row for row in rows if row["_units"]]
        self.discount.settle(rows)
        base_lines = self._compute_taxes(rows)
        for row, lines in zip(rows, base_lines, strict=True):
            row["_tax_units"] = sum(map(self._sum_taxes, lines))
        self._settle_rounding(rows)
        self._limit_total(rows)
        for row, (line, *discounts) in zip(rows, base_lines, strict=True):
            row["tax_data"] = self._pin_line(line, row)
            for discount in discounts:
                row["discount_data"] = self._pin_discount(discount)
        self._reduce_due(rows)
        if sum(map(self._sum_row, rows)) < 0:
            self._drop(rows)

    def _drop(self, rows):
        """Credit nothing: rebates with a higher tax than their lines are a charge."""
        self.untaxed_left += sum(row["_units"] for row in rows)
        self.total_left += sum(map(self._sum_row, rows))
        for row in rows:
            # A charge that is not made: nothing that the customer would miss.
            names = ("_units", "_tax_units", "_rounding_units", "_wanted")
            row.update(dict.fromkeys(names, 0))
            row.update(tax_data=False, discount_data=False)

    def _fit(self, rows):
        """Cut the rows to what is left of the invoice.

        Of what was paid by a gift card no money goes back: it stays in the total.
        """
        wanted = [row["_units"] for row in rows]
        fitted = fit(wanted, self.untaxed_left)
        total = self._sum_with_taxes(rows) if self.lines.gifts else 0
        left = max(self.total_left, 0)
        if total > left:
            fitted = share_out(half_up(sum(fitted) * left, total), fitted)
        reason = "gift" if total > left else "credited"
        for row, units in zip(rows, fitted, strict=True):
            if row["_units"] != units:
                row.update(_units=units, _left_out_reason=reason)
            self._rooms[row["_slice"].origin.tax_ids] -= units
        self.untaxed_left -= sum(fitted)

    def _sum_with_taxes(self, rows):
        """Return what rows come to with their taxes."""
        base_lines = sum(self._compute_raw_taxes(rows), [])
        taxes = sum(map(self._sum_taxes, base_lines))
        return taxes + sum(row["_units"] for row in rows)

    def _sum_taxes(self, base_line):
        """Return the tax that the customer pays on a base line."""
        return sum(
            self._to_units(tax_data["tax_amount_currency"])
            for tax_data in base_line["tax_details"]["taxes_data"]
            if not tax_data["tax"].has_negative_factor
        )

    def _settle_rounding(self, rows):
        """Let the credit that takes the rest take the cash rounding, too.

        Any credit does where a total that was rounded down leaves less than the lines.
        """
        rest = self.total_left - sum(map(self._sum_row, rows))
        if rows and (rest < 0 or not self.untaxed_left):
            units = clamp(rest, self.rounding_left)
            self.rounding_left -= units
            max(rows, key=lambda row: row["_units"])["_rounding_units"] = units

    def _limit_total(self, rows):
        """Keep the total within what is left."""
        excess = sum(map(self._sum_row, rows)) - self.total_left
        if rows and excess > 0:
            max(rows, key=lambda row: row["_units"])["_units"] -= excess
        self.total_left -= sum(map(self._sum_row, rows))

    def _reduce_due(self, rows):
        """Let a credit memo reduce what is due; what exceeds that is refundable.

        Rebates on it credit less, so that they reduce nothing.
        """
        totals = list(map(self._sum_row, rows))
        reducing = min(max(sum(totals), 0), self.due_left)
        self.due_left -= reducing
        for row, units in zip(rows, allocate(reducing, totals), strict=True):
            row["_reducing_units"] = units

    def _sum_row(self, row):
        """Return what a row comes to."""
        return row["_units"] + row["_tax_units"] + row["_rounding_units"]

    def _compute_taxes(self, rows):
        """Return Odoo's base lines with the tax of the rows, within what is left.

        :return: for each row a list: its line and, where there is one, its discount
        """
        base_lines = self._compute_raw_taxes(rows)
        self._round_together(rows, base_lines)
        kinds = [self.taxes.get_kind(row["_units"]) for row in rows]
        self.taxes.limit(
            [
                (kind if number == 0 else DISCOUNT, base_line)
                for kind, own in zip(kinds, base_lines, strict=True)
                for number, base_line in enumerate(own)
            ],
            self._compute_taxes_today,
        )
        return base_lines

    def _round_together(self, rows, base_lines):
        """Round the tax of a line and its shares of discounts once.

        Taxes that are rounded per line would be rounded for each of the parts.
        """
        if self.invoice.company_id.tax_calculation_rounding_method != "round_per_line":
            return
        parts = defaultdict(list)
        for row, (base_line, *_discounts) in zip(rows, base_lines, strict=True):
            parts[row["_origin"], row["_slice"].origin.tax_ids].append((row, base_line))
        groups = [own for own in parts.values() if len(own) > 1]
        wholes = [
            {**own[0][0], "_units": sum(row["_units"] for row, _base_line in own)}
            for own in groups
        ]
        for own, (whole, *_discounts) in zip(
            groups, self._compute_raw_taxes(wholes) if wholes else [], strict=True
        ):
            for number, tax_data in enumerate(whole["tax_details"]["taxes_data"]):
                *others, last = (
                    base_line["tax_details"]["taxes_data"][number]
                    for _row, base_line in own
                )
                last["tax_amount_currency"] = self.currency.round(
                    tax_data["tax_amount_currency"]
                    - sum(data["tax_amount_currency"] for data in others)
                )

    def _compute_taxes_today(self):
        """Return the base lines of the invoice with its taxes as of today."""
        rows = [
            {
                "_slice": Slice(item, units, 0),
                "_units": units,
                "_discount_units": self.discount.get_share(item, units),
            }
            for item, units in self.lines.units.items()
            if units
        ]
        return sum(self._compute_raw_taxes(rows), [])

    def _compute_raw_taxes(self, rows):
        """Return Odoo's base lines with the tax of the rows as configured today."""
        AccountTax = self.invoice.env["account.tax"]
        company = self.invoice.company_id
        base_lines = [self._prepare_base_lines(row) for row in rows]
        together = sum(base_lines, [])
        AccountTax._add_tax_details_in_base_lines(together, company)
        AccountTax._round_base_lines_tax_details(together, company)
        return base_lines

    def _prepare_base_lines(self, row):
        """Return the base lines of one row: its line and, if any, its discount."""
        base_lines = [self._prepare_base_line(row)]
        if row["_discount_units"]:
            base_lines.append(self._prepare_discount_base_line(row))
        return base_lines

    def _prepare_base_line(self, row):
        """Return the base line of one row for Odoo's tax engine.

        The untaxed amount is the base, also for taxes that are included in the
        price; the quantity shrinks with it, for taxes of a fixed amount per unit.
        """
        origin = row["_slice"].origin
        amount = from_units(row["_units"], self.currency.rounding)
        share = 1 / (origin.quantity or 1.0)
        if has_amount_per_unit(origin.tax_ids):
            share = row["_units"] / origin._get_booked_units()
        quantity = (origin.quantity or 1.0) * share
        return origin.env["account.tax"]._prepare_base_line_for_taxes_computation(
            origin,
            price_unit=amount / quantity,
            quantity=quantity,
            discount=0.0,
            rate=self.invoice.invoice_currency_rate,
            special_mode="total_excluded",
            is_refund=True,
            extra_tax_data=None,
        )

    def _prepare_discount_base_line(self, row):
        """Return the base line of what a discount takes off the tax base of one row."""
        origin = row["_slice"].origin
        return origin.env["account.tax"]._prepare_base_line_for_taxes_computation(
            origin,
            tax_ids=get_discounted_taxes(origin.tax_ids),
            price_unit=-from_units(row["_discount_units"], self.currency.rounding),
            quantity=1.0,
            discount=0.0,
            rate=self.invoice.invoice_currency_rate,
            special_mode="total_excluded",
            special_type="early_payment",
            is_refund=True,
            extra_tax_data=None,
        )

    def _pin_line(self, base_line, row):
        """Return ``extra_tax_data`` that fixes untaxed amount and tax of a line.

        The price is left to the line, which may have one that includes taxes.
        """
        company_currency = self.invoice.company_currency_id
        taxes = self._pin_taxes(base_line)
        if not taxes and self.currency == company_currency:
            return False
        origin = row["_slice"].origin
        return {
            **self._get_pin_key(),
            # Odoo reads the other amounts only where there is something here.
            "manual_tax_amounts": taxes or {"0": {}},
            "manual_total_excluded_currency": from_units(
                row["_units"], self.currency.rounding
            ),
            "manual_total_excluded": from_units(
                self._get_balance(row), company_currency.rounding
            ),
            "discount": origin.discount,
            "quantity": origin.quantity,
        }

    def _get_balance(self, row):
        """Return what a row is in the company's currency, in units."""
        part, units = row["_slice"], row["_units"]
        if part.origin.move_id == self.invoice:
            return part.get_balance(units)
        amount = from_units(units, self.currency.rounding)
        rate = self.invoice.invoice_currency_rate or 1.0
        return to_units(amount / rate, self.invoice.company_currency_id.rounding)

    def _pin_discount(self, base_line):
        """Return ``extra_tax_data`` that fixes amount and tax of a discount."""
        return {
            **self._get_pin_key(),
            "manual_tax_amounts": self._pin_taxes(base_line),
            "manual_total_excluded_currency": base_line["price_unit"],
            "price_unit": base_line["price_unit"],
            "discount": 0.0,
            "quantity": 1.0,
        }

    def _pin_taxes(self, base_line):
        """Return the amounts of the taxes, in both currencies."""
        return {
            str(data["tax"].id): {
                "base_amount_currency": data["base_amount_currency"],
                "tax_amount_currency": data["tax_amount_currency"],
                "tax_amount": data["tax_amount"],
            }
            for data in get_taxes_data(base_line)
        }

    def _get_pin_key(self):
        """Return what the fixed amounts hold for."""
        return {
            "currency_id": self.currency.id,
            "rate": self.invoice.invoice_currency_rate,
        }
