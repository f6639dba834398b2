# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoices are stamped when they are posted."""

from odoo import models


class AccountMove(models.Model):
    """Stamp what is posted."""

    _inherit = "account.move"

    def _post(self, soft=True):
        invoices = self.filtered(lambda move: move.move_type == "out_invoice")
        invoices.invoice_line_ids._stamp_subscription_lines()
        return super()._post(soft)
