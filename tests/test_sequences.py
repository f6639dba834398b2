# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Random lives of a subscription: every verb there is, in any order.

Schedule, postpone, revoke, approve, refuse, execute, resume, start a new term, undo,
bill, wait. Whatever happens, nothing is credited twice, nothing is billed twice or for
free, nothing is billed after its end, and no state is left between two others.
``FUZZ_EXAMPLES`` is the number of lives, at least :data:`LIVES`.
"""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import tagged

from .lives import LivesCase
from .test_golden import CASES, GoldenCase
from .test_properties import EXAMPLES, examples

START = date(2026, 1, 31)
#: How many lives the suite runs at least.
LIVES = 100
#: Parents of the lines: a base with add-ons two deep, and another base.
PARENTS = (None, "Line 1", "Line 2", None)

some_lines = st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True)
line_sets = st.one_of(some_lines, some_lines, st.none())
days = st.one_of(st.integers(0, 12), st.integers(0, 70))
#: Days that pass before a step; often none.
pauses = st.sampled_from([0, 0, 1, 1, 2, 5, 13])
requests = st.fixed_dictionaries(
    {
        "verb": st.just("request"),
        "lines": line_sets,
        # Mostly for later, so that several wait for the same run.
        "timing": st.sampled_from(
            [
                "end_of_period",
                "end_of_billed",
                "specific_date",
                "specific_date",
                "earliest",
                "immediate",
            ]
        ),
        "days": days,
        "refund_mode": st.sampled_from(["none", "prorated", "prorated", "full"]),
        "cancel_day_billed": st.booleans(),
        "unbilled_charges": st.sampled_from(["invoice", "invoice", "drop"]),
        "pause": pauses,
    }
)
moves = st.fixed_dictionaries(
    {
        "verb": st.just("postpone"),
        "days": days,
        "charge_extension": st.sampled_from([None, True, True, False]),
        "pause": pauses,
    }
)
verbs = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(
            ["revoke", "bill", "execute", "wait", "wait", "decide"]
            + ["toggle", "toggle", "toggle", "undo", "undo"]
        ),
        "yes": st.booleans(),
        "pause": pauses,
    }
)
lives = st.lists(
    st.one_of(requests, requests, moves, verbs, verbs, verbs), min_size=3, max_size=10
)
policies = st.fixed_dictionaries(
    {
        "notice_period": st.integers(0, 20),
        "notice_unit": st.just("days"),
        "end_alignment": st.sampled_from(["any_day", "end_of_month", "end_of_period"]),
        "undo_days": st.sampled_from([7, 60]),
        "approval_above": st.sampled_from([0.0, 0.0, 60.0]),
        "post_credit_memos": st.sampled_from([True, True, True, False]),
    }
)


@tagged("post_install", "-at_install")
class TestSequences(LivesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.create_tax(19.0)
        cls.policy = cls.get_default_policy()
        cls.policy.allow_own_approval = True
        # Made once for all lives: making them takes longer than living.
        cls.products = [
            cls.create_product(f"Line {n + 1}") for n in range(len(PARENTS))
        ]
        cls.shared = {
            "partner_id": cls.create_customer().id,
            "pricelist_id": cls._create_pricelist(currency_id=cls.currency.id).id,
            "template": cls.create_template(),
        }

    @examples(max(100, LIVES * 100 // EXAMPLES + 1))
    @given(life=lives, policy=policies)
    def test_no_life_breaks_the_books(self, life, policy):
        """B7, B12, B13, B15, C4: the invariants hold after every step."""
        self.policy.write(policy)
        subscription = self.create_subscription(
            [
                {"price_unit": 33.33 * (number + 1), "addon_of": parent}
                | {"taxes": self.tax, "product_id": self.products[number].id}
                for number, parent in enumerate(PARENTS)
            ],
            start=START,
            **self.shared,
        )
        self.bill(subscription, START)
        self.lines = subscription.sale_subscription_line_ids.sorted("id")
        for step in life:
            self.take(subscription, step)
            self.check(subscription)
        self.wait(days=200)
        self.run_scheduled_actions(subscription, bill_first=len(life) % 2)
        self.check(subscription)
        self.assertNotEqual(subscription.cancellation_state, "non_renewing")

    # === STEPS === #

    def step_request(self, subscription, step):
        options = {
            name: step[name]
            for name in ("timing", "refund_mode", "cancel_day_billed")
            + ("unbilled_charges",)
        }
        if step["lines"] is not None:
            options["line_ids"] = [self.lines[number].id for number in step["lines"]]
        if step["timing"] == "specific_date":
            options["requested_date"] = self.get_day(step)
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(
            **options, fingerprint=preview["fingerprint"]
        )
        self.assertEqual(answer["state"], preview["state"])
        for key in ("credit_untaxed", "credit_tax", "credit_total", "refundable"):
            self.assertAlmostEqual(preview[key], answer[key], 6, key)

    def step_postpone(self, subscription, step):
        if not subscription.cancellation_ids.filtered("is_open"):
            subscription.request_cancellation(timing="end_of_period")
        subscription.postpone_cancellation(
            requested_date=self.get_day(step),
            charge_extension=step["charge_extension"],
        )

    def step_toggle(self, subscription, step):
        """End what runs, at once; let go on what has ended."""
        if subscription.cancellation_state != "cancelled":
            if subscription.cancellation_ids.filtered("is_open"):
                subscription.revoke_cancellation()
            subscription.request_cancellation(timing="immediate")
        elif step["yes"]:
            self.resume(subscription)
        else:
            subscription.reactivate_subscription(mode="new_term")
            self.assertEqual(subscription.date_start, date.today())

    def resume(self, subscription):
        closing = subscription._get_closing_cancellations()
        memos = closing.credit_note_ids
        paid_until = closing[:1].next_date_before
        start = subscription.date_start
        subscription.reactivate_subscription()
        self.assertEqual(subscription.date_start, start)
        ended = closing.line_ids.subscription_line_id
        self.assertEqual(subscription.sale_subscription_line_ids, ended)
        if date.today() < paid_until:
            self.assertEqual(subscription.recurring_next_date, paid_until)
            self.check_taken_back(memos)
        elif closing[0].effective_date <= paid_until:
            self.assertEqual(subscription.recurring_next_date, date.today())
            self.assertFalse(memos.reversal_move_ids)

    def step_bill(self, subscription, step):
        known = subscription._get_invoices()
        subscription.manual_invoice()
        self.check_new(subscription._get_invoices() - known, post=step["yes"])

    def step_execute(self, subscription, _step):
        self.run_scheduled_actions(subscription)

    def run_scheduled_actions(self, subscription, bill_first=False):
        """Run upstream's and ours: the order must not matter."""
        if bill_first:
            self.run_billing(subscription)
        self.execute_due(subscription.cancellation_ids)
        self.run_billing(subscription)

    def run_billing(self, subscription):
        if subscription.recurring_next_date:
            known = subscription._get_invoices()
            subscription.generate_invoice()
            self.check_new(subscription._get_invoices() - known)

    # === INVARIANTS === #

    def check(self, subscription):
        super().check(subscription)
        self.assert_books_fit()

    def check_taken_back(self, memos):
        """What was credited is billed again, to the cent."""
        self.assertNotIn("draft", memos.mapped("state"))
        for memo in memos.filtered_domain([("state", "=", "posted")]):
            self.assertEqual(memo.reversal_move_ids.move_type, "out_invoice")
            for name in ("amount_untaxed", "amount_tax", "amount_total"):
                self.assertAlmostEqual(memo[name], memo.reversal_move_ids[name], 6)

    def check_new(self, invoices, post=True):
        """Post them; they bill no period that begins after the line's end."""
        for item in invoices.invoice_line_ids:
            end = item.subscription_line_id.cancellation_date
            self.assertLess(item.start_date, end or date.max)
        if post:
            # What ended in the same run is invoiced, and posted, to the day.
            invoices.filtered_domain([("state", "=", "draft")]).action_post()


