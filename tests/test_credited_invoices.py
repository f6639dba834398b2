# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoices that somebody resets and cancels after they were credited."""

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import INVOICING
from .sales import SalesCase

CREDITED = "is credited by RINV/.*Undo .*CAN/.* first, or post the invoice again"


@tagged("post_install", "-at_install")
class TestCreditedInvoices(SalesCase):
    def assert_not_cancelled(self, invoice, user=None):
        """The invoice may be reset, but not cancelled after that."""
        invoice.with_user(user or self.env.user).button_draft()
        invoice = invoice.with_user(user or self.env.user)
        with self.assertRaisesRegex(UserError, CREDITED):
            invoice.button_cancel()
        invoice.action_post()

    def test_an_invoice_is_not_cancelled_once_it_is_credited(self):
        """C6: 21.00 would be credited of nothing; the refusal names the ways out."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        self.pay(invoice)
        self.cancel(subscription, "2026-07-10")
        accountant = self.create_user(INVOICING, login="accountant")
        for user in (accountant, self.env["res.users"].browse(SUPERUSER_ID)):
            self.assert_not_cancelled(invoice, user)
        self.run_steps(subscription)
        self.assertEqual(self.credit_memos(subscription).amount_total, 21.0)

    def test_nor_through_its_order(self):
        """C6: cancelling an order cancels its drafts."""
        order = self.sell(31.0)
        invoice = self.invoice(order)
        self.end(order.subscription_ids)
        invoice.button_draft()
        with self.assertRaisesRegex(UserError, CREDITED):
            order.action_cancel()
        self.assertEqual((order.state, invoice.state), ("sale", "draft"))
        invoice.action_post()
        self.run_steps(order.subscription_ids)

    def test_nor_one_that_took_the_down_payment(self):
        """C6, C15: the credit is of both invoices, the down payment's too."""
        order = self.sell(31.0)
        paid = self.invoice(order, "percentage", 50.0)
        self.pay(paid)
        self.invoice(order)
        memos, _answer = self.end(order.subscription_ids)
        self.assertIn(paid, memos.reversed_entry_id)
        self.assert_not_cancelled(paid)
        self.run_steps(order.subscription_ids)

    def test_nor_what_a_pause_has_credited(self):
        """C6, F: the pause is named."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        self.travel_to("2026-07-11")
        subscription.action_pause("2026-07-21")
        invoice.button_draft()
        with self.assertRaisesRegex(UserError, "is credited by RINV/.*Undo .* first"):
            invoice.button_cancel()
        invoice.action_post()

    def test_once_the_cancellation_is_undone_it_may_be_cancelled(self):
        """C6, C9: the way out that the refusal names."""
        self.get_default_policy().undo_days = 30
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        subscription.cancellation_ids.action_undo()
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(invoice.state, "cancel")
