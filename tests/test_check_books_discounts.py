# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker derives discounts, down payments and the last cent by itself."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    company_currency,
    coverage,
    rows,
    taxes,
)

from .books import BooksCase, finds
from .sales import SalesCase


@tagged("post_install", "-at_install")
class TestCreditedInFull(BooksCase):
    """EUR 3 × 33.33 at 19 %, credited in full."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.tax_calculation_rounding_method = "round_globally"
        cls.setup_other_currency("EUR", rates=[("1900-01-01", 0.937)])
        tax = cls.create_reported_tax(19.0)
        cls.subscription = cls.create_subscription(
            [{"price_unit": 33.33, "taxes": tax}] * 3, currency="EUR"
        )
        cls.invoice = cls.bill(cls.subscription)
        cls.cancel(cls.subscription, refund_mode="full")
        cls.memo = cls.credit_memos(cls.subscription)
        cls.tax_item = cls.memo.line_ids.filtered("tax_line_id")

    @finds(taxes.LEFT)
    def test_a_cent_of_tax_that_is_left(self):
        """C4."""
        yield
        self.add_to(self.tax_item, "amount_currency", -0.01)

    @finds(company_currency.LEFT)
    def test_a_cent_that_is_left_in_dollars(self):
        """C11."""
        yield
        self.add_to(self.tax_item, "balance", 0.01)


@tagged("post_install", "-at_install")
class TestSold(BooksCase, SalesCase):
    """100.00 less 10 % on the order, ended on 10 July: 67.74 less 6.77."""

    def sell_discounted(self):
        order = self.sell(100.0)
        self.discount(order, 10.0)
        self.invoice(order)
        self.end(order.subscription_ids)
        return order.subscription_ids.cancellation_ids

    @finds(rows.WRONG)
    def test_a_credit_that_forgets_the_discount(self):
        """C15."""
        cancellation = self.sell_discounted()
        yield
        share = cancellation.line_ids.filtered("discounted_line_id")
        self.tamper(share, credit_untaxed=0.0)

    @finds(rows.REWARDED)
    def test_a_reward_whose_lines_are_not_read(self):
        """C15: the cheapest line of the order."""
        order = self.sell(
            {"price_unit": 100.0, "name": "Hosting"},
            {"price_unit": 50.0, "name": "Books"},
        )
        self.promote(order, discount=50, discount_applicability="cheapest")
        self.invoice(order)
        memo, _answer = self.end(order.subscription_ids)
        self.assertEqual(memo.amount_total, 84.68)  # 67.74 and 16.94
        yield
        rows_ = order.subscription_ids.cancellation_ids.line_ids
        self.add_to(rows_[:1], "credit_untaxed", -1.0)

    @finds(coverage.LEFT)
    def test_a_year_that_was_paid_before_and_is_not_credited(self):
        """C15: a down payment does not make a final invoice unpaid."""
        order = self.sell(365.0, interval="1 years")
        self.invoice(order, "percentage", 100.0)
        self.invoice(order)
        self.end(order.subscription_ids, "2026-07-31")
        yield
        memo = self.credit_memos(order.subscription_ids)
        # One that says whose days it credits counts, whoever made it.
        links = ("origin_line_id", "subscription_line_id")
        self.tamper(memo.invoice_line_ids, **dict.fromkeys(links))
