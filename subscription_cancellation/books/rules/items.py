# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C11: the journal items of a credit memo are booked as those of its invoice."""

from collections import defaultdict
from datetime import timedelta

from ..finding import translatable as _lt
from .report import report

RULE = "items"
UNLIKE_INVOICE = _lt(
    "The journal items of credit memo %(document)s and of the invoice it credits "
    "differ in: %(what)s."
)
UNLIKE_MEMO = _lt(
    "Credit memo %(document)s and its own journal items differ in: %(what)s."
)
WRONG_TAX_ACCOUNT = _lt(
    "Credit memo %(document)s takes “%(tax)s” back on another account than the invoice "
    "has booked it on."
)
TOO_EARLY = _lt(
    "Credit memo %(document)s is booked on %(found)s, before %(expected)s, when "
    "%(cancellation)s was made or executed."
)
TOO_LATE = _lt(
    "Credit memo %(document)s is booked on %(found)s, long after %(cancellation)s was "
    "executed on %(expected)s, and no lock date explains it."
)
#: What a day may be off by time zones.
GRACE = timedelta(days=1)
#: What the items of invoice and credit memo have in common.
ALIKE = (
    (_lt("customer"), "partner_id", None),
    (_lt("receivable account"), "account_id", "asset_receivable"),
)
#: What a document and its items have in common.
OF_DOCUMENT = (
    (_lt("state"), "parent_state", "state"),
    (_lt("date"), "date", "date"),
)


def check(ledger):
    """Yield a finding for each credit memo that is booked in another way."""
    for cancellation in ledger.cancellations:
        for memo in ledger.issued_by(cancellation, "out_refund"):
            yield from _check_own(ledger, cancellation, memo)
            invoice = ledger.move.get(memo.reversed_entry_id)
            if invoice and cancellation.post_credit_memos:
                yield from _check_like(ledger, cancellation, memo, invoice)
                yield from _check_taxes(ledger, cancellation, memo, invoice)
                yield from _check_day(ledger, cancellation, memo)


def _check_own(ledger, cancellation, memo):
    items = ledger.lines_of.get(memo.id, [])
    what = tuple(
        label
        for label, of_item, of_memo in OF_DOCUMENT
        if any(getattr(item, of_item) != getattr(memo, of_memo) for item in items)
    )
    if what:
        yield report(ledger, RULE, UNLIKE_MEMO, cancellation, memo, what=what)


def _check_like(ledger, cancellation, memo, invoice):
    what = tuple(
        label
        for label, name, account_type in ALIKE
        if _collect(ledger, memo, name, account_type)
        - _collect(ledger, invoice, name, account_type)
    )
    if what:
        yield report(ledger, RULE, UNLIKE_INVOICE, cancellation, memo, what=what)


def _collect(ledger, move, name, account_type):
    """Return the values that the items of a document have."""
    return {
        getattr(item, name)
        for item in ledger.lines_of.get(move.id, [])
        if account_type in (None, item.account_type)
    }


def _check_taxes(ledger, cancellation, memo, invoice):
    """A tax is taken back where it was booked, or where its own refunds are booked."""
    billed = _get_tax_accounts(ledger, invoice)
    for tax_id, accounts in _get_tax_accounts(ledger, memo).items():
        tax = ledger.reader.taxes[tax_id]
        if accounts - billed[tax_id] - set(tax.refund_account_ids):
            yield report(
                ledger, RULE, WRONG_TAX_ACCOUNT, cancellation, memo, tax=tax.name
            )


def _get_tax_accounts(ledger, move):
    accounts = defaultdict(set)
    for item in ledger.lines_of.get(move.id, []):
        if item.tax_line_id:
            accounts[item.tax_line_id].add(item.account_id)
    return accounts


def _check_day(ledger, cancellation, memo):
    """It is booked on the day it was made, or on the first that was open then."""
    made = memo.create_date.date()
    executed = cancellation.executed_date
    # What was billed in advance may have been credited before the end.
    days = (made, executed.date() if executed else made)
    first, last = min(days), max(days)
    if memo.date < first - GRACE:
        yield report(ledger, RULE, TOO_EARLY, cancellation, memo, first, memo.date)
    locked = ledger.reader.locked_until.get(memo.company_id)
    is_explained = locked and locked >= memo.date - GRACE
    if memo.date > last + GRACE and not is_explained:
        yield report(ledger, RULE, TOO_LATE, cancellation, memo, last, memo.date)
