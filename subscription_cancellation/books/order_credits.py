# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credits that name no invoice line, those of lowered orders: by SQL alone."""

from collections import defaultdict

from .amounts import Reduction


class OrderCredits:
    """Of which invoice lines such credits are, by invoice line.

    Lines of credit memos, and negative lines of invoices, of a service that is not sold
    at a negative price. Each belongs to what bills its days: to older lines before
    younger ones, to the latest of the older ones first, to none beyond what it billed.
    What is more than that is of the first one.
    """

    def __init__(self, ledger):
        """Look at what the services of a ledger were billed and credited.

        :param Ledger ledger: of which the lines are read
        """
        self._ledger = ledger
        #: Pairs of a credit and its units.
        self._parts = defaultdict(list)

    def is_one(self, line):
        """Return whether a line takes back what an invoice has billed."""
        service = self._ledger.service.get(line.subscription_line_id)
        if not service or line.origin_line_id:
            return False
        is_memo = self._ledger.move[line.move_id].move_type == "out_refund"
        is_negative = self._ledger.booked(line) < 0
        return is_memo or (is_negative and not service.is_rebate)

    def sort_in(self, services):
        """Sort the credits of services in: lists of lines by service."""
        for lines in services.values():
            credits_ = [line for line in lines if self.is_one(line)]
            if credits_:
                self._place_all(credits_, self._get_left(lines))

    def parts_of(self, line):
        """Return what such credits take off a line: pairs of credit and units."""
        return self._parts.get(line.id, [])

    def get_entry(self, credit, line, units):
        """Return an amount with the days of a credit, else those of the line."""
        dated = credit if credit.start_date and credit.end_date else line
        return Reduction((units, dated.start_date, dated.end_date))

    def _get_left(self, lines):
        """Return the invoice lines with what credits that name them leave of each."""
        ledger, left = self._ledger, {}
        for line in lines:
            move = ledger.move[line.move_id]
            is_billed = move.move_type == "out_invoice" and move.state == "posted"
            if is_billed and ledger.as_entry(line) and not self.is_one(line):
                if not ledger.take_backs.is_one(move):
                    left[line] = ledger.booked(line) - self._sum_named(line)
        return left

    def _sum_named(self, line):
        ledger = self._ledger
        return sum(
            ledger.booked(credit)
            for credit in ledger.credits_of.get(line.id, [])
            for memo in [ledger.move[credit.move_id]]
            if memo.move_type == "out_refund"
            and memo.state in ("draft", "posted")
            and not ledger.take_backs.get_invoice(memo)
        )

    def _place_all(self, credits_, left):
        standing = [
            line
            for line in credits_
            if self._ledger.move[line.move_id].state in ("draft", "posted")
        ]
        for credit in standing:
            self._place(credit, left)
        # What somebody cancelled later had its place as well, once.
        for credit in credits_:
            if credit not in standing:
                self._place(credit, dict(left))

    def _place(self, credit, left):
        is_memo = self._ledger.move[credit.move_id].move_type == "out_refund"
        units = self._ledger.booked(credit) * (1 if is_memo else -1)
        lines = self._get_lines(credit, left)
        taken = {}
        for line in lines:
            part = _take(units - sum(taken.values()), left[line])
            left[line] -= part
            taken[line] = part
        excess = units - sum(taken.values())
        if lines and excess > 0 and self._ledger.booked(lines[0]) > 0:
            taken[lines[0]] += excess
        for line, part in taken.items():
            if part:
                self._parts[line.id].append((credit, part))

    def _get_lines(self, credit, left):
        """Return the lines that a credit may be of, in the order that it takes them."""
        reversed_id = self._ledger.move[credit.move_id].reversed_entry_id
        fitting = [
            line
            for line in left
            if line.currency_id == credit.currency_id
            and (
                not (credit.start_date and credit.end_date)
                or (
                    line.start_date <= credit.end_date
                    and credit.start_date <= line.end_date
                )
            )
        ]
        return sorted(
            fitting,
            key=lambda line: (
                line.move_id != reversed_id,
                line.id > credit.id,
                -line.id,
            ),
        )


def _take(units, left):
    """Return what there is of an amount within what is left, of the same sign."""
    if units * left <= 0:
        return 0
    return min(units, left, key=abs)
