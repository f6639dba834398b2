# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    order_subscription_id = fields.Many2one(index="btree_not_null")

    def create_subscription(self, lines, subscription_tmpl):
        # Upstream starts a second subscription when it confirms the order by which
        # it bills the first one (invoicing mode "Sale order & Invoice").
        if self.order_subscription_id:
            return None
        known = self.subscription_ids
        result = super().create_subscription(lines, subscription_tmpl)
        (self.subscription_ids - known)._bill_first_period_on_order()
        return result
