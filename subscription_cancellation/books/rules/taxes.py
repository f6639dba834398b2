# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C11: each tax of a credit memo is the share of what the invoice billed of it.

To the cent it depends on how taxes are rounded; here on what rounding can explain. To
the cent, `memos` compares it with the record and `invoices` with what was billed.
"""

from collections import defaultdict
from fractions import Fraction

from ..amounts import between
from ..finding import UNSURE
from ..finding import translatable as _lt
from .report import report_amounts

RULE = "taxes"
WRONG = _lt(
    "Credit memo %(document)s takes %(found)s of “%(tax)s” back, where its share of "
    "what was billed is %(expected)s."
)
UNKNOWN = _lt(
    "Credit memo %(document)s takes %(found)s of “%(tax)s” back: no share of what was "
    "billed, as that tax is not in proportion to the prices, or rebates outweigh them."
)
LEFT = _lt(
    "All that has “%(tax)s” on %(document)s is credited, but %(found)s of it is left."
)
#: Taxes whose amount is in proportion to the price of a line.
PROPORTIONAL = ("percent", "division")


def check(ledger):
    """Yield a finding for each tax of a credit memo that rounding cannot explain."""
    told = set()
    for cancellation in ledger.sources:
        if not cancellation.post_credit_memos:
            continue
        for memo in ledger.issued_by(cancellation, "out_refund"):
            invoice = ledger.move.get(memo.reversed_entry_id)
            if invoice and memo.state == "posted":
                yield from _check_memo(ledger, cancellation, memo, invoice)
                if invoice.id not in told:
                    yield from _check_rest(ledger, cancellation, invoice)
                told.add(invoice.id)


def _check_memo(ledger, cancellation, memo, invoice):
    bases, credited = (_sum_by_taxes(ledger, move) for move in (invoice, memo))
    billed, taken_back = _sum_taxes(ledger, invoice), _sum_taxes(ledger, memo)
    slack = _get_slack(ledger, memo, invoice)
    for tax_id in sorted(billed.keys() | taken_back.keys()):
        sets = [taxes for taxes in bases if _is_in(ledger, tax_id, taxes)]
        base = sum(bases[taxes] for taxes in sets)
        found = taken_back[tax_id]
        of_tax = sum(credited.get(taxes, 0) for taxes in sets)
        # Nor is a share certain where rebates make up for what else has the same tax.
        if not base or not _is_share_certain(ledger, tax_id, sets):
            finding = _report(ledger, UNKNOWN, cancellation, memo, tax_id, found, found)
            yield finding._replace(kind=UNSURE)
            continue
        share = round(Fraction(billed[tax_id] * of_tax, base))
        # They may also leave less to tax than one line alone is about.
        times = max(1, abs(Fraction(of_tax, base)))
        # What an order gave back of one invoice may leave others to be credited with
        # more than they billed with that tax: with all of it, then.
        is_all = times > 1 and between(billed[tax_id], found, share)
        if abs(share - found) > slack * times and not is_all:
            yield _report(ledger, WRONG, cancellation, memo, tax_id, share, found)


def _check_rest(ledger, cancellation, invoice):
    """Of what is credited in full, no tax is left."""
    memos = ledger.counted_memos_of(invoice.id)
    if not memos or any(map(ledger.take_backs.get_part, memos)):
        return
    latest = max(memos, key=lambda memo: memo.id)
    is_posted = all(memo.state == "posted" for memo in memos)
    if not (latest.cancellation_id and is_posted):
        return
    if ledger.is_rounded([invoice, *memos]):
        return
    billed = _sum_taxes(ledger, invoice)
    bases = _sum_by_taxes(ledger, invoice)
    credited = [
        (_sum_by_taxes(ledger, memo), _sum_taxes(ledger, memo)) for memo in memos
    ]
    for tax_id, units in billed.items():
        sets = [taxes for taxes in bases if _is_in(ledger, tax_id, taxes)]
        is_all = all(
            sum(own.get(taxes, 0) for own, _taxes in credited) == bases[taxes]
            for taxes in sets
        )
        left = units - sum(taxes.get(tax_id, 0) for _own, taxes in credited)
        if is_all and left and sets:
            yield _report(ledger, LEFT, cancellation, invoice, tax_id, 0, left)


def _report(ledger, sentence, cancellation, memo, tax_id, expected, found):
    return report_amounts(
        ledger,
        RULE,
        sentence,
        cancellation,
        memo,
        memo.currency_id,
        expected,
        found,
        tax=ledger.reader.taxes[tax_id].name,
    )


def _is_in(ledger, tax_id, taxes):
    """Return whether a set of taxes leads to a tax: by itself, or by a group of it."""
    groups = ledger.reader.taxes[tax_id].group_ids or ()
    return tax_id in taxes or not taxes.isdisjoint(groups)


def _is_share_certain(ledger, tax_id, sets):
    """Return whether a tax is in proportion to the price of all lines that have it.

    Where other taxes come on top of the price first, only lines with the same taxes
    have the same share.
    """
    kinds = ledger.reader.taxes
    taxes = frozenset().union(*sets)
    are_proportional = kinds[tax_id].amount_type in PROPORTIONAL and all(
        kinds[other].amount_type in (*PROPORTIONAL, "group") for other in taxes
    )
    is_plain = not any(
        kinds[other].include_base_amount or kinds[other].amount_type != "percent"
        for other in taxes
    )
    return are_proportional and (len(sets) == 1 or is_plain)


def _sum_by_taxes(ledger, move):
    """Return what a document is about without tax, by set of taxes."""
    sums = defaultdict(int)
    for line in ledger.product_lines(move):
        taxes = ledger.taxes_of.get(line.id, frozenset())
        sums[taxes] += ledger.booked(line)
    return {taxes: units for taxes, units in sums.items() if units}


def _sum_taxes(ledger, move):
    """Return the amount of each tax on a document, cash rounding aside.

    Of a reverse charge, what is added; it is taken back by an item of its own.
    """
    sign = 1 if move.move_type == "out_refund" else -1
    amounts = defaultdict(list)
    for line in ledger.lines_of.get(move.id, []):
        if line.tax_line_id and line.display_type == "tax":
            units = sign * ledger.units_of(line, "amount_currency")
            amounts[line.tax_line_id].append(units)
    return defaultdict(
        int,
        {tax_id: sum(own) or sum(map(abs, own)) for tax_id, own in amounts.items()},
    )


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
