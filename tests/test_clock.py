# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Clocks that change, lie or stand still: due when the customer's day begins."""

from datetime import timedelta

from odoo.fields import Date, Datetime
from odoo.tests import tagged

from .common import CANCELLATION_MANAGER, SALESPERSON, CancellationCase

SECOND = timedelta(seconds=1)
#: (zone, last day of service, when it is over, in UTC).
MOMENTS = [
    # Clocks go forward in the night to 29 March, back in the night to 25 October.
    ("Europe/Berlin", "2026-03-28", "2026-03-28 23:00:00"),
    ("Europe/Berlin", "2026-03-29", "2026-03-29 22:00:00"),
    ("Europe/Berlin", "2026-10-24", "2026-10-24 22:00:00"),
    ("Europe/Berlin", "2026-10-25", "2026-10-25 23:00:00"),
    ("America/New_York", "2026-03-07", "2026-03-08 05:00:00"),
    ("America/New_York", "2026-03-08", "2026-03-09 04:00:00"),
    ("America/New_York", "2026-10-31", "2026-11-01 04:00:00"),
    ("America/New_York", "2026-11-01", "2026-11-02 05:00:00"),
    # By half an hour, in the southern autumn.
    ("Australia/Lord_Howe", "2026-04-04", "2026-04-04 13:00:00"),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-05 13:30:00"),
    # There is no midnight: the day begins at one o'clock.
    ("America/Santiago", "2026-09-05", "2026-09-06 04:00:00"),
    # Midnight comes twice: the day begins with the first one.
    ("America/Havana", "2026-10-31", "2026-11-01 04:00:00"),
    # The ends of the world, and in between.
    ("Pacific/Pago_Pago", "2026-07-10", "2026-07-11 11:00:00"),
    ("Pacific/Kiritimati", "2026-07-10", "2026-07-10 10:00:00"),
    ("Asia/Kathmandu", "2026-07-10", "2026-07-10 18:15:00"),
    ("UTC", "2026-07-10", "2026-07-11 00:00:00"),
]


class ClockCase(CancellationCase):
    def create_ending(self, day, zone="UTC", start="2026-01-01", **values):
        """Return a subscription, not billed, whose last day of service is ``day``."""
        customer = self.create_customer(tz=zone)
        self.travel_to(f"{start} 12:00:00")
        subscription = self.create_subscription(
            [31.0], start=start, partner_id=customer.id
        )
        self.cancel(subscription, timing="specific_date", requested_date=day, **values)
        return subscription

    def run_scheduled_action(self, name="execute_due"):
        """Run one of ours as the scheduler does, with commits that are rolled back."""
        with self.enter_registry_test_mode():
            self.env.ref(
                f"subscription_cancellation.ir_cron_{name}"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def run_upstream(self):
        """Run upstream's scheduled action, which bills."""
        self.env["sale.subscription"].cron_subscription_management()


@tagged("post_install", "-at_install")
class TestTheCustomersDay(ClockCase):
    def test_it_ends_when_the_customer_s_day_does(self):
        """B8: not a second earlier, whatever happens to the clocks that night."""
        for zone, day, moment in MOMENTS:
            with self.subTest(zone=zone, last_day=day):
                cancellation = self.create_ending(day, zone).cancellation_ids
                due_at = Datetime.to_datetime(moment)
                self.assertEqual(cancellation.due_at, due_at)
                self.travel_to(due_at - SECOND)
                self.assertEqual(
                    cancellation.subscription_id._today(), Date.to_date(day)
                )
                self.run_scheduled_action()
                self.assertEqual(cancellation.state, "scheduled")
                self.travel_to(due_at)
                self.run_scheduled_action()
                self.assertEqual(cancellation.state, "done")
                self.assertEqual(cancellation.executed_date, due_at)

    def test_the_scheduled_action_is_woken_for_that_moment(self):
        """B8: the day's first moment, not the next night of the server."""
        cron = self.env.ref("subscription_cancellation.ir_cron_execute_due")
        self.create_ending("2026-07-10", "Pacific/Kiritimati")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        due_at = Datetime.to_datetime("2026-07-10 10:00:00")
        self.assertIn(due_at, triggers.mapped("call_at"))

    def test_today_is_the_customer_s(self):
        """B1: at the same moment, it is another day elsewhere."""
        for zone, effective_date in (
            ("Pacific/Kiritimati", "2026-07-12"),
            ("UTC", "2026-07-11"),
            ("Pacific/Pago_Pago", "2026-07-10"),
        ):
            with self.subTest(zone=zone):
                customer = self.create_customer(tz=zone)
                subscription = self.create_subscription(partner_id=customer.id)
                self.bill(subscription, "2026-07-01 12:00:00")
                result = self.cancel(subscription, "2026-07-10 10:30:00")
                self.assertEqual(result["effective_date"], effective_date)
                memo = self.credit_memos(subscription)
                self.assertEqual(memo.invoice_date, subscription._today())

    def test_a_time_zone_that_is_none(self):
        """B8: then it is the company's, as where there is none."""
        subscription = self.create_subscription([31.0])
        partners = subscription.partner_id | self.company.partner_id
        self.company.partner_id.tz = "Asia/Tokyo"
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET tz = 'Mars/Phobos' WHERE id = %s",
            [subscription.partner_id.id],
        )
        partners.invalidate_recordset()
        self.travel_to("2026-07-10 16:00:00")
        self.assertEqual(str(subscription._today()), "2026-07-11")


