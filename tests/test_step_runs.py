# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Taking the steps that follow a cancellation: order, retries, buttons, rights."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, LockError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.models.settlement import (
    running as steps_module,
)
from odoo.addons.subscription_cancellation.models.settlement import step as step_module

from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    INVOICING,
    SALESPERSON,
    CancellationCase,
)

MODELS = "odoo.addons.subscription_cancellation.models"
STEP_LOGGER = f"{MODELS}.settlement.step"
PAYMENT_LOGGER = f"{STEP_LOGGER}_payment"
#: What a person may say about a transaction that nobody knows of.
DECISIONS = "action_send_again", "action_was_done"


class StepCase(CancellationCase):
    """Subscriptions that ended on 2026-07-10: $31 billed, $21 of it credited."""

    def setUp(self):
        super().setUp()
        self.provider = self.get_provider()
        self.accountant = self.create_user(INVOICING, login="accountant")
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager"
        )
        self.salesperson = self.create_user(
            SALESPERSON, CANCELLATION_USER, login="sales"
        )

    def create_customer_with_email(self, **values):
        return self.create_customer(email="azure@example.com", **values)

    def end_unpaid(self, token_state="done", **options):
        """End an unpaid subscription; return the step that collects the rest."""
        subscription = self.create_subscription(
            partner_id=self.create_customer_with_email().id
        )
        self.create_token(subscription.partner_id, token_state)
        self.bill(subscription, "2026-07-01")
        options = {"unpaid_invoices": "collect", **options}
        self.cancel(subscription, "2026-07-10", **options)
        return self.steps(subscription, "collect")

    def end_paid(self, partner_id=None, **options):
        """End a subscription that was paid online; return its cancellation."""
        partner_id = partner_id or self.create_customer_with_email().id
        subscription = self.create_subscription(partner_id=partner_id)
        self.pay_online(self.bill(subscription, "2026-07-01"))
        options = {"credit_settlement": "refund", **options}
        self.cancel(subscription, "2026-07-10", **options)
        return subscription.cancellation_ids.sudo()

    def end_with_draft_memo(self):
        """End what was paid; its credit is to pay $15.50, but is not posted yet."""
        self.get_default_policy().post_credit_memos = False
        customer = self.create_customer_with_email()
        open_one = self.create_subscription([15.5], partner_id=customer.id)
        self.bill(open_one, "2026-07-01")
        return self.end_paid(apply_credits=True, partner_id=customer.id)

    def get_step(self, cancellation, kind):
        return cancellation.step_ids.filtered(lambda step: step.kind == kind)

    def take(self, step):
        """Take what is due of the step's cancellation."""
        step.cancellation_id._run_steps()

    def get_transactions(self, step):
        """Return what was made for a step, the oldest one first."""
        transactions = self.env["payment.transaction"].sudo()
        return transactions.search([("cancellation_step_id", "=", step.id)], order="id")


