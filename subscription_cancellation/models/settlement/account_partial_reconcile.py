# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class AccountPartialReconcile(models.Model):
    """Notice when what a step waits for is paid, or a payment of it is taken off."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        # sudo: whoever registers a payment need not be allowed to read it all.
        items = partials.sudo().credit_move_id | partials.sudo().debit_move_id
        items.move_id._wake_waiting_steps()
        return partials

    def unlink(self):
        """Also look again at what was to be done with money that is gone."""
        if not self:
            # Odoo removes what is not there, item by item, from all that it writes.
            return super().unlink()
        # sudo: as in create.
        moves = self.sudo().credit_move_id.move_id | self.sudo().debit_move_id.move_id
        lost = self.sudo().filtered(
            lambda partial: partial.credit_move_id.move_id._is_lost_payment()
        )
        invoices = lost.debit_move_id.move_id
        result = super().unlink()
        # A credit memo waits for what becomes of its invoice, too.
        (moves | moves.reversal_move_ids).exists()._wake_waiting_steps()
        invoices.exists()._reduce_anew()
        return result
