# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is left to credit of an invoice, and the exact tax of a credit."""

from collections import defaultdict

from .proration import clamp, fit, from_units, to_units
from .settlement import allocate
from .tax_discount import TaxDiscount, get_discounted_taxes


class InvoiceBook:
    """What is left to credit of one invoice, untaxed and per tax.

    Credits of several cancellations in one run are settled one after the other, so
    that together they never exceed the invoice.
    """

    def __init__(self, invoice, invoice_items, refunds, refund_items):
        """Read the posted invoice and all its credit memos, drafts included.

        :param invoice: ``account.move``
        :param invoice_items: its product, tax, discount and rounding journal items
        :param refunds: its credit memos, ``account.move``
        :param refund_items: those of its credit memos
        """
        self.invoice = invoice
        self.currency = invoice.currency_id
        self.due_left = self._count_due(refunds)
        self.total_left = self._to_units(
            invoice.amount_total - sum(refunds.mapped("amount_total"))
        )
        self.lines = invoice_items.filtered(lambda item: item.display_type == "product")
        self.untaxed_left = 0
        self.tax_left = defaultdict(int)
        self.base_left = defaultdict(int)
        self.rounding_left = 0
        rounding = invoice_items.filtered(lambda item: item.display_type == "rounding")
        self._count(invoice_items - rounding)
        self.tax_billed = dict(self.tax_left)
        self._count(rounding | refund_items)
        self.discount = TaxDiscount(invoice_items, refund_items, self._to_units)

    def _count_due(self, refunds):
        """Return what is due once the drafts among the credit memos are posted."""
        drafts = refunds.filtered(lambda move: move.state == "draft")
        due = self.invoice.amount_residual - sum(drafts.mapped("amount_total"))
        return max(self._to_units(due), 0)

    def _count(self, items):
        """Add journal items: revenue is negative on an invoice, positive on a memo."""
        for item in items:
            units = -self._to_units(item.amount_currency)
            if item.tax_line_id:
                # The cash rounding, too, where it is added to the largest tax.
                if not self._is_reverse_charge(item):
                    self.tax_left[item.tax_line_id] += units
                continue
            if item.display_type == "rounding":
                self.rounding_left += units
                continue
            self.untaxed_left += units
            for tax in item.tax_ids.flatten_taxes_hierarchy():
                self.base_left[tax] += units

    def _is_reverse_charge(self, item):
        """Return whether a tax item only takes back the tax that another one adds."""
        is_pair = item.tax_line_id.has_negative_factor
        return is_pair and item.tax_repartition_line_id.factor < 0

    def _to_units(self, amount):
        return to_units(amount, self.currency.rounding)

    def settle(self, rows):
        """Fix the untaxed amounts and the tax of the rows of one credit memo."""
        fitted = fit([row["_units"] for row in rows], self.untaxed_left)
        for row, units in zip(rows, fitted, strict=True):
            row["_units"] = units
        self.untaxed_left -= sum(fitted)
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
        self._limit_taxes(sum(base_lines, []))
        return base_lines

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
        origin = row["_origin"]
        net = self._to_units(origin.price_subtotal)
        return origin.env["account.tax"]._prepare_base_line_for_taxes_computation(
            origin,
            price_unit=origin.price_subtotal / origin.quantity,
            quantity=origin.quantity * row["_units"] / net,
            discount=0.0,
            rate=self.invoice.invoice_currency_rate,
            special_mode="total_excluded",
            is_refund=True,
            extra_tax_data=None,
        )

    def _prepare_discount_base_line(self, row):
        """Return the base line of what a discount takes off the tax base of one row."""
        origin = row["_origin"]
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

    def _limit_taxes(self, base_lines):
        """Keep each tax within what is left; the last credit takes the rest."""
        by_tax = defaultdict(list)
        for base_line in base_lines:
            units = self._to_units(base_line["tax_details"]["total_excluded_currency"])
            for tax_data in base_line["tax_details"]["taxes_data"]:
                if not tax_data["is_reverse_charge"]:
                    by_tax[tax_data["tax"]].append(tax_data)
                    self.base_left[tax_data["tax"]] -= units
        factors = self._get_tax_factors()
        for tax, taxes_data in by_tax.items():
            rounded = sum(
                self._to_units(data["tax_amount_currency"]) for data in taxes_data
            )
            raw = sum(data["raw_tax_amount_currency"] for data in taxes_data)
            factor = factors.get(tax, 1)
            total = rounded if factor == 1 else self._to_units(raw * factor)
            left = self.tax_left[tax]
            target = left if not self.base_left[tax] else clamp(total, left)
            self.tax_left[tax] -= target
            largest = max(taxes_data, key=lambda data: abs(data["tax_amount_currency"]))
            largest["tax_amount_currency"] = from_units(
                self._to_units(largest["tax_amount_currency"]) + target - rounded,
                self.currency.rounding,
            )

    def _get_tax_factors(self):
        """Return by how much each tax was billed higher than it would be today.

        1 unless somebody changed the tax, or its amount on the invoice, since: what
        was billed counts, never today's configuration.
        """
        rows = [
            self._prepare_billed_row(line)
            for line in self.lines.filtered("price_subtotal")
        ]
        today = defaultdict(int)
        for base_line in sum(self._compute_raw_taxes(rows), []):
            for tax_data in base_line["tax_details"]["taxes_data"]:
                if not tax_data["is_reverse_charge"]:
                    amount = self._to_units(tax_data["tax_amount_currency"])
                    today[tax_data["tax"]] += amount
        return {
            tax: self.tax_billed.get(tax, 0) / units
            for tax, units in today.items()
            # Rounding alone makes less than one unit of difference per line.
            if units and abs(units - self.tax_billed.get(tax, 0)) > len(rows)
        }

    def _prepare_billed_row(self, line):
        """Return a row that stands for all of an invoice line."""
        units = self._to_units(line.price_subtotal)
        discount = self.discount.get_share(line, units)
        return {"_origin": line, "_units": units, "_discount_units": discount}

    def _pin_line(self, base_line, row):
        """Return ``extra_tax_data`` that fixes untaxed amount and tax of a line.

        The price is left to the line, which may have one that includes taxes.
        """
        if not base_line["tax_details"]["taxes_data"]:
            return False
        origin = row["_origin"]
        return {
            **self._pin_taxes(base_line),
            "manual_total_excluded_currency": from_units(
                row["_units"], self.currency.rounding
            ),
            "discount": origin.discount,
            "quantity": origin.quantity,
        }

    def _pin_discount(self, base_line):
        """Return ``extra_tax_data`` that fixes amount and tax of a discount."""
        return {
            **self._pin_taxes(base_line),
            "manual_total_excluded_currency": base_line["price_unit"],
            "price_unit": base_line["price_unit"],
            "discount": 0.0,
            "quantity": 1.0,
        }

    def _pin_taxes(self, base_line):
        """Return the part of ``extra_tax_data`` that fixes the taxes."""
        return {
            "manual_tax_amounts": {
                str(data["tax"].id): {
                    "base_amount_currency": data["base_amount_currency"],
                    "tax_amount_currency": data["tax_amount_currency"],
                }
                for data in base_line["tax_details"]["taxes_data"]
                if not data["is_reverse_charge"]
            },
            "currency_id": self.currency.id,
            "rate": self.invoice.invoice_currency_rate,
        }
