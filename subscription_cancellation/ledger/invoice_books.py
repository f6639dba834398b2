# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books of several invoices, and of those that took down payments for them."""

from collections import defaultdict
from fractions import Fraction

from ..arithmetic.proration import share_out, to_units
from .invoice_book import InvoiceBook

#: Items that say what was billed, and how much of it is tax.
KINDS = ("product", "tax", "epd", "rounding")


class InvoiceBooks:
    """An :class:`InvoiceBook` for each invoice that may be credited.

    A down payment is a payment that has an invoice: where one was deducted from an
    invoice, what exceeds the rest is credited on the invoice that took the money. A
    negative line that credits another invoice beside something new is the same. So is
    what a credit memo had paid back, or paid something else with, before it was taken
    back: the invoice that did so is due, or was paid, instead.
    """

    def __init__(self, invoices, invoice_lines, loose):
        """Read the books: a fixed number of queries.

        :param invoices: ``account.move``
        :param dict invoice_lines: :class:`InvoiceLines` that are known already
        :param LooseCredits loose: what is credited without saying of which invoice
        """
        self._others = {
            invoice: lines.down_payments._get_down_payment_invoices()
            for invoice, lines in invoice_lines.items()
            if lines.down_payments and invoice in invoices
        }
        for invoice in invoices:
            if reduced := loose.get_reduced(invoice):
                known = self._others.get(invoice, reduced.browse())
                self._others[invoice] = known | reduced.sorted("id", reverse=True)
        self._take_backs = invoices.browse()
        #: By credit memo that was taken back in part, that part.
        self._parts = {}
        invoices = invoices.union(*self._others.values())
        refunds = self._read_refunds(invoices)
        invoices |= self._take_backs
        # Records of one prefetch: what a book reads is read for all of them.
        together = (invoices | refunds)._prefetch_ids
        items = self._read_items(invoices | refunds)
        refunds_by_invoice = refunds.with_prefetch(together).grouped(
            "reversed_entry_id"
        )
        #: By invoice, what of the tax that it gave back too much others have got.
        self._shared = defaultdict(int)
        self._books = {}
        for invoice in invoices.with_prefetch(together):
            memos = refunds_by_invoice.get(invoice, refunds.browse())
            none = items[invoice].browse()
            memo_items = none.union(*(items.get(memo, none) for memo in memos))
            self._books[invoice] = book = InvoiceBook(
                invoice, items[invoice], memos, memo_items, invoice_lines.get(invoice)
            )
            for part in loose.get_parts_of(invoice):
                if not part.is_on_invoice() and part.credit.move_id not in memos:
                    book.take_credit(part)
            for memo in memos.filtered(self._parts.get):
                book.give_back(memo, items[memo], self._parts[memo])
            taken_back = invoice.reversed_entry_id
            if taken_back in self._parts:
                book.give_back(taken_back, items[taken_back], -self._parts[taken_back])

    def _read_refunds(self, invoices):
        """Return the credit memos of invoices that count, wholly or in part.

        What takes the others back is noted, with the invoice that it is about.
        """
        refunds = invoices._search_credit_memos()
        new = invoices.browse()
        for memo, invoice in refunds._map_take_backs().items():
            rounding = memo.currency_id.rounding
            matched = to_units(memo._get_amount_matched_with(invoice), rounding)
            part = Fraction(matched, to_units(memo.amount_total, rounding) or 1)
            if part >= 1:
                refunds -= memo
                continue
            self._parts[memo] = part
            new |= invoice
            self._note_take_back(memo.reversed_entry_id, invoice)
        if not new:
            return refunds
        self._take_backs |= new
        return refunds | self._read_refunds(new)

    def _note_take_back(self, invoice, take_back):
        """Let what is credited of an invoice be credited on another one, too."""
        roots = [one for one, others in self._others.items() if invoice in others]
        for root in {invoice, *roots}:
            others = self._others.get(root, take_back.browse())
            self._others[root] = others | take_back

    def _read_items(self, moves):
        """Return the journal items that books are about, by document.

        Odoo's tax engine asks each document for all that its items have.
        """
        items = moves.line_ids
        items.fetch()
        items.fetch(["tax_ids", "tax_tag_ids"])
        by_kind = items.grouped(lambda item: item.display_type in KINDS)
        return by_kind.get(True, items.browse()).grouped("move_id")

    def settle(self, invoice, rows):
        """Fix the amounts of the rows of one invoice.

        :return: the rows, with those that a down payment makes of them
        """
        result = []
        for move, own in self._allocate(invoice, rows).items():
            self._books[move].settle(own)
            result += own
        return result

    # === OTHER INVOICES === #

    def _allocate(self, invoice, rows):
        """Return the rows by the invoice that they are credited on.

        What is due because a credit memo was taken back comes first.
        """
        others = self._others.get(invoice)
        if not others:
            return {invoice: rows}
        result, left = defaultdict(list), []
        for move in others & self._take_backs:
            taken, rows = self._split(rows, self._books[move].get_due_room(), move)
            self._place(taken, result[move])
        for taxes, alike in self._group_by_taxes(invoice, rows):
            left += self._take(invoice, alike, taxes, result)
        # Odoo rounds a down payment as a whole: a cent may be with other taxes.
        left = self._take(invoice, left, None, result)
        if left and self._share_overdrawn(invoice):
            left = self._take(invoice, left, None, result)
        if others - self._take_backs:
            left = self._leave_out(left, result)
        self._place(left, result[invoice])
        return result

    def _share_overdrawn(self, invoice):
        """Let lines have the tax of others, as far as this one gave back too much.

        :return: whether there is more room now
        """
        known = left = self._books[invoice].overdrawn - self._shared[invoice]
        for move in self._others[invoice]:
            left -= self._books[move].take_tax_left(left)
        self._shared[invoice] += known - left
        return left < known

    def _take(self, invoice, rows, taxes, result):
        """Place rows where there is room; return what is left of them.

        :param taxes: room of lines with these only; ``None``: of all
        """
        for move in (invoice, *self._others[invoice]):
            book, placed = self._books[move], result[move]
            room = book.get_room(None) - sum(row["_units"] for row in placed)
            if taxes is not None:
                room = min(room, book.get_room(taxes))
            taken, rows = self._split(rows, room, move != invoice and move)
            self._place(taken, placed)
        return rows

    def _place(self, rows, placed):
        """Add rows to those on one invoice: to what is there of the same ones."""
        known = {row["_index"]: row for row in placed}
        for row in rows:
            if row["_index"] in known:
                known[row["_index"]]["_units"] += row["_units"]
                known[row["_index"]]["_wanted"] += row["_units"]
            else:
                placed.append(row)

    def _leave_out(self, left, result):
        """Note what nothing was paid for that is known; return rows of nothing else."""
        taken = {row["_index"]: row for rows in result.values() for row in rows}
        others = []
        for row in left:
            if row["_units"] and row["_index"] in taken:
                taken[row["_index"]]["_wanted"] += row["_units"]
                taken[row["_index"]]["_left_out_reason"] = "down_payment"
            else:
                reason = {"_units": 0, "_left_out_reason": "down_payment"}
                others.append({**row, **reason})
        return others

    def _group_by_taxes(self, invoice, rows):
        """Return the rows by taxes, as far as down payments were made by these.

        The others, without, come last: they take what is left of all.
        """
        known = {line.tax_ids for line in self._books[invoice].lines.deductions}
        groups = defaultdict(list)
        for row in rows:
            taxes = row["_slice"].origin.tax_ids
            groups[taxes if taxes in known else None].append(row)
        return sorted(groups.items(), key=lambda group: group[0] is None)

    def _split(self, rows, room, paid_move):
        """Return the rows that have room, and what is left of them.

        :param paid_move: ``account.move`` that took the money, if another one did
        """
        units = [row["_units"] for row in rows]
        total = sum(units)
        if total <= 0 and not paid_move:
            # Rebates alone, which no payment limits.
            return rows, []
        fitting = max(min(total, room), 0)
        if not fitting:
            return [], rows
        taken, left = [], []
        for row, part in zip(rows, share_out(fitting, units), strict=True):
            values = {"_units": part, "paid_move_id": paid_move and paid_move.id}
            taken.append({**row, **values, "_wanted": part})
            if row["_units"] != part:
                left.append({**row, "_units": row["_units"] - part})
        return taken, left
