# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A manager looks at the analysis and the dashboard in a browser (E4)."""

import json

from odoo.tests import tagged

from .tours import TourCase


@tagged("post_install", "-at_install")
class TestAnalysisTours(TourCase):
    """Any error in the console of the browser fails a tour."""

    def setUp(self):
        super().setUp()
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        subscription._request_cancellation(
            {"timing": "immediate", "reason_code": "too_expensive"}, "backend"
        )

    def test_graph_pivot_list(self):
        """E4: from the menu to one cancellation."""
        self.start_tour(
            "/odoo/action-subscription_oca.sale_subscription_action",
            "subscription_cancellation_analysis",
            login="admin",
        )

    def test_dashboard(self):
        """E4: in the Dashboards app; its titles lead to the analysis."""
        self.start_tour(
            "/odoo/dashboards", "subscription_cancellation_dashboard", login="admin"
        )

    def test_dashboard_of_a_company_without_cancellations(self):
        """E4: the sample is shown, and says so."""
        dashboard = self.env.ref(
            "subscription_cancellation.spreadsheet_dashboard_cancellations"
        )
        self.assertFalse(dashboard._dashboard_is_empty())
        company = self.env["res.company"].create({"name": "Empty"})
        admin = self.env.ref("base.user_admin")
        admin.company_ids |= company
        elsewhere = dashboard.with_context(allowed_company_ids=company.ids)
        self.assertTrue(elsewhere.with_user(admin)._dashboard_is_empty())


#: Fails with the texts of a list that are cut off in the columns that always fit.
WHAT_IS_CUT_OFF = """
    const columns = %s.map((name) => `[name=${name}], [data-name=${name}]`);
    const cells = [...document.querySelectorAll(columns.join(", "))];
    const boxes = cells.flatMap((cell) => [cell, ...cell.querySelectorAll("*")]);
    const cut = boxes.filter(
        (box) =>
            box.scrollWidth > box.clientWidth + 1 &&
            getComputedStyle(box).textOverflow === "ellipsis"
    );
    if (cells.length < columns.length || cut.length) {
        console.error(`Cut off: ${cut.map((box) => box.textContent).join(", ")}`);
    } else {
        console.log("test successful");
    }
"""


@tagged("post_install", "-at_install")
class TestColumns(TourCase):
    """On a small notebook, in three languages."""

    browser_size = "1280x900"

    def setUp(self):
        super().setUp()
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        subscription._request_cancellation(
            {"timing": "immediate", "reason_code": "too_expensive"}, "backend"
        )
        self.admin = self.env.ref("base.user_admin")
        languages = ["de_DE", "es_ES"]
        for lang in languages:
            self.env["res.lang"]._activate_lang(lang)
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], languages
        )

    def assert_nothing_is_cut_off(self, action, *columns):
        for lang in ("en_US", "de_DE", "es_ES"):
            self.admin.lang = lang
            with self.subTest(lang=lang):
                self.browser_js(
                    f"/odoo/action-subscription_cancellation.{action}?view_type=list",
                    WHAT_IS_CUT_OFF % json.dumps(columns),
                    "!!document.querySelector('.o_list_renderer .o_data_row')",
                    login="admin",
                )

    def test_analysis(self):
        """E4, issue 6: number, amounts and result."""
        self.assert_nothing_is_cut_off(
            "subscription_cancellation_report_action",
            *("date", "cancellation_id", "reason_id"),
            *("monthly_revenue", "credited", "outcome"),
        )

    def test_cancellations(self):
        """E1, issue 6: numbers, amount and state."""
        self.assert_nothing_is_cut_off(
            "subscription_cancellation_action",
            *("name", "subscription_id", "last_service_date"),
            *("reason_id", "credit_total", "settlement_state", "state"),
        )
