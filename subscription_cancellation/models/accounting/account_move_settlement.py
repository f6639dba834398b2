# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What settling has to know of invoices: what is open, who paid, what is on its way."""

from odoo import api, models
from odoo.fields import Domain

from ...const import CASH, LOST, RECEIVABLE, STANDING


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
        for invoice in invoices.with_env(self.env)._without_strangers():
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

        Those that were sent by a step and whose outcome nobody knows count, too, and
        those that Odoo has still to book. A promised bank transfer, which Odoo keeps
        pending for ever, is no payment.

        :param asking_step: ``subscription.cancellation.step`` whose own do not count
        """
        return self.transaction_ids.filtered(
            lambda transaction: (
                transaction._is_on_way()
                or (
                    transaction.state == "draft"
                    and transaction.cancellation_step_id
                    and transaction.cancellation_step_id != asking_step
                    and transaction.operation != "refund"
                )
            )
        )

    def _filter_on_way(self):
        """Return those of these that are just being paid."""
        return self.filtered(lambda invoice: invoice._get_transactions_on_way())

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

        A refund that a provider has confirmed, or a payment that has no entry yet,
        counts whether or not it is reconciled.
        """
        return sum(
            max(memo._get_amount_reconciled_back(), memo._get_amount_refunded())
            for memo in self
        )

    def _get_partials_back(self):
        """Return what money is reconciled with this credit memo by."""
        return self.line_ids.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id._get_share_of_money(self)
        )

    def _get_amount_reconciled_back(self):
        """Return what money is reconciled with it: payments, bank, journal entries."""
        amount = sum(
            partial.credit_amount_currency
            * partial.debit_move_id.move_id._get_share_of_money(self)
            for partial in self._get_partials_back()
        )
        return self.currency_id.round(amount)

    def _get_amount_refunded(self):
        """Return what was given back on it by what need not be reconciled."""
        refunds = self.transaction_ids.filtered(
            lambda transaction: (
                transaction.operation == "refund"
                and transaction.state == "done"
                and transaction.payment_id.state not in LOST
            )
        )
        payments = self.matched_payment_ids.filtered(
            lambda payment: (
                payment.payment_type == "outbound"
                and payment.state in ("in_process", "paid")
                and not payment.move_id
                and not payment.payment_transaction_id
            )
        )
        amount = abs(sum(refunds.mapped("amount"))) + sum(payments.mapped("amount"))
        # One payment may be of several credit memos.
        return min(amount, self.amount_total)

    def _get_what_gave_back(self):
        """Return the names of what was paid back on this credit memo by."""
        moves = self._get_partials_back().debit_move_id.move_id
        payments = self._get_standing_payments()
        return ", ".join(
            [*payments.mapped("name"), *(moves - payments.move_id).mapped("name")]
        )

    def _get_standing_payments(self):
        """Return what these are matched with, but not what was cancelled."""
        return self.reconciled_payment_ids.filtered(
            lambda payment: payment.state in STANDING
        )

    def _get_open_credit(self):
        """Return what is left of this credit memo and not given back yet."""
        self.ensure_one()
        items = self._get_receivable_items()
        left = -sum(items.mapped("amount_residual_currency"))
        left -= self._get_amount_given_back() - self._get_amount_reconciled_back()
        return max(self.currency_id.round(left), 0.0)

    def _reduce_what_is_due_again(self):
        """Take this credit memo off its invoice, if that is due while credit is left.

        A payment of it was taken off, or it was a draft when the memo was posted. What
        the customer has not paid, or the bank has taken back, is not given back, unless
        it is on its way or gone already.
        """
        invoice = self.reversed_entry_id
        is_gone = self._get_amount_refunded() > self._get_amount_reconciled_back()
        is_due = invoice.state == "posted" and invoice.amount_residual > 0
        if (
            is_due
            and self._get_open_credit()
            and not is_gone
            and not self._get_refunds_on_way()
            and not invoice._get_transactions_on_way()
        ):
            invoice._reconcile_reversed_moves(self, False)

    def _get_share_of_money(self, document):
        """Return how much of what pays a document, or pays it back, is money.

        :return: float from 0 to 1
        """
        self.ensure_one()
        payment = self.origin_payment_id
        if payment and payment.state not in STANDING:
            # Odoo leaves a rejected one matched until somebody resets it.
            return 0.0
        if payment:
            items = self.line_ids.filtered(lambda line: line.account_type == RECEIVABLE)
            total = abs(sum(items.mapped("amount_currency")))
            return min(payment.amount / total, 1.0) if total else 1.0
        if self.move_type == "out_refund":
            return 0.0 if self.reversed_entry_id == document else 1.0
        if self.statement_line_id or self.move_type != "entry":
            return 1.0 if self.statement_line_id else 0.0
        return self._get_share_on_liquid_accounts()

    def _get_share_on_liquid_accounts(self):
        """Return how much of what this entry books on receivables is money.

        What is on the way to or from the bank is; a tax or an income is not.
        """
        owed = self.line_ids.filtered(lambda line: line.account_type == RECEIVABLE)
        liquid = self.line_ids.filtered(
            lambda line: (
                line.account_type in CASH
                or (line.account_type == "asset_current" and line.account_id.reconcile)
            )
        )
        total = sum(owed.mapped("balance"))
        share = -sum(liquid.mapped("balance")) / total if total else 0.0
        return min(max(share, 0.0), 1.0)

    def _get_paying_transactions(self):
        """Return the confirmed transactions that paid this invoice, latest first."""
        self.ensure_one()
        payments = self._get_standing_payments()
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
            lambda line: line.account_type == RECEIVABLE and not line.reconciled
        )

    def _reconcile_receivables(self, items=()):
        """Match what is open of these documents with each other.

        :param items: further open ``account.move.line``
        """
        open_items = self._get_receivable_items().union(*items)
        for same in open_items.grouped(
            lambda item: (item.account_id, item.currency_id)
        ).values():
            same.reconcile()
