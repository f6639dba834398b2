# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How many subscriptions run, how many of them end, and what that costs (E4)."""

from datetime import date

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .accounting import AccountingCase
from .common import CANCELLATION_USER, INVOICING

COUNTS = (
    "first_day_count:avg",
    "started_count:sum",
    "ended_count:sum",
    "active_count:avg",
)
AMOUNTS = (
    "monthly_revenue:avg",
    "gained_monthly_revenue:sum",
    "lost_monthly_revenue:sum",
    "net_monthly_revenue:sum",
)


class ChurnCase(AccountingCase):
    """Subscriptions of $31 a month that begin on 1 May."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Report = cls.env["subscription.churn.report"]

    def start(self, number=1, day="2026-05-01", **values):
        """Return running subscriptions that are not billed."""
        self.travel_to(day)
        return self.env["sale.subscription"].union(
            *(
                self.create_subscription([31.0], start=day, **values)
                for _ in range(number)
            )
        )

    def get_months(self, subscriptions, *measures):
        """Return the measures of each month, by its number."""
        domain = [("subscription_id", "in", subscriptions.ids)]
        groups = self.Report._read_group(domain, ["date:month"], measures)
        return {month.month: tuple(values) for month, *values in groups}

    def get_churn(self, subscriptions):
        """Return the churn of each month in percent, by its number."""
        months = self.get_months(subscriptions, "churn:avg")
        return {month: round(100 * churn, 2) for month, (churn,) in months.items()}


@tagged("post_install", "-at_install")
class TestChurn(ChurnCase):
    """Ended as a whole ÷ running on the first day."""

    def test_one_of_four_ends(self):
        """E4: 25 % in the month of its last day of service, nothing around it."""
        subscriptions = self.start(4)
        self.cancel(subscriptions[0], "2026-06-30")
        self.travel_to("2026-07-10")
        self.assertEqual(self.get_churn(subscriptions), {5: 0.0, 6: 25.0, 7: 0.0})
        self.assertEqual(
            self.get_months(subscriptions, *COUNTS),
            {5: (4, 4, 0, 4), 6: (4, 0, 1, 3), 7: (3, 0, 0, 3)},
        )

    def test_what_began_on_the_second_was_not_there_on_the_first(self):
        """E4: it is in the base of the month after."""
        subscriptions = self.start(2) + self.start(day="2026-06-02")
        self.cancel(subscriptions[2], "2026-06-20")
        self.travel_to("2026-07-10")
        self.assertEqual(self.get_months(subscriptions, *COUNTS)[6], (2, 1, 1, 2))
        self.assertEqual(self.get_churn(subscriptions)[6], 50.0)

    def test_an_undone_one_has_not_ended(self):
        """E4: a mistake is no churn, and leaves no gap."""
        self.get_default_policy().undo_days = 14
        subscriptions = self.start(2)
        self.cancel(subscriptions[0], "2026-06-25")
        self.travel_to("2026-07-02")
        self.assertEqual(self.get_churn(subscriptions)[6], 50.0)
        subscriptions[0].cancellation_ids.action_undo()
        self.assertEqual(self.get_churn(subscriptions), {5: 0.0, 6: 0.0, 7: 0.0})
        self.assertEqual(self.get_months(subscriptions, *COUNTS)[7], (2, 0, 0, 2))

    def test_who_comes_back_later_had_left(self):
        """E4: the month stays as it was; they begin anew when they come back."""
        subscriptions = self.start(2)
        self.cancel(subscriptions[0], "2026-06-25")
        self.travel_to("2026-08-12")
        subscriptions[0].reactivate_subscription()
        self.travel_to("2026-09-02")
        self.assertEqual(
            self.get_months(subscriptions, *COUNTS),
            {
                5: (2, 2, 0, 2),
                6: (2, 0, 1, 1),
                7: (1, 0, 0, 1),
                8: (1, 1, 0, 2),
                9: (2, 0, 0, 2),
            },
        )

    def test_who_comes_back_on_the_last_day_was_never_gone(self):
        """E4: there was no day without service."""
        subscriptions = self.start(2)
        self.cancel(subscriptions[0], "2026-06-25")
        subscriptions[0].reactivate_subscription()
        self.travel_to("2026-07-02")
        self.assertEqual(
            self.get_months(subscriptions, *COUNTS),
            {5: (2, 2, 0, 2), 6: (2, 0, 0, 2), 7: (2, 0, 0, 2)},
        )

    def test_a_new_term_does_not_hide_the_first_one(self):
        """E4: it moves the start of the subscription, not what was before."""
        subscriptions = self.start(2)
        self.cancel(subscriptions[0], "2026-06-25")
        self.travel_to("2026-08-12")
        subscriptions[0].reactivate_subscription(mode="new_term")
        self.cancel(subscriptions[0], "2026-09-10")
        self.assertEqual(
            self.get_months(subscriptions, *COUNTS),
            {
                5: (2, 2, 0, 2),
                6: (2, 0, 1, 1),
                7: (1, 0, 0, 1),
                8: (1, 1, 0, 2),
                9: (2, 0, 1, 1),
            },
        )

    def test_a_single_line_is_no_churn_and_the_last_one_is(self):
        """E4: line by line, it ends with the last."""
        self.travel_to("2026-05-01")
        subscription = self.create_subscription([31.0, 62.0], start="2026-05-01")
        first, last = subscription.sale_subscription_line_ids
        self.cancel(subscription, "2026-06-10", line_ids=first.ids)
        self.cancel(subscription, "2026-07-10", line_ids=last.ids)
        self.travel_to("2026-08-01")
        self.assertEqual(self.get_churn(subscription), {5: 0.0, 6: 0.0, 7: 100.0})

    def test_scheduled_and_revoked_ones_still_run(self):
        """E4: what is to come, or does not come, is no churn yet."""
        subscriptions = self.start(3)
        for subscription in subscriptions[:2]:
            self.bill(subscription, "2026-05-01")
            self.cancel(subscription, "2026-05-20", timing="end_of_period")
        subscriptions[0].revoke_cancellation()
        self.assertEqual(self.get_months(subscriptions, *COUNTS), {5: (3, 3, 0, 3)})

    def test_over_several_months_it_is_their_average(self):
        """E4: no number is counted twice."""
        subscriptions = self.start(4)
        self.cancel(subscriptions[0], "2026-06-30")
        self.travel_to("2026-07-10")
        domain = [
            ("subscription_id", "in", subscriptions.ids),
            ("date", ">=", "2026-06-01"),
        ]
        [values] = self.Report._read_group(
            domain, [], ["churn:avg", "first_day_count:avg", "ended_count:sum"]
        )
        self.assertEqual(values, (1 / 7, 3.5, 1))


@tagged("post_install", "-at_install")
class TestRevenue(ChurnCase):
    """In the company's currency, without tax, per month."""

    def test_net_is_gained_less_lost(self):
        """E4: two begin, a part of one ends, then the other."""
        self.travel_to("2026-05-01")
        one = self.create_subscription([31.0, 62.0], start="2026-05-01")
        other = self.create_subscription(
            [372.0], start="2026-05-01", interval="1 years"
        )
        part = one.sale_subscription_line_ids[0]
        self.cancel(one, "2026-06-10", line_ids=part.ids)
        self.cancel(other, "2026-07-10")
        self.travel_to("2026-08-01")
        self.assertEqual(
            self.get_months(one | other, *AMOUNTS),
            {
                5: (124.0, 124.0, 0.0, 124.0),
                6: (93.0, 0.0, 31.0, -31.0),
                7: (62.0, 0.0, 31.0, -31.0),
                8: (62.0, 0.0, 0.0, 0.0),
            },
        )

    def test_a_line_that_ends_with_the_month_is_lost_in_it(self):
        """E4: revenue, plus what the next month gains less its loss, is the next."""
        self.travel_to("2026-05-01")
        subscription = self.create_subscription([31.0, 62.0], start="2026-05-01")
        part = subscription.sale_subscription_line_ids[0]
        self.cancel(subscription, "2026-06-30", line_ids=part.ids)
        expected = {5: (93.0, 93.0, 0.0, 93.0), 6: (62.0, 0.0, 31.0, -31.0)}
        self.assertEqual(self.get_months(subscription, *AMOUNTS), expected)
        self.travel_to("2026-07-01")
        expected[7] = (62.0, 0.0, 0.0, 0.0)
        self.assertEqual(self.get_months(subscription, *AMOUNTS), expected)

    def test_lost_is_what_the_cancellation_analysis_says(self):
        """E4: in its currency too: EUR 31.00 are $62.00."""
        subscription = self.start(currency="EUR")
        self.cancel(subscription, "2026-06-10")
        self.assertEqual(
            self.get_months(subscription, *AMOUNTS)[6], (0.0, 0.0, 62.0, -62.0)
        )
        [(lost,)] = self.env["subscription.cancellation.report"]._read_group(
            [("subscription_id", "=", subscription.id)],
            [],
            ["lost_monthly_revenue:sum"],
        )
        self.assertEqual(lost, 62.0)

    def test_running_revenue_is_in_the_company_s_currency(self):
        """E4: EUR 31.00 are $62.00 while it runs."""
        subscription = self.start(currency="EUR")
        self.assertEqual(
            self.get_months(subscription, *AMOUNTS), {5: (62.0, 62.0, 0.0, 62.0)}
        )

    def test_a_trial_costs_nothing(self):
        """E4: what it leads to is gained on the day after it."""
        template = self.create_template()
        template.trial_days = 40
        self.travel_to("2026-05-01")
        subscription = self.create_subscription(
            [31.0], template=template, start="2026-05-01"
        )
        self.assertEqual(str(subscription.trial_end_date), "2026-06-09")
        self.travel_to("2026-07-01")
        self.assertEqual(
            self.get_months(subscription, *AMOUNTS),
            {
                5: (0.0, 0.0, 0.0, 0.0),
                6: (31.0, 31.0, 0.0, 31.0),
                7: (31.0, 0.0, 0.0, 0.0),
            },
        )


