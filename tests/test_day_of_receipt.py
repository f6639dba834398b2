# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A declaration takes effect when it is received, whoever processes it when.

German law (§ 130 BGB): what matters is when it arrives, not when somebody looks at it.
"""

from odoo.tests import HttpCase, tagged

from .common import CANCELLATION_USER
from .test_cancel_contract import CUSTOMER, STRANGER, DeclarationCase, PageCase

TYPO = "SUBTEST7"


@tagged("post_install", "-at_install")
class TestDayOfReceipt(DeclarationCase):
    """A subscription of $31 a month since July; processed days later."""

    def setUp(self):
        super().setUp()
        self.policy.write({"notice_period": 14, "notice_unit": "days"})
        self.staff = self.create_user(
            CANCELLATION_USER, "sales_team.group_sale_salesman_all_leads", login="staff"
        )

    def receive(self, moment, **values):
        """Receive a declaration that a person has to assign."""
        self.travel_to(moment)
        return self.declare_and_process(contract_reference=TYPO, **values)

    def assign(self, declaration, moment, subscription=None):
        """Let staff say later which subscription was meant; return what came of it."""
        self.travel_to(moment)
        declaration.with_user(self.staff)._assign(subscription or self.subscription)
        return declaration.cancellation_id

    def assertEnds(self, cancellation, day):
        self.assertEqual(cancellation.last_service_date, self.day(day))

    # === ASSIGNED LATER === #

    def test_the_notice_counts_from_the_day_of_receipt(self):
        """E2, B5: a wrong digit, received on 17 July, assigned on the 20th."""
        declaration = self.receive("2026-07-17 15:00:00")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEnds(cancellation, "2026-07-31")
        self.assertEqual(cancellation.state, "scheduled")
        self.assertFalse(cancellation.is_extraordinary)
        self.assertEqual(cancellation.earliest_end_date, self.day("2026-07-31"))
        self.assertEqual(cancellation.cancel_by_date, self.day("2026-07-17"))

    def test_it_was_requested_when_it_was_received(self):
        """D4, E2: that is what the record says, and what the customer reads."""
        declaration = self.receive("2026-07-17 15:00:00")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEqual(cancellation.request_date, declaration.received_at)
        self.assertEqual(str(declaration.received_at), "2026-07-17 15:00:00")

    def test_a_yearly_term_is_not_missed_by_the_day_it_took(self):
        """E2, B5: to 31 December, received 30 November, assigned 2 December."""
        self.policy.write(
            {
                "notice_period": 1,
                "notice_unit": "months",
                "minimum_term": 12,
                "end_alignment": "end_of_term",
            }
        )
        yearly = self.create_subscription(
            start="2026-01-01", interval="1 years", partner_id=self.customer.id
        )
        self.bill(yearly, "2026-01-01")
        declaration = self.receive("2026-11-30 16:00:00")
        cancellation = self.assign(declaration, "2026-12-02 09:00:00", yearly)
        self.assertEnds(cancellation, "2026-12-31")

    def test_an_end_that_is_over_when_it_is_assigned(self):
        """E2, B8, C1: it ends then all the same; what was billed since is credited."""
        declaration = self.receive("2026-07-17 15:00:00")
        august = self.bill(self.subscription, "2026-08-01")
        cancellation = self.assign(declaration, "2026-08-03 09:00:00")
        self.assertEnds(cancellation, "2026-07-31")
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(cancellation.credit_total, 31.0)
        self.assertEqual(cancellation.credit_note_ids.reversed_entry_id, august)

    def test_an_end_at_the_day_of_receipt(self):
        """E2: no notice, any day: it ended on the day it was received."""
        self.policy.write({"notice_period": 0, "end_alignment": "any_day"})
        declaration = self.receive("2026-07-17 15:00:00")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEnds(cancellation, "2026-07-17")
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.credit_total, 14.0)

    def test_a_past_end_needs_no_leave_of_the_policy(self):
        """D2, E2: nobody backdates; the right was used in time."""
        self.policy.write({"approval_on_backdating": True, "allow_backdating": False})
        declaration = self.receive(
            "2026-07-17 15:00:00", desired_date=self.day("2026-07-31")
        )
        cancellation = self.assign(declaration, "2026-08-03 09:00:00")
        self.assertEqual(cancellation.state, "done")
        self.assertEnds(cancellation, "2026-07-31")

    # === PROCESSED LATER === #

    def test_received_before_midnight_and_processed_after(self):
        """E2: received 31 July 21:30, processed at 00:30, August billed between."""
        self.policy.notice_period = 0
        self.travel_to("2026-07-31 21:30:00")
        declaration = self.declare()
        self.bill(self.subscription, "2026-08-01 00:10:00")
        self.travel_to("2026-08-01 00:30:00")
        self.process()
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        self.assertEnds(declaration.cancellation_id, "2026-07-31")
        self.assertEqual(declaration.cancellation_id.credit_total, 31.0)

    def test_the_day_is_the_customers(self):
        """B5, E2: received on 17 July here, on the 18th there; and the other way."""
        for zone, day in (("Pacific/Auckland", "2026-08-31"), ("UTC", "2026-07-31")):
            with self.subTest(zone=zone):
                self.customer.tz = zone
                declaration = self.receive("2026-07-17 15:00:00")
                cancellation = self.assign(declaration, "2026-07-20 09:00:00")
                self.assertEnds(cancellation, day)
                cancellation._revoke()

    def test_every_timing_of_the_policy(self):
        """B2, B19, E2: the period in which it was received, billed since or not."""
        self.policy.write({"notice_period": 0, "allow_override_timing": False})
        for timing in ("end_of_period", "end_of_billed"):
            with self.subTest(timing=timing):
                self.policy.timing = timing
                subscription = self.create_subscription(partner_id=self.customer.id)
                self.bill(subscription, "2026-07-01")
                declaration = self.receive("2026-07-31 21:30:00")
                self.bill(subscription, "2026-08-01")
                cancellation = self.assign(
                    declaration, "2026-08-01 09:00:00", subscription
                )
                self.assertEqual(cancellation.timing, timing)
                self.assertEnds(cancellation, "2026-07-31")
                self.assertEqual(cancellation.credit_total, 31.0)

    def test_a_trial_that_was_running_when_it_was_received(self):
        """B9, E2: it ends with the trial, whatever was billed since."""
        self.policy.notice_period = 0
        template = self.create_template(trial_days=17)
        trial = self.create_subscription(
            template=template, partner_id=self.customer.id, code="TRIAL1"
        )
        self.travel_to("2026-07-17 21:00:00")
        declaration = self.receive("2026-07-17 21:00:00")
        self.bill(trial, "2026-07-18")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00", trial)
        self.assertEnds(cancellation, "2026-07-17")
        self.assertEqual(cancellation.credit_total, 31.0)

    # === WISHES, VERDICTS AND DECISIONS === #

    def test_a_wished_date_that_kept_the_terms_when_it_was_received(self):
        """E2: 14 days were left on the 17th; not on the 20th."""
        declaration = self.receive(
            "2026-07-17 15:00:00", desired_date=self.day("2026-08-10")
        )
        cancellation = self.assign(declaration, "2026-08-05 09:00:00")
        self.assertEnds(cancellation, "2026-08-10")

    def test_a_wished_date_that_is_over(self):
        """E2: it is kept, and what was billed beyond it is credited."""
        self.policy.write({"notice_period": 0, "end_alignment": "any_day"})
        declaration = self.receive(
            "2026-07-17 15:00:00", desired_date=self.day("2026-07-21")
        )
        cancellation = self.assign(declaration, "2026-07-25 09:00:00")
        self.assertEnds(cancellation, "2026-07-21")
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.credit_total, 10.0)

    def test_what_was_not_spam_after_all(self):
        """E2: staff look at it days later; it counts from the day of receipt."""
        self.travel_to("2026-07-17 15:00:00")
        declaration = self.declare(is_spam=True)
        self.process()
        self.travel_to("2026-07-20 09:00:00")
        declaration.with_user(self.staff).action_not_spam()
        self.process()
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        self.assertEnds(declaration.cancellation_id, "2026-07-31")

    def test_an_extraordinary_one_ends_on_the_day_of_receipt(self):
        """B4, E2: also where it is assigned and approved later."""
        declaration = self.receive(
            "2026-07-17 15:00:00",
            kind="extraordinary",
            extraordinary_reason="The service is down.",
        )
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEnds(cancellation, "2026-07-17")
        self.travel_to("2026-07-22 09:00:00")
        cancellation.sudo()._approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEnds(cancellation, "2026-07-17")
        self.assertEqual(cancellation.credit_total, 14.0)

    def test_an_extraordinary_one_with_a_date_that_is_over(self):
        """B4, E2: on that day, not on the one somebody got to it."""
        declaration = self.receive(
            "2026-07-17 15:00:00",
            kind="extraordinary",
            extraordinary_reason="We move.",
            desired_date=self.day("2026-07-18"),
        )
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEnds(cancellation, "2026-07-18")

    def test_a_person_who_decides_later_changes_nothing(self):
        """D2, E2: processed late and approved later still."""
        self.policy.declaration_needs_person = True
        declaration = self.receive("2026-07-17 15:00:00")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00")
        self.assertEqual(cancellation.state, "to_approve")
        self.travel_to("2026-08-02 09:00:00")
        cancellation.sudo()._approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEnds(cancellation, "2026-07-31")

    def test_what_begins_between_receipt_and_decision(self):
        """B10, E2: it had not started when it was declared, so it never does."""
        self.travel_to("2026-07-17 15:00:00")
        future = self.create_subscription(
            start="2026-07-19", partner_id=self.customer.id, code="FUTURE1"
        )
        declaration = self.receive("2026-07-17 15:00:00")
        self.bill(future, "2026-07-19")
        cancellation = self.assign(declaration, "2026-07-20 09:00:00", future)
        self.assertEqual(cancellation.state, "to_approve")
        cancellation.sudo()._approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.credit_total, 31.0)
        self.assertEqual(future.cancellation_state, "cancelled")


@tagged("post_install", "-at_install")
class TestDayOfReceiptOnThePage(PageCase, HttpCase):
    """The same, as a customer and a salesperson go."""

    def test_from_the_page_to_the_dialog(self):
        """E1, E2: a wrong digit on the page; the subscription chosen on the 20th."""
        self.policy.write({"notice_period": 14, "notice_unit": "days"})
        self.travel_to("2026-07-17 15:00:00")
        self.assertReceipt(
            self.send(contract_reference=TYPO, confirmation_email=STRANGER)
        )
        self.process()
        declaration = self.declarations()
        self.travel_to("2026-07-20 09:00:00")
        staff = self.create_user(CANCELLATION_USER, login="staff")
        staff.group_ids |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        dialog = self.env["subscription.cancellation.declaration.assign"]
        dialog.with_user(staff).create(
            {
                "declaration_id": declaration.id,
                "subscription_id": self.subscription.id,
            }
        ).action_assign()
        self.assertEqual(
            declaration.cancellation_id.last_service_date, self.day("2026-07-31")
        )
        [told] = self.get_mails(CUSTOMER)
        self.assertIn("July 31, 2026", told.body_html)
