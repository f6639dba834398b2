# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What becomes of the money: refunds, collections, credits that pay, write-offs."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.arithmetic.matching import (
    Match,
    OpenItem,
    allocate,
    match,
)

from .common import SALESPERSON, CancellationCase

SETTLEMENT_OPTIONS = {
    "unpaid_invoices": ("keep", "collect"),
    "unbilled_charges": ("invoice", "drop"),
    "credit_settlement": ("keep", "refund"),
    "apply_credits": (False, True),
    "send_confirmation": (True, False),
}


class SettlementCase(CancellationCase):
    """A subscription of $31 for July, on 10 July: $21 are unused."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.invoice = self.bill(self.subscription)
        self.partner = self.subscription.partner_id
        self.travel_to("2026-07-10")

    def settle(self, **options):
        """Cancel now, and take the steps; return the steps but the confirmation."""
        self.cancel(self.subscription, **options)
        steps = self.run_steps(self.subscription)
        return steps.filtered(lambda step: step.kind != "confirm")

    def values(self, steps):
        """Return kind, state and amount of steps."""
        return [(step.kind, step.state, step.amount) for step in steps]

    def preview(self, **options):
        """Return kind, amount and text of what the preview says of the money."""
        parts = self.subscription.preview_cancellation(timing="immediate", **options)
        return [
            (part["kind"], part["amount"], part["text"])
            for part in parts["settlement"]
            if part["kind"] != "confirm"
        ]


@tagged("post_install", "-at_install")
class TestMatching(CancellationCase):
    """The arithmetic, without documents."""

    def test_allocate_fills_one_after_the_other(self):
        """C6: several transactions, the first one first."""
        self.assertEqual(allocate(10, [4, 9, 5]), [4, 6, 0])
        self.assertEqual(allocate(10, [4, 3]), [4, 3])
        self.assertEqual(allocate(10, [-1, 12]), [0, 10])
        self.assertEqual(allocate(0, [3]), [0])

    def test_match_pays_the_first_debit_first(self):
        """C7: and takes the first credit first."""
        old, new = OpenItem(1, "USD", 7, "old"), OpenItem(1, "USD", 9, "new")
        first, second = OpenItem(1, "USD", 5, "a"), OpenItem(1, "USD", 6, "b")
        self.assertEqual(
            match([first, second], [old, new]),
            [Match(first, old, 5), Match(second, old, 2), Match(second, new, 4)],
        )

    def test_match_leaves_other_accounts_and_currencies_alone(self):
        """C7: same account and currency only."""
        debits = [OpenItem(1, "EUR", 7, "euro"), OpenItem(2, "USD", 7, "account")]
        self.assertEqual(match([OpenItem(1, "USD", 5, "a")], debits), [])


@tagged("post_install", "-at_install")
class TestRefund(SettlementCase):
    def test_refund_goes_to_the_transaction_that_paid(self):
        """C6: previewed, refunded, and matched with the credit memo."""
        paid = self.pay_online(self.invoice)
        self.assertEqual(
            self.preview(credit_settlement="refund"),
            [("refund", 21.0, "Will be refunded to Demo 4242")],
        )
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "done", 21.0)])
        refund = paid.child_transaction_ids
        self.assertEqual((refund.state, refund.amount), ("done", -21.0))
        self.assertEqual(steps.payment_id, refund.payment_id)
        memo = self.credit_memos(self.subscription)
        self.assertEqual((memo.payment_state, memo.amount_residual), ("paid", 0.0))
        self.assertEqual(self.subscription.cancellation_ids.settlement_state, "done")

    def test_credit_is_kept_unless_it_is_to_be_refunded(self):
        """C6: kept on the customer's account."""
        paid = self.pay_online(self.invoice)
        text = "Kept as credit on the customer's account"
        self.assertEqual(self.preview(), [("keep", 21.0, text)])
        self.assertEqual(self.values(self.settle()), [("keep", "done", 21.0)])
        self.assertFalse(paid.child_transaction_ids)
        self.assertEqual(self.credit_memos(self.subscription).amount_residual, 21.0)

    def test_half_paid_reduces_first_and_refunds_the_rest(self):
        """C5, C6: $20 of $31 are paid: $11 reduce the invoice, $10 go back."""
        self.pay_online(self.invoice, 20.0)
        parts = self.preview(credit_settlement="refund")
        self.assertEqual(
            [part[:2] for part in parts], [("reduce", 11.0), ("refund", 10)]
        )
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(
            self.values(steps), [("reduce", "done", 11.0), ("refund", "done", 10.0)]
        )
        self.assertEqual(self.invoice.amount_residual, 0.0)

    def test_unpaid_invoice_refunds_nothing(self):
        """C6: the credit reduces what is due, there is nothing to give back."""
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(
            self.values(steps), [("reduce", "done", 21.0), ("keep", "done", 10.0)]
        )

    def test_two_transactions_give_back_what_they_took(self):
        """C6: the latest first, each at most what it took."""
        first = self.pay_online(self.invoice, 15.0)
        second = self.pay_online(self.invoice, 16.0)
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(
            self.values(steps), [("refund", "done", 16.0), ("refund", "done", 5.0)]
        )
        self.assertEqual(second.child_transaction_ids.amount, -16.0)
        self.assertEqual(first.child_transaction_ids.amount, -5.0)
        self.assertEqual(self.credit_memos(self.subscription).amount_residual, 0.0)

    def test_bank_payment_is_left_to_an_accountant(self):
        """C6: the step waits, somebody is told, an outgoing payment finishes it."""
        self.pay(self.invoice)
        self.assertEqual(
            self.preview(credit_settlement="refund"),
            [("refund", 21.0, "To be refunded by hand (paid by Bank)")],
        )
        step = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(step), [("refund", "pending", 21.0)])
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(len(cancellation.activity_ids), 1)
        self.run_steps(self.subscription)
        self.assertEqual(len(cancellation.activity_ids), 1, "told once")
        payment = self.pay(self.credit_memos(self.subscription))
        self.run_steps(self.subscription)
        self.assertEqual(self.values(step), [("refund", "done", 21.0)])
        self.assertEqual(step.payment_id, payment)
        self.assertFalse(cancellation.activity_ids)

    def test_part_online_part_bank(self):
        """C6: $6 of $21 came through the provider."""
        self.pay(self.invoice, 25.0)
        self.pay_online(self.invoice, 6.0)
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(
            self.values(steps), [("refund", "done", 6.0), ("refund", "pending", 15.0)]
        )

    def test_provider_that_cannot_refund(self):
        """C6: left to an accountant."""
        self.pay_online(self.invoice)
        self.get_provider().payment_method_ids.support_refund = "none"
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "pending", 21.0)])
        self.assertFalse(steps.source_transaction_id)

    def test_provider_that_refunds_all_or_nothing(self):
        """C6: a part is left to an accountant, the whole is refunded."""
        self.pay_online(self.invoice)
        self.get_provider().payment_method_ids.support_refund = "full_only"
        part = self.preview(credit_settlement="refund")
        self.assertEqual([part[0][:2], len(part)], [("refund", 21.0), 1])
        self.assertIn("by hand", part[0][2])
        steps = self.settle(credit_settlement="refund", refund_mode="full")
        self.assertEqual(self.values(steps), [("refund", "done", 31.0)])

    def test_disabled_provider(self):
        """C6: left to an accountant."""
        self.pay_online(self.invoice)
        self.get_provider().state = "disabled"
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "pending", 21.0)])

    def test_archived_token_is_refunded_all_the_same(self):
        """C6: a refund goes to the transaction, not to the token."""
        self.pay_online(self.invoice).token_id.active = False
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "done", 21.0)])

    def test_never_more_than_the_transaction_can_still_refund(self):
        """C6: $25 of $31 were given back by hand, $4 more than the credit."""
        paid = self.pay_online(self.invoice)
        refund = paid._refund(25.0)
        refund._post_process()
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "done", 21.0)])
        self.assertEqual(paid.child_transaction_ids, refund)

    def test_transaction_refunded_between_plan_and_step(self):
        """C6: $20 went back by hand; only $1 of $21 is left, nothing is lost."""
        paid = self.pay_online(self.invoice)
        self.cancel(self.subscription, credit_settlement="refund")
        paid._refund(20.0)._post_process()
        self.run_steps(self.subscription)
        self.run_steps(self.subscription)
        self.assertEqual(
            self.values(self.steps(self.subscription, "refund")),
            [("refund", "done", 1.0), ("refund", "done", 20.0)],
        )

    def test_pending_refund_is_followed(self):
        """C6: nothing is sent twice; the provider's answer finishes the step."""
        paid = self.pay_online(self.invoice)
        self.patch(
            type(paid),
            "_send_refund_request",
            lambda transaction: transaction._set_pending(),
        )
        step = self.settle(credit_settlement="refund")
        self.assertEqual(step.state, "pending")
        step._as_engine().next_attempt_at = "2026-07-10"
        self.run_steps(self.subscription)
        self.assertEqual(len(paid.child_transaction_ids), 1)
        paid.child_transaction_ids._set_done()
        paid.child_transaction_ids._post_process()
        self.assertEqual(self.values(step), [("refund", "done", 21.0)])

    def test_failed_refund_is_tried_again_with_a_new_transaction(self):
        """C6: an explicit refusal; the second attempt works."""
        paid = self.pay_online(self.invoice)
        refuse = self.startPatcher(self.refusing(paid))
        step = self.settle(credit_settlement="refund")
        self.assertEqual(step.state, "failed")
        self.assertIn("insufficient balance", step.error)
        self.assertEqual(str(step.next_attempt_at), "2026-07-10 00:05:00")
        self.assertEqual(self.subscription.cancellation_ids.settlement_state, "failed")
        self.travel_to("2026-07-10 00:06:00")
        refuse.side_effect = None
        del refuse
        self.patch(
            type(paid),
            "_send_refund_request",
            lambda transaction: transaction._set_done(),
        )
        self.run_steps(self.subscription)
        self.assertEqual(self.values(step), [("refund", "done", 21.0)])
        self.assertEqual(
            paid.child_transaction_ids.sorted("id").mapped("state"), ["error", "done"]
        )
        self.assertFalse(step.error)

    def refusing(self, transaction):
        """Return a patch: the provider answers that it does not refund."""
        from unittest.mock import patch

        return patch.object(
            type(transaction),
            "_send_refund_request",
            autospec=True,
            side_effect=lambda tx: tx._set_error("insufficient balance"),
        )

    def test_never_more_than_was_received(self):
        """C6: $20 were paid and $11 written off: $10 were used, $10 go back."""
        self.pay_online(self.invoice, 20.0)
        self.pay(
            self.invoice,
            0.01,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.assertEqual(self.invoice.amount_residual, 0.0)
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(
            self.values(steps), [("refund", "done", 10.01), ("keep", "done", 10.99)]
        )

    def test_undo_waits_for_a_refund_on_its_way(self):
        """B15, C6: the money may go back any moment."""
        paid = self.pay_online(self.invoice)
        self.patch(
            type(paid),
            "_send_refund_request",
            lambda transaction: transaction._set_pending(),
        )
        self.settle(credit_settlement="refund")
        with self.assertRaisesRegex(UserError, "is on its way"):
            self.subscription.reactivate_subscription()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_disputed_payment_is_not_refunded(self):
        """C6: its payment was cancelled, the customer paid by bank instead."""
        disputed = self.pay_online(self.invoice)
        disputed.payment_id.action_draft()
        disputed.payment_id.action_cancel()
        self.pay(self.invoice)
        steps = self.settle(credit_settlement="refund")
        self.assertEqual(self.values(steps), [("refund", "pending", 21.0)])
        self.assertFalse(disputed.child_transaction_ids)

    def test_credit_memo_used_elsewhere(self):
        """C6: paid back by hand meanwhile: nothing is refunded a second time."""
        self.pay_online(self.invoice)
        self.cancel(self.subscription, credit_settlement="refund")
        self.pay(self.credit_memos(self.subscription))
        [step] = self.run_steps(self.subscription).filtered("source_transaction_id")
        self.assertEqual(self.values(step), [("refund", "done", 21.0)])
        self.assertIn("Paid back by", step.note)
        self.assertFalse(step.transaction_id)

    def test_money_moves_only_after_posting(self):
        """C12: a draft credit memo holds the refund back until it is posted."""
        paid = self.pay_online(self.invoice)
        self.get_default_policy().post_credit_memos = False
        step = self.settle(credit_settlement="refund")
        self.assertEqual(step.state, "pending")
        self.assertIn("posted", step.note)
        self.assertFalse(paid.child_transaction_ids)
        self.credit_memos(self.subscription).action_post()
        self.run_steps(self.subscription)
        self.assertEqual(self.values(step), [("refund", "done", 21.0)])

    def test_cancelled_draft_credit_memo_ends_the_step(self):
        """C12: what is not credited is not refunded."""
        self.pay_online(self.invoice)
        self.get_default_policy().post_credit_memos = False
        self.cancel(self.subscription, credit_settlement="refund")
        self.credit_memos(self.subscription).button_cancel()
        self.run_steps(self.subscription)
        self.assertEqual(self.steps(self.subscription, "refund").state, "skipped")

    def test_credit_memo_reset_to_draft(self):
        """C6: the step waits; posted again, the refund goes on."""
        self.pay_online(self.invoice)
        self.cancel(self.subscription, credit_settlement="refund")
        memo = self.credit_memos(self.subscription)
        memo.button_draft()
        self.run_steps(self.subscription)
        self.assertEqual(self.steps(self.subscription, "refund").state, "pending")
        memo.action_post()
        self.run_steps(self.subscription)
        self.assertEqual(self.steps(self.subscription, "refund").state, "done")


@tagged("post_install", "-at_install")
class TestCollect(SettlementCase):
    def test_the_saved_payment_method_is_charged(self):
        """C8: what is due after the credit, once."""
        self.create_token(self.partner)
        parts = self.preview(unpaid_invoices="collect")
        self.assertEqual(
            parts[1],
            (
                "collect",
                10.0,
                f"Invoice {self.invoice.name} will be charged to Demo 4242",
            ),
        )
        steps = self.settle(unpaid_invoices="collect")
        self.assertEqual(
            self.values(steps), [("reduce", "done", 21.0), ("collect", "done", 10.0)]
        )
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.run_steps(self.subscription)
        self.assertEqual(self.invoice.transaction_ids.mapped("amount"), [10.0])

    def test_failed_collection_leaves_the_invoice_due_and_says_so(self):
        """C8: tried again later, at last somebody is told."""
        self.create_token(self.partner, "error")
        step = self.settle(unpaid_invoices="collect")[-1]
        self.assertEqual(step.state, "failed")
        self.assertIn("stays due", step.error)
        self.assertEqual(self.invoice.amount_residual, 10.0)
        for number in range(1, 5):
            self.assertEqual(step.attempts, number)
            self.assertFalse(step.cancellation_id.activity_ids)
            self.travel_to(step.next_attempt_at)
            self.run_steps(self.subscription)
        self.assertEqual(step.attempts, 5)
        self.assertFalse(step.next_attempt_at)
        self.assertEqual(len(step.cancellation_id.activity_ids), 1)

    def test_pending_collection_is_followed(self):
        """C8: charged once, done when the provider says so."""
        self.create_token(self.partner, "pending")
        step = self.settle(unpaid_invoices="collect")[-1]
        self.assertEqual(step.state, "pending")
        self.assertIn("Waits for the answer", step.note)
        step.transaction_id._set_done()
        step.transaction_id._post_process()
        self.assertEqual(self.values(step), [("collect", "done", 10.0)])
        self.assertEqual(self.invoice.payment_state, "paid")

    def test_without_saved_payment_method(self):
        """C8: the invoice stays due, and the step says so."""
        step = self.settle(unpaid_invoices="collect")[-1]
        self.assertEqual(self.values(step), [("collect", "skipped", 10.0)])
        self.assertIn("no saved payment method", step.note)

    def test_archived_or_foreign_payment_methods_are_not_charged(self):
        """C8: archived, of another customer, of a disabled provider."""
        self.create_token(self.partner).active = False
        self.create_token(self.create_customer(name="Somebody else"))
        step = self.settle(unpaid_invoices="collect")[-1]
        self.assertEqual(step.state, "skipped")

    def test_what_is_being_paid_is_not_charged(self):
        """C8: the customer pays at the same time."""
        pending = self.pay_online(
            self.invoice, 10.0, self.create_token(self.partner, "pending")
        )
        step = self.settle(unpaid_invoices="collect")[-1]
        self.assertEqual(self.values(step), [("await_payment", "pending", 10.0)])
        self.assertEqual(self.invoice.transaction_ids, pending)
        pending._set_done()
        pending._post_process()
        self.run_steps(self.subscription)
        self.assertEqual(self.values(step), [("await_payment", "done", 10.0)])
        self.assertFalse(self.steps(self.subscription, "collect"))
        self.assertEqual(self.invoice.payment_state, "paid")

    def test_a_line_alone_leaves_open_invoices_to_what_goes_on(self):
        """C8: only the end of everything settles open invoices."""
        subscription = self.create_subscription([31.0, 62.0])
        self.bill(subscription, "2026-07-01")
        self.create_token(subscription.partner_id)
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription, "2026-07-10", line_ids=line.ids, unpaid_invoices="collect"
        )
        self.assertFalse(self.steps(subscription, "collect"))

    def test_a_draft_credit_memo_holds_collection_and_write_off_back(self):
        """C8, C12: what it will take off the invoice is not charged before."""
        for mode in ("collect", "write_off"):
            with self.subTest(mode):
                self.travel_to("2026-07-01")
                self.subscription = self.create_subscription([31.0])
                invoice = self.bill(self.subscription, "2026-07-01")
                self.create_token(invoice.partner_id)
                self.company.write(self.get_write_off_accounts())
                self.get_default_policy().post_credit_memos = False
                self.travel_to("2026-07-10")
                self.settle(unpaid_invoices=mode)
                self.assertEqual(invoice.amount_residual, 31.0)
                self.credit_memos(self.subscription).action_post()
                self.run_steps(self.subscription)
                step = self.steps(self.subscription, mode)
                self.assertEqual((step.state, step.amount), ("done", 10.0))
                self.assertEqual(invoice.amount_residual, 0.0)

    def get_write_off_accounts(self):
        return {
            "cancellation_write_off_account_id": self.company_data[
                "default_account_expense"
            ].id,
            "cancellation_write_off_journal_id": self.company_data[
                "default_journal_misc"
            ].id,
        }

    def test_a_blocked_invoice_is_not_charged(self):
        """C8: it is disputed since the first attempt."""
        self.create_token(self.partner, "error")
        step = self.settle(unpaid_invoices="collect")[-1]
        self.invoice.action_toggle_block_payment()
        self.travel_to(step.next_attempt_at)
        self.run_steps(self.subscription)
        self.assertEqual(step.state, "skipped")
        self.assertEqual(len(self.invoice.transaction_ids), 1)

    def test_a_failed_step_notices_that_the_invoice_was_paid(self):
        """C8: nobody has to look any more."""
        self.create_token(self.partner, "error")
        step = self.settle(unpaid_invoices="collect")[-1]
        step._as_engine().next_attempt_at = False
        self.pay(self.invoice)
        self.run_steps(self.subscription)
        self.assertEqual(step.state, "skipped")

    def test_the_announced_payment_method_is_charged(self):
        """C8, D5: not one that was saved after the preview."""
        token = self.create_token(self.partner)
        self.cancel(self.subscription, unpaid_invoices="collect")
        self.create_token(self.partner)
        self.run_steps(self.subscription)
        self.assertEqual(self.invoice.transaction_ids.token_id, token)


