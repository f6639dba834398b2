# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class AccountPartialReconcile(models.Model):
    """Notice when an invoice or credit memo that a step waits for is paid."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        # sudo: whoever registers a payment need not be allowed to read cancellations.
        items = partials.sudo().credit_move_id | partials.sudo().debit_move_id
        steps = self.env["subscription.cancellation.step"].sudo()
        steps.search(
            [
                ("source_move_id", "in", items.move_id.ids),
                ("state", "in", ("pending", "failed")),
            ]
        )._wake()
        return partials
