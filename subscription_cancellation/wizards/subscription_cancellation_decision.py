# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class SubscriptionCancellationDecision(models.TransientModel):
    """The dialog in which a manager approves or refuses a cancellation."""

    _name = "subscription.cancellation.decision"
    _description = "Approve or Refuse a Cancellation"

    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation", required=True, readonly=True
    )
    subscription_id = fields.Many2one(
        related="cancellation_id.subscription_id", related_sudo=False
    )
    partner_id = fields.Many2one(
        related="cancellation_id.partner_id", related_sudo=False
    )
    requested_by_id = fields.Many2one(
        related="cancellation_id.requested_by_id", related_sudo=False
    )
    reason_name = fields.Char(
        related="cancellation_id.reason_name", string="Reason", related_sudo=False
    )
    customer_comment = fields.Text(
        related="cancellation_id.comment", string="Comment", related_sudo=False
    )
    approval_reason = fields.Char(
        related="cancellation_id.approval_reason", related_sudo=False
    )
    overrides = fields.Text(related="cancellation_id.overrides", related_sudo=False)
    terms = fields.Text(compute="_compute_told_terms", compute_sudo=False)
    figures = fields.Html(
        compute="_compute_preview", compute_sudo=False, sanitize=False
    )
    preview = fields.Html(
        compute="_compute_preview", compute_sudo=False, sanitize=False
    )
    decision = fields.Selection(
        selection=[("approve", "Approve"), ("refuse", "Refuse")],
        default="approve",
        required=True,
    )
    comment = fields.Text(
        string="Reason of the Decision", help="Required to refuse; kept on the record."
    )
    message = fields.Text(
        string="Message to the Customer",
        help="If you refuse, the customer reads this in the e-mail that says so.",
    )
    send_confirmation = fields.Boolean(
        related="cancellation_id.send_confirmation", related_sudo=False
    )

    @api.depends("cancellation_id")
    def _compute_told_terms(self):
        for wizard in self:
            sentences = wizard.cancellation_id._get_extraordinary_sentences()
            wizard.terms = "\n".join(sentences)

    @api.depends("cancellation_id")
    def _compute_preview(self):
        for wizard in self:
            cancellation = wizard.cancellation_id
            plan = cancellation._plan_anew(cancellation.effective_date)
            parts = plan._preview_settlement()
            outlook = plan._get_outlook(parts)
            wizard.figures = plan._render_figures(outlook, parts)
            wizard.preview = plan._render_preview(parts, outlook)

    def action_approve(self):
        """Approve; what is due is executed at once."""
        self.ensure_one()
        self.cancellation_id._approve(self.comment)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        """Refuse; the subscription goes on."""
        self.ensure_one()
        self.cancellation_id._refuse(self.comment, self.message)
        return {"type": "ir.actions.act_window_close"}