@tagged("post_install", "-at_install")
class TestApplyCredits(SettlementCase):
    def create_invoice(self, amount, day, **values):
        return self.init_invoice(
            "out_invoice",
            partner=self.partner,
            amounts=[amount],
            invoice_date=day,
            post=True,
            **values,
        )

    def test_oldest_due_first_and_the_rest_is_kept(self):
        """C7: $21 pay $8 of June and $5 of May; $8 are kept."""
        june = self.create_invoice(8.0, "2026-06-01")
        may = self.create_invoice(5.0, "2026-05-01")
        self.pay(self.invoice)
        self.assertEqual(
            [part[:2] for part in self.preview(apply_credits=True)],
            [("apply_credits", 5.0), ("apply_credits", 8.0), ("keep", 8.0)],
        )
        steps = self.settle(apply_credits=True)
        self.assertEqual(
            self.values(steps),
            [
                ("apply_credits", "done", 5.0),
                ("apply_credits", "done", 8.0),
                ("keep", "done", 8.0),
            ],
        )
        self.assertEqual(steps.source_move_id[:2], may | june)
        self.assertEqual((june | may).mapped("amount_residual"), [0.0, 0.0])
        self.assertEqual(self.credit_memos(self.subscription).amount_residual, 8.0)

    def test_only_what_is_left_is_refunded(self):
        """C6, C7: $21, of which $12 pay an open invoice."""
        other = self.create_invoice(12.0, "2026-06-01")
        paid = self.pay_online(self.invoice)
        steps = self.settle(apply_credits=True, credit_settlement="refund")
        self.assertEqual(
            self.values(steps),
            [("apply_credits", "done", 12.0), ("refund", "done", 9.0)],
        )
        self.assertEqual(other.amount_residual, 0.0)
        self.assertEqual(paid.child_transaction_ids.amount, -9.0)

    def test_excess_payments_pay_too(self):
        """C7: $10 were paid too much; they pay what the credit leaves open."""
        self.pay(self.invoice, 41.0)
        other = self.create_invoice(30.0, "2026-06-01")
        steps = self.settle(apply_credits=True)
        self.assertEqual(self.values(steps), [("apply_credits", "done", 30.0)])
        self.assertEqual(other.amount_residual, 0.0)

    def test_what_is_invoiced_now_is_paid_last(self):
        """C7, C9, D5: $21 kept of July pay $8 of June, then $10 of 1–10 August; the
        card is charged for nothing that credits pay."""
        self.create_token(self.partner)
        june = self.create_invoice(8.0, "2026-06-01")
        self.pay(self.invoice, 52.0)  # $21 too much
        self.travel_to("2026-08-10")
        self.assertEqual(
            self.preview(apply_credits=True),
            [
                ("unbilled", 10.0, "Invoiced for August 1, 2026 – August 10, 2026"),
                ("apply_credits", 8.0, f"Will pay invoice {june.name}"),
                ("apply_credits", 10.0, "Will pay what is invoiced now"),
            ],
        )
        steps = self.settle(apply_credits=True)
        self.assertEqual(
            self.values(steps),
            [
                ("unbilled", "done", 10.0),
                ("apply_credits", "done", 8.0),
                ("apply_credits", "done", 10.0),
            ],
        )
        self.assertEqual(steps[0].move_id.amount_residual, 0.0)
        self.assertFalse(steps.transaction_id)

    def test_only_what_credits_do_not_pay_of_it_is_charged(self):
        """C7-C9, D5: $4 too much was paid, $10 are invoiced now: $6 are charged."""
        self.create_token(self.partner)
        self.pay(self.invoice, 35.0)
        self.travel_to("2026-08-10")
        expected = [("unbilled", 10.0), ("apply_credits", 4.0), ("collect", 6.0)]
        planned = self.preview(apply_credits=True)
        self.assertEqual([part[:2] for part in planned], expected)
        steps = self.settle(apply_credits=True)
        self.assertEqual([(step.kind, step.amount) for step in steps], expected)
        self.assertEqual(steps.transaction_id.amount, 6.0)
        self.assertEqual(steps[0].move_id.payment_state, "paid")

    def test_blocked_invoices_are_left_alone(self):
        """C7: what is disputed is not paid behind the customer's back."""
        other = self.create_invoice(12.0, "2026-06-01")
        other.action_toggle_block_payment()
        self.pay(self.invoice)
        self.assertEqual(
            self.values(self.settle(apply_credits=True)), [("keep", "done", 21.0)]
        )


