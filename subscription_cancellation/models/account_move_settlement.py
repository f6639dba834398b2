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

        :return: dict of ``account.move``; two queries, however many subscriptions
        """
        if not subscriptions:
            return {}
        is_open = (
            Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
            & Domain("amount_residual", ">", 0.0)
        )
        own = Domain("subscription_id", "in", subscriptions.ids) & is_open
        # Of its own: asked for both at once, PostgreSQL reads all open invoices.
        items = self.env["account.move.line"].search_fetch(
            Domain("subscription_line_id", "in", subscriptions._get_all_lines().ids)
            & Domain("move_id", "any", is_open),
            ["move_id"],
            order="id",
        )
        invoices = self.search(
            own | Domain("id", "in", items.move_id.ids), order="invoice_date_due, id"
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

    def _get_transactions_on_way(self, asking_step=None):
        """Return the payment transactions of these that have no outcome yet.

        Those that were sent by a step and whose outcome nobody knows count, too. A
        promised bank transfer, which Odoo keeps pending for ever, is no payment.

        :param asking_step: ``subscription.cancellation.step`` whose own do not count
        """
        return self.transaction_ids.filtered(
            lambda transaction: (
                transaction.operation != "refund"
                and transaction.provider_code != "custom"
                and (
                    transaction.state in ("pending", "authorized")
                    or (
                        transaction.state == "draft"
                        and transaction.cancellation_step_id
                        and transaction.cancellation_step_id != asking_step
                    )
                )
            )
        )

    def _get_refunds_on_way(self):
        """Return the refunds of these credit memos that may still be executed."""
        return self.transaction_ids.filtered(
            lambda transaction: (
                transaction.operation == "refund"
                and transaction.state in ("draft", "pending", "authorized")
            )
        )

    def _get_amount_matched_with(self, invoice):
        """Return how much of this credit memo is reconciled with an invoice."""
        self.ensure_one()
        partials = self.line_ids.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id == invoice
        )
        return sum(partials.mapped("credit_amount_currency"))

    def _get_amount_received(self):
        """Return what was received for this invoice, in its currency.

        Other documents that paid it count, but not what a discount or a write-off took
        off it, nor its own credit memos.
        """
        self.ensure_one()
        return sum(
            partial.debit_amount_currency
            * partial.credit_move_id.move_id._get_share_of_money(self)
            for partial in self.line_ids.matched_credit_ids
        )

    def _get_amount_given_back(self):
        """Return what was paid back on these credit memos, in their currency.

        A refund that a provider has confirmed counts whether or not its payment is
        reconciled.
        """
        return sum(
            max(memo._get_amount_reconciled_back(), memo._get_amount_refunded())
            for memo in self
        )

    def _get_amount_reconciled_back(self):
        """Return what outgoing payments and bank statements are reconciled with it."""
        partials = self.line_ids.matched_debit_ids.filtered(
            lambda partial: (
                partial.debit_move_id.move_id.origin_payment_id
                or partial.debit_move_id.move_id.statement_line_id
            )
        )
        return sum(partials.mapped("credit_amount_currency"))

    def _get_amount_refunded(self):
        """Return what providers have confirmed to have given back on it."""
        refunds = self.transaction_ids.filtered(
            lambda transaction: (
                transaction.operation == "refund" and transaction.state == "done"
            )
        )
        return abs(sum(refunds.mapped("amount")))

    def _get_open_credit(self):
        """Return what is left of this credit memo and not given back yet."""
        self.ensure_one()
        items = self._get_receivable_items()
        left = -sum(items.mapped("amount_residual_currency"))
        left -= self._get_amount_given_back() - self._get_amount_reconciled_back()
        return max(self.currency_id.round(left), 0.0)

    def _get_share_of_money(self, invoice):
        """Return how much of what this pays of an invoice is money, from 0 to 1."""
        self.ensure_one()
        payment = self.origin_payment_id
        if payment:
            items = self.line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            total = abs(sum(items.mapped("amount_currency")))
            return min(payment.amount / total, 1.0) if total else 1.0
        if self.move_type == "out_refund":
            return 0.0 if self.reversed_entry_id == invoice else 1.0
        return 1.0 if self.statement_line_id else 0.0

    def _get_paying_transactions(self):
        """Return the confirmed transactions that paid this invoice, latest first."""
        self.ensure_one()
        payments = self.reconciled_payment_ids.filtered(
            lambda payment: payment.state in ("in_process", "paid")
        )
        # What is booked as a payment of something else, or was cancelled because it
        # is disputed, did not pay this invoice.
        unbooked = self.transaction_ids.filtered(
            lambda transaction: not transaction.payment_id
        )
        transactions = payments.payment_transaction_id | unbooked
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
