# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The summary says of each document what it is for (D4)."""

from lxml import html

from odoo.tests import tagged

from .common import CancellationCase

REPORT = "subscription_cancellation.cancellation_summary"


@tagged("post_install", "-at_install")
class TestSummaryDocuments(CancellationCase):
    """$31.00 are billed for July."""

    def setUp(self):
        super().setUp()
        self.get_default_policy().unbilled_charges = "invoice"
        self.subscription = self.create_subscription([31.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def read_documents(self):
        """Return the rows of the summary's documents, each on one line."""
        self.env.invalidate_all()
        cancellation = self.subscription.cancellation_ids
        reports = self.env["ir.actions.report"]
        content, _kind = reports._render_qweb_html(REPORT, cancellation.ids)
        rows = html.fromstring(content).xpath("//*[@name='credit_memo']")
        return [" ".join(row.text_content().split()) for row in rows]

    def test_served_days(self):
        """C9, D4: what is invoiced at the end, for the days since the last invoice."""
        self.travel_to("2026-08-10")
        self.cancel(self.subscription, timing="immediate")
        [row] = self.read_documents()
        self.assertIn("Served days", row)
        self.assertNotIn("Extra days", row)

    def test_extra_days(self):
        """B13, D4: of a moved end."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.cancellation_ids._postpone(
            "2026-08-15", charge_extension=True
        )
        [row] = self.read_documents()
        self.assertIn("Extra days", row)

    def test_left_out_days(self):
        """B12, D4: August was invoiced without the item, and is charged after all."""
        self.add_line(self.subscription, 10.0)
        line = self.subscription.sale_subscription_line_ids[0]
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.bill(self.subscription, "2026-07-10")
        self.subscription.cancellation_ids._revoke()
        [row] = self.read_documents()
        self.assertIn("Days that were not invoiced", row)
