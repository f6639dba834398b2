# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is posted together is reconciled with what it reverses, in one plan."""

from odoo import models

from ...const import CASH, RECEIVABLE


def _get_account(item):
    """Return what items have in common that are reconciled with each other."""
    return item.account_id, item.currency_id


class AccountMove(models.Model):
    _inherit = "account.move"

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        """Reconcile each of ``reverse_moves`` with what it reverses itself.

        Odoo pairs them one to one with what all of them reverse, each of that once: the
        second credit memo of an invoice would pay the next customer's invoice. All are
        reconciled in one plan, because one by one is most of the work of posting; those
        of one invoice in the order they were made in, as their cancellations planned.
        """
        plan, none = [], self.env["account.move.line"]
        together = reverse_moves | reverse_moves.reversed_entry_id
        open_items = together._get_items_to_reconcile().grouped("move_id")
        # What has more to reconcile than what is due (taxes that are due on payment)
        # depends on Odoo's order.
        others = self.browse()
        for move in reverse_moves.sorted("id"):
            items = none.union(
                open_items.get(move.reversed_entry_id, none), open_items.get(move, none)
            )
            if set(items.mapped("account_type")) <= {RECEIVABLE}:
                plan += items.grouped(_get_account).values()
            else:
                others += move
        none.with_context(move_reverse_cancel=move_reverse_cancel)._reconcile_plan(plan)
        for move in others:
            super(AccountMove, move.reversed_entry_id)._reconcile_reversed_moves(
                move, move_reverse_cancel
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
