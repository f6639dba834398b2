# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Billed in advance: the current period is one thing, what is billed another."""

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import CANCELLATION_USER, SALESPERSON, CancellationCase
from .portal import PortalCase

JULY, SEPTEMBER = "2026-07-31", "2026-09-30"
LOST = (
    "This was %s until September 30, 2026. Nothing is credited for the days from %s on."
)


class AdvanceCase(CancellationCase):
    """31.00 each for July, August and September, billed on 1 July."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.invoices = self.bill_ahead(self.subscription)
        self.user = self.create_user(SALESPERSON, CANCELLATION_USER)

    def bill_ahead(self, subscription, periods=3):
        """Press *Create Invoice* for several periods, and post what comes."""
        for _period in range(periods):
            subscription.manual_invoice()
        subscription.invoice_ids.action_post()
        self.travel_to("2026-07-10")
        return subscription.invoice_ids

    def preview(self, timing, subscription=None, **options):
        subscription = (subscription or self.subscription).with_user(self.user)
        return subscription.preview_cancellation(timing=timing, **options)

    def get_end(self, timing, subscription=None):
        return self.preview(timing, subscription)["last_service_date"]


@tagged("post_install", "-at_install")
class TestBilledInAdvance(AdvanceCase):
    def test_the_period_ends_where_the_customer_s_day_lies(self):
        """B2, C3: 31 July; August and September are credited, 62.00."""
        result = self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(result["last_service_date"], JULY)
        self.assertEqual(result["credit_total"], 62.0)
        self.travel_to("2026-08-01")
        self.subscription.cancellation_ids._execute_if_due()
        memos = self.credit_memos(self.subscription)
        self.assertEqual(memos.mapped("amount_total"), [31.0, 31.0])
        self.assertNotIn(self.invoices.sorted("id")[0], memos.reversed_entry_id)

    def test_what_is_billed_ends_later(self):
        """B2: 30 September, and nothing is credited."""
        result = self.cancel(self.subscription, timing="end_of_billed")
        self.assertEqual(result["timing"], "end_of_billed")
        self.assertEqual(result["last_service_date"], SEPTEMBER)
        self.assertEqual(result["credit_total"], 0.0)
        self.assertFalse(result["extraordinary"])
        self.travel_to("2026-10-01")
        self.subscription.cancellation_ids._execute_if_due()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertFalse(self.credit_memos(self.subscription))

    def test_credited_when_it_is_scheduled(self):
        """C3: where the policy credits advance invoices at once."""
        self.get_default_policy().advance_credit = "at_scheduling"
        self.cancel(self.subscription, timing="end_of_period")
        memos = self.credit_memos(self.subscription)
        self.assertEqual(sum(memos.mapped("amount_total")), 62.0)

    def test_in_the_middle_of_what_is_billed(self):
        """B2: on 20 August the period is August."""
        self.travel_to("2026-08-20")
        self.assertEqual(self.get_end("end_of_period"), "2026-08-31")
        self.assertEqual(self.get_end("end_of_billed"), SEPTEMBER)

    def test_on_the_first_and_the_last_day_of_a_period(self):
        """B2: both belong to it."""
        for day, end in (
            ("2026-07-31", JULY),
            ("2026-08-01", "2026-08-31"),
            ("2026-08-31", "2026-08-31"),
            ("2026-09-30", SEPTEMBER),
        ):
            with self.subTest(day=day):
                self.travel_to(f"{day} 12:00:00")
                self.assertEqual(self.get_end("end_of_period"), end)

    def test_nothing_is_billed_yet(self):
        """B2: both are the period that is to be billed next."""
        late = self.create_subscription(start="2026-05-31")
        self.travel_to("2026-07-10")
        for timing in ("end_of_period", "end_of_billed"):
            self.assertEqual(self.get_end(timing, late), "2026-07-30")

    def test_a_notice_is_kept_by_both(self):
        """B5: a month's notice is over on 10 August."""
        self.get_default_policy().notice_period = 1
        self.assertEqual(self.get_end("end_of_period"), "2026-08-31")
        self.assertEqual(self.get_end("end_of_billed"), SEPTEMBER)
        self.assertEqual(self.get_end("earliest"), "2026-08-10")

    def test_the_earliest_end_of_a_period(self):
        """B5: where the policy ends service at the end of billing periods only."""
        self.get_default_policy().end_alignment = "end_of_period"
        self.assertEqual(self.get_end("earliest"), JULY)

    def test_a_fixed_term_ends_both(self):
        """B3: 31 August is the last day of two months."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=2
        )
        limited = self.create_subscription(template=template, start="2026-07-01")
        limited.date = "2026-09-01"
        self.bill_ahead(limited, periods=2)
        self.assertEqual(self.get_end("end_of_period", limited), JULY)
        self.assertEqual(self.get_end("end_of_billed", limited), "2026-08-31")

    def test_a_period_whose_invoice_is_gone(self):
        """B2: July is a draft that was deleted; it ends where August begins."""
        other = self.create_subscription()
        for _period in range(2):
            other.manual_invoice()
        july, august = other.invoice_ids.sorted("id")
        august.action_post()
        july.unlink()
        self.travel_to("2026-07-10")
        self.assertEqual(self.get_end("end_of_period", other), JULY)

    def test_after_a_pause_that_was_agreed(self):
        """B9: 5 to 9 July were paused; the period is July, September is billed."""
        self.travel_to("2026-07-05")
        self.subscription.action_pause("2026-07-10")
        self.travel_to("2026-07-10")
        self.subscription.action_resume()
        self.assertEqual(self.get_end("end_of_period"), JULY)
        self.assertEqual(self.get_end("end_of_billed"), SEPTEMBER)

    def test_after_an_undo(self):
        """B15: what was credited is billed again, for the same periods."""
        self.cancel(self.subscription, "2026-07-10")
        self.subscription.cancellation_ids._undo()
        self.assertEqual(self.get_end("end_of_period"), JULY)
        self.assertEqual(self.get_end("end_of_billed"), SEPTEMBER)


@tagged("post_install", "-at_install")
class TestNotBilledInAdvance(CancellationCase):
    """Where no period beyond the current one is billed, nothing has changed."""

    def get_ends(self, subscription):
        ends = {
            subscription.preview_cancellation(timing=timing)["last_service_date"]
            for timing in ("end_of_period", "end_of_billed")
        }
        self.assertEqual(len(ends), 1, ends)
        return ends.pop()

    def test_resumed_early(self):
        """B9: billed anew from 20 July on, whether the invoice is made or not."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-10")
        subscription.action_pause()
        self.travel_to("2026-07-20")
        subscription.action_resume()
        self.assertEqual(self.get_ends(subscription), "2026-08-19")
        self.bill(subscription, "2026-07-20")
        self.travel_to("2026-07-25")
        self.assertEqual(self.get_ends(subscription), "2026-08-19")

    def test_within_a_pause(self):
        """B9: of a paused day nothing is billed; billing goes on on 10 August."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-10")
        subscription.action_pause("2026-08-10")
        self.travel_to("2026-07-20")
        self.assertEqual(self.get_ends(subscription), "2026-08-09")

    def test_a_new_term(self):
        """B15: billed anew from 15 July on, within what was credited."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        self.travel_to("2026-07-15")
        subscription.reactivate_subscription(mode="new_term")
        self.bill(subscription, "2026-07-15")
        self.travel_to("2026-07-20")
        self.assertEqual(self.get_ends(subscription), "2026-08-14")

    def test_a_next_invoice_that_was_put_off(self):
        """B2: a month for free belongs to no billed period."""
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.recurring_next_date = "2026-09-01"
        self.travel_to("2026-08-10")
        self.assertEqual(self.get_ends(subscription), "2026-08-31")

    def test_in_a_trial(self):
        """B9: both end with it, unless the month after it is billed already."""
        template = self.create_template(trial_days=14)
        trial = self.create_subscription(template=template)
        trial.trial_end_date = "2026-07-14"
        self.travel_to("2026-07-05")
        self.assertEqual(self.get_ends(trial), "2026-07-14")
        trial.manual_invoice()
        trial.invoice_ids.action_post()
        preview = trial.preview_cancellation
        self.assertEqual(
            [
                preview(timing=timing)["last_service_date"]
                for timing in ("end_of_period", "end_of_billed")
            ],
            ["2026-07-14", "2026-08-14"],
        )


