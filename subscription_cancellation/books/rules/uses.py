# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C5, C12: a credit memo pays its own invoice first, and never another customer's."""

from ..finding import translatable as _lt
from .received import is_money, was_due_at
from .report import report_amounts

RULE = "uses"
OTHER_CUSTOMER = _lt(
    "%(found)s of credit memo %(document)s have paid %(paid)s, which is another "
    "customer's."
)
OTHER_INVOICE = _lt(
    "%(found)s of credit memo %(document)s have paid %(paid)s, while so much was due "
    "on %(invoice)s, which it credits."
)


def check(ledger):
    """Yield a finding for each document that somebody else's credit has paid."""
    for cancellation in ledger.sources:
        for memo in ledger.issued_by(cancellation, "out_refund"):
            for partial in ledger.pays.get(memo.id, []):
                if not _is_its_own(ledger, memo, partial):
                    yield from _check_use(ledger, cancellation, memo, partial)


def _is_its_own(ledger, memo, partial):
    """Return whether it pays what it credits, is taken back, or was given back.

    Money may go to anybody.
    """
    reversals = {move.id for move in ledger.reversals_of.get(memo.id, [])}
    is_known = partial.debit_move_id in reversals | {memo.reversed_entry_id}
    return is_known or is_money(ledger, partial, memo)


def _check_use(ledger, cancellation, memo, partial):
    invoice = ledger.move.get(memo.reversed_entry_id)
    used = ledger.units(partial.credit_amount_currency, memo.currency_id)
    customers = {partial.debit_customer_id, partial.credit_customer_id} - {None}
    found = {
        OTHER_CUSTOMER: used if len(customers) > 1 else 0,
        OTHER_INVOICE: min(used, _get_due_then(ledger, memo, invoice, partial)),
    }
    for sentence, amount in found.items():
        if amount > 0:
            yield report_amounts(
                ledger,
                RULE,
                sentence,
                cancellation,
                memo,
                memo.currency_id,
                0,
                amount,
                paid=partial.debit_move_name,
                invoice=invoice and invoice.name,
            )


def _get_due_then(ledger, memo, invoice, use):
    """Return what was due on an invoice when its credit memo paid something else.

    Nothing where it was paid, as the chatter tells, or where that is not known: it is
    no invoice any more, or a payment of it, which may have stood then, does not pay it
    now. Nor where the memo has reduced it since: it is due again, as what had paid it
    was taken off.
    """
    if not invoice or invoice.state != "posted":
        return 0
    if was_due_at(ledger, invoice.id, use.create_date) is False:
        return 0
    partials = ledger.paid_by.get(invoice.id, [])
    if any(
        partial.credit_move_id == memo.id and partial.create_date > use.create_date
        for partial in partials
    ):
        return 0
    paying = {partial.credit_payment_id for partial in partials}
    linked = ledger.linked_payments_of.get(invoice.id, [])
    if {link.payment_id for link in linked} - paying:
        return 0
    paid = sum(
        ledger.units(partial.debit_amount_currency, invoice.currency_id)
        for partial in partials
        if partial.create_date <= use.create_date
    )
    return ledger.units_of(invoice, "amount_total") - paid
