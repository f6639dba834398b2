# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers have paid for an invoice, and got back on a credit memo: no rule."""

from decimal import Decimal
from fractions import Fraction
from math import floor


def get_received(ledger, invoice, until):
    """Return what was received for an invoice, in units of its currency.

    Credits of other invoices count, the invoice's own do not; nor does a discount or
    a write-off.

    :param datetime until: what was reconciled later does not count
    """
    return sum(
        floor(
            ledger.units(partial.debit_amount_currency, invoice.currency_id)
            * _get_share_of_money(ledger, partial, invoice)
        )
        for partial in ledger.paid_by.get(invoice.id, [])
        if partial.create_date <= until
    )


def _get_share_of_money(ledger, partial, invoice):
    """Return how much of what pays an invoice is money, from 0 to 1."""
    payment = ledger.payment.get(partial.credit_payment_id)
    if payment:
        total = Decimal(payment.receivable or 0)
        share = Fraction(Decimal(payment.amount)) / Fraction(total) if total else 1
        return min(share, 1)
    if partial.credit_move_type == "out_refund":
        return 0 if partial.credit_reversed_entry_id == invoice.id else 1
    return 1 if partial.credit_statement_line_id else 0


def get_given_back(ledger, memo, payment_ids=None):
    """Return what payments or bank statements are reconciled with a credit memo.

    :param payment_ids: only these payments
    """
    return sum(
        ledger.units(partial.credit_amount_currency, memo.currency_id)
        for partial in ledger.pays.get(memo.id, [])
        if (
            partial.debit_payment_id in payment_ids
            if payment_ids is not None
            else partial.debit_payment_id or partial.debit_statement_line_id
        )
    )


def get_collected(ledger, invoice, payment_id):
    """Return what of an invoice one payment is reconciled with."""
    return sum(
        ledger.units(partial.debit_amount_currency, invoice.currency_id)
        for partial in ledger.paid_by.get(invoice.id, [])
        if partial.credit_payment_id == payment_id
    )
