# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from ...const import LOST, STANDING


class AccountPayment(models.Model):
    """Notice when money that was given back did not arrive."""

    _inherit = "account.payment"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") in LOST:
            # sudo: who keeps the books need not be allowed to read cancellations.
            steps = self.env["subscription.cancellation.step"].sudo()
            steps._search_given_back(self.sudo())._as_engine()._take_back_refunds()
        return result

    def _get_paid_back_by(self):
        """Return the payments to customers that these are matched with, or refunds."""
        matched = self.move_id.line_ids.matched_debit_ids.debit_move_id.move_id
        payments = matched.origin_payment_id
        payments |= self.payment_transaction_id._get_free_refunds().payment_id
        return payments.filtered(
            lambda payment: (
                payment.payment_type == "outbound" and payment.state in STANDING
            )
        )
