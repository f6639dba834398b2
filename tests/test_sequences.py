# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Random lives of a subscription: schedule, revoke, bill, execute, in any order.

Whatever happens, nothing is credited twice, nothing is billed after its end, and no
state is left between two others. ``FUZZ_EXAMPLES`` is the number of lives.
"""

from contextlib import closing
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase
from .test_properties import examples

START = date(2026, 1, 31)
#: Parents of the lines: a base with add-ons two deep, and another base.
PARENTS = (None, "Line 1", "Line 2", None)

some_lines = st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True)
line_sets = st.one_of(some_lines, some_lines, some_lines, st.none())
requests = st.fixed_dictionaries(
    {
        "verb": st.just("request"),
        "lines": line_sets,
        # Mostly for later, so that several wait for the same run.
        "timing": st.sampled_from(
            ["end_of_period", "specific_date", "specific_date", "immediate"]
        ),
        "days": st.one_of(st.integers(0, 12), st.integers(0, 70)),
        "refund_mode": st.sampled_from(["none", "prorated", "prorated", "full"]),
        "cancel_day_billed": st.booleans(),
    }
)
verbs = st.fixed_dictionaries(
    {"verb": st.sampled_from(["revoke", "bill", "execute", "wait", "wait"])}
)
lives = st.lists(st.one_of(requests, requests, verbs), min_size=3, max_size=9)


@tagged("post_install", "-at_install")
class TestSequences(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.create_tax(19.0)

    def execute_example(self, example):
        """Run one example and take it back (a hook of hypothesis)."""
        with closing(self.env.cr.savepoint()):
            return example()

    @examples(100)
    @given(life=lives)
    def test_no_life_breaks_the_books(self, life):
        """B7, B12, C4: the invariants hold after every step."""
        subscription = self.create_subscription(
            [
                {"price_unit": 33.33 * (number + 1), "addon_of": parent}
                | {"taxes": self.tax}
                for number, parent in enumerate(PARENTS)
            ],
            start=START,
        )
        self.bill(subscription, START)
        self.lines = subscription.sale_subscription_line_ids.sorted("id")
        for step in life:
            self.take(subscription, step)
            self.check(subscription)
        self.clock.tick(timedelta(days=200))
        self.run_scheduled_actions(subscription, bill_first=len(life) % 2)
        self.check(subscription)
        self.assertNotEqual(subscription.cancellation_state, "non_renewing")

    # === STEPS === #

    def take(self, subscription, step):
        """Take one step; what cannot be is refused with a sentence."""
        self.clock.tick(timedelta(days=1))
        try:
            with self.env.cr.savepoint():
                getattr(self, f"step_{step['verb']}")(subscription, step)
        except UserError:
            self.env.invalidate_all()

    def step_request(self, subscription, step):
        options = {
            name: step[name] for name in ("timing", "refund_mode", "cancel_day_billed")
        }
        if step["lines"] is not None:
            options["line_ids"] = [self.lines[number].id for number in step["lines"]]
        if step["timing"] == "specific_date":
            day = date.today() + timedelta(days=step["days"])
            options["requested_date"] = day.isoformat()
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(**options)
        if answer["state"] == "done":
            for key in ("credit_untaxed", "credit_tax", "credit_total", "refundable"):
                self.assertAlmostEqual(preview[key], answer[key], 6, key)

    def step_revoke(self, subscription, _step):
        subscription.revoke_cancellation()

    def step_bill(self, subscription, _step):
        known = subscription._get_invoices()
        subscription.manual_invoice()
        self.check_new(subscription._get_invoices() - known)

    def step_execute(self, subscription, _step):
        self.run_scheduled_actions(subscription)

    def step_wait(self, subscription, _step):
        self.clock.tick(timedelta(days=17))

    def run_scheduled_actions(self, subscription, bill_first=False):
        """Run upstream's and ours: the order must not matter."""
        if bill_first:
            self.run_billing(subscription)
        cancellations = subscription.cancellation_ids
        due = cancellations.filtered_domain(cancellations._get_due_domain())
        if due:
            due._execute_batch()
        self.assertFalse(cancellations.filtered_domain([("state", "=", "failed")]))
        self.run_billing(subscription)

    def run_billing(self, subscription):
        if subscription.recurring_next_date:
            known = subscription._get_invoices()
            subscription.generate_invoice()
            self.check_new(subscription._get_invoices() - known)

    # === INVARIANTS === #

    def check(self, subscription):
        """Check everything that must hold at any time."""
        self.env.flush_all()
        self.check_credits(subscription)
        self.check_states(subscription)

    def check_credits(self, subscription):
        for invoice in subscription._get_invoices():
            memos = invoice.refund_invoice_ids
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                self.assertLess(sum(memos.mapped(name)), invoice[name] + 1e-6, name)
            for line in invoice.invoice_line_ids:
                credited = sum(line.refund_line_ids.mapped("price_subtotal"))
                self.assertLess(credited, line.price_subtotal + 1e-6, line.name)

        done = subscription.cancellation_ids.filtered_domain([("state", "=", "done")])
        for line, rows in done.line_ids.grouped("subscription_line_id").items():
            self.assertEqual(len(rows.cancellation_id), 1, f"{line.name} ended twice")

    def check_new(self, invoices):
        """Post them; they bill no period that begins after the line's end."""
        for item in invoices.invoice_line_ids:
            end = item.subscription_line_id.cancellation_date
            self.assertLess(item.start_date, end or date.max)
        invoices.action_post()

    def check_states(self, subscription):
        active = subscription.sale_subscription_line_ids
        is_cancelled = subscription.cancellation_state == "cancelled"
        self.assertEqual(is_cancelled, not active)
        self.assertEqual(is_cancelled, subscription.stage_type == "post")
        open_rows = subscription.cancellation_ids.filtered("is_open").line_ids
        lines = open_rows.subscription_line_id
        self.assertEqual(len(open_rows), len(lines), "a line ends twice")
        self.assertEqual(active.filtered("cancellation_date") - lines, active.browse())
        for row in open_rows:
            date_of_line = row.subscription_line_id.cancellation_date
            self.assertEqual(date_of_line, row.cancellation_id.effective_date)
