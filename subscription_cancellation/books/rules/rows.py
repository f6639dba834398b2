# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1, C2, C4: each row credits what its invoice line still owed to the customer.

The amount is derived anew from the invoice line and the credits that came before. What
was changed since by people leaves several possible amounts, or none that is certain.
"""

from collections import defaultdict
from itertools import chain, combinations

from ..amounts import between, still_creditable
from ..discounts import get_entries
from ..finding import UNSURE
from ..finding import translatable as _lt
from .rebates import is_limited, is_outweighed
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
REWARDED = _lt(
    "A discount on %(document)s is only for some of its lines: whether the %(found)s "
    "of %(cancellation)s are right is not derived."
)
#: More possible amounts than of so many cancelled credits are not looked at.
MOST_UNSURE = 5


def check(ledger):
    """Yield a finding for each line that is credited otherwise than the ledger says.

    All rows of a line are one credit: its own, those of its shares of discounts, and
    those on the invoices of its down payments.
    """
    groups = defaultdict(list)
    for row in ledger.rows:
        line = ledger.get_service_line(row)
        if line:
            groups[row.cancellation_id, line.id, row.is_advance].append(row)
    for (_cancellation_id, line_id, _is_advance), rows in groups.items():
        yield from _check_line(ledger, ledger.line[line_id], rows)


def _check_line(ledger, line, rows):
    debit = ledger.discounts.net_of(line)
    row = rows[0]
    cancellation = ledger.cancellation[row.cancellation_id]
    if not debit:
        return
    found = sum(_get_credited(ledger, one) for one in rows)
    sure, unsure, is_changed = get_earlier_credits(ledger, row)
    is_unknown = is_changed or len(unsure) > MOST_UNSURE
    day = None if cancellation.refund_mode == "full" else cancellation.effective_date
    possible = [
        still_creditable(debit, get_entries([*sure, *some]), day)
        for some in _subsets(unsure[:MOST_UNSURE])
    ]
    if found in possible or _has_rebates(ledger, row, possible, found):
        return
    sentence = WRONG
    if is_unknown and between(0, found, debit[0]):
        sentence = CHANGED
    elif _is_cut(ledger, rows, possible, found):
        sentence = CUT
    if line.move_id in ledger.unknown_discounts:
        sentence = REWARDED
    finding = report_amounts(
        ledger,
        RULE,
        sentence,
        cancellation,
        ledger.move[line.move_id],
        row.currency_id,
        possible[0],
        found,
    )
    yield finding if sentence is WRONG else finding._replace(kind=UNSURE)


def _has_rebates(ledger, row, possible, found):
    """Return whether rebates, which are never charged, explain a lower amount."""
    is_less = any(between(0, found, amount) for amount in possible)
    return is_less and (is_limited(ledger, row) or is_outweighed(ledger, row))


def _get_credited(ledger, row):
    """Return what a row credits, without the cash rounding it takes along."""
    return ledger.units_of(row, "credit_untaxed") - ledger.units_of(
        row, "credit_rounding"
    )


def get_earlier_credits(ledger, row):
    """Return the credits before this row, those that may have been, and a doubt.

    :return: tuple of credits that counted, those that were cancelled at some time,
        and whether one has been changed since
    """
    line = ledger.get_service_line(row)
    rows = [
        one
        for one in ledger.rows_of.get(row.cancellation_id, [])
        if ledger.get_service_line(one) == line
    ]
    own = {item.id for one in rows for item in ledger.credit_lines_of(one)}
    limit = min(own, default=None)
    sure, unsure, is_changed = [], [], False
    for credit in ledger.discounts.credits_of(line):
        memo = ledger.move[credit.move_id]
        is_later = (
            min(credit.ids) > limit if limit else credit.create_date > row.create_date
        )
        is_credit = ledger.discounts.is_on_memo(credit)
        if not is_credit or credit.ids & own or is_later:
            continue
        if memo.state == "cancel":
            if memo.write_date >= row.create_date:
                unsure.append(credit)
            continue
        was_taken_back = ledger.take_backs.was_before(memo, row, limit)
        if was_taken_back is None:
            unsure.append(credit)
        if was_taken_back is not False:
            continue
        sure.append(credit)
        is_changed |= credit.write_date > row.create_date
    return sure, unsure, is_changed


def _subsets(credits_):
    """Return all sub-lists of a list, the empty one first."""
    sizes = range(len(credits_) + 1)
    return chain.from_iterable(combinations(credits_, size) for size in sizes)


def _is_cut(ledger, rows, possible, found):
    """Return whether a credit had to leave out what its invoices have no room for."""
    is_less = any(between(0, found, amount) for amount in possible)
    paid = ledger.down_payments_of.get(ledger.get_service_line(rows[0]).move_id, [])
    memo_ids = [_get_last_memo_id(ledger, row) for row in rows]
    last_id = max(filter(None, memo_ids), default=None)
    return (
        is_less
        and all(_has_no_room(ledger, row) for row in rows)
        and all(ledger.is_used_up(row.paid_move_id, last_id) for row in paid)
    )


def is_left_out(ledger, row):
    """Return whether a row says that it had no room, and had none."""
    return ledger.units_of(row, "left_out") != 0 and _has_no_room(ledger, row)


def _has_no_room(ledger, row):
    invoice_id = ledger.get_invoice_id(row)
    return ledger.is_used_up(invoice_id, _get_last_memo_id(ledger, row))


def _get_last_memo_id(ledger, row):
    """Return the id of the newest credit memo of a row, ``None`` without one."""
    memo_ids = [line.move_id for line in ledger.credit_lines_of(row)]
    return max(memo_ids, default=None)
