# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Around the customer's midnight: billing runs by UTC, days are the customer's."""

from odoo.fields import Date
from odoo.tests import tagged

from .test_clock import ClockCase

NEW_YORK, HONOLULU, AUCKLAND = (
    "America/New_York",
    "Pacific/Honolulu",
    "Pacific/Auckland",
)
UPSTREAM = "subscription_oca.ir_cron_subscription_management"
JULY, AUGUST = "2026-07-31", "2026-08-31"
#: The nightly run, in UTC: it bills what is due on 1 August.
NIGHTLY = "2026-08-01 00:10:00"
#: (zone, moment in UTC, last days of the current period and of what is billed).
MOMENTS = [
    # 31 July, 19:00: the nightly run has not billed August yet.
    (NEW_YORK, "2026-07-31 23:00:00", JULY, JULY),
    # 31 July, 21:00: it has.
    (NEW_YORK, "2026-08-01 01:00:00", JULY, AUGUST),
    # 1 August, 00:30.
    (NEW_YORK, "2026-08-01 04:30:00", AUGUST, AUGUST),
    # 31 July, 13:00 and 21:00; 1 August, 00:30.
    (HONOLULU, "2026-07-31 23:00:00", JULY, JULY),
    (HONOLULU, "2026-08-01 07:00:00", JULY, AUGUST),
    (HONOLULU, "2026-08-01 10:30:00", AUGUST, AUGUST),
    # 31 July, 21:00; 1 August, 00:30 and, after the nightly run, 13:00.
    (AUCKLAND, "2026-07-31 09:00:00", JULY, JULY),
    (AUCKLAND, "2026-07-31 12:30:00", AUGUST, AUGUST),
    (AUCKLAND, "2026-08-01 01:00:00", AUGUST, AUGUST),
]


class EveningCase(ClockCase):
    def create_billed(self, zone=NEW_YORK, lines=(31.0,), **values):
        """Return what upstream has billed for July, for a customer of some zone."""
        customer = self.create_customer(tz=zone)
        subscription = self.create_subscription(lines, partner_id=customer.id, **values)
        self.bill(subscription, "2026-07-01 12:00:00")
        return subscription

    def run_upstream(self):
        """Run upstream's scheduled action as the scheduler does."""
        with self.enter_registry_test_mode():
            self.env.ref(UPSTREAM).method_direct_trigger()
        self.env.invalidate_all()

    def run_night(self, post=True):
        """Let the nightly run bill August."""
        self.travel_to(NIGHTLY)
        self.run_upstream()
        if post:
            drafts = self.env["account.move"].search([("state", "=", "draft")])
            drafts.filtered("subscription_id").action_post()

    def get_end(self, subscription, timing, **options):
        """Return the last day of service that a preview promises."""
        answer = subscription.preview_cancellation(timing=timing, **options)
        return answer["last_service_date"]

    def end_at_midnight(self, subscription):
        """Run the scheduled action when it has become 1 August in New York."""
        self.travel_to("2026-08-01 04:00:00")
        self.run_scheduled_action()
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "done", cancellation.failure_message)
        self.assertEqual(subscription.cancellation_state, "cancelled")


