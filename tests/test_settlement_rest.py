# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every cent of a credit has a step, also where the plan was overtaken (C5-C7, D5)."""

from odoo.tests import tagged

from .test_settlement import SettlementCase

REFUND = {"apply_credits": True, "credit_settlement": "refund"}


class RestCase(SettlementCase):
    def create_invoice(self, amount, day="2026-06-01", **values):
        """Return another open invoice of the customer."""
        return self.init_invoice(
            "out_invoice",
            partner=self.partner,
            amounts=[amount],
            invoice_date=day,
            post=True,
            **values,
        )

    def request(self, **options):
        self.cancel(self.subscription, **{**REFUND, **options})

    def run_all(self):
        """Take the steps; return them without the confirmation."""
        steps = self.run_steps(self.subscription)
        return steps.filtered(lambda step: step.kind != "confirm").sorted(
            lambda step: (step.sequence, step.id)
        )

    def assert_steps(self, expected, subscription=None):
        subscription = subscription or self.subscription
        steps = self.run_steps(subscription).filtered(
            lambda step: step.kind != "confirm"
        )
        found = self.values(steps.sorted(lambda step: (step.sequence, step.id)))
        self.assertEqual(found, expected)
        for memo in self.credit_memos(subscription):
            kept = sum(
                step.amount
                for step in steps
                if step.kind == "keep" and step.source_move_id == memo
            )
            self.assertEqual(memo.amount_residual, kept, "what no step speaks of")


@tagged("post_install", "-at_install")
class TestSeveralCreditMemos(RestCase):
    def test_each_is_used_as_planned(self):
        """C6, C7, D5: July and August are credited with 21 and 31; 25 are applied."""
        august = self.bill(self.subscription, "2026-07-02")
        self.travel_to("2026-07-10")
        self.create_invoice(25.0)
        for invoice in (self.invoice, august):
            self.pay_online(invoice)
        for settlement in ("keep", "refund"):
            expected = [("apply_credits", 25.0), (settlement, 27.0)]
            with self.subTest(settlement), self.env.cr.savepoint() as savepoint:
                options = {"apply_credits": True, "credit_settlement": settlement}
                planned = self.preview(**options)
                self.assertEqual([part[:2] for part in planned], expected)
                self.request(**options)
                self.assert_steps([(kind, "done", n) for kind, n in expected])
                savepoint.rollback()
            self.env.invalidate_all()

    def test_lines_that_end_together_share_what_was_paid(self):
        """C5, C6: $62 billed, $40 paid, $20 served: 22 reduce, 20 go back."""
        subscription = self.create_subscription([31.0, 31.0])
        invoice = self.bill(subscription, "2026-07-01")
        self.pay_online(invoice, 40.0)
        for line in subscription.sale_subscription_line_ids:
            self.cancel(
                subscription,
                timing="specific_date",
                requested_date="2026-07-10",
                line_ids=line.ids,
                credit_settlement="refund",
            )
        self.travel_to("2026-07-11")
        subscription.cancellation_ids._execute_batch()
        self.run_steps(subscription)
        steps = subscription.cancellation_ids.step_ids.filtered(
            lambda step: step.kind != "confirm"
        )
        self.assertCountEqual(
            self.values(steps),
            [
                ("reduce", "done", 21.0),
                ("reduce", "done", 1.0),
                ("refund", "done", 20.0),
            ],
        )

    def test_a_rebate_credits_less(self):
        """C5: 31 - 10 a month, paid: $14.23 are refundable, nothing is reduced."""
        subscription = self.create_subscription([31.0, -10.0])
        self.pay_online(self.bill(subscription, "2026-07-01"))
        self.travel_to("2026-07-10")
        preview = subscription.preview_cancellation(
            timing="immediate", credit_settlement="refund"
        )
        self.assertEqual(preview["reduces_invoices"], 0.0)
        self.assertEqual(preview["refundable"], 14.23)
        self.cancel(subscription, credit_settlement="refund")
        self.assert_steps([("refund", "done", 14.23)], subscription)

    def test_a_rebate_on_an_unpaid_invoice(self):
        """C5: the credit memo as a whole reduces what is due."""
        subscription = self.create_subscription([31.0, -10.0])
        self.bill(subscription, "2026-07-01")
        self.cancel(subscription, "2026-07-10")
        self.assert_steps(
            [("reduce", "done", 14.23), ("keep", "done", 6.77)], subscription
        )

    def test_a_draft_in_advance_is_still_to_reduce(self):
        """C3, C8: nothing stays due of an invoice that a draft credits in full."""
        policy = self.get_default_policy()
        policy.write({"advance_credit": "at_scheduling", "post_credit_memos": False})
        self.bill(self.subscription, "2026-07-02")
        self.travel_to("2026-07-10")
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-31"
        )
        self.travel_to("2026-08-01")
        self.subscription.cancellation_ids._execute_batch()
        kept = self.steps(self.subscription, "keep")
        self.assertEqual(kept.source_move_id, self.invoice)


