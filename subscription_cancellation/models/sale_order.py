# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def create_subscription(self, lines, subscription_tmpl):
        # Upstream starts a second subscription when it confirms the order by which
        # it bills the first one (invoicing mode "Sale order & Invoice").
        if self.order_subscription_id:
            return None
        known = self.subscription_ids
        result = super().create_subscription(lines, subscription_tmpl)
        (self.subscription_ids - known)._stamp_first_period_on_order()
        return result
