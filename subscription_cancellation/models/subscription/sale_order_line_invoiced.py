# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an order has invoiced: credits of days change amounts, not quantities."""

from odoo import models


class SaleOrderLine(models.Model):
    """Take off what was invoiced what cancellations and pauses credit.

    They credit a part of the price. Counted by quantity, as Odoo counts credit notes,
    what has ended would have to be invoiced again.
    """

    _inherit = "sale.order.line"

    def _get_invoice_lines(self):
        items = super()._get_invoice_lines()
        if not self.env.context.get("invoiced_quantities"):
            return items
        # sudo: what issued a document, whoever may see that.
        return items.filtered(lambda item: not item.sudo().move_id._is_about_days())

    def _prepare_qty_invoiced(self):
        by_quantity = self.with_context(invoiced_quantities=True)
        return super(SaleOrderLine, by_quantity)._prepare_qty_invoiced()

    def _compute_qty_invoiced_posted(self):
        by_quantity = self.with_context(invoiced_quantities=True)
        return super(SaleOrderLine, by_quantity)._compute_qty_invoiced_posted()

    def _compute_untaxed_amount_to_invoice(self):
        by_quantity = self.with_context(invoiced_quantities=True)
        result = super(SaleOrderLine, by_quantity)._compute_untaxed_amount_to_invoice()
        for line in by_quantity:
            items = line._get_invoice_lines()
            # Else Odoo looks at the prices of these, not at what was invoiced.
            is_by_amount = all(item.discount == line.discount for item in items)
            if line.state == "sale" and is_by_amount:
                line.untaxed_amount_to_invoice -= line._get_untaxed_amount_of_days()
        return result

    def _get_untaxed_amount_of_days(self):
        """Return what is credited of days of this, less what was taken back."""
        lines = self.with_context(invoiced_quantities=False)._get_invoice_lines()
        # sudo: as in _get_invoice_lines.
        items = lines.sudo().filtered(
            lambda item: item.parent_state == "posted" and item.move_id._is_about_days()
        )
        return sum(
            item.currency_id._convert(
                item.price_subtotal * item.move_id.direction_sign,
                self.currency_id,
                self.company_id,
                item.move_id.invoice_date,
            )
            for item in items
        )

    def _is_invoiced_in_full(self):
        """Return whether nothing of these is left to invoice, and something was."""
        return any(line.qty_invoiced for line in self) and all(
            line.qty_invoiced >= line.product_uom_qty for line in self
        )
