# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

#: Context value of whoever reconciles many documents and wakes the steps afterwards.
WOKEN_TOGETHER = object()


class AccountPartialReconcile(models.Model):
    """Notice when an invoice or credit memo that a step waits for is paid."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        if self.env.context.get("steps_are_woken") is not WOKEN_TOGETHER:
            # sudo: whoever registers a payment need not be allowed to read it all.
            items = partials.sudo().credit_move_id | partials.sudo().debit_move_id
            items.move_id._wake_waiting_steps()
        return partials