@tagged("post_install", "-at_install")
class TestTheServersClock(ClockCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.bill(self.subscription, "2026-07-01")
        self.cancel(
            self.subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-10",
        )
        self.cancellation = self.subscription.cancellation_ids

    def check_ended_once(self, credited=21.0):
        """Assert one end, one credit memo of 21 days and no other invoice."""
        self.assertEqual(self.cancellation.state, "done")
        self.assertEqual(
            self.credit_memos(self.subscription).mapped("amount_total"), [credited]
        )
        self.assertEqual(len(self.subscription._get_invoices()), 1)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_set_back_after_the_end(self):
        """B7, B8, C4: nothing comes twice when the same day comes twice."""
        self.travel_to("2026-07-11 00:30:00")
        self.run_scheduled_action()
        self.check_ended_once()
        for moment in ("2026-07-10 23:00:00", "2026-07-01", "2026-07-11 00:30:00"):
            self.travel_to(moment)
            self.run_scheduled_action()
            self.run_upstream()
            self.run_steps(self.subscription)
            self.check_ended_once()

    def test_set_back_before_the_end(self):
        """B8: it waits for its day, and is not lost."""
        self.travel_to("2026-06-15")
        self.run_scheduled_action()
        self.run_upstream()
        self.assertEqual(self.cancellation.state, "scheduled")
        self.travel_to("2026-07-11")
        self.run_scheduled_action()
        self.check_ended_once()

    def test_approved_by_a_clock_that_was_set_back(self):
        """B7, C4: an end that is dated before its request is an end all the same."""
        # Its dates contradict each other, which the checker may say; nothing else.
        self.books_fit = False
        self.subscription.revoke_cancellation()
        self.get_default_policy().approval_above = 1.0
        self.cancel(self.subscription, "2026-07-11 12:00:00")
        self.cancellation = self.subscription.cancellation_ids.sorted("id")[-1]
        self.assertEqual(self.cancellation.state, "to_approve")
        self.travel_to("2026-07-11 06:00:00")
        manager = self.create_user(SALESPERSON, CANCELLATION_MANAGER)
        self.cancellation.with_user(manager)._approve()
        self.check_ended_once(credited=20.0)
        self.assertLess(self.cancellation.executed_date, self.cancellation.request_date)
        rules = {finding.rule for finding in self.check_books().findings}
        self.assertLessEqual(rules, {"dates"})

    def test_set_back_before_the_request(self):
        """B12: revoking and asking again needs no clock that runs forward."""
        self.travel_to("2026-06-30 12:00:00")
        self.subscription.revoke_cancellation()
        self.travel_to("2026-07-02")
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-10"
        )
        self.cancellation = self.subscription.cancellation_ids.sorted("id")[-1]
        self.travel_to("2026-07-11")
        self.run_scheduled_action()
        self.check_ended_once()


