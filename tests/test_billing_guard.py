# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B7: nothing is billed for a period that begins on or after the effective date."""

from itertools import permutations

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CancellationCase

UPSTREAM = "subscription_oca.ir_cron_subscription_management"
OURS = "subscription_cancellation.ir_cron_execute_due"
ORDERS = tuple(permutations((UPSTREAM, OURS)))
ENGINE_LOGGER = "odoo.addons.subscription_cancellation.models.cancellation.cancellation"
CRON_LOGGER = "odoo.addons.subscription_oca.models.sale_subscription"


class GuardCase(CancellationCase):
    """Runs both scheduled actions as the server does."""

    def run_crons(self, *names, day=None):
        """Run scheduled actions by external id, one after the other."""
        if day:
            self.travel_to(day)
        with self.enter_registry_test_mode():
            for name in names:
                # sudo: triggered by the server, not by a person.
                self.env.ref(name).sudo().method_direct_trigger()
        self.env.invalidate_all()
        # The numbers that the scheduled actions gave are not in our cache of them.
        self.env.cr.precommit.data.pop("sequence.mixin", None)

    def get_outcome(self, subscription):
        """Return state, first billed days, and credits, as plain values."""
        lines = subscription._get_invoices().invoice_line_ids
        memos = self.credit_memos(subscription)
        return (
            subscription.cancellation_state,
            sorted(str(line.start_date) for line in lines),
            sorted(memos.mapped("amount_untaxed")),
        )

    def assert_in_both_orders(self, create, day, expected, **names):
        """Assert one outcome, whichever scheduled action runs first.

        :param create: returns a subscription; called once per order
        """
        for order in ORDERS:
            with self.subTest(first=order[0], **names):
                self.travel_to(self.now)
                subscription = create()
                self.run_crons(*order, day=day)
                self.assertEqual(self.get_outcome(subscription), expected)

    def create_ending(self, last_day=None, **values):
        """Return a subscription billed for July and scheduled to end.

        :param last_day: last day of service; absent: the end of July
        """
        subscription = self.create_subscription(**values)
        self.bill(subscription)
        self.schedule(subscription, last_day)
        return subscription

    def schedule(self, subscription, last_day=None, **options):
        if last_day:
            options.update(timing="specific_date", requested_date=last_day)
        self.cancel(subscription, **{"timing": "end_of_period", **options})

    def assert_not_billed(self, subscription, reason):
        """Assert that no door of upstream's billing makes a document."""
        known = subscription._get_invoices() | subscription.invoice_ids
        orders = subscription.sale_order_ids
        date = subscription.recurring_next_date
        subscription.generate_invoice()
        for method in ("manual_invoice", "create_invoice", "create_sale_order"):
            with self.assertRaisesRegex(UserError, reason):
                getattr(subscription, method)()
        self.assertEqual(subscription._get_invoices() | subscription.invoice_ids, known)
        self.assertEqual(subscription.sale_order_ids, orders)
        self.assertEqual(subscription.recurring_next_date, date)


