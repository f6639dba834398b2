# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import REACTIVATION_MODES


class SubscriptionCancellationReactivation(models.TransientModel):
    """The dialog that lets a cancelled subscription go on."""

    _name = "subscription.cancellation.reactivation"
    _description = "Reactivate Subscription"

    subscription_id = fields.Many2one(
        comodel_name="sale.subscription", required=True, readonly=True
    )
    mode = fields.Selection(
        selection=REACTIVATION_MODES, string="How", default="resume", required=True
    )
    preview = fields.Text(compute="_compute_preview", compute_sudo=False)
    problem = fields.Char(compute="_compute_preview", compute_sudo=False)

    @api.depends("subscription_id", "mode")
    def _compute_preview(self):
        for wizard in self:
            wizard.update(wizard._get_preview())

    def _get_preview(self):
        """Return what reactivating leads to, or why it cannot be."""
        subscription = self.subscription_id
        try:
            plan = subscription._plan_reactivation(self.mode)
        except UserError as error:
            return {"preview": False, "problem": str(error)}
        return {
            "preview": subscription._describe_reactivation(plan),
            "problem": False,
        }

    def action_confirm(self):
        """Reactivate."""
        self.ensure_one()
        self.subscription_id.reactivate_subscription(mode=self.mode)
        return {"type": "ir.actions.act_window_close"}
