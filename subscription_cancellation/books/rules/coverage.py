# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1, C3: when service has ended with a refund, nothing stays to be credited."""

from ..amounts import still_creditable
from ..finding import translatable as _lt
from .endings import get_last_endings
from .rebates import is_limited
from .report import report, report_amounts
from .rows import is_left_out

RULE = "coverage"
LEFT = _lt(
    "After %(cancellation)s, %(found)s of %(document)s are still billed for days "
    "without service and not credited."
)
NO_PERIOD = _lt(
    "“%(service)s” is billed without a period on %(document)s, so that nothing of it "
    "could be credited by %(cancellation)s."
)


def check(ledger):
    """Yield a finding for each invoice line that an ended service still owes."""
    for service_id, cancellation in get_last_endings(ledger).items():
        if cancellation.refund_mode != "none":
            yield from _check_service(ledger, service_id, cancellation)
            yield from _check_periods(ledger, service_id, cancellation)


def _check_periods(ledger, service_id, cancellation):
    for line in ledger.billed_of.get(service_id, []):
        invoice = ledger.move[line.move_id]
        if (
            invoice.move_type == "out_invoice"
            and invoice.state == "posted"
            and ledger.booked(line)
            and not ledger.as_entry(line)
            and not ledger.is_used_up(invoice.id)
        ):
            service = ledger.service[service_id].name
            yield report(
                ledger, RULE, NO_PERIOD, cancellation, invoice, service=service
            )


def _check_service(ledger, service_id, cancellation):
    billed = [
        line
        for line in ledger.billed_of.get(service_id, [])
        if ledger.move[line.move_id].move_type == "out_invoice"
        and ledger.move[line.move_id].state == "posted"
        and ledger.as_entry(line)
        and not ledger.take_backs.is_one(ledger.move[line.move_id])
    ]
    charged = _get_charged(ledger, cancellation) | _get_posted_since(
        ledger, cancellation, billed
    )
    day, lines = _get_window(billed, cancellation, charged)
    for line in lines:
        net = ledger.discounts.net_of(line)
        left = still_creditable(net, ledger.discounts.standing_credits_of(line), day)
        if left and not _is_left_on_purpose(ledger, line, cancellation):
            yield report_amounts(
                ledger,
                RULE,
                LEFT,
                cancellation,
                ledger.move[line.move_id],
                line.currency_id,
                0,
                left,
            )


def _get_charged(ledger, cancellation):
    """Return the ids of the invoices in which the cancellation charged served days."""
    steps = ledger.steps_of.get(cancellation.id, [])
    return {step.move_id for step in steps if step.kind == "unbilled"}


def _get_posted_since(ledger, cancellation, billed):
    """Return the ids of the invoices of served days that were drafts at the end.

    They bill these days together with lines that go on, and were not there to credit.
    """
    return {
        line.move_id
        for line in billed
        if line.end_date < cancellation.effective_date
        and line.move_id in ledger.posted_at
        and ledger.posted_at[line.move_id] > cancellation.executed_date
    }


def _get_window(billed, cancellation, charged):
    """Return the first day to credit, ``None`` for all, and the lines to look at.

    All of the billed period that was running last, and later ones, in a full refund;
    what was only billed by ending the service is not one of them.
    """
    day = cancellation.effective_date
    if cancellation.refund_mode != "full":
        return day, billed
    billed = [line for line in billed if line.move_id not in charged]
    running = [line for line in billed if line.start_date < day]
    if not running:
        return None, billed
    last_start = max((line.start_date, line.end_date) for line in running)[0]
    first = min(line.start_date for line in running if line.end_date >= last_start)
    return None, [line for line in billed if line.start_date >= first]


def _is_left_on_purpose(ledger, line, cancellation):
    """Return whether the credit was refused by an accountant, or has no room.

    Rebates that end may exceed the lines that end with them: what is left of them is
    not charged.
    """
    memos = [
        memo
        for memo in ledger.issued_by(cancellation, "out_refund")
        if memo.reversed_entry_id == line.move_id
    ]
    rows = [
        row
        for row in ledger.rows_of.get(cancellation.id, [])
        if (billed := ledger.get_service_line(row)) and billed.move_id == line.move_id
    ]
    total = ledger.sum_units(rows, "credit_untaxed", "credit_tax")
    own = [row for row in rows if row.origin_line_id == line.id]
    return (
        (memos and not cancellation.post_credit_memos)
        or line.move_id in ledger.unknown_discounts
        or ledger.is_all_used_up(line.move_id)
        or (own and total <= 0)
        or any(is_limited(ledger, row) or is_left_out(ledger, row) for row in own)
    )
