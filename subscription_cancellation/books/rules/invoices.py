# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C4: no invoice, and no line of one, is credited beyond what it billed."""

from math import ceil

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "invoices"
BEYOND_TOTAL = _lt(
    "The credit memos of %(document)s come to %(found)s, more than the %(expected)s "
    "of the invoice."
)
BEYOND_TAX = _lt(
    "The credit memos of %(document)s take %(found)s tax back, more than the "
    "%(expected)s it was billed with."
)
BEYOND_LINE = _lt(
    "The credits of a line of %(document)s come to %(found)s, more than the "
    "%(expected)s it billed."
)
LIMITS = (("amount_total", BEYOND_TOTAL), ("amount_tax", BEYOND_TAX))


def check(ledger):
    """Yield a finding for each invoice that was credited beyond its amounts."""
    for invoice_id, cancellation in _get_credited_invoices(ledger).items():
        memos = ledger.memos_of(invoice_id)
        if memos:
            invoice = ledger.move[invoice_id]
            yield from _check_invoice(ledger, cancellation, invoice, memos)
            yield from _check_lines(ledger, cancellation, invoice)


def _get_credited_invoices(ledger):
    """Return the invoices that cancellations or pauses credit, each with one."""
    return {
        memo.reversed_entry_id: cancellation
        for cancellation in ledger.sources
        for memo in ledger.issued_by(cancellation, "out_refund")
        if memo.reversed_entry_id
    }


def _check_invoice(ledger, cancellation, invoice, memos):
    part = ledger.take_backs.get_part_of(invoice)
    for name, sentence in LIMITS:
        # Of what takes a credit memo back, what that has left due.
        limit = ceil(ledger.units_of(invoice, name) * (1 - part))
        credited = ledger.sum_counted(memos, name)
        if credited > limit >= 0:
            yield report_amounts(
                ledger,
                RULE,
                sentence,
                cancellation,
                invoice,
                invoice.currency_id,
                limit,
                credited,
            )


def _check_lines(ledger, cancellation, invoice):
    for line in ledger.product_lines(invoice):
        billed = ledger.booked(line)
        items = [
            item
            for item in ledger.credits_of.get(line.id, [])
            if ledger.move[item.move_id].move_type == "out_refund"
            and ledger.move[item.move_id].state in ("draft", "posted")
            and not ledger.take_backs.get_invoice(ledger.move[item.move_id])
        ]
        credited = sum(map(ledger.booked, items)) + sum(
            units
            for credit, units in ledger.order_credits.parts_of(line)
            if ledger.move[credit.move_id].state in ("draft", "posted")
        )
        if (credited > billed >= 0) or (credited < billed < 0):
            yield report_amounts(
                ledger,
                RULE,
                BEYOND_LINE,
                cancellation,
                invoice,
                line.currency_id,
                billed,
                credited,
            )
