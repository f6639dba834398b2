# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The analysis says what cancellations cost, and counts nothing twice (E4)."""

import json
import re
from ast import literal_eval
from datetime import date

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import file_open
from odoo.tools.safe_eval import safe_eval
from odoo.tools.translate import code_translations, extract_spreadsheet_terms

from odoo.addons.spreadsheet.utils.validate_data import (
    fields_in_spreadsheet,
    odoo_charts,
    odoo_view_links,
)
from odoo.addons.subscription_cancellation.obsolete import mark_obsolete

from .accounting import AccountingCase
from .common import CANCELLATION_MANAGER, CANCELLATION_USER, INVOICING, START

MEASURES = (
    "cancellation_count:count_distinct",
    "lost_count:count_distinct",
    "saved_count:count_distinct",
    "lost_monthly_revenue:sum",
    "saved_monthly_revenue:sum",
    "credited:sum",
    "refunded:sum",
    "written_off:sum",
)
DIMENSIONS = (
    "reason_id",
    "date:month",
    "effective_date:month",
    "request_date:month",
    "executed_date:month",
    "template_id",
    "product_id",
    "product_tmpl_id",
    "categ_id",
    "channel",
    "company_id",
    "user_id",
    "team_id",
    "partner_id",
    "country_id",
    "state_id",
    "timing",
    "refund_mode",
    "state",
    "outcome",
    "tenure",
    "is_whole",
    "is_cascaded",
    "subscription_id",
    "subscription_line_id",
    "cancellation_id",
)
CHURN = "subscription.churn.report"
#: Width of a card to the longest title and the longest text beside its second figure.
ROOM_ON_CARDS = {190: (22, 12), 241: (29, 15)}


