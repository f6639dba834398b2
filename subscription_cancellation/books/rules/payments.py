# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C7, C8, C9: what credits paid, was written off or invoiced is in the books."""

from ..amounts import SAME_MOMENT
from ..finding import translatable as _lt
from .report import report, report_amounts

RULE = "payments"
NOT_PAID = _lt(
    "Credits were to have paid %(expected)s of %(document)s; %(found)s of it are paid."
)
OF_SOMEBODY_ELSE = _lt(
    "%(cancellation)s let %(credit)s pay %(found)s of %(document)s, which another "
    "customer owes."
)
NOT_BOOKED = _lt(
    "%(cancellation)s wrote %(document)s off, but there is no posted entry for it."
)
WRONG_WRITE_OFF = _lt(
    "%(cancellation)s wrote off %(expected)s of %(document)s, its entry %(found)s."
)
WRONG_INVOICE = _lt(
    "%(cancellation)s invoiced %(expected)s with %(document)s, which is about "
    "%(found)s."
)


def check(ledger):
    """Yield a finding for each done step whose amount is not in the books."""
    checks = {
        "apply_credits": _check_applied,
        "write_off": _check_written_off,
        "unbilled": _check_invoiced,
    }
    for cancellation in ledger.cancellations:
        for step in ledger.steps_of.get(cancellation.id, []):
            if step.state == "done" and step.kind in checks:
                yield from checks[step.kind](ledger, cancellation, step)


def _compare(ledger, sentence, cancellation, move, step, found, is_enough=False):
    expected = ledger.units_of(step, "amount")
    if found != expected and not (is_enough and found > expected):
        yield report_amounts(
            ledger,
            RULE,
            sentence,
            cancellation,
            move,
            step.currency_id,
            expected,
            found,
        )


def _get_paid(ledger, invoice, by=None):
    return sum(
        ledger.units(partial.debit_amount_currency, invoice.currency_id)
        for partial in ledger.paid_by.get(invoice.id, [])
        if by is None or partial.credit_move_id == by
    )


def _check_applied(ledger, cancellation, step):
    invoice = ledger.move[step.source_move_id]
    found = _get_paid(ledger, invoice)
    yield from _compare(
        ledger, NOT_PAID, cancellation, invoice, step, found, is_enough=True
    )
    for partial in ledger.paid_by.get(invoice.id, []):
        is_own = partial.credit_customer_id == partial.debit_customer_id
        if not is_own and _was_made_by(partial, cancellation, step):
            paid = ledger.units(partial.debit_amount_currency, invoice.currency_id)
            yield report_amounts(
                ledger,
                RULE,
                OF_SOMEBODY_ELSE,
                cancellation,
                invoice,
                invoice.currency_id,
                0,
                paid,
                credit=partial.credit_name,
            )


def _was_made_by(partial, cancellation, step):
    """Return whether a step reconciled this, not an accountant before or after."""
    first = cancellation.executed_date - SAME_MOMENT
    return first <= partial.create_date <= step.done_date + SAME_MOMENT


def _check_written_off(ledger, cancellation, step):
    invoice, entry = ledger.move[step.source_move_id], ledger.move.get(step.move_id)
    if not entry or entry.state != "posted":
        yield report(ledger, RULE, NOT_BOOKED, cancellation, invoice)
        return
    found = _get_paid(ledger, invoice, by=entry.id)
    yield from _compare(ledger, WRONG_WRITE_OFF, cancellation, invoice, step, found)


def _check_invoiced(ledger, cancellation, step):
    invoice = ledger.move.get(step.move_id)
    if invoice and invoice.state == "posted":
        found = ledger.units_of(invoice, "amount_total")
        yield from _compare(ledger, WRONG_INVOICE, cancellation, invoice, step, found)
