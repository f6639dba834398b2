# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Some of what is due is broken: the others do not notice (B7)."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CancellationCase
from .faults import sizes
from .faults.poison import POISONS, Poisons

#: Good ones for each broken one; 19: five percent are broken.
GOOD = sizes.choose(2, 19)
SCHEDULE = "odoo.addons.subscription_cancellation.models.subscription_cancellation"


@tagged("post_install", "-at_install")
class TestPoison(Poisons, CancellationCase):
    def setUp(self):
        super().setUp()
        self.random = sizes.create_random("poison")
        names = [poison.name for poison in POISONS] + ["good"] * GOOD * len(POISONS)
        self.random.shuffle(names)
        self.due = [(name, self.create_due(name)) for name in names]
        self.travel_to("2026-07-11")
        self.mend = {
            name: self.poison(name, subscription)
            for name, subscription in self.due
            if name != "good"
        }

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

    def check_failed(self, poison, subscription):
        """Assert that it failed, says why, and that somebody was told."""
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "failed", poison.name)
        message = cancellation.failure_message
        self.assertRegex(message, poison.says)
        self.assertNotRegex(message, "Traceback|Error:|SELECT|psycopg|Unexpected")
        self.assertTrue(cancellation.activity_ids.user_id.active, poison.name)
        self.assertFalse(cancellation.credit_note_ids)
        self.assertEqual(subscription.stage_type, "in_progress")

    @mute_logger(f"{SCHEDULE}_schedule", SCHEDULE)
    def test_the_others_are_done_in_the_same_run(self):
        """B7, C4: each broken one says why, and is done once it is mended."""
        self.run_scheduled_action()
        known = {poison.name: poison for poison in POISONS}
        failed = []
        for name, subscription in self.due:
            with self.subTest(poison=name):
                if name == "good" or not known[name].says:
                    self.check_done(name, subscription)
                else:
                    failed.append((name, subscription))
                    self.check_failed(known[name], subscription)
        for name, subscription in failed:
            with self.subTest(mended=name):
                self.mend[name]()
                subscription.cancellation_ids.action_retry()
                self.check_done(name, subscription)
        memos = self.env["account.move"].search_count(
            [("cancellation_id", "!=", False), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(memos, len(self.due))
