# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Notice, minimum term, alignment, backdating: what a policy makes of a date."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Date
from odoo.tests import Form, tagged

from .common import CancellationCase


class TermsCase(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.july = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.policy = self.get_default_policy()

    def preview(self, subscription=None, channel="api", **options):
        subscription = subscription or self.subscription
        return subscription._plan_cancellation(options, channel)._as_dict()

    def create_limited(self, months=12, **values):
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=months
        )
        return self.create_subscription(template=template, **values)


@tagged("post_install", "-at_install")
class TestEndOfTerm(TermsCase):
    def test_a_fixed_contract_ends_with_its_term(self):
        """B3: the day after the contract's last day; billed until then."""
        limited = self.create_limited(months=3)
        answer = self.cancel(limited, timing="end_of_term")
        self.assertEqual(answer["state"], "scheduled")
        self.assertEqual(answer["last_service_date"], "2026-09-30")
        self.assertEqual(limited.cancellation_state, "non_renewing")
        for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
            self.assertTrue(self.bill(limited, day))
        self.assertFalse(self.bill(limited, "2026-10-01"))
        self.assertEqual(limited.cancellation_state, "cancelled")
        self.assertFalse(self.credit_memos(limited))

    def test_an_unlimited_subscription_has_no_term(self):
        """B3: a clear error that names the way out."""
        with self.assertRaisesRegex(UserError, "has no fixed term.*minimum term"):
            self.preview(timing="end_of_term")

    def test_a_minimum_term_makes_terms(self):
        """B3: it renews by its own length, or by the renewal's."""
        self.policy.minimum_term = 12
        answer = self.preview(timing="end_of_term")
        self.assertEqual(answer["last_service_date"], "2027-06-30")
        self.policy.renewal_length = 1
        self.travel_to("2027-07-05")
        answer = self.preview(timing="end_of_term")
        self.assertEqual(answer["last_service_date"], "2027-07-31")

    def test_limited_subscriptions_end_by_themselves_with_the_reason(self):
        """B16: through the engine, channel system, reason End of term."""
        limited = self.create_limited(months=1)
        self.bill(limited, "2026-07-01")
        self.travel_to("2026-08-01")
        self.env["sale.subscription"].cron_subscription_management()
        [cancellation] = limited.cancellation_ids
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.channel, "system")
        self.assertEqual(cancellation.reason_id.code, "end_of_term")
        self.assertEqual(str(cancellation.last_service_date), "2026-07-31")
        self.assertFalse(cancellation.is_extraordinary)

    def test_no_policy_stands_in_the_way_of_the_end_of_a_term(self):
        """B16: it is nobody's request, and nobody's override."""
        self.policy.write(
            {
                "timing": "end_of_period",
                "approval_always": True,
                "notice_period": 3,
                "reason_required": True,
                "allow_override_timing": False,
                "allow_override_refund_mode": False,
            }
        )
        self.test_limited_subscriptions_end_by_themselves_with_the_reason()


