# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C16: what a payment leaves that was on its way when service ended is settled."""

from ..finding import translatable as _lt
from .reductions import get_reduction
from .report import report_amounts

RULE = "awaited"
NOT_SETTLED = _lt(
    "%(found)s of payment %(payment)s are open. It was on its way when "
    "%(cancellation)s ended service and has arrived since, but credit memo "
    "%(document)s still reduces the invoice instead of being used, kept or refunded."
)
STANDING = ("in_process", "paid")
OPEN = ("pending", "failed")


def check(ledger):
    """Yield a finding for each payment that came too late for its own invoice."""
    collected = {
        transaction.payment_id
        for transaction in ledger.transactions
        if transaction.cancellation_step_id
    }
    for cancellation in ledger.cancellations:
        if cancellation.state != "done" or cancellation.reactivated_date:
            continue
        for memo in ledger.issued_by(cancellation, "out_refund"):
            if memo.state == "posted" and not _is_awaited(ledger, cancellation, memo):
                yield from _check_memo(ledger, cancellation, memo, collected)


def _is_awaited(ledger, cancellation, memo):
    """Return whether somebody still has to look at what has arrived, or gave it up."""
    return any(
        step.kind == "await_payment"
        and step.source_move_id == memo.reversed_entry_id
        and step.state in (*OPEN, "skipped")
        for step in ledger.steps_of.get(cancellation.id, [])
    )


def _check_memo(ledger, cancellation, memo, collected):
    """Yield a finding for each payment that leaves something beside a credit memo.

    :param collected: ids of the payments that steps have collected
    """
    reduction = get_reduction(ledger, memo)
    for linked in ledger.linked_payments_of.get(memo.reversed_entry_id, []):
        payment = ledger.payment[linked.payment_id]
        was_on_way = (
            payment.started
            # What a step collects begins when service ends.
            and payment.id not in collected
            and payment.started <= cancellation.executed_date
            and payment.create_date >= cancellation.executed_date
        )
        if not was_on_way or payment.state not in STANDING:
            continue
        excess = -ledger.units(payment.open, payment.currency_id)
        found = min(excess, reduction)
        if found > 0 and payment.currency_id == memo.currency_id:
            yield report_amounts(
                ledger,
                RULE,
                NOT_SETTLED,
                cancellation,
                memo,
                memo.currency_id,
                0,
                found,
                payment=payment.name,
            )
