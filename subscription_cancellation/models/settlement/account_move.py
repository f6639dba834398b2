# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What steps wait for: documents that are posted, paid, cancelled or due again."""

from odoo import models


class AccountMove(models.Model):
    """Let the steps of cancellations follow what happens to documents."""

    _inherit = "account.move"

    def _wake_waiting_steps(self):
        """Look again at the follow-up steps that wait for these documents.

        A step about a credit memo waits for the invoice that it credits, too.
        """
        # sudo: whoever pays or posts need not be allowed to read cancellations.
        moves = self.sudo()
        moves |= moves._search_credit_memos()
        self.env["subscription.cancellation.step"].sudo().search(
            [
                ("source_move_id", "in", moves.ids),
                ("state", "in", ("pending", "failed")),
            ]
        )._wake()

    def _plan_reviewed_credits(self):
        """Look at what these credit memos leave, where an accountant posted them.

        They may have been changed, or overtaken, since they were drafted.
        """
        memos = self.filtered(lambda move: move.move_type == "out_refund")
        for cancellation in memos.cancellation_id.filtered("executed_date"):
            cancellation._as_engine()._balance_credits()

    def _post(self, soft=True):
        again = self.filtered(
            lambda move: move.move_type == "out_invoice" and move.posted_before
        )
        posted = super()._post(soft)
        # sudo: whoever posts need not be allowed to read cancellations.
        posted.sudo().cancellation_id._wake_steps()
        posted.sudo()._plan_reviewed_credits()
        # What was changed and posted again has lost what its credit memos had reduced.
        again.sudo()._reduce_anew()
        posted.sudo()._apply_pause_credits()
        return posted

    def write(self, vals):
        result = super().write(vals)
        if "matched_payment_ids" in vals:
            # What has no journal entry is reconciled with nothing.
            self._wake_waiting_steps()
        return result

    def button_cancel(self):
        result = super().button_cancel()
        # sudo: as in _post.
        self.sudo().cancellation_id._wake_steps()
        return result

    def _reduce_anew(self):
        """Let their credit memos reduce these invoices, which are due again."""
        if not self:
            return
        memos = self._search_credit_memos().filtered(
            lambda memo: memo._get_credit_source() and memo._can_reduce_invoice()
        )
        for memo in memos.filtered("pause_id"):
            memo._reduce_what_is_due_again()
        for memo in memos.filtered("cancellation_id"):
            memo.cancellation_id._as_engine()._create_reduction(memo)

    def _match_refunds_by_hand(self):
        """Match this credit memo with what went back of its invoice without one.

        What was paid too much, and older credit memos, come first.
        """
        self.ensure_one()
        invoice = self.reversed_entry_id
        refunds = invoice._get_refunds_by_hand()
        payments = refunds.payment_id.filtered(
            lambda payment: payment.move_id.state == "posted"
        )
        older = invoice._search_credit_memos().filtered(
            lambda memo: memo.state == "posted" and memo.id < self.id
        )
        promised = older.env["subscription.cancellation.step"]._search_open_refunds(
            older
        )
        older -= promised.source_move_id
        excess = invoice._get_excess_items(refunds.source_transaction_id)
        for credit_items in (
            excess,
            *(memo._get_receivable_items() for memo in (*older.sorted("id"), self)),
        ):
            debit_items = payments.move_id._get_receivable_items()
            if debit_items and credit_items:
                (debit_items | credit_items).reconcile()

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
