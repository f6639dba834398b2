# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What may still leave is looked at again before money leaves."""

from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import INVOICING
from .payments import PaymentCase


@tagged("post_install", "-at_install")
class TestChargedBack(PaymentCase):
    """$31 were paid; ended on 10 July, $10 were served, $21 were to go back."""

    def test_a_payment_that_was_charged_back_is_not_refunded(self):
        """C6: $0 are left of $31; the credit memo reduces what is due again to $10."""
        paid = self.pay_online(self.invoice)
        step = self.end_refused()
        self.assertEqual(step.state, "failed")
        self.travel_to("2026-07-10 00:02:00")
        self.charge_back(paid)
        self.assertEqual(self.invoice.amount_residual, 31.0)
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(paid), 0.0)
        self.assertEqual(self.invoice.amount_residual, 10.0)
        self.assert_steps(("refund", "skipped", 0.0), ("reduce", "done", 21.0))
        self.assertIn("reduces what is due", step.note)
        self.assertIn(self.invoice.name, step.note)

    def test_of_two_payments_one_was_charged_back(self):
        """C6: $20 are left; $10 are billed, so that $10 go back."""
        first = self.pay_online(self.invoice, 20.0)
        second = self.pay_online(self.invoice, 11.0)
        self.end_refused()
        self.travel_to("2026-07-10 00:02:00")
        self.charge_back(second)
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(first, second), 10.0)
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assert_owes(0.0)

    def test_only_the_part_by_hand_is_proposed(self):
        """C6: $11 came by bank; the $20 of the card are on their way back."""
        self.pay_online(self.invoice, 20.0)
        self.pay(self.invoice, 11.0)
        self.end_refused()
        steps = self.steps(self.subscription, "refund")
        by_card = steps.filtered("source_transaction_id")
        by_hand = steps - by_card
        self.assertEqual((by_card.amount, by_hand.amount), (20.0, 1.0))
        action = by_hand.action_register_payment()
        form = Form.from_action(self.env, action)
        self.assertEqual(form.amount, by_hand.amount)
        form.journal_id = self.company_data["default_journal_cash"]
        self.assertEqual(form.amount, by_hand.amount)
        form.save().action_create_payments()
        self.take_steps()
        self.assert_steps(("refund", "failed", 20.0), ("refund", "done", 1.0))

    def test_a_kept_credit_reduces_what_is_due_again(self):
        """C5: the credit of $21 was kept on the account, until it was needed."""
        paid = self.pay_online(self.invoice)
        self.end(credit_settlement="keep")
        self.assert_steps(("keep", "done", 21.0))
        self.charge_back(paid)
        self.take_steps()
        self.assertEqual(self.invoice.amount_residual, 10.0)
        self.assert_steps(("keep", "skipped", 0.0), ("reduce", "done", 21.0))

    def test_nobody_has_to_pay_back_by_hand_what_came_back(self):
        """C6: paid by bank; the payment is cancelled before the accountant pays."""
        payment = self.pay(self.invoice)
        step = self.end()
        self.assertTrue(step.is_by_hand)
        self.assertTrue(step.cancellation_id.activity_ids)
        payment.action_draft()
        payment.action_cancel()
        self.take_steps()
        self.assert_steps(("refund", "skipped", 0.0), ("reduce", "done", 21.0))
        self.assertFalse(step.cancellation_id.activity_ids)
        self.assertEqual(self.invoice.amount_residual, 10.0)

    def test_a_part_was_paid_back_before_a_payment_returned(self):
        """C6: of $31 in two, $16 return; $6 went back by hand before.

        $15 were paid, $10 are billed and $6 given back: of the credit of $21, $15
        reduce what is due again from $16 to $1.
        """
        self.pay(self.invoice, 15.0)
        late = self.pay(self.invoice, 16.0)
        self.end()
        self.pay(self.credit_memos(self.subscription), 6.0)
        late.action_draft()
        late.action_cancel()
        for day in ("2026-07-12", "2026-07-14"):
            self.take_steps(day)
        self.assert_steps(("refund", "done", 6.0), ("reduce", "done", 15.0))
        self.assertEqual(self.invoice.amount_residual, 1.0)
        self.assert_owes(1.0)

    def test_a_rejected_payment_that_is_still_matched_is_asked_about(self):
        """C6: nothing is sent, and nothing given up, until it is cancelled."""
        paid = self.pay_online(self.invoice)
        step = self.end_refused()
        paid.payment_id.action_reject()
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(paid), 0.0)
        self.assertEqual(step.state, "pending")
        self.assertIn("match it with the invoice again, or cancel it", step.note)
        self.assertTrue(step.cancellation_id.activity_ids)
        self.travel_to("2026-07-10 00:10:00")
        self.charge_back(paid)
        self.take_steps()
        self.assert_steps(("refund", "skipped", 0.0), ("reduce", "done", 21.0))

    def test_a_payment_that_was_only_unmatched_is_refunded_when_matched_again(self):
        """C6: an accountant takes the matching away, and makes it anew."""
        paid = self.pay_online(self.invoice)
        step = self.end_refused()
        items = paid.payment_id.move_id.line_ids | self.invoice.line_ids
        items = items.filtered(lambda item: item.account_type == "asset_receivable")
        items.remove_move_reconcile()
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(paid), 0.0)
        self.assertEqual(step.state, "pending")
        items.reconcile()
        self.take_steps()
        self.assert_steps(("refund", "done", 21.0))
        self.assert_owes(0.0)


