# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D4: the amounts on a cancellation are the sums of its rows."""

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "totals"
WRONG = _lt(
    "%(cancellation)s says %(found)s (%(amount)s), its rows come to %(expected)s."
)
#: By amount of the cancellation, what of the rows adds up to it, and what is taken off.
SUMS = {
    "credit_untaxed": (("credit_untaxed",), ()),
    "credit_tax": (("credit_tax",), ()),
    "credit_total": (("credit_untaxed", "credit_tax"), ()),
    "reduces_invoices": (("reduces_invoice",), ()),
    "refundable": (("credit_untaxed", "credit_tax"), ("reduces_invoice",)),
}
LABELS = {
    "credit_untaxed": _lt("credit without tax"),
    "credit_tax": _lt("tax of the credit"),
    "credit_total": _lt("credit with tax"),
    "reduces_invoices": _lt("what reduces invoices"),
    "refundable": _lt("remaining credit"),
}


def check(ledger):
    """Yield a finding for each amount of a cancellation that does not add up."""
    for cancellation in ledger.cancellations:
        rows = ledger.rows_of.get(cancellation.id, [])
        if {row.currency_id for row in rows} - {cancellation.currency_id}:
            # Converted at a rate that may have been corrected since.
            continue
        for name, (added, taken_off) in SUMS.items():
            expected = ledger.sum_units(rows, *added)
            expected -= ledger.sum_units(rows, *taken_off)
            if name == "refundable":
                expected += ledger.units_of(cancellation, "paid_ahead")
            found = ledger.units_of(cancellation, name)
            if found != expected:
                yield report_amounts(
                    ledger,
                    RULE,
                    WRONG,
                    cancellation,
                    None,
                    cancellation.currency_id,
                    expected,
                    found,
                    amount=LABELS[name],
                )