@tagged("post_install", "-at_install")
class TestGoldenLives(LivesCase, GoldenCase):
    """The golden cases, after changes of mind that must leave nothing behind."""

    @examples(100)
    @given(
        case=st.sampled_from(CASES),
        changes=st.lists(
            st.sampled_from(["revoke", "move", "resume", "undo_line"]),
            min_size=1,
            max_size=3,
        ),
    )
    def test_changes_of_mind_leave_nothing_behind(self, case, changes):
        """B12, B13, B15, C1: the same credit as without them."""
        subscription, _invoice = self._prepare(case)
        for change in changes:
            getattr(self, f"change_{change}")(subscription)
            self.assertEqual(subscription.cancellation_state, "active")
        answer = self._cancel(subscription, case)
        money = self._formatter(case)
        expected = case["expected"]
        credit = answer["credit_untaxed"] - self.sum_charged_beyond(subscription)
        self.assertEqual(money(credit), expected["credit_net"])
        # Each document rounds its own tax: one unit per change of mind at most.
        unit = 10 ** -case["decimals"]
        difference = answer["credit_total"] - float(expected["credit_total"])
        difference -= answer["credit_untaxed"] - credit
        self.assertLess(abs(difference), (len(changes) + 0.5) * unit)
        self.assert_books_fit()

    def sum_charged_beyond(self, subscription):
        """Return what changes of mind charged of days without service.

        Some cases have days before the next invoice that their invoice does not bill;
        ending a line charges these, and the last cancellation credits them again.
        """
        items = subscription._get_invoices().invoice_line_ids.filtered(
            lambda item: (
                item.move_id.cancellation_id
                and not (item.move_id.is_taken_back or item.move_id.reversed_entry_id)
                and item.start_date >= subscription.cancellation_ids[:1].effective_date
            )
        )
        return sum(items.mapped("price_subtotal"))

    def change_revoke(self, subscription):
        subscription.request_cancellation(timing="end_of_period")
        subscription.revoke_cancellation()

    def change_move(self, subscription):
        """Charge extra days, then change one's mind altogether."""
        subscription.request_cancellation(timing="end_of_period")
        day = subscription.cancellation_date + timedelta(days=10)
        subscription.postpone_cancellation(
            requested_date=day.isoformat(), charge_extension=True
        )
        subscription.revoke_cancellation()

    def change_resume(self, subscription):
        subscription.request_cancellation(timing="immediate")
        subscription.reactivate_subscription()

    def change_undo_line(self, subscription):
        line = subscription.sale_subscription_line_ids[0]
        subscription.request_cancellation(timing="immediate", line_ids=line.ids)
        subscription.cancellation_ids.sorted("id")[-1].action_undo()