@tagged("post_install", "-at_install")
class TestPaidDaysThatAreLost(AdvanceCase):
    def get_warnings(self, timing, subscription=None, **options):
        options = {"refund_mode": "none", **options}
        return self.preview(timing, subscription, **options)["warnings"]

    def test_until_when_was_paid(self):
        """C2: with No Refund, paid days beyond the end are told."""
        for invoice in self.invoices:
            self.pay(invoice)
        lost = [LOST % ("paid", "August 1, 2026")]
        self.assertEqual(self.get_warnings("end_of_period"), lost)
        now = [LOST % ("paid", "July 11, 2026")]
        self.assertEqual(self.get_warnings("immediate"), now)
        result = self.cancel(
            self.subscription, timing="end_of_period", refund_mode="none"
        )
        self.assertEqual(result["warnings"], lost)

    def test_not_paid_yet(self):
        """C2: then it says until when was invoiced."""
        lost = [LOST % ("invoiced", "August 1, 2026")]
        self.assertEqual(self.get_warnings("end_of_period"), lost)

    def test_nothing_is_lost(self):
        """C2: with a credit, at the end of what is billed, or free of charge."""
        self.assertEqual(self.get_warnings("end_of_billed"), [])
        self.assertEqual(self.get_warnings("end_of_period", refund_mode="full"), [])
        free = self.create_subscription([0.0])
        self.bill_ahead(free)
        self.assertEqual(self.get_warnings("end_of_period", free), [])

    def test_days_that_a_pause_has_credited(self):
        """C2, C4: they are not lost; with the pause, all of it was credited."""
        self.travel_to("2026-07-05")
        self.subscription.action_pause()
        self.travel_to("2026-07-10")
        self.assertEqual(self.get_warnings("immediate"), [])

    def test_the_dialog_tells(self):
        """C2, E1: before it is confirmed."""
        dialog = self.env["subscription.cancellation.wizard"].with_context(
            default_subscription_id=self.subscription.id
        )
        form = Form(dialog)
        form.refund_mode = "none"
        form.timing = "end_of_period"
        self.assertIn(LOST % ("invoiced", "August 1, 2026"), form.preview)
        form.timing = "end_of_billed"
        self.assertIn("Service ends on September 30, 2026.", form.preview)
        self.assertNotIn("This was invoiced until", form.preview)
        form.save().action_confirm()
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.timing, "end_of_billed")
        self.assertEqual(str(cancellation.last_service_date), SEPTEMBER)


