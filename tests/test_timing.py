# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""When service ends, what happens until then, and how to take it back (B)."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestTiming(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.invoice = self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def execute_due(self, moment):
        """Run the scheduled action as the scheduler would."""
        self.travel_to(moment)
        with self.enter_registry_test_mode():
            self.env.ref(
                "subscription_cancellation.ir_cron_execute_due"
            ).method_direct_trigger()

    def test_immediately(self):
        """B1, B6: the day of cancellation is served; 21 of 31 days are credited."""
        result = self.cancel(self.subscription)
        self.assertEqual(result["state"], "done")
        self.assertEqual(result["last_service_date"], "2026-07-10")
        self.assertEqual(result["effective_date"], "2026-07-11")
        self.assertEqual(result["credit_total"], 21.0)

    def test_immediately_without_the_day(self):
        """B6: switched off, the day of cancellation is credited too."""
        result = self.cancel(self.subscription, cancel_day_billed=False)
        self.assertEqual(result["last_service_date"], "2026-07-09")
        self.assertEqual(result["credit_total"], 22.0)

    def test_policy_says_whether_the_day_is_billed(self):
        """B6: the policy's switch is the default."""
        self.get_default_policy().cancel_day_billed = False
        self.assertEqual(self.cancel(self.subscription)["credit_total"], 22.0)

    def test_end_of_period(self):
        """B2: service goes on to the end, nothing is credited, nothing renewed."""
        result = self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(result["state"], "scheduled")
        self.assertEqual(result["effective_date"], "2026-08-01")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.assertFalse(self.bill(self.subscription, "2026-08-01"))
        self.execute_due("2026-08-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertFalse(self.credit_memos(self.subscription))

    def test_end_of_period_where_the_running_period_is_not_billed_yet(self):
        """B2: the running period ends where the next one begins."""
        late = self.create_subscription(start="2026-05-31")
        self.travel_to("2026-07-10")
        preview = late.preview_cancellation(timing="end_of_period")
        self.assertEqual(preview["effective_date"], "2026-07-31")

    def test_specific_date(self):
        """B4, B8: credited on its day, not on the day of request; ignores no terms."""
        result = self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        self.assertEqual(result["effective_date"], "2026-07-21")
        self.assertFalse(self.credit_memos(self.subscription))
        self.assertFalse(self.subscription.cancellation_ids.is_extraordinary)
        self.execute_due("2026-07-20 23:59:00")
        self.assertFalse(self.credit_memos(self.subscription))
        self.execute_due("2026-07-21")
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.amount_total, 11.0)
        self.assertEqual(str(memo.invoice_date), "2026-07-21")

    def test_specific_date_in_a_later_period_credits_what_is_billed_by_then(self):
        """B8: the invoice of August is made in the meantime and credited."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-10"
        )
        august = self.bill(self.subscription)
        self.assertEqual(august.amount_total, 31.0)
        self.execute_due("2026-08-11")
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.reversed_entry_id, august)
        self.assertEqual(memo.amount_total, 21.0)

    def test_specific_date_today_is_done_at_once(self):
        """B4: a date that is reached needs no scheduled action."""
        result = self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-10"
        )
        self.assertEqual(result["state"], "done")
        self.assertEqual(result["credit_total"], 21.0)

    def test_non_renewing_is_visible_and_can_be_searched(self):
        """B7: state, date and last day of service."""
        self.cancel(self.subscription, timing="end_of_period")
        found = self.env["sale.subscription"].search(
            [("cancellation_state", "=", "non_renewing")]
        )
        self.assertIn(self.subscription, found)
        self.assertEqual(str(self.subscription.cancellation_date), "2026-08-01")
        self.assertEqual(str(self.subscription.last_service_date), "2026-07-31")

    def test_scheduled_action_is_woken_at_the_customers_midnight(self):
        """B7: a trigger for the moment; in Tokyo the day begins earlier."""
        self.subscription.partner_id.tz = "Asia/Tokyo"
        self.cancel(self.subscription, timing="end_of_period")
        cron = self.env.ref("subscription_cancellation.ir_cron_execute_due")
        trigger = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual(str(trigger[-1:].call_at), "2026-07-31 15:00:00")

    def test_a_single_line_can_end_later(self):
        """B7, A5: until then it is billed; from then on it is not."""
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        line = self.get_line(self.subscription, "Line 1")
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertIn("Line 1 on July 31, 2026", self.subscription.ending_lines_note)
        self.assertEqual(self.bill(self.subscription).amount_total, 62.0)
        self.assertFalse(line.active)

    def test_today_is_the_customers(self):
        """B1: at 23:30 UTC on 10 July it is 11 July in Paris."""
        self.travel_to("2026-07-10 23:30:00")
        self.subscription.partner_id.tz = "Europe/Paris"
        result = self.cancel(self.subscription)
        self.assertEqual(result["last_service_date"], "2026-07-11")
        self.assertEqual(result["credit_total"], 20.0)

    def test_cancelled_is_not_offered_again(self):
        """B11: the reason why not is told, for the button and the error."""
        self.cancel(self.subscription)
        reason = self.subscription.cannot_cancel_reason
        self.assertIn("already cancelled", reason)
        with self.assertRaisesRegex(UserError, "already cancelled"):
            self.cancel(self.subscription)
        with self.assertRaisesRegex(UserError, "already cancelled"):
            self.subscription.action_deactivate()

    def test_scheduled_is_not_offered_again(self):
        """B11: there is a way out: revoke."""
        self.cancel(self.subscription, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "July 31, 2026. Revoke"):
            self.cancel(self.subscription)

    def test_revoke(self):
        """B12: billing goes on as if nothing had happened."""
        self.cancel(self.subscription, timing="end_of_period")
        before = self.subscription.message_ids
        result = self.subscription.revoke_cancellation()
        self.assertEqual(result["state"], "revoked")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertFalse(self.subscription.sale_subscription_line_ids.cancellation_date)
        self.execute_due("2026-08-01")
        self.assertEqual(self.bill(self.subscription).amount_total, 31.0)
        new = self.subscription.message_ids - before
        self.assertFalse(new.filtered("notified_partner_ids"))

    def test_revoke_after_the_date_is_refused(self):
        """B12: only while the date is not reached."""
        self.cancel(self.subscription, timing="end_of_period")
        self.travel_to("2026-08-01")
        with self.assertRaisesRegex(UserError, "service ended on July 31, 2026"):
            self.subscription.revoke_cancellation()

    def test_revoke_without_a_cancellation_is_refused(self):
        """B12: nothing scheduled, nothing to revoke."""
        with self.assertRaisesRegex(UserError, "no scheduled cancellation"):
            self.subscription.revoke_cancellation()

    def test_revoked_can_be_cancelled_again(self):
        """B12: and is credited as ever."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.revoke_cancellation()
        self.assertEqual(self.cancel(self.subscription)["credit_total"], 21.0)

    def test_an_earlier_end_of_everything_takes_over_a_later_one_of_a_line(self):
        """B7: a line ends once, on the earliest of its dates."""
        self.add_line(self.subscription, {"name": "Kept"})
        line = self.get_line(self.subscription, "Line 1")
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        later = self.subscription.cancellation_ids
        self.assertEqual(self.cancel(self.subscription)["credit_total"], 21.0)
        self.assertEqual(later.state, "revoked")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_a_later_end_of_everything_leaves_an_earlier_one_of_a_line(self):
        """B7: each on its own date, each credited once."""
        self.add_line(self.subscription, {"name": "Kept"})
        line = self.get_line(self.subscription, "Line 1")
        self.cancel(
            self.subscription,
            timing="specific_date",
            requested_date="2026-07-20",
            line_ids=line.ids,
        )
        self.cancel(self.subscription, timing="end_of_period")
        self.execute_due("2026-07-21")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 11.0)
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.execute_due("2026-08-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 11.0)

    def test_a_line_that_already_ends_is_not_cancelled_for_later(self):
        """B11: the same for a single line."""
        self.add_line(self.subscription, {"name": "Kept"})
        line = self.get_line(self.subscription, "Line 1")
        options = {"timing": "specific_date", "line_ids": line.ids}
        self.cancel(self.subscription, requested_date="2026-07-20", **options)
        with self.assertRaisesRegex(UserError, "is already cancelled"):
            self.cancel(self.subscription, requested_date="2026-07-25", **options)

    def test_a_line_added_while_non_renewing_ends_too(self):
        """B7: the whole subscription ends, with what was added since."""
        self.cancel(self.subscription, timing="end_of_period")
        self.add_line(self.subscription, {"name": "Added"})
        self.assertFalse(self.bill(self.subscription, "2026-08-01"))
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_not_started_can_only_end_at_once(self):
        """B10: nothing was served, nothing is credited."""
        future = self.create_subscription()
        future.stage_id = self.env.ref("subscription_oca.subscription_stage_draft")
        with self.assertRaisesRegex(UserError, "has not started yet"):
            self.cancel(future, timing="end_of_period")
        result = self.cancel(future)
        self.assertEqual((result["state"], result["credit_total"]), ("done", 0.0))
        self.assertEqual(future.cancellation_state, "cancelled")
