# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Arithmetic of cancellations: periods, day shares, dates. No ORM, no clock.

Every period is half-open, ``[start, end)``: ``end`` is the first day after it.
Odoo and OCA store inclusive last days; :meth:`Period.from_inclusive` and
:attr:`Period.last_day` are the one place where the two conventions meet.

Every amount is a whole number of the currency's smallest unit (cents for USD,
yen for JPY), so that sums are exact; :func:`to_units` and :func:`from_units` convert.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

ONE_DAY = timedelta(days=1)


class Period(NamedTuple):
    """Calendar days from ``start`` up to, not including, ``end``."""

    start: date
    end: date

    @classmethod
    def from_inclusive(cls, first_day: date, last_day: date) -> "Period":
        """Return the period of which ``last_day`` is the last day."""
        return cls(first_day, last_day + ONE_DAY)

    @property
    def last_day(self) -> date:
        """The last day that belongs to the period."""
        return self.end - ONE_DAY

    @property
    def days(self) -> int:
        """Number of calendar days in the period."""
        return (self.end - self.start).days

    def days_from(self, day: date) -> int:
        """Return how many of the period's days are ``day`` or later."""
        return max((self.end - max(self.start, day)).days, 0)

    def common_days(self, other: "Period") -> int:
        """Return how many days two periods have in common."""
        return max((min(self.end, other.end) - max(self.start, other.start)).days, 0)

    def intersect(self, other: "Period") -> "Period":
        """Return what two periods have in common; it may have no days."""
        return Period(max(self.start, other.start), min(self.end, other.end))

    def split(self, day: date) -> list["Period"]:
        """Return the days before ``day``, and the others, where there are any."""
        parts = [
            Period(self.start, min(self.end, day)),
            Period(max(self.start, day), self.end),
        ]
        return [part for part in parts if part.days > 0]


class Charge(NamedTuple):
    """An amount (in currency units) spread evenly over the days of a period."""

    units: int
    period: Period

    def units_from(self, day: date, until: date | None = None) -> int:
        """Return the rounded part of the amount for the days from ``day`` on.

        :param until: the first day that does not count any more, if there is one
        """
        return self.units_in(Period(day, until or date.max))

    def units_in(self, period: Period) -> int:
        """Return the rounded part of the amount for the days of another period."""
        return half_up(self.units * self.period.common_days(period), self.period.days)


# === AMOUNTS === #


def to_units(amount: float, rounding: float) -> int:
    """Return ``amount`` as a number of currency units of size ``rounding``."""
    return int(
        (Decimal(repr(amount)) / Decimal(repr(rounding))).to_integral_value(
            ROUND_HALF_UP
        )
    )


def from_units(units: int, rounding: float) -> float:
    """Return the amount of ``units`` currency units of size ``rounding``."""
    return float(units * Decimal(repr(rounding)))


def half_up(numerator: int, denominator: int) -> int:
    """Return the rounded quotient; a tie goes away from zero."""
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def clamp(units: int, limit: int) -> int:
    """Return ``units`` moved between zero and ``limit`` (of either sign)."""
    low, high = min(0, limit), max(0, limit)
    return max(low, min(units, high))


def share_out(units: int, weights: Sequence[int]) -> list[int]:
    """Split ``units`` by weight; the shares add up to it.

    Where the weights say nothing, everybody gets the same.
    """
    total = sum(weights)
    if total <= 0:
        weights, total = [1] * len(weights), len(weights)
    shares, given, reached = [], 0, 0
    for weight in weights:
        reached += weight
        shares.append(half_up(units * reached, total) - given)
        given += shares[-1]
    return shares


def creditable(
    debit: Charge,
    earlier_credits: Iterable[Charge],
    effective_date: date | None,
    until: date | None = None,
) -> int:
    """Return what may still be credited of one billed line, in currency units.

    :param debit: what was billed
    :param earlier_credits: what was credited of it before (positive amounts)
    :param effective_date: first day without service; ``None`` for a full credit
    :param until: the day on which service goes on, where it does (a pause)
    :return: the billed share of the unused days less the credited share of those
        days, never more than what is left of the line and never below zero
    """
    earlier_credits = list(earlier_credits)
    left = debit.units - sum(credit.units for credit in earlier_credits)
    if effective_date is None:
        return clamp(left, debit.units)
    units = debit.units_from(effective_date, until)
    units -= sum(credit.units_from(effective_date, until) for credit in earlier_credits)
    return clamp(units, clamp(left, debit.units))


