# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleSubscriptionPauseWizard(models.TransientModel):
    """Upstream's dialog, which tells days and money before it pauses."""

    _inherit = "sale.subscription.pause.wizard"

    # Upstream's help speaks of a scheduled action.
    paused_until = fields.Date(
        help="The first day after the pause; empty: until somebody resumes it."
    )
    subscription_id = fields.Many2one(
        comodel_name="sale.subscription",
        default=lambda self: self.env.context.get("active_id"),
        readonly=True,
    )
    preview = fields.Text(compute="_compute_preview", compute_sudo=False)
    problem = fields.Char(compute="_compute_preview", compute_sudo=False)

    @api.depends("subscription_id", "paused_until")
    def _compute_preview(self):
        for wizard in self:
            wizard.update(wizard._get_preview())

    def _get_preview(self):
        """Return what pausing leads to, or why it cannot be."""
        if not self.subscription_id:
            return {"preview": False, "problem": False}
        try:
            plan = self.subscription_id._plan_pause(self.paused_until)
        except UserError as error:
            return {"preview": False, "problem": str(error)}
        sentences = self.subscription_id._describe_pause_plan(plan)
        return {"preview": "\n".join(sentences), "problem": False}

    def button_confirm(self):
        # By the record that was shown, not by upstream's active_id of the context.
        self.subscription_id.action_pause(self.paused_until)
