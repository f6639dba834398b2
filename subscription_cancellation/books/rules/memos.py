# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A4, C4, C11: one credit memo per invoice, like the invoice, and of the rows' sum."""

from collections import Counter
from decimal import Decimal

from ..finding import translatable as _lt
from .report import report, report_amounts

RULE = "memos"
TWICE = _lt("%(cancellation)s has issued more than one credit memo for %(document)s.")
UNLIKE = _lt("Credit memo %(document)s and the invoice it credits differ in: %(what)s.")
NO_INVOICE = _lt(
    "Credit memo %(document)s of %(cancellation)s says of no customer invoice that it "
    "credits it."
)
NOT_POSTED = _lt(
    "Credit memo %(document)s of %(cancellation)s is not posted, although nobody was "
    "to review it."
)
WRONG_SUM = _lt(
    "Credit memo %(document)s is about %(found)s without tax, the credits of "
    "%(cancellation)s on its invoice about %(expected)s."
)
WRONG_TAX = _lt(
    "Credit memo %(document)s has %(found)s tax, the credits of %(cancellation)s on "
    "its invoice %(expected)s."
)
SUMS = (
    ("amount_untaxed", "credit_untaxed", WRONG_SUM),
    ("amount_tax", "credit_tax", WRONG_TAX),
)
#: What credit memo and invoice have in common.
ALIKE = {
    "partner_id": _lt("customer"),
    "commercial_partner_id": _lt("company of the customer"),
    "currency_id": _lt("currency"),
    "company_id": _lt("company"),
    "journal_id": _lt("journal"),
    "fiscal_position_id": _lt("fiscal position"),
    "invoice_currency_rate": _lt("exchange rate"),
}


def check(ledger):
    """Yield a finding for each credit memo that does not fit its invoice or rows."""
    for cancellation in ledger.cancellations:
        memos = ledger.issued_by(cancellation, "out_refund")
        yield from _check_once(ledger, cancellation, memos)
        for memo in memos:
            yield from _check_memo(ledger, cancellation, memo)


def _check_once(ledger, cancellation, memos):
    standing = Counter(
        memo.reversed_entry_id
        for memo in memos
        if memo.state != "cancel" and not ledger.take_backs_of(memo)
    )
    for invoice_id, number in standing.items():
        if number > 1 and invoice_id:
            invoice = ledger.move[invoice_id]
            yield report(ledger, RULE, TWICE, cancellation, invoice, 1, number)


def _check_memo(ledger, cancellation, memo):
    invoice = ledger.move.get(memo.reversed_entry_id)
    if not invoice or invoice.move_type != "out_invoice":
        yield report(ledger, RULE, NO_INVOICE, cancellation, memo)
        return
    what = tuple(
        text
        for name, text in ALIKE.items()
        if _comparable(getattr(memo, name)) != _comparable(getattr(invoice, name))
    )
    if what:
        yield report(ledger, RULE, UNLIKE, cancellation, memo, what=what)
    rows = ledger.rows_of_memo(cancellation, memo)
    is_due = cancellation.post_credit_memos and rows
    if is_due and not cancellation.reactivated_date and memo.state != "posted":
        yield report(ledger, RULE, NOT_POSTED, cancellation, memo, "posted", memo.state)
    if is_due and memo.state == "posted":
        yield from _check_sums(ledger, cancellation, memo, rows)


def _comparable(value):
    """Return a value that was read, exchange rates rounded to ten digits."""
    return format(Decimal(value), ".10g") if isinstance(value, str) else value


def _check_sums(ledger, cancellation, memo, rows):
    for of_memo, of_row, sentence in SUMS:
        expected = ledger.sum_units(rows, of_row)
        found = ledger.units_of(memo, of_memo)
        if found != expected:
            yield report_amounts(
                ledger,
                RULE,
                sentence,
                cancellation,
                memo,
                memo.currency_id,
                expected,
                found,
            )
