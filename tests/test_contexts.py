# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a client puts into its context changes nothing of what is done (C4, E3)."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase
from .contexts import CONTEXTS


@tagged("post_install", "-at_install")
class TestContexts(CancellationCase):
    def setUp(self):
        super().setUp()
        self.archived = self.get_default_policy().copy(
            {"name": "Old", "sequence": -1, "refund_mode": "none", "active": False}
        )

    def create_billed(self, **options):
        subscription = self.create_subscription([31.0, 62.0], **options)
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        return subscription

    def check_ended(self, subscription):
        """Assert that all of it ended and was credited, once."""
        self.env.invalidate_all()
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.stage_type, "post")
        self.assertFalse(subscription.sale_subscription_line_ids)
        [memo] = self.credit_memos(subscription)
        self.assertEqual((memo.state, memo.amount_total), ("posted", 63.0))
        self.assertEqual(
            subscription.cancellation_ids.policy_id, self.get_default_policy()
        )

    def test_a_request(self):
        """A5, C4: it ends all of it, by the policy in force."""
        for context in CONTEXTS:
            with self.subTest(context=context):
                subscription = self.create_billed()
                subscription.with_context(**context).request_cancellation()
                self.check_ended(subscription)

    def test_lines_that_end_one_after_the_other(self):
        """A5, A6: the subscription ends with its last line."""
        subscription = self.create_billed()
        hostile = subscription.with_context(active_test=False)
        for line in subscription.sale_subscription_line_ids:
            hostile.request_cancellation(line_ids=line.ids)
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.stage_type, "post")
        with self.assertRaisesRegex(UserError, "is already cancelled"):
            hostile.request_cancellation()

    def test_a_scheduled_one(self):
        """B7, C4: it is moved, executed and credited as ever."""
        for context in CONTEXTS:
            with self.subTest(context=context):
                subscription = self.create_billed()
                hostile = subscription.with_context(**context)
                hostile.request_cancellation(
                    timing="specific_date", requested_date="2026-07-20"
                )
                hostile.postpone_cancellation(requested_date="2026-07-10")
                hostile.cancellation_ids._execute_if_due()
                self.check_ended(subscription)

    def test_ended_lines_are_not_billed(self):
        """A5, B7: whoever works with archived records does not bill them anew."""
        subscription = self.create_billed()
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        self.travel_to("2026-08-01")
        subscription.with_context(active_test=False).generate_invoice()
        invoice = subscription.invoice_ids.filtered(
            lambda move: str(move.invoice_date) == "2026-08-01"
        )
        self.assertEqual(invoice.amount_total, 62.0)
        self.assertEqual(subscription.recurring_total, 62.0)

    def test_a_reactivation(self):
        """B13: what the cancellation ended goes on, and nothing else."""
        subscription = self.create_billed()
        lines = subscription.sale_subscription_line_ids
        self.cancel(subscription, "2026-07-10", line_ids=lines[0].ids)
        subscription.request_cancellation()
        subscription.with_context(active_test=False).reactivate_subscription()
        self.assertEqual(subscription.sale_subscription_line_ids, lines[1])
        self.assertEqual(subscription.cancellation_state, "active")
