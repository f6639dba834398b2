# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class SubscriptionCancellationOrder(models.TransientModel):
    """The dialog that asks what becomes of subscriptions when their order goes."""

    _name = "subscription.cancellation.order"
    _description = "Cancel an Order Whose Subscription Runs"

    order_id = fields.Many2one(comodel_name="sale.order", required=True, readonly=True)
    subscription_ids = fields.Many2many(
        comodel_name="sale.subscription", compute="_compute_subscription_ids"
    )

    @api.depends("order_id")
    def _compute_subscription_ids(self):
        for wizard in self:
            wizard.subscription_ids = wizard.order_id._get_running_subscriptions()

    def action_cancel_order(self):
        """Cancel the order only: its subscriptions go on."""
        self.ensure_one()
        self.order_id.action_cancel()
        return {"type": "ir.actions.act_window_close"}

    def action_end_subscriptions(self):
        """Cancel the order, and open what ends its subscriptions."""
        self.ensure_one()
        self.order_id.action_cancel()
        subscriptions = self.subscription_ids
        if len(subscriptions) == 1:
            return subscriptions.action_deactivate()
        return self.order_id.action_view_subscriptions()