@tagged("post_install", "-at_install")
class TestAccess(ChurnCase):
    def test_who_may_read_it(self):
        """E4: whoever cancels, and accountants."""
        self.start()
        for group in (CANCELLATION_USER, INVOICING, "account.group_account_readonly"):
            user = self.create_user(group, login=group)
            self.assertTrue(self.Report.with_user(user).search_count([]))
        stranger = self.create_user("base.group_user")
        with self.assertRaises(AccessError):
            self.Report.with_user(stranger).search_count([])

    def test_of_own_companies_only(self):
        """E2."""
        subscription = self.start()
        other = self.setup_other_company()["company"]
        user = self.create_user(CANCELLATION_USER, company_id=other.id)
        found = self.Report.with_user(user).search([])
        self.assertNotIn(subscription, found.sudo().subscription_id)

    def test_rows_are_told_apart(self):
        """E4: one of each month and stay; each can be read by its number."""
        subscription = self.start()
        self.cancel(subscription, "2026-06-05")
        self.travel_to("2026-06-20")
        subscription.reactivate_subscription()
        rows = self.Report.search([("subscription_id", "=", subscription.id)])
        self.assertEqual(len(set(rows.ids)), 3)
        self.assertEqual(set(rows.mapped("date")), {date(2026, 5, 1), date(2026, 6, 1)})


