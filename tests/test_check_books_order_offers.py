# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker sees by itself what an order was invoiced for after the end (C9)."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import orders

from .books import BooksCase, finds
from .sales import SalesCase


@tagged("post_install", "-at_install")
class TestOrders(SalesCase, BooksCase):
    """31.00 for July by an order that nobody has invoiced; ended on 10 July."""

    def end_order(self, **options):
        """Return the order, ended."""
        order = self.sell(31.0)
        order.action_confirm()
        self.end(order.subscription_ids, **options)
        self.travel_to("2026-07-12")
        return order

    def invoice_in_full(self, order):
        """Let the order forget the end, and press *Create Invoice*."""
        lines = order.order_line
        self.tamper(lines, subscription_end_date=None, qty_to_invoice=1.0)
        return self.invoice(order)

    @finds(orders.DROPPED)
    def test_what_was_dropped_is_invoiced(self):
        """C9: 31.00, of days that the policy gave away."""
        order = self.end_order(unbilled_charges="drop")
        yield
        self.invoice_in_full(order)

    @finds(orders.BEYOND)
    def test_days_after_the_end_are_invoiced(self):
        """C9: the charge of 10.00 is cancelled, and all of July invoiced."""
        order = self.end_order(refund_mode="none")
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        yield
        self.invoice_in_full(order)

    def test_served_days_may_be_invoiced_later(self):
        """C9: as the order offers them."""
        order = self.end_order(refund_mode="none")
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        self.assertEqual(self.invoice(order).amount_total, 10.0)
        self.assert_books_fit()