@tagged("post_install", "-at_install")
class TestFortyDaysOff(ClockCase):
    """On 20 August the scheduler runs for the first time since 11 July."""

    def setUp(self):
        super().setUp()
        #: By last day of service, in July and August.
        self.subscriptions = {
            day: self.create_billed(day)
            for day in ("2026-07-10", "2026-07-20", "2026-07-31", "2026-08-10")
        }
        self.going_on = self.create_subscription([31.0])
        self.bill(self.going_on, "2026-07-01")
        self.company.fiscalyear_lock_date = "2026-08-15"

    def create_billed(self, day):
        """Return what is billed for July and ends on ``day``."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription, "2026-07-01")
        self.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date=day,
            unbilled_charges="invoice",
        )
        return subscription

    def check_caught_up(self):
        """Assert that all of it is as if the scheduler had never been off."""
        credits = {"2026-07-10": [21.0], "2026-07-20": [11.0]}
        for day, subscription in self.subscriptions.items():
            with self.subTest(last_day=day):
                cancellation = subscription.cancellation_ids
                self.assertEqual(
                    cancellation.state, "done", cancellation.failure_message
                )
                self.assertEqual(cancellation.last_service_date, Date.to_date(day))
                memos = self.credit_memos(subscription)
                self.assertEqual(memos.mapped("amount_total"), credits.get(day, []))
                for memo in memos:
                    self.assertEqual(str(memo.invoice_date), "2026-08-20")
                    self.assertGreater(str(memo.date), "2026-08-15")
                self.check_billed_until(subscription, Date.to_date(day))

    def check_billed_until(self, subscription, last_day):
        """Assert that July is billed, and of August the days that were served."""
        invoices = subscription._get_invoices()
        total = sum(invoices.mapped("amount_total"))
        served = max((last_day - Date.to_date("2026-07-31")).days, 0)
        self.assertEqual(total, 31.0 + served)
        ends = invoices.invoice_line_ids.mapped("end_date")
        self.assertLessEqual(max(ends), max(last_day, Date.to_date("2026-07-31")))

    def test_ours_comes_first(self):
        """B7, B8, C11: credits as of the day service ended, documents of today."""
        self.travel_to("2026-08-20")
        self.run_scheduled_action()
        self.run_upstream()
        self.check_caught_up()
        self.assertEqual(len(self.going_on._get_invoices()), 2)

    def test_upstream_s_comes_first(self):
        """B7, B8, C11: the order of the scheduled actions does not matter."""
        self.travel_to("2026-08-20")
        self.run_upstream()
        self.run_scheduled_action()
        self.check_caught_up()
        self.assertEqual(len(self.going_on._get_invoices()), 2)

    def test_only_upstream_s_was_on(self):
        """B7: nothing is billed after the end, and no end is missed."""
        for day in ("2026-07-11", "2026-08-01", "2026-08-11"):
            self.travel_to(day)
            self.run_upstream()
        self.travel_to("2026-08-20")
        self.run_scheduled_action()
        for subscription in self.subscriptions.values():
            self.assertEqual(subscription.cancellation_state, "cancelled")
            end = subscription.cancellation_ids.effective_date
            posted = subscription._get_invoices().invoice_line_ids
            self.assertLess(max(posted.mapped("start_date")), end)


@tagged("post_install", "-at_install")
class TestStepsFortyDaysOff(ClockCase):
    """What follows a cancellation waits for its scheduled action till 20 August."""

    def setUp(self):
        super().setUp()
        self.get_provider()
        self.refunded = self.create_subscription(partner_id=self.create_payer().id)
        self.pay_online(self.bill(self.refunded, "2026-07-01"))
        self.collected = self.create_subscription(partner_id=self.create_payer().id)
        self.create_token(self.collected.partner_id)
        self.bill(self.collected, "2026-07-01")
        self.request(self.refunded, credit_settlement="refund")
        self.request(self.collected, unpaid_invoices="collect")

    def create_payer(self):
        """Return a customer whom mails can reach."""
        return self.create_customer(email="azure@example.com")

    def request(self, subscription, **options):
        """Ask for an end on 10 July."""
        self.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-10",
            **options,
        )

    def check_settled(self):
        """Assert that all of it was done once, on 20 August."""
        for subscription, kind, amount in (
            (self.refunded, "refund", 21.0),
            (self.collected, "collect", 10.0),
        ):
            with self.subTest(kind=kind):
                [step] = self.steps(subscription, kind)
                self.assertEqual((step.state, step.amount), ("done", amount))
                self.assertEqual(str(step.done_date.date()), "2026-08-20")
                steps = subscription.cancellation_ids.step_ids
                self.assertEqual(set(steps.mapped("state")), {"done"})
                moves = subscription._get_invoices() | self.credit_memos(subscription)
                self.assertEqual(sum(moves.mapped("amount_residual")), 0.0)
                [payment] = step.transaction_id.payment_id
                self.assertEqual(str(payment.date), "2026-08-20")

    def run_steps_twice(self):
        """Run the scheduled action of the steps on 20 August, and once again."""
        self.travel_to("2026-08-20")
        for _again in range(2):
            self.run_scheduled_action("run_steps")
            self.check_settled()

    def test_only_the_steps_were_off(self):
        """B7, C6, C8: money moves late, in full, and once."""
        self.travel_to("2026-07-11")
        self.run_scheduled_action()
        self.assertEqual(self.steps(self.refunded, "refund").state, "pending")
        self.run_steps_twice()

    def test_everything_was_off(self):
        """B7, C6, C8: the end and what follows it, on the same late day."""
        self.travel_to("2026-08-20")
        self.run_scheduled_action()
        self.run_steps_twice()
