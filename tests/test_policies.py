# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which policy applies, and what it allows (D1, D2, D3)."""

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .common import SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestPolicies(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def create_policy(self, **values):
        """Return a policy that comes before the default one."""
        return self.env["subscription.cancellation.policy"].create(
            {"name": "Special", "sequence": 1, **values}
        )

    def preview(self, channel="api", **options):
        return self.subscription._plan_cancellation(options, channel)._as_dict()

    def open_dialog(self):
        return Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.subscription.id
            )
        )

    # === MATCHING === #

    def test_channel_decides(self):
        """D1: customers at the end of the period without refund, staff at once."""
        self.create_policy(channel="portal", timing="end_of_period", refund_mode="none")
        customers = self.preview("portal")
        self.assertEqual(customers["timing"], "end_of_period")
        self.assertEqual(customers["credit_total"], 0.0)
        for channel in ("backend", "api"):
            self.assertEqual(self.preview(channel)["credit_total"], 21.0)

    def test_condition_decides(self):
        """D1: the standard domain on the subscription."""
        policy = self.create_policy(
            refund_mode="none",
            subscription_domain="[('partner_id.name', '=', 'Azure Interior')]",
        )
        self.assertEqual(self.preview()["credit_total"], 0.0)
        policy.subscription_domain = "[('recurring_total', '>', 1000)]"
        self.assertEqual(self.preview()["credit_total"], 21.0)

    def test_first_match_by_sequence_wins(self):
        """D1: whatever else matches."""
        self.create_policy(refund_mode="none", sequence=3)
        self.create_policy(refund_mode="full", sequence=2)
        self.assertEqual(self.preview()["credit_total"], 31.0)

    def test_a_policy_that_never_applies_says_so(self):
        """D1: another one comes first and leaves nothing to it."""
        behind = self.create_policy(name="Behind", sequence=2000, channel="portal")
        self.assertIn("“Default cancellation policy” comes", behind.unreachable_note)
        behind.sequence = 1
        self.assertFalse(behind.unreachable_note)

    def test_a_new_policy_comes_before_the_default(self):
        """D1: what somebody adds applies."""
        policies = self.env["subscription.cancellation.policy"]
        new = policies.create({"name": "New", "refund_mode": "none"})
        self.assertEqual(policies._for_subscription(self.subscription), new)

    def test_forced_on_the_template_or_on_the_subscription(self):
        """D1: the subscription's own comes before its template's."""
        nothing = self.create_policy(name="Nothing", sequence=2000, refund_mode="none")
        full = self.create_policy(name="Full", sequence=2000, refund_mode="full")
        self.subscription.template_id.cancellation_policy_id = nothing
        self.assertEqual(self.preview()["credit_total"], 0.0)
        self.assert_applied("Nothing", "set on its template")
        self.subscription.cancellation_policy_id = full
        self.assertEqual(self.preview()["credit_total"], 31.0)
        self.assert_applied("Full", "set on this subscription")

    def assert_applied(self, policy, reason):
        """The name is a line of the form; the reason is told on hover."""
        self.assertEqual(self.subscription.applied_policy, policy)
        self.assertEqual(self.subscription.applied_policy_reason, reason)

    def test_the_subscription_says_which_policy_applies_and_why(self):
        """D1: the first match, or the built-in default."""
        self.assert_applied(
            "Default cancellation policy",
            "the first one that matches: channel Any, all subscriptions",
        )
        self.env["subscription.cancellation.policy"].search([]).active = False
        self.subscription.invalidate_recordset()
        self.assert_applied("Built-in default", "no policy of the company matches")
        self.assertEqual(self.preview()["credit_total"], 21.0)

    def test_policies_of_another_company_do_not_matter(self):
        """D1: not even forced by a shared template."""
        other = self.env["res.company"].create({"name": "Other"})
        policy = self.create_policy(company_id=other.id, refund_mode="none")
        self.subscription.template_id.cancellation_policy_id = policy
        self.assertEqual(self.preview()["credit_total"], 21.0)

    def test_broken_conditions_are_refused(self):
        """D1: when the policy is saved."""
        for domain in ("[('nonsense', '=', 1)]", "[(", "7", "[('name', '%', 1)]"):
            with self.assertRaisesRegex(ValidationError, "is not valid"):
                self.create_policy(subscription_domain=domain)

    def test_a_condition_that_broke_later_is_named(self):
        """D1: the policy, the problem, and whom to ask."""
        policy = self.create_policy()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE subscription_cancellation_policy SET subscription_domain = %s"
            " WHERE id = %s",
            ["[('gone', '=', 1)]", policy.id],
        )
        policy.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "“Special” cannot be evaluated"):
            self.preview()

    # === OVERRIDES === #

    def test_each_refused_override_is_an_error_on_every_channel(self):
        """D2: the setting and the policy are named; nothing is changed."""
        others = {
            "timing": "end_of_period",
            "refund_mode": "none",
            "cancel_day_billed": False,
        }
        policy = self.create_policy()
        for option, value in others.items():
            self.assertTrue(self.preview(**{option: value}))
            policy[f"allow_override_{option}"] = False
            for channel in ("backend", "api", "portal", "system"):
                with self.subTest(option=option, channel=channel):
                    with self.assertRaisesRegex(UserError, f"“Special”.*{option}"):
                        self.subscription._request_cancellation(
                            {option: value}, channel
                        )
            policy[f"allow_override_{option}"] = True
        self.assertFalse(self.subscription.cancellation_ids)

    def test_the_default_may_be_said_aloud(self):
        """D2: what equals the default is no override."""
        self.create_policy(allow_override_timing=False)
        self.assertEqual(self.preview(timing="immediate")["state"], "done")

    def test_the_dialog_follows_the_policy(self):
        """D2: what may not be overridden is read-only, and cannot be forged."""
        self.create_policy(
            timing="end_of_period",
            allow_override_timing=False,
            allow_override_refund_mode=False,
        )
        form = self.open_dialog()
        self.assertEqual(form.timing, "end_of_period")
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.timing = "immediate"
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.refund_mode = "full"
        wizard = form.save()
        wizard.timing = "immediate"
        with self.assertRaisesRegex(UserError, "does not allow"):
            wizard.action_confirm()

    def test_people_without_access_to_policies_follow_them(self):
        """D1, D2: a salesperson need not read what decides."""
        self.create_policy(allow_override_refund_mode=False)
        user = self.create_user(SALESPERSON)
        with self.assertRaisesRegex(UserError, "does not allow"):
            self.subscription.with_user(user).request_cancellation(refund_mode="none")

    # === REASONS AND EXAMPLE === #

    def test_a_reason_can_be_required_by_channel(self):
        """D3: in the portal, say, but not for the API."""
        self.create_policy(channel="portal", reason_required=True)
        with self.assertRaisesRegex(UserError, "requires a reason"):
            self.preview("portal")
        self.assertTrue(self.preview("portal", reason_code="too_expensive"))
        self.assertTrue(self.preview("api"))

    def test_reasons_are_delivered_with_codes(self):
        """D3: those people choose, and those systems give."""
        reasons = self.env["sale.subscription.close.reason"].search(
            [("code", "!=", False)]
        )
        for_customers = (
            "too_expensive missing_features switching_service technical_issues "
            "no_longer_needed too_difficult other"
        ).split()
        for_systems = (
            "end_of_term not_paid no_card fraud_review_failed "
            "non_compliant_eu_customer tax_calculation_failed currency_incompatible "
            "non_compliant_customer"
        ).split()
        self.assertEqual(
            reasons.filtered("portal_visible").mapped("code"), for_customers
        )
        self.assertEqual(set(reasons.mapped("code")), {*for_customers, *for_systems})

    def test_a_reason_can_want_a_comment(self):
        """D3: Other, with up to 200 characters."""
        for comment in (None, "  "):
            with self.assertRaisesRegex(UserError, "Say more"):
                self.preview(reason_code="other", comment=comment or "")
        with self.assertRaisesRegex(
            UserError, "up to 200 characters; this one has 201"
        ):
            self.preview(reason_code="other", comment="x" * 201)
        self.assertTrue(self.preview(reason_code="other", comment="x" * 200))

    def test_customers_do_not_choose_reasons_of_systems(self):
        """D3: hidden from the portal, and refused where it is forged."""
        self.assertTrue(self.preview("api", reason_code="not_paid"))
        with self.assertRaisesRegex(UserError, "customers can choose"):
            self.preview("portal", reason_code="not_paid")

    def test_a_used_reason_is_archived_not_deleted(self):
        """D3: history keeps its reason; an archived one is not offered."""
        reason = self.env["sale.subscription.close.reason"]._from_code("too_expensive")
        self.subscription.request_cancellation(reason_code="too_expensive")
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            reason.unlink()
        reason.active = False
        with self.assertRaisesRegex(UserError, "no cancellation reason with the code"):
            reason._from_code("too_expensive")

    def test_the_form_shows_a_live_example(self):
        """D1: what the policy makes of a $31 July cancelled on the 10th."""
        form = Form(self.env["subscription.cancellation.policy"])
        self.assertIn(
            "service ends on July 10, 2026, credit $21.00",
            form.example.replace("\xa0", ""),
        )
        form.cancel_day_billed = False
        self.assertIn(
            "service ends on July 9, 2026, credit $22.00",
            form.example.replace("\xa0", ""),
        )
        form.timing = "end_of_period"
        self.assertIn(
            "service ends on July 31, 2026, credit $0.00",
            form.example.replace("\xa0", ""),
        )
        form.refund_mode = "full"
        self.assertIn("credit $31.00", form.example.replace("\xa0", ""))