@tagged("post_install", "-at_install")
class TestPeriod(ChurnCase):
    def end_on(self, day):
        """Schedule an end; return the report, what is its own, and the filter."""
        self.travel_to("2026-07-10 12:00:00")
        subscription = self.start(day="2026-07-01")
        self.bill(subscription, "2026-07-01")
        options = {"timing": "specific_date", "requested_date": day}
        self.cancel(subscription, "2026-07-10 12:00:00", **options)
        report = self.env["subscription.cancellation.report"]
        view = report.get_view(view_type="search")
        [domain] = self.get_filter(view["arch"], "last_12_months")
        own = [("subscription_id", "=", subscription.id)]
        self.assertTrue(report.search(own))
        return report, own + safe_eval(domain)

    def test_last_12_months_have_no_next_month(self):
        """E4: an end that is scheduled for later is not of the last months."""
        report, domain = self.end_on("2026-08-01")
        self.assertFalse(report.search(domain))

    def test_last_12_months_have_the_last_day_of_this_one(self):
        """E4: wherever its reader is."""
        report, domain = self.end_on("2026-07-31")
        for zone in ("UTC", "Europe/Berlin", "Pacific/Auckland", "America/New_York"):
            with self.subTest(zone=zone):
                self.assertTrue(report.with_context(tz=zone).search(domain))

    def get_filter(self, arch, name):
        """Return the domains of a filter of a search view."""
        return etree.fromstring(arch).xpath(f"//filter[@name='{name}']/@domain")
