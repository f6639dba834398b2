# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6, C7, C8, C9: the steps are those that the options of the cancellation ask for."""

from ..amounts import SAME_MOMENT
from ..finding import translatable as _lt
from .received import get_given_back, get_received, was_charged_back, was_due_at
from .report import report, report_amounts

RULE = "settlements"
KEPT = _lt(
    "%(cancellation)s keeps %(found)s of credit memo %(document)s on the customer's "
    "account. Credits were to be refunded as far as they were paid, which leaves "
    "%(expected)s to keep."
)
NOT_ASKED_FOR = _lt(
    "%(cancellation)s has a step “%(step)s” about %(document)s that its options do not "
    "ask for."
)
NO_STEP = _lt(
    "%(found)s of invoice %(document)s are open since %(cancellation)s has ended the "
    "subscription. They were to be collected or written off, but no step is about that."
)
LABELS = {
    "unbilled": _lt("Unbilled charges"),
    "apply_credits": _lt("Apply credits"),
    "collect": _lt("Collect"),
    "write_off": _lt("Write off"),
    "refund": _lt("Refund"),
    "keep": _lt("Keep"),
}
UNPAID = ("not_paid", "partial")


def check(ledger):
    """Yield a finding for each step that is missing, or that nobody asked for."""
    for cancellation in ledger.cancellations:
        steps = ledger.steps_of.get(cancellation.id, [])
        for step in steps:
            if not _is_asked_for(ledger, cancellation, step, steps):
                move = ledger.move.get(step.source_move_id or step.move_id)
                label = LABELS[step.kind]
                yield report(
                    ledger, RULE, NOT_ASKED_FOR, cancellation, move, step=label
                )
        if cancellation.state == "done" and not cancellation.reactivated_date:
            if cancellation.credit_settlement == "refund":
                yield from _check_kept(ledger, cancellation, steps)
            if cancellation.is_whole and cancellation.unpaid_invoices != "keep":
                yield from _check_unpaid(ledger, cancellation)


def _is_asked_for(ledger, cancellation, step, steps):
    """Return whether the options of a cancellation allow a step."""
    source = ledger.move.get(step.source_move_id)
    is_of_invoice = source is not None and source.move_type == "out_invoice"
    made = {other.move_id for other in steps if other.kind == "unbilled"}
    wanted = {
        "refund": cancellation.credit_settlement == "refund",
        "apply_credits": bool(cancellation.apply_credits),
        "write_off": cancellation.unpaid_invoices == "write_off",
        # What is invoiced now is collected in any case.
        "collect": cancellation.unpaid_invoices == "collect"
        or step.source_move_id in made,
        "keep": not is_of_invoice or cancellation.unpaid_invoices == "keep",
        "unbilled": cancellation.unbilled_charges == "invoice" or not step.move_id,
    }
    return wanted.get(step.kind, True)


# === REFUND, NOT KEEP === #


def _check_kept(ledger, cancellation, steps):
    """Credits are kept only as far as they were not paid, or cannot be given back."""
    for step in steps:
        memo = ledger.move.get(step.source_move_id)
        is_credit = memo is not None and memo.move_type == "out_refund"
        if step.kind != "keep" or step.state != "done" or not is_credit:
            continue
        if memo.state != "posted" or ledger.take_backs_of(memo):
            continue
        kept = ledger.units_of(step, "amount")
        # What has paid something since is not kept any more.
        owed = min(
            _get_refundable(ledger, cancellation, memo), ledger.get_open(memo), kept
        )
        if owed > 0:
            yield report_amounts(
                ledger,
                RULE,
                KEPT,
                cancellation,
                memo,
                memo.currency_id,
                kept - owed,
                kept,
            )


def _get_refundable(ledger, cancellation, memo):
    """Return what was received for the invoice of a memo beyond what stays billed.

    Less what was, or is going to be, given back of it; as of the execution.
    """
    invoice = ledger.move.get(memo.reversed_entry_id)
    if not invoice:
        return 0
    memos = ledger.memos_of(invoice.id)
    credited = ledger.sum_counted(
        [other for other in memos if other.id <= memo.id], "amount_total"
    )
    stays_billed = ledger.units_of(invoice, "amount_total") - credited
    until = cancellation.executed_date + SAME_MOMENT
    return (
        get_received(ledger, invoice, until)
        - stays_billed
        - sum(_get_promised_back(ledger, other) for other in memos)
    )


def _get_promised_back(ledger, memo):
    """Return what steps give, or somebody has given, back of a credit memo."""
    steps = [
        step
        for step in ledger.steps_of.get(memo.cancellation_id, [])
        if step.kind == "refund" and step.source_move_id == memo.id
    ]
    return max(ledger.sum_units(steps, "amount"), get_given_back(ledger, memo))


# === OPEN INVOICES === #


def _check_unpaid(ledger, cancellation):
    """Yield a finding for each invoice that was left open without a step about it."""
    settled = {
        move_id
        for other in ledger.by_subscription[cancellation.subscription_id]
        for step in ledger.steps_of.get(other.id, [])
        for move_id in (step.source_move_id, step.move_id)
        if step.kind != "reduce"
    }
    for invoice in _get_invoices(ledger, cancellation):
        left = _get_due(ledger, invoice)
        if left > 0 and invoice.id not in settled:
            yield report_amounts(
                ledger,
                RULE,
                NO_STEP,
                cancellation,
                invoice,
                invoice.currency_id,
                0,
                left,
            )


def _get_invoices(ledger, cancellation):
    """Return the open invoices that the subscription had when it ended."""
    services = ledger.services_of.get(cancellation.subscription_id, [])
    invoices = {
        line.move_id: ledger.move[line.move_id]
        for service in services
        for line in ledger.billed_of.get(service.id, [])
    }
    return [
        invoice
        for invoice in invoices.values()
        if invoice.move_type == "out_invoice"
        and invoice.state == "posted"
        and invoice.payment_state in UNPAID
        and not invoice.cancellation_id
        and invoice.create_date <= cancellation.executed_date
        # It was not open before.
        and not was_charged_back(ledger, invoice.id)
        and not _was_paid_then(ledger, cancellation, invoice)
    ]


def _was_paid_then(ledger, cancellation, invoice):
    """Return whether nothing was due on an invoice beside what was credited of it.

    A credit reduces what is due first, so that what was refundable had been paid. Of a
    bank match that somebody has removed since, Odoo has told in the chatter.
    """
    was_due = was_due_at(ledger, invoice.id, cancellation.executed_date)
    if was_due is not None:
        return not was_due
    rows = ledger.rows_on(cancellation, invoice.id)
    credited = ledger.sum_units(rows, "credit_untaxed", "credit_tax")
    return credited > ledger.sum_units(rows, "reduces_invoice")


def _get_due(ledger, invoice):
    """Return what is due, without what draft credit memos are going to take off."""
    drafts = ledger.memos_of(invoice.id, ("draft",))
    return ledger.get_open(invoice) - ledger.sum_units(drafts, "amount_total")
