# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What tours start from: subscriptions billed in real time."""

from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import HttpCase


class TourCase(HttpCase):
    """In real time, because the browser's clock cannot be stopped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = date.today() - timedelta(days=9)
        cls.pricelist = cls.env["product.pricelist"].create({"name": "Tour"})
        cls.template = cls.env["sale.subscription.template"].create(
            {"name": "Tour monthly", "invoicing_mode": "draft"}
        )

    def create_product(self, name, addon_of=None):
        parents = addon_of.product_tmpl_id.ids if addon_of else []
        return self.env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "list_price": 31.0,
                "subscribable": True,
                "addon_of_ids": [Command.set(parents)],
            }
        )

    def create_billed_subscription(self, products):
        """Return a running subscription that upstream's billing has invoiced."""
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Tour Inc"}).id,
                "pricelist_id": self.pricelist.id,
                "template_id": self.template.id,
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id}) for product in products
                ],
            }
        )
        subscription.action_start_subscription()
        subscription.write(
            {"date_start": self.start, "recurring_next_date": self.start}
        )
        subscription.generate_invoice()
        subscription.invoice_ids.action_post()
        return subscription

    def run_tour(self, name, subscription):
        self.start_tour(
            f"/odoo/action-subscription_oca.sale_subscription_action/{subscription.id}",
            name,
            login="admin",
        )
        subscription.invalidate_recordset()
