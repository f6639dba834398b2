# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B7, D4: what was to end is not forgotten: it is done on its day, or somebody is told.

Nothing is wrong with the books yet, so that it only waits for somebody.
"""

from datetime import timedelta

from ..finding import WAITING
from ..finding import translatable as _lt
from .report import report

RULE = "overdue"
FAILED = _lt("%(cancellation)s was to end service on %(expected)s, but failed: %(why)s")
LATE = _lt(
    "%(cancellation)s is due since %(expected)s, but was not executed: its state is "
    "“%(state)s”."
)
NO_REASON = _lt("nobody knows why.")
STATES = {
    "to_approve": _lt("To Approve"),
    "scheduled": _lt("Scheduled"),
}
#: For the scheduled action, whatever the time zone is.
GRACE = timedelta(days=1)


def is_overdue(ledger, cancellation):
    """Return whether a cancellation should have been executed by now."""
    day = cancellation.effective_date
    is_over = day and day + GRACE < ledger.reader.today
    return bool(cancellation.is_open and is_over)


def check(ledger):
    """Yield what waits for somebody: cancellations that failed, or that are late."""
    for cancellation in ledger.cancellations:
        if cancellation.state == "failed":
            why = cancellation.failure_message or NO_REASON
            yield _report(ledger, FAILED, cancellation, why=why)
        elif is_overdue(ledger, cancellation):
            state = STATES.get(cancellation.state, cancellation.state)
            yield _report(ledger, LATE, cancellation, state=state)


def _report(ledger, sentence, cancellation, **named):
    day = cancellation.effective_date
    finding = report(ledger, RULE, sentence, cancellation, None, day, None, **named)
    return finding._replace(kind=WAITING)
