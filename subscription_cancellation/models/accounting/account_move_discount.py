# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoice lines that reduce others, or that stand for money."""

from odoo import api, fields, models

from ...arithmetic.proration import to_units
from .invoice_lines import InvoiceLines
from .order_discount import Beside, share_discounts


class AccountMove(models.Model):
    """Know what an invoice charges beside services."""

    _inherit = "account.move"

    def _get_beside(self, own):
        """Return what is on a draft beside some lines that bill a period.

        Whatever else it bills, where it bills nothing but this subscription; else what
        is deducted of it, in proportion.

        :param own: ``account.move.line``
        :return: :class:`Beside`
        """
        self.ensure_one()
        lines = InvoiceLines(self._get_product_lines())
        discounts = {item: lines.discounts_of[item] for item in own}
        services = lines.items.filtered("subscription_line_id")
        if services == own:
            others = [(item, {}) for item in lines.items - own]
        else:
            deducted = lines.deductions | lines.gifts
            whole = sum(lines.units[item] for item in lines.items - deducted)
            units = sum(
                lines.units[item] + sum(discounts[item].values()) for item in own
            )
            share = units / whole if whole else 0.0
            others = [
                *share_discounts(discounts, lines.units),
                *((item, {"price_unit": item.price_unit * share}) for item in deducted),
            ]
        return Beside(self.invoice_payment_term_id, others, discounts)


class AccountMoveLine(models.Model):
    """Know what an invoice line is to the others of its invoice."""

    _inherit = "account.move.line"

    discounted_line_id = fields.Many2one(
        comodel_name="account.move.line",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The invoice line that this one is a discount of. On a credit memo: whose "
        "share of a discount it credits.",
    )

    @api.model
    def _search_deductions(self, invoices):
        """Return the lines of these invoices that take something off, of no service."""
        return self.search_fetch(
            [
                ("move_id", "in", invoices.ids),
                ("display_type", "=", "product"),
                ("subscription_line_id", "=", False),
                # Revenue is a credit: this takes some back.
                ("amount_currency", ">", 0.0),
            ],
            ["move_id"],
        )

    def _filter_gifts(self):
        """Return those that were paid by a gift card or an e-wallet.

        They are lines of the order; what they take off is money, not a discount.
        """
        return self.filtered(lambda item: item.sale_line_ids._is_gift())

    def _get_rewarded_order_lines(self):
        """Return the only order lines that this discount is for, empty for all."""
        return self.sale_line_ids._get_rewarded_lines()

    def _get_down_payment_invoices(self):
        """Return the invoices of the down payments that these deduct, latest first."""
        lines = self.sale_line_ids.invoice_lines.filtered(
            lambda item: (
                item.is_downpayment
                and item.parent_state == "posted"
                and item.move_id.move_type == "out_invoice"
                and item.currency_id == self.currency_id
                and item._get_booked_units() > 0
            )
        )
        return lines.move_id.sorted("id", reverse=True)

    def _get_booked_units(self):
        """Return what the journal item books as revenue, in currency units.

        Not what the line shows: with taxes rounded globally, Odoo books the cents of
        the whole invoice on some of the lines.
        """
        self.ensure_one()
        sign = self.move_id.direction_sign
        return to_units(sign * self.amount_currency, self.currency_id.rounding)

    def _get_booked_balance(self):
        """Return the same in units of the company's currency."""
        self.ensure_one()
        sign = self.move_id.direction_sign
        return to_units(sign * self.balance, self.company_currency_id.rounding)