@tagged("post_install", "-at_install")
class TestPostedAgain(PaymentCase):
    """$31 were not paid; ended on 10 July, $21 reduce them to $10."""

    def setUp(self):
        super().setUp()
        self.end()
        self.assertEqual(self.invoice.amount_residual, 10.0)
        biller = self.create_user(
            INVOICING, "account.group_account_manager", login="biller"
        )
        self.draft = self.invoice.with_user(biller).with_company(self.company)
        self.draft.button_draft()

    def assert_due(self, amount):
        """Post it again; the credit memo has reduced it, and its step still tells."""
        self.draft.action_post()
        self.take_steps("2026-07-12")
        self.assertEqual(self.invoice.amount_residual, amount)
        self.assertEqual(self.credit_memos(self.subscription).amount_residual, 0.0)
        steps = self.steps(self.subscription, "reduce")
        done = steps.filtered(lambda step: step.state == "done")
        self.assertEqual(sum(done.mapped("amount")), 21.0)
        self.assert_owes(amount)

    def test_as_it_was(self):
        """C5: $10 are due as before."""
        self.assert_due(10.0)

    def test_with_another_line(self):
        """C5: $5 of a set-up are due besides."""
        values = {"name": "Setup", "price_unit": 5.0, "tax_ids": [Command.clear()]}
        self.draft.write({"invoice_line_ids": [Command.create(values)]})
        self.assert_due(15.0)

    def test_in_instalments(self):
        """C5: half of $31 now, half later: $10 of both are left."""
        halves = [
            Command.create({"value_amount": 50, "nb_days": days}) for days in (0, 30)
        ]
        self.draft.invoice_payment_term_id = self.env["account.payment.term"].create(
            {"name": "Halves", "line_ids": halves}
        )
        self.assert_due(10.0)


@tagged("post_install", "-at_install")
class TestRefundedByHand(PaymentCase):
    """$31 were paid online, and some of it was refunded on the payment by hand."""

    def test_what_was_refunded_by_hand_is_not_refunded_again(self):
        """C6: $20 of $31 went back by hand: $1 is left, $10 were served."""
        paid = self.pay_online(self.invoice)
        refund = self.refund_by_hand(paid, 20.0)
        self.end()
        self.assertEqual(self.get_sent(paid), 21.0)
        self.assert_steps(("refund", "done", 20.0), ("refund", "done", 1.0))
        memo = self.credit_memos(self.subscription)
        self.assertIn(refund.payment_id, memo.reconciled_payment_ids)
        self.assertEqual(memo.amount_residual, 0.0)
        self.assert_owes(0.0)

    def test_the_preview_says_so(self):
        """C6, D5: $20 were refunded, $1 will be."""
        paid = self.pay_online(self.invoice)
        refund = self.refund_by_hand(paid, 20.0)
        preview = self.subscription.preview_cancellation(
            timing="immediate", credit_settlement="refund"
        )
        found = [
            (part["amount"], part["text"])
            for part in preview["settlement"]
            if part["kind"] == "refund"
        ]
        self.assertEqual(
            found,
            [
                (20.0, f"Was refunded by hand already ({refund.payment_id.name})"),
                (1.0, f"Will be refunded to {paid._get_method_name()}"),
            ],
        )

    def test_refunded_by_hand_between_two_attempts(self):
        """C6: the first attempt failed, an accountant helped with $20."""
        paid = self.pay_online(self.invoice)
        self.end_refused()
        refund = self.refund_by_hand(paid, 20.0)
        self.take_steps("2026-07-10 00:06:00")
        self.assertEqual(self.get_sent(paid), 21.0)
        self.assert_steps(("refund", "done", 20.0), ("refund", "done", 1.0))
        by_hand = self.steps(self.subscription, "refund").filtered(
            lambda step: step.amount == 20.0
        )
        self.assertEqual(by_hand.payment_id, refund.payment_id)
        self.assert_owes(0.0)

    def test_all_of_it_was_refunded_by_hand(self):
        """C6: $31 went back: nothing is left, and the customer owes the $10 served."""
        paid = self.pay_online(self.invoice)
        self.refund_by_hand(paid, 31.0)
        self.end()
        self.assertEqual(self.get_sent(paid), 31.0)
        self.assert_steps(("refund", "done", 21.0))
        self.assert_owes(10.0)

    def test_a_refund_by_hand_without_answer_is_waited_for(self):
        """C6: as long as nobody knows whether $20 went back, nothing is sent."""
        paid = self.pay_online(self.invoice)
        with self.delay_refunds():
            refund = self.refund_by_hand(paid, 20.0)
        step = self.end().filtered("source_transaction_id")
        self.assertFalse(step.transaction_id)
        self.assertIn(refund.reference, step.note)
        refund.action_demo_set_done()
        refund._post_process()
        self.take_steps()
        self.assertEqual(self.get_sent(paid), 21.0)
        self.assert_owes(0.0)

    def test_what_was_paid_too_much_is_refunded_besides(self):
        """C6: $62 were paid for $31; $31 went back by hand, $21 of the rest go back."""
        paid = self.pay_online(self.invoice, 62.0)
        self.refund_by_hand(paid, 31.0)
        self.end()
        self.assertEqual(self.get_sent(paid), 52.0)
        self.assert_owes(0.0)

    def test_a_credit_memo_by_hand_accounts_for_the_refund(self):
        """C6: $20 were refunded and credited by hand: what is credited now goes back.

        $20 of the month's $31 were credited, 21 of 31 days of that are $13.55, so that
        $7.45 are left of $21.
        """
        paid = self.pay_online(self.invoice)
        self.refund_by_hand(paid, 20.0)
        memo = self.invoice._reverse_moves()
        memo.invoice_line_ids.price_unit = 20.0
        memo.action_post()
        self.end()
        self.assert_steps(("refund", "done", 7.45))
        self.assertEqual(self.get_sent(paid), 27.45)