@tagged("post_install", "-at_install")
class TestEarliest(TermsCase):
    def test_without_terms_it_is_today(self):
        """B5: nothing to keep."""
        answer = self.preview(timing="earliest")
        self.assertEqual(answer["last_service_date"], "2026-07-10")
        self.assertEqual((answer["earliest_end"], answer["cancel_by"]), (False, False))

    def test_notice_and_alignment(self):
        """B5: to end on X, cancel by Y."""
        self.policy.write({"notice_period": 1, "end_alignment": "end_of_month"})
        answer = self.preview(timing="earliest")
        self.assertEqual(answer["last_service_date"], "2026-08-31")
        self.assertEqual(answer["earliest_end"], "2026-08-31")
        self.assertEqual(answer["cancel_by"], "2026-07-31")
        self.assertFalse(answer["extraordinary"])

    def test_the_dialog_says_until_when(self):
        """B5: in the preview, in words."""
        self.policy.write(
            {"notice_period": 2, "notice_unit": "weeks", "timing": "earliest"}
        )
        form = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.subscription.id
            )
        )
        self.assertEqual(form.timing, "earliest")
        self.assertIn("Service ends on July 24, 2026.", form.preview)
        self.assertIn("To end on July 24, 2026, cancel by July 10, 2026.", form.preview)
        form.timing = "immediate"
        self.assertIn("Extraordinary cancellation", form.preview)
        self.assertIn("earliest ordinary end is July 24, 2026", form.preview)

    def test_billing_periods_that_are_billed_ahead_count_one_by_one(self):
        """B5: the end of the first of them that keeps the notice."""
        self.bill(self.subscription, "2026-07-02")
        self.bill(self.subscription, "2026-07-02")
        self.travel_to("2026-07-10")
        self.policy.end_alignment = "end_of_period"
        answer = self.preview(timing="earliest")
        self.assertEqual(answer["last_service_date"], "2026-07-31")

    def test_a_minimum_term_that_is_not_over(self):
        """B5: not before its last day, in the contract's life."""
        self.policy.minimum_term = 6
        answer = self.preview(timing="earliest")
        self.assertEqual(answer["last_service_date"], "2026-12-31")
        limited = self.create_limited(months=3)
        answer = self.preview(limited, timing="earliest")
        self.assertEqual(answer["last_service_date"], "2026-09-30")

    def test_the_end_of_the_period_keeps_the_notice(self):
        """B2, B5: the first period's end that does; at once where there is none."""
        answer = self.preview(timing="end_of_period")
        self.assertEqual(answer["last_service_date"], "2026-07-31")
        self.policy.notice_period = 1
        answer = self.preview(timing="end_of_period")
        self.assertEqual(answer["last_service_date"], "2026-08-31")
        self.assertEqual(answer["cancel_by"], "2026-07-31")
        self.policy.write({"notice_period": 21, "notice_unit": "days"})
        answer = self.preview(timing="end_of_period")
        self.assertEqual(answer["last_service_date"], "2026-07-31")

    def test_what_ignores_the_terms_is_extraordinary(self):
        """B4, B5: immediately, and on a date; the record says so."""
        self.policy.notice_period = 1
        immediate = self.preview()
        self.assertTrue(immediate["extraordinary"])
        self.assertEqual(immediate["earliest_end"], "2026-08-10")
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        cancellation = self.subscription.cancellation_ids
        self.assertTrue(cancellation.is_extraordinary)
        self.assertEqual(str(cancellation.earliest_end_date), "2026-08-10")
        self.assertEqual(str(cancellation.cancel_by_date), "2026-07-10")

    def test_without_terms_an_immediate_end_is_ordinary(self):
        """B5: also where the day of cancellation is not served."""
        self.assertFalse(self.preview(cancel_day_billed=False)["extraordinary"])

    def test_scheduled_and_executed_on_its_date(self):
        """B5, B7: billed until then, credited for the rest of that period."""
        self.policy.notice_period = 1
        self.cancel(self.subscription, timing="earliest")
        august = self.bill(self.subscription)
        self.travel_to("2026-08-11")
        self.subscription.cancellation_ids._execute_if_due()
        memo = self.credit_memos(self.subscription)
        self.assertEqual((memo.reversed_entry_id, memo.amount_total), (august, 21.0))

    def test_each_channel_follows_its_policy(self):
        """D1, B5: customers with notice and without refund, staff at once."""
        self.env["subscription.cancellation.policy"].create(
            {
                "name": "Customers",
                "sequence": 1,
                "channel": "portal",
                "timing": "earliest",
                "notice_period": 1,
                "end_alignment": "end_of_period",
                "refund_mode": "none",
                "allow_override_timing": False,
                "allow_override_refund_mode": False,
            }
        )
        customer = self.preview(channel="portal")
        self.assertEqual(customer["last_service_date"], "2026-08-31")
        self.assertEqual(customer["credit_total"], 0.0)
        with self.assertRaisesRegex(UserError, "does not allow"):
            self.preview(channel="portal", timing="immediate")
        staff = self.preview(channel="backend")
        self.assertEqual(staff["last_service_date"], "2026-07-10")
        self.assertEqual(staff["credit_total"], 21.0)

    def test_before_the_start_only_immediately(self):
        """B10: whatever the policy's default is; the others are refused."""
        self.policy.write({"timing": "earliest", "allow_override_timing": False})
        future = self.create_subscription()
        future.stage_id = self.env.ref("subscription_oca.subscription_stage_draft")
        for timing in ("earliest", "end_of_period", "end_of_term"):
            with self.assertRaisesRegex(UserError, "has not started yet"):
                self.preview(future, timing=timing)
        self.assertEqual(self.preview(future)["timing"], "immediate")
        self.assertEqual(self.cancel(future)["state"], "done")

    # === POLICIES THAT CANNOT BE === #

    def test_negative_numbers_are_refused(self):
        """D1: each by its label."""
        for name in ("notice_period", "minimum_term", "renewal_length", "undo_days"):
            with self.assertRaisesRegex(
                ValidationError, "cannot be -1. Enter a number"
            ):
                self.policy[name] = -1

    def test_a_policy_that_contradicts_itself_is_refused(self):
        """D1: a notice that no timing could keep."""
        with self.assertRaisesRegex(ValidationError, "contradicts itself"):
            self.policy.write(
                {
                    "timing": "immediate",
                    "allow_override_timing": False,
                    "notice_period": 1,
                }
            )

    def test_the_example_follows_the_terms(self):
        """D1: live on the form, with the day to cancel by."""
        form = Form(self.policy)
        form.timing = "earliest"
        form.notice_period = 1
        form.end_alignment = "end_of_month"
        self.assertIn(
            "service ends on August 31, 2026, credit $0.00",
            form.example.replace("\xa0", ""),
        )
        self.assertIn("must be cancelled by July 31, 2026", form.example)
        form.end_alignment = "any_day"
        self.assertIn(
            "service ends on August 10, 2026, credit $21.00",
            form.example.replace("\xa0", ""),
        )
        form.timing = "end_of_term"
        self.assertIn(
            "service ends on December 31, 2026", form.example.replace("\xa0", "")
        )


