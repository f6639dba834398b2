# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The number of queries: constant where it must be, bounded where it cannot."""

from odoo.tests import tagged

from .common import CancellationCase

#: Queries per cancellation in a batch; what posting and reconciling a document
#: costs in Odoo itself dominates it.
PER_CANCELLATION = 45


@tagged("post_install", "-at_install")
class TestQueries(CancellationCase):
    def setUp(self):
        super().setUp()
        self.tax = self.create_tax(20.0)

    def count_preview_queries(self, lines):
        """Return the queries of the preview of a subscription with ``lines`` lines."""
        subscription = self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.tax} for _ in range(lines)]
        )
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        # What Odoo caches for good is read again now and then; the least counts.
        return min(self.count_queries(subscription) for _attempt in range(3))

    def count_queries(self, subscription):
        """Return the queries of one preview with an empty cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        preview = subscription.preview_cancellation()
        lines = subscription.sale_subscription_line_ids
        self.assertEqual(len(preview["lines"]), len(lines))
        return self.env.cr.sql_log_count - before

    def test_preview_costs_the_same_with_one_and_with_fifty_lines(self):
        """D5: set-based from end to end."""
        self.assertEqual(self.count_preview_queries(1), self.count_preview_queries(50))

    def execute_batch(self, size):
        """Return the queries of executing ``size`` due cancellations together."""
        subscriptions = self.env["sale.subscription"]
        customer = self.create_customer()
        template = self.create_template()
        for _number in range(size):
            subscription = self.create_subscription(
                [31.0], partner_id=customer.id, template=template
            )
            self.bill(subscription, "2026-07-01")
            self.cancel(
                subscription,
                "2026-07-02",
                timing="specific_date",
                requested_date="2026-07-10",
            )
            subscriptions |= subscription
        self.travel_to("2026-07-11")
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        subscriptions.cancellation_ids._execute()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_queries_per_cancellation_are_bounded(self):
        """B8: a batch of 100 costs a third of 100 times one."""
        single = self.execute_batch(1)
        each = self.execute_batch(100) / 100
        print(f"queries: {single} for one, {each:.1f} each of 100")
        self.assertLess(each, single / 3)
        self.assertLess(each, PER_CANCELLATION)
