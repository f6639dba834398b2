# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

from .account_move_reconcile import TOGETHER


class AccountPartialReconcile(models.Model):
    """Notice when an invoice or credit memo that a step waits for is paid."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        if self.env.context.get("reconciles") is not TOGETHER:
            # sudo: whoever registers a payment need not be allowed to read it all.
            items = partials.sudo().credit_move_id | partials.sudo().debit_move_id
            items.move_id._wake_waiting_steps()
        return partials