@tagged("post_install", "-at_install")
class TestGivenBackInVain(PaymentCase):
    """$31 were paid, $21 given back; then that payment is cancelled: $21 are owed."""

    def cancel_payment(self, payment):
        payment.action_draft()
        payment.action_cancel()
        self.take_steps("2026-07-12")

    def assert_asked_again(self, amount, *others):
        """A step by hand asks for it, and somebody is told."""
        self.assert_steps(("refund", "pending", amount), *others)
        steps = self.steps(self.subscription, "refund")
        step = steps.filtered(lambda one: one.state == "pending")
        self.assertTrue(step.is_by_hand)
        self.assertIn("Register an outgoing payment", step.note)
        cancellation = self.subscription.cancellation_ids
        self.assertIn(f"{amount}", cancellation.activity_ids.note)
        self.assertEqual(cancellation.settlement_state, "failed")
        self.assert_owes(-amount)

    def pay_again(self):
        """Pay the credit memo back; nothing is left to do."""
        self.pay(self.credit_memos(self.subscription))
        self.take_steps("2026-07-13")
        self.assert_owes(0.0)
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.settlement_state, "done")
        self.assertFalse(cancellation.activity_ids)

    def test_by_hand(self):
        """C6: the outgoing payment of an accountant is cancelled; another one made."""
        self.pay(self.invoice)
        self.end()
        payment = self.pay(self.credit_memos(self.subscription))
        self.take_steps("2026-07-11")
        self.assert_steps(("refund", "done", 21.0))
        self.cancel_payment(payment)
        self.assert_asked_again(21.0, ("refund", "skipped", 0.0))
        self.pay_again()
        self.assert_steps(("refund", "skipped", 0.0), ("refund", "done", 21.0))

    def test_by_hand_in_two_parts(self):
        """C6: of $6 and $15 the $6 are cancelled."""
        self.pay(self.invoice)
        self.end()
        memo = self.credit_memos(self.subscription)
        first = self.pay(memo, 6.0)
        self.pay(memo)
        self.take_steps("2026-07-11")
        self.cancel_payment(first)
        self.assert_asked_again(6.0, ("refund", "done", 15.0))
        self.pay_again()

    def test_through_the_provider(self):
        """C6: which has confirmed it; it is not asked again, a person is."""
        paid = self.pay_online(self.invoice)
        self.end()
        self.assertEqual(self.get_sent(paid), 21.0)
        self.cancel_payment(paid.child_transaction_ids.payment_id)
        self.assertEqual(self.get_sent(paid), 21.0)
        self.assert_asked_again(21.0, ("refund", "skipped", 0.0))
        self.pay_again()
        self.assertEqual(len(paid.child_transaction_ids), 1)

    def test_rejected_by_the_bank(self):
        """C6: Odoo leaves it matched until somebody resets it."""
        self.pay(self.invoice)
        self.end()
        payment = self.pay(self.credit_memos(self.subscription))
        self.take_steps("2026-07-11")
        payment.action_reject()
        payment.action_draft()
        payment.action_cancel()
        self.take_steps("2026-07-12")
        self.assert_asked_again(21.0, ("refund", "skipped", 0.0))

    def test_undone_meanwhile(self):
        """C6, B15: nobody is asked to give back what is billed again."""
        self.get_default_policy().undo_days = 30
        self.pay(self.invoice)
        self.end()
        payment = self.pay(self.credit_memos(self.subscription))
        self.take_steps("2026-07-11")
        self.subscription.cancellation_ids._undo()
        self.cancel_payment(payment)
        steps = self.steps(self.subscription, "refund")
        self.assertNotIn("pending", steps.mapped("state"))
