# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds what orders, and who changes their invoices, credit twice."""

from itertools import product

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import grounds, invoices, rows

from .books import BooksCase, CreditedCase, finds
from .sales import OrderCreditsCase


@tagged("post_install", "-at_install")
class TestOrders(BooksCase, OrderCreditsCase):
    """C4: an order that was lowered is a credit, whether or not it says of what."""

    @finds(invoices.BEYOND_LINE)
    def test_an_order_lowered_after_its_subscription_has_ended(self):
        """C4: 67.74 and 60.00 of 100.00."""
        order = self.sell_and_pay()
        self.end(order.subscription_ids)
        yield
        self.lower_by_hand(order)

    @finds(rows.WRONG)
    def test_a_credit_that_has_not_seen_the_order_s_own(self):
        """C4: as if the order had credited 50.00 of another day."""
        order = self.sell_and_pay()
        credit_note = self.change(order, 4)
        self.end(order.subscription_ids)
        yield
        item = credit_note.invoice_line_ids
        self.tamper(item, amount_currency=50.0, price_subtotal=50.0)

    def test_a_credit_memo_that_the_order_cancels_later_may_have_counted(self):
        """C4: nobody knows any more; 40.64 are still billed."""
        order = self.sell_and_pay()
        credit_note = self.change(order, 4)
        self.end(order.subscription_ids)
        self.travel_to("2026-07-12")
        credit_note.button_draft()
        credit_note.button_cancel()
        found = [finding.rule for finding in self.check_books().findings]
        self.assertEqual(found, ["coverage"])

    def test_an_order_that_gives_back_the_price_before_its_discount(self):
        """C1, C4: 31.00 of 27.90: the rest of the discount is that of the other line.

        It is taken back with the credit of that line, and never charged.
        """
        for is_alone, percent in product((False, True), (0, 100)):
            with self.subTest(alone=is_alone, paid_before=percent):
                order = self.sell(31.00, 62.00)
                self.discount(order, 10.0)
                if percent:
                    self.invoice(order, "percentage", percent)
                self.invoice(order)
                lowered, other = order.order_line.filtered("subscription_line_id")
                subscription = order.subscription_ids
                if is_alone:
                    ended = other.subscription_line_id.ids
                    self.end(subscription, line_ids=ended, refund_mode="none")
                self.travel_to("2026-07-10")
                lowered.product_uom_qty = 0
                self.invoice(order)
                _memos, answer = self.end(subscription)
                # 62.00 - 9.30 for 21 of 31 days
                self.assertEqual(answer["credit_total"], 0.0 if is_alone else 35.70)
                self.assert_books_fit()

    def test_a_pause_after_that_charges_nothing_of_it(self):
        """C1, B7: 31.00 of 27.90 were given back before."""
        order = self.sell(31.00)
        self.discount(order, 10.0)
        self.invoice(order, "percentage", 50.0)
        self.invoice(order)
        order.order_line.filtered("subscription_line_id").product_uom_qty = 0
        self.invoice(order)
        self.travel_to("2026-07-10")
        order.subscription_ids.action_pause()
        self.assertFalse(order.subscription_ids.pause_ids.credit_note_ids)
        self.assert_books_fit()


@tagged("post_install", "-at_install")
class TestGrounds(CreditedCase):
    """C6: a credit memo is of an invoice that stands."""

    @finds(grounds.CANCELLED)
    def test_an_invoice_cancelled_after_it_was_credited(self):
        """C6."""
        yield
        self.tamper(self.memo.reversed_entry_id, state="cancel")

    @finds(grounds.RESET)
    def test_an_invoice_reset_after_it_was_credited(self):
        """C6: it waits for whoever did that."""
        yield
        self.memo.reversed_entry_id.button_draft()
