# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Exact arithmetic: amounts are whole numbers of a currency's smallest unit."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

ONE_DAY = timedelta(days=1)
#: What the moments of one transaction differ by: they have different precisions.
SAME_MOMENT = timedelta(seconds=1)


class Reduction(tuple):
    """A credit that an order made itself: units, first day, last day."""

    __slots__ = ()


def to_units(amount: Decimal | None, rounding: Decimal) -> int:
    """Return an amount as a number of units of size ``rounding``."""
    quotient = (amount or Decimal(0)) / rounding
    return int(quotient.to_integral_value(ROUND_HALF_UP))


def round_half_up(value: Fraction) -> int:
    """Return the nearest whole number; a tie goes away from zero."""
    nearest = floor(abs(value) + Fraction(1, 2))
    return nearest if value >= 0 else -nearest


def count_days(first_day: date, last_day: date) -> int:
    """Return how many days there are from one day to another, both included."""
    return max((last_day - first_day).days + 1, 0)


def between(low: int, value: int, high: int) -> bool:
    """Return whether a value is between two others, whichever of them is greater."""
    return min(low, high) <= value <= max(low, high)


def share_within(
    units: int, first_day: date, last_day: date, start: date, end: date
) -> int:
    """Return the rounded part of an amount for the days from ``start`` to ``end``.

    :param units: spread evenly over ``first_day`` to ``last_day``, all days included
    """
    whole = count_days(first_day, last_day)
    part = count_days(max(first_day, start), min(last_day, end))
    return round_half_up(Fraction(units * part, whole))


def is_used_up(debit, earlier_credits, start: date, end: date) -> bool:
    """Return whether credits have left nothing of some days but roundings.

    :param debit: units, first day, last day of what was billed
    :param earlier_credits: the same of each credit of it
    """
    left = share_within(*debit, start, end)
    left -= sum(share_within(*credit, start, end) for credit in earlier_credits)
    return left * (1 if debit[0] >= 0 else -1) <= len(earlier_credits)


def reduce_whole(debit, credits_):
    """Return a line that billed less, and the credits that are still to be counted.

    A credit of an order for just the days of the line is not rounded by itself.
    """
    whole = [
        credit
        for credit in credits_
        if isinstance(credit, Reduction) and credit[1:] == debit[1:]
    ]
    units = debit[0] - sum(credit[0] for credit in whole)
    return (units, *debit[1:]), [one for one in credits_ if one not in whole]


def still_creditable(
    debit, earlier_credits, day: date | None, until: date | None = None
) -> int:
    """Return what may be credited of one billed line: the day ledger.

    :param debit: units, first day, last day of what was billed
    :param earlier_credits: the same of each credit of it
    :param day: first day without service; ``None``: all that is left
    :param until: last day without service, where it goes on after that
    """
    debit, earlier_credits = reduce_whole(debit, earlier_credits)
    billed = debit[0]
    left = billed - sum(credit[0] for credit in earlier_credits)
    if day is None:
        amount = left
    else:
        days = (day, until or date.max)
        amount = share_within(*debit, *days)
        amount -= sum(share_within(*credit, *days) for credit in earlier_credits)
    if billed >= 0:
        return max(0, min(amount, max(left, 0)))
    return min(0, max(amount, min(left, 0)))


def shift(day: date, count: int, unit: str, interval: int = 1) -> date:
    """Return the day some intervals later; a month that is too short ends earlier.

    :param unit: ``days``, ``weeks``, ``months`` or ``years``
    """
    if unit in ("days", "weeks"):
        return day + ONE_DAY * (count * interval * (7 if unit == "weeks" else 1))
    months = count * interval * (12 if unit == "years" else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last_day))
