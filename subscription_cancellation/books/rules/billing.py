# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B7: nothing is invoiced for a period that begins when service has ended."""

from ..finding import translatable as _lt
from .endings import get_last_endings
from .report import report

RULE = "billing"
BILLED = _lt(
    "%(document)s bills “%(service)s” from %(found)s on, but it ended before "
    "%(expected)s (%(cancellation)s)."
)


def check(ledger):
    """Yield a finding for each invoice that bills an ended service after its end.

    Drafts of a service that has ended were settled with it, so that one is wrong
    whenever it was made. A posted one may have been there before, in advance: what
    `coverage` does not find is wrong only where it is younger.
    """
    for service_id, cancellation in get_last_endings(ledger).items():
        for line in ledger.billed_of.get(service_id, []):
            if _is_wrong(ledger, line, cancellation):
                yield report(
                    ledger,
                    RULE,
                    BILLED,
                    cancellation,
                    ledger.move[line.move_id],
                    cancellation.effective_date,
                    line.start_date,
                    service=ledger.service[service_id].name,
                )


def _is_wrong(ledger, line, cancellation):
    invoice = ledger.move[line.move_id]
    is_after_end = line.start_date and line.start_date >= cancellation.effective_date
    if invoice.move_type != "out_invoice" or not is_after_end:
        return False
    if invoice.cancellation_id or ledger.is_used_up(invoice.id):
        return False
    if invoice.state == "draft":
        return True
    rows = ledger.rows_of[cancellation.id]
    executed = max(row.create_date for row in rows)
    return invoice.state == "posted" and invoice.create_date > executed
