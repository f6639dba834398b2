# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6: no more leaves of an invoice than was received for it and is not billed."""

from decimal import Decimal
from typing import Any, NamedTuple

from ..amounts import SAME_MOMENT
from ..finding import translatable as _lt
from ..ledger import group
from .received import GONE, get_received
from .report import report_amounts

RULE = "limits"
BEYOND_RECEIVED = _lt(
    "%(found)s of invoice %(document)s had gone back when %(cancellation)s sent "
    "%(transaction)s, but what was received for it, less what stays billed, is "
    "%(expected)s."
)
UNMATCHED = _lt(
    "%(found)s had gone to the customer of %(document)s by %(payment)s, and are "
    "matched with nothing, when %(cancellation)s sent %(transaction)s."
)
MONEY_THERE = ("in_process", "paid")


class Sent(NamedTuple):
    """A confirmed refund that a step has sent."""

    invoice_id: int
    cancellation: Any
    transaction: Any


def check(ledger):
    """Yield a finding for each invoice of which too much was given back."""
    for invoice_id, refunds in group(_get_sent(ledger), "invoice_id").items():
        invoice = ledger.move[invoice_id]
        yield from _check_unmatched(ledger, refunds[0])
        for refund in refunds:
            until = refund.transaction.create_date + SAME_MOMENT
            found = _get_back(ledger, invoice, refunds, refund.transaction, until)
            expected = max(_get_limit(ledger, invoice, until), 0)
            if found > expected:
                yield report_amounts(
                    ledger,
                    RULE,
                    BEYOND_RECEIVED,
                    refund.cancellation,
                    invoice,
                    invoice.currency_id,
                    expected,
                    found,
                    transaction=refund.transaction.reference,
                )
                break


def _check_unmatched(ledger, refund):
    """Yield a finding for each amount that a refund may have sent once more."""
    invoice = ledger.move[refund.invoice_id]
    customer = invoice.commercial_partner_id, invoice.company_id
    for item in ledger.unmatched_back_of.get(customer, []):
        is_older = item.create_date <= refund.transaction.create_date
        if is_older and _is_money(item):
            yield report_amounts(
                ledger,
                RULE,
                UNMATCHED,
                refund.cancellation,
                invoice,
                item.currency_id,
                0,
                ledger.units(item.open, item.currency_id),
                payment=item.name,
                transaction=refund.transaction.reference,
            )


def _is_money(item):
    """Return whether it was booked on the bank, or on what is on the way there."""
    owed, liquid = Decimal(item.owed or 0), Decimal(item.liquid or 0)
    return bool(item.payment_id or item.statement_line_id or owed * liquid < 0)


def _get_sent(ledger):
    """Return what steps have sent of invoices, the first one first."""
    sent = []
    for transaction in ledger.transactions:
        step = ledger.step.get(transaction.cancellation_step_id)
        memo = step and ledger.move.get(step.source_move_id)
        is_sent = transaction.operation == "refund" and transaction.state == "done"
        if is_sent and memo and memo.reversed_entry_id:
            cancellation = ledger.cancellation[step.cancellation_id]
            sent.append(Sent(memo.reversed_entry_id, cancellation, transaction))
    return sent


# === WHAT WENT BACK === #


def _get_back(ledger, invoice, refunds, last, until):
    """Return what had gone back of an invoice: by steps, by hand, however booked.

    :param last: the refund that was just sent; what somebody refunds after it is theirs
    """
    own = [one.transaction for one in refunds]
    sent = [one for one in own if one.create_date <= until]
    return (
        abs(ledger.sum_units(sent, "amount"))
        + _get_matched(ledger, invoice, {one.payment_id for one in own}, until)
        + _get_by_hand(ledger, own, last)
    )


def _get_matched(ledger, invoice, own_payment_ids, until):
    """Return what others have paid out on the credit memos of an invoice."""
    return sum(
        ledger.units(partial.credit_amount_currency, invoice.currency_id)
        for memo in ledger.memos_of(invoice.id)
        for partial in ledger.pays.get(memo.id, [])
        if partial.create_date <= until
        and (partial.debit_payment_id or partial.debit_statement_line_id)
        and partial.debit_payment_id not in own_payment_ids
    )


def _get_by_hand(ledger, own, last):
    """Return what was refunded of the same payments that no document is matched with.

    What was paid too much by them went back first.
    """
    total = 0
    for source_id in {transaction.source_transaction_id for transaction in own}:
        refunds = [
            transaction
            for transaction in ledger.transactions_of_source.get(source_id, [])
            if transaction.operation == "refund"
            and transaction.state == "done"
            and not transaction.cancellation_step_id
            and (transaction.create_date, transaction.id) < (last.create_date, last.id)
        ]
        open_units = sum(_get_open(ledger, refund) for refund in refunds)
        source = ledger.transaction.get(source_id)
        excess = min(_get_open(ledger, source), 0) if source else 0
        total += max(open_units + excess, 0)
    return total


def _get_open(ledger, transaction):
    """Return what is not matched of a transaction's payment; all that is not booked."""
    payment = ledger.payment.get(transaction.payment_id)
    if payment and payment.move_state == "posted":
        return ledger.units(payment.open, transaction.currency_id)
    is_refund = transaction.operation == "refund"
    return abs(ledger.units_of(transaction, "amount")) if is_refund else 0


# === WHAT MAY GO BACK === #


def _get_limit(ledger, invoice, until):
    """Return what was received for an invoice at most, less what stayed billed."""
    credited = [
        memo for memo in ledger.memos_of(invoice.id) if memo.create_date <= until
    ]
    stays_billed = ledger.units_of(invoice, "amount_total")
    stays_billed -= sum(_get_counted(ledger, memo, until) for memo in credited)
    received = get_received(ledger, invoice) + _get_lost(ledger, invoice, until)
    return received - stays_billed


def _get_counted(ledger, memo, until):
    """Return what a credit memo was about then: less what had been taken back."""
    invoice = ledger.take_backs.get_invoice(memo)
    was_taken_back = invoice and invoice.create_date < until - SAME_MOMENT
    return (
        ledger.sum_counted([memo], "amount_total")
        if was_taken_back
        else ledger.units_of(memo, "amount_total")
    )


def _get_lost(ledger, invoice, until):
    """Return what payments had brought that are not matched with an invoice any more.

    Those that were cancelled later, and those that somebody has unmatched: nobody
    knows when.
    """
    matched = {
        partial.credit_payment_id for partial in ledger.paid_by.get(invoice.id, [])
    }
    ids = {linked.payment_id for linked in ledger.linked_payments_of[invoice.id]}
    return sum(
        ledger.units_of(payment, "amount")
        for payment in map(ledger.payment.get, ids - matched)
        if payment.payment_type == "inbound"
        and payment.currency_id == invoice.currency_id
        and (
            payment.state in MONEY_THERE
            or (payment.state in GONE and payment.write_date > until)
        )
    )
