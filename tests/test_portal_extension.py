# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer who has cancelled keeps the subscription, or ends it later (B17)."""

from odoo.tests import tagged

from .portal import PortalCase


@tagged("post_install", "-at_install")
class TestExtension(PortalCase):
    """$31.00 a month; the customer has cancelled for 31 July."""

    def setUp(self):
        super().setUp()
        self.cancel_as_customer(timing="end_of_period")

    def get_days(self, page):
        return page.tree.xpath(
            "//form[@name='extend']//select[@name='day']/option/@value"
        )

    def test_later_periods_are_offered(self):
        """B17: the ends of the next three, beside keeping it; what it costs."""
        page = self.see()
        self.assertTrue(page.has("revoke"))
        self.assertEqual(
            self.get_days(page), ["2026-08-31", "2026-09-30", "2026-10-31"]
        )
        self.assertIn("$ 31.00 per month", page.text("extend"))
        self.assertIn("with Obligation to Pay", page.text("extend"))

    def test_it_ends_later(self):
        """B13, B17: said on the page and by mail; regular invoices go on until then."""
        answer = self.send(self.see(), "extend", day="2026-09-30")
        self.assertIn("Service now ends on September 30, 2026", answer.text("message"))
        self.assertEqual(
            answer.text("state"), "Cancelled: service until September 30, 2026"
        )
        cancellation = self.get_cancellation()
        self.assertEqual(str(cancellation.effective_date), "2026-10-01")
        self.assertEqual(cancellation.state, "scheduled")
        self.assertFalse(cancellation.is_extraordinary)
        message = cancellation.message_ids.filtered("notification_ids")[:1]
        self.assertIn("September 30, 2026", message.body)
        august = self.bill(self.subscription, "2026-08-01")
        self.assertEqual(august.amount_total, 31.0)
        self.travel_to("2026-10-01")
        cancellation._execute_if_due()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_twice(self):
        """B17: the same page sent again moves nothing, and says so."""
        page = self.see()
        self.send(page, "extend", day="2026-08-31")
        moved = self.get_cancellation().moved_date
        answer = self.send(page, "extend", day="2026-08-31")
        self.assertIn("not available any more", answer.text("message"))
        self.assertEqual(self.get_cancellation().moved_date, moved)
        self.assertEqual(self.get_days(self.see())[0], "2026-09-30")

    def test_only_days_that_were_offered(self):
        """B17: a forged day, or one of an earlier page, changes nothing."""
        page = self.see()
        for day in ("2026-07-20", "2026-08-30", "2027-08-31", "x", "", None):
            with self.subTest(day=day):
                answer = self.send(page, "extend", day=day)
                self.assertIn("not available any more", answer.text("message"))
                self.assertEqual(
                    str(self.get_cancellation().effective_date), "2026-08-01"
                )

    def test_what_was_shown_is_what_is_done(self):
        """B17: at another price it is asked again."""
        page = self.see()
        self.subscription.sale_subscription_line_ids.price_unit = 40.0
        answer = self.send(page, "extend", day="2026-08-31")
        self.assertIn("not available any more", answer.text("message"))
        self.assertEqual(str(self.get_cancellation().effective_date), "2026-08-01")

    def test_where_the_policy_does_not_allow_it(self):
        """B17, D1: by its switch, or because it leaves no time to choose."""
        page = self.see()
        for values in (
            {"portal_extend": False},
            {"timing": "end_of_period", "allow_override_timing": False},
        ):
            with self.subTest(**values):
                self.policy.write({"portal_extend": True, **values})
                self.assertFalse(self.see().has("extend"))
                answer = self.send(page, "extend", day="2026-08-31")
                self.assertIn("not available any more", answer.text("message"))
        self.assertEqual(str(self.get_cancellation().effective_date), "2026-08-01")

    def test_what_the_office_has_cancelled(self):
        """B17: is not the customer's to put off."""
        self.send(self.see(), "revoke")
        self.cancel(self.subscription, timing="end_of_period")
        self.assertFalse(self.see().has("extend"))

    def test_the_day_of_cancellation_is_not_billed(self):
        """B6, B17: the last day of service is the one that was chosen."""
        self.send(self.see(), "revoke")
        self.policy.cancel_day_billed = False
        self.cancel_as_customer(timing="end_of_period")
        self.send(self.see(), "extend", day="2026-08-31")
        self.assertEqual(str(self.get_cancellation().last_service_date), "2026-08-31")

    def test_not_beyond_a_fixed_term(self):
        """B17: which ends anyway."""
        self.subscription = self.create_subscription(
            [10.0],
            template=self.create_template(
                recurring_rule_boundary="limited", recurring_rule_count=3
            ),
            partner_id=self.customer.id,
        )
        self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.cancel_as_customer(timing="end_of_period")
        self.assertEqual(self.get_days(self.see()), ["2026-08-31"])

    def test_without_a_token_or_by_a_stranger(self):
        """B17, E2: no other door than the page."""
        page = self.see()
        answer = self.send(page, "extend", day="2026-08-31", csrf_token="x")
        self.assertIn("expired", answer.text("message"))
        self.create_portal_user("stranger", self.create_customer(name="Stranger"))
        self.authenticate("stranger", "stranger")
        self.send(page, "extend", day="2026-08-31")
        self.assertEqual(str(self.get_cancellation().effective_date), "2026-08-01")
