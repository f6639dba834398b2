# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Many credit memos are reconciled in one plan: one by one is most of the work."""

from odoo import models

#: Context value of whoever posts many credit memos, and wakes the follow-up steps that
#: wait for them afterwards.
TOGETHER = object()
RECEIVABLE = "asset_receivable"
#: Items of these accounts are reconciled, too, whatever the account says.
CASH = ("asset_cash", "liability_credit_card")


def _get_account(item):
    """Return what items have in common that are reconciled with each other."""
    return item.account_id, item.currency_id


class AccountMove(models.Model):
    _inherit = "account.move"

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        if self.env.context.get("reconciles") is not TOGETHER:
            return super()._reconcile_reversed_moves(reverse_moves, move_reverse_cancel)
        plan = []
        # What has more to reconcile than what is due (taxes that are due on payment)
        # depends on Odoo's order.
        others = self.browse()
        for invoice, credit_memo in zip(self, reverse_moves, strict=True):
            items = (invoice | credit_memo)._get_items_to_reconcile()
            if set(items.mapped("account_type")) == {RECEIVABLE}:
                plan += items.grouped(_get_account).values()
            else:
                others |= credit_memo
        self.env["account.move.line"].with_context(
            move_reverse_cancel=move_reverse_cancel
        )._reconcile_plan(plan)
        super(AccountMove, others.reversed_entry_id)._reconcile_reversed_moves(
            others, move_reverse_cancel
        )
        return reverse_moves

    def _get_items_to_reconcile(self):
        """Return the open journal items of accounts that are reconciled."""
        return self.line_ids.filtered(
            lambda item: (
                not item.reconciled
                and (item.account_id.reconcile or item.account_type in CASH)
            )
        )
