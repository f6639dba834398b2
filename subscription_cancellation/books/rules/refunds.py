# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6: each refund and collection is one confirmed transaction of that amount.

Or, of what no provider can give back, money that somebody else has paid back.
"""

from ..finding import translatable as _lt
from ..ledger import group
from .received import GONE, get_given_back
from .report import report, report_amounts

RULE = "refunds"
NOT_CONFIRMED = _lt(
    "A step of %(cancellation)s is done without a confirmed transaction (%(document)s)."
)
WRONG_AMOUNT = _lt(
    "A step of %(cancellation)s moved %(expected)s, its transaction %(transaction)s "
    "%(found)s."
)
TWICE = _lt("A step of %(cancellation)s moved money %(found)s times: %(transaction)s.")
WRONG_PAYMENT = _lt(
    "Transaction %(transaction)s of %(cancellation)s is about %(expected)s, its "
    "payment about %(found)s."
)
BEYOND_SOURCE = _lt(
    "%(found)s of transaction %(transaction)s are refunded, which had brought "
    "%(expected)s."
)
BEYOND_MEMO = _lt(
    "%(found)s of credit memo %(document)s are refunded, which is about %(expected)s."
)
WITHOUT_STEP = _lt(
    "Transaction %(transaction)s moved %(found)s for a step of %(cancellation)s that "
    "moves no money."
)
OPERATIONS = {"refund": True, "collect": False}


def check(ledger):
    """Yield a finding for each step, transaction and memo with too much money moved."""
    by_step = group(ledger.transactions, "cancellation_step_id")
    by_source = group(ledger.transactions, "source_transaction_id")
    for cancellation in ledger.cancellations:
        steps = ledger.steps_of.get(cancellation.id, [])
        for step in steps:
            if step.kind in OPERATIONS:
                transactions = by_step.get(step.id, [])
                yield from _check_once(ledger, cancellation, step, transactions)
                yield from _check_done(ledger, cancellation, step, steps)
            else:
                yield from _check_none(ledger, cancellation, step, by_step)
        yield from _check_sources(ledger, cancellation, steps, by_source)
        yield from _check_memos(ledger, cancellation, steps)


def _check_none(ledger, cancellation, step, by_step):
    """No transaction is of a step that moves no money."""
    for transaction in by_step.get(step.id, []):
        if transaction.state == "done":
            yield report_amounts(
                ledger,
                RULE,
                WITHOUT_STEP,
                cancellation,
                ledger.move.get(step.source_move_id),
                transaction.currency_id,
                0,
                abs(ledger.units_of(transaction, "amount")),
                transaction=transaction.reference,
            )


def _check_once(ledger, cancellation, step, transactions):
    """A step may begin anew after a refusal: only what moved, or may, counts."""
    moved = [
        transaction
        for transaction in transactions
        if transaction.state not in ("cancel", "error")
    ]
    if len(moved) > 1:
        names = ", ".join(transaction.reference for transaction in moved)
        yield report(
            ledger,
            RULE,
            TWICE,
            cancellation,
            ledger.move.get(step.source_move_id),
            1,
            len(moved),
            transaction=names,
        )


def _check_done(ledger, cancellation, step, steps):
    if step.state != "done":
        return
    move = ledger.move.get(step.source_move_id)
    transaction = ledger.transaction.get(step.transaction_id)
    if not transaction:
        is_by_hand = step.kind == "refund" and (move or step.sale_order_id)
        if not (is_by_hand and _is_paid_back(ledger, move, step, steps)):
            yield report(ledger, RULE, NOT_CONFIRMED, cancellation, move)
        return
    payment = ledger.payment.get(transaction.payment_id)
    is_lost = step.kind == "refund" and payment and payment.state in GONE
    if is_lost or not _is_confirmed(step, transaction):
        yield report(ledger, RULE, NOT_CONFIRMED, cancellation, move)
    yield from _check_amounts(ledger, cancellation, step, transaction)


def _is_paid_back(ledger, memo, step, steps):
    """Return whether an accountant has given back what a step by hand says."""
    payment = ledger.payment.get(step.payment_id)
    if payment or not memo:
        return bool(payment) and payment.state not in GONE
    by_hand = [
        other
        for other in steps
        if other.kind == "refund"
        and other.state == "done"
        and other.source_move_id == memo.id
        and not (other.transaction_id or other.payment_id)
    ]
    counted = {other.payment_id for other in (*steps, *ledger.transactions)} - {None}
    found = get_given_back(ledger, memo, without=counted)
    return found >= ledger.sum_units(by_hand, "amount")


def _is_confirmed(step, transaction):
    """Return whether a transaction is the confirmed one of a step."""
    is_refund = transaction.operation == "refund"
    source = transaction.source_transaction_id
    return (
        transaction.state == "done"
        and is_refund == OPERATIONS[step.kind]
        and transaction.cancellation_step_id == step.id
        and (not is_refund or source == step.source_transaction_id)
    )


def _check_amounts(ledger, cancellation, step, transaction):
    move = ledger.move.get(step.source_move_id)
    currency_id = transaction.currency_id
    expected = ledger.units_of(step, "amount")
    found = abs(ledger.units_of(transaction, "amount"))
    paid = transaction.payment_amount and abs(
        ledger.units(transaction.payment_amount, currency_id)
    )
    compared = [(WRONG_AMOUNT, expected, found)]
    if paid is not None:
        compared.append((WRONG_PAYMENT, found, paid))
    for sentence, wanted, given in compared:
        if wanted != given:
            yield report_amounts(
                ledger,
                RULE,
                sentence,
                cancellation,
                move,
                currency_id,
                wanted,
                given,
                transaction=transaction.reference,
            )


def _check_sources(ledger, cancellation, steps, by_source):
    sources = {step.source_transaction_id for step in steps} - {None}
    for source in map(ledger.transaction.get, sources):
        refunds = [
            transaction
            for transaction in by_source.get(source.id, [])
            if transaction.operation == "refund" and transaction.state == "done"
        ]
        found = abs(ledger.sum_units(refunds, "amount"))
        expected = ledger.units_of(source, "amount")
        if found > expected:
            yield report_amounts(
                ledger,
                RULE,
                BEYOND_SOURCE,
                cancellation,
                None,
                source.currency_id,
                expected,
                found,
                transaction=source.reference,
            )


def _check_memos(ledger, cancellation, steps):
    done = [step for step in steps if step.kind == "refund" and step.state == "done"]
    for memo_id, of_memo in group(done, "source_move_id").items():
        memo = ledger.move.get(memo_id)
        if not memo:
            continue
        found = ledger.sum_units(of_memo, "amount")
        expected = ledger.units_of(memo, "amount_total")
        if found > expected:
            yield report_amounts(
                ledger,
                RULE,
                BEYOND_MEMO,
                cancellation,
                memo,
                memo.currency_id,
                expected,
                found,
            )
