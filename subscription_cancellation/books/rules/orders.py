# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C9: once service has ended, its order is invoiced for days of service only."""

from ..amounts import SAME_MOMENT
from ..finding import Days
from ..finding import translatable as _lt
from .endings import get_last_endings
from .report import report

RULE = "orders"
BEYOND = _lt(
    "%(document)s invoices “%(service)s” by its order for %(found)s, although "
    "%(cancellation)s had ended it before %(expected)s."
)
DROPPED = _lt(
    "%(document)s invoices “%(service)s” by its order for %(found)s, although "
    "%(cancellation)s had dropped what was not billed."
)


def check(ledger):
    """Yield a finding for each order that was invoiced for too much after the end."""
    for service_id, cancellation in get_last_endings(ledger).items():
        items = {
            item_id
            for sold in ledger.sold_of.get(service_id, [])
            for item_id in sold.item_ids
        }
        for line in ledger.billed_of.get(service_id, []):
            if line.id in items and _is_later(ledger, line, cancellation):
                yield from _check_line(ledger, line, cancellation)


def _is_later(ledger, line, cancellation):
    """Return whether somebody has invoiced this when service had ended."""
    invoice = ledger.move[line.move_id]
    executed = cancellation.executed_date + SAME_MOMENT
    return bool(
        invoice.move_type == "out_invoice"
        and invoice.state == "posted"
        and not invoice.cancellation_id
        and not invoice.pause_id
        and invoice.create_date > executed
        and line.start_date
        and ledger.booked(line) > 0
        and not ledger.is_used_up(invoice.id)
    )


def _check_line(ledger, line, cancellation):
    if cancellation.unbilled_charges == "drop":
        sentence = DROPPED
    elif line.end_date >= cancellation.effective_date:
        sentence = BEYOND
    else:
        return
    yield report(
        ledger,
        RULE,
        sentence,
        cancellation,
        ledger.move[line.move_id],
        cancellation.effective_date,
        Days(line.start_date, line.end_date),
        service=ledger.service[line.subscription_line_id].name,
    )
