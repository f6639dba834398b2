# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D4, B4: requested, executed and undone in this order; and on the day wished for."""

from ..amounts import ONE_DAY
from ..finding import translatable as _lt
from .report import report

RULE = "dates"
WRONG_ORDER = _lt(
    "%(cancellation)s was %(later)s on %(found)s, before it was %(earlier)s on "
    "%(expected)s."
)
NOT_EXECUTED = _lt("%(cancellation)s is done, but does not say since when.")
NOT_DONE = _lt("%(cancellation)s says it was done on %(found)s, but it is not done.")
WRONG_DAY = _lt(
    "%(cancellation)s was wished for %(wish)s, so that it ends service before "
    "%(expected)s, not %(found)s."
)
ORDER = {
    "request_date": _lt("requested"),
    "executed_date": _lt("executed"),
    "reactivated_date": _lt("undone"),
}


def check(ledger):
    """Yield a finding for each cancellation whose dates contradict each other."""
    for cancellation in ledger.cancellations:
        yield from _check_order(ledger, cancellation)
        yield from _check_state(ledger, cancellation)
        yield from _check_day(ledger, cancellation)


def _check_order(ledger, cancellation):
    known = [
        (name, moment) for name in ORDER if (moment := getattr(cancellation, name))
    ]
    for (earlier, first), (later, second) in zip(known, known[1:], strict=False):
        if second < first:
            yield report(
                ledger,
                RULE,
                WRONG_ORDER,
                cancellation,
                None,
                first,
                second,
                earlier=ORDER[earlier],
                later=ORDER[later],
            )


def _check_state(ledger, cancellation):
    found = cancellation.executed_date
    if cancellation.state == "done" and not found:
        yield report(ledger, RULE, NOT_EXECUTED, cancellation)
    elif cancellation.state != "done" and found:
        yield report(ledger, RULE, NOT_DONE, cancellation, None, None, found)


def _check_day(ledger, cancellation):
    wish = cancellation.requested_date
    if cancellation.timing != "specific_date" or not wish:
        return
    expected = wish + ONE_DAY if cancellation.cancel_day_billed else wish
    found = cancellation.effective_date
    if found != expected:
        yield report(
            ledger, RULE, WRONG_DAY, cancellation, None, expected, found, wish=wish
        )
