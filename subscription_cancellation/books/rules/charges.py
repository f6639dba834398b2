# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B13: extra days that were charged one after the other cost what they do together."""

from fractions import Fraction

from dateutil.relativedelta import relativedelta

from ..amounts import ONE_DAY, count_days, round_half_up
from ..finding import Days
from ..finding import translatable as _lt
from .report import report_amounts

RULE = "charges"
ROUNDED = _lt(
    "%(cancellation)s has charged “%(service)s” for %(days)s with %(found)s in "
    "several invoices, where that many days cost %(expected)s."
)


def check(ledger):
    """Yield a finding for each period whose days do not add up to their price.

    A difference that rounding does not explain comes from another price; days of which
    some are paused are left out.
    """
    for cancellation in ledger.cancellations:
        if not cancellation.extension_start_date:
            continue
        for service_id, lines in _get_charged(ledger, cancellation).items():
            service = ledger.service[service_id]
            for whole, own in _split(ledger, cancellation, lines):
                yield from _check_period(ledger, cancellation, service, whole, own)


def _get_charged(ledger, cancellation):
    """Return the lines of extra days that stand, by service, in their order."""
    charged = {}
    for invoice in ledger.issued_by(cancellation, "out_invoice"):
        is_standing = invoice.state == "posted" and not invoice.is_taken_back
        if not is_standing or invoice.reversed_entry_id:
            continue
        for line in ledger.product_lines(invoice):
            if (
                line.subscription_line_id in ledger.service
                and line.start_date
                and line.start_date >= cancellation.extension_start_date
            ):
                charged.setdefault(line.subscription_line_id, []).append(line)
    return charged


def _split(ledger, cancellation, lines):
    """Yield first and last day of billing periods, with the lines that lie in them."""
    subscription = ledger.subscription[cancellation.subscription_id]
    interval = relativedelta(
        **{subscription.recurring_rule_type: subscription.recurring_interval}
    )
    last = max(line.end_date for line in lines)
    count, start = 0, cancellation.extension_start_date
    while start <= last:
        count += 1
        end = cancellation.extension_start_date + interval * count
        own = [line for line in lines if start <= line.start_date < end]
        yield (start, end - ONE_DAY), own
        start = end


def _check_period(ledger, cancellation, service, whole, lines):
    pauses = ledger.pauses_of.get(cancellation.subscription_id, [])
    if len(lines) < 2 or any(pause.state != "taken_back" for pause in pauses):
        return
    first = min(line.start_date for line in lines)
    last = max(line.end_date for line in lines)
    currency_id = lines[0].currency_id
    price = ledger.units(service.price_subtotal, currency_id)
    days = count_days(first, last)
    expected = round_half_up(Fraction(price * days, count_days(*whole)))
    found = sum(map(ledger.booked, lines))
    if found != expected and abs(found - expected) <= len(lines):
        yield report_amounts(
            ledger,
            RULE,
            ROUNDED,
            cancellation,
            ledger.move[lines[-1].move_id],
            currency_id,
            expected,
            found,
            service=service.name,
            days=Days(first, last),
        )
