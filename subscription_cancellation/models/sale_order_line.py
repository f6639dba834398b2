# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Upstream bills some periods through sales orders and leaves no trace of the
    # subscription line or of the period on the way to the invoice.
    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    subscription_period_start = fields.Date(
        copy=False,
        help="First day of the subscription period sold by this line.",
    )
    subscription_period_end = fields.Date(
        copy=False,
        help="Last day of the subscription period sold by this line.",
    )

    def get_subscription_line_values(self):
        return {**super().get_subscription_line_values(), "order_line_id": self.id}

    def _prepare_invoice_line(self, **optional_values):
        values = super()._prepare_invoice_line(**optional_values)
        if self.subscription_line_id and not self.display_type:
            values.update(
                subscription_line_id=self.subscription_line_id.id,
                start_date=self.subscription_period_start,
                end_date=self.subscription_period_end,
            )
        return values
