# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an order says of its invoices once days of them are credited."""

import importlib.util

from odoo.tests import tagged
from odoo.tools.misc import file_path

from .sales import OrderCreditsCase


@tagged("post_install", "-at_install")
class TestOrderAmounts(OrderCreditsCase):
    def assert_order(self, order, untaxed, total=None):
        """So much is invoiced, and nothing is left to invoice."""
        total = untaxed if total is None else total
        lines = order.order_line.filtered(lambda line: not line.is_downpayment)
        found = (
            round(sum(order.order_line.mapped("untaxed_amount_invoiced")), 2),
            round(order.amount_invoiced, 2),
            round(sum(order.order_line.mapped("untaxed_amount_to_invoice")), 2),
            round(order.amount_to_invoice, 2),
        )
        self.assertEqual(found, (untaxed, total, 0.0, 0.0))
        self.assertEqual(order.invoice_status, "invoiced")
        for line in lines:
            self.assertEqual(line.qty_invoiced, line.product_uom_qty)
            self.assertEqual(line.qty_to_invoice, 0.0)

    def test_the_credit_memo_keeps_who_sold_and_why(self):
        """A7, C11: as Odoo's own credit note of the same invoice does."""
        order = self.sell(31.0)
        invoice = self.invoice(order, post=False)
        values = {
            "team_id": self.env["crm.team"].create({"name": "North"}).id,
            "campaign_id": self.env["utm.campaign"].create({"name": "Summer"}).id,
            "source_id": self.env["utm.source"].create({"name": "Fair"}).id,
            "medium_id": self.env["utm.medium"].create({"name": "Stand"}).id,
            "narration": "<p>Payable in Euclid.</p>",
        }
        invoice.write(dict(values))
        invoice.action_post()
        memo, _answer = self.end(order.subscription_ids)
        own = invoice._reverse_moves()
        for name in values:
            self.assertEqual(memo[name], invoice[name], name)
            self.assertEqual(memo[name], own[name], name)
        # Two credit memos of the same days: only one of them is meant.
        own.unlink()

    def test_the_credit_memo_is_an_invoice_of_the_order(self):
        """A7: 10.00 of 31.00 stay invoiced, and nothing is to be."""
        order = self.sell({"price_unit": 31.0, "taxes": self.tax})
        invoice = self.invoice(order)
        self.assert_order(order, 31.0, 34.1)
        memo, _answer = self.end(order.subscription_ids)
        self.assertEqual(order.invoice_ids, invoice | memo)
        self.assertEqual(order.invoice_count, 2)
        self.assert_order(order, 10.0, 11.0)

    def test_of_a_full_refund_nothing_is_invoiced_again(self):
        """A7."""
        order = self.sell(31.0)
        self.invoice(order)
        self.end(order.subscription_ids, refund_mode="full")
        self.assert_order(order, 0.0)

    def test_discounts_of_the_order_are_credited_with_it(self):
        """A7, C15: 31.00 − 3.10 = 27.90; 9.00 stay, 10.00 less 1.00."""
        order = self.sell(31.0)
        self.discount(order, 10.0)
        self.invoice(order)
        self.end(order.subscription_ids)
        self.assert_order(order, 9.0)
        amounts = order.order_line.mapped("untaxed_amount_invoiced")
        self.assertEqual([round(amount, 2) for amount in amounts], [10.0, -1.0])

    def test_a_discount_of_the_line(self):
        """A7, C15: 62.00 less 50 %."""
        order = self.sell({"price_unit": 62.0, "discount": 50.0})
        self.invoice(order)
        self.end(order.subscription_ids)
        self.assert_order(order, 10.0)

    def test_down_payments(self):
        """A7, C15: 15.50 were paid before; 10.00 stay of both."""
        order = self.sell(31.0)
        self.pay(self.invoice(order, "percentage", 50.0))
        self.invoice(order)
        memos, _answer = self.end(order.subscription_ids)
        self.assertFalse(memos - order.invoice_ids)
        self.assert_order(order, 10.0)

    def test_an_undone_cancellation_leaves_all_invoiced(self):
        """A7, C9: and ended again, the same."""
        self.get_default_policy().undo_days = 30
        order = self.sell(31.0)
        self.invoice(order)
        for _attempt in range(2):
            self.end(order.subscription_ids)
            self.assert_order(order, 10.0)
            order.subscription_ids.cancellation_ids.filtered(
                lambda cancellation: not cancellation.reactivated_date
            ).action_undo()
            self.assert_order(order, 31.0)

    def test_a_pause_credits_of_the_order_too(self):
        """A7, F: ten days of July."""
        order = self.sell(31.0)
        self.invoice(order)
        self.travel_to("2026-07-11")
        order.subscription_ids.action_pause("2026-07-21")
        self.assert_order(order, 21.0)

    def test_an_order_lowered_first_counts_by_quantity(self):
        """A7, C4: 100.00 − 60.00 − 27.10."""
        order = self.sell_and_pay()
        self.change(order, 4)
        self.end(order.subscription_ids)
        self.assert_order(order, 12.9)

    def test_reversed_by_hand_it_is_to_be_invoiced_again(self):
        """A7: what Odoo makes of its own credit notes stays so."""
        order = self.sell(31.0)
        invoice = self.invoice(order)
        invoice._reverse_moves(cancel=True)
        self.assertEqual(order.order_line.qty_to_invoice, 1.0)
        self.assertEqual(order.amount_to_invoice, 31.0)

    def test_credit_memos_of_older_versions_are_linked_by_the_upgrade(self):
        """A7: amounts are those of a credit memo that is made today."""
        order = self.sell(31.0)
        invoice = self.invoice(order)
        memo, _answer = self.end(order.subscription_ids)
        # What an older version left: written behind the back of Odoo.
        memo.invoice_line_ids.sudo().sale_line_ids = False
        self.assert_order(order, 31.0)
        path = "subscription_cancellation/migrations/19.0.1.4.0/post-order_links.py"
        spec = importlib.util.spec_from_file_location("migration", file_path(path))
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        for _attempt in range(2):
            script.migrate(self.env.cr, "19.0.1.3.0")
        self.env.invalidate_all()
        self.assertEqual(order.invoice_ids, invoice | memo)
        self.assert_order(order, 10.0)
