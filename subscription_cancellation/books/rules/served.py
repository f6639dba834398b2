# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C9: what was served of late is invoiced when service ends, unless it is dropped."""

from collections import Counter, defaultdict
from datetime import date

from ..amounts import ONE_DAY, SAME_MOMENT, shift
from ..finding import Days
from ..finding import translatable as _lt
from .endings import get_last_endings
from .report import report

RULE = "served"
UNBILLED = _lt(
    "“%(service)s” was served for %(found)s, and no invoice covers that, although "
    "%(cancellation)s was to invoice what is not billed."
)


def check(ledger):
    """Yield a finding for each service with days that nobody has billed.

    Looked at are the billing period of the last day and the one before it, as far as
    they were ever billed here.
    """
    ended = defaultdict(list)
    for service_id, cancellation in get_last_endings(ledger).items():
        if service_id in ledger.service:
            ended[cancellation].append(ledger.service[service_id])
    for cancellation, services in ended.items():
        prices = [service.price for service in services]
        if not (_is_to_invoice(ledger, cancellation) and sum(prices) > 0):
            continue
        for service in services:
            days = service.price > 0 and _get_unbilled(ledger, cancellation, service)
            if days:
                found = Days(min(days), max(days))
                yield report(
                    ledger,
                    RULE,
                    UNBILLED,
                    cancellation,
                    found=found,
                    service=service.name,
                )


def _is_to_invoice(ledger, cancellation):
    """Return whether what is not billed was to be, and no step says that it was not."""
    is_said = any(
        (
            step.kind == "unbilled"
            and step.state == "skipped"
            and ledger.units_of(step, "amount")
        )
        # A payment of an order that is still to be invoiced.
        or (step.kind == "await_payment" and not step.source_move_id)
        for step in ledger.steps_of.get(cancellation.id, [])
    )
    return (
        cancellation.unbilled_charges == "invoice"
        and cancellation.executed_date
        and cancellation.next_date_before
        and cancellation.stage_type_before in (None, "in_progress")
        # Billing was to the day.
        and not cancellation.extension_start_date
        and not is_said
    )


def _get_unbilled(ledger, cancellation, service):
    """Return the days of the window that were served and are not billed."""
    if not service.billed_days:
        return []
    ever_billed = _get_ever_billed(service)
    subscription = ledger.subscription[cancellation.subscription_id]
    end = min(filter(None, (cancellation.effective_date, subscription.contract_end)))
    first_day = max(
        filter(
            None,
            (
                _get_start_of_window(subscription, cancellation, end - ONE_DAY),
                min(ever_billed),
                subscription.date_start,
                subscription.trial_end_date and subscription.trial_end_date + ONE_DAY,
            ),
        )
    )
    off = _get_days_off(ledger, cancellation, service, min(ever_billed))
    billed = _count_billed(ledger, cancellation, service)
    days = [first_day + ONE_DAY * n for n in range(max((end - first_day).days, 0))]
    return [
        day
        for day in days
        if billed[day] <= 0
        and (day in ever_billed or day >= cancellation.next_date_before)
        and not any(first <= day <= last for first, last in off)
    ]


def _get_ever_billed(service):
    """Return the days that were billed at any time, whatever became of it."""
    return {
        date.fromisoformat(first) + ONE_DAY * number
        for first, last in service.billed_days
        for number in range(
            (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        )
    }


def _get_start_of_window(subscription, cancellation, day):
    """Return where the billing period before that of a day begins."""
    interval = (subscription.interval_unit, subscription.interval)
    next_date = cancellation.next_date_before
    if day >= shift(next_date, 1, *interval):
        return next_date
    for _number in range(2):
        count = 0
        while shift(next_date, -count, *interval) > day:
            count += 1
        start = shift(next_date, -count, *interval)
        day = start - ONE_DAY
    return start


def _get_days_off(ledger, cancellation, service, billed_from):
    """Return first and last days without service: pauses, and ends taken back.

    What was served before billing began anew was settled then. What an order sold by
    delivered quantities is invoiced when it is delivered, if ever.
    """
    off = [
        (pause.date_from, pause.date_to or cancellation.effective_date)
        for pause in ledger.pauses_of.get(cancellation.subscription_id, [])
        if pause.state != "taken_back"
    ]
    off += [
        (sold.first_day, sold.last_day)
        for sold in ledger.sold_of.get(service.id, [])
        if sold.invoice_policy == "delivery"
    ]
    for other in ledger.by_subscription[cancellation.subscription_id]:
        rows = ledger.rows_of.get(other.id, [])
        if other.reactivated_date and any(
            row.subscription_line_id == service.id for row in rows
        ):
            resumed = other.reactivated_date.date() + ONE_DAY
            if resumed > other.effective_date:
                off.append((billed_from, resumed))
    return off


def _count_billed(ledger, cancellation, service):
    """Return how often each day is billed.

    Credits by hand give a day up; those of earlier cancellations, and of pauses, make
    it unbilled. What somebody cancelled after the end is theirs.
    """
    billed, mirrored = Counter(), set()
    executed = cancellation.executed_date + SAME_MOMENT
    for line in ledger.billed_of.get(service.id, []):
        move = ledger.move[line.move_id]
        if (
            not ledger.as_entry(line)
            or not line.start_date
            or (move.is_taken_back and move.move_type == "out_invoice")
        ):
            continue
        source = (move.cancellation_id, move.pause_id)
        if any(source) and (move.move_type == "out_refund" or move.reversed_entry_id):
            # Once, however many documents a credit, or taking it back, is split to.
            days = (*source, move.move_type, line.start_date, line.end_date)
            if days in mirrored:
                continue
            mirrored.add(days)
        if move.move_type == "out_invoice":
            is_later = move.write_date > executed
            sign = 1 if move.state != "cancel" or is_later else 0
        else:
            is_other = move.cancellation_id not in (None, cancellation.id)
            is_other |= move.pause_id is not None
            sign = -1 if is_other and move.state != "cancel" else 0
        for number in range((line.end_date - line.start_date).days + 1):
            billed[line.start_date + ONE_DAY * number] += sign
    return billed
