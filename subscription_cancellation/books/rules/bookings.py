# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6, C8: money that moved is in the books, and pays what it was moved for."""

from ..finding import UNSURE, WAITING, WRONG
from ..finding import translatable as _lt
from .received import get_collected, get_given_back
from .report import report_amounts

RULE = "bookings"
NO_PAYMENT = _lt(
    "%(found)s moved by %(reference)s (%(cancellation)s), but no payment "
    "is booked for it."
)
NOT_POSTED = _lt(
    "%(found)s moved by %(reference)s (%(cancellation)s), but payment "
    "%(payment)s, which books it, is a draft."
)
CANCELLED = _lt(
    "Payment %(payment)s was cancelled, although %(found)s had moved by %(reference)s "
    "(%(cancellation)s)."
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
    told = set()
    for cancellation in ledger.cancellations:
        done = [
            step
            for step in ledger.steps_of.get(cancellation.id, [])
            if step.state == "done" and step.kind in MONEY
        ]
        transactions = _get_transactions(ledger, cancellation, done)
        for transaction in transactions:
            payment = ledger.payment.get(transaction.payment_id)
            reference = transaction.reference
            if transaction.id not in told:
                yield from _check_booked(
                    ledger, cancellation, transaction, payment, reference
                )
        told |= {transaction.id for transaction in transactions}
        for step in done:
            payment = ledger.payment.get(step.payment_id)
            if payment and not step.transaction_id:
                yield from _check_booked(
                    ledger, cancellation, step, payment, payment.name
                )
        if not cancellation.reactivated_date:
            yield from _check_refunds(ledger, cancellation, done)
            yield from _check_collections(ledger, cancellation, done)


def _get_transactions(ledger, cancellation, done):
    """Return what the steps moved, and all else that was refunded of the same money.

    A refund by hand, of another amount, is the accountant's own, if it is booked.
    """
    steps = ledger.steps_of.get(cancellation.id, [])
    sources = {step.source_transaction_id for step in steps} - {None}
    refunded = [
        transaction
        for source_id in sources
        for transaction in ledger.transactions_of_source.get(source_id, [])
        if transaction.operation == "refund"
    ]
    own = [ledger.transaction[id_] for step in done if (id_ := step.transaction_id)]
    return [
        transaction
        for transaction in {one.id: one for one in (*own, *refunded)}.values()
        if transaction.state == "done" and _is_of(ledger, cancellation, transaction)
    ]


def _is_of(ledger, cancellation, transaction):
    """Return whether a transaction is of this cancellation, or of none."""
    step = ledger.step.get(transaction.cancellation_step_id)
    if step:
        return step.cancellation_id == cancellation.id
    return not transaction.cancellation_step_id


def _check_booked(ledger, cancellation, moved, payment, reference):
    """There is a payment that stands, with a posted entry.

    :param moved: transaction, or step that somebody has paid by hand
    :param str reference: how that is called
    """
    problem = _get_problem(payment)
    if problem:
        sentence, kind = problem
        finding = report_amounts(
            ledger,
            RULE,
            sentence,
            cancellation,
            None,
            moved.currency_id,
            0,
            abs(ledger.units_of(moved, "amount")),
            reference=reference,
            payment=payment.name if payment else "",
        )
        yield finding._replace(kind=kind)


def _get_problem(payment):
    """Return what is to be said of a payment, and how serious it is, if anything."""
    if not payment:
        return NO_PAYMENT, WRONG
    if "draft" in (payment.state, payment.move_state):
        return NOT_POSTED, WRONG
    if payment.state in ("canceled", "rejected") or payment.move_state == "cancel":
        # Refused afterwards by a bank, or disputed by the customer.
        return CANCELLED, WAITING
    return None if payment.move_id else (NO_ENTRY, UNSURE)


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
