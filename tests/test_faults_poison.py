# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Some of what is due is broken: the others do not notice (B7)."""

from odoo.fields import Datetime
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.models.lifecycle.scheduled_action import (  # noqa: E501
    LATER,
)

from .common import CancellationCase
from .faults import sizes
from .faults.poison import POISONS, Poisons

#: Good ones for each broken one; 19: five percent are broken.
GOOD = sizes.choose(2, 19)
KNOWN = {poison.name: poison for poison in POISONS}
BROKEN = [poison for poison in POISONS if poison.breaks]
#: What is poisoned in vain is one of the good ones.
HEALTHY = GOOD * len(BROKEN) - (len(POISONS) - len(BROKEN))
SCHEDULE = "odoo.addons.subscription_cancellation.models.cancellation.cancellation"


class PoisonCase(Poisons, CancellationCase):
    """Subscriptions that end on 10 July, and the scheduled action."""

    def create_due(self, name):
        """Return a billed subscription that ends on 10 July."""
        currency = self.CURRENCIES.get(name, "USD")
        subscription = self.create_subscription([31.0], currency=currency)
        if name == "archive_journal":
            subscription.journal_id = subscription.journal_id.copy({"code": "POIS"})
        self.bill(subscription, "2026-07-01")
        self.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-10",
        )
        return subscription

    def run_scheduled_action(self):
        """Run it once, with commits that the test can roll back."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr)
            env["subscription.cancellation"]._cron_execute_due(batch_size=10)
        self.env.invalidate_all()

    def check_done(self, name, subscription):
        """Assert that it ended, once, with all of its credit."""
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.mapped("state"), ["done"], name)
        self.assertEqual(subscription.cancellation_state, "cancelled")
        [memo] = cancellation.credit_note_ids
        self.assertEqual((memo.state, memo.amount_total), ("posted", 21.0))
        self.assertFalse(cancellation.activity_ids)


@tagged("post_install", "-at_install")
class TestPoison(PoisonCase):
    def setUp(self):
        super().setUp()
        self.random = sizes.create_random("poison")
        names = [*KNOWN, *["good"] * HEALTHY]
        self.random.shuffle(names)
        self.due = [(name, self.create_due(name)) for name in names]
        self.travel_to("2026-07-11")
        self.mend = {
            name: self.poison(name, subscription)
            for name, subscription in self.due
            if name != "good"
        }

    def check_failed(self, poison, subscription):
        """Assert that it failed, says why, and that somebody was told."""
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "failed", poison.name)
        message = cancellation.failure_message
        self.assertRegex(message, poison.says)
        self.assertNotRegex(message, "Traceback|Error:|SELECT|psycopg")
        self.assertTrue(cancellation.activity_ids.user_id.active, poison.name)
        self.check_untouched(subscription)

    def check_waits(self, subscription):
        """Assert that it is due as ever, and nobody was told."""
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "scheduled")
        self.assertIn(cancellation, cancellation._search_due(held=()))
        self.assertFalse(cancellation.activity_ids)
        self.check_untouched(subscription)
        call_at = self.env["ir.cron.trigger"].search([]).mapped("call_at")
        self.assertIn(Datetime.now() + LATER, call_at)

    def check_untouched(self, subscription):
        """Assert that nothing of it was done."""
        self.assertFalse(subscription.cancellation_ids.credit_note_ids)
        self.assertEqual(subscription.stage_type, "in_progress")

    def check_first_run(self):
        """Assert what came of all of them; return those that are still to be done."""
        broken = []
        for name, subscription in self.due:
            poison = KNOWN.get(name)
            with self.subTest(poison=name):
                if not poison or not poison.breaks:
                    self.check_done(name, subscription)
                    continue
                broken.append((name, subscription))
                if poison.waits:
                    self.check_waits(subscription)
                else:
                    self.check_failed(poison, subscription)
        return broken

    def mend_all(self, broken):
        """Mend them, and try again what failed."""
        for name, subscription in broken:
            with self.subTest(mended=name):
                self.mend[name]()
                if not KNOWN[name].waits:
                    subscription.cancellation_ids.action_retry()

    @mute_logger(f"{SCHEDULE}_schedule", SCHEDULE, "odoo.sql_db")
    def test_the_others_are_done_in_the_same_run(self):
        """B7, C4: each broken one says why, and is done once it is mended."""
        self.run_scheduled_action()
        broken = self.check_first_run()
        self.assertEqual(len(broken), len(BROKEN))
        self.assertEqual(len(self.due), (GOOD + 1) * len(broken))
        self.mend_all(broken)
        self.run_scheduled_action()
        for name, subscription in broken:
            with self.subTest(mended=name):
                self.check_done(name, subscription)
        memos = self.env["account.move"].search_count(
            [("cancellation_id", "!=", False), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(memos, len(self.due))


@tagged("post_install", "-at_install")
class TestLockedPeriod(PoisonCase):
    def check_after_lock(self, lock):
        """Set a lock date beyond today; assert what comes of one that is due."""
        subscription = self.create_due("good")
        self.travel_to("2026-07-11")
        self.company[lock] = "2026-07-31"
        self.run_scheduled_action()
        self.check_done(lock, subscription)
        memo = subscription.cancellation_ids.credit_note_ids
        self.assertGreater(str(memo.date), "2026-07-31")
        self.assertEqual(str(memo.invoice_date), "2026-07-11")

    def test_locked_for_the_year(self):
        """B7, C11: it is done; the credit memo is booked after the lock date."""
        self.check_after_lock("fiscalyear_lock_date")

    def test_locked_for_good(self):
        """B7, C11: no exception for anybody can be made, and none is needed."""
        self.check_after_lock("hard_lock_date")
