# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1, C2, C4: each row credits what its invoice line still owed to the customer.

The amount is derived anew from the invoice line and the credits that came before. What
was changed since by people leaves several possible amounts, or none that is certain.
"""

from itertools import chain, combinations

from ..amounts import between, still_creditable
from ..finding import UNSURE
from ..finding import translatable as _lt
from .report import report_amounts

RULE = "rows"
WRONG = _lt(
    "%(cancellation)s credits %(found)s of a line of %(document)s, where %(expected)s "
    "was left for the unused days."
)
CHANGED = _lt(
    "Earlier credits of a line of %(document)s have been changed since: whether the "
    "%(found)s of %(cancellation)s were left is not known any more."
)
CUT = _lt(
    "%(cancellation)s credits %(found)s of a line of %(document)s instead of "
    "%(expected)s, as the invoice had no room for more: how its lines share the rest "
    "is not derived."
)
#: More possible amounts than of so many cancelled credits are not looked at.
MOST_UNSURE = 5


def check(ledger):
    """Yield a finding for each row with another amount than the ledger gives."""
    for row in ledger.rows:
        if row.origin_line_id:
            yield from _check_row(ledger, row)


def _check_row(ledger, row):
    debit = ledger.as_entry(ledger.line[row.origin_line_id])
    cancellation = ledger.cancellation[row.cancellation_id]
    if not debit:
        return
    found = _get_credited(ledger, row)
    sure, unsure, is_changed = get_earlier_credits(ledger, row)
    is_unknown = is_changed or len(unsure) > MOST_UNSURE
    day = None if cancellation.refund_mode == "full" else cancellation.effective_date
    possible = [
        still_creditable(debit, [*sure, *some], day)
        for some in _subsets(unsure[:MOST_UNSURE])
    ]
    if found in possible:
        return
    sentence = WRONG
    if is_unknown and between(0, found, debit[0]):
        sentence = CHANGED
    elif _is_cut(ledger, row, possible, found):
        sentence = CUT
    invoice = ledger.move[ledger.get_invoice_id(row)]
    finding = report_amounts(
        ledger,
        RULE,
        sentence,
        cancellation,
        invoice,
        row.currency_id,
        possible[0],
        found,
    )
    yield finding if sentence is WRONG else finding._replace(kind=UNSURE)


def _get_credited(ledger, row):
    """Return what a row credits, without the cash rounding it takes along."""
    return ledger.units_of(row, "credit_untaxed") - ledger.units_of(
        row, "credit_rounding"
    )


def get_earlier_credits(ledger, row):
    """Return the credits before this row, those that may have been, and a doubt.

    :return: tuple of entries that counted, entries that were cancelled at some time,
        and whether one has been changed since
    """
    own = {line.id for line in ledger.credit_lines_of(row)}
    limit = min(own, default=None)
    sure, unsure, is_changed = [], [], False
    for line in ledger.credits_of.get(row.origin_line_id, []):
        memo = ledger.move[line.move_id]
        is_later = line.id > limit if limit else line.create_date > row.create_date
        if memo.move_type != "out_refund" or line.id in own or is_later:
            continue
        if memo.state == "cancel":
            if memo.write_date >= row.create_date:
                unsure.append(ledger.as_entry(line))
            continue
        sure.append(ledger.as_entry(line))
        is_changed |= line.write_date > row.create_date
    return sure, unsure, is_changed


def _subsets(entries):
    """Return all sub-lists of a list, the empty one first."""
    sizes = range(len(entries) + 1)
    return chain.from_iterable(combinations(entries, size) for size in sizes)


def _is_cut(ledger, row, possible, found):
    """Return whether a row had to leave out what its invoice has no room for."""
    memo_ids = [line.move_id for line in ledger.credit_lines_of(row)]
    invoice_id = ledger.get_invoice_id(row)
    is_less = any(between(0, found, amount) for amount in possible)
    return is_less and ledger.is_used_up(invoice_id, max(memo_ids, default=None))
