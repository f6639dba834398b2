# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A5, A6, B7: what is done has ended, what waits is to end once, on its date."""

from collections import defaultdict

from ..finding import translatable as _lt
from .report import report

RULE = "endings"
STILL_ACTIVE = _lt("“%(service)s” goes on, although %(cancellation)s ended it.")
WRONG_DATE = _lt(
    "“%(service)s” ends on %(found)s, by %(cancellation)s on %(expected)s."
)
NOT_CLOSED = _lt(
    "Nothing of the subscription goes on since %(cancellation)s, but it is not closed."
)
STILL_BILLED = _lt(
    "The subscription ended with %(cancellation)s, but has a next invoice on %(found)s."
)
OPEN_TWICE = _lt(
    "“%(service)s” waits for more than one cancellation, %(cancellation)s among them."
)


def get_last_endings(ledger):
    """Return, by service that has ended and not gone on since, what ended it last."""
    endings = {}
    done = [
        cancellation
        for cancellation in ledger.cancellations
        if cancellation.state == "done" and not cancellation.reactivated_date
    ]
    for cancellation in sorted(done, key=lambda c: (str(c.executed_date), c.id)):
        for row in ledger.rows_of.get(cancellation.id, []):
            endings[row.subscription_line_id] = cancellation
        for service_id in _get_unnamed(ledger, cancellation):
            # What ended on that day by itself was ended by that.
            endings.setdefault(service_id, cancellation)
    return endings


def _get_unnamed(ledger, cancellation):
    """Return what ended with the whole, whether or not a row names it."""
    services = ledger.services_of.get(cancellation.subscription_id, [])
    return [
        service.id
        for service in services
        if cancellation.is_whole
        and not service.active
        and service.cancellation_date == cancellation.effective_date
    ]


def check(ledger):
    """Yield a finding for each service and subscription that did not end properly."""
    endings = get_last_endings(ledger)
    for service_id, cancellation in endings.items():
        service = ledger.service.get(service_id)
        if service:
            yield from _check_ended(ledger, service, cancellation)
    yield from _check_closed(ledger, endings)
    yield from _check_open(ledger)


def _check_ended(ledger, service, cancellation):
    if service.active:
        yield report(ledger, RULE, STILL_ACTIVE, cancellation, service=service.name)
    yield from _check_date(ledger, service, cancellation)


def _check_date(ledger, service, cancellation):
    expected, found = cancellation.effective_date, service.cancellation_date
    if found != expected:
        yield report(
            ledger,
            RULE,
            WRONG_DATE,
            cancellation,
            None,
            expected,
            found,
            service=service.name,
        )


def _check_closed(ledger, endings):
    last = {c.subscription_id: c for c in endings.values()}
    for subscription_id, cancellation in last.items():
        services = ledger.services_of.get(subscription_id, [])
        if any(service.active for service in services):
            continue
        subscription = ledger.subscription[subscription_id]
        if subscription.stage_type != "post":
            yield report(ledger, RULE, NOT_CLOSED, cancellation)
        elif subscription.recurring_next_date:
            found = subscription.recurring_next_date
            yield report(ledger, RULE, STILL_BILLED, cancellation, None, None, found)


def _check_open(ledger):
    waiting = defaultdict(list)
    for row in ledger.rows:
        cancellation = ledger.cancellation[row.cancellation_id]
        if cancellation.is_open and not row.origin_line_id:
            waiting[row.subscription_line_id].append(cancellation)
    for service_id, cancellations in waiting.items():
        service = ledger.service.get(service_id)
        if not service:
            continue
        if len(cancellations) > 1:
            yield report(
                ledger, RULE, OPEN_TWICE, cancellations[-1], service=service.name
            )
        else:
            yield from _check_date(ledger, service, cancellations[0])