@tagged("post_install", "-at_install")
class TestAroundMidnight(EveningCase):
    def test_the_period_is_the_one_of_the_customer_s_day(self):
        """B2, B8: wherever they live, before and after August is billed."""
        for zone, moment, period_end, billed_end in MOMENTS:
            with self.subTest(zone=zone, moment=moment):
                subscription = self.create_billed(zone)
                if moment > NIGHTLY:
                    self.run_night()
                self.travel_to(moment)
                ends = {
                    timing: self.get_end(subscription, timing)
                    for timing in ("end_of_period", "end_of_billed")
                }
                self.assertEqual(
                    ends, {"end_of_period": period_end, "end_of_billed": billed_end}
                )
                today = Date.to_string(subscription._today())
                for timing in ("earliest", "immediate"):
                    self.assertEqual(self.get_end(subscription, timing), today)

    def test_august_is_credited_as_it_was_billed_in_advance(self):
        """B2, C3: 31.00 of August come back; July, which was served, stays billed."""
        subscription = self.create_billed()
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        result = self.cancel(subscription, timing="end_of_period")
        self.assertEqual((result["state"], result["credit_total"]), ("scheduled", 31.0))
        self.end_at_midnight(subscription)
        memo = self.credit_memos(subscription)
        self.assertEqual(memo.amount_total, 31.0)
        self.assertEqual(str(memo.reversed_entry_id.invoice_date), "2026-08-01")

    def test_august_is_served_where_what_is_billed_is_waited_for(self):
        """B2: with the timing for that, nothing is credited."""
        subscription = self.create_billed()
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        result = self.cancel(subscription, timing="end_of_billed")
        self.assertEqual(result["last_service_date"], AUGUST)
        self.assertEqual(result["credit_total"], 0.0)
        self.travel_to("2026-09-01 04:00:00")
        self.run_upstream()
        self.run_scheduled_action()
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertFalse(self.credit_memos(subscription))
        self.assertEqual(len(subscription._get_invoices()), 2)

    def test_a_draft_of_august_is_dropped(self):
        """B2, C9: billed as a draft, it is an advance invoice all the same."""
        subscription = self.create_billed()
        self.run_night(post=False)
        self.travel_to("2026-08-01 01:00:00")
        self.cancel(subscription, timing="end_of_period")
        self.end_at_midnight(subscription)
        invoices = subscription._get_invoices()
        posted = invoices.filtered(lambda move: move.state == "posted")
        self.assertEqual(posted.mapped("amount_total"), [31.0])
        self.assertFalse(self.credit_memos(subscription))

    def test_july_is_a_draft_as_well(self):
        """B2: it is the period of the day, posted or not."""
        customer = self.create_customer(tz=NEW_YORK)
        subscription = self.create_subscription([31.0], partner_id=customer.id)
        self.bill(subscription, "2026-07-01 12:00:00", post=False)
        self.run_night(post=False)
        self.travel_to("2026-08-01 01:00:00")
        self.assertEqual(self.get_end(subscription, "end_of_period"), JULY)
        self.assertEqual(self.get_end(subscription, "end_of_billed"), AUGUST)

    def test_billed_through_orders(self):
        """B2, C3: the mode with an order and an invoice for each period."""
        subscription = self.create_billed(invoicing_mode="sale_and_invoice")
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        self.assertEqual(self.get_end(subscription, "end_of_period"), JULY)
        self.assertEqual(self.get_end(subscription, "end_of_billed"), AUGUST)

    def test_a_single_line(self):
        """A5, C3: 31.00 of its August; the other line goes on."""
        subscription = self.create_billed(
            lines=[{"name": "Base"}, {"name": "Other", "price_unit": 62.0}]
        )
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        line = self.get_line(subscription, "Base")
        result = self.cancel(subscription, timing="end_of_period", line_ids=line.ids)
        self.assertEqual(result["last_service_date"], JULY)
        self.travel_to("2026-08-01 04:00:00")
        self.run_scheduled_action()
        self.assertEqual(self.credit_memos(subscription).amount_total, 31.0)
        self.assertEqual(subscription.cancellation_state, "active")

    def test_a_full_refund_takes_the_period_of_the_day_and_what_follows(self):
        """B2, C2: July and August, 62.00."""
        subscription = self.create_billed()
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        result = self.cancel(subscription, timing="end_of_period", refund_mode="full")
        self.assertEqual(result["credit_total"], 62.0)

    def test_a_notice_is_counted_from_the_customer_s_day(self):
        """B5: one day's notice, asked for on 31 July, is kept on 31 August."""
        self.get_default_policy().write({"notice_period": 1, "notice_unit": "days"})
        subscription = self.create_billed()
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        answer = subscription.preview_cancellation(timing="end_of_period")
        self.assertEqual(answer["last_service_date"], AUGUST)
        self.assertEqual(answer["cancel_by"], "2026-08-30")
        self.travel_to("2026-07-31 03:00:00")
        self.assertEqual(self.get_end(subscription, "end_of_period"), JULY)


@tagged("post_install", "-at_install")
class TestTermsAroundMidnight(EveningCase):
    """A fixed term of one month: July."""

    def setUp(self):
        super().setUp()
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        self.subscription = self.create_billed(template=template)
        self.subscription.date = "2026-08-01"

    def test_the_nightly_run_leaves_the_last_evening_to_the_customer(self):
        """B3, B8: it comes at 20:10; service ends at midnight, nothing is credited."""
        self.get_default_policy().write(
            {"refund_mode": "full", "cancel_day_billed": False}
        )
        self.run_night()
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.travel_to("2026-08-02 00:10:00")
        self.run_upstream()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(str(cancellation.last_service_date), JULY)
        self.assertFalse(self.credit_memos(self.subscription))
        self.assertEqual(len(self.subscription._get_invoices()), 1)

    def test_every_end_is_that_of_the_term(self):
        """B2, B3: on the last evening."""
        self.run_night()
        self.travel_to("2026-08-01 01:00:00")
        for timing in ("end_of_period", "end_of_billed", "end_of_term"):
            self.assertEqual(self.get_end(self.subscription, timing), JULY)
