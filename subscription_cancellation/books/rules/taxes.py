# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C11: each tax of a credit memo is the share of what the invoice billed of it.

To the cent it depends on how taxes are rounded; here on what rounding can explain. To
the cent, `memos` compares it with the record and `invoices` with what was billed.
"""

from collections import defaultdict
from fractions import Fraction

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "taxes"
WRONG = _lt(
    "Credit memo %(document)s takes %(found)s of “%(tax)s” back, where its share of "
    "what was billed is %(expected)s."
)
#: Taxes whose amount is in proportion to the price of a line.
PROPORTIONAL = ("percent", "division")


def check(ledger):
    """Yield a finding for each tax of a credit memo that rounding cannot explain."""
    for cancellation in ledger.cancellations:
        if not cancellation.post_credit_memos:
            continue
        for memo in ledger.issued_by(cancellation, "out_refund"):
            invoice = ledger.move.get(memo.reversed_entry_id)
            if invoice and memo.state == "posted":
                yield from _check_memo(ledger, cancellation, memo, invoice)


def _check_memo(ledger, cancellation, memo, invoice):
    bases = _sum_by_taxes(ledger, invoice)
    if len(bases) != 1:
        # A tax of lines with different sets of taxes has no share that is certain.
        return
    [(taxes, base)] = bases.items()
    if base <= 0 or not _are_proportional(ledger, taxes):
        return
    credited = sum(_sum_by_taxes(ledger, memo).values())
    billed, taken_back = _sum_taxes(ledger, invoice), _sum_taxes(ledger, memo)
    slack = _get_slack(ledger, memo, invoice)
    for tax_id in billed.keys() | taken_back.keys():
        share = round(Fraction(billed[tax_id] * credited, base))
        if abs(share - taken_back[tax_id]) > slack:
            yield report_amounts(
                ledger,
                RULE,
                WRONG,
                cancellation,
                memo,
                memo.currency_id,
                share,
                taken_back[tax_id],
                tax=ledger.reader.taxes[tax_id].name,
            )


def _are_proportional(ledger, taxes):
    kinds = {ledger.reader.taxes[tax_id].amount_type for tax_id in taxes}
    return kinds.issubset(PROPORTIONAL)


def _sum_by_taxes(ledger, move):
    """Return what a document is about without tax, by set of taxes."""
    sums = defaultdict(int)
    for line in ledger.product_lines(move):
        taxes = ledger.taxes_of.get(line.id, frozenset())
        sums[taxes] += ledger.units_of(line, "price_subtotal")
    return {taxes: units for taxes, units in sums.items() if units}


def _sum_taxes(ledger, move):
    """Return the amount of each tax on a document, cash rounding aside."""
    sums = defaultdict(int)
    for line in ledger.lines_of.get(move.id, []):
        if line.tax_line_id and line.display_type == "tax":
            sums[line.tax_line_id] += abs(ledger.units_of(line, "amount_currency"))
    return sums


def _get_slack(ledger, memo, invoice):
    """Return by how many units rounding may move a tax of a credit memo.

    Each line of both may round on its own; the last credit memo takes what the earlier
    ones left.
    """
    memos = ledger.memos_of(invoice.id, ("draft", "posted", "cancel"))
    documents = [invoice, memo, *memos]
    rounding = sum(
        1
        for move in documents
        for line in ledger.lines_of.get(move.id, [])
        if line.display_type == "rounding"
    )
    if rounding:
        # Added to the largest tax, or not: as the company wants it.
        rounded = [
            abs(ledger.units_of(line, "amount_currency"))
            for move in documents
            for line in ledger.lines_of.get(move.id, [])
            if line.display_type == "rounding"
        ]
        rounding = sum(rounded)
    return 1 + rounding + sum(len(ledger.product_lines(move)) for move in documents)
