# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credit memos that were taken back by invoices: as if there had been neither."""

from fractions import Fraction


class TakeBacks:
    """Which invoice takes which credit memo back, and how much of it.

    Not where days of such an invoice are credited themselves, as it used to be: then
    it bills, and its credit memo credits, like all others. Nor where the credit memo
    stands no longer.
    """

    def __init__(self, ledger):
        """Look at credit memos when they are asked for."""
        self._ledger = ledger
        self._known = {}

    def get_invoice(self, memo):
        """Return the posted invoice that takes a credit memo back, or ``None``."""
        if memo.id not in self._known:
            self._known[memo.id] = None
            is_standing = memo.state == "posted"
            for move in self._ledger.take_backs_of(memo) if is_standing else ():
                if move.move_type == "out_invoice" and not self._is_credited(move):
                    self._known[memo.id] = move
        return self._known[memo.id]

    def get_matched(self, memo, invoice):
        """Return how much of a credit memo is reconciled with an invoice, in units."""
        return sum(
            self._ledger.units(partial.credit_amount_currency, memo.currency_id)
            for partial in self._ledger.pays.get(memo.id, [])
            if partial.debit_move_id == invoice.id
        )

    def get_part(self, memo, last_id=None):
        """Return the part of a credit memo that was taken back, from 0 to 1.

        :param int last_id: not by documents that were made after this one
        """
        invoice = self.get_invoice(memo)
        total = self._ledger.units_of(memo, "amount_total")
        is_later = invoice and last_id is not None and invoice.id > last_id
        if not (invoice and total) or is_later:
            return Fraction(0)
        return Fraction(self.get_matched(memo, invoice), total)

    def get_part_of(self, invoice):
        """Return the part of an invoice that takes a credit memo back, 0 of others."""
        return self.get_part(self._get_memo(invoice)) if self.is_one(invoice) else 0

    def is_one(self, invoice):
        """Return whether an invoice only takes a credit memo back."""
        memo = self._get_memo(invoice)
        return bool(memo) and self.get_invoice(memo) == invoice

    def was_before(self, memo, row, line_id):
        """Return whether a credit memo was taken back before a row was made.

        :param line_id: id of the first credit memo line of the row, if there is one
        :return: ``None`` where that is not known
        """
        invoice = self.get_invoice(memo)
        if not invoice:
            return False
        lines = {line.id for line in self._ledger.product_lines(invoice)}
        if any(one.origin_line_id in lines for one in self._ledger.rows):
            return None
        if line_id:
            return min(lines, default=0) < line_id
        is_same = invoice.create_date == row.create_date
        return None if is_same else invoice.create_date < row.create_date

    def _get_memo(self, invoice):
        return self._ledger.move.get(invoice.reversed_entry_id)

    def _is_credited(self, invoice):
        """Return whether credits of the lines of an invoice stand."""
        memos = (
            self._ledger.move[credit.move_id]
            for line in self._ledger.product_lines(invoice)
            for credit in self._ledger.credits_of.get(line.id, [])
        )
        return any(
            memo.move_type == "out_refund"
            and memo.state in ("draft", "posted")
            and not self.get_invoice(memo)
            for memo in memos
        )
