# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B7: nothing is invoiced for a period that begins when service has ended."""

from ..amounts import SAME_MOMENT
from ..finding import translatable as _lt
from .endings import get_last_endings
from .overdue import is_overdue
from .report import report

RULE = "billing"
BILLED = _lt(
    "%(document)s bills “%(service)s” from %(found)s on, but it ended before "
    "%(expected)s (%(cancellation)s)."
)
ON_TOP = _lt(
    "%(document)s bills “%(service)s” from %(found)s on, although it was to end before "
    "%(expected)s. %(cancellation)s was not executed in time."
)


def check(ledger):
    """Yield a finding for each invoice that bills a service after its end.

    Drafts of a service that has ended were settled with it, so that one is wrong
    whenever it was made. A posted one may have been there before, in advance: what
    `coverage` does not find is wrong only where it is younger.
    """
    for service_id, cancellation in get_last_endings(ledger).items():
        for line in ledger.billed_of.get(service_id, []):
            if _is_wrong(ledger, line, cancellation):
                yield _report(ledger, BILLED, cancellation, line)
    for cancellation in ledger.cancellations:
        if is_overdue(ledger, cancellation):
            yield from _check_overdue(ledger, cancellation)


def _report(ledger, sentence, cancellation, line):
    return report(
        ledger,
        RULE,
        sentence,
        cancellation,
        ledger.move[line.move_id],
        cancellation.effective_date,
        line.start_date,
        service=ledger.service[line.subscription_line_id].name,
    )


def _check_overdue(ledger, cancellation):
    """Yield what was invoiced on top when service should have ended already."""
    rows = ledger.rows_of.get(cancellation.id, [])
    day = cancellation.effective_date
    for service_id in sorted({row.subscription_line_id for row in rows}):
        for line in ledger.billed_of.get(service_id, []):
            invoice = ledger.move[line.move_id]
            is_younger = invoice.create_date.date() > day
            if (
                is_younger
                and invoice.state == "posted"
                and _is_after(ledger, line, cancellation)
            ):
                yield _report(ledger, ON_TOP, cancellation, line)


def _is_after(ledger, line, cancellation):
    """Return whether a line bills, of itself, days after the end of its service."""
    invoice = ledger.move[line.move_id]
    return bool(
        invoice.move_type == "out_invoice"
        and line.start_date
        and line.start_date >= cancellation.effective_date
        and not invoice.cancellation_id
        and not ledger.is_used_up(invoice.id)
    )


def _is_wrong(ledger, line, cancellation):
    invoice = ledger.move[line.move_id]
    if not _is_after(ledger, line, cancellation):
        return False
    executed = cancellation.executed_date + SAME_MOMENT
    is_younger = invoice.state == "posted" and invoice.create_date > executed
    return invoice.state == "draft" or is_younger
