# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is open on the accounts of customers, and whose it is."""

from odoo import api, models
from odoo.fields import Domain


class AccountMoveLine(models.Model):
    """Find open items: a credit belongs to the customer of its own document."""

    _inherit = "account.move.line"

    @api.model
    def _search_open_items(self, customers, companies, domain):
        """Return open receivable items of customers, in the order of due dates.

        :param customers: ``res.partner``; their companies and all contacts of these
            are one customer
        :param companies: ``res.company`` that owe, or are owed
        """
        customers = customers.commercial_partner_id
        return self.search(
            Domain("partner_id.commercial_partner_id", "in", customers.ids)
            & Domain("company_id", "in", companies.ids)
            & Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & Domain("reconciled", "=", False)
            & Domain(domain),
            order="date_maturity, date, id",
        )

    def _get_customer(self):
        """Return whose account this is on: a person, or the company of a contact."""
        return self.partner_id.commercial_partner_id

    def _describe_open(self):
        """Return the documents of these and what is open of each, in words."""
        return ", ".join(
            self.env._(
                "%(document)s (%(amount)s)",
                document=item.move_id.name,
                amount=item.currency_id.format(abs(item.amount_residual_currency)),
            )
            for item in self
        )

    def _filter_not_for_orders(self):
        """Return those of these but payments of orders that are not invoiced yet.

        A confirmed order was paid in advance: its own invoice will take the money.
        """
        return self.filtered(
            lambda item: (
                not any(
                    order.state == "sale"
                    and order.invoice_status in ("to invoice", "no")
                    for order in item._get_paid_orders()
                )
            )
        )

    def _get_paid_orders(self):
        """Return the sales orders that this was paid for online."""
        return self.move_id.origin_payment_id.payment_transaction_id.sale_order_ids
