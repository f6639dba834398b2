# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Drafts that an accountant reviews: however they are posted, each credits its own."""

from odoo import fields
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import INVOICING
from .test_settlement import SettlementCase


class ReviewCase(SettlementCase):
    """Credit memos are left as drafts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.get_default_policy().post_credit_memos = False
        cls.vat = cls.create_tax(19.0)

    def draft(self, subscription, lines=None, **options):
        """End lines, or all, on 10 July; return the new draft credit memo."""
        known = self.credit_memos(subscription)
        if lines:
            options["line_ids"] = lines.ids
        self.cancel(subscription, "2026-07-10", **options)
        return self.credit_memos(subscription) - known


@tagged("post_install", "-at_install")
class TestPostedTogether(ReviewCase):
    """Two drafts of $24.99 for one invoice, one of $249.90 for another customer's.

    21 of 31 days of $31.00 and $310.00, with 19 % tax: $73.78 and $368.90 were billed,
    $23.80 and $119.00 stay due.
    """

    def setUp(self):
        super().setUp()
        first = self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.vat} for _ in range(2)]
        )
        second = self.create_subscription([{"price_unit": 310.0, "taxes": self.vat}])
        self.first_invoice = self.bill(first, "2026-07-01")
        self.second_invoice = self.bill(second, "2026-07-01")
        self.memos = self.draft(first, first.sale_subscription_line_ids[0])
        self.memos += self.draft(first)
        self.memos += self.draft(second)
        self.accountant = self.create_user(INVOICING)

    def assert_posted(self):
        """Each memo has reduced the invoice that it credits, and that one only."""
        self.assertRecordValues(
            self.memos,
            [
                {"state": "posted", "amount_total": total, "amount_residual": 0.0}
                for total in (24.99, 24.99, 249.90)
            ],
        )
        for memo in self.memos:
            self.assertEqual(
                memo.line_ids.matched_debit_ids.debit_move_id.move_id,
                memo.reversed_entry_id,
            )
        invoices = self.first_invoice + self.second_invoice
        self.assertEqual(invoices.mapped("amount_residual"), [23.80, 119.00])

    def test_the_button_of_the_list(self):
        """C12: in the order in which the list shows them, or was sorted."""
        self.memos.with_user(self.accountant).action_post()
        self.assert_posted()

    def test_the_button_of_a_list_that_was_sorted(self):
        """C12: the last one first."""
        self.memos[::-1].with_user(self.accountant).action_post()
        self.assert_posted()

    def test_one_by_one(self):
        """C12: by the button in the row."""
        for memo in self.memos:
            memo.with_user(self.accountant).action_post()
        self.assert_posted()

    def test_the_action_of_invoices(self):
        """C12: Odoo's own Confirm Entries."""
        moves = self.memos.with_user(self.accountant)
        moves.action_validate_moves_with_confirmation()
        self.assert_posted()

    def test_the_wizard(self):
        """C12: Odoo's own dialog, of chosen documents and of a whole journal."""
        wizard = self.env["validate.account.move"].with_user(self.accountant)
        wizard = wizard.with_context(
            active_model="account.move", active_ids=self.memos.ids
        )
        wizard.create({}).validate_move()
        self.assert_posted()

    def test_the_scheduled_action(self):
        """C12: Odoo posts what is due."""
        self.memos.auto_post = "at_date"
        self.travel_to("2026-07-11")
        with self.enter_registry_test_mode():
            self.env.ref("account.ir_cron_auto_post_draft_entry").with_user(
                self.env.ref("base.user_root")
            ).method_direct_trigger()
        self.assert_posted()

    def test_a_call_from_outside(self):
        """C12: as the web client and RPC call it."""
        model = self.env["account.move"].with_user(self.accountant)
        call_kw(model, "action_post", [self.memos.ids], {})
        self.assert_posted()

    def test_together_with_memos_by_hand(self):
        """C12: Odoo's own credit memo of one of the invoices, and of a third one."""
        third = self.init_invoice("out_invoice", amounts=[500.0], post=True)
        by_hand = self.env["account.move"]
        for invoice, price in ((self.first_invoice, 5.0), (third, 100.0)):
            memo = invoice._reverse_moves([{"invoice_date": fields.Date.today()}])
            memo.write(
                {
                    "invoice_line_ids": [
                        Command.delete(line.id) for line in memo.invoice_line_ids[1:]
                    ]
                }
            )
            memo.invoice_line_ids.write({"price_unit": price, "tax_ids": False})
            by_hand += memo
        moves = by_hand[0] + self.memos + by_hand[1]
        moves.with_user(self.accountant).action_post()
        self.assertEqual(moves.mapped("amount_residual"), [0.0] * 5)
        invoices = self.first_invoice + self.second_invoice + third
        self.assertEqual(invoices.mapped("amount_residual"), [18.80, 119.00, 400.00])

    def test_together_with_other_documents(self):
        """C12: refunds of vendors, which Odoo posts with the same call."""
        bills, refunds = self.env["account.move"], self.env["account.move"]
        for total in (100.0, 200.0):
            bill = self.init_invoice("in_invoice", amounts=[total], post=True)
            bills += bill
            for _number in range(2):
                refund = bill._reverse_moves([{"invoice_date": fields.Date.today()}])
                refund.invoice_line_ids.price_unit = total / 10
                refunds += refund
        (refunds + self.memos).action_post()
        self.assertEqual(set(refunds.mapped("amount_residual")), {0.0})
        self.assertEqual(bills.mapped("amount_residual"), [80.0, 160.0])
        self.assert_posted()