@tagged("post_install", "-at_install")
class TestOrderOfScheduledActions(GuardCase):
    def test_at_the_end_of_the_period(self):
        """B7: August would begin on the effective date."""
        outcome = ("cancelled", ["2026-07-01"], [])
        for mode in ("draft", "invoice", "sale_and_invoice"):
            self.assert_in_both_orders(
                lambda mode=mode: self.create_ending(invoicing_mode=mode),
                "2026-08-01",
                outcome,
                mode=mode,
            )

    def test_on_a_specific_date(self):
        """B7, B8: 21 to 31 July, 11 of 31 days of 31.00."""
        outcome = ("cancelled", ["2026-07-01"], [11.0])
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-07-20"), "2026-07-21", outcome
        )

    def test_days_before_the_date_are_billed(self):
        """B7: August begins before 11 August, so it is billed; service goes on."""
        outcome = ("non_renewing", ["2026-07-01", "2026-08-01"], [])
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-08-10"), "2026-08-01", outcome
        )

    def assert_billed_and_then_credited(self, order):
        subscription = self.create_ending("2026-08-10", invoicing_mode="invoice")
        self.run_crons(*order, day="2026-08-01")
        self.run_crons(*order, day="2026-08-11")
        self.assertEqual(
            self.get_outcome(subscription),
            ("cancelled", ["2026-07-01", "2026-08-01"], [21.0]),
        )

    def test_billed_on_its_first_day_and_credited_on_its_last_upstream_first(self):
        """B7, B8: August is billed in full and ends on the 10th: 21 of 31 days."""
        self.assert_billed_and_then_credited((UPSTREAM, OURS))

    def test_billed_on_its_first_day_and_credited_on_its_last_upstream_last(self):
        """B7, B8: as before, the other way round."""
        self.assert_billed_and_then_credited((OURS, UPSTREAM))

    def test_a_line_that_ends_is_not_billed_and_the_other_one_is(self):
        """B7, A5: August is 62.00 only."""

        def create():
            subscription = self.create_subscription([31.0, 62.0])
            self.bill(subscription)
            line = subscription.sale_subscription_line_ids.sorted("id")[0]
            self.schedule(subscription, line_ids=line.ids)
            return subscription

        for order in ORDERS:
            with self.subTest(first=order[0]):
                self.travel_to(self.now)
                subscription = create()
                self.run_crons(*order, day="2026-08-01")
                totals = subscription._get_invoices().mapped("amount_untaxed")
                self.assertEqual(sorted(totals), [62.0, 93.0])
                active = subscription.sale_subscription_line_ids
                self.assertEqual(active.mapped("price_unit"), [62.0])

    def test_after_revoking_billing_goes_on(self):
        """B12: as if nothing had happened."""

        def create():
            subscription = self.create_ending()
            subscription.revoke_cancellation()
            return subscription

        outcome = ("active", ["2026-07-01", "2026-08-01"], [])
        self.assert_in_both_orders(create, "2026-08-01", outcome)

    def test_not_billed_while_it_is_still_july_for_the_customer(self):
        """B7: 1 August 00:00 UTC is 31 July in Los Angeles."""

        def create():
            partner = self.create_customer(tz="America/Los_Angeles")
            subscription = self.create_subscription(partner_id=partner.id)
            # 1 July there too: it has started.
            self.bill(subscription, "2026-07-01 12:00:00")
            self.schedule(subscription)
            return subscription

        outcome = ("non_renewing", ["2026-07-01"], [])
        self.assert_in_both_orders(create, "2026-08-01 00:00:00", outcome)
        outcome = ("cancelled", ["2026-07-01"], [])
        self.assert_in_both_orders(create, "2026-08-01 07:00:00", outcome)

    def test_a_cancelled_future_subscription_is_not_started(self):
        """B7, B10: it was to start on 1 August."""

        def create():
            subscription = self.create_subscription()
            subscription.stage_id = self.env.ref(
                "subscription_oca.subscription_stage_ready"
            )
            subscription.write(
                {"date_start": "2026-08-01", "recurring_next_date": "2026-08-01"}
            )
            self.cancel(subscription)
            return subscription

        self.assert_in_both_orders(create, "2026-08-01", ("cancelled", [], []))


@tagged("post_install", "-at_install")
class TestBacklog(GuardCase):
    """The scheduled actions were off for 40 days, from 21 July on."""

    def test_a_due_cancellation_is_executed_before_anything_is_billed(self):
        """B7: ended on 20 July, 11 of 31 days; neither August nor a crash."""
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-07-20"),
            "2026-08-30",
            ("cancelled", ["2026-07-01"], [11.0]),
        )

    def test_a_period_that_was_never_billed_is_billed_up_to_the_end(self):
        """B7, C9: 1 to 10 August were not billed in time; the order does not matter."""
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-08-10"),
            "2026-08-30",
            ("cancelled", ["2026-07-01", "2026-08-01"], []),
        )
        totals = self.env["account.move"].search(
            [
                ("subscription_id", "!=", False),
                ("company_id", "=", self.company.id),
                ("cancellation_id", "!=", False),
            ]
        )
        self.assertEqual(set(totals.mapped("amount_untaxed")), {10.0})

    def test_a_period_that_was_never_billed_is_dropped_by_policy(self):
        """B7, C9: neither billed nor credited."""
        self.get_default_policy().unbilled_charges = "drop"
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-08-10"),
            "2026-08-30",
            ("cancelled", ["2026-07-01"], []),
        )

    def test_a_line_is_ended_before_the_missed_month_is_billed(self):
        """B7: August is 62.00 only; 11 of 31 days of July are credited."""
        for order in ORDERS:
            with self.subTest(first=order[0]):
                self.travel_to(self.now)
                subscription = self.create_subscription([31.0, 62.0])
                self.bill(subscription)
                line = subscription.sale_subscription_line_ids.sorted("id")[0]
                self.schedule(subscription, "2026-07-20", line_ids=line.ids)
                self.run_crons(*order, day="2026-08-30")
                totals = subscription._get_invoices().mapped("amount_untaxed")
                self.assertEqual(sorted(totals), [62.0, 93.0])
                credited = self.credit_memos(subscription).amount_untaxed
                self.assertEqual(credited, 11.0)

    def test_what_is_not_cancelled_catches_up(self):
        """One period a night, as upstream does."""
        self.create_ending("2026-07-20")
        self.travel_to(self.now)
        other = self.create_subscription()
        self.bill(other)
        self.run_crons(UPSTREAM, OURS, day="2026-09-08")
        self.run_crons(UPSTREAM, OURS, day="2026-09-09")
        self.assertEqual(
            self.get_outcome(other),
            ("active", ["2026-07-01", "2026-08-01", "2026-09-01"], []),
        )


