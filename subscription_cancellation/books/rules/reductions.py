# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C5: a credit memo reduces its own invoice first."""

from ..finding import translatable as _lt
from .received import was_charged_back
from .report import report_amounts

RULE = "reductions"
WRONG = _lt(
    "Credit memo %(document)s reduces its invoice by %(found)s, where it was to reduce "
    "it by %(expected)s."
)
BOTH_OPEN = _lt(
    "%(found)s of credit memo %(document)s are open, and so much is still due on the "
    "invoice that it credits."
)


def check(ledger):
    """Yield a finding for each credit memo that does not reduce its invoice."""
    for source in ledger.sources:
        for memo in ledger.issued_by(source, "out_refund"):
            yield from _check_open(ledger, source, memo)
    for cancellation in ledger.cancellations:
        if not cancellation.post_credit_memos:
            # What was due when somebody posted it, nobody recorded.
            continue
        for memo in ledger.issued_by(cancellation, "out_refund"):
            rows = ledger.rows_of_memo(cancellation, memo)
            # What was taken back reduces nothing any more.
            is_reversed = ledger.take_backs_of(memo)
            if memo.state == "posted" and rows and not is_reversed:
                yield from _check_memo(ledger, cancellation, memo, rows)


def _check_memo(ledger, cancellation, memo, rows):
    expected = ledger.sum_units(rows, "reduces_invoice")
    found = get_reduction(ledger, memo)
    is_explained = (
        _has_drafts(ledger, memo)
        or _is_told(ledger, memo, found)
        or was_charged_back(ledger, memo.reversed_entry_id)
    )
    is_more = found > expected and is_explained
    is_less = found < expected and _was_awaited(ledger, cancellation, memo)
    if found != expected and not (is_more or is_less):
        yield report_amounts(
            ledger,
            RULE,
            WRONG,
            cancellation,
            memo,
            memo.currency_id,
            expected,
            found,
        )


def _check_open(ledger, source, memo):
    """Credit memo and invoice are never open both, whatever anybody recorded.

    :param source: the cancellation, or the pause, that the credit memo is of
    """
    invoice = ledger.move.get(memo.reversed_entry_id)
    if not invoice or memo.state != "posted":
        return
    found = min(_get_open(ledger, invoice), -_get_open(ledger, memo))
    if found > 0:
        yield report_amounts(
            ledger, RULE, BOTH_OPEN, source, memo, memo.currency_id, 0, found
        )


def _get_open(ledger, move):
    """Return what is due on a document; negative: what it leaves to the customer."""
    due = [
        line
        for line in ledger.lines_of.get(move.id, [])
        if line.account_type == "asset_receivable"
    ]
    return ledger.sum_units(due, "amount_residual_currency")


def get_reduction(ledger, memo):
    """Return how much of a credit memo is reconciled with its own invoice."""
    return sum(
        ledger.units(partial.credit_amount_currency, memo.currency_id)
        for partial in ledger.pays.get(memo.id, [])
        if partial.debit_move_id == memo.reversed_entry_id
    )


def _is_told(ledger, memo, found):
    """Return whether steps tell so: a payment of the invoice was taken off since."""
    told = [
        step
        for step in ledger.steps_of.get(memo.cancellation_id, [])
        if step.kind == "reduce" and step.source_move_id == memo.id
    ]
    return ledger.sum_units(told, "amount") == found


def _has_drafts(ledger, memo):
    """Return whether an older draft was left room for that it did not take."""
    others = ledger.memos_of(memo.reversed_entry_id, ("draft", "posted", "cancel"))
    return any(other.id < memo.id for other in others)


def _was_awaited(ledger, cancellation, memo):
    """Return whether a payment was on its way, which comes first when it arrives."""
    return any(
        step.kind == "await_payment" and step.source_move_id == memo.reversed_entry_id
        for step in ledger.steps_of.get(cancellation.id, [])
    )
