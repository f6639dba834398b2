# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two at once, and a kill in the middle: real transactions that really commit.

What these tests create stays in the test database.
"""

import threading
from datetime import date, timedelta
from unittest.mock import patch

from psycopg2 import OperationalError

from odoo.api import SUPERUSER_ID, Environment
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.models.lifecycle import (
    scheduled_action as subscription_cancellation_schedule,
)


@tagged("post_install", "-at_install")
class TestConcurrency(BaseCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())

    # === HELPERS === #

    def committed(self, work):
        """Run ``work(env)`` in a transaction of its own; commit; return its result."""
        with self.registry.cursor() as cr:
            return work(Environment(cr, SUPERUSER_ID, {}))

    def at_once(self, *works):
        """Run each ``work(env)`` in a thread and a transaction of its own.

        Conflicts are retried the way Odoo retries a request.
        """
        results = [None] * len(works)
        barrier = threading.Barrier(len(works))

        def run(number, work):
            with self.registry.cursor() as cr:
                env = Environment(cr, SUPERUSER_ID, {})
                barrier.wait(timeout=60)
                try:
                    results[number] = retrying(lambda: work(env), env)
                except UserError as error:
                    cr.rollback()
                    results[number] = error

        threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
            self.assertFalse(thread.is_alive(), "a worker hangs")
        return results

    def create_billed(self, number):
        """Return the ids of running subscriptions that upstream has billed."""
        return self.committed(lambda env: self._create_billed(env, number).ids)

    def _create_billed(self, env, number):
        product = env["product.product"].create(
            {"name": "Plan", "type": "service", "list_price": 31.0}
        )
        template = env["sale.subscription.template"].create({"name": "Monthly"})
        subscriptions = env["sale.subscription"].create(
            [
                {
                    "partner_id": env["res.partner"].create({"name": "Two Inc"}).id,
                    "pricelist_id": env["product.pricelist"].create({"name": "P"}).id,
                    "template_id": template.id,
                    "sale_subscription_line_ids": [
                        Command.create({"product_id": product.id})
                    ],
                }
                for _number in range(number)
            ]
        )
        subscriptions.action_start_subscription()
        start = date.today() - timedelta(days=5)
        subscriptions.write({"date_start": start, "recurring_next_date": start})
        for subscription in subscriptions:
            subscription.generate_invoice()
        subscriptions.invoice_ids._post()
        return subscriptions

    def create_due(self, number):
        """Return the ids of subscriptions with a cancellation that is due now."""
        ids = self.create_billed(number)

        def schedule(env):
            for subscription in env["sale.subscription"].browse(ids):
                subscription.request_cancellation(timing="end_of_period")
            env.flush_all()
            # Time cannot pass here, so the date is brought forward instead.
            env.cr.execute(
                "UPDATE subscription_cancellation SET effective_date = %s, due_at = %s"
                " WHERE subscription_id = ANY(%s)",
                [date.today(), date.today(), ids],
            )

        self.committed(schedule)
        return ids

    def check_done_once(self, ids):
        """Assert that each subscription ended with exactly one credit memo."""

        def check(env):
            for subscription in env["sale.subscription"].browse(ids):
                cancellation = subscription.cancellation_ids
                self.assertEqual(cancellation.mapped("state"), ["done"])
                self.assertEqual(subscription.cancellation_state, "cancelled")
                [memo] = subscription.invoice_ids.filtered(
                    lambda move: move.move_type == "out_refund"
                )
                self.assertEqual(memo.state, "posted")
                self.assertEqual(memo.amount_residual, 0.0)

        self.committed(check)

    # === TESTS === #

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_workers_share_the_due_cancellations(self):
        """B8: several scheduled actions at once do each cancellation once."""
        ids = self.create_due(8)

        def work(env):
            env["subscription.cancellation"]._cron_execute_due(batch_size=1)

        self.assertEqual(self.at_once(work, work), [None, None])
        self.check_done_once(ids)

    def test_what_another_worker_holds_is_skipped(self):
        """B8: SKIP LOCKED, for the cancellation and for its subscription."""
        first, second = self.create_due(2)
        with self.registry.cursor() as cr, self.registry.cursor() as other:
            held = Environment(cr, SUPERUSER_ID, {})
            held["sale.subscription"].browse(first).lock_for_update()
            free = Environment(other, SUPERUSER_ID, {})
            locked = free["subscription.cancellation"]._lock_due(100)
            self.assertNotIn(first, locked.subscription_id.ids)
            self.assertIn(second, locked.subscription_id.ids)
        self.committed(lambda env: env["subscription.cancellation"]._cron_execute_due())
        self.check_done_once([first, second])

    @mute_logger("odoo.sql_db")
    def test_an_invoice_that_somebody_keeps_locked(self):
        """B7, B8: it is left for later; the others are done in the same run."""
        first, second, third = self.create_due(3)
        with (
            self.registry.cursor() as holder,
            patch.object(subscription_cancellation_schedule, "LOCK_PATIENCE", "300ms"),
        ):
            env = Environment(holder, SUPERUSER_ID, {})
            env["sale.subscription"].browse(second).invoice_ids.lock_for_update()
            self.committed(self.execute_due)
            self.check_done_once([first, third])
            held = self.committed(
                lambda env: (
                    env["sale.subscription"].browse(second).cancellation_ids.state
                )
            )
            self.assertEqual(held, "scheduled")
        self.committed(self.execute_due)
        self.check_done_once([second])

    def check_due(self, env, subscription_id):
        """Assert that the end of a subscription is still to come."""
        subscription = env["sale.subscription"].browse(subscription_id)
        self.assertEqual(subscription.cancellation_ids.state, "scheduled")

    def execute_due(self, env):
        """Run the scheduled action."""
        env["subscription.cancellation"]._cron_execute_due()

    def test_a_kill_before_the_commit_leaves_everything_due(self):
        """B8: nothing half done; the next run does it, once."""
        ids = self.create_due(2)
        with self.registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            env["sale.subscription"].browse(ids).cancellation_ids._execute()
            env.flush_all()
            cr.rollback()

        def check(env):
            subscriptions = env["sale.subscription"].browse(ids)
            states = set(subscriptions.cancellation_ids.mapped("state"))
            self.assertEqual(states, {"scheduled"})
            self.assertFalse(subscriptions.cancellation_ids.credit_note_ids)
            env["subscription.cancellation"]._cron_execute_due()

        self.committed(check)
        self.check_done_once(ids)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_people_cancel_the_same_subscription(self):
        """B11, C4: one of them does, the other one is told."""
        [subscription_id] = ids = self.create_billed(1)

        def work(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            return subscription.request_cancellation(timing="immediate")["state"]

        results = self.at_once(work, work)
        self.assertEqual(results.count("done"), 1)
        [error] = [result for result in results if result != "done"]
        self.assertIsInstance(error, UserError)
        self.check_done_once(ids)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_cancelling_and_billing_at_once(self):
        """B7: whichever comes first, nothing is billed after the end of service."""
        [subscription_id] = self.create_due(1)

        def cancel(env):
            env["subscription.cancellation"]._cron_execute_due()

        def bill(env):
            env["sale.subscription"].browse(subscription_id).generate_invoice()

        self.at_once(cancel, bill)
        self.committed(lambda env: env["subscription.cancellation"]._cron_execute_due())
        self.check_done_once([subscription_id])

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_billing_that_began_before_a_line_was_to_end_is_tried_again(self):
        """B7: it would not see the end; Odoo tries it again, and then it does."""
        [subscription_id] = self.create_billed(1)

        def add_line(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            line = subscription.sale_subscription_line_ids
            line.create(
                {
                    "sale_subscription_id": subscription_id,
                    "product_id": line.product_id.copy().id,
                }
            )
            return line.id

        line_id = self.committed(add_line)

        def end_line(env):
            env["sale.subscription"].browse(subscription_id).request_cancellation(
                timing="end_of_period", line_ids=[line_id]
            )

        with self.registry.cursor() as cr:
            subscription = Environment(cr, SUPERUSER_ID, {})[
                "sale.subscription"
            ].browse(subscription_id)
            self.assertEqual(len(subscription.sale_subscription_line_ids), 2)
            self.committed(end_line)
            with self.assertRaises(OperationalError):
                subscription.generate_invoice()
                subscription.env.flush_all()
            cr.rollback()
            subscription.env.invalidate_all()
            subscription.generate_invoice()
            last = subscription._get_invoices().sorted("id")[-1]
            self.assertNotIn(line_id, last.invoice_line_ids.subscription_line_id.ids)
            cr.rollback()

    # === THE LIFE OF A CANCELLATION === #

    def schedule(self, subscription_id, **policy_values):
        """Schedule a cancellation; return its id."""

        def work(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            policy = subscription._map_policies()[subscription]
            subscription.cancellation_policy_id = policy.copy(policy_values)
            answer = subscription.request_cancellation(timing="end_of_period")
            return answer["cancellation_id"]

        return self.committed(work)

    def get_invoices(self, subscription_id):
        """Return move type and amount of every posted document, sorted."""

        def read(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            moves = subscription.invoice_ids
            moves |= moves.reversal_move_ids
            posted = moves.filtered(lambda move: move.state == "posted")
            return sorted((move.move_type, move.amount_total) for move in posted)

        return self.committed(read)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_managers_decide_at_once(self):
        """D1: one decision counts, the other one is told."""
        [subscription_id] = self.create_billed(1)
        cancellation_id = self.schedule(subscription_id, approval_always=True)

        def approve(env):
            env["subscription.cancellation"].browse(cancellation_id)._approve()

        def refuse(env):
            env["subscription.cancellation"].browse(cancellation_id)._refuse("No")

        results = self.at_once(approve, refuse)
        self.assertEqual(results.count(None), 1)
        state = self.committed(
            lambda env: env["subscription.cancellation"].browse(cancellation_id).state
        )
        self.assertEqual(state, "scheduled" if results[0] is None else "refused")

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_people_reactivate_at_once(self):
        """B15: the credit memo is taken back once."""
        [subscription_id] = self.create_billed(1)
        before = self.get_invoices(subscription_id)

        def cancel(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            return subscription.request_cancellation(timing="immediate")

        def reactivate(env):
            subscription = env["sale.subscription"].browse(subscription_id)
            return subscription.reactivate_subscription()["subscription_state"]

        credit = self.committed(cancel)["credit_total"]
        results = self.at_once(reactivate, reactivate)
        self.assertEqual(results.count("active"), 1)
        self.assertEqual(
            self.get_invoices(subscription_id),
            sorted([*before, ("out_invoice", credit), ("out_refund", credit)]),
        )

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_people_postpone_at_once(self):
        """B13: the extra days are charged once."""
        [subscription_id] = self.create_billed(1)
        self.schedule(subscription_id)
        day = (date.today() + timedelta(days=40)).isoformat()

        def postpone(env):
            env["sale.subscription"].browse(subscription_id).postpone_cancellation(
                requested_date=day, charge_extension=True
            )

        self.at_once(postpone, postpone)
        self.assertEqual(len(self.get_invoices(subscription_id)), 2)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_revoked_and_executed_at_once(self):
        """B12: whichever comes first, the other one has nothing to do."""
        [subscription_id] = self.create_billed(1)
        cancellation_id = self.schedule(subscription_id)

        def revoke(env):
            env["sale.subscription"].browse(subscription_id).revoke_cancellation()

        def execute(env):
            cancellation = env["subscription.cancellation"].browse(cancellation_id)
            cancellation.subscription_id.lock_for_update()
            if cancellation.state == "scheduled":
                cancellation._execute()

        self.at_once(revoke, execute)

        def check(env):
            cancellation = env["subscription.cancellation"].browse(cancellation_id)
            subscription = cancellation.subscription_id
            is_done = cancellation.state == "done"
            self.assertIn(cancellation.state, ("done", "revoked"))
            self.assertEqual(subscription.cancellation_state == "cancelled", is_done)
            self.assertEqual(bool(subscription.sale_subscription_line_ids), not is_done)

        self.committed(check)
