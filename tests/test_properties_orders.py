# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What must hold for whatever an order sells: discounted, paid before, both roundings.

Sold, discounted, invoiced and ended in the real database, and rolled back.
"""

from contextlib import closing
from fractions import Fraction
from math import floor
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import tagged

from .sales import SalesCase
from .test_properties import examples

TAXES = {
    "none": None,
    "7 %": {"amount": 7.0},
    "19 %": {"amount": 19.0},
    "20 % included": {"amount": 20.0, "price_include_override": "tax_included"},
}


class Sale(NamedTuple):
    """An order, and how its subscription ends."""

    rounding: str
    #: Price, tax, and whether it is a subscription.
    lines: list
    #: Percent, or an amount where it is text; ``None`` for no discount.
    discount: float | str | None
    down_payments: list  # percent each
    refund_mode: str
    is_split: bool  # line by line


prices = st.sampled_from([33.33, 31.0, 100.0, 9.99, 0.05, 249.95])
sales = st.builds(
    Sale,
    rounding=st.sampled_from(["round_globally", "round_per_line"]),
    lines=st.lists(
        st.tuples(prices, st.sampled_from(list(TAXES)), st.sampled_from([1, 1, 1, 0])),
        min_size=1,
        max_size=4,
    ).filter(lambda lines: any(is_service for *_line, is_service in lines)),
    discount=st.sampled_from([None, 10.0, 12.5, 33.33, "0.04"]),
    down_payments=st.sampled_from([[], [], [50.0], [30.0, 30.0], [100.0]]),
    refund_mode=st.sampled_from(["prorated", "prorated", "full"]),
    is_split=st.booleans(),
)


@tagged("post_install", "-at_install")
class TestPropertiesOfOrders(SalesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.taxes = {
            name: values and cls.create_tax(name=name, **values)
            for name, values in TAXES.items()
        }
        cls.template = cls.create_template()

    def execute_example(self, example):
        """Run one example and take it back (a hook of hypothesis)."""
        with closing(self.env.cr.savepoint()):
            return example()

    def tell(self, sale):
        """Sell and invoice it; return the subscription and all invoices."""
        self.company.tax_calculation_rounding_method = sale.rounding
        order = self.sell(
            *(
                {
                    "price_unit": price,
                    "taxes": self.taxes[tax] or self.env["account.tax"],
                    "is_service": bool(is_service),
                    "name": f"Product {number}",
                }
                for number, (price, tax, is_service) in enumerate(sale.lines)
            ),
            template=self.template,
        )
        if isinstance(sale.discount, str):
            self.discount(order, float(sale.discount), "amount")
        elif sale.discount:
            self.discount(order, sale.discount)
        for percent in sale.down_payments:
            self.invoice(order, "percentage", percent)
        final = self.invoice(order)
        for invoice in order.invoice_ids:
            if invoice.amount_residual:
                self.pay(invoice)
        return order.subscription_ids, final

    @examples(30)
    @given(sale=sales)
    def test_what_is_unused_is_credited_and_no_more(self, sale):
        """C1, C4, C15: each invoice within its amount, and what was announced."""
        subscription, final = self.tell(sale)
        lines = subscription.sale_subscription_line_ids
        answers = [
            self.end(subscription, line_ids=part.ids, refund_mode=sale.refund_mode)[1]
            for part in (lines if sale.is_split else [lines])
        ]
        credited = sum(answer["credit_untaxed"] for answer in answers)
        expected = self.get_expected(sale, final)
        # A cent for each line: shares of discounts are rounded, down payments, too.
        slack = 0.01 * (1 + len(final.invoice_line_ids))
        self.assertLess(abs(credited - expected), slack + 1e-6, answers)
        self.check_never_more(subscription.sale_order_id.invoice_ids)
        self.assert_books_fit()

    def get_expected(self, sale, final):
        """Return the unused part of the services, with discounts by tax."""
        items = final.invoice_line_ids.filtered(
            lambda item: item.display_type == "product" and not item.is_downpayment
        )
        whole = sale.refund_mode == "full"
        share = 1 if whole else Fraction(21, 31)
        expected = 0.0
        for alike in items.grouped("tax_ids").values():
            gross = sum(-item.amount_currency for item in alike if item.price_unit > 0)
            net = -sum(alike.mapped("amount_currency"))
            for item in alike.filtered("subscription_line_id"):
                part = -item.amount_currency * (net / gross if gross else 1.0)
                expected += max(part, 0.0) * float(share)
        return floor(expected * 100 + 0.5) / 100

    def check_never_more(self, invoices):
        for invoice in invoices.filtered(lambda move: move.move_type == "out_invoice"):
            memos = invoice.reversal_move_ids
            for name in ("amount_tax", "amount_total"):
                excess = sum(memos.mapped(name)) - invoice[name]
                self.assertLess(excess, 1e-6, f"{name} of {invoice.name}")
