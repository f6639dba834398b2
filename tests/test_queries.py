# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The number of queries: constant where it must be, bounded where it cannot."""

from odoo.tests import tagged

from .common import CancellationCase

#: Queries per cancellation in a batch.
PER_CANCELLATION = 10
#: What upstream and Odoo ask for one after the other: the stage of what is closed, and
#: the number of a document (the last one, whether it is free, and taking it).
STAGE, NUMBER = 1, 3
#: What Odoo asks for of the taxes of what was a draft, document by document.
TAXES = 2
#: Tables that these tests fill within one transaction.
GROWING = "account_move, account_move_line, account_payment, account_partial_reconcile"


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

    def execute_batch(self, size, **values):
        """Return the queries of executing ``size`` due cancellations together."""
        return self.count_execution(self.schedule(size, **values))

    def schedule(self, size, paid=None, **options):
        """Return cancellations of as many customers that are due together.

        :param str paid: how the invoices were paid: ``online`` or by ``hand``
        """
        subscriptions = self.env["sale.subscription"]
        template, product = self.create_template(), self.create_product()
        for number in range(size):
            subscription = self.create_subscription(
                [{"taxes": self.tax, "product_id": product.id}],
                partner_id=self.create_customer().id,
                template=template,
            )
            invoice = self.bill(subscription, "2026-07-01")
            if paid:
                (self.pay_online if paid == "online" else self.pay)(invoice)
            self.cancel(
                subscription,
                "2026-07-02",
                timing="specific_date",
                requested_date="2026-07-10",
                **options,
            )
            subscriptions |= subscription
            if not number % 10:
                # PostgreSQL would plan for the empty tables that it knows.
                self.env.cr.execute(f"ANALYZE {GROWING}")
        self.travel_to("2026-07-11")
        # As the scheduled action finds them.
        cancellations = subscriptions.cancellation_ids
        return cancellations.browse(cancellations.ids)

    def count_execution(self, cancellations):
        """Return the queries of executing these with an empty cache."""
        # What is new in a transaction logs no changes.
        self.env.cr.flush()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        # Without what tests switch off: changes are logged, too.
        env = self.env(context={})
        cancellations.with_env(env)._execute()
        env.flush_all()
        self.env.cr.flush()
        self.assertEqual(set(cancellations.mapped("state")), {"done"})
        return self.env.cr.sql_log_count - before

    def count_further(self, **values):
        """Return the queries that each further cancellation of a batch costs.

        Rounded, because Odoo writes what is more in a few more parts.
        """
        # What Odoo caches for good is read before.
        self.execute_batch(1, **values)
        few, more = (self.execute_batch(size, **values) for size in (4, 14))
        return round((more - few) / 10)

    def test_queries_per_cancellation_are_bounded(self):
        """B8: a batch of 100 costs a third of 100 times one."""
        single = self.execute_batch(1)
        each = self.execute_batch(100) / 100
        print(f"queries: {single} for one, {each:.1f} each of 100")
        self.assertLess(each, single / 3)
        self.assertLess(each, PER_CANCELLATION)

    def test_each_further_cancellation_costs_what_others_ask_for_it(self):
        """B8: whose it is, its taxes, orders and messages are read for all at once."""
        self.assertEqual(self.count_further(refund_mode="none"), STAGE)
        self.assertEqual(self.count_further(), STAGE + NUMBER)

    def test_each_further_paid_one_costs_no_more(self):
        """B8: so is what was received for the invoices, and who can give it back."""
        for paid in ("online", "hand"):
            further = self.count_further(paid=paid, credit_settlement="refund")
            self.assertEqual(further, STAGE + NUMBER, paid)

    def test_each_further_reviewed_credit_memo_costs_what_odoo_asks_for_it(self):
        """B8: what an accountant posts together is reconciled together."""
        self.get_default_policy().post_credit_memos = False
        few, more = (self.post_reviewed(size) for size in (4, 14))
        self.assertEqual(round((more - few) / 10), NUMBER + TAXES)

    def post_reviewed(self, size):
        """Return the queries of posting as many credit memos that were drafts."""
        cancellations = self.schedule(size)
        self.count_execution(cancellations)
        memos = cancellations.browse(cancellations.ids).credit_note_ids
        self.assertEqual(set(memos.mapped("state")), {"draft"})
        memos = memos.browse(memos.ids)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        memos.action_post()
        self.env.flush_all()
        self.assertEqual(set(memos.mapped("state")), {"posted"})
        return self.env.cr.sql_log_count - before

    def test_what_is_logged_together_is_on_each_invoice(self):
        """B8: the change of payment state is told where it happened, once."""
        cancellations = self.schedule(3)
        self.count_execution(cancellations)
        invoices = cancellations.credit_note_ids.reversed_entry_id
        self.assertEqual(len(invoices), 3)
        for invoice in invoices:
            changes = invoice.message_ids.sudo().tracking_value_ids.filtered(
                lambda change: change.field_id.name == "payment_state"
            )
            self.assertEqual(changes.mapped("old_value_char"), ["Not Paid"])
            self.assertEqual(changes.mapped("new_value_char"), ["Partially Paid"])
