# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C4, C6: what a credit memo gives back was billed by an invoice that stands."""

from ..finding import WAITING
from ..finding import translatable as _lt
from .report import report

RULE = "grounds"
CANCELLED = _lt(
    "Credit memo %(document)s of %(cancellation)s credits %(invoice)s, which was "
    "cancelled: nobody owed what it gives back."
)
RESET = _lt(
    "Credit memo %(document)s of %(cancellation)s credits %(invoice)s, which was reset "
    "to draft and has to be posted again."
)


def check(ledger):
    """Yield a finding for each posted credit memo without its invoice."""
    for source in ledger.sources:
        for memo in ledger.issued_by(source, "out_refund"):
            if memo.state == "posted" and not ledger.take_backs_of(memo):
                yield from _check_memo(ledger, source, memo)


def _check_memo(ledger, source, memo):
    origins = {line.origin_line_id for line in ledger.product_lines(memo)} - {None}
    ids = {
        ledger.line[line_id].move_id for line_id in origins if line_id in ledger.line
    }
    for invoice_id in sorted(ids | {memo.reversed_entry_id} - {None}):
        invoice = ledger.move[invoice_id]
        if invoice.state == "posted":
            continue
        sentence = CANCELLED if invoice.state == "cancel" else RESET
        finding = report(ledger, RULE, sentence, source, memo, invoice=invoice.name)
        yield finding if sentence is CANCELLED else finding._replace(kind=WAITING)
