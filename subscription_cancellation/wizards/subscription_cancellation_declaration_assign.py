# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class SubscriptionCancellationDeclarationAssign(models.TransientModel):
    """The dialog in which staff say which subscription a declaration means."""

    _name = "subscription.cancellation.declaration.assign"
    _description = "Assign a Subscription to a Declaration"

    declaration_id = fields.Many2one(
        comodel_name="subscription.cancellation.declaration",
        required=True,
        readonly=True,
    )
    company_id = fields.Many2one(
        related="declaration_id.company_id", related_sudo=False
    )
    customer_name = fields.Char(
        related="declaration_id.customer_name", related_sudo=False
    )
    contract_reference = fields.Char(
        related="declaration_id.contract_reference", related_sudo=False
    )
    contract_email = fields.Char(
        related="declaration_id.contract_email", related_sudo=False
    )
    subscription_id = fields.Many2one(
        comodel_name="sale.subscription",
        required=True,
        domain="[('company_id', 'child_of', company_id), "
        "('cancellation_state', '!=', 'cancelled')]",
    )

    def action_assign(self):
        """Request the cancellation and open it."""
        self.ensure_one()
        return self.declaration_id._assign(self.subscription_id).get_formview_action()
