# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class SaleSubscriptionTemplate(models.Model):
    _inherit = "sale.subscription.template"

    cancellation_policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        copy=False,
        ondelete="restrict",
        help="Forces a policy on the subscriptions of this template, within the "
        "policy's company.",
    )
