# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A manager looks at the analysis and the dashboard in a browser (E4)."""

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