@tagged("post_install", "-at_install")
class TestWriteOff(SettlementCase):
    def configure(self):
        self.company.write(
            {
                "cancellation_write_off_account_id": self.company_data[
                    "default_account_expense"
                ].id,
                "cancellation_write_off_journal_id": self.company_data[
                    "default_journal_misc"
                ].id,
            }
        )

    def test_what_stays_due_is_written_off(self):
        """C8: on the account and journal of the settings."""
        self.configure()
        steps = self.settle(unpaid_invoices="write_off")
        self.assertEqual(
            self.values(steps), [("reduce", "done", 21.0), ("write_off", "done", 10.0)]
        )
        entry = steps[-1].move_id
        self.assertEqual(entry.journal_id, self.company_data["default_journal_misc"])
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assertEqual(sum(entry.line_ids.mapped("debit")), 10.0)

    def test_the_customer_reads_whether_something_is_still_due(self):
        """C8, D7: stays due until it is written off; nobody is told of the loss."""
        step = self.settle(unpaid_invoices="write_off")[-1]
        stays_due = f"Invoice {self.invoice.name}: stays due"
        self.assertEqual(step.state, "failed")
        self.assertEqual(step._get_customer_text(), stays_due)
        self.configure()
        step.action_retry()
        self.assertEqual(
            step._get_customer_text(), f"Invoice {self.invoice.name}: no longer due"
        )
        cancellation = step.cancellation_id
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_done"
        )
        [body] = template._render_field("body_html", cancellation.ids).values()
        self.assertRegex(body, rf"(?s){self.invoice.name}: no longer due.*10\.00")
        self.assertNotIn("ritten off", body)

    def test_without_configuration_the_step_says_what_is_missing(self):
        """C8: warned before, refused after; nothing is lost, and Retry works."""
        preview = self.subscription.preview_cancellation(
            timing="immediate", unpaid_invoices="write_off"
        )
        self.assertIn("Nothing can be written off", preview["warnings"][0])
        step = self.settle(unpaid_invoices="write_off")[-1]
        self.assertEqual(step.state, "failed")
        self.assertIn("write-off account", step.error)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(self.invoice.amount_residual, 10.0)
        self.configure()
        step.action_retry()
        self.assertEqual(self.values(step), [("write_off", "done", 10.0)])

    def test_an_invoice_that_bills_something_else_is_not_written_off(self):
        """C8: what is sold besides is none of the cancellation's business."""
        self.configure()
        other = self.create_subscription([50.0], partner_id=self.partner.id)
        invoice = self.bill(self.subscription, "2026-08-01", post=False)
        invoice.invoice_line_ids.copy(
            {
                "move_id": invoice.id,
                "subscription_line_id": other.sale_subscription_line_ids.id,
            }
        )
        invoice.action_post()
        steps = self.settle(unpaid_invoices="write_off")
        kept = steps.filtered(lambda step: step.source_move_id == invoice)[-1]
        self.assertEqual((kept.kind, kept.state), ("write_off", "skipped"))
        self.assertIn("also bills something else", kept.note)


