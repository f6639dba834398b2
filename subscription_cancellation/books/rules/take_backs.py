# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B13, B15: what was taken back was so in full, once, and by its opposite."""

from ..finding import translatable as _lt
from .report import report, report_amounts

RULE = "take_backs"
TWICE = _lt(
    "Credit memo %(document)s is taken back by %(found)s documents instead of one."
)
WRONG_AMOUNT = _lt(
    "Invoice %(document)s takes %(found)s back of a credit memo of %(expected)s."
)
NOT_CREDITED = _lt(
    "Invoice %(document)s of extra days was taken back, but only %(found)s of its "
    "%(expected)s are credited."
)
WITHOUT_ROWS = _lt(
    "Credit memo %(document)s belongs to %(cancellation)s, which does not know of it "
    "and has not taken it back."
)

STILL_REDUCES = _lt(
    "Credit memo %(document)s was taken back, but still takes %(found)s off the "
    "invoice that it credits."
)
BOTH_OPEN = _lt(
    "%(found)s of credit memo %(document)s are open, and so much is still due on the "
    "invoice that takes it back."
)


def check(ledger):
    """Yield a finding for each document that was not taken back as it should be."""
    for cancellation in ledger.cancellations:
        for memo in ledger.issued_by(cancellation, "out_refund"):
            yield from _check_memo(ledger, cancellation, memo)
        for invoice in ledger.issued_by(cancellation, "out_invoice"):
            if invoice.is_taken_back and invoice.state == "posted":
                yield from _check_charge(ledger, cancellation, invoice)


def _check_memo(ledger, cancellation, memo):
    take_backs = ledger.take_backs_of(memo)
    invoices = [move for move in take_backs if move.move_type == "out_invoice"]
    if len(take_backs) > 1:
        yield report(ledger, RULE, TWICE, cancellation, memo, 1, len(take_backs))
    is_known = ledger.rows_on(cancellation, memo.reversed_entry_id)
    if memo.state == "posted" and not is_known and not take_backs:
        yield report(ledger, RULE, WITHOUT_ROWS, cancellation, memo)
    for invoice in invoices:
        names = ("amount_untaxed", "amount_tax", "amount_total")
        amounts = [
            (ledger.units_of(memo, name), ledger.units_of(invoice, name))
            for name in names
        ]
        wrong = [pair for pair in amounts if pair[0] != pair[1]]
        if wrong:
            yield report_amounts(
                ledger,
                RULE,
                WRONG_AMOUNT,
                cancellation,
                invoice,
                memo.currency_id,
                *wrong[0],
            )
        if memo.is_taken_back and memo.state == "posted":
            # Not by hand, nor by an earlier version, which left all as it was.
            yield from _check_matched(ledger, cancellation, memo, invoice)


def _check_matched(ledger, cancellation, memo, invoice):
    """Undone, a credit memo is used for nothing but what takes it back.

    As far as nobody was paid back on it, and it has paid nothing else.
    """
    credited = ledger.move.get(memo.reversed_entry_id)
    reducing = ledger.take_backs.get_matched(memo, credited) if credited else 0
    both = min(ledger.get_open(memo), ledger.get_open(invoice))
    for sentence, found in ((STILL_REDUCES, reducing), (BOTH_OPEN, both)):
        if found > 0:
            yield report_amounts(
                ledger, RULE, sentence, cancellation, memo, memo.currency_id, 0, found
            )


def _check_charge(ledger, cancellation, invoice):
    expected = ledger.units_of(invoice, "amount_total")
    found = ledger.sum_units(ledger.memos_of(invoice.id), "amount_total")
    if found != expected:
        yield report_amounts(
            ledger,
            RULE,
            NOT_CREDITED,
            cancellation,
            invoice,
            invoice.currency_id,
            expected,
            found,
        )
