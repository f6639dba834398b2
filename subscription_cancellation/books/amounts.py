# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Exact arithmetic: amounts are whole numbers of a currency's smallest unit."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

ONE_DAY = timedelta(days=1)
#: What the moments of one transaction differ by: they have different precisions.
SAME_MOMENT = timedelta(seconds=1)


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


def share_from(units: int, first_day: date, last_day: date, day: date) -> int:
    """Return the rounded part of an amount for the days from ``day`` on.

    :param units: spread evenly over ``first_day`` to ``last_day``, both included
    """
    return share_within(units, first_day, last_day, day, last_day)


def share_within(
    units: int, first_day: date, last_day: date, start: date, end: date
) -> int:
    """Return the rounded part of an amount for the days from ``start`` to ``end``."""
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


def still_creditable(debit, earlier_credits, day: date | None) -> int:
    """Return what may be credited of one billed line: the day ledger.

    :param debit: units, first day, last day of what was billed
    :param earlier_credits: the same of each credit of it
    :param day: first day without service; ``None``: all that is left
    """
    billed = debit[0]
    left = billed - sum(credit[0] for credit in earlier_credits)
    if day is None:
        amount = left
    else:
        amount = share_from(*debit, day)
        amount -= sum(share_from(*credit, day) for credit in earlier_credits)
    if billed >= 0:
        return max(0, min(amount, max(left, 0)))
    return min(0, max(amount, min(left, 0)))