def credited_period(
    debit: Charge,
    earlier_credits: Iterable[Charge],
    effective_date: date | None,
    until: date | None = None,
) -> Period:
    """Return the days that a credit is for: the unused ones that were not credited yet.

    A credit is spread over its days when the next one is computed. If it were spread
    over days that an earlier one has taken, it would be found on the wrong days once
    one of the two has been charged again.

    :param debit: as for :func:`creditable`, like the others
    :return: without days at its ends of which nothing is left
    """
    earlier_credits = list(earlier_credits)
    start, end = debit.period
    window = Period(max(start, effective_date or start), min(end, until or end))
    cuts = {day for credit in earlier_credits for day in credit.period}
    inner = sorted(day for day in cuts if window.start < day < window.end)
    parts = list(map(Period, [window.start, *inner], [*inner, window.end]))
    left = [part for part in parts if _is_left(debit, earlier_credits, part)]
    return Period(left[0].start, left[-1].end) if left else window


def _is_left(debit: Charge, earlier_credits: list[Charge], part: Period) -> bool:
    """Return whether credits leave more of some days than their rounding."""
    own = [credit for credit in earlier_credits if credit.period.common_days(part)]
    left = debit.units_in(part) - sum(credit.units_in(part) for credit in own)
    return (left if debit.units >= 0 else -left) > len(own)


def latest_period_start(periods: Sequence[Period], effective_date: date) -> date | None:
    """Return the start of the billed period that was running on the last day.

    A full credit takes every period that starts there or later. What was credited
    and charged again lies within the period it came from, so periods that overlap
    count as one. Where the first period is still to come, that is its start.
    """
    running = [period for period in periods if period.start < effective_date]
    if not running:
        return min((period.start for period in periods), default=None)
    latest = max(running)
    return min(period.start for period in running if period.end > latest.start)


def fit(amounts: Sequence[int], limit: int) -> list[int]:
    """Return ``amounts`` cut, from the last one, until their sum fits ``limit``."""
    excess = sum(amounts) - max(limit, 0)
    fitted = []
    for units in reversed(amounts):
        cut = max(min(units, excess), 0)
        excess -= cut
        fitted.append(units - cut)
    return fitted[::-1]


# === DATES === #


def first_day_without_service(last_wish: date, day_billed: bool) -> date:
    """Return the effective date for a cancellation on ``last_wish``.

    :param day_billed: the cancellation day is still a served, billed day
    """
    return last_wish + ONE_DAY if day_billed else last_wish


def next_boundary(anchor: date, interval: relativedelta, after: date) -> date:
    """Return the first ``anchor + n × interval`` (n ≥ 0) later than ``after``.

    Counted from the anchor each time, so that a period that starts on the 31st
    does not drift to the 28th for good.
    """
    count = 0
    boundary = anchor
    while boundary <= after:
        count += 1
        boundary = anchor + interval * count
    return boundary


def split_by_billing_period(
    period: Period, anchor: date, interval: relativedelta
) -> list[tuple[Period, Period]]:
    """Return the parts of ``period``, each with the billing period it belongs to.

    :param anchor: where a billing period begins; not after the period's start
    """
    parts = []
    count = 0
    whole = Period(anchor, anchor + interval)
    while whole.start < period.end:
        part = Period(max(whole.start, period.start), min(whole.end, period.end))
        if part.days > 0:
            parts.append((part, whole))
        count += 1
        whole = Period(whole.end, anchor + interval * (count + 1))
    return parts


def get_uncovered(period: Period, covers: Iterable[tuple[Period, int]]) -> list[Period]:
    """Return the parts of a period that nothing covers.

    :param covers: periods, and what each adds: 1, or -1 where it takes one off
    """
    changes = Counter()
    for days, count in covers:
        if days.common_days(period):
            changes[max(days.start, period.start)] += count
            changes[min(days.end, period.end)] -= count
    parts, covered, start = [], 0, period.start
    for day in sorted({*changes, period.end}):
        if covered <= 0 and day > start:
            is_next = parts and parts[-1].end == start
            first_day = parts.pop().start if is_next else start
            parts.append(Period(first_day, day))
        covered += changes[day]
        start = day
    return parts


def unite(periods: Iterable[Period]) -> list[Period]:
    """Return the days of some periods, in order, as few periods as possible."""
    united = []
    for period in sorted(periods):
        if united and period.start <= united[-1].end:
            last = united.pop()
            period = Period(last.start, max(last.end, period.end))
        united.append(period)
    return united


def get_billing_periods(
    gap: Period, interval: relativedelta, is_cut: bool, anchor: date | None = None
) -> list[Period]:
    """Return the billing periods that days without an invoice belong to.

    They begin with the gap where billing that goes on from there, one period after
    the other, comes to its end; else they end with it.

    :param is_cut: the gap ends with a pause, not where a billing period begins
    :param anchor: where the period of its first day begins, as the gap ends within one
    """
    days = [gap.start]
    while days[-1] < gap.end:
        days.append(days[-1] + interval)
    if days[-1] != gap.end and not is_cut and anchor:
        days = [anchor]
        while days[-1] < gap.end:
            days.append(anchor + interval * len(days))
    elif days[-1] != gap.end and not is_cut:
        count, days = 0, [gap.end]
        while days[0] > gap.start:
            count += 1
            days.insert(0, gap.end - interval * count)
    return list(map(Period, days, days[1:]))
