# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What settling has to know of invoices: what is open, who paid, what is on its way."""

from odoo import api, models
from odoo.fields import Domain


class AccountMove(models.Model):
    """Find open invoices of subscriptions, and the money that paid them."""

    _inherit = "account.move"

    @api.model
    def _search_unpaid(self, subscriptions):
        """Return the posted invoices with an amount due, by subscription.

        :return: dict of ``account.move``; one query, however many subscriptions
        """
        if not subscriptions:
            return {}
        lines = "invoice_line_ids.subscription_line_id.sale_subscription_id"
        invoices = self.with_context(active_test=False).search(
            (
                Domain("subscription_id", "in", subscriptions.ids)
                | Domain(lines, "in", subscriptions.ids)
            )
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
            & Domain("amount_residual", ">", 0.0),
            order="invoice_date_due, id",
        )
        result = {}
        for invoice in invoices.with_env(self.env):
            for subscription in invoice._get_subscriptions() & subscriptions.sudo():
                key = subscription.with_env(subscriptions.env)
                result[key] = result.get(key, self.browse()) | invoice
        return result

    def _get_subscriptions(self):
        """Return the subscriptions that this invoice bills."""
        self.ensure_one()
        lines = self.invoice_line_ids.subscription_line_id
        return self.subscription_id | lines.sale_subscription_id

    def _get_transactions_on_way(self):
        """Return the payment transactions of these that have no outcome yet.

        A promised bank transfer, which Odoo keeps pending for ever, is no payment.
        """
        return self.transaction_ids.filtered(
            lambda transaction: (
                transaction.state in ("pending", "authorized")
                and transaction.operation != "refund"
                and transaction.provider_code != "custom"
            )
        )

    def _get_paying_transactions(self):
        """Return the confirmed transactions that paid this invoice, latest first."""
        self.ensure_one()
        transactions = (
            self.reconciled_payment_ids.payment_transaction_id | self.transaction_ids
        )
        return transactions.filtered(
            lambda transaction: (
                transaction.state == "done"
                and transaction.operation != "refund"
                and transaction.amount > 0
            )
        ).sorted("id", reverse=True)

    def _get_receivable_items(self):
        """Return the receivable journal items of these that are still open."""
        return self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )

    def _get_saved_token(self):
        """Return the saved payment method to charge this invoice to, or none."""
        self.ensure_one()
        # sudo: tokens are readable by their owners only.
        return (
            self.env["payment.token"]
            .sudo()
            ._find_saved(
                self.partner_id,
                self.company_id,
                self.currency_id,
                self.sudo()._get_subscriptions(),
            )
        )
