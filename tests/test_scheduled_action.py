# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The scheduled action: batches, broken neighbours, restart (B7, B8)."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestScheduledAction(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscriptions = self.env["sale.subscription"]
        for _number in range(5):
            self.subscriptions |= self.create_subscription([31.0])
        for subscription in self.subscriptions:
            self.bill(subscription, "2026-07-01")
            self.cancel(
                subscription,
                "2026-07-02",
                timing="specific_date",
                requested_date="2026-07-10",
            )
        self.cancellations = self.subscriptions.cancellation_ids
        self.travel_to("2026-07-11")

    def run_scheduled_action(self, batch_size=100):
        """Run it, with commits that the test can roll back."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr)
            env["subscription.cancellation"]._cron_execute_due(batch_size=batch_size)
        self.env.invalidate_all()

    def test_everything_due_is_done_in_batches(self):
        """B7, B8: each once, whatever the size of the batch."""
        self.run_scheduled_action(batch_size=2)
        self.assertEqual(set(self.cancellations.mapped("state")), {"done"})
        memos = self.cancellations.credit_note_ids
        self.assertEqual(memos.mapped("amount_total"), [21.0] * 5)
        self.run_scheduled_action()
        self.assertEqual(self.cancellations.credit_note_ids, memos)

    def test_what_is_not_due_waits(self):
        """B8: nothing happens before the date."""
        self.travel_to("2026-07-10 23:59:59")
        self.run_scheduled_action()
        self.assertEqual(set(self.cancellations.mapped("state")), {"scheduled"})

    @mute_logger(
        "odoo.addons.subscription_cancellation.models.cancellation.cancellation"
    )
    def test_a_broken_neighbour_fails_alone(self):
        """B7: the others are done in the same run; it says why and leaves the set."""
        broken = self.subscriptions[2]
        line = self.credit_line_of(broken)
        line.account_id = line.account_id.copy({"code": "499999"})
        line.account_id.active = False
        self.run_scheduled_action()
        failed = broken.cancellation_ids
        self.assertEqual(failed.state, "failed")
        self.assertIn("is archived", failed.failure_message)
        self.assertTrue(failed.activity_ids)
        others = self.cancellations - failed
        self.assertEqual(set(others.mapped("state")), {"done"})
        self.assertFalse(failed.credit_note_ids)
        self.assertEqual(failed._count_due(), 0)

    def credit_line_of(self, subscription):
        """Return the invoice line that will be credited."""
        return subscription.invoice_ids.invoice_line_ids

    def test_paused_subscriptions_end_too(self):
        """B7: upstream's scheduled action skips them entirely."""
        paused = self.subscriptions[0]
        self.travel_to("2026-07-05")
        paused.action_pause()
        self.travel_to("2026-07-11")
        self.run_scheduled_action()
        self.assertEqual(paused.cancellation_state, "cancelled")

    def test_one_create_and_one_post_for_a_batch(self):
        """B8: written for many; the number of calls does not grow with them."""
        calls = []
        Move = self.registry["account.move"]
        original_create, original_post = Move.create, Move._post

        def create(records, vals_list):
            calls.append(("create", len(vals_list)))
            return original_create(records, vals_list)

        def post(records, soft=True):
            calls.append(("post", len(records)))
            return original_post(records, soft=soft)

        self.patch(Move, "create", create)
        self.patch(Move, "_post", post)
        self.cancellations._execute()
        self.assertEqual(calls, [("create", 5), ("post", 5)])
