# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class AccountPartialReconcile(models.Model):
    """Notice when a credit memo of a cancellation is paid back by hand."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        # sudo: whoever registers a payment need not be allowed to read cancellations.
        partials.sudo().credit_move_id.move_id.cancellation_id._wake_steps()
        return partials