@tagged("post_install", "-at_install")
class TestBackdating(TermsCase):
    def backdate(self, day, **options):
        return self.cancel(
            self.subscription, timing="specific_date", requested_date=day, **options
        )

    def test_refused_unless_the_policy_allows_it(self):
        """B4: behind a switch."""
        with self.assertRaisesRegex(UserError, "earliest possible date is July 10"):
            self.backdate("2026-07-05")
        self.policy.allow_backdating = True
        answer = self.backdate("2026-07-05")
        self.assertEqual(answer["state"], "done")
        self.assertEqual(answer["last_service_date"], "2026-07-05")
        self.assertEqual(answer["credit_total"], 26.0)
        # The policy allows it, and has no terms that it could ignore.
        self.assertFalse(answer["extraordinary"])

    def test_everything_billed_from_that_date_on_is_credited(self):
        """B4, C3: several invoices, each by its own credit memo."""
        august = self.bill(self.subscription)
        self.travel_to("2026-08-20")
        self.policy.allow_backdating = True
        self.backdate("2026-07-10")
        memos = self.credit_memos(self.subscription).sorted("amount_total")
        self.assertEqual(memos.mapped("amount_total"), [21.0, 31.0])
        self.assertEqual(memos.reversed_entry_id, self.july | august)
        self.assertEqual(str(memos[0].invoice_date), "2026-08-20")

    def test_never_before_the_start(self):
        """B4: not even with the switch."""
        self.policy.allow_backdating = True
        with self.assertRaisesRegex(UserError, "earliest possible date is July 1"):
            self.backdate("2026-06-30")
        self.assertEqual(self.backdate("2026-07-01")["credit_total"], 30.0)


@tagged("post_install", "-at_install")
class TestRenewal(TermsCase):
    """B14: a longer or another term takes a scheduled cancellation back."""

    def test_another_term(self):
        """B14: the plan is changed from monthly to yearly."""
        self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.subscription.template_id = self.create_template("1 years")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertEqual(self.subscription.cancellation_ids.state, "revoked")
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-01")
        )
        self.assertTrue(self.bill(self.subscription))

    def test_more_billing_cycles(self):
        """B14: the end of the term is moved, or the plan has more cycles."""
        for change in ("date", "template"):
            with self.subTest(change):
                limited = self.create_limited(months=3)
                self.bill(limited, "2026-07-01")
                self.cancel(limited, "2026-07-10", timing="end_of_term")
                if change == "date":
                    limited.date = "2027-07-01"
                else:
                    limited.template_id = self.create_template(
                        recurring_rule_boundary="limited", recurring_rule_count=12
                    )
                self.assertEqual(limited.cancellation_state, "active")
                self.assertEqual(str(limited.date), "2027-07-01")

    def test_the_same_term_keeps_it(self):
        """B14: another template of the same term, or fewer cycles."""
        self.bill(self.subscription)
        self.cancel(self.subscription, "2026-08-10", timing="end_of_period")
        self.subscription.template_id = self.create_template(invoicing_mode="invoice")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        limited = self.create_limited(months=6, start="2026-08-01")
        self.cancel(limited, timing="end_of_period")
        limited.date = "2026-11-01"
        self.assertEqual(limited.cancellation_state, "non_renewing")

    def test_what_has_ended_stays_ended(self):
        """B14: that takes Reactivate."""
        self.cancel(self.subscription)
        self.subscription.template_id = self.create_template("1 years")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_on_the_form_the_next_invoice_date_stays(self):
        """B14: upstream would move it a whole period on, for free."""
        with Form(self.subscription) as form:
            form.template_id = self.create_template("1 years")
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-01")
        )

    def test_a_salesperson_without_the_right_to_revoke_changes_the_plan(self):
        """B14: it follows from the plan, whoever requested the cancellation."""
        self.cancel(self.subscription, timing="end_of_period")
        user = self.create_user("sales_team.group_sale_salesman_all_leads")
        subscription = self.subscription.with_user(user)
        subscription.template_id = self.create_template("1 years").id
        self.assertEqual(self.subscription.cancellation_state, "active")