@tagged("post_install", "-at_install")
class TestDoorsOfBilling(GuardCase):
    def test_nothing_is_billed_in_advance_from_the_effective_date_on(self):
        """B7: somebody bills August in July, and service ends with July."""
        self.assert_not_billed(self.create_ending(), "ends on July 31, 2026")

    def test_the_period_before_the_effective_date_is_billed_by_every_door(self):
        """B7: service ends on 10 August, August begins before that."""
        for method in ("generate_invoice", "manual_invoice", "create_invoice"):
            with self.subTest(method=method):
                self.travel_to(self.now)
                subscription = self.create_ending("2026-08-10")
                getattr(subscription, method)()
                self.assertEqual(
                    self.get_outcome(subscription),
                    ("non_renewing", ["2026-07-01", "2026-08-01"], []),
                )

    def test_a_cancelled_subscription_is_billed_by_no_door(self):
        """B7."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        self.assert_not_billed(subscription, "is cancelled")

    def test_a_due_cancellation_is_executed_by_the_create_invoice_button(self):
        """B7: the scheduled action has not run yet; the button ends it first.

        The error rolls the end back with it; the scheduled action does it then.
        """
        subscription = self.create_ending("2026-07-20")
        self.travel_to("2026-08-01")
        with self.assertRaises(UserError):
            subscription.manual_invoice()
        self.assertEqual(
            self.get_outcome(subscription), ("non_renewing", ["2026-07-01"], [])
        )

    def create_half_ending(self, **values):
        """Return a subscription of which one of two lines ends with July."""
        subscription = self.create_subscription([31.0, 62.0], **values)
        self.bill(subscription)
        line = subscription.sale_subscription_line_ids.sorted("id")[0]
        self.schedule(subscription, line_ids=line.ids)
        return subscription

    def test_a_line_that_ends_is_left_out_by_every_door(self):
        """B7, A5: August is billed in July, without the line that ends."""
        for method in ("generate_invoice", "manual_invoice", "create_invoice"):
            with self.subTest(method=method):
                self.travel_to(self.now)
                subscription = self.create_half_ending()
                known = subscription.invoice_ids
                getattr(subscription, method)()
                invoice = subscription.invoice_ids - known
                self.assertEqual(invoice.amount_untaxed, 62.0)

    def test_a_line_that_ends_is_left_out_of_the_sales_order(self):
        """B7, A5."""
        subscription = self.create_half_ending(invoicing_mode="sale_and_invoice")
        order = subscription.create_sale_order()
        self.assertEqual(order.amount_untaxed, 62.0)
        self.assertEqual(len(order.order_line), 1)

    def test_lines_that_all_end_are_billed_by_no_door(self):
        """B7: each was cancelled by itself."""
        subscription = self.create_half_ending()
        other = subscription.sale_subscription_line_ids.sorted("id")[1]
        self.schedule(subscription, line_ids=other.ids)
        self.assert_not_billed(subscription, "Every line|ends on")

    def test_a_line_added_to_an_ending_subscription_is_not_billed_past_its_end(self):
        """B7: the whole subscription ends, lines added later included."""
        subscription = self.create_ending()
        self.add_line(subscription, 62.0)
        self.assert_not_billed(subscription, "ends on")


@tagged("post_install", "-at_install")
class TestFixedTerm(GuardCase):
    """Upstream bills one period too many on the end date (its row 6)."""

    def create_limited(self, count=1, mode="draft"):
        template = self.create_template(
            invoicing_mode=mode,
            recurring_rule_boundary="limited",
            recurring_rule_count=count,
        )
        return self.create_subscription(template=template)

    def test_on_the_end_date_it_is_closed_and_not_billed(self):
        """B7: the term is July, in every way of billing."""
        for mode in ("draft", "invoice", "sale_and_invoice"):
            self.assert_in_both_orders(
                lambda mode=mode: self.bill_first(self.create_limited(mode=mode)),
                "2026-08-01",
                ("cancelled", ["2026-07-01"], []),
                mode=mode,
            )

    def bill_first(self, subscription):
        self.bill(subscription)
        return subscription

    def test_every_period_of_the_term_is_billed(self):
        """Three months: July, August, September, and no October."""
        subscription = self.create_limited(count=3)
        for day in ("2026-07-01", "2026-08-01", "2026-09-01", "2026-10-01"):
            self.run_crons(UPSTREAM, OURS, day=day)
        self.assertEqual(
            self.get_outcome(subscription),
            ("cancelled", ["2026-07-01", "2026-08-01", "2026-09-01"], []),
        )

    def test_nothing_is_billed_in_advance_after_the_term(self):
        self.assert_not_billed(
            self.bill_first(self.create_limited()), "ends on July 31, 2026"
        )

    def test_a_term_sold_by_an_order_is_billed_by_the_order_alone(self):
        """The order bills July, the only month of the term."""
        product = self.create_product()
        product.subscription_template_id = self.create_template(
            recurring_rule_boundary="limited"
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                ],
            }
        )
        order.action_confirm()
        order._create_invoices().action_post()
        self.run_crons(UPSTREAM, OURS, day="2026-08-01")
        self.assertEqual(
            self.get_outcome(order.subscription_ids),
            ("cancelled", ["2026-07-01"], []),
        )


@tagged("post_install", "-at_install")
class TestPaused(GuardCase):
    """Upstream skips paused subscriptions, their end included (its row 20)."""

    def create_paused(self, last_day=None, **pause):
        subscription = self.create_ending(last_day)
        subscription.action_pause(**pause)
        return subscription

    def test_a_paused_subscription_is_ended_and_not_credited_again(self):
        """B7, B8, C4: the pause has credited all its days, also after 20 July."""
        self.assert_in_both_orders(
            lambda: self.create_paused("2026-07-20"),
            "2026-07-21",
            ("cancelled", ["2026-07-01"], []),
        )

    def test_a_subscription_resumed_on_its_last_night_is_not_billed(self):
        """B7: upstream resumes it on the effective date and would bill August."""
        self.assert_in_both_orders(
            lambda: self.create_paused(paused_until="2026-08-01"),
            "2026-08-01",
            ("cancelled", ["2026-07-01"], []),
        )


@tagged("post_install", "-at_install")
class TestBrokenNeighbours(GuardCase):
    def create_failing(self, code):
        """Return a subscription whose credit memo cannot be made."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        account = invoice.invoice_line_ids.account_id.copy({"code": code})
        invoice.invoice_line_ids.account_id = account
        self.schedule(subscription, "2026-07-20")
        account.active = False
        return subscription

    @mute_logger(ENGINE_LOGGER)
    def test_a_cancellation_that_fails_stops_neither_billing_nor_the_others(self):
        """B7: the failed one says why, and is not billed for August either."""
        for code, order in zip(("999997", "999998"), ORDERS, strict=True):
            with self.subTest(first=order[0]):
                self.travel_to(self.now)
                broken = self.create_failing(code)
                self.travel_to(self.now)
                ending = self.create_ending("2026-07-20")
                self.travel_to(self.now)
                going_on = self.create_subscription()
                self.bill(going_on)
                self.run_crons(*order, day="2026-08-01")
                self.assertEqual(broken.cancellation_ids.state, "failed")
                self.assertIn("archived", broken.cancellation_ids.failure_message)
                self.assertEqual(
                    [self.get_outcome(one) for one in (broken, ending, going_on)],
                    [
                        ("non_renewing", ["2026-07-01"], []),
                        ("cancelled", ["2026-07-01"], [11.0]),
                        ("active", ["2026-07-01", "2026-08-01"], []),
                    ],
                )

    @mute_logger(CRON_LOGGER)
    def test_an_invoice_that_cannot_be_posted_does_not_stop_a_cancellation(self):
        """B7: a negative invoice fails in upstream's billing every night."""
        self.create_subscription([-10.0], invoicing_mode="invoice", start="2026-08-01")
        self.assert_in_both_orders(
            lambda: self.create_ending("2026-07-20"),
            "2026-08-01",
            ("cancelled", ["2026-07-01"], [11.0]),
        )

    def test_what_crashes_the_whole_of_upstream_s_billing_does_not_stop_ours(self):
        """B7: a running subscription without a next date (upstream's row 5)."""
        broken = self.create_subscription()
        broken.recurring_next_date = False
        ending = self.create_ending("2026-07-20")
        self.travel_to("2026-08-01")
        with self.assertRaises(TypeError):
            broken.cron_subscription_management()
        self.run_crons(OURS)
        self.assertEqual(
            self.get_outcome(ending), ("cancelled", ["2026-07-01"], [11.0])
        )
