# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C1: a rebate is taken back at most by the credit of the line that it reduces."""

from collections import defaultdict

from ..amounts import reduce_whole
from ..finding import translatable as _lt
from .report import report_amounts

RULE = "rebates"
BEYOND = _lt(
    "%(cancellation)s takes %(found)s of rebates on %(document)s back, more than the "
    "%(expected)s that it credits of the line that they reduce."
)


def check(ledger):
    """Yield a finding for each line whose rebates outweigh its credit."""
    for cancellation in ledger.cancellations:
        rows = ledger.rows_of.get(cancellation.id, [])
        for invoice_id in {ledger.get_invoice_id(row) for row in rows} - {None}:
            if not ledger.is_used_up(invoice_id):
                yield from _check_invoice(ledger, cancellation, invoice_id)


def _check_invoice(ledger, cancellation, invoice_id):
    rows = ledger.rows_on(cancellation, invoice_id)
    for rebates, reduced in _get_groups(ledger, rows):
        expected, found = _sum(ledger, reduced), -_sum(ledger, rebates)
        if found > max(expected, 0):
            yield report_amounts(
                ledger,
                RULE,
                BEYOND,
                cancellation,
                ledger.move[invoice_id],
                rebates[0].currency_id,
                expected,
                found,
            )


def is_limited(ledger, row):
    """Return whether a row had to leave out a part of a rebate.

    It takes back just as much as is credited of what it reduces.
    """
    cancellation = ledger.cancellation[row.cancellation_id]
    rows = ledger.rows_on(cancellation, ledger.get_invoice_id(row))
    return any(
        row in rebates and not _sum(ledger, rebates) + _sum(ledger, reduced)
        for rebates, reduced in _get_groups(ledger, rows)
    )


def is_outweighed(ledger, row):
    """Return whether nothing is credited, as a rebate has a tax of its own.

    What it leaves without tax would be less than nothing with it.
    """
    cancellation = ledger.cancellation[row.cancellation_id]
    rows = ledger.rows_on(cancellation, ledger.get_invoice_id(row))
    taxes = {ledger.taxes_of.get(other.origin_line_id) for other in rows}
    is_any = any(_is_rebate(ledger, other) for other in rows)
    amounts = [ledger.units_of(other, "credit_untaxed") for other in rows]
    return is_any and len(taxes) > 1 and not any(amounts)


def _get_groups(ledger, rows):
    """Return rebates, and the rows of what they reduce: a line, or all of them."""
    lines = defaultdict(list)
    for row in rows:
        lines[_get_service_id(ledger, row)].append(row)
    groups = defaultdict(list)
    for row in rows:
        if _is_rebate(ledger, row):
            groups[_find_reduced(ledger, row, lines)].append(row)
    result, free = [], groups.pop(None, [])
    for service_id, rebates in groups.items():
        if _sum_billed(ledger, rebates + lines[service_id]) < 0:
            free += rebates
        else:
            result.append((rebates, lines[service_id]))
    if free:
        result.append((free, [row for row in rows if row not in free]))
    return result


def _find_reduced(ledger, row, lines):
    """Return the id of the line that a rebate belongs to, if it is credited, too."""
    service = ledger.service.get(_get_service_id(ledger, row))
    while service and service.parent_line_id in lines:
        parents = lines[service.parent_line_id]
        if not all(_is_rebate(ledger, parent) for parent in parents):
            return service.parent_line_id
        service = ledger.service.get(service.parent_line_id)
    return None


def _get_service_id(ledger, row):
    return ledger.get_service_line(row).subscription_line_id


def _is_rebate(ledger, row):
    """Return whether there is less than nothing of a line: it reduces others.

    So does a line of which an order has given back the price before its discount.
    """
    line = ledger.get_service_line(row)
    credits_ = ledger.discounts.standing_credits_of(line)
    left, _others = reduce_whole(ledger.discounts.net_of(line), credits_)
    return left[0] < 0


def _sum_billed(ledger, rows):
    lines = {line.id: line for line in map(ledger.get_service_line, rows)}
    return sum(
        ledger.booked(line) + sum(ledger.discounts.shares_of(line).values())
        for line in lines.values()
    )


def _sum(ledger, rows):
    """Return what rows credit without tax, cash rounding aside."""
    return ledger.sum_units(rows, "credit_untaxed") - ledger.sum_units(
        rows, "credit_rounding"
    )
