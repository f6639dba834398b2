# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D4: a row says truly which days of which invoice line it credits."""

from ..amounts import count_days
from ..finding import translatable as _lt
from .report import report

RULE = "figures"
WRONG_DAYS = _lt(
    "%(cancellation)s counts %(found)s days of a line of %(document)s, which was "
    "billed for %(expected)s (unused of all)."
)
WRONG_LINE = _lt(
    "%(cancellation)s credits “%(service)s” with a line of %(document)s that billed "
    "something else."
)


def check(ledger):
    """Yield a finding for each row that tells wrong days, or a wrong line."""
    for row in ledger.rows:
        if row.origin_line_id:
            yield from _check_row(ledger, row)


def _check_row(ledger, row):
    origin = ledger.get_service_line(row)
    cancellation = ledger.cancellation[row.cancellation_id]
    invoice = ledger.move[origin.move_id]
    if origin.subscription_line_id != row.subscription_line_id:
        service = ledger.service.get(row.subscription_line_id)
        name = service.name if service else row.subscription_line_id
        yield report(ledger, RULE, WRONG_LINE, cancellation, invoice, service=name)
        return
    if not (origin.start_date and origin.end_date):
        return
    days = count_days(origin.start_date, origin.end_date)
    start = max(origin.start_date, cancellation.effective_date)
    expected = count_days(start, origin.end_date), days
    found = row.unused_days, row.period_days
    told = row.period_start, row.period_end
    if found != expected or told != (origin.start_date, origin.end_date):
        yield report(
            ledger,
            RULE,
            WRONG_DAYS,
            cancellation,
            invoice,
            "{} / {}".format(*expected),
            "{} / {}".format(*found),
        )
