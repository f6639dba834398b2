# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Payments of invoices that came late, came back, or were refunded by hand."""

from odoo import models

from ...const import LOST, STANDING


class AccountMove(models.Model):
    """Know what has happened to the money of an invoice, and bring it in order."""

    _inherit = "account.move"

    def _get_paid_orders(self):
        """Return the sales orders that were paid by the payments of these entries."""
        # sudo: who cancels need not be allowed to read payments.
        return self.sudo().origin_payment_id.payment_transaction_id.sale_order_ids

    # === REFUNDED BY HAND === #

    def _get_refunds_by_hand(self):
        """Return the refunds of what paid this invoice that are about no document.

        Odoo's button on a payment makes them so.
        """
        self.ensure_one()
        payments = self.reconciled_payment_ids.payment_transaction_id
        paying = (payments | self.transaction_ids)._filter_currency(self.currency_id)
        return paying.child_transaction_ids.filtered(
            lambda transaction: (
                transaction.operation == "refund"
                and not transaction.invoice_ids
                and not transaction.cancellation_step_id.sale_order_id
                and transaction.state not in ("cancel", "error")
            )
        )

    def _get_amount_refunded_by_hand(self):
        """Return what went back of this invoice that no document accounts for yet.

        What was paid too much by the same payments went back first.
        """
        refunds = self._get_refunds_by_hand()
        booked = refunds.filtered(
            lambda transaction: transaction.payment_id.move_id.state == "posted"
        )
        amount = abs(sum((refunds - booked).mapped("amount")))
        items = booked.payment_id.move_id._get_receivable_items()
        items |= self._get_excess_items(booked.source_transaction_id)
        amount += sum(items.mapped("amount_residual_currency"))
        return max(self.currency_id.round(amount), 0.0)

    def _get_excess_items(self, transactions):
        """Return what is open of these payments, as far as this invoice can take it."""
        self.ensure_one()
        payments = transactions.payment_id.filtered(
            lambda payment: payment.state in STANDING
        )
        accounts = self._get_payment_accounts()
        return payments.move_id._get_receivable_items().filtered(
            lambda item: (
                item.account_id in accounts
                and item.currency_id == self.currency_id
                and item.amount_residual_currency < 0
            )
        )

    def _get_payment_accounts(self):
        """Return the accounts that these are due on."""
        return self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).account_id

    def _get_unmatched_back(self):
        """Return what the customers of these documents got that pays nothing back yet.

        Somebody has entered a payment, or booked a bank statement, and matched it with
        nothing. What a provider has refunded is known by what it refunds.

        :return: open ``account.move.line``
        """
        items = self.env["account.move.line"]._search_open_items(
            self.partner_id,
            self.company_id,
            [
                ("amount_residual_currency", ">", 0.0),
                ("move_id.move_type", "=", "entry"),
            ],
        )
        return items.filtered(
            lambda item: (
                item.move_id.origin_payment_id.payment_transaction_id.operation
                != "refund"
                and item.move_id._get_share_of_money(item.move_id)
            )
        )

    def _get_unclear_payments(self):
        """Return the payments of this invoice of which nobody can say if they stand.

        Somebody has reset them; or they are rejected and still matched; or a provider
        has brought them, and somebody has taken their matching away without cancelling
        them. Of what came by bank, that is how a return begins.
        """
        self.ensure_one()
        payments = self.matched_payment_ids | self.transaction_ids.payment_id
        matched = self.reconciled_payment_ids
        return payments.filtered(
            lambda payment: (
                payment.payment_type == "inbound"
                and (
                    payment.state == "draft"
                    or (payment.state == "rejected" and payment in matched)
                    or (
                        payment.state in STANDING
                        and payment.payment_transaction_id
                        and self.amount_residual
                        and payment.move_id._get_receivable_items()
                    )
                )
            )
        )

    def _is_lost_payment(self):
        """Return whether money that this books has gone, once it is matched no more.

        What came by bank goes that way. What a provider has brought is there until its
        payment is cancelled: somebody may match it again.
        """
        payment = self.origin_payment_id
        if payment.payment_transaction_id:
            return payment.state not in STANDING
        return bool(payment or self.statement_line_id)

    def _was_charged_back(self):
        """Return whether a payment of this invoice was cancelled."""
        self.ensure_one()
        payments = self.matched_payment_ids | self.transaction_ids.payment_id
        return any(payment.state in LOST for payment in payments)

    def _can_reduce_invoice(self):
        """Return whether this credit memo is open, and the invoice that it credits."""
        self.ensure_one()
        invoice = self.reversed_entry_id
        return bool(
            self._get_receivable_items()
            and invoice.state == "posted"
            and invoice._get_receivable_items()
        )

    def _let_payments_come_first(self, memos):
        """Let what was paid too much of this invoice pay what its memos have reduced.

        It was under way when they did; what it leaves of them is the customer's.
        """
        self.ensure_one()
        excess = self._get_excess_items(self.transaction_ids._filter_confirmed())
        if not excess:
            return
        memos.line_ids.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id == self
        ).unlink()
        self._reconcile_receivables(excess)
        memos._reduce_own_invoices()

    def _let_payments_come_before_pauses(self):
        """Let what was under way pay what pauses have reduced; they pay the next one.

        Nobody else waits for it: a pause has no steps.
        """
        memos = self._search_credit_memos().filtered(
            lambda memo: memo.pause_id and memo.state == "posted"
        )
        for invoice, own in memos.grouped("reversed_entry_id").items():
            invoice._let_payments_come_first(own)
        unpaid = self._search_unpaid(memos.pause_id.subscription_id)
        due = self.browse().union(*unpaid.values())
        due._apply_pause_credits()

    def _match_take_backs(self):
        """Match these credit memos with the invoices that have taken them back."""
        for memo in self:
            invoices = memo.reversal_move_ids.filtered(
                lambda move: move.state == "posted"
            )
            (memo | invoices)._reconcile_receivables()

    def _reduce_own_invoices(self):
        """Let these credit memos pay what is due on the invoices that they credit."""
        for memo in self:
            (memo | memo.reversed_entry_id)._reconcile_receivables()
