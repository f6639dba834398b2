# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C11: what is credited in full leaves nothing in the company's currency either."""

from collections import defaultdict

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "company_currency"
LEFT = _lt(
    "All of %(document)s is credited, but %(found)s of it is left on an account in the "
    "company's currency."
)


def check(ledger):
    """Yield a finding for each invoice that is not mirrored in both currencies."""
    told = set()
    for cancellation in ledger.sources:
        for memo in ledger.issued_by(cancellation, "out_refund"):
            invoice = ledger.move.get(memo.reversed_entry_id)
            if invoice and invoice.id not in told:
                told.add(invoice.id)
                yield from _check_invoice(ledger, cancellation, invoice)


def _check_invoice(ledger, cancellation, invoice):
    memos = ledger.counted_memos_of(invoice.id)
    moves = [invoice, *memos]
    # Others have a rate of their own, or book by hand.
    are_ours = all(
        (memo.cancellation_id or memo.pause_id) and memo.state == "posted"
        for memo in memos
    )
    is_foreign = invoice.currency_id != invoice.company_currency_id
    if not (are_ours and is_foreign) or ledger.is_rounded(moves):
        return
    left, in_currency = defaultdict(int), defaultdict(int)
    for move in moves:
        for line in ledger.lines_of.get(move.id, []):
            key = line.account_id, line.tax_line_id
            left[key] += ledger.units(line.balance, invoice.company_currency_id)
            in_currency[key] += ledger.units_of(line, "amount_currency")
    if any(in_currency.values()):
        return
    found = max(left.values(), key=abs)
    if found:
        yield report_amounts(
            ledger,
            RULE,
            LEFT,
            cancellation,
            invoice,
            invoice.company_currency_id,
            0,
            found,
        )