@tagged("post_install", "-at_install")
class TestOvertakenDrafts(ReviewCase):
    """$21 of $31 are drafted; what happens before they are posted."""

    def take_off(self, payment):
        """Take a payment off its invoice, as an accountant does."""
        for partial in payment.move_id.line_ids.matched_debit_ids:
            invoice = partial.debit_move_id.move_id
            invoice.js_remove_outstanding_partial(partial.id)

    def post_and_look(self):
        """Post the draft; the checker fits before and after the steps are taken."""
        memo = self.credit_memos(self.subscription)
        memo.with_user(self.create_user(INVOICING)).action_post()
        return self.look()

    def look(self):
        """The same, where the checker fits before, too."""
        self.assert_books_fit()
        return self.run_and_tell()

    def run_and_tell(self):
        """Return what the steps tell when they were taken."""
        steps = self.run_steps(self.subscription)
        steps = steps.filtered(lambda step: step.kind != "confirm")
        return self.values(steps.sorted(lambda step: (step.sequence, step.id)))

    def test_the_payment_is_taken_off_before_a_refund(self):
        """C12, C6: the invoice is due again, so that nothing is given back."""
        payment = self.pay(self.invoice)
        self.draft(self.subscription, credit_settlement="refund")
        self.take_off(payment)
        self.assertEqual(
            self.post_and_look(), [("reduce", "done", 21.0), ("refund", "skipped", 0.0)]
        )
        self.assertEqual(self.invoice.amount_residual, 10.0)
        refund = self.steps(self.subscription, "refund")
        self.assertIn(f"reduces invoice {self.invoice.name}", refund.note)

    def test_the_steps_were_looked_at_before(self):
        """C12, C6: they wait for the draft."""
        payment = self.pay(self.invoice)
        self.draft(self.subscription, credit_settlement="refund")
        self.run_steps(self.subscription)
        self.take_off(payment)
        self.run_steps(self.subscription)
        self.assertEqual(
            self.post_and_look(), [("reduce", "done", 21.0), ("refund", "skipped", 0.0)]
        )

    def test_a_card_payment_is_cancelled(self):
        """C12, C6: nothing goes back to the card."""
        paid = self.pay_online(self.invoice)
        self.draft(self.subscription, credit_settlement="refund")
        paid.payment_id.action_draft()
        paid.payment_id.action_cancel()
        self.assertEqual(
            self.post_and_look(), [("reduce", "done", 21.0), ("refund", "skipped", 0.0)]
        )
        self.assertFalse(paid.child_transaction_ids)

    def test_the_payment_is_taken_off_before_it_is_kept(self):
        """C12, C6: there is no credit to keep."""
        payment = self.pay(self.invoice)
        self.draft(self.subscription)
        self.take_off(payment)
        self.assertEqual(
            self.post_and_look(), [("reduce", "done", 21.0), ("keep", "skipped", 0.0)]
        )

    def test_a_part_of_the_payments_is_taken_off(self):
        """C12, C6: 20 of 31 stay paid, 11 are due; 10 are given back."""
        self.pay(self.invoice, 20.0)
        late = self.pay(self.invoice)
        self.draft(self.subscription, credit_settlement="refund")
        self.take_off(late)
        self.assertEqual(
            self.post_and_look(),
            [("reduce", "done", 11.0), ("refund", "pending", 10.0)],
        )

    def test_a_part_of_the_payments_is_taken_off_what_is_kept(self):
        """C12, C6: 11 reduce the invoice, 10 are kept."""
        self.pay(self.invoice, 20.0)
        late = self.pay(self.invoice)
        self.draft(self.subscription)
        self.take_off(late)
        self.assertEqual(
            self.post_and_look(), [("reduce", "done", 11.0), ("keep", "done", 10.0)]
        )

    def test_credits_were_to_pay_another_invoice(self):
        """C12, C7: the own invoice comes first."""
        payment = self.pay(self.invoice)
        self.init_invoice(
            "out_invoice", partner=self.partner, amounts=[100.0], post=True
        )
        self.draft(self.subscription, apply_credits=True)
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(
            self.post_and_look(),
            [("reduce", "done", 21.0), ("apply_credits", "skipped", 0.0)],
        )

    def test_the_invoice_is_a_draft_again(self):
        """C12, C5: an accountant posts both at once; 10 of the invoice stay due."""
        memo = self.draft(self.subscription)
        self.invoice.button_draft()
        (memo + self.invoice).with_user(self.create_user(INVOICING)).action_post()
        self.assertEqual(
            self.run_and_tell(), [("reduce", "done", 21.0), ("keep", "done", 10.0)]
        )
        self.assertEqual(self.invoice.amount_residual, 10.0)

    def test_with_tax(self):
        """C12, C11: $24.99 of $36.89."""
        subscription = self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.vat}]
        )
        self.subscription, invoice = subscription, self.bill(subscription, "2026-07-01")
        payment = self.pay(invoice)
        self.draft(subscription, credit_settlement="refund")
        self.take_off(payment)
        self.assertEqual(
            self.post_and_look(),
            [("reduce", "done", 24.99), ("refund", "skipped", 0.0)],
        )

    def test_a_memo_that_was_posted_before(self):
        """C12, C6: kept, then a draft again, while the payment is taken off."""
        payment = self.pay(self.invoice)
        memo = self.draft(self.subscription)
        self.assertEqual(self.post_and_look(), [("keep", "done", 21.0)])
        memo.button_draft()
        self.take_off(payment)
        memo.action_post()
        self.assertEqual(
            self.look(), [("reduce", "done", 21.0), ("keep", "skipped", 0.0)]
        )
        memo.button_draft()
        memo.line_ids.remove_move_reconcile()
        self.pay(self.invoice)
        memo.action_post()
        self.assertEqual(
            self.look(),
            [
                ("reduce", "skipped", 0.0),
                ("keep", "skipped", 0.0),
                ("keep", "done", 21.0),
            ],
        )
