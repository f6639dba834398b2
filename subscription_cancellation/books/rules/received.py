# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers have paid for an invoice, and got back on a credit memo: no rule."""

from decimal import Decimal
from fractions import Fraction
from math import floor

from ..amounts import round_half_up

#: States of payments whose money is gone again.
GONE = ("canceled", "rejected")


def get_received(ledger, invoice, until=None):
    """Return what was received for an invoice, in units of its currency.

    Credits of other invoices count, the invoice's own do not; nor does a discount or
    a write-off.

    :param datetime until: what was reconciled later does not count, if given
    """
    return sum(
        floor(
            ledger.units(partial.debit_amount_currency, invoice.currency_id)
            * _get_share_of_money(ledger, partial, "credit", invoice)
        )
        for partial in ledger.paid_by.get(invoice.id, [])
        if until is None or partial.create_date <= until
    )


def _get_share_of_money(ledger, partial, side, document):
    """Return how much of what pays a document, or pays it back, is money: 0 to 1.

    :param str side: ``debit`` or ``credit``, of what is reconciled with the document
    """
    payment = ledger.payment.get(getattr(partial, f"{side}_payment_id"))
    if payment and payment.state in GONE:
        # Odoo leaves a rejected one matched until somebody resets it.
        return 0
    if payment:
        return min(_divide(payment.amount, payment.receivable) or 1, 1)
    if side == "credit" and partial.credit_move_type == "out_refund":
        return 0 if partial.credit_reversed_entry_id == document.id else 1
    if getattr(partial, f"{side}_statement_line_id"):
        return 1
    liquid, owed = (getattr(partial, f"{side}_{name}") for name in ("liquid", "owed"))
    return min(max(-_divide(liquid, owed), 0), 1)


def _divide(amount, total):
    """Return the quotient of amounts as they were read, 0 where there is no total."""
    total = Fraction(Decimal(total or 0))
    return Fraction(Decimal(amount or 0)) / total if total else Fraction(0)


def was_charged_back(ledger, invoice_id):
    """Return whether a payment of an invoice was cancelled or rejected."""
    payments = ledger.linked_payments_of.get(invoice_id, [])
    return any(payment.state in GONE for payment in payments)


def is_money(ledger, partial, memo):
    """Return whether a credit memo is reconciled with money."""
    return _get_share_of_money(ledger, partial, "debit", memo) > 0


def get_given_back(ledger, memo, without=()):
    """Return what of a credit memo is reconciled with money.

    Payments, bank statements, or journal entries that were booked on a bank.

    :param without: ids of payments that do not count
    """
    return sum(
        round_half_up(
            ledger.units(partial.credit_amount_currency, memo.currency_id)
            * _get_share_of_money(ledger, partial, "debit", memo)
        )
        for partial in ledger.pays.get(memo.id, [])
        if partial.debit_payment_id not in without
    )


def get_collected(ledger, invoice, payment_id):
    """Return what of an invoice one payment is reconciled with."""
    return sum(
        ledger.units(partial.debit_amount_currency, invoice.currency_id)
        for partial in ledger.paid_by.get(invoice.id, [])
        if partial.credit_payment_id == payment_id
    )


def was_due_at(ledger, invoice_id, moment):
    """Return whether an invoice was due at a moment, by what Odoo told in its chatter.

    What has paid it since, or was taken off, is no more to be seen otherwise.

    :rtype: bool | None
    :return: ``None``: its payment state has not changed since
    """
    moment = moment.replace(microsecond=0)
    for change in ledger.payment_changes_of.get(invoice_id, []):
        if change.date >= moment:
            # Of the same second nobody knows what came first: not to its charge.
            is_unsure = change.date == moment and not change.is_due
            return change.was_due and not is_unsure
    return None
