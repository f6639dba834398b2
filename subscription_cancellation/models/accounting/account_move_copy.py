# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Copied documents bill no subscription; those that were linked before are known.

Odoo copies with ``include_business_fields`` where the copy takes the place of the
document (a reversal, *Reverse and Create Invoice*): only that keeps the links.
"""

from odoo import api, models
from odoo.tools import SQL

#: Invoice lines of a customer who is not their subscription's, and whose days another
#: customer's invoice bills that is older and stands: copies that kept their links.
STRANGERS = """
    SELECT line.id
      FROM account_move_line line
      JOIN account_move move ON move.id = line.move_id
      JOIN sale_subscription_line sold ON sold.id = line.subscription_line_id
      JOIN sale_subscription subscription
        ON subscription.id = sold.sale_subscription_id
      JOIN res_partner customer ON customer.id = subscription.partner_id
      LEFT JOIN res_partner payer ON payer.id = subscription.partner_invoice_id
     WHERE line.subscription_line_id IS NOT NULL
       AND move.move_type = 'out_invoice'
       AND move.commercial_partner_id NOT IN (
           customer.commercial_partner_id,
           COALESCE(payer.commercial_partner_id, customer.commercial_partner_id))
       AND EXISTS (
           SELECT FROM account_move_line older
             JOIN account_move original ON original.id = older.move_id
            WHERE older.subscription_line_id = line.subscription_line_id
              AND older.id < line.id
              AND older.parent_state = 'posted'
              AND original.move_type = 'out_invoice'
              AND original.commercial_partner_id != move.commercial_partner_id
              AND older.start_date <= line.end_date
              AND line.start_date <= older.end_date
              AND original.amount_total > (
                  SELECT COALESCE(SUM(memo.amount_total), 0)
                    FROM account_move memo
                   WHERE memo.reversed_entry_id = original.id
                     AND memo.move_type = 'out_refund'
                     AND memo.state = 'posted'))
"""


class AccountMove(models.Model):
    """Copy without what makes an invoice that of a subscription."""

    _inherit = "account.move"

    def copy_data(self, default=None):
        default = dict(default or {})
        vals_list = super().copy_data(default)
        takes_place = self.env.context.get("include_business_fields")
        for move, vals in zip(self, vals_list, strict=True):
            if takes_place and "subscription_id" not in default:
                vals["subscription_id"] = move.subscription_id.id
            elif not takes_place and move._get_subscriptions():
                # Posting links an invoice by its source, too.
                vals["invoice_origin"] = default.get("invoice_origin", False)
        return vals_list

    def _without_strangers(self):
        """Return those of these that are for a customer of what they bill."""
        # sudo: names of customers' companies only; read at once, for all.
        billed = self.sudo().invoice_line_ids.subscription_line_id.sale_subscription_id
        billed |= self.sudo().subscription_id
        (billed.partner_id | billed.partner_invoice_id).fetch(["commercial_partner_id"])
        others = self.filtered(
            lambda move: not move._get_subscriptions()._is_customer(move)
        )
        return self - others.invoice_line_ids._filter_strangers().move_id


class AccountMoveLine(models.Model):
    """Copy without what makes a line that of a subscription."""

    _inherit = "account.move.line"

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if not self.env.context.get("include_business_fields"):
            for line, vals in zip(self, vals_list, strict=True):
                if line.subscription_line_id:
                    vals.update(start_date=False, end_date=False)
        return vals_list

    def _copy_data_extend_business_fields(self, values):
        values["subscription_line_id"] = self.subscription_line_id.id
        return super()._copy_data_extend_business_fields(values)

    # === COPIES FROM BEFORE === #

    def _without_strangers(self):
        """Return those of these that are for a customer of what they bill."""
        sales = self.grouped(
            lambda line: (line.subscription_line_id.sale_subscription_id, line.move_id)
        )
        others = self.browse().union(
            *(
                lines
                for (subscription, move), lines in sales.items()
                if not subscription._is_customer(move)
            )
        )
        return self - others._filter_strangers()

    def _filter_strangers(self):
        """Return those of these that another customer got with a copied invoice."""
        if not self:
            return self
        return self._search_strangers(SQL("line.id = ANY(%s)", self.ids))

    @api.model
    def _search_strangers(self, condition=None):
        """Return copies that another customer got and that kept their links."""
        self.env.flush_all()
        self.env.cr.execute(SQL("%s AND %s", SQL(STRANGERS), condition or SQL("TRUE")))
        return self.browse(line_id for [line_id] in self.env.cr.fetchall())