class AnalysisCase(AccountingCase):
    """Reads the report as the web client does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Report = cls.env["subscription.cancellation.report"]

    def get_totals(self, subscriptions, **domain):
        """Return the measures over some subscriptions, by their names."""
        terms = [("subscription_id", "in", subscriptions.ids)]
        terms += [(field, "=", value) for field, value in domain.items()]
        [values] = self.Report._read_group(terms, [], MEASURES)
        names = (measure.split(":")[0] for measure in MEASURES)
        # An empty sum is no amount.
        return {
            name: round(value or 0, 2)
            for name, value in zip(names, values, strict=True)
        }

    def assert_totals(self, subscriptions, **expected):
        """These measures are so; all others are 0."""
        expected = {
            **dict.fromkeys((measure.split(":")[0] for measure in MEASURES), 0),
            **expected,
        }
        self.assertEqual(self.get_totals(subscriptions), expected)

    def get_groups(self, subscriptions, groupby, *measures):
        """Return tuples of what is grouped by, and the measures."""
        domain = [("subscription_id", "in", subscriptions.ids)]
        return self.Report._read_group(domain, [groupby], measures)


@tagged("post_install", "-at_install")
class TestFigures(AnalysisCase):
    """Against figures computed by hand."""

    def test_immediate_with_a_credit(self):
        """E4: $31 a month are lost; $21 are credited, and 10 % tax besides."""
        subscription, _invoice = self.subscribe()
        self.settle(subscription)
        self.assert_totals(
            subscription,
            cancellation_count=1,
            lost_count=1,
            lost_monthly_revenue=31.0,
            credited=21.0,
        )

    def test_a_draft_credit_memo_counts_as_it_is_posted(self):
        """E4: nothing while it is a draft; then what the accountant left of it."""
        self.get_default_policy().post_credit_memos = False
        subscription, _invoice = self.subscribe()
        memo = self.settle(subscription)
        self.assertEqual(memo.state, "draft")
        self.assertEqual(self.get_totals(subscription)["credited"], 0.0)
        memo.invoice_line_ids.price_unit = 15.0
        memo.action_post()
        self.assertEqual(self.get_totals(subscription)["credited"], 15.0)

    def test_an_add_on_counts_once_and_its_product_is_told(self):
        """E4: one cancellation of two products: the total counts it once."""
        subscription = self.create_subscription(
            [
                {"name": "Server", "price_unit": 62.0},
                {"name": "Backup", "price_unit": 31.0, "addon_of": "Server"},
                {"name": "Mail", "price_unit": 15.5},
            ]
        )
        self.bill(subscription)
        server = self.get_line(subscription, "Server")
        self.cancel(subscription, "2026-07-10", line_ids=server.ids)
        self.assert_totals(
            subscription,
            cancellation_count=1,
            lost_count=1,
            lost_monthly_revenue=93.0,
            credited=63.0,
        )
        groups = self.get_groups(
            subscription,
            "product_id",
            "cancellation_count:count_distinct",
            "lost_monthly_revenue:sum",
            "credited:sum",
        )
        self.assertEqual(
            {(group.name, *values) for group, *values in groups},
            {("Server", 1, 62.0, 42.0), ("Backup", 1, 31.0, 21.0)},
        )

    def test_two_credited_invoices_lose_the_month_once(self):
        """E4: billed in advance: two credits of one line, one monthly revenue."""
        subscription, _invoice = self.subscribe()
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        self.assertEqual(len(subscription.cancellation_ids.line_ids), 2)
        self.assert_totals(
            subscription,
            cancellation_count=1,
            lost_count=1,
            lost_monthly_revenue=31.0,
            credited=52.0,
        )

    def test_advance_credits_at_scheduling_lose_the_month_once(self):
        """E4: also where the rows of advance invoices were there before."""
        self.get_default_policy().advance_credit = "at_scheduling"
        subscription, _invoice = self.subscribe()
        self.bill(subscription, "2026-07-05")
        self.cancel(
            subscription,
            "2026-07-10",
            timing="specific_date",
            requested_date="2026-07-31",
        )
        before = self.get_totals(subscription)
        self.assertEqual(
            (before["lost_monthly_revenue"], before["credited"]), (31.0, 31.0)
        )
        self.travel_to("2026-08-01")
        subscription.cancellation_ids._execute()
        self.assert_totals(
            subscription,
            cancellation_count=1,
            lost_count=1,
            lost_monthly_revenue=31.0,
            credited=31.0,
        )

    def test_scheduled_is_lost_and_not_credited_yet(self):
        """E4: its last day of service is the month it is lost in."""
        subscription, _invoice = self.subscribe()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        self.assert_totals(
            subscription, cancellation_count=1, lost_count=1, lost_monthly_revenue=31.0
        )
        [(month, revenue)] = self.get_groups(
            subscription, "date:month", "lost_monthly_revenue:sum"
        )
        self.assertEqual((month, revenue), (date(2026, 7, 1), 31.0))

    def test_a_yearly_plan_loses_a_twelfth(self):
        """E4: $372 a year are $31 a month."""
        subscription = self.create_subscription([372.0], interval="1 years")
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", refund_mode="none")
        self.assertEqual(self.get_totals(subscription)["lost_monthly_revenue"], 31.0)

    def test_other_intervals_are_brought_to_one_month(self):
        """E4: a quarter is three months; a year has 365 days."""
        for interval, monthly in (
            ("3 months", 31.0),
            ("30 days", 94.29),  # 93 x 365 / 12 / 30 = 94.2917
            ("2 weeks", 202.05),  # 93 x 365 / 12 / 14 = 202.0536
        ):
            with self.subTest(interval=interval):
                subscription = self.create_subscription([93.0], interval=interval)
                self.cancel(subscription, START, refund_mode="none")
                self.assertEqual(
                    self.get_totals(subscription)["lost_monthly_revenue"], monthly
                )

    def test_quantity_discount_and_included_tax(self):
        """E4: 3 x $31.00 less 20 % is $74.40; 10 % tax is in $34.10 already."""
        tax = self.create_tax(10.0, price_include_override="tax_included")
        subscription = self.create_subscription(
            [
                {"price_unit": 31.0, "product_uom_qty": 3, "discount": 20.0},
                {"price_unit": 34.1, "taxes": tax},
            ]
        )
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", refund_mode="none")
        self.assertEqual(self.get_totals(subscription)["lost_monthly_revenue"], 105.4)

    def test_a_foreign_currency_is_in_dollars(self):
        """E4: EUR 31.00 are $62.00; EUR 21.00 are credited as they were booked."""
        subscription, _invoice = self.subscribe(currency="EUR")
        self.settle(subscription)
        self.assert_totals(
            subscription,
            cancellation_count=1,
            lost_count=1,
            lost_monthly_revenue=62.0,
            credited=42.0,
        )

    def test_currencies_add_up(self):
        """E4: $31.00 and EUR 31.00."""
        here, _invoice = self.subscribe()
        there, _invoice = self.subscribe(currency="EUR")
        self.settle(here)
        self.settle(there)
        totals = self.get_totals(here | there)
        self.assertEqual(
            (totals["lost_monthly_revenue"], totals["credited"]), (93.0, 63.0)
        )

    def test_a_refund_of_the_provider(self):
        """E4: $23.10 go back, tax included, shared by what was credited."""
        subscription = self.create_subscription(
            [{"price_unit": price, "taxes": self.tax} for price in (31.0, 62.0)]
        )
        invoice = self.bill(subscription)
        self.pay_online(invoice)
        self.cancel(subscription, "2026-07-10", credit_settlement="refund")
        self.assertEqual(self.get_totals(subscription)["refunded"], 0.0)
        self.run_steps(subscription)
        self.assertEqual(self.steps(subscription, "refund").state, "done")
        totals = self.get_totals(subscription)
        self.assertEqual((totals["credited"], totals["refunded"]), (63.0, 69.3))
        groups = self.get_groups(subscription, "product_id", "refunded:sum")
        self.assertEqual(sorted(amount for _product, amount in groups), [23.1, 46.2])

    def test_shares_of_a_refund_add_up_to_the_cent(self):
        """E4: $20.00 for three lines of the same price: 6.67, 6.66 and 6.67."""
        subscription = self.create_subscription([31.0, 31.0, 31.0])
        invoice = self.bill(subscription)
        # $30.00 of $93.00 are used, so $63.00 are credited, and $43.00 were due.
        self.pay_online(invoice, 50.0)
        self.cancel(subscription, "2026-07-10", credit_settlement="refund")
        self.run_steps(subscription)
        groups = self.get_groups(subscription, "subscription_line_id", "refunded:sum")
        shares = [amount for _line, amount in groups]
        self.assertEqual(sorted(shares), [6.66, 6.67, 6.67])
        self.assertEqual(self.get_totals(subscription)["refunded"], 20.0)

    def test_a_write_off(self):
        """E4: $11.00 of the served days are written off."""
        subscription, _invoice = self.subscribe()
        self.settle(subscription, unpaid_invoices="write_off")
        totals = self.get_totals(subscription)
        self.assertEqual((totals["credited"], totals["written_off"]), (21.0, 11.0))

    def test_a_trial_costs_nothing(self):
        """E4: nobody pays in a trial, so no revenue is lost; it is counted."""
        template = self.create_template(trial_days=14)
        subscription = self.create_subscription([31.0], template=template)
        self.cancel(subscription, "2026-07-10")
        self.assert_totals(subscription, cancellation_count=1, lost_count=1)


@tagged("post_install", "-at_install")
class TestOutcomes(AnalysisCase):
    """Lost, saved, or neither."""

    def get_outcomes(self, subscription):
        groups = self.get_groups(
            subscription, "outcome", "cancellation_count:count_distinct"
        )
        return dict(groups)

    def test_revoked_is_saved(self):
        """E4: the customer stays."""
        subscription, _invoice = self.subscribe()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        subscription.revoke_cancellation()
        self.assert_totals(
            subscription,
            cancellation_count=1,
            saved_count=1,
            saved_monthly_revenue=31.0,
        )
        self.assertEqual(self.get_outcomes(subscription), {"saved": 1})

    def test_replaced_is_not_saved(self):
        """E4: an earlier end replaces a later one: one is lost, none is saved."""
        subscription = self.create_subscription([31.0, 62.0])
        self.bill(subscription)
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription, "2026-07-10", timing="end_of_period", line_ids=line.ids
        )
        self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        self.assertEqual(self.get_outcomes(subscription), {"replaced": 1, "lost": 1})
        totals = self.get_totals(subscription)
        self.assertEqual((totals["lost_count"], totals["saved_count"]), (1, 0))
        self.assertEqual(totals["lost_monthly_revenue"], 31.0)

    def test_obsolete_is_not_saved(self):
        """E4: what the end of the subscription itself takes back is no success."""
        subscription = self.create_subscription([31.0, 62.0])
        line = self.get_line(subscription, "Line 1")
        policy = self.get_default_policy()
        policy.approval_always = True
        self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        pending = subscription.cancellation_ids
        self.assertEqual(pending.state, "to_approve")
        # As lines that were archived before this addon was there.
        line._deactivate()
        policy.approval_always = False
        self.cancel(subscription, refund_mode="none")
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual((pending.state, pending.is_obsolete), ("revoked", True))
        self.assert_totals(
            subscription, cancellation_count=2, lost_count=1, lost_monthly_revenue=62.0
        )

    def test_an_upgrade_tells_the_obsolete_from_the_saved(self):
        """E4: revoked with the end of the subscription, or by the customer before."""
        subscription, _invoice = self.subscribe()
        self.cancel(subscription, "2026-07-03", timing="end_of_period")
        subscription.revoke_cancellation()
        saved = subscription.cancellation_ids
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        obsolete = subscription.cancellation_ids - saved
        obsolete._as_engine()._set_state("revoked")
        self.cancel(subscription, refund_mode="none")
        self.env.flush_all()
        # As it was written then; the clock of the database does not stand still.
        for cancellation, day in ((saved, "2026-07-03"), (obsolete, "2026-07-10")):
            self.env.cr.execute(
                "UPDATE subscription_cancellation SET write_date = %s WHERE id = %s",
                [day, cancellation.id],
            )
        mark_obsolete(self.env)
        self.assertEqual((saved.is_obsolete, obsolete.is_obsolete), (False, True))
        self.assertEqual(
            self.get_outcomes(subscription), {"saved": 1, "replaced": 1, "lost": 1}
        )

    def test_reactivated_is_won_back(self):
        """E4: neither lost nor credited any more; the credit was taken back."""
        subscription, _invoice = self.subscribe()
        self.settle(subscription)
        subscription.reactivate_subscription()
        self.assert_totals(subscription, cancellation_count=1)
        self.assertEqual(self.get_outcomes(subscription), {"won_back": 1})

    def test_failed_is_undecided(self):
        """E4: as long as somebody has to look."""
        subscription, _invoice = self.subscribe()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        subscription.cancellation_ids._fail("The books are closed.")
        self.assertEqual(self.get_outcomes(subscription), {"open": 1})
        self.assertEqual(self.get_totals(subscription)["lost_count"], 0)


@tagged("post_install", "-at_install")
class TestHistory(AnalysisCase):
    """What was lost stays lost."""

    def test_a_later_price_changes_nothing(self):
        """E4: of the archived line, of the plan, or of the start date."""
        subscription, _invoice = self.subscribe(start="2026-03-01")
        self.cancel(subscription, "2026-07-10", refund_mode="none")
        # As at the end of every request.
        self.env.flush_all()
        line = self.get_line(subscription, "Line 1")
        line.write({"price_unit": 99.0, "discount": 50.0})
        subscription.template_id.recurring_interval = 6
        subscription.date_start = "2026-07-01"
        self.assertEqual(self.get_totals(subscription)["lost_monthly_revenue"], 31.0)
        [(months,)] = self.Report._read_group(
            [("subscription_id", "=", subscription.id)], [], ["tenure_months:avg"]
        )
        self.assertEqual(months, 4)

    def test_the_price_of_the_last_day_counts(self):
        """E4: raised between the request and the end."""
        subscription, _invoice = self.subscribe()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        self.env.flush_all()
        self.get_line(subscription, "Line 1").price_unit = 40.0
        self.assertEqual(self.get_totals(subscription)["lost_monthly_revenue"], 31.0)
        self.travel_to("2026-08-01")
        subscription.cancellation_ids._execute()
        self.assertEqual(self.get_totals(subscription)["lost_monthly_revenue"], 40.0)

    def test_tenures(self):
        """E4: from the start to the first day without service, 11 July."""
        for start, months, tenure in (
            ("2026-07-01", 0, "00"),
            ("2026-04-12", 2, "00"),
            ("2026-04-11", 3, "03"),
            ("2025-07-12", 11, "03"),
            ("2025-07-11", 12, "12"),
            ("2024-07-12", 23, "12"),
            ("2024-07-11", 24, "24"),
            ("2016-07-11", 120, "24"),
        ):
            with self.subTest(start=start):
                subscription = self.create_subscription([31.0], start=start)
                self.cancel(subscription, "2026-07-10", refund_mode="none")
                row = self.Report.search([("subscription_id", "=", subscription.id)])
                self.assertEqual((row.tenure_months, row.tenure), (months, tenure))


@tagged("post_install", "-at_install")
class TestDimensions(AnalysisCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.country = cls.env.ref("base.us")
        cls.texas = cls.env.ref("base.state_us_44")
        cls.team = cls.env["crm.team"].create({"name": "Enterprise"})
        customer = cls.create_customer(country_id=cls.country.id, state_id=cls.texas.id)
        cls.subscription = cls.create_subscription(
            [31.0, 62.0],
            partner_id=customer.id,
            crm_team_id=cls.team.id,
            user_id=cls.env.user.id,
        )
        cls.bill(cls.subscription)
        cls.cancel(cls.subscription, "2026-07-10", reason_code="too_expensive")

    def test_every_dimension_groups(self):
        """E4: sums and numbers are the same, however they are grouped."""
        for dimension in DIMENSIONS:
            with self.subTest(dimension=dimension):
                groups = self.get_groups(
                    self.subscription,
                    dimension,
                    "lost_monthly_revenue:sum",
                    "credited:sum",
                    "lost_count:count_distinct",
                )
                self.assertEqual(sum(group[1] for group in groups), 93.0)
                self.assertEqual(sum(group[2] for group in groups), 63.0)
                self.assertEqual({group[3] for group in groups}, {1})
                self.assertTrue(all(group[0] is not None for group in groups))

    def test_rows_say_what_they_are(self):
        """E4: the values of one row."""
        rows = self.Report.search([("subscription_id", "=", self.subscription.id)])
        self.assertEqual(len(rows), 2)
        self.assertEqual(rows.reason_id.code, "too_expensive")
        self.assertEqual(rows.template_id, self.subscription.template_id)
        self.assertEqual(rows.team_id, self.team)
        self.assertEqual(rows.user_id, self.env.user)
        self.assertEqual((rows.country_id, rows.state_id), (self.country, self.texas))
        self.assertEqual(set(rows.mapped("channel")), {"api"})
        self.assertEqual(set(rows.mapped("timing")), {"immediate"})
        self.assertEqual(set(rows.mapped("refund_mode")), {"prorated"})
        self.assertEqual(set(rows.mapped("date")), {date(2026, 7, 10)})
        self.assertEqual(set(rows.mapped("effective_date")), {date(2026, 7, 11)})

    def test_a_row_opens_its_cancellation(self):
        """E4: a click in the list."""
        row = self.Report.search([("subscription_id", "=", self.subscription.id)])[0]
        action = row.action_open_cancellation()
        self.assertEqual(action["res_model"], "subscription.cancellation")
        self.assertEqual(action["res_id"], self.subscription.cancellation_ids.id)

    def test_queries_do_not_grow(self):
        """E4: a pivot is one query, with one and with twenty cancellations."""
        counts = [self.count_queries()]
        for _number in range(20):
            subscription = self.create_subscription([31.0])
            self.cancel(subscription, "2026-07-10", refund_mode="none")
        counts.append(self.count_queries())
        self.assertEqual(counts, [1, 1])

    def count_queries(self):
        self.env.flush_all()
        self.env.invalidate_all()
        self.env.user.has_group("base.group_user")
        self.Report._read_group([], ["reason_id", "date:month"], MEASURES)
        before = self.env.cr.sql_log_count
        self.Report._read_group([], ["reason_id", "date:month"], MEASURES)
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestRights(AnalysisCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = cls.create_subscription([31.0])
        cls.cancel(cls.here, "2026-07-10", refund_mode="none")

    def create_elsewhere(self):
        """Return another company in euro, and a cancelled subscription of it."""
        euro = self.get_currency("EUR")
        data = self.setup_other_company(name="Elsewhere", currency_id=euro.id)
        self.env.user.company_ids |= data["company"]
        there = self.create_subscription(
            [31.0],
            company_id=data["company"].id,
            journal_id=data["default_journal_sale"].id,
            currency="EUR",
        )
        self.cancel(there, "2026-07-10", refund_mode="none")
        return data["company"], there

    def test_only_own_companies(self):
        """E4: by a record rule."""
        _company, there = self.create_elsewhere()
        user = self.create_user(CANCELLATION_USER)
        rows = self.Report.with_user(user).search([])
        self.assertIn(self.here, rows.subscription_id)
        self.assertNotIn(there, rows.subscription_id)

    def test_companies_together_are_in_the_currency_of_the_first(self):
        """E4: $31.00 here and EUR 31.00 elsewhere, which are $62.00."""
        company, there = self.create_elsewhere()
        both = self.company | company
        report = self.Report.with_context(allowed_company_ids=both.ids)
        domain = [("subscription_id", "in", (self.here | there).ids)]
        [(total,)] = report._read_group(domain, [], ["lost_monthly_revenue:sum"])
        self.assertEqual(total, 93.0)
        self.assertEqual(report.search(domain).currency_id.name, "USD")

    def test_who_may_read(self):
        """E4: users of the addon and accountants, to read only."""
        for group in (CANCELLATION_USER, INVOICING, "account.group_account_readonly"):
            with self.subTest(group=group):
                user = self.create_user(group, login=group)
                report = self.Report.with_user(user)
                [(total,)] = report._read_group(
                    [("subscription_id", "=", self.here.id)],
                    [],
                    ["lost_monthly_revenue:sum"],
                )
                self.assertEqual(total, 31.0)
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(report.has_access(operation))

    def test_who_may_not(self):
        """E4: neither customers nor other employees."""
        for group in ("base.group_portal", "base.group_user"):
            with self.subTest(group=group):
                user = self.create_user(group, login=group)
                with self.assertRaises(AccessError):
                    self.Report.with_user(user).search([])


@tagged("post_install", "-at_install")
class TestDashboard(AnalysisCase):
    """The file of the dashboard fits the model."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref(
            "subscription_cancellation.spreadsheet_dashboard_cancellations"
        )

    def load(self):
        return json.loads(self.dashboard.spreadsheet_data)

    def test_its_fields_are_there(self):
        """E4: of pivots, charts and filters."""
        fields = fields_in_spreadsheet(self.load())
        self.assertEqual(set(fields), {self.Report._name, CHURN})
        for model, chains in fields.items():
            names = {chain.split(":")[0] for chain in chains}
            self.assertLessEqual(names, set(self.env[model]._fields))
        names = {chain.split(":")[0] for chain in fields[self.Report._name]}
        self.assertLessEqual(
            {"reason_id", "date", "lost_count", "credited", "refunded", "outcome"},
            names,
        )

    def test_its_measures_are_stored_and_summed(self):
        """E4: every measure can be aggregated as the pivot asks for it."""
        for pivot in self.load()["pivots"].values():
            for measure in pivot["measures"]:
                field = self.env[pivot["model"]]._fields[measure["fieldName"]]
                self.assertEqual(field.aggregator, measure["aggregator"])

    def test_its_formulas_ask_for_what_the_pivots_have(self):
        """E4: scorecards read measures of a pivot that is there."""
        snapshot = self.load()
        pattern = r'PIVOT\.VALUE\((\d+),"(\w+)"\)'
        asked = [
            match
            for sheet in snapshot["sheets"]
            for cell in sheet["cells"].values()
            for match in re.findall(pattern, cell)
        ]
        self.assertGreaterEqual(len(asked), 10)
        for number, name in asked:
            measures = snapshot["pivots"][number]["measures"]
            self.assertIn(name, [measure["id"] for measure in measures])

    def test_links_open_views_of_the_model(self):
        """E4: titles lead to the analysis, grouped as the chart is."""
        links = odoo_view_links(self.load())
        self.assertGreaterEqual(len(links), 10)
        for link in links:
            action = link["action"]
            self.assertIn(action["modelName"], (self.Report._name, CHURN))
            report = self.env[action["modelName"]]
            for groupby in action["context"]["group_by"]:
                self.assertTrue(report._read_group([], [groupby]) is not None)
            report.search(action["domain"])

    def test_who_sees_it(self):
        """E4: managers; the others do not find it."""
        manager = self.create_user("base.group_user", CANCELLATION_MANAGER)
        self.assertIn(self.dashboard, self.dashboard.with_user(manager).search([]))
        user = self.create_user("base.group_user", CANCELLATION_USER, login="user")
        self.assertNotIn(self.dashboard, self.dashboard.with_user(user).search([]))

    def test_the_empty_state_has_a_sample(self):
        """E4: with the same charts, and no data of the company."""
        sample = self.dashboard._get_sample_dashboard()
        self.assertFalse(sample["pivots"])
        self.assertFalse(odoo_charts(sample))
        figures = [
            {figure["id"] for figure in snapshot["sheets"][0]["figures"]}
            for snapshot in (sample, self.load())
        ]
        self.assertEqual(figures[0], figures[1])

    def read_file(self, name):
        """Return a file of a dashboard, and what Odoo finds in it to translate."""
        path = f"subscription_cancellation/data/files/{name}.json"
        with file_open(path, "rb") as file:
            terms = {term[2] for term in extract_spreadsheet_terms(file, (), (), {})}
        with file_open(path) as file:
            return json.load(file), terms

    def test_every_text_is_translated(self):
        """E4, issue 6: titles, headings, legends and labels, in every language."""
        for name in ("cancellation_dashboard", "cancellation_sample_dashboard"):
            snapshot, terms = self.read_file(name)
            texts = {*self.get_texts(snapshot)}
            self.assertGreaterEqual(len(texts), 30)
            self.assertEqual(texts - terms, set())
            for lang in ("de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL"):
                known = code_translations.get_web_translations(
                    "subscription_cancellation", lang
                )
                messages = {message["id"] for message in known["messages"]}
                with self.subTest(name=name, lang=lang):
                    self.assertEqual(texts - messages, set())

    def get_texts(self, snapshot):
        """Yield what is written on a dashboard, as far as it is not data."""
        for sheet in snapshot["sheets"]:
            for cell in sheet["cells"].values():
                link = re.fullmatch(r"\[(.+)\]\(.+\)", str(cell))
                text = re.fullmatch(r'=_t\("(.+)"\)', str(cell))
                formula = str(cell).startswith("=") or str(cell).isdigit()
                self.assertTrue(link or text or formula, cell)
                if link or text:
                    yield (link or text)[1]
            for figure in sheet["figures"]:
                for text in ("title", "baselineDescr", "keyDescr"):
                    yield from filter(None, [figure["data"].get(text, {}).get("text")])
        for global_filter in snapshot["globalFilters"]:
            yield global_filter["label"]

    def test_no_text_is_out_of_reach_of_the_translation(self):
        """E4, issue 6: Odoo translates neither titles of pivots nor of measures."""
        snapshot = self.load()
        pattern = r"PIVOT\(\d+, \d+, FALSE, FALSE, \d+, FALSE\)"
        for sheet in snapshot["sheets"]:
            for cell in sheet["cells"].values():
                if "PIVOT(" in cell:
                    self.assertRegex(cell, pattern)
        for pivot in snapshot["pivots"].values():
            # It stands in the first cell where there is nothing to show.
            self.assertEqual(pivot["name"], "–")
            for measure in pivot["measures"]:
                self.assertNotIn("userDefinedName", measure)

    def test_every_series_has_its_heading_above(self):
        """E4: the first cell of its range, which is the legend."""
        for snapshot in (self.load(), self.dashboard._get_sample_dashboard()):
            dashboard, data = snapshot["sheets"]
            for figure in dashboard["figures"]:
                for series in figure["data"].get("dataSets", ()):
                    if "dataRange" in series:
                        first = re.match(r"Data!(\w+):", series["dataRange"])[1]
                        self.assertRegex(data["cells"][first], r'^=_t\("')

    def test_texts_of_scorecards_fit(self):
        """E4, issue 6: in every language, beside a figure, on cards of two widths."""
        snapshot = self.load()
        cards = [
            (figure["data"], *ROOM_ON_CARDS[figure["width"]])
            for figure in snapshot["sheets"][0]["figures"]
            if figure["data"]["type"] == "scorecard"
        ]
        self.assertEqual(len(cards), 9)
        for lang in ("de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL"):
            known = code_translations.get_web_translations(
                "subscription_cancellation", lang
            )
            words = {message["id"]: message["string"] for message in known["messages"]}
            for card, title, description in cards:
                with self.subTest(lang=lang, card=card["chartId"]):
                    self.assertLessEqual(len(words[card["title"]["text"]]), title)
                    below = card["baselineDescr"]["text"]
                    self.assertLessEqual(len(below and words[below]), description)

    def test_months_without_a_cancellation_are_there(self):
        """E4, issue 6: in pivots, and with them in the dashboard; lists may limit."""
        subscriptions = self.subscribe()[0] | self.subscribe()[0]
        for subscription, day in zip(
            subscriptions, ("2026-07-10", "2026-10-10"), strict=True
        ):
            self.cancel(subscription, day)
        domain = [("subscription_id", "in", subscriptions.ids)]
        groups = [[], ["date:month"], ["date:month", "outcome"]]
        measures = ["lost_monthly_revenue:sum", "lost_count:count_distinct"]
        _all, months, outcomes = self.Report.formatted_read_grouping_sets(
            domain, groups, measures
        )
        self.assertEqual(
            [group["date:month"][0] for group in months],
            ["2026-07-01", "2026-08-01", "2026-09-01", "2026-10-01"],
        )
        self.assertEqual([group[measures[1]] for group in months], [1, 0, 0, 1])
        self.assertEqual(len(outcomes), 4)
        listed = self.Report.web_read_group(domain, ["date:month"], limit=1)
        self.assertEqual(len(listed["groups"]), 1)

    def test_questions_are_asked_with_translated_filters(self):
        """E4, issue 6: Odoo cannot translate favourites, but these, and they work."""
        self.assertFalse(
            self.env["ir.filters"].search(
                [("model_id", "=", self.Report._name), ("user_ids", "=", False)]
            )
        )
        view = self.env.ref(
            "subscription_cancellation.subscription_cancellation_report_view_search"
        )
        filters = etree.fromstring(view.arch).xpath("//search/filter[@domain]")
        self.assertGreaterEqual(len(filters), 8)
        for node in filters:
            with self.subTest(name=node.get("name")):
                # Else it is cut off in the menu of filters.
                self.assertLessEqual(len(node.get("string")), 24)
                domain = safe_eval(node.get("domain"), {"uid": self.env.uid})
                self.Report.search_count(domain)
                context = literal_eval(node.get("context", "{}"))
                shown = context.get("pivot_measures", [])
                shown = [*shown, *filter(None, [context.get("graph_measure")])]
                for measure in shown:
                    self.assertTrue(self.Report._fields[measure].aggregator)

    def test_credits_are_found_by_their_filter(self):
        """E4: whatever came of the cancellation, as long as money was given back."""
        credited, scheduled = self.subscribe()[0], self.subscribe()[0]
        self.cancel(credited, "2026-07-10")
        self.cancel(scheduled, timing="end_of_period")
        found = self.Report.search(
            [
                ("credited", "!=", 0),
                ("subscription_id", "in", (credited | scheduled).ids),
            ]
        )
        self.assertEqual(found.subscription_id, credited)
