# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the discount lines of an invoice take off its other lines, by SQL alone."""

from collections import defaultdict
from typing import Any, NamedTuple

from .amounts import count_days


class Credit(NamedTuple):
    """What one credit memo credited of an invoice line, discounts taken off."""

    move_id: int
    #: Ids of its lines.
    ids: frozenset
    #: Units, first day and last day.
    entry: tuple
    create_date: Any
    write_date: Any
    #: Who issued it: ids of the cancellation and the pause, or of its document.
    source: tuple
    #: Whether it is a credit of an order, on whichever document.
    is_loose: bool = False


def get_entries(credits_):
    """Return units and days of credits, those of one source for the same days as one.

    What is credited on an invoice, and on those of its down payments, was rounded
    together.
    """
    entries, units = [], defaultdict(int)
    for credit in credits_:
        if credit.is_loose:
            entries.append(credit.entry)
        else:
            units[credit.source, credit.entry[1:]] += credit.entry[0]
    return entries + [(amount, *days) for (_source, days), amount in units.items()]


class Discounts:
    """Shares of discounts, by invoice line.

    A negative line of no service reduces the lines with exactly its taxes, where there
    are none all of them, in proportion to what they booked. Not a down payment, a gift
    card or an e-wallet: that is money.
    """

    def __init__(self, ledger):
        """Look at invoices when they are asked for."""
        self._ledger = ledger
        self._known = {}

    def shares_of(self, line):
        """Return what each discount takes off a line: units by id of the discount."""
        if line.move_id not in self._known:
            self._known[line.move_id] = self._read(line.move_id)
        return self._known[line.move_id].get(line.id, {})

    def split(self, discount, units):
        """Return an amount, split like a discount: units by id of the line."""
        self.shares_of(discount)
        weights = {
            line_id: abs(shares[discount.id])
            for line_id, shares in self._known[discount.move_id].items()
            if discount.id in shares
        }
        return _split(units, weights) if weights else {}

    def is_discount(self, line):
        """Return whether an invoice line only takes something off others."""
        return (
            not line.subscription_line_id
            and not line.is_downpayment
            and line.id not in self._ledger.gifts
            and self._ledger.booked(line) < 0
        )

    def _read(self, move_id):
        lines = self._ledger.product_lines(self._ledger.move[move_id])
        result = defaultdict(dict)
        for discount in filter(self.is_discount, lines):
            for line_id, units in self._spread(discount, lines).items():
                if units:
                    result[line_id][discount.id] = units
        return result

    def _spread(self, discount, lines):
        ledger, units = self._ledger, self._ledger.booked(discount)
        if discount.discounted_line_id in ledger.line:
            return {discount.discounted_line_id: units}
        priced = {
            line.id: ledger.booked(line)
            for line in lines
            if ledger.booked(line) > 0 and not line.is_downpayment
        }
        taxes = ledger.taxes_of.get(discount.id)
        alike = {
            line_id: weight
            for line_id, weight in priced.items()
            if ledger.taxes_of.get(line_id) == taxes
        } or priced
        rewarded = ledger.rewarded.get(discount.id, ())
        chosen = {
            line_id: weight for line_id, weight in alike.items() if line_id in rewarded
        } or alike
        return _split(units, chosen) if chosen else {}

    # === CREDITS === #

    def net_of(self, line):
        """Return what a line was billed at, discounts taken off: units and days."""
        entry = self._ledger.as_entry(line)
        if not entry:
            return None
        return entry[0] + sum(self.shares_of(line).values()), *entry[1:]

    def credits_of(self, line):
        """Return what was credited of a line, by credit memo."""
        parts = defaultdict(list)
        for credit, units in self._get_parts(line):
            dated = credit if credit.start_date else line
            key = credit.move_id, dated.start_date, dated.end_date
            parts[key].append((credit, units))
        named = [
            Credit(
                move_id,
                frozenset(credit.id for credit, _units in own),
                (sum(units for _credit, units in own), start, end),
                min(credit.create_date for credit, _units in own),
                max(credit.write_date for credit, _units in own),
                self._get_source(move_id),
            )
            for (move_id, start, end), own in parts.items()
            if start and end and count_days(start, end)
        ]
        return named + self._get_loose(line)

    def _get_source(self, move_id):
        move = self._ledger.move[move_id]
        is_issued = move.cancellation_id or move.pause_id
        return (move.cancellation_id, move.pause_id) if is_issued else (move_id,)

    def _get_loose(self, line):
        orders = self._ledger.order_credits
        return [
            Credit(
                credit.move_id,
                frozenset([credit.id]),
                orders.get_entry(credit, line, units),
                credit.create_date,
                credit.write_date,
                self._get_source(credit.move_id),
                is_loose=True,
            )
            for credit, units in orders.parts_of(line)
        ]

    def is_on_memo(self, credit):
        """Return whether a credit is one: those of orders may be on invoices."""
        move = self._ledger.move[credit.move_id]
        return credit.is_loose or move.move_type == "out_refund"

    def standing_credits_of(self, line):
        """Return the entries of the credits of a line that were not taken back."""
        moves = self._ledger.move
        return get_entries(
            credit
            for credit in self.credits_of(line)
            if self.is_on_memo(credit)
            and moves[credit.move_id].state in ("draft", "posted")
            and not self._ledger.take_backs.get_invoice(moves[credit.move_id])
        )

    def _get_parts(self, line):
        ledger = self._ledger
        for credit in ledger.credits_of.get(line.id, []):
            yield credit, ledger.booked(credit)
        for discount_id in self.shares_of(line):
            for credit in ledger.credits_of.get(discount_id, []):
                units = ledger.booked(credit)
                if not credit.discounted_line_id:
                    parts = self.split(ledger.line[discount_id], units)
                    yield credit, parts.get(line.id, 0)
                elif credit.discounted_line_id == line.id:
                    yield credit, units


def _split(units, weights):
    """Return shares in proportion to weights; the largest remainders are rounded up."""
    total = sum(weights.values())
    exact = {key: divmod(abs(units) * weight, total) for key, weight in weights.items()}
    missing = abs(units) - sum(whole for whole, _rest in exact.values())
    favoured = sorted(exact, key=lambda key: -exact[key][1])[:missing]
    sign = -1 if units < 0 else 1
    return {key: sign * (exact[key][0] + (key in favoured)) for key in exact}
