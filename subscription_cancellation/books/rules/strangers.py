# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C6: a copy of an invoice that another customer got is not credited."""

from ..finding import translatable as _lt
from .report import report_amounts

RULE = "strangers"
CREDITED = _lt(
    "%(cancellation)s credits %(found)s of %(document)s, which is another customer's: "
    "it only copies the days of an invoice of this subscription."
)


def check(ledger):
    """Yield a finding for each credit of what another customer was billed."""
    for row in ledger.rows:
        credit = ledger.units_of(row, "credit_untaxed")
        if credit and row.origin_line_id in ledger.strangers:
            yield report_amounts(
                ledger,
                RULE,
                CREDITED,
                ledger.cancellation[row.cancellation_id],
                ledger.move[ledger.get_invoice_id(row)],
                row.currency_id,
                0,
                credit,
            )
