# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A copied document is nobody's: it bills no subscription, whoever it is for.

USD 31.00 for July, ended on the 10th: 21.00 are credited.
"""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.subscription_cancellation.books.rules import strangers

from .books import CreditedCase, finds
from .common import INVOICING, CancellationCase

LAST_DAY = "2026-07-10"


@tagged("post_install", "-at_install")
class TestCopiedDocuments(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls.create_customer(name="Azure Interior")
        cls.other = cls.create_customer(name="Deco Addict")
        cls.subscription = cls.create_subscription(partner_id=cls.customer.id)
        cls.invoice = cls.bill(cls.subscription)
        cls.accountant = cls.create_user(INVOICING, login="accountant")

    def duplicate(self, **values):
        """Return what *Duplicate* of the invoice makes, as an accountant."""
        invoice = self.invoice.with_user(self.accountant)
        copy = invoice.copy({"invoice_date": self.invoice.invoice_date, **values})
        return copy.with_env(self.env)

    def assert_nobodys(self, copy):
        self.assertFalse(copy.subscription_id)
        self.assertFalse(copy.invoice_line_ids.subscription_line_id)
        self.assertFalse(copy.invoice_line_ids.mapped("start_date")[0])
        self.assertNotIn(copy, self.subscription._get_invoices())
        self.assertNotIn(copy, self.subscription._get_portal_invoices())

    # === COPIES OF TODAY === #

    def test_copy_for_another_customer_is_neither_credited_nor_refunded(self):
        """C6: what the other customer has paid stays with the company."""
        copy = self.duplicate(partner_id=self.other.id)
        copy.action_post()
        self.pay_online(copy)
        self.pay_online(self.invoice)
        answer = self.cancel(self.subscription, LAST_DAY, credit_settlement="refund")
        self.run_steps(self.subscription)
        self.assertEqual(answer["credit_total"], 21.0)
        self.assertEqual(self.credit_memos(self.subscription).partner_id, self.customer)
        refund = self.steps(self.subscription, "refund").transaction_id
        self.assertEqual(refund.partner_id, self.customer)
        self.assertEqual(copy.payment_state, "paid")
        self.assert_nobodys(copy)

    def test_draft_copy_is_not_cancelled(self):
        """C10: a draft that bills no day of the subscription is left alone."""
        copy = self.duplicate(partner_id=self.other.id)
        answer = self.cancel(self.subscription, LAST_DAY)
        self.assertEqual(copy.state, "draft")
        self.assertNotIn("unbilled", [part["kind"] for part in answer["settlement"]])
        self.assert_nobodys(copy)

    def test_copy_edited_into_something_else_is_not_credited(self):
        """C1: "Repair 80.00" for the same customer is no service by days."""
        copy = self.duplicate()
        copy.invoice_line_ids.write({"name": "Repair", "price_unit": 80.0})
        copy.action_post()
        self.assert_nobodys(copy)
        answer = self.cancel(self.subscription, LAST_DAY)
        self.assertEqual(answer["credit_total"], 21.0)

    def test_copy_of_an_invoice_of_an_order_is_nobodys_even_when_posted(self):
        """C1: its source, which would link it when it is posted, is not copied."""
        order = self.sell(self.customer)
        subscription = order.subscription_ids
        self.invoice = order._create_invoices()
        self.invoice.action_post()
        self.assertTrue(self.invoice.invoice_line_ids.subscription_line_id)
        self.travel_to("2026-08-01")
        copy = self.duplicate(invoice_date="2026-08-01")
        copy.action_post()
        self.assertFalse(copy.invoice_line_ids.subscription_line_id)
        self.assertNotIn(copy, subscription._get_portal_invoices())

    def sell(self, customer):
        """Return a confirmed order that has begun a subscription."""
        product = self.create_product(
            "Ordered", subscription_template_id=self.create_template().id
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                ],
            }
        )
        order.action_confirm()
        return order

    def test_monthly_copies_of_odoo_are_nobodys(self):
        """C1: an invoice that is posted anew every month bills no subscription."""
        self.subscription = self.create_subscription(partner_id=self.customer.id)
        self.invoice = self.bill(self.subscription, post=False)
        self.invoice.write({"auto_post": "monthly"})
        self.invoice.action_post()
        copy = self.env["account.move"].search(
            [
                ("auto_post_origin_id", "=", self.invoice.id),
                ("id", "!=", self.invoice.id),
            ]
        )
        self.assertEqual(copy.state, "draft")
        self.assert_nobodys(copy)

    def test_reverse_and_create_invoice_keeps_the_links(self):
        """C4: the corrected invoice bills the days that the reversed one had."""
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.accountant)
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id})
        )
        action = wizard.modify_moves()
        corrected = self.env["account.move"].browse(action["res_id"])
        line, item = self.invoice.invoice_line_ids, corrected.invoice_line_ids
        self.assertEqual(item.subscription_line_id, line.subscription_line_id)
        self.assertEqual(item.start_date, line.start_date)
        self.assertEqual(corrected.subscription_id, self.subscription)
        corrected.action_post()
        answer = self.cancel(self.subscription, LAST_DAY)
        self.assertEqual(answer["credit_total"], 21.0)
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.reversed_entry_id, corrected)

    # === COPIES FROM BEFORE === #

    def link_as_copies_were(self, copy):
        """Give a copy the links that copies had kept."""
        [line], [item] = self.invoice.invoice_line_ids, copy.invoice_line_ids
        copy.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE account_move_line SET subscription_line_id = %s,"
                " start_date = %s, end_date = %s WHERE id = %s",
                line.subscription_line_id.id,
                line.start_date,
                line.end_date,
                item.id,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE account_move SET subscription_id = %s WHERE id = %s",
                self.subscription.id,
                copy.id,
            )
        )
        self.env.invalidate_all()

    def test_linked_copy_of_another_customer_is_not_touched(self):
        """C6, C10: no credit, no refund, not shown to the customer; it is listed."""
        copy = self.duplicate(partner_id=self.other.id)
        copy.action_post()
        self.pay_online(copy)
        draft = self.duplicate(partner_id=self.other.id)
        self.link_as_copies_were(copy)
        self.link_as_copies_were(draft)
        answer = self.cancel(self.subscription, LAST_DAY, credit_settlement="refund")
        self.run_steps(self.subscription)
        self.assertEqual(answer["credit_total"], 21.0)
        self.assertEqual(self.credit_memos(self.subscription).partner_id, self.customer)
        self.assertFalse(self.steps(self.subscription, "refund"))
        self.assertEqual(draft.state, "draft")
        self.assertNotIn(copy, self.subscription._get_portal_invoices())
        self.assertNotIn(copy, self.subscription._get_invoices())
        action = self.env["account.move.line"].action_view_not_linked()
        listed = self.env["account.move.line"].search(action["domain"])
        self.assertEqual(listed & copy.invoice_line_ids, copy.invoice_line_ids)
        self.assertFalse(listed & self.invoice.invoice_line_ids)

    def test_linked_copy_that_is_open_does_not_end_the_subscription(self):
        """D6, C8: another customer's debt is not the subscription's."""
        policy = self.get_default_policy()
        policy.cancel_overdue_days = 14
        self.pay(self.invoice)
        copy = self.duplicate(partner_id=self.other.id)
        copy.action_post()
        self.link_as_copies_were(copy)
        self.travel_to("2026-07-28")
        overdue = self.env["sale.subscription"]._search_overdue()
        self.assertNotIn(self.subscription, overdue)
        overdue._handle_batch()
        self.assertFalse(self.subscription.cancellation_ids)
        answer = self.subscription.preview_cancellation(unpaid_invoices="collect")
        self.assertNotIn("collect", [part["kind"] for part in answer["settlement"]])

    def test_invoices_of_the_former_customer_are_still_credited(self):
        """C7: who takes a subscription over does not make its invoices strangers'."""
        self.subscription.partner_id = self.other
        answer = self.cancel(self.subscription, LAST_DAY)
        self.assertEqual(answer["credit_total"], 21.0)
        self.assertEqual(self.credit_memos(self.subscription).partner_id, self.customer)


@tagged("post_install", "-at_install")
class TestCheckerKnowsCopies(CreditedCase):
    """C6: the checker knows whose a copied invoice is."""

    @finds(strangers.CREDITED)
    def test_credit_of_a_copy_that_another_customer_got(self):
        """C6."""
        other = self.create_customer(name="Deco Addict")
        copy = self.post(self.invoice.copy({"partner_id": other.id}))
        [item, _other] = copy.invoice_line_ids
        self.tamper(
            item,
            subscription_line_id=self.row.subscription_line_id.id,
            start_date=self.row.period_start,
            end_date=self.row.period_end,
        )
        yield
        self.tamper(self.row, origin_line_id=item.id)
