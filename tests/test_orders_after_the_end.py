# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an order still bills of a subscription that has ended (C9).

31.00 for July, sold by an order that nobody has invoiced; ended on 10 July.
"""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .sales import SalesCase

LATER = "2026-07-12"


@tagged("post_install", "-at_install")
class TestOrdersAfterTheEnd(SalesCase):
    def confirm(self, *lines, **values):
        """Return a confirmed order of these lines, and its subscription."""
        order = self.sell(*(lines or (31.0,)), **values)
        order.action_confirm()
        return order, order.subscription_ids

    def assert_nothing_offered(self, order):
        """*Create Invoice* has nothing to invoice, and the order says that."""
        self.assertNotEqual(order.invoice_status, "to invoice")
        self.assertNotIn("to invoice", order.order_line.mapped("invoice_status"))
        with self.assertRaises(UserError):
            self.invoice(order)

    def assert_billed(self, invoice, *expected):
        """These are the service lines of an invoice: first and last day, amount."""
        self.assertEqual(invoice.state, "posted")
        found = [
            (str(item.start_date), str(item.end_date), round(item.price_subtotal, 2))
            for item in invoice.invoice_line_ids
            if item.subscription_line_id
        ]
        self.assertEqual(found, list(expected))

    def reverse(self, invoice):
        """Press *Credit Note* on an invoice, and post it."""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create({"journal_id": invoice.journal_id.id}).reverse_moves()
        invoice.reversal_move_ids.action_post()

    def sell_delivered(self, ordered=10, delivered=4, **values):
        """Return an order of units at 10.00 that are invoiced as they are delivered."""
        order = self.sell({"price_unit": 10.0, "product_uom_qty": ordered, **values})
        order.order_line.product_id.invoice_policy = "delivery"
        order.action_confirm()
        order.order_line.qty_delivered = delivered
        return order, order.subscription_ids

    # === NEVER INVOICED === #

    def test_what_was_charged_is_not_offered_again(self):
        """C9: 10 of 31 days are 10.00, once."""
        order, subscription = self.confirm()
        self.end(subscription)
        self.assertEqual(order.invoice_ids.mapped("amount_total"), [10.0])
        self.travel_to(LATER)
        self.assert_nothing_offered(order)

    def test_what_was_dropped_is_not_offered(self):
        """C9: the policy gives the served days away."""
        order, subscription = self.confirm()
        self.end(subscription, unbilled_charges="drop")
        self.travel_to(LATER)
        self.assert_nothing_offered(order)
        self.assertFalse(order.invoice_ids)

    def test_a_charge_that_was_cancelled_is_offered_to_the_day(self):
        """C9: an accountant resets and cancels the charge, and invoices the order."""
        order, subscription = self.confirm()
        self.end(subscription)
        order.invoice_ids.button_draft()
        order.invoice_ids.button_cancel()
        self.travel_to(LATER)
        invoice = self.invoice(order)
        self.assert_billed(invoice, ("2026-07-01", "2026-07-10", 10.0))
        self.assert_nothing_offered(order)

    def test_what_had_not_begun_is_not_offered(self):
        """C9: ended before the first day was served."""
        order, subscription = self.confirm()
        self.end(subscription, "2026-07-01", cancel_day_billed=False)
        self.assert_nothing_offered(order)

    def test_what_else_is_on_the_order_is_invoiced(self):
        """C9, C15: the set-up of 50.00 less its own tenth; the service was dropped."""
        setup = {"price_unit": 50.0, "is_service": False, "name": "Set-up"}
        order = self.sell(100.0, setup)
        self.discount(order, 10.0)
        order.action_confirm()
        self.end(order.subscription_ids, unbilled_charges="drop")
        self.travel_to(LATER)
        self.assertEqual(self.invoice(order).amount_total, 45.0)
        self.assert_nothing_offered(order)

    def test_a_discount_of_what_was_dropped_is_not_offered(self):
        """C15: there is no invoice, nor credit note, of a discount alone."""
        for kind, amount in (("so_discount", 10.0), ("amount", 5.0)):
            order = self.sell(100.0)
            self.discount(order, amount, kind)
            order.action_confirm()
            self.end(order.subscription_ids, unbilled_charges="drop")
            self.assert_nothing_offered(order)

    def test_one_of_two_services_ends(self):
        """C9, C15: 62.00 go on, 31.00 were dropped, both less 10 %."""
        order, subscription = self.confirm(
            {"price_unit": 62.0, "name": "Stays"}, {"price_unit": 31.0, "name": "Ends"}
        )
        self.discount(order, 10.0)
        line = self.get_line(subscription, "Ends")
        self.end(subscription, line_ids=line.ids, unbilled_charges="drop")
        self.travel_to(LATER)
        self.assertEqual(self.invoice(order).amount_total, 55.8)
        self.assert_nothing_offered(order)

    # === DRAFTS === #

    def test_a_draft_of_the_order_that_was_dropped_is_not_offered_again(self):
        """C9: the draft is cancelled, and with it what the order has to invoice."""
        order, subscription = self.confirm()
        draft = self.invoice(order, post=False)
        self.end(subscription, unbilled_charges="drop")
        self.assertEqual(draft.state, "cancel")
        self.travel_to(LATER)
        self.assert_nothing_offered(order)

    def test_a_draft_of_the_order_is_invoiced_to_the_day(self):
        """C9: 10.00 instead of 31.00, and nothing more."""
        order, subscription = self.confirm()
        draft = self.invoice(order, post=False)
        self.end(subscription)
        self.assert_billed(
            order.invoice_ids - draft, ("2026-07-01", "2026-07-10", 10.0)
        )
        self.travel_to(LATER)
        self.assert_nothing_offered(order)

    # === DELIVERED LATER === #

    def test_what_is_delivered_after_the_end_is_billed_to_the_day(self):
        """C9: 4 × 10.00 less 27.10; 6 × 10.00 for 10 of 31 days are 19.35."""
        order, subscription = self.sell_delivered()
        self.assertEqual(self.invoice(order).amount_total, 40.0)
        _memo, answer = self.end(subscription)
        self.assertEqual(answer["credit_total"], 27.1)
        order.order_line.qty_delivered = 10
        self.travel_to(LATER)
        invoice = self.invoice(order)
        self.assert_billed(invoice, ("2026-07-01", "2026-07-10", 19.35))
        self.assert_nothing_offered(order)

    def test_what_is_delivered_and_not_invoiced_is_charged(self):
        """C9: 4 × 10.00 for 10 of 31 days are 12.90; nothing else was delivered."""
        order, subscription = self.sell_delivered()
        self.end(subscription)
        self.assert_billed(order.invoice_ids, ("2026-07-01", "2026-07-10", 12.9))
        order.order_line.qty_delivered = 10
        self.travel_to(LATER)
        self.assert_billed(self.invoice(order), ("2026-07-01", "2026-07-10", 19.35))
        self.assert_nothing_offered(order)

    def test_nothing_is_charged_of_what_was_never_delivered(self):
        """C9: as Odoo, which would not invoice it."""
        order, subscription = self.sell_delivered(delivered=0)
        _memo, answer = self.end(subscription)
        self.assertFalse(order.invoice_ids)
        self.assertFalse([one for one in answer["settlement"] if one["amount"]])
        self.assert_nothing_offered(order)

    def test_taxes_per_unit_are_billed_to_the_day(self):
        """C9, C11: 6 × 10.00 and 6 × 3.10 of a fixed tax: 19.35 and 6.00."""
        tax = self.create_reported_tax(3.1, amount_type="fixed")
        order, subscription = self.sell_delivered(taxes=tax)
        self.invoice(order)
        self.end(subscription)
        order.order_line.qty_delivered = 10
        self.travel_to(LATER)
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_untaxed, 19.35)
        self.assertEqual(invoice.amount_tax, 6.0)

    # === REVERSED BY HAND === #

    def test_what_was_reversed_by_hand_is_invoiced_again_to_the_day(self):
        """C9: reversed, ended on the 11th, invoiced again: 11.00."""
        order, subscription = self.confirm()
        self.reverse(self.invoice(order))
        self.end(subscription, "2026-07-11")
        self.travel_to(LATER)
        invoice = self.invoice(order)
        self.assert_billed(invoice, ("2026-07-01", "2026-07-11", 11.0))
        self.assert_nothing_offered(order)

    # === UNDO === #

    def test_an_undo_brings_the_offer_back(self):
        """B15: what was dropped is to be invoiced again: 31.00."""
        self.get_default_policy().undo_days = 30
        order, subscription = self.confirm()
        self.end(subscription, unbilled_charges="drop")
        subscription.cancellation_ids.action_undo()
        self.travel_to(LATER)
        self.assertEqual(order.invoice_status, "to invoice")
        invoice = self.invoice(order)
        self.assert_billed(invoice, ("2026-07-01", "2026-07-31", 31.0))

    def test_an_undo_brings_the_rest_of_a_charge_back(self):
        """B15: 10.00 were charged; the other 21 days are 21.00, once."""
        self.get_default_policy().undo_days = 30
        order, subscription = self.confirm()
        self.end(subscription)
        subscription.cancellation_ids.action_undo()
        self.travel_to(LATER)
        known = order.invoice_ids
        invoice = self.invoice(order)
        self.assert_billed(invoice, ("2026-07-11", "2026-07-31", 21.0))
        self.assertEqual(known.amount_total, 10.0)
        self.assert_nothing_offered(order)
        _memo, answer = self.end(subscription, "2026-07-20")
        self.assertEqual(answer["credit_total"], 11.0)
        self.assert_nothing_offered(order)

    def test_an_undo_brings_the_rest_of_a_discount_back(self):
        """B15, C15: of 100.00 less 10 %, 29.03 were charged; 60.97 are left."""
        self.get_default_policy().undo_days = 30
        order = self.sell(100.0)
        self.discount(order, 10.0)
        order.action_confirm()
        self.end(order.subscription_ids)
        order.subscription_ids.cancellation_ids.action_undo()
        self.travel_to(LATER)
        self.assertEqual(self.invoice(order).amount_total, 60.97)
        self.assert_nothing_offered(order)

    # === PAUSED DAYS === #

    def test_paused_days_are_not_offered(self):
        """C9, B9: paused from the 4th to the 6th: 7 of 31 days."""
        order, subscription = self.confirm()
        self.travel_to("2026-07-04")
        subscription.action_pause("2026-07-07")
        self.travel_to("2026-07-07")
        subscription.action_resume()
        self.end(subscription)
        total = sum(order.invoice_ids.mapped("amount_total"))
        self.assertEqual(total, 7.0)
        self.travel_to(LATER)
        self.assert_nothing_offered(order)

    # === THE ORDER SAYS SO === #

    def test_the_order_says_what_is_left_to_invoice(self):
        """C9: on its form and in its history."""
        order, subscription = self.confirm()
        self.end(subscription, unbilled_charges="drop")
        for text in (order.subscription_end_note, order.message_ids[:1].body):
            self.assertIn(subscription.display_name, text)
            self.assertIn("July 10, 2026", text)
            self.assertIn("Nothing", text)
