# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1, C4, C11: each row has led to exactly one credit memo line, like its origin."""

import json

from ..amounts import ONE_DAY, is_used_up
from ..discounts import get_entries
from ..finding import Days
from ..finding import translatable as _lt
from .report import report, report_amounts
from .rows import get_earlier_credits

RULE = "memo_lines"
WRONG_NUMBER = _lt(
    "%(cancellation)s credits a line of %(document)s with %(found)s credit memo lines "
    "instead of one."
)
WRONG_AMOUNT = _lt(
    "A line of credit memo %(document)s is about %(found)s, the credit of "
    "%(cancellation)s about %(expected)s."
)
UNLIKE = _lt(
    "A line of credit memo %(document)s and the invoice line it credits differ in: "
    "%(what)s."
)
WRONG_DAYS = _lt(
    "A line of credit memo %(document)s credits %(found)s, where %(expected)s is "
    "unused."
)
UNKNOWN = _lt(
    "Credit memo %(document)s has a line of %(found)s that %(cancellation)s does not "
    "know of."
)
UNLIKE_BOOKED = _lt(
    "Credit memo %(document)s books %(found)s, but its lines say %(expected)s."
)
UNBALANCED = _lt(
    "The journal items of credit memo %(document)s do not balance: %(found)s is left."
)
PRODUCT, ACCOUNT, ANALYTICS = _lt("product"), _lt("account"), _lt("analytics")
TAXES, SERVICE, INVOICE = _lt("taxes"), _lt("service"), _lt("invoice")


def check(ledger):
    """Yield a finding for each row and credit memo line without its counterpart."""
    for cancellation in ledger.cancellations:
        for row in ledger.rows_of.get(cancellation.id, []):
            if row.origin_line_id and _is_credited(ledger, cancellation, row):
                yield from _check_row(ledger, cancellation, row)
        if cancellation.post_credit_memos:
            for memo in ledger.issued_by(cancellation, "out_refund"):
                yield from _check_memo(ledger, cancellation, memo)


def _is_credited(ledger, cancellation, row):
    """Return whether a credit memo is due for a row."""
    rows = ledger.rows_on(cancellation, ledger.get_invoice_id(row))
    total = ledger.sum_units(rows, "credit_untaxed", "credit_tax")
    return total > 0 and ledger.units_of(row, "credit_untaxed") != 0


def _check_row(ledger, cancellation, row):
    lines = ledger.credit_lines_of(row)
    invoice = ledger.move[ledger.get_invoice_id(row)]
    memos = [
        memo
        for memo in ledger.issued_by(cancellation, "out_refund")
        if memo.reversed_entry_id == invoice.id
    ]
    is_changeable = memos and not cancellation.post_credit_memos
    if len(lines) != 1:
        if not is_changeable:
            yield report(
                ledger, RULE, WRONG_NUMBER, cancellation, invoice, 1, len(lines)
            )
        return
    if not is_changeable:
        yield from _check_line(ledger, cancellation, row, lines[0])


def _check_line(ledger, cancellation, row, line):
    memo, origin = ledger.move[line.move_id], ledger.line[row.origin_line_id]
    expected = ledger.units_of(row, "credit_untaxed")
    expected -= ledger.units_of(row, "credit_rounding")
    found = ledger.units_of(line, "price_subtotal")
    if found != expected:
        yield report_amounts(
            ledger,
            RULE,
            WRONG_AMOUNT,
            cancellation,
            memo,
            line.currency_id,
            expected,
            found,
        )
    alike = _compare(ledger, line, origin, ledger.get_invoice_id(row))
    unlike = [what for what, is_alike in alike if not is_alike]
    if unlike:
        what = tuple(unlike)
        yield report(ledger, RULE, UNLIKE, cancellation, memo, what=what)
    yield from _check_days(ledger, cancellation, row, line)


def _compare(ledger, line, origin, invoice_id):
    """Return what credit memo line and invoice line have in common, and if they do."""
    none = frozenset()
    taxes, billed = (ledger.taxes_of.get(item.id, none) for item in (line, origin))
    memo = ledger.move[line.move_id]
    return [
        (PRODUCT, line.product_id == origin.product_id),
        (ACCOUNT, line.account_id == origin.account_id),
        (ANALYTICS, _read_analytics(line) == _read_analytics(origin)),
        (TAXES, taxes == billed),
        (SERVICE, line.subscription_line_id == origin.subscription_line_id),
        (INVOICE, memo.reversed_entry_id == invoice_id),
    ]


def _read_analytics(line):
    """Return percentages by analytic accounts: 100 and 100.0 are the same."""
    return json.loads(line.analytics or "null") or {}


def _check_days(ledger, cancellation, row, line):
    start = row.period_start
    if cancellation.refund_mode != "full":
        start = max(start, cancellation.effective_date)
    # Nothing is unused where an earlier credit is all that is left to correct.
    if start > row.period_end + ONE_DAY:
        return
    expected, found = (start, row.period_end), (line.start_date, line.end_date)
    if found != expected and not _is_rest(ledger, row, expected, found):
        yield report(
            ledger,
            RULE,
            WRONG_DAYS,
            cancellation,
            ledger.move[line.move_id],
            Days(*expected),
            Days(*found),
        )


def _is_rest(ledger, row, unused, found):
    """Return whether earlier credits have used up the days that a credit leaves out."""
    (start, end), (first_day, last_day) = unused, found
    if not (first_day and last_day and start <= first_day <= last_day <= end):
        return False
    debit = ledger.discounts.net_of(ledger.get_service_line(row))
    sure, unsure, is_changed = get_earlier_credits(ledger, row)
    # Which of the unsure ones there were then is not known any more.
    earlier = get_entries([*sure, *unsure])
    return (
        not debit
        or is_changed
        or all(
            is_used_up(debit, earlier, *days)
            for days in [(start, first_day - ONE_DAY), (last_day + ONE_DAY, end)]
            if days[0] <= days[1]
        )
    )


def _check_memo(ledger, cancellation, memo):
    """Yield what a credit memo has beside the rows, and what it books of its own."""
    rows = ledger.rows_of.get(cancellation.id, [])
    known = {row.origin_line_id for row in rows}
    is_undone = memo.state == "cancel" or ledger.take_backs_of(memo)
    for line in ledger.product_lines(memo):
        if line.origin_line_id not in known and not is_undone:
            units = ledger.units_of(line, "price_subtotal")
            yield report_amounts(
                ledger, RULE, UNKNOWN, cancellation, memo, line.currency_id, 0, units
            )
    booked = ledger.sum_units(ledger.product_lines(memo), "amount_currency")
    said = ledger.sum_units(ledger.product_lines(memo), "price_subtotal")
    if booked != said:
        yield report_amounts(
            ledger,
            RULE,
            UNLIKE_BOOKED,
            cancellation,
            memo,
            memo.currency_id,
            said,
            booked,
        )
    currency_id = memo.company_currency_id
    items = ledger.lines_of.get(memo.id, [])
    balance = sum(ledger.units(line.balance, currency_id) for line in items)
    if balance:
        yield report_amounts(
            ledger, RULE, UNBALANCED, cancellation, memo, currency_id, 0, balance
        )