@tagged("post_install", "-at_install")
class TestPolicyEndOfBilled(AdvanceCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()

    def test_the_policy_s_default(self):
        """D1: for everybody who asks for nothing else; its example says what comes."""
        self.policy.timing = "end_of_billed"
        result = self.subscription.with_user(self.user).request_cancellation()
        self.assertEqual(result["last_service_date"], SEPTEMBER)
        self.assertIn("service ends on July 31, 2026", self.policy.example)
        events = self.env["subscription.cancellation.event"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        self.assertEqual(set(events.mapped("timing")), {"end_of_billed"})

    def test_it_keeps_notice_and_minimum_term(self):
        """D1, B5: so that the policy may have them, unlike for immediate ends."""
        terms = {"minimum_term": 6, "allow_override_timing": False}
        self.policy.write({"timing": "end_of_billed", **terms})
        self.assertEqual(self.get_end("end_of_billed"), "2026-12-31")
        with self.assertRaises(ValidationError):
            self.policy.timing = "immediate"

    def test_a_declaration_is_held_to_it(self):
        """E2: the public page ends it where the policy leaves no choice."""
        self.policy.write({"timing": "end_of_billed", "allow_override_timing": False})
        declaration = self.env["subscription.cancellation.declaration"]
        options = declaration._get_timing(self.subscription, self.policy)
        self.assertEqual(options, "end_of_billed")


@tagged("post_install", "-at_install")
class TestPortalEndOfBilled(PortalCase):
    def setUp(self):
        super().setUp()
        self.subscription.manual_invoice()
        august = self.subscription.invoice_ids - self.invoice
        august.action_post()
        self.pay(august)

    def test_both_ends_are_offered(self):
        """E2: with their last days."""
        page = self.see("/cancel").text()
        self.assertIn(
            "At the end of the billing period – service until July 31, 2026", page
        )
        self.assertIn(
            "At the end of what is billed – service until August 31, 2026", page
        )

    def test_the_customer_waits_for_what_is_billed(self):
        """E2, B2: chosen, confirmed, done."""
        self.cancel_as_customer(timing="end_of_billed")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.timing, "end_of_billed")
        self.assertEqual(str(cancellation.last_service_date), "2026-08-31")

    def test_the_customer_is_told_what_is_lost(self):
        """E2, C2: before they confirm."""
        self.policy.refund_mode = "none"
        page = self.check_out(timing="end_of_period")
        self.assertIn(
            "This was paid until August 31, 2026. Nothing is credited for the days "
            "from August 1, 2026 on.",
            page.text(),
        )

    def test_one_choice_where_both_are_the_same_day(self):
        """E2: in August nothing is billed beyond the period."""
        self.travel_to("2026-08-10")
        timings = self.see("/cancel").tree.xpath("//input[@name='timing']/@value")
        self.assertIn("end_of_period", timings)
        self.assertNotIn("end_of_billed", timings)
