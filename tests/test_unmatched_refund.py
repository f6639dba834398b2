# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Money that somebody gave back and matched with nothing is not given back twice."""

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .payments import PaymentCase


@tagged("post_install", "-at_install")
class TestUnmatchedRefund(PaymentCase):
    """$31 were paid and $20 went back; ended on 10 July, $10 were served."""

    # === WHAT PEOPLE DO === #

    def pay_out(self, amount=20.0, partner=None):
        """Enter an outgoing customer payment under Payments."""
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": (partner or self.partner).id,
                "amount": amount,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return payment

    def book_statement(self, amount=-20.0):
        """Book a line of the bank statement on what the customer owes."""
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": fields.Date.today(),
                "payment_ref": "Back to Azure",
                "partner_id": self.partner.id,
                "amount": amount,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = self.get_receivable(self.invoice).account_id
        return line

    def book_entry(self, account):
        """Book $20 that the customer owes by a journal entry on an account."""
        owed = self.get_receivable(self.invoice).account_id
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": one.id,
                            "partner_id": self.partner.id,
                            "balance": balance,
                        }
                    )
                    for one, balance in ((owed, 20.0), (account, -20.0))
                ],
            }
        )
        entry.action_post()
        return entry

    def get_receivable(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )

    def match(self, *moves):
        self.get_receivable(self.env["account.move"].union(*moves)).reconcile()

    # === WHAT COMES OF IT === #

    def assert_asks(self, paid, move):
        """Nothing is sent; somebody is asked to match what names it."""
        step = self.steps(self.subscription, "refund")
        self.assertEqual(self.get_sent(paid), 0.0)
        self.assertEqual(step.state, "pending")
        self.assertIn(move.name, step.note)
        self.assertIn("20.00", step.note)
        self.assertIn(self.credit_memos(self.subscription).name, step.note)
        self.assertIn(move.name, step.cancellation_id.activity_ids.note)
        self.assertEqual(step.cancellation_id.settlement_state, "failed")

    def assert_rest_is_sent(self, paid, move):
        """Matched with the credit memo, $20 are given back, and $1 is sent."""
        self.match(move, self.credit_memos(self.subscription))
        self.take_steps()
        self.assertEqual(self.get_sent(paid), 1.0)
        self.assert_steps(("refund", "done", 20.0), ("refund", "done", 1.0))
        cancellation = self.subscription.cancellation_ids
        self.assertFalse(cancellation.activity_ids)
        self.assertEqual(cancellation.settlement_state, "done")
        self.assert_owes(0.0)

    def test_an_outgoing_payment(self):
        """C6: by Odoo's form for payments: $20 of $31, so that $1 is left."""
        paid = self.pay_online(self.invoice)
        payment = self.pay_out()
        self.end()
        self.assert_asks(paid, payment.move_id)
        self.assert_rest_is_sent(paid, payment.move_id)
        by_hand = self.steps(self.subscription, "refund").filtered(
            lambda step: step.amount == 20.0
        )
        self.assertEqual(by_hand.payment_id, payment)
        self.assertEqual(by_hand.note, f"Paid back by {payment.name}.")

    def test_a_line_of_the_bank_statement(self):
        """C6: −20.00 booked on what the customer owes."""
        paid = self.pay_online(self.invoice)
        line = self.book_statement()
        self.end()
        self.assert_asks(paid, line.move_id)
        self.assert_rest_is_sent(paid, line.move_id)

    def test_a_journal_entry_on_the_bank(self):
        """C6: the bank's account against what the customer owes."""
        paid = self.pay_online(self.invoice)
        bank = self.company_data["default_journal_bank"].default_account_id
        entry = self.book_entry(bank)
        self.end()
        self.assert_asks(paid, entry)
        self.assert_rest_is_sent(paid, entry)

    def test_it_is_entered_while_the_refund_waits(self):
        """C6: the provider refused, and an accountant helped."""
        paid = self.pay_online(self.invoice)
        self.end_refused()
        payment = self.pay_out()
        self.take_steps("2026-07-10 00:06:00")
        self.assert_asks(paid, payment.move_id)
        self.assert_rest_is_sent(paid, payment.move_id)

    def test_it_was_for_something_else(self):
        """C6: the $20 were paid too much by bank: all of the $21 are sent."""
        paid = self.pay_online(self.invoice)
        on_account = self.pay_on_account(self.partner, 20.0)
        payment = self.pay_out()
        self.end()
        self.assert_asks(paid, payment.move_id)
        self.match(on_account.move_id, payment.move_id)
        self.take_steps("2026-07-12")
        self.assert_steps(("refund", "done", 21.0))
        self.assertEqual(self.get_sent(paid), 21.0)

    def test_it_is_taken_back(self):
        """C6: a payment that is cancelled gave nothing back."""
        paid = self.pay_online(self.invoice)
        payment = self.pay_out()
        self.end()
        payment.action_draft()
        payment.action_cancel()
        self.take_steps("2026-07-12")
        self.assert_steps(("refund", "done", 21.0))
        self.assertEqual(self.get_sent(paid), 21.0)

    def test_paid_by_bank(self):
        """C6: an accountant is asked for $1, not for $21, once it is matched."""
        self.pay(self.invoice)
        payment = self.pay_out()
        self.end()
        step = self.steps(self.subscription, "refund")
        self.assertIn(payment.name, step.note)
        memo = self.credit_memos(self.subscription)
        self.match(payment.move_id, memo)
        self.take_steps()
        self.assertIn("1.00", step.note)
        self.pay(memo)
        self.take_steps()
        self.assert_steps(("refund", "done", 21.0))
        self.assert_owes(0.0)

    def test_to_a_contact_of_the_customer(self):
        """C6: the payment names a person, the invoice that person's company."""
        paid = self.pay_online(self.invoice)
        contact = self.create_customer(name="Ann", parent_id=self.partner.id)
        payment = self.pay_out(partner=contact)
        self.end()
        self.assert_asks(paid, payment.move_id)

    # === WHAT IS NO QUESTION === #

    def test_to_somebody_else(self):
        """C7: what another customer got is no question."""
        paid = self.pay_online(self.invoice)
        self.pay_out(partner=self.create_customer(name="Other"))
        self.end()
        self.assert_steps(("refund", "done", 21.0))
        self.assertEqual(self.get_sent(paid), 21.0)

    def test_a_debt_is_no_refund(self):
        """C6: an opening balance of $20 that the customer owes was not given back."""
        paid = self.pay_online(self.invoice)
        self.book_entry(self.company_data["default_account_revenue"])
        self.end()
        self.assert_steps(("refund", "done", 21.0))
        self.assertEqual(self.get_sent(paid), 21.0)

    def test_what_is_kept_asks_nobody(self):
        """C6: nothing is about to be sent."""
        self.pay_online(self.invoice)
        self.pay_out()
        self.end(credit_settlement="keep")
        self.assert_steps(("keep", "done", 21.0))

    # === PREVIEW === #

    def test_the_preview_says_so(self):
        """D5: as the step will, before anybody confirms."""
        self.pay_online(self.invoice)
        payment = self.pay_out()
        options = {"timing": "immediate", "credit_settlement": "refund"}
        preview = self.subscription.preview_cancellation(**options)
        [warning] = [text for text in preview["warnings"] if payment.name in text]
        self.assertIn("20.00", warning)
        options["credit_settlement"] = "keep"
        preview = self.subscription.preview_cancellation(**options)
        self.assertFalse([text for text in preview["warnings"] if payment.name in text])


@tagged("post_install", "-at_install")
class TestPartlyPaidBack(PaymentCase):
    """$31 were paid online, of which $21 are to go back; the provider refused."""

    def test_an_accountant_has_paid_a_part_back(self):
        """C6: $5 by an accountant, and $16 through the provider: each has its step."""
        paid = self.pay_online(self.invoice)
        self.end_refused()
        self.pay(self.credit_memos(self.subscription), 5.0)
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(paid), 16.0)
        self.assert_steps(("refund", "done", 5.0), ("refund", "done", 16.0))
        self.assert_owes(0.0)