@tagged("post_install", "-at_install")
class TestUnbilled(SettlementCase):
    def test_elapsed_days_that_no_invoice_covers_are_invoiced(self):
        """C9: billing is late: 1–10 August, $31 × 10 / 31 = $10."""
        self.travel_to("2026-08-10")
        self.assertEqual(
            self.preview()[0],
            ("unbilled", 10.0, "Invoiced for August 1, 2026 – August 10, 2026"),
        )
        step = self.settle()[0]
        self.assertEqual(self.values(step), [("unbilled", "done", 10.0)])
        [line] = step.move_id.invoice_line_ids
        self.assertEqual(str(line.start_date), "2026-08-01")
        self.assertEqual(str(line.end_date), "2026-08-10")
        self.assertEqual(step.move_id.state, "posted")

    def test_elapsed_days_are_dropped_and_recorded(self):
        """C9: nothing is invoiced, the record says what was not."""
        self.travel_to("2026-08-10")
        step = self.settle(unbilled_charges="drop")[0]
        self.assertEqual(self.values(step), [("unbilled", "skipped", 10.0)])
        self.assertIn("August 1, 2026", step.note)
        self.assertEqual(self.subscription._get_invoices(), self.invoice)

    def test_what_is_invoiced_is_charged_where_a_method_is_saved(self):
        """C9: and only that: July stays due."""
        self.create_token(self.partner)
        self.travel_to("2026-08-10")
        steps = self.settle()
        self.assertEqual(
            self.values(steps),
            [
                ("unbilled", "done", 10.0),
                ("collect", "done", 10.0),
                ("keep", "done", 31.0),
            ],
        )
        self.assertEqual(steps[0].move_id.payment_state, "paid")
        self.assertEqual(self.invoice.amount_residual, 31.0)

    def test_late_scheduled_action_invoices_up_to_the_end(self):
        """B7, C9: scheduled for 14 August, executed on the 20th, in both orders."""
        for bill_first in (False, True):
            with self.subTest(bill_first=bill_first):
                subscription = self.create_subscription([31.0])
                self.bill(subscription, "2026-07-01")
                self.travel_to("2026-07-10")
                self.cancel(
                    subscription, timing="specific_date", requested_date="2026-08-14"
                )
                self.travel_to("2026-08-20")
                if bill_first:
                    subscription.generate_invoice()
                else:
                    subscription.cancellation_ids._execute_batch()
                invoices = subscription._get_invoices().sorted("id")
                self.assertEqual(invoices.mapped("amount_total"), [31.0, 14.0])

    def test_draft_is_invoiced_to_the_day(self):
        """C9: the draft of July is cancelled in favour of 1–10 July."""
        subscription = self.create_subscription([31.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10")
        step = self.steps(subscription, "unbilled")
        self.assertEqual(self.values(step), [("unbilled", "done", 10.0)])
        self.assertEqual(draft.state, "cancel")
        self.assertEqual(draft.amount_total, 31.0, "as it was")
        self.assertEqual(step.source_move_id, draft)
        self.assertEqual(step.move_id.invoice_line_ids.mapped("price_subtotal"), [10.0])
        self.assertFalse(self.credit_memos(subscription))

    def test_draft_that_was_served_is_posted(self):
        """C9: the draft of June is due as a whole, the one of July in part."""
        subscription = self.create_subscription([30.0], start="2026-06-01")
        june = self.bill(subscription, "2026-06-01", post=False)
        self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10")
        self.assertEqual((june.state, june.amount_total), ("posted", 30.0))
        steps = self.steps(subscription, "unbilled")
        self.assertEqual(steps.mapped("amount"), [30.0, 9.68])

    def test_draft_of_days_after_the_end_goes(self):
        """C9: billed in advance, not posted: nothing of it was served."""
        draft = self.bill(self.subscription, post=False)
        self.cancel(self.subscription, "2026-07-10")
        self.assertEqual(draft.state, "cancel")
        step = self.steps(self.subscription, "unbilled")
        self.assertEqual(self.values(step), [("unbilled", "skipped", 0.0)])

    def test_draft_is_dropped(self):
        """C9: the record says what was dropped."""
        subscription = self.create_subscription([31.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10", unbilled_charges="drop")
        step = self.steps(subscription, "unbilled")
        self.assertEqual(self.values(step), [("unbilled", "skipped", 31.0)])
        self.assertIn("is dropped", step.note)
        self.assertEqual(draft.state, "cancel")

    def test_draft_with_a_line_that_goes_on(self):
        """C9, A5: the ended line leaves the draft for an invoice of its own."""
        subscription = self.create_subscription([31.0, 62.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        self.assertEqual((draft.state, draft.amount_total), ("draft", 62.0))
        self.assertEqual(self.steps(subscription, "unbilled").amount, 10.0)

    def test_extra_lines_and_edited_prices_of_a_draft_are_kept(self):
        """C9: what somebody typed on the draft is invoiced, too."""
        subscription = self.create_subscription([31.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        draft.invoice_line_ids.price_unit = 62.0
        draft.write(
            {"invoice_line_ids": [(0, 0, {"name": "Set-up", "price_unit": 7.0})]}
        )
        draft.invoice_line_ids.tax_ids = False
        self.cancel(subscription, "2026-07-10")
        step = self.steps(subscription, "unbilled")
        self.assertEqual(
            sorted(step.move_id.invoice_line_ids.mapped("price_subtotal")), [7.0, 20.0]
        )

    def test_trial_and_pause_are_not_invoiced(self):
        """C9, B9: free days stay free."""
        trial = self.create_subscription(template=self.create_template(trial_days=30))
        self.cancel(trial, "2026-07-10")
        self.assertFalse(self.steps(trial, "unbilled"))
        self.subscription.action_pause("2026-12-01")
        self.travel_to("2026-08-10")
        self.cancel(self.subscription)
        self.assertFalse(self.steps(self.subscription, "unbilled"))

    def test_what_was_served_before_a_pause_is_invoiced(self):
        """C9: August was not billed yet when it was paused on the 11th: $10 are due.

        The pause bills them, so that its end has nothing left to bill.
        """
        self.travel_to("2026-08-11")
        self.subscription.action_pause()
        invoice = self.subscription.pause_ids.move_ids
        self.assertEqual((invoice.amount_total, invoice.state), (10.0, "posted"))
        self.assertIn("August 10, 2026", invoice.invoice_line_ids.name)
        self.travel_to("2026-08-20")
        self.settle()
        self.assertFalse(self.steps(self.subscription, "unbilled"))

    def test_a_pause_is_remembered_while_it_lasts(self):
        """C9: from its first day, whoever writes the flag again; then it is proof."""
        self.subscription.action_pause()
        self.travel_to("2026-07-12")
        self.subscription.write({"is_paused": True})
        pause = self.subscription.pause_ids
        self.assertEqual((str(pause.date_from), pause.state), ("2026-07-10", "paused"))
        self.subscription.action_resume()
        self.assertEqual((str(pause.date_to), pause.state), ("2026-07-11", "ended"))

    def cancel_lines_together(self, subscription, *days):
        """End each line on a day, and execute all of that late, in one run."""
        for line, day in zip(
            subscription.sale_subscription_line_ids, days, strict=True
        ):
            self.cancel(
                subscription,
                timing="specific_date",
                requested_date=day,
                line_ids=line.ids,
            )
        self.travel_to("2026-08-20")
        subscription.cancellation_ids._execute_batch()

    def test_lines_that_end_together_leave_no_draft(self):
        """C9: each takes its served days off the draft that they share."""
        for days, totals in (
            (("2026-07-31", "2026-07-31"), [31.0, 62.0]),
            (("2026-07-10", "2026-07-31"), [10.0, 62.0]),
            (("2026-07-31", "2026-07-10"), [31.0, 20.0]),
        ):
            with self.subTest(days=days):
                subscription = self.create_subscription([31.0, 62.0])
                draft = self.bill(subscription, "2026-07-01", post=False)
                draft.write(
                    {"invoice_line_ids": [(0, 0, {"name": "Fee", "price_unit": 7.0})]}
                )
                draft.invoice_line_ids.tax_ids = False
                self.cancel_lines_together(subscription, *days)
                invoices = subscription._get_invoices()
                self.assertNotIn("draft", invoices.mapped("state"))
                lines = invoices.filtered(
                    lambda move: move.state == "posted"
                ).invoice_line_ids
                self.assertEqual(
                    sorted(lines.mapped("price_subtotal")), sorted([7.0, *totals])
                )

    def test_the_last_line_takes_along_what_an_ended_one_left(self):
        """C9: July of the first line was served, and waits on the draft."""
        subscription = self.create_subscription([31.0, 62.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        first, last = subscription.sale_subscription_line_ids
        self.cancel(subscription, "2026-07-31", line_ids=first.ids)
        self.assertEqual((draft.state, draft.amount_total), ("draft", 93.0))
        self.cancel(subscription, line_ids=last.ids)
        self.assertEqual((draft.state, draft.amount_total), ("posted", 93.0))

    def test_undo_on_the_same_day_takes_it_all_back(self):
        """B15, C9: late billing goes on as if nothing had happened."""
        self.travel_to("2026-08-10")
        step = self.settle()[0]
        self.subscription.reactivate_subscription()
        self.assertTrue(step.move_id.is_taken_back)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")
        invoice = self.bill(self.subscription, "2026-08-10")
        self.assertEqual(invoice.amount_total, 31.0)

    def test_undo_of_a_line_on_a_shared_draft_bills_every_day_once(self):
        """B15, C9: $31 for July, whether it was invoiced or dropped."""
        for mode in ("invoice", "drop"):
            with self.subTest(mode):
                subscription = self.create_subscription([31.0, 62.0])
                self.bill(subscription, "2026-07-01", post=False)
                line = subscription.sale_subscription_line_ids[0]
                self.cancel(
                    subscription,
                    "2026-07-10",
                    line_ids=line.ids,
                    unbilled_charges=mode,
                )
                subscription.cancellation_ids.action_undo()
                items = self.env["account.move.line"].search(
                    [("subscription_line_id", "=", line.id)]
                )
                balance = sum(
                    item.price_subtotal
                    * (1 if item.move_id.move_type == "out_invoice" else -1)
                    for item in items.filtered(
                        lambda item: item.parent_state != "cancel"
                    )
                )
                self.assertEqual(balance, 31.0)

    def test_orphan_drafts_of_the_same_days_are_invoiced_once(self):
        """C9: upstream leaves one more every night where posting fails."""
        subscription = self.create_subscription([31.0])
        for _night in range(3):
            subscription.recurring_next_date = "2026-07-01"
            self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10")
        posted = subscription._get_invoices().filtered(
            lambda move: move.state == "posted"
        )
        self.assertEqual(posted.mapped("amount_total"), [10.0])

    def test_nothing_beyond_a_fixed_term_is_invoiced(self):
        """C9, B16: the month is over, the scheduled action is late."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        subscription = self.create_subscription(template=template)
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-08-15")
        preview = subscription.preview_cancellation(timing="immediate")
        kinds = [part["kind"] for part in preview["settlement"]]
        self.assertNotIn("unbilled", kinds)

    def test_new_term_does_not_bill_posted_days_again(self):
        """B15, C9: July is paid, the draft of August was dropped."""
        self.bill(self.subscription, "2026-07-05", post=False)
        self.cancel(self.subscription, "2026-07-10", refund_mode="none")
        self.subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")

    def test_new_term_bills_extra_days_that_were_taken_back(self):
        """B13, B15, C9: charged to 8 August, moved back, ended on the 2nd."""
        subscription = self.subscription
        self.cancel(subscription, timing="end_of_period")
        for day in ("2026-08-08", "2026-08-04"):
            subscription.postpone_cancellation(
                requested_date=day, charge_extension=True
            )
        self.travel_to("2026-08-02")
        subscription.revoke_cancellation()
        self.cancel(subscription)
        subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(str(subscription.recurring_next_date), "2026-08-03")

    def test_undo_brings_the_draft_back(self):
        """B15, C9: the draft is a draft again, its replacement is credited."""
        subscription = self.create_subscription([31.0])
        draft = self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10")
        replacement = self.steps(subscription, "unbilled").move_id
        subscription.reactivate_subscription()
        self.assertEqual(draft.state, "draft")
        self.assertEqual(replacement.payment_state, "reversed")
        self.assertEqual(str(subscription.recurring_next_date), "2026-08-01")

    def test_new_term_after_a_draft_was_replaced_bills_from_today(self):
        """B15, C9: what was not served was not billed either."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription, "2026-07-01", post=False)
        self.cancel(subscription, "2026-07-10")
        subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(str(subscription.recurring_next_date), "2026-07-11")


@tagged("post_install", "-at_install")
class TestAdvanceInvoices(SettlementCase):
    def setUp(self):
        super().setUp()
        self.august = self.bill(self.subscription, "2026-07-02")
        self.september = self.bill(self.subscription, "2026-07-03")
        self.travel_to("2026-07-10")

    def schedule(self, day="2026-07-31", **policy):
        self.get_default_policy().write({"advance_credit": "at_scheduling", **policy})
        self.cancel(self.subscription, timing="specific_date", requested_date=day)
        return self.subscription.cancellation_ids

    def get_left(self):
        """Return what is left of all that was billed."""
        invoices = self.subscription._get_invoices()
        return sum(invoices.mapped("amount_total")) - sum(
            self.credit_memos(self.subscription).mapped("amount_total")
        )

    def test_credited_at_the_end_unless_the_policy_says_otherwise(self):
        """C3: nothing at scheduling, everything beyond at the end."""
        cancellation = self.schedule(advance_credit="at_end")
        self.assertFalse(cancellation.credit_note_ids)
        self.travel_to("2026-08-01")
        cancellation._execute_batch()
        self.assertEqual(
            cancellation.credit_note_ids.reversed_entry_id,
            self.august | self.september,
        )

    def test_credited_when_scheduled(self):
        """C3: cycles wholly beyond the date at once, the rest at the end."""
        cancellation = self.schedule("2026-08-10")
        self.assertEqual(
            cancellation.credit_note_ids.mapped("amount_total"), [31.0], "September"
        )
        self.travel_to("2026-08-11")
        cancellation._execute_batch()
        self.assertEqual(
            sorted(cancellation.credit_note_ids.mapped("amount_total")), [21.0, 31.0]
        )
        self.assertEqual(cancellation.credit_total, 52.0)

    def test_never_credited_twice(self):
        """C3, C4: what was credited in advance is not credited at the end."""
        cancellation = self.schedule()
        self.assertEqual(self.get_left(), 31.0)
        self.travel_to("2026-08-01")
        cancellation._execute_batch()
        self.assertEqual(len(cancellation.credit_note_ids), 2)
        self.assertEqual(self.get_left(), 31.0)

    def test_revoking_takes_it_back(self):
        """C3, B12: billed again, so that the customer owes what is served."""
        cancellation = self.schedule()
        cancellation._revoke()
        self.assertEqual(self.get_left(), 93.0)
        self.assertEqual(
            len(cancellation.credit_note_ids.reversal_move_ids), 2, "one for each"
        )
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-10-01")
        self.cancel(self.subscription, "2026-07-10")
        self.assertEqual(self.get_left(), 10.0)

    def test_moved_later_takes_back_what_is_served_then(self):
        """C3, B13: end of August: only September is credited."""
        cancellation = self.schedule()
        self.subscription.postpone_cancellation(requested_date="2026-08-31")
        self.assertEqual(self.get_left(), 62.0)
        taken_back = cancellation.credit_note_ids.filtered("reversal_move_ids")
        self.assertEqual(taken_back.reversed_entry_id, self.august, "and only that")
        self.travel_to("2026-09-01")
        cancellation._execute_batch()
        self.assertEqual(self.get_left(), 62.0)

    def test_moved_earlier_credits_more(self):
        """C3, B13: end of July instead of August."""
        self.schedule("2026-08-31")
        self.assertEqual(self.get_left(), 62.0)
        self.subscription.postpone_cancellation(requested_date="2026-07-31")
        self.assertEqual(self.get_left(), 31.0)

    def test_refused_after_all_takes_it_back(self):
        """C3: scheduled, held above the limit, refused."""
        cancellation = self.schedule()
        engine = cancellation._as_engine()
        engine._set_state("to_approve", approval_reason="the credit is above $1")
        self.get_default_policy().allow_own_approval = True
        cancellation._refuse("No.")
        self.assertEqual(self.get_left(), 93.0)

    def test_another_cancellation_does_not_take_the_lines_over(self):
        """C3: one clear sentence, and nothing changed."""
        subscription = self.create_subscription([31.0, 62.0])
        for day in ("2026-07-01", "2026-07-02"):
            self.bill(subscription, day)
        self.get_default_policy().advance_credit = "at_scheduling"
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription,
            "2026-07-10",
            timing="specific_date",
            requested_date="2026-07-20",
            line_ids=line.ids,
        )
        self.subscription = subscription
        with self.assertRaisesRegex(UserError, "already credited advance invoices"):
            self.cancel(subscription, timing="immediate")

    def test_the_preview_says_it(self):
        """C3, D5: so much of it at once."""
        self.get_default_policy().advance_credit = "at_scheduling"
        plan = self.subscription._plan_cancellation(
            {"timing": "specific_date", "requested_date": "2026-07-31"}, "backend"
        )
        sentences = plan._get_preview_sentences(plan._get_outlook())
        self.assertIn("is credited at once", " ".join(sentences))


@tagged("post_install", "-at_install")
class TestSettlementOptions(SettlementCase):
    def test_every_option_comes_from_the_policy_and_may_be_overridden(self):
        """D1, D2: on the record, under its own name."""
        policy = self.get_default_policy()
        for option, (default, other) in SETTLEMENT_OPTIONS.items():
            with self.subTest(option):
                policy[option] = other
                subscription = self.create_subscription([31.0])
                self.cancel(subscription)
                self.assertEqual(subscription.cancellation_ids[option], other)
                subscription = self.create_subscription([31.0])
                self.cancel(subscription, **{option: default})
                self.assertEqual(subscription.cancellation_ids[option], default)

    def test_a_refused_override_is_a_clear_error(self):
        """D2: each option."""
        policy = self.get_default_policy()
        for option, (_default, other) in SETTLEMENT_OPTIONS.items():
            with self.subTest(option):
                policy[f"allow_override_{option}"] = False
                with self.assertRaisesRegex(UserError, f"does not allow.*{option}"):
                    self.cancel(self.subscription, **{option: other})

    def test_values_that_make_no_sense_are_refused(self):
        """E3: each option names what it takes."""
        for option, value in {
            "unpaid_invoices": "burn",
            "unbilled_charges": 1,
            "credit_settlement": "",
            "apply_credits": "yes",
            "send_confirmation": 1,
        }.items():
            with self.subTest(option), self.assertRaisesRegex(UserError, "not a value"):
                self.cancel(self.subscription, **{option: value})

    def test_the_preview_is_what_happens(self):
        """D5: kinds, amounts and texts, for every combination of settings."""
        self.pay_online(self.invoice, 20.0)
        self.travel_to("2026-08-10")
        for settlement in ("keep", "refund"):
            for unpaid in ("keep", "collect"):
                with self.subTest(settlement=settlement, unpaid=unpaid):
                    self.check_preview(
                        credit_settlement=settlement,
                        unpaid_invoices=unpaid,
                        refund_mode="full",
                    )

    def check_preview(self, **options):
        with self.env.cr.savepoint() as savepoint:
            planned = [part[:2] for part in self.preview(**options)]
            steps = self.settle(**options)
            self.assertEqual(planned, [(step.kind, step.amount) for step in steps])
            self.assertEqual(set(steps.mapped("state")), {"done"})
            savepoint.rollback()
        self.env.invalidate_all()

    def test_a_changed_settlement_is_named(self):
        """D5: the invoice was paid after the preview."""
        preview = self.subscription.preview_cancellation(timing="immediate")
        self.pay(self.invoice)
        with self.assertRaisesRegex(UserError, "Settlement is now"):
            self.cancel(self.subscription, fingerprint=preview["fingerprint"])

    def test_another_payment_method_is_another_settlement(self):
        """D5: same kind, same amount, but to be charged to another card."""
        self.create_token(self.partner)
        options = {"timing": "immediate", "unpaid_invoices": "collect"}
        preview = self.subscription.preview_cancellation(**options)
        self.create_token(self.partner)
        with self.assertRaisesRegex(UserError, "Settlement is now"):
            self.cancel(
                self.subscription, fingerprint=preview["fingerprint"], **options
            )

    def test_salespeople_preview_without_reading_invoices(self):
        """D5: names and amounts only."""
        self.pay_online(self.invoice)
        user = self.create_user(SALESPERSON)
        subscription = self.subscription.with_user(user)
        options = {"credit_settlement": "refund", "apply_credits": True}
        preview = subscription.preview_cancellation(timing="immediate", **options)
        self.assertEqual(preview["settlement"][0]["amount"], 21.0)
        self.cancel(subscription, **options)
        self.assertEqual(self.steps(self.subscription, "refund").state, "pending")

    def test_the_customer_is_told(self):
        """D7: by mail, with the summary as a PDF, once."""
        self.partner.email = "azure@example.com"
        self.settle(comment="A difficult customer.")
        step = self.steps(self.subscription, "confirm")
        self.assertEqual(step.state, "done")
        mail = step.cancellation_id.message_ids.filtered("attachment_ids")
        self.assertEqual(mail.partner_ids, self.partner)
        # Odoo renders reports as HTML in tests.
        self.assertEqual(len(mail.attachment_ids), 1)
        document = mail.attachment_ids.raw.decode()
        self.assertIn(self.subscription.display_name, document)
        self.assertNotIn("difficult", document)
        self.assertNotIn("Requested by", document)
        self.assertIn("ends on July 10, 2026.", mail.body)
        self.assertIn(f"Reduces invoice {self.invoice.name}", mail.body)
        self.run_steps(self.subscription)
        self.assertEqual(
            len(step.cancellation_id.message_ids.filtered("attachment_ids")), 1
        )

    def test_undo_gives_up_what_has_not_begun(self):
        """B15, C6: nothing is refunded of a cancellation that was undone."""
        paid = self.pay_online(self.invoice)
        self.cancel(self.subscription, credit_settlement="refund")
        self.subscription.reactivate_subscription()
        self.run_steps(self.subscription)
        step = self.steps(self.subscription, "refund")
        self.assertEqual(step.state, "skipped")
        self.assertFalse(paid.child_transaction_ids)

    def test_undo_after_the_refund_makes_the_customer_owe_it(self):
        """B15, C6: the money went back, so the taken back credit is due."""
        self.pay_online(self.invoice)
        self.settle(credit_settlement="refund")
        self.subscription.reactivate_subscription()
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.reversal_move_ids.amount_residual, 21.0)
