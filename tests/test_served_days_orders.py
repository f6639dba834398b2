# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Served days without an invoice, where sales orders sold them (C9, C15)."""

from odoo.tests import tagged

from .sales import SalesCase
from .test_served_days import ServedDaysCase


@tagged("post_install", "-at_install")
class TestServedDaysOfOrders(SalesCase, ServedDaysCase):
    def end_order(self, order, day="2026-07-10"):
        """End what the order has sold; return subscription and answer."""
        subscription = order.subscription_ids
        return subscription, ServedDaysCase.end(self, subscription, day)

    def test_the_first_invoice_of_the_order_was_deleted(self):
        """C9: 10 of 31 days are 10.00, and the order has no more to invoice."""
        for post in (False, True):
            order = self.sell(31.0)
            invoice = self.invoice(order, post=post)
            if post:
                invoice.button_draft()
                invoice.button_cancel()
            else:
                invoice.unlink()
            subscription, _answer = self.end_order(order)
            self.assert_charged(subscription, ("2026-07-01", "2026-07-10", 10.0))
            self.assertEqual(order.invoice_status, "invoiced")

    def get_rest(self, order):
        """Return what *Create Invoice* bills after the end, if anything."""
        if order.invoice_status != "to invoice":
            return None
        rest = self.invoice(order)
        return rest.move_type, rest.amount_total

    def test_the_discount_of_the_order_counts(self):
        """C15: 10 of 31 days of 100.00 less 10 % are 29.03, less 25 % 24.19."""
        for percent, off, amount in ((10.0, -3.23, 29.03), (25.0, -8.07, 24.19)):
            order = self.sell(100.0)
            self.discount(order, percent)
            self.invoice(order, post=False).unlink()
            subscription, answer = self.end_order(order)
            self.assertEqual(self.get_unbilled(answer), [("done", amount)])
            invoice = self.steps(subscription, "unbilled").move_id
            self.assertEqual(invoice.amount_untaxed, amount)
            self.assertEqual(
                invoice.invoice_line_ids.mapped("price_subtotal"), [32.26, off]
            )
            self.assertIsNone(self.get_rest(order))
            self.assertEqual(order.invoice_status, "invoiced")

    def test_a_discount_is_shared_with_what_the_order_still_bills(self):
        """C15: the set-up of 50.00 keeps its own part of the discount."""
        for percent, amount, rest in ((50.0, 16.13, 25.0), (10.0, 29.03, 45.0)):
            setup = {"price_unit": 50.0, "is_service": False, "name": "Set-up"}
            order = self.sell(100.0, setup)
            self.discount(order, percent)
            order.action_confirm()
            _subscription, answer = self.end_order(order)
            self.assertEqual(self.get_unbilled(answer), [("done", amount)])
            self.assertEqual(self.get_rest(order), ("out_invoice", rest))
            self.assertEqual(order.invoice_status, "invoiced")

    def test_two_services_share_a_discount(self):
        """C15: 62.00 and 31.00 less 10 % with 20 % tax; one ends after the other."""
        tax = self.create_reported_tax(20.0)
        lines = [
            {"price_unit": price, "taxes": tax, "name": f"Line {price}"}
            for price in (62.0, 31.0)
        ]
        order = self.sell(*lines)
        self.discount(order, 10.0)
        order.action_confirm()
        subscription = order.subscription_ids
        first, second = subscription.sale_subscription_line_ids
        answer = ServedDaysCase.end(
            self, subscription, "2026-07-10", line_ids=first.ids
        )
        self.assertEqual(self.get_unbilled(answer), [("done", 21.6)])
        answer = ServedDaysCase.end(self, subscription, "2026-07-20")
        self.assertEqual(self.get_unbilled(answer), [("done", 21.6)])
        self.assertIsNone(self.get_rest(order))
        self.assertTrue(second)

    def test_the_period_that_was_sold_before_the_last_one(self):
        """C15: July of the order is 90.00, and 10 days of August 32.26."""
        order = self.sell(100.0)
        self.discount(order, 10.0)
        self.invoice(order, post=False).unlink()
        subscription, answer = self.end_order(order, "2026-08-10")
        self.assertEqual(self.get_unbilled(answer), [("done", 122.26)])
        self.assertIsNone(self.get_rest(order))
        self.assertTrue(subscription)

    def test_the_price_of_the_order_counts(self):
        """C9: 31.00 were sold, or 62.00, whatever the price is from August on."""
        for sold, price, amount in ((31.0, 62.0, 10.0), (62.0, 31.0, 20.0)):
            order = self.sell(sold)
            order.action_confirm()
            order.subscription_ids.sale_subscription_line_ids.price_unit = price
            subscription, _answer = self.end_order(order)
            self.assert_charged(subscription, ("2026-07-01", "2026-07-10", amount))

    def test_a_discount_counts_for_days_that_are_charged_after_an_undo(self):
        """C15: 1 to 10 July, and then 11 to 20 July, each 10 of 31 days of 90.00."""
        self.get_default_policy().undo_days = 30
        order = self.sell(100.0)
        self.discount(order, 10.0)
        order.action_confirm()
        subscription, answer = self.end_order(order)
        self.assertEqual(self.get_unbilled(answer), [("done", 29.03)])
        subscription.cancellation_ids.action_undo()
        _subscription, answer = self.end_order(order, "2026-07-20")
        self.assertEqual(self.get_unbilled(answer), [("done", 29.03)])
        self.assertIsNone(self.get_rest(order))

    def test_an_order_that_was_paid_ahead_is_left_to_its_invoice(self):
        """C9, C15: half was paid down; the customer is not charged beside it."""
        order = self.sell(31.0)
        self.pay(self.invoice(order, "percentage", 50.0))
        self.invoice(order, post=False).unlink()
        subscription, answer = self.end_order(order)
        self.assertEqual(self.get_unbilled(answer), [("skipped", 10.0)])
        self.assert_charged(subscription)
        told = " ".join(answer["warnings"])
        for text in ("10.00", order.name, "To be invoiced with"):
            self.assertIn(text, told)

    def test_a_later_invoice_by_an_order_was_cancelled(self):
        """C9: upstream bills August by an order of its own: 10.00."""
        subscription = self.create_subscription(invoicing_mode="sale_and_invoice")
        self.bill(subscription)
        august = self.bill(subscription)
        august.button_draft()
        august.button_cancel()
        ServedDaysCase.end(self, subscription, "2026-08-10")
        self.assert_charged(subscription, ("2026-08-01", "2026-08-10", 10.0))
        orders = subscription.sale_order_ids
        self.assertEqual(set(orders.mapped("invoice_status")), {"invoiced"})
