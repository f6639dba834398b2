# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B10: what runs for upstream, but begins on a later day, has not started.

It was imported, or started over the API, for 1 August; today is 10 July.
"""

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import CancellationCase
from .portal import PortalCase

FUTURE = "2026-08-01"
NOT_STARTED = "has not started yet; it can only be cancelled immediately"
#: All that is not "immediate".
LATER = (
    {"timing": "end_of_period"},
    {"timing": "end_of_term"},
    {"timing": "earliest"},
    {"timing": "specific_date", "requested_date": "2026-08-15"},
)


@tagged("post_install", "-at_install")
class TestNotStarted(CancellationCase):
    now = "2026-07-10"

    def setUp(self):
        super().setUp()
        self.future = self.create_subscription(start=FUTURE)
        self.assertEqual(self.future.stage_id.type, "in_progress")

    def test_every_later_time_is_refused(self):
        """B10: in the preview and in the request alike; nothing is left behind."""
        for options in LATER:
            with (
                self.subTest(**options),
                self.assertRaisesRegex(UserError, NOT_STARTED),
            ):
                self.future.preview_cancellation(**options)
            with self.assertRaisesRegex(UserError, NOT_STARTED):
                self.future.request_cancellation(**options)
        self.assertFalse(self.future.cancellation_ids)

    def test_at_once_is_the_only_way_and_the_default(self):
        """B10: also where the policy ends at the end of the period, and only then."""
        policy = self.get_default_policy()
        policy.write({"timing": "end_of_period", "allow_override_timing": False})
        result = self.future.request_cancellation()
        self.assertEqual(
            (result["state"], result["timing"], result["credit_total"]),
            ("done", "immediate", 0.0),
        )
        self.assertEqual(self.future.cancellation_state, "cancelled")
        self.assertFalse(self.bill(self.future, FUTURE))

    def test_what_is_billed_in_advance_comes_back_as_a_whole(self):
        """B10, C1: 31.00 for August, of which nobody was served a day."""
        self.future.manual_invoice()
        invoice = self.future._get_invoices()
        invoice.action_post()
        self.assertEqual(str(invoice.invoice_line_ids.start_date), FUTURE)
        self.pay(invoice)
        result = self.cancel(self.future)
        self.assertEqual((result["credit_total"], result["refundable"]), (31.0, 31.0))

    def test_the_dialog_offers_and_explains_it(self):
        """B10, E1."""
        form = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.future.id
            )
        )
        self.assertEqual(form.timing, "immediate")
        self.assertFalse(form.problem)
        self.assertIn("Service has not started and will not", form.preview)
        form.timing = "end_of_period"
        self.assertIn(NOT_STARTED, form.problem)

    def test_a_single_line_either(self):
        """B10, A5."""
        self.add_line(self.future, {"name": "Extra"})
        line = self.get_line(self.future, "Extra")
        with self.assertRaisesRegex(UserError, NOT_STARTED):
            self.cancel(self.future, timing="end_of_period", line_ids=line.ids)
        self.cancel(self.future, line_ids=line.ids)
        self.assertFalse(line.active)
        self.assertEqual(self.future.cancellation_state, "active")

    def test_on_its_first_day_it_has_started(self):
        """B10, B2: from then on every time can be chosen."""
        self.travel_to(FUTURE)
        result = self.cancel(self.future, timing="end_of_period")
        self.assertEqual(result["last_service_date"], "2026-08-31")

    def test_the_first_day_is_the_customers(self):
        """B10: 1 August begins in Tokyo at 15:00 of 31 July in UTC."""
        self.future.partner_id.tz = "Asia/Tokyo"
        self.travel_to("2026-07-31 14:59:00")
        with self.assertRaisesRegex(UserError, NOT_STARTED):
            self.future.preview_cancellation(timing="end_of_period")
        self.travel_to("2026-07-31 15:00:00")
        self.future.preview_cancellation(timing="end_of_period")

    def test_a_trial_that_is_still_to_come(self):
        """B9, B10: nor has that begun."""
        template = self.create_template(trial_days=14)
        trial = self.create_subscription(template=template, start=FUTURE)
        with self.assertRaisesRegex(UserError, NOT_STARTED):
            self.cancel(trial, timing="end_of_period")
        self.assertEqual(self.cancel(trial)["state"], "done")

    def test_moving_its_stage_does_not_start_it_today(self):
        """B10: upstream would, and bill July."""
        self.future.stage_id = self.future.stage_id
        self.assertEqual(str(self.future.date_start), FUTURE)
        self.assertEqual(str(self.future.recurring_next_date), FUTURE)


@tagged("post_install", "-at_install")
class TestNotStartedPortal(PortalCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": "Later", "price_unit": 31.0}],
            start=FUTURE,
            partner_id=self.customer.id,
        )

    def test_the_customer_is_offered_the_only_time_there_is(self):
        """B10, E2: and told that it has not started."""
        page = self.see()
        self.assertEqual(page.text("state"), "Not started yet")
        [choice] = self.see("/cancel").tree.xpath("//input[@name='timing']")
        self.assertEqual(choice.get("value"), "immediate")
        self.cancel_as_customer()
        self.assertEqual(self.get_cancellation().state, "done")

    def test_a_page_of_before_is_refused_with_the_reason(self):
        """B10, E2: its start was put off since."""
        for options in LATER:
            with (
                self.subTest(**options),
                self.assertRaisesRegex(UserError, NOT_STARTED),
            ):
                self.subscription._plan_for_customer(dict(options))