@tagged("post_install", "-at_install")
class TestStepRuns(StepCase):
    # === TWO AT ONCE === #

    def test_what_another_worker_is_at_is_left_to_it(self):
        """C8: it holds a lock of its session, whatever it commits in between."""
        step = self.end_unpaid()
        key = [steps_module.LOCK_SPACE, step.cancellation_id.id]
        with self.registry.cursor() as other:
            other.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
            other.commit()
            self.take(step)
            self.assertRecordValues(step, [{"state": "pending", "attempts": 0}])
            self.assertFalse(self.get_transactions(step))
            other.execute("SELECT pg_advisory_unlock(%s, %s)", key)
        self.take(step)
        self.assertRecordValues(step, [{"state": "done", "attempts": 1}])

    def test_the_lock_is_given_back(self):
        """C8: whatever came of the steps, the next worker can take them."""
        for state in ("done", "error"):
            step = self.end_unpaid(state)
            self.take(step)
            with self.registry.cursor() as other:
                key = [steps_module.LOCK_SPACE, step.cancellation_id.id]
                other.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
                [is_free] = other.fetchone()
                self.assertTrue(is_free)

    # === RETRIES === #

    def test_a_step_is_tried_again_ever_later_and_then_somebody_looks(self):
        """C8: a refused collection; one activity after the last attempt."""
        step = self.end_unpaid("error")
        delays = []
        for attempt in range(1, step_module.MAX_ATTEMPTS + 1):
            self.take(step)
            self.assertRecordValues(step, [{"state": "failed", "attempts": attempt}])
            self.assertIn("the invoice stays due", step.error)
            if step.next_attempt_at:
                delays.append(step.next_attempt_at - fields.Datetime.now())
                self.assertFalse(step.cancellation_id.activity_ids)
                self.travel_to(step.next_attempt_at)
        self.assertEqual(tuple(delays), step_module.RETRY_DELAYS)
        self.assertEqual(sorted(delays), delays)
        self.assertFalse(step.next_attempt_at)
        self.assertEqual(len(step.cancellation_id.activity_ids), 1)
        self.assertEqual(len(self.get_transactions(step)), step_module.MAX_ATTEMPTS)
        self.assertEqual(step.source_move_id.amount_residual, 10.0)

    def test_before_its_time_a_failed_step_is_left_alone(self):
        """C8: and so is one that a person has to look at."""
        step = self.end_unpaid("error")
        self.take(step)
        self.travel_to(step.next_attempt_at - timedelta(seconds=1))
        self.take(step)
        self.assertEqual(step.attempts, 1)
        step._as_engine().next_attempt_at = False
        self.travel_to("2026-12-01")
        self.take(step)
        self.assertEqual(step.attempts, 1)

    def test_what_worked_in_the_end_needs_nobody_any_more(self):
        """C8: the activity goes with the failure."""
        step = self.end_unpaid("error")
        for _attempt in range(step_module.MAX_ATTEMPTS):
            self.take(step)
            self.travel_to(step.next_attempt_at or fields.Datetime.now())
        self.assertTrue(step.cancellation_id.activity_ids)
        self.create_token(step.source_move_id.partner_id)
        step.with_user(self.accountant).action_retry()
        self.assertRecordValues(
            step, [{"state": "done", "amount": 10.0, "error": False}]
        )
        self.assertEqual(step.source_move_id.amount_residual, 0.0)
        self.assertFalse(step.cancellation_id.activity_ids)
        self.assertEqual(step.cancellation_id.settlement_state, "done")

    @mute_logger(STEP_LOGGER)
    def test_an_unexpected_error_is_recorded_and_stops_no_other_step(self):
        """C8: never silent, and the confirmation goes out nevertheless."""
        step = self.end_unpaid()

        def break_down(step):
            raise ZeroDivisionError("division by zero")

        self.patch(self.registry[step._name], "_do_collect", break_down)
        self.take(step)
        self.assertEqual(step.state, "failed")
        self.assertIn("Unexpected error: division by zero", step.error)
        confirmation = self.get_step(step.cancellation_id, "confirm")
        self.assertEqual(confirmation.state, "done")

    def test_what_somebody_else_holds_has_not_failed(self):
        """C8: it is left to later, as where the database says so."""
        step = self.end_unpaid()

        def be_held(step):
            raise LockError("Cannot grab a lock on records")

        self.patch(self.registry[step._name], "_do_collect", be_held)
        with self.assertRaises(LockError), self.env.cr.savepoint():
            self.take(step)
        self.assertEqual((step.state, step.error), ("pending", False))

    # === ORDER === #

    def test_a_refund_waits_until_credits_have_paid_open_invoices(self):
        """C7, C12: and both wait for the accountant who posts the credit memo."""
        cancellation = self.end_with_draft_memo()
        apply, refund, confirm = (
            self.get_step(cancellation, kind)
            for kind in ("apply_credits", "refund", "confirm")
        )
        cancellation._run_steps()
        self.assertIn("Waits until", apply.note)
        self.assertEqual(apply.attempts, 1)
        # The customer is told without waiting for the accountant.
        self.assertEqual((refund.attempts, confirm.attempts), (0, 1))
        cancellation.credit_note_ids.action_post()
        self.travel_to(apply.next_attempt_at)
        cancellation._run_steps()
        self.assertRecordValues(
            apply | refund | confirm,
            [
                {"state": "done", "amount": 15.5},
                {"state": "done", "amount": 5.5},
                {"state": "done", "amount": 0.0},
            ],
        )

    def test_the_confirmation_waits_until_the_others_were_tried(self):
        """D7: a failed collection does not hold it back, one to be tried does."""
        step = self.end_unpaid("error")
        confirmation = self.get_step(step.cancellation_id, "confirm")
        step._as_engine().next_attempt_at = "2026-07-11"
        self.take(step)
        self.assertEqual(confirmation.state, "pending")
        self.travel_to("2026-07-11")
        self.take(step)
        self.assertEqual(step.state, "failed")
        self.assertEqual(confirmation.state, "done")

    # === SCHEDULED ACTION === #

    def run_scheduled_action(self):
        """Run it as the scheduler does, with commits that the test can roll back."""
        action = self.env.ref("subscription_cancellation.ir_cron_run_steps")
        with self.enter_registry_test_mode():
            action.method_direct_trigger()
        self.env.invalidate_all()

    def test_the_scheduled_action_takes_what_is_due(self):
        """C6, C8: of all cancellations, a broken neighbour's included."""
        refund = self.get_step(self.end_paid(), "refund")
        broken, collected = self.end_unpaid("error"), self.end_unpaid()
        later = self.end_unpaid()
        later._as_engine().next_attempt_at = "2026-07-20"
        self.run_scheduled_action()
        self.assertRecordValues(
            refund | broken | collected | later,
            [
                {"state": "done", "amount": 21.0, "attempts": 1},
                {"state": "failed", "amount": 10.0, "attempts": 1},
                {"state": "done", "amount": 10.0, "attempts": 1},
                {"state": "pending", "amount": 10.0, "attempts": 0},
            ],
        )

    def test_what_has_to_wait_does_not_keep_the_scheduled_action_busy(self):
        """C7: a refund that is due but waits for another step is no work left."""
        self.end_with_draft_memo()
        runs = self.count_runs()
        self.run_scheduled_action()
        self.assertEqual(len(runs), 1)

    def count_runs(self):
        """Return a list that grows with every run of the scheduled action."""
        model = self.registry["subscription.cancellation"]
        original, runs = model._cron_run_steps, []

        def count(records, **kwargs):
            runs.append(1)
            return original(records, **kwargs)

        self.patch(model, "_cron_run_steps", count)
        return runs

    def test_looking_for_work_costs_the_same_however_much_waits(self):
        """C8: what is not due is not even read."""
        counts = []
        for number in (1, 5):
            for _number in range(number):
                self.end_unpaid()
            waiting = self.env["subscription.cancellation.step"].search(
                [("state", "=", "pending")]
            )
            waiting._as_engine().next_attempt_at = "2026-08-01"
            counts.append(min(self.count_queries() for _attempt in range(3)))
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 2)

    def count_queries(self):
        """Return the queries of the scheduled action when nothing is due."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["subscription.cancellation"]._cron_run_steps()
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestStepButtons(StepCase):
    """What people may do with a step, and who."""

    def end_refused(self):
        """Return a step whose collection was refused."""
        step = self.end_unpaid("error")
        self.take(step)
        return step

    @mute_logger(PAYMENT_LOGGER)
    def end_unknown(self):
        """Return a step whose transaction got lost on its way."""
        step = self.end_unpaid()

        def lose(transaction):
            raise ConnectionResetError("Connection reset by peer")

        self.patch_provider(lose)
        self.take(step)
        self.assertRecordValues(step, [{"state": "failed", "is_unknown": True}])
        return step

    def patch_provider(self, answer):
        model = self.registry["payment.transaction"]
        self.patch(model, "_send_payment_request", answer)

    def listen(self):
        """Return a list that gets the references the provider is sent."""
        references = []

        def accept(transaction):
            references.append(transaction.reference)
            transaction._set_done()

        self.patch_provider(accept)
        return references

    # === RIGHTS === #

    def test_accountants_and_managers_may_repeat_and_skip(self):
        """C8: who looks after money, and who looks after cancellations."""
        for user in (self.accountant, self.manager):
            step = self.end_refused().with_user(user)
            self.assertTrue(step.can_retry and step.can_skip)
            step.action_retry()
            self.assertEqual((step.state, step.attempts), ("failed", 1))
            self.assertEqual(len(self.get_transactions(step)), 2)
            step.action_skip()
            self.assertEqual(step.state, "skipped")
            self.assertEqual(step.note, f"Skipped by {user.name}.")
            self.assertFalse(step.error)

    def test_salespeople_see_but_do_not_touch(self):
        """C8: they are told who does."""
        step = self.end_refused().with_user(self.salesperson)
        self.assertEqual(step.state, "failed")
        self.assertFalse(step.can_retry or step.can_skip)
        for action in ("action_retry", "action_skip"):
            with self.assertRaisesRegex(AccessError, "Only accountants and"):
                getattr(step, action)()

    def test_salespeople_do_not_decide_about_money_on_its_way(self):
        """C8: neither do they register payments."""
        step = self.end_unknown().with_user(self.salesperson)
        for action in (*DECISIONS, "action_register_payment"):
            with self.assertRaisesRegex(AccessError, "Only accountants and"):
                getattr(step, action)()

    # === PROOF === #

    def test_a_step_cannot_be_changed_or_deleted(self):
        """D4: not even by an administrator, or by who claims to be the engine."""
        step = self.end_refused()
        for claim in ({}, {"cancellation_engine": True}):
            records = step.with_context(**claim).sudo()
            with self.assertRaisesRegex(UserError, "part of its proof"):
                records.write({"state": "done"})
            with self.assertRaisesRegex(UserError, "part of its proof"):
                records.unlink()
        for user in (self.accountant, self.manager):
            with self.assertRaises(AccessError):
                step.with_user(user).copy()
        self.assertEqual(step.state, "failed")

    # === REFUSALS === #

    def test_what_is_done_is_not_repeated_or_skipped(self):
        """C6: money moves once."""
        cancellation = self.end_paid()
        cancellation._run_steps()
        step = self.get_step(cancellation, "refund").with_user(self.accountant)
        self.assertFalse(step.can_retry or step.can_skip)
        with self.assertRaisesRegex(UserError, "“Refund” is done already"):
            step.action_retry()
        with self.assertRaisesRegex(UserError, "“Refund” is finished already"):
            step.action_skip()
        self.assertEqual(len(self.get_transactions(step)), 1)

    def test_what_is_on_its_way_is_not_called_back(self):
        """C8: a pending transaction may still take the money."""
        step = self.end_unpaid("pending").with_user(self.accountant)
        self.take(step.sudo())
        self.assertEqual(step.state, "pending")
        self.assertIn("Waits for the answer of", step.note)
        with self.assertRaisesRegex(UserError, "on its way"):
            step.action_skip()

    def test_after_an_undo_nothing_is_repeated(self):
        """B15: what followed the cancellation is given up with it."""
        step = self.end_refused()
        step.cancellation_id.subscription_id.reactivate_subscription()
        self.assertEqual(step.state, "skipped")
        with self.assertRaisesRegex(UserError, "is undone"):
            step.with_user(self.accountant).action_retry()

    def test_a_known_outcome_is_not_decided_by_hand(self):
        """C8: Send Again and Was Done are for what nobody knows."""
        step = self.end_refused().with_user(self.accountant)
        for action in DECISIONS:
            with self.assertRaisesRegex(UserError, "The outcome of “Collect” is known"):
                getattr(step, action)()

    # === NOBODY KNOWS === #

    def test_what_may_have_arrived_is_left_to_a_person(self):
        """C8: no retry by itself or by hand, and somebody is told once."""
        step = self.end_unknown()
        self.assertFalse(step.next_attempt_at)
        self.assertEqual(len(step.cancellation_id.activity_ids), 1)
        self.assertIn("choose Send Again or Was Done", step.error)
        references = self.listen()
        self.travel_to("2026-08-10")
        self.take(step)
        with self.assertRaisesRegex(UserError, "Nobody knows yet"):
            step.with_user(self.accountant).action_retry()
        self.assertFalse(references)

    def test_send_again_sends_the_same_transaction(self):
        """C8: the provider sees the reference it may know already."""
        step = self.end_unknown()
        [transaction] = self.get_transactions(step)
        references = self.listen()
        step.with_user(self.accountant).action_send_again()
        self.assertEqual(references, [transaction.reference])
        self.check_collected(step)

    def test_was_done_books_it_without_sending(self):
        """C8: the provider has the money already."""
        step = self.end_unknown()
        references = self.listen()
        step.with_user(self.manager).action_was_done()
        self.assertFalse(references)
        self.check_collected(step)

    def check_collected(self, step):
        """Assert that the money is booked once, and that nobody has to look."""
        self.assertRecordValues(
            step, [{"state": "done", "is_unknown": False, "error": False}]
        )
        self.assertEqual(len(self.get_transactions(step)), 1)
        self.assertEqual(step.payment_id.amount, 10.0)
        self.assertEqual(step.source_move_id.amount_residual, 0.0)
        self.assertFalse(step.cancellation_id.activity_ids)

    def test_a_late_answer_is_booked_though_somebody_skipped_the_step(self):
        """C8: money that moved is never lost sight of."""
        step = self.end_unpaid("error")
        self.take(step)
        step.with_user(self.accountant).action_skip()
        transaction = self.get_transactions(step)
        transaction._set_done()
        transaction._post_process()
        self.check_collected(step)
