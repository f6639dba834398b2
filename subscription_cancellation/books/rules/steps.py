# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6, D4: the steps account for every cent of each credit memo."""

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "steps"
WRONG = _lt(
    "The steps of %(cancellation)s account for %(found)s of credit memo %(document)s, "
    "which is about %(expected)s."
)
OPEN = ("pending", "failed")


def check(ledger):
    """Yield a finding for each credit memo whose amount the steps do not explain."""
    for cancellation in ledger.cancellations:
        if cancellation.state != "done" or cancellation.reactivated_date:
            continue
        steps = ledger.steps_of.get(cancellation.id, [])
        if any(
            step.kind in ("reduce", "apply_credits") and step.state in OPEN
            for step in steps
        ):
            # It is not known yet what these leave.
            continue
        for memo in ledger.issued_by(cancellation, "out_refund"):
            is_standing = memo.state == "posted" and not ledger.take_backs_of(memo)
            if is_standing and ledger.rows_on(cancellation, memo.reversed_entry_id):
                yield from _check_memo(ledger, cancellation, memo, steps)


def _check_memo(ledger, cancellation, memo, steps):
    total = ledger.units_of(memo, "amount_total")
    told = sum(
        ledger.units_of(step, "amount")
        for step in steps
        if step.source_move_id == memo.id and step.kind in ("reduce", "refund", "keep")
    )
    # Paid with it: by a step about the invoice that was paid, or by an accountant.
    if not told <= total <= told + _get_used_elsewhere(ledger, memo):
        yield report_amounts(
            ledger, RULE, WRONG, cancellation, memo, memo.currency_id, total, told
        )


def _get_used_elsewhere(ledger, memo):
    """Return how much of a credit memo is reconciled with other documents."""
    return sum(
        ledger.units(partial.credit_amount_currency, memo.currency_id)
        for partial in ledger.pays.get(memo.id, [])
        if partial.debit_move_id != memo.reversed_entry_id
    )
