# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The tax of the credit memos of an invoice is the tax of that invoice."""

from odoo.tests import tagged

from .common import REVERSE_CHARGE, CancellationCase


@tagged("post_install", "-at_install")
class TestExactTax(CancellationCase):
    def create_billed(self, prices, tax):
        subscription = self.create_subscription(
            [{"price_unit": price, "taxes": tax} for price in prices]
        )
        return subscription, self.bill(subscription)

    def credit_line_by_line(self, subscription):
        """Credit everything, one line after the other; return the taxes in order."""
        return [
            self.cancel(subscription, line_ids=line.ids, cancel_day_billed=False)[
                "credit_tax"
            ]
            for line in subscription.sale_subscription_line_ids
        ]

    def get_tax_items(self, moves):
        items = moves.line_ids.filtered(lambda item: item.display_type == "tax")
        return sorted(items.mapped("balance"))

    def test_the_last_credit_takes_the_cent_that_is_left(self):
        """C4: 19 % of 99.99 are 19.00, of 33.33 only 6.33."""
        self.company.tax_calculation_rounding_method = "round_globally"
        subscription, invoice = self.create_billed([33.33] * 3, self.create_tax(19))
        self.assertEqual(invoice.amount_tax, 19.0)
        self.assertEqual(self.credit_line_by_line(subscription), [6.33, 6.33, 6.34])
        taxes = self.credit_memos(subscription).sorted("id").mapped("amount_tax")
        self.assertEqual(taxes, [6.33, 6.33, 6.34])

    def test_the_last_credit_leaves_out_the_cent_that_is_too_much(self):
        """C4: 19 % of 100.05 are 19.01, of 33.35 already 6.34."""
        self.company.tax_calculation_rounding_method = "round_globally"
        subscription, invoice = self.create_billed([33.35] * 3, self.create_tax(19))
        self.assertEqual(invoice.amount_tax, 19.01)
        self.assertEqual(self.credit_line_by_line(subscription), [6.34, 6.34, 6.33])
        taxes = self.credit_memos(subscription).sorted("id").mapped("amount_tax")
        self.assertEqual(taxes, [6.34, 6.34, 6.33])

    def test_a_reverse_charge_is_taken_back_on_both_sides(self):
        """C11: 20 % of the unused 21.00 + 42.00, owed and deducted."""
        tax = self.create_tax(20, **REVERSE_CHARGE)
        subscription, invoice = self.create_billed([31.0, 62.0], tax)
        self.assertEqual(self.get_tax_items(invoice), [-18.6, 18.6])
        answer = self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        self.assertEqual(self.get_tax_items(memo), [-12.6, 12.6])
        self.assertEqual((answer["credit_total"], memo.amount_total), (63.0, 63.0))

    def test_line_by_line_takes_back_all_of_a_reverse_charge(self):
        """C4, C11: 6.20 and 12.40 of 18.60."""
        tax = self.create_tax(20, **REVERSE_CHARGE)
        subscription, _invoice = self.create_billed([31.0, 62.0], tax)
        self.assertEqual(self.credit_line_by_line(subscription), [0.0, 0.0])
        memos = self.credit_memos(subscription)
        self.assertEqual(self.get_tax_items(memos), [-12.4, -6.2, 6.2, 12.4])
