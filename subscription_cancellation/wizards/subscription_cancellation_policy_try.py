# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import CHANNELS


class SubscriptionCancellationPolicyTry(models.TransientModel):
    """The dialog that shows what the policies make of a subscription, by channel."""

    _name = "subscription.cancellation.policy.try"
    _description = "Try Cancellation Policies"

    channel = fields.Selection(selection=CHANNELS, default="backend", required=True)
    subscription_id = fields.Many2one(comodel_name="sale.subscription")
    applied_policy = fields.Char(
        string="Policy", compute="_compute_preview", compute_sudo=False
    )
    preview = fields.Html(
        compute="_compute_preview", compute_sudo=False, sanitize=False
    )
    problem = fields.Char(compute="_compute_preview", compute_sudo=False)

    @api.depends("channel", "subscription_id")
    def _compute_preview(self):
        for wizard in self:
            wizard.update(wizard._get_preview())

    def _get_preview(self):
        """Return policy and preview of a cancellation that chooses nothing itself."""
        result = {"applied_policy": False, "preview": False, "problem": False}
        subscription = self.subscription_id
        if not (subscription and self.channel):
            return result
        try:
            policy = subscription._map_policies(self.channel)[subscription]
            result["applied_policy"] = subscription._describe_policy(policy)
            plan = subscription._plan_cancellation({}, self.channel)
        except UserError as error:
            return {**result, "problem": str(error)}
        return {**result, "preview": plan._render_preview()}