@tagged("post_install", "-at_install")
class TestOldestDueFirst(RestCase):
    def test_what_is_invoiced_now_has_its_place(self):
        """C7, C9, D5: due today, before an invoice that is due next year."""
        later = self.create_invoice(50.0)
        later.invoice_date_due = "2027-01-01"
        self.pay(self.invoice, 36.0)  # $5 too much
        self.travel_to("2026-08-10")
        planned = self.preview(apply_credits=True)
        self.assertIn(("apply_credits", 5.0, "Will pay what is invoiced now"), planned)
        self.request()
        steps = self.run_all()
        self.assertEqual(steps[0].move_id.amount_residual, 5.0)
        self.assertEqual(later.amount_residual, 50.0)


@tagged("post_install", "-at_install")
class TestOvertakenPlans(RestCase):
    """Between the plan and the step somebody else does something."""

    def setUp(self):
        super().setUp()
        self.other = self.create_invoice(12.0)

    def test_the_customer_paid_the_other_invoice(self):
        """C6, C7: nothing to apply: all of it is refunded."""
        self.pay_online(self.invoice)
        self.request()
        self.pay(self.other)
        self.assert_steps(
            [
                ("apply_credits", "skipped", 0.0),
                ("refund", "done", 9.0),
                ("refund", "done", 12.0),
            ]
        )
        [applied] = self.steps(self.subscription, "apply_credits")
        self.assertIn("Nothing is due any more", applied.note)

    def test_the_other_invoice_was_blocked(self):
        """C7: the step says why."""
        self.pay_online(self.invoice)
        self.request()
        self.other.action_toggle_block_payment()
        self.assert_steps(
            [
                ("apply_credits", "skipped", 0.0),
                ("refund", "done", 9.0),
                ("refund", "done", 12.0),
            ]
        )
        self.assertIn("blocked", self.steps(self.subscription, "apply_credits").note)

    def test_somebody_skips_the_application(self):
        """C7: what it leaves follows the policy, too."""
        self.pay_online(self.invoice)
        self.request()
        self.steps(self.subscription, "apply_credits").action_skip()
        self.assert_steps(
            [
                ("apply_credits", "skipped", 12.0),
                ("refund", "done", 9.0),
                ("refund", "done", 12.0),
            ]
        )

    def test_what_is_kept_grows(self):
        """C7: the same where the policy keeps credits."""
        self.pay(self.invoice)
        self.request(credit_settlement="keep")
        self.pay(self.other)
        self.assert_steps(
            [
                ("apply_credits", "skipped", 0.0),
                ("keep", "done", 9.0),
                ("keep", "done", 12.0),
            ]
        )

    def test_the_invoice_was_paid_before_the_draft_was_posted(self):
        """C5, C6: nothing left to reduce, so that all is refundable."""
        self.get_default_policy().post_credit_memos = False
        self.pay_online(self.invoice, 20.0)
        self.request(apply_credits=False)
        self.pay_online(self.invoice)
        self.credit_memos(self.subscription).action_post()
        self.assert_steps(
            [
                ("reduce", "skipped", 0.0),
                ("refund", "done", 10.0),
                ("refund", "done", 11.0),
            ]
        )

    def test_an_accountant_changed_the_draft(self):
        """C6: 25 instead of 21 were credited."""
        self.get_default_policy().post_credit_memos = False
        self.pay_online(self.invoice)
        self.request(apply_credits=False)
        memo = self.credit_memos(self.subscription)
        memo.invoice_line_ids.write({"extra_tax_data": False, "price_unit": 25.0})
        memo.action_post()
        self.assert_steps([("refund", "done", 21.0), ("refund", "done", 4.0)])

    def test_two_cancellations_and_one_open_invoice(self):
        """C7: $42 of credit, $30 open: the first pays it all, the rest goes back."""
        self.pay(self.other)
        self.create_invoice(30.0)
        second = self.create_subscription([31.0], partner_id=self.partner.id)
        for invoice in (self.invoice, self.bill(second, "2026-07-01")):
            self.pay_online(invoice)
        for subscription in (self.subscription, second):
            self.cancel(subscription, "2026-07-10", **REFUND)
        self.assert_steps([("apply_credits", "done", 30.0)])
        self.assert_steps(
            [("apply_credits", "skipped", 0.0), ("refund", "done", 12.0)], second
        )

    def test_a_cancelled_draft_pays_nothing(self):
        """C7: one sentence, no error, nothing left to do."""
        self.get_default_policy().post_credit_memos = False
        self.pay_online(self.invoice)
        self.request()
        self.run_all()
        self.credit_memos(self.subscription).button_cancel()
        steps = self.run_all()
        self.assertEqual(set(steps.mapped("state")), {"skipped"})
        self.assertEqual(self.subscription.cancellation_ids.settlement_state, "done")

    def test_what_is_promised_to_somebody_pays_nothing(self):
        """C6, C7: $21 to be paid back by hand are not used by another cancellation."""
        self.pay(self.invoice)
        self.request(apply_credits=False)
        self.run_all()
        second = self.create_subscription([31.0], partner_id=self.partner.id)
        self.pay(self.bill(second, "2026-07-01"))
        self.cancel(second, "2026-07-10", **REFUND)
        self.run_steps(second)
        refund = self.steps(self.subscription, "refund")
        self.assertRecordValues(refund, [{"state": "pending", "amount": 21.0}])
        self.assertEqual(self.credit_memos(self.subscription).amount_residual, 21.0)

    def test_paid_back_by_hand_in_two_payments(self):
        """C6: the step tells all of it."""
        self.pay(self.invoice)
        self.request(apply_credits=False)
        self.run_all()
        memo = self.credit_memos(self.subscription)
        self.pay(memo, 8.0)
        self.run_all()
        self.pay(memo, 13.0)
        self.assert_steps([("refund", "done", 21.0)])

    def test_never_more_is_charged_than_announced(self):
        """C8, D5: $10 are announced; the credit memo is taken off the invoice."""
        self.create_token(self.partner)
        self.request(apply_credits=False, unpaid_invoices="collect")
        memo = self.credit_memos(self.subscription)
        memo.line_ids.remove_move_reconcile()
        self.books_fit = False
        self.run_all()
        self.assertEqual(
            self.steps(self.subscription, "collect").transaction_id.amount, 10.0
        )


