# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A person uses the public cancellation page in a real browser (E1, E2)."""

from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

MODEL = "subscription.cancellation.declaration"


@tagged("post_install", "-at_install")
class TestCancelContractTour(HttpCase):
    """In real time, because the browser's clock cannot be stopped."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_billed_subscription()
        # Visitors are with the company that the subscription is with.
        public = self.env.ref("base.public_user").sudo()
        public.company_id = self.subscription.company_id

    def create_billed_subscription(self):
        """Return a running subscription that upstream's billing has invoiced."""
        product = self.env["product.product"].create(
            {"name": "Tour Mail", "type": "service", "subscribable": True}
        )
        partner = {"name": "Tour Inc", "email": "tour@tour.example"}
        subscription = self.env["sale.subscription"].create(
            {
                "code": "TOURSUB",
                "partner_id": self.env["res.partner"].create(partner).id,
                "pricelist_id": self.env["product.pricelist"].create({"name": "T"}).id,
                "template_id": self.env["sale.subscription.template"]
                .create({"name": "Tour monthly", "invoicing_mode": "draft"})
                .id,
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id})
                ],
            }
        )
        subscription.action_start_subscription()
        start = date.today() - timedelta(days=9)
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.generate_invoice()
        subscription.invoice_ids.action_post()
        return subscription

    def declarations(self):
        self.env.invalidate_all()
        return self.env[MODEL].sudo().search([("customer_name", "=", "Tour Inc")])

    def test_a_contract_is_cancelled_and_kept(self):
        """E2: declared without logging in, scheduled, and objected to."""
        self.start_tour("/cancel-contract", "cancel_contract_matched")
        declaration = self.declarations()
        declaration._process_declaration()
        cancellation = declaration.cancellation_id
        self.assertEqual(cancellation.subscription_id, self.subscription)
        url = cancellation._show_links(cancellation._get_objection_url())
        self.start_tour(url, "cancel_contract_objection")
        self.assertEqual(self.declarations().state, "objected")
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_what_does_not_match_is_settled_by_a_person(self):
        """E1, E2: same receipt, a reason, and the subscription chosen by hand."""
        self.start_tour("/cancel-contract", "cancel_contract_unmatched")
        declaration = self.declarations()
        self.assertEqual(declaration.extraordinary_reason, "The service is down.")
        declaration._process_declaration()
        self.assertEqual(declaration.state, "to_check")
        self.start_tour(
            "/odoo/action-subscription_cancellation."
            f"subscription_cancellation_declaration_action/{declaration.id}",
            "cancel_contract_staff",
            login="admin",
        )
        self.assertEqual(self.declarations().cancellation_id.state, "to_approve")
