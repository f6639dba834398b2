# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A refund that an accountant made is done, however it was registered (C6, E4)."""

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .test_settlement import SettlementCase

REFUND = {"credit_settlement": "refund"}


class ByHandCase(SettlementCase):
    """$31 were paid by bank for July, of which $21 are to be given back by hand."""

    def setUp(self):
        super().setUp()
        self.bank = self.company_data["default_journal_bank"]
        self.payment = self.pay(self.invoice)
        self.cancel(self.subscription, **REFUND)
        self.run_steps(self.subscription)
        self.memo = self.credit_memos(self.subscription)
        self.step = self.steps(self.subscription, "refund")
        self.assertEqual(self.values(self.step), [("refund", "pending", 21.0)])

    def get_receivable(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )

    def match_statement(self, amount, document=None):
        """Match a line of the bank statement with a document, as a person does."""
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": fields.Date.today(),
                "payment_ref": "Back to Azure",
                "partner_id": self.partner.id,
                "amount": amount,
            }
        )
        item = self.get_receivable(document or self.memo)
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = item.account_id
        (suspense | item).reconcile()
        return line

    def book_entry(self, amount, account):
        """Take an amount off the credit memo by a journal entry on an account."""
        item = self.get_receivable(self.memo)
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": item_account.id,
                            "partner_id": self.partner.id,
                            "balance": balance,
                        }
                    )
                    for item_account, balance in (
                        (item.account_id, amount),
                        (account, -amount),
                    )
                ],
            }
        )
        entry.action_post()
        (self.get_receivable(entry) | item).reconcile()
        return entry

    def assert_settled(self, *expected):
        """What follows is this, and the analysis shows the refunds of it."""
        steps = self.run_steps(self.subscription).filtered("amount")
        self.assertCountEqual(self.values(steps), expected)
        refunded = sum(
            amount
            for kind, state, amount in expected
            if (kind, state) == ("refund", "done")
        )
        lines = self.subscription.cancellation_ids.line_ids
        self.assertEqual(sum(lines.mapped("refunded")), refunded)


@tagged("post_install", "-at_install")
class TestRefundByHand(ByHandCase):
    def test_matched_on_the_bank_statement(self):
        """C6, E4: one line of −21.00."""
        line = self.match_statement(-21.0)
        self.assert_settled(("refund", "done", 21.0))
        self.assertEqual(self.step.note, f"Paid back by {line.move_id.name}.")

    def test_matched_in_several_lines(self):
        """C6, E4: 8.00, and 13.00 later; until then 13.00 are asked for."""
        self.match_statement(-8.0)
        self.run_steps(self.subscription)
        self.assertEqual(self.step.state, "pending")
        self.assertIn("13.00", self.step.note)
        self.match_statement(-13.0)
        self.assert_settled(("refund", "done", 21.0))

    def test_booked_by_a_journal_entry(self):
        """C6, E4: on the bank, or on its account for what is on the way."""
        outstanding = self.bank.outbound_payment_method_line_ids.payment_account_id
        self.book_entry(8.0, self.bank.default_account_id)
        self.book_entry(13.0, outstanding[:1])
        self.assert_settled(("refund", "done", 21.0))

    def test_in_all_ways_at_once(self):
        """C6, E4: a payment, a line of the statement and a journal entry."""
        self.pay(self.memo, 5.0)
        self.match_statement(-6.0)
        self.book_entry(10.0, self.bank.default_account_id)
        self.assert_settled(("refund", "done", 21.0))

    def test_a_payment_without_a_journal_entry(self):
        """C6, E4: done when it is registered, and still when the bank tells."""
        lines = self.payment.journal_id.outbound_payment_method_line_ids
        lines.payment_account_id = False
        # Without Odoo's accounting app each payment has a journal entry.
        self.patch(
            type(self.memo), "_get_invoice_in_payment_state", lambda _: "in_payment"
        )
        payment = self.pay(self.memo)
        self.assertFalse(payment.move_id)
        self.assert_settled(("refund", "done", 21.0))
        self.assertEqual(self.step.payment_id, payment)
        self.match_statement(-21.0)
        self.assert_settled(("refund", "done", 21.0))

    def test_written_off_by_an_entry(self):
        """C6, E4: what is taken off the credit as income was not paid to anybody."""
        income = self.company_data["default_account_revenue"]
        self.book_entry(21.0, income)
        self.assert_settled()
        self.assertEqual(self.step.state, "skipped")

    def test_used_for_another_invoice(self):
        """C6, E4: a credit that pays something else is not paid back."""
        other = self.init_invoice(
            "out_invoice", partner=self.partner, amounts=[100.0], post=True
        )
        (self.get_receivable(other) | self.get_receivable(self.memo)).reconcile()
        self.assert_settled()
        self.assertEqual(self.step.state, "skipped")


@tagged("post_install", "-at_install")
class TestBankReturn(ByHandCase):
    """The bank takes the customer's payment back while the refund waits."""

    def take_off(self):
        self.payment.move_id.line_ids.remove_move_reconcile()

    def test_nothing_was_paid_back_yet(self):
        """C6: the credit memo reduces the invoice, which is due again."""
        self.take_off()
        self.assert_settled(("reduce", "done", 21.0))
        self.assertEqual(self.invoice.amount_residual, 10.0)
        self.assertRecordValues(self.step, [{"state": "skipped", "amount": 0.0}])

    def test_the_payment_is_rejected(self):
        """C6: by the button of the payment."""
        self.payment.action_draft()
        self.payment.action_cancel()
        self.assert_settled(("reduce", "done", 21.0))

    def test_an_accountant_was_faster(self):
        """C6: the credit memo was matched with the invoice by hand."""
        self.take_off()
        items = self.get_receivable(self.memo) | self.get_receivable(self.invoice)
        items.reconcile()
        self.assert_settled(("reduce", "done", 21.0))

    def test_a_part_was_paid_back(self):
        """C6: 8 are gone, 13 of 31 are taken off the invoice."""
        self.match_statement(-8.0)
        self.run_steps(self.subscription)
        self.take_off()
        self.assert_settled(("reduce", "done", 13.0), ("refund", "done", 8.0))
        self.assertEqual(self.invoice.amount_residual, 18.0)

    def test_only_a_part_is_due_again(self):
        """C6: 25 of 31 come in after all; 15 are given back by hand."""
        self.take_off()
        self.pay(self.invoice, 25.0)
        self.assert_settled(("reduce", "done", 6.0), ("refund", "pending", 15.0))
        self.pay(self.memo)
        self.assert_settled(("reduce", "done", 6.0), ("refund", "done", 15.0))

    def test_the_customer_pays_once_more(self):
        """C6: as long as nobody has looked at it, the refund waits as before."""
        self.take_off()
        self.pay(self.invoice)
        self.assert_settled(("refund", "pending", 21.0))

    def test_all_was_paid_back(self):
        """C6: what is done stays done, and the invoice is due."""
        self.match_statement(-21.0)
        self.assert_settled(("refund", "done", 21.0))
        self.take_off()
        self.assert_settled(("refund", "done", 21.0))
        self.assertEqual(self.invoice.amount_residual, 31.0)
