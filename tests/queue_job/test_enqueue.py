# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The scheduled actions only make jobs: which ones, and never two about the same.

Runs in a database with ``subscription_cancellation_queue_job`` (``make test`` does so).
"""

from datetime import timedelta

from odoo import fields
from odoo.api import SUPERUSER_ID
from odoo.exceptions import LockError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job, identity_exact
from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.subscription_cancellation_queue_job.models import (
    subscription_cancellation as cancellation_module,
)

from ..common import CancellationCase

BATCH_SIZE = "subscription_cancellation_queue_job.batch_size"
QUEUE_JOB = "odoo.addons.subscription_cancellation_queue_job.models.queue_job"


@tagged("post_install", "-at_install")
class TestEnqueue(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.due = cls.env["sale.subscription"]
        for _number in range(3):
            cls.due |= cls.end(cls.create_subscription())

    def setUp(self):
        super().setUp()
        self.subscriptions = self.due
        self.travel_to("2026-07-11")

    @classmethod
    def end(cls, subscription):
        """Let a subscription of $31 end on 10 July; return it."""
        cls.bill(subscription, "2026-07-01")
        cls.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-10",
        )
        return subscription

    def add_due(self, subscription):
        """Let one more end on 10 July, and stand on 11 July again."""
        self.subscriptions |= self.end(subscription)
        self.travel_to("2026-07-11")

    @property
    def cancellations(self):
        return self.subscriptions.cancellation_ids

    def run_action(self, name, **options):
        """Run a scheduled action, with commits that the test can roll back.

        :return: the jobs that it has made
        """
        known = self.get_jobs()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr, user=SUPERUSER_ID, context={})
            getattr(env["subscription.cancellation"], name)(**options)
        self.env.invalidate_all()
        return self.get_jobs() - known

    def get_jobs(self):
        # sudo: nobody but the scheduler has to do with jobs.
        return self.env["queue.job"].sudo().search([])

    def perform(self, job):
        """Do what a job says, as the runner does."""
        Job.load(self.env, job.uuid).perform()
        job._change_job_state("done")
        self.env.invalidate_all()

    def set_batch_size(self, number):
        self.env["ir.config_parameter"].sudo().set_param(BATCH_SIZE, number)

    # === EXECUTE === #

    def test_the_scheduled_action_executes_nothing_itself(self):
        """B8: it only makes jobs, of several cancellations each, in their order."""
        self.set_batch_size("2")
        jobs = self.run_action("_cron_execute_due").sorted("id")
        self.assertEqual(set(self.cancellations.mapped("state")), {"scheduled"})
        self.assertFalse(self.cancellations.credit_note_ids)
        self.assertEqual(
            [job.records.ids for job in jobs],
            [self.cancellations[:2].ids, self.cancellations[2:].ids],
        )
        self.assertEqual(
            set(jobs.mapped("channel")), {"root.subscription_cancellation"}
        )
        self.assertEqual(jobs.company_id, self.company)
        self.assertIn(self.cancellations[0].name, jobs[0].name)

    def test_a_job_has_the_identity_of_what_it_is_about(self):
        """B8: of two that wait at once, the runner has to do one."""
        with trap_jobs() as trap:
            self.run_action("_cron_execute_due")
            trap.assert_jobs_count(1)
            trap.assert_enqueued_job(
                self.cancellations.with_env(trap.enqueued_jobs[0].env)._job_execute,
                properties={"identity_key": identity_exact},
            )

    def test_what_has_an_open_job_gets_no_other_one(self):
        """B8: though more is due than before, and in whatever state the job is."""
        job = self.run_action("_cron_execute_due")
        for state in ("pending", "enqueued", "started", "failed"):
            job.write({"state": state, "date_started": fields.Datetime.now()})
            subscription = self.create_subscription()
            self.add_due(subscription)
            with self.subTest(state=state):
                new = self.run_action("_cron_execute_due")
                self.assertEqual(new.records, subscription.cancellation_ids)
                self.assertFalse(self.run_action("_cron_execute_due"))

    def test_what_is_due_again_gets_a_job_again(self):
        """B8: a job that is done or cancelled keeps nobody from being executed."""
        job = self.run_action("_cron_execute_due")
        for state in ("done", "cancelled"):
            job._change_job_state(state)
            job = self.run_action("_cron_execute_due")
            self.assertEqual(job.records, self.cancellations)

    def test_each_company_has_jobs_of_its_own(self):
        """B8: documents of two companies do not wait for each other's numbers."""
        data = self.setup_other_company(name="Elsewhere", currency_id=self.currency.id)
        other = data["company"]
        self.env.user.company_ids |= other
        product = self.create_product()
        product.with_company(other).property_account_income_id = data[
            "default_account_revenue"
        ]
        elsewhere = self.create_subscription(
            [{"product_id": product.id}],
            company_id=other.id,
            journal_id=data["default_journal_sale"].id,
        )
        self.add_due(elsewhere.with_company(other))
        jobs = self.run_action("_cron_execute_due")
        self.assertEqual(
            {job.company_id: len(job.records) for job in jobs},
            {other: 1, self.company: 3},
        )

    def test_an_unusable_batch_size_is_the_default_one(self):
        """B8: a typing error in a setting stops nobody's cancellation."""
        Cancellation = self.env["subscription.cancellation"]
        for text, number in (("7", 7), ("0", 1), ("many", 50), ("", 50)):
            self.set_batch_size(text)
            self.assertEqual(Cancellation._get_job_batch_size(), number)

    # === EXECUTE: THE JOB === #

    def test_a_job_executes_what_is_due_and_a_second_run_does_nothing(self):
        """B7, B8: the engine's states are the truth, not the jobs."""
        job = self.run_action("_cron_execute_due")
        self.cancellations[0].sudo()._execute_batch()
        Job.load(self.env, job.uuid).perform()
        self.perform(job)
        self.assertEqual(set(self.cancellations.mapped("state")), {"done"})
        memos = self.cancellations.credit_note_ids
        self.assertEqual(memos.mapped("amount_total"), [21.0] * 3)

    def test_what_was_revoked_meanwhile_is_not_executed(self):
        """B8: a late job looks at what is left of its work."""
        job = self.run_action("_cron_execute_due")
        self.travel_to("2026-07-09")
        self.subscriptions[0].revoke_cancellation()
        self.travel_to("2026-07-11")
        self.perform(job)
        self.assertEqual(
            self.cancellations.mapped("state"), ["revoked", "done", "done"]
        )

    @mute_logger(
        "odoo.addons.subscription_cancellation.models.cancellation.cancellation"
    )
    def test_a_broken_neighbour_fails_alone(self):
        """B7: it says why; the job is done, and so are the others."""
        broken = self.subscriptions[1]
        line = broken.invoice_ids.invoice_line_ids
        line.account_id = line.account_id.copy({"code": "499999"})
        line.account_id.active = False
        self.perform(self.run_action("_cron_execute_due"))
        self.assertEqual(self.cancellations.mapped("state"), ["done", "failed", "done"])
        self.assertIn("is archived", broken.cancellation_ids.failure_message)
        self.assertFalse(self.run_action("_cron_execute_due"))

    def test_what_somebody_else_holds_is_looked_at_again(self):
        """B8: the rest of the job is done, what is held gets a job for later."""
        job = self.run_action("_cron_execute_due")
        held = self.cancellations[2]
        lock_first = type(held)._lock_first
        self.patch(
            type(held), "_lock_first", lambda due, size: lock_first(due - held, size)
        )
        self.perform(job)
        self.assertEqual(
            self.cancellations.mapped("state"), ["done", "done", "scheduled"]
        )
        later = self.get_jobs() - job
        self.assertEqual(later.records, held)
        self.assertEqual(later.eta, fields.Datetime.now() + timedelta(minutes=1))

    def test_a_locked_invoice_is_a_reason_to_come_again(self):
        """B8: nobody is told that a cancellation failed because it was too early."""
        job = self.run_action("_cron_execute_due")

        def execute(cancellations):
            raise LockError("Somebody is at it")

        self.patch(type(self.cancellations), "_execute", execute)
        with self.assertRaisesRegex(RetryableJobError, "Somebody is at it"):
            Job.load(self.env, job.uuid).perform()
        self.assertEqual(set(self.cancellations.mapped("state")), {"scheduled"})

    # === SETTLE === #

    def test_the_steps_of_one_cancellation_are_one_job(self):
        """C6: taken in their order by one worker, in a channel of their own."""
        self.perform(self.run_action("_cron_execute_due"))
        jobs = self.run_action("_cron_run_steps").sorted("id")
        self.assertEqual([job.records for job in jobs], list(self.cancellations))
        self.assertEqual(
            set(jobs.mapped("channel")), {"root.subscription_cancellation.steps"}
        )
        self.assertEqual(
            set(self.cancellations.sudo().step_ids.mapped("state")), {"pending", "done"}
        )
        self.assertFalse(self.run_action("_cron_run_steps"))
        for job in jobs:
            self.cancellations.browse(job.records.ids).sudo()._job_run_steps()
            job._change_job_state("done")
        self.assertEqual(set(self.cancellations.mapped("settlement_state")), {"done"})
        self.assertFalse(self.run_action("_cron_run_steps"))

    def test_what_waits_for_another_step_gets_no_job(self):
        """C7: else a job that does nothing would be made every five minutes."""
        self.get_default_policy().post_credit_memos = False
        customer = self.create_customer()
        self.bill(self.create_subscription([15.5], partner_id=customer.id))
        paid = self.create_subscription(partner_id=customer.id)
        self.pay_online(self.bill(paid))
        options = {"apply_credits": True, "credit_settlement": "refund"}
        self.cancel(paid, "2026-07-10", **options)
        [job] = self.run_action("_cron_run_steps")
        self.assertEqual(job.records, paid.cancellation_ids)
        self.run_steps(paid)
        job._change_job_state("done")
        refund = self.steps(paid, "refund")
        self.assertEqual((refund.state, refund.attempts), ("pending", 0))
        self.assertLessEqual(refund.next_attempt_at, fields.Datetime.now())
        self.assertFalse(self.run_action("_cron_run_steps"))

    def test_their_job_may_commit(self):
        """C6, C8: a transaction is stored for good before the provider is called."""
        functions = self.env["queue.job.function"].sudo()
        job_config = functions.job_config
        settle = job_config("<subscription.cancellation>._job_run_steps")
        execute = job_config("<subscription.cancellation>._job_execute")
        self.assertTrue(settle.allow_commit)
        self.assertFalse(execute.allow_commit)

    # === JOBS THAT FAIL OR WAIT === #

    def test_a_failed_job_is_tried_again_after_an_hour(self):
        """B8: after a failure of the server nobody has to notice."""
        job = self.run_action("_cron_execute_due")
        job.write({"state": "failed", "date_started": fields.Datetime.now()})
        self.travel_to("2026-07-11 00:59:59")
        self.assertFalse(self.run_action("_cron_execute_due"))
        self.assertEqual(job.state, "failed")
        self.travel_to("2026-07-11 01:00:00")
        self.assertFalse(self.run_action("_cron_execute_due"))
        self.assertEqual(job.state, "pending")

    def test_jobs_that_nobody_takes_are_told(self):
        """B8: a job runner that does not run is noticed."""
        self.run_action("_cron_execute_due")
        self.travel_to("2026-07-11 00:59:59")
        with self.assertNoLogs(QUEUE_JOB, "WARNING"):
            self.run_action("_cron_execute_due")
        self.assertEqual(set(self.cancellations.mapped("state")), {"scheduled"})
        self.travel_to("2026-07-11 01:00:00")
        with self.assertLogs(QUEUE_JOB, "WARNING") as logs:
            self.run_action("_cron_execute_due")
        self.assertIn("1 jobs of subscription cancellations", logs.output[0])

    @mute_logger(QUEUE_JOB)
    def test_what_nobody_takes_the_scheduled_actions_do(self):
        """B7, B8, C6: as without jobs; one that comes later finds it done."""
        job = self.run_action("_cron_execute_due")
        self.travel_to("2026-07-11 01:00:00")
        self.assertFalse(self.run_action("_cron_execute_due"))
        self.assertEqual(set(self.cancellations.mapped("state")), {"done"})
        self.assertFalse(self.run_action("_cron_run_steps"))
        self.assertEqual(set(self.cancellations.mapped("settlement_state")), {"done"})
        self.assertEqual(job.state, "pending")
        self.perform(job)
        memos = self.cancellations.credit_note_ids
        self.assertEqual(memos.mapped("amount_total"), [21.0] * 3)

    @mute_logger(QUEUE_JOB)
    def test_in_whatever_state_a_job_is_left(self):
        """B8: waiting, given to a server that is gone, or begun by one."""
        job = self.run_action("_cron_execute_due")
        since = fields.Datetime.now()
        for values in (
            {"state": "pending"},
            {"state": "pending", "eta": since},
            {"state": "enqueued", "date_enqueued": since},
            {"state": "started", "date_started": since},
        ):
            job.write(values)
            with self.subTest(values=values):
                self.travel_to(since + timedelta(minutes=59))
                self.assertFalse(self.is_left_by_jobs())
                self.travel_to(since + timedelta(minutes=60))
                self.assertTrue(self.is_left_by_jobs())
            self.travel_to(since)

    def test_a_job_for_later_is_not_left(self):
        """B8: it counts from when it may begin."""
        job = self.run_action("_cron_execute_due")
        self.travel_to("2026-07-11 01:30:00")
        job.eta = "2026-07-11 01:00:00"
        self.assertFalse(self.is_left_by_jobs())

    def is_left_by_jobs(self):
        return self.env["subscription.cancellation"]._is_left_by_jobs()

    @mute_logger(QUEUE_JOB)
    def test_once_they_are_done_jobs_are_made_again(self):
        """B8: a runner that is back gets what is due from then on."""
        job = self.run_action("_cron_execute_due")
        self.travel_to("2026-07-11 01:00:00")
        self.run_action("_cron_execute_due")
        self.perform(job)
        new = self.create_subscription()
        self.add_due(new)
        self.travel_to("2026-07-11 01:00:00")
        job = self.run_action("_cron_execute_due")
        self.assertEqual(job.records, new.cancellation_ids)
        self.assertEqual(new.cancellation_ids.state, "scheduled")

    # === MANY === #

    def test_what_is_due_is_looked_up_in_pages(self):
        """B8: however much is due, each job is committed, and none is left out."""
        self.patch(cancellation_module, "PAGE_SIZE", 2)
        self.set_batch_size("2")
        self.subscriptions[1].cancellation_ids._as_engine().due_at = "2026-07-10"
        first, second, third = self.cancellations
        jobs = self.run_action("_cron_execute_due").sorted("id")
        self.assertEqual([job.records for job in jobs], [second | first, third])
        self.assertFalse(self.run_action("_cron_execute_due"))
        for job in jobs:
            self.perform(job)
        self.patch(cancellation_module, "PAGE_SIZE", 1)
        jobs = self.run_action("_cron_run_steps").sorted("id")
        self.assertEqual(
            sorted(job.records.ids for job in jobs),
            [[one] for one in self.cancellations.ids],
        )
        self.assertFalse(self.run_action("_cron_run_steps"))

    def test_the_scheduler_knows_how_much_is_left(self):
        """B8: so that it goes on at once where it had to stop."""
        self.patch(cancellation_module, "PAGE_SIZE", 2)
        self.set_batch_size("1")
        told = []

        def commit(cron, processed=0, *, remaining=None, **options):
            told.append((processed, remaining))
            # The time is over after the second job.
            return len([one for one in told if one[0]]) < 2

        self.patch(type(self.env["ir.cron"]), "_commit_progress", commit)
        jobs = self.run_action("_cron_execute_due")
        self.assertEqual(len(jobs), 2)
        self.assertEqual(told, [(0, 3), (1, None), (1, None)])
