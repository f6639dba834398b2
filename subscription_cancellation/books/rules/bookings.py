# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6, C8: money that moved is in the books, and pays what it was moved for."""

from ..finding import UNSURE, WAITING
from ..finding import translatable as _lt
from .received import get_collected, get_given_back
from .report import report_amounts

RULE = "bookings"
NO_PAYMENT = _lt(
    "%(found)s moved by transaction %(transaction)s (%(cancellation)s), but no payment "
    "is booked for it."
)
NOT_POSTED = _lt(
    "%(found)s moved by transaction %(transaction)s (%(cancellation)s), but payment "
    "%(payment)s, which books it, is a draft."
)
CANCELLED = _lt(
    "Payment %(payment)s of transaction %(transaction)s (%(cancellation)s) was "
    "cancelled, although %(found)s had moved."
)
NO_ENTRY = _lt(
    "Payment %(payment)s of %(cancellation)s has no journal entry: what it pays is not "
    "known before the bank statement."
)
NOT_RECONCILED = _lt(
    "%(expected)s were refunded on credit memo %(document)s, but it is reconciled with "
    "%(found)s of payments, and open."
)
NOT_PAID = _lt(
    "%(expected)s were collected for invoice %(document)s, but it is reconciled with "
    "%(found)s of that payment, and open."
)
MONEY = ("refund", "collect")


def check(ledger):
    """Yield a finding for each movement of money that the books do not show."""
    for cancellation in ledger.cancellations:
        done = [
            step
            for step in ledger.steps_of.get(cancellation.id, [])
            if step.state == "done" and step.kind in MONEY
        ]
        transactions = _get_transactions(ledger, cancellation, done)
        for transaction in transactions:
            yield from _check_booked(ledger, cancellation, transaction)
        if not cancellation.reactivated_date:
            yield from _check_refunds(ledger, cancellation, done)
            yield from _check_collections(ledger, cancellation, done)


def _get_transactions(ledger, cancellation, done):
    """Return what the steps moved, and all else that was refunded of the same money.

    A refund by hand, of another amount, is the accountant's own, if it is booked.
    """
    ids = {step.transaction_id for step in done}
    steps = ledger.steps_of.get(cancellation.id, [])
    sources = {step.source_transaction_id for step in steps} - {None}
    ids |= {
        transaction.id
        for source_id in sources
        for transaction in ledger.transactions_of_source.get(source_id, [])
        if transaction.operation == "refund" and transaction.state == "done"
    }
    known = [ledger.transaction[id_] for id_ in sorted(ids - {None})]
    return [one for one in known if _is_of(ledger, cancellation, one)]


def _is_of(ledger, cancellation, transaction):
    """Return whether a transaction is told of with this cancellation: once for all."""
    step = ledger.step.get(transaction.cancellation_step_id)
    return step is None or step.cancellation_id == cancellation.id


def _check_booked(ledger, cancellation, transaction):
    """There is a payment that stands, with a posted entry."""
    payment = ledger.payment.get(transaction.payment_id)
    named = {"transaction": transaction.reference}
    kind = None
    if not payment:
        sentence = NO_PAYMENT
    elif payment.state == "draft" or payment.move_state == "draft":
        sentence = NOT_POSTED
    elif payment.state in ("canceled", "rejected") or payment.move_state == "cancel":
        # Refused afterwards by a bank, or disputed by the customer.
        sentence, kind = CANCELLED, WAITING
    elif not payment.move_id:
        sentence, kind = NO_ENTRY, UNSURE
    else:
        return
    if payment:
        named["payment"] = payment.name
    moved = abs(ledger.units_of(transaction, "amount"))
    finding = report_amounts(
        ledger,
        RULE,
        sentence,
        cancellation,
        None,
        transaction.currency_id,
        0,
        moved,
        **named,
    )
    yield finding._replace(kind=kind) if kind else finding


def _check_refunds(ledger, cancellation, done):
    """What was given back is reconciled with its credit memo, or others used that."""
    for memo in ledger.issued_by(cancellation, "out_refund"):
        refunds = [
            step
            for step in done
            if step.kind == "refund"
            and step.source_move_id == memo.id
            and not _is_without_entry(ledger, step)
        ]
        expected = ledger.sum_units(refunds, "amount")
        found = get_given_back(ledger, memo)
        is_open = memo.state != "posted" or ledger.get_open(memo) > 0
        if found < expected and is_open and not ledger.take_backs_of(memo):
            yield report_amounts(
                ledger,
                RULE,
                NOT_RECONCILED,
                cancellation,
                memo,
                memo.currency_id,
                expected,
                found,
            )


def _check_collections(ledger, cancellation, done):
    """What was collected pays its invoice, or others did."""
    for step in done:
        invoice = ledger.move.get(step.source_move_id)
        payment = ledger.payment.get(step.payment_id)
        is_standing = payment and payment.move_state == "posted"
        if step.kind != "collect" or not invoice or not is_standing:
            continue
        expected = ledger.units_of(step, "amount")
        found = get_collected(ledger, invoice, payment.id)
        if found < expected and ledger.get_open(invoice) > 0:
            yield report_amounts(
                ledger,
                RULE,
                NOT_PAID,
                cancellation,
                invoice,
                invoice.currency_id,
                expected,
                found,
            )


def _is_without_entry(ledger, step):
    """Return whether a payment has no entry that could be reconciled."""
    transaction = ledger.transaction.get(step.transaction_id)
    payment_id = transaction.payment_id if transaction else step.payment_id
    payment = ledger.payment.get(payment_id)
    return bool(payment and payment.state != "draft" and not payment.move_id)