@tagged("post_install", "-at_install")
class TestNeverTwice(RestCase):
    """What was given back is given back, whatever becomes of its documents."""

    def test_a_refund_whose_payment_somebody_unreconciled(self):
        """C6: the card is not refunded again, nor is an accountant asked to."""
        august = self.bill(self.subscription, "2026-07-02")
        self.travel_to("2026-07-10")
        self.pay_online(self.invoice)
        self.pay(august)
        self.request(apply_credits=False)
        self.run_all()
        [refund] = self.steps(self.subscription, "refund").filtered("transaction_id")
        refund.source_move_id.line_ids.remove_move_reconcile()
        # Credit memo and payment are both open, which the checker has to say.
        self.books_fit = False
        by_hand = self.steps(self.subscription, "refund") - refund
        by_hand.action_retry()
        for memo in self.credit_memos(self.subscription):
            memo.cancellation_id._as_engine()._balance_credits()
        self.run_all()
        refunds = self.steps(self.subscription, "refund")
        self.assertEqual(len(refunds), 2)
        self.assertEqual(refunds.transaction_id, refund.transaction_id)
        self.assertFalse(self.steps(self.subscription, "keep"))

    def test_a_refund_without_a_journal_entry(self):
        """C6: where payments are only booked with the bank statement."""
        self.pay_online(self.invoice)
        lines = self.get_provider().journal_id.inbound_payment_method_line_ids
        lines |= self.get_provider().journal_id.outbound_payment_method_line_ids
        lines.payment_account_id = False
        self.patch(
            type(self.invoice), "_get_invoice_in_payment_state", lambda _: "in_payment"
        )
        self.request(apply_credits=False)
        self.run_all()
        self.subscription.cancellation_ids._as_engine()._balance_credits()
        self.run_all()
        done = self.steps(self.subscription, "refund").transaction_id
        self.assertEqual(len(done), 1)
        self.assertFalse(self.steps(self.subscription, "keep"))

    def test_part_payments_by_hand_beside_what_is_kept(self):
        """C6: $11 of 21 are refundable; 5 and 6 are paid, and no more is asked for."""
        self.pay(
            self.invoice,
            21.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.request(apply_credits=False)
        self.run_all()
        [step] = self.steps(self.subscription, "refund")
        self.assertEqual(step.amount, 11.0)
        memo = self.credit_memos(self.subscription)
        self.pay(memo, 5.0)
        self.run_all()
        self.assertIn("6.00", step.note)
        self.pay(memo, 6.0)
        self.run_all()
        self.assertRecordValues(step, [{"state": "done", "amount": 11.0}])
        self.assertEqual(memo.amount_residual, 10.0)

    def test_a_refused_refund_of_what_was_undone(self):
        """B15, C6: it was on its way; nothing is sent anew."""
        paid = self.pay_online(self.invoice)
        self.patch(
            type(paid),
            "_send_refund_request",
            lambda transaction: transaction._set_pending(),
        )
        self.request(apply_credits=False)
        self.run_all()
        [step] = self.steps(self.subscription, "refund")
        # Beyond the paid period: the credit stays.
        self.travel_to("2026-08-20")
        self.subscription.reactivate_subscription()
        step.transaction_id._set_error("Refused")
        step._as_engine().next_attempt_at = "2026-08-20"
        self.run_all()
        self.assertEqual(step.state, "skipped")
        self.assertEqual(len(paid.child_transaction_ids), 1)

    def test_a_reviewed_draft_that_was_looked_at_before(self):
        """C6: the step has waited; then 25 instead of 21 were posted."""
        self.get_default_policy().post_credit_memos = False
        self.pay_online(self.invoice)
        self.request(apply_credits=False)
        self.run_all()
        memo = self.credit_memos(self.subscription)
        memo.invoice_line_ids.write({"extra_tax_data": False, "price_unit": 25.0})
        memo.action_post()
        self.assert_steps([("refund", "done", 21.0), ("refund", "done", 4.0)])

    def test_skipped_while_the_memo_is_a_draft(self):
        """C6, C7: what is not applied gets its step when the memo is posted."""
        self.get_default_policy().post_credit_memos = False
        self.create_invoice(100.0)
        self.pay_online(self.invoice)
        self.request()
        self.steps(self.subscription, "apply_credits").action_skip()
        self.credit_memos(self.subscription).action_post()
        self.assert_steps(
            [("apply_credits", "skipped", 21.0), ("refund", "done", 21.0)]
        )
