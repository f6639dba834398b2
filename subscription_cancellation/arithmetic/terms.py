# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""When a subscription can end at the earliest, and until when to ask for it.

Calendar arithmetic of notice periods, terms and alignments. No ORM, no clock.

Results are inclusive last days of service, as in "to end on 31 December, cancel by
30 September". What the terms are counted from is half-open: a period or a term ends
where the next one starts, and its last day is the day before.

Months are added to the original day and never chained, so that what starts on the
31st ends in February a few days early and in March on time.
"""

from datetime import date
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from .proration import ONE_DAY

LONGEST_MONTH = 31
#: What timings align the end to.
TIMING_ALIGNMENTS = {
    "end_of_period": "end_of_period",
    "end_of_billed": "end_of_period",
    "end_of_term": "end_of_term",
}


class NoTermError(ValueError):
    """The end of the term was asked for where there is no term."""


class Terms(NamedTuple):
    """What a policy asks for before a subscription may end.

    ``notice_unit`` is ``days``, ``weeks`` or ``months``. ``notice_counted`` is
    ``request`` (from the day of request on) or ``end`` (back from the last day).
    ``minimum_term`` and ``renewal_length`` are months; a renewal length of zero means
    that the term renews by its own length. ``alignment`` is ``any_day``,
    ``end_of_month``, ``end_of_period`` or ``end_of_term``.
    """

    notice_period: int = 0
    notice_unit: str = "months"
    notice_counted: str = "request"
    minimum_term: int = 0
    renewal_length: int = 0
    alignment: str = "any_day"

    @property
    def notice(self) -> relativedelta:
        """How long before the end notice has to be given."""
        return relativedelta(**{self.notice_unit: self.notice_period})

    def for_timing(self, timing: str) -> "Terms":
        """Return these with the alignment that a timing asks for, if it does."""
        alignment = TIMING_ALIGNMENTS.get(timing, self.alignment)
        return self._replace(alignment=alignment)

    @property
    def minimum(self) -> relativedelta:
        """The length of the first term."""
        return relativedelta(months=self.minimum_term)

    @property
    def renewal(self) -> relativedelta:
        """The length of every later term."""
        return relativedelta(months=self.renewal_length or self.minimum_term)


class Contract(NamedTuple):
    """What is known of a subscription.

    ``start`` is its first paid day, ``next_period_start`` the first day that is not
    billed yet, from which periods of length ``interval`` are counted. ``end`` is the
    first day after a fixed term, ``None`` where it runs until cancelled.
    ``period_end`` is the first day after the current period, ``None`` where no period
    beyond it is billed.
    """

    start: date
    next_period_start: date
    interval: relativedelta
    end: date | None = None
    period_end: date | None = None

    @property
    def last_day(self) -> date | None:
        """The last day of a fixed term."""
        return self.end and self.end - ONE_DAY


# === THE EARLIEST END === #


def earliest_end(request_day: date, terms: Terms, contract: Contract) -> date:
    """Return the last day of service for a request made on ``request_day``.

    It is the first aligned day that keeps the notice and is not before the last day
    of the minimum term. A fixed contract ends anyway: it is never after that end,
    even where the request is.

    :raise NoTermError: the end of the term is asked for, but there is none
    """
    day = max(
        _first_day_with_notice(request_day, terms),
        contract.start + terms.minimum - ONE_DAY,
    )
    last_day = ALIGNMENTS[terms.alignment](day, terms, contract)
    return min(last_day, contract.last_day or last_day)


def cancel_by(last_day: date, terms: Terms, contract: Contract) -> date:
    """Return the last day of request that still gives the end ``last_day``.

    :param last_day: a result of :func:`earliest_end`
    :return: for the end of a fixed contract that day itself, as every request until
        then ends there
    """
    if contract.last_day and last_day >= contract.last_day:
        return contract.last_day
    day = last_day - terms.notice
    if terms.notice_counted == "end":
        return day
    # A month later the last days of a long month all are the last day of a short one:
    # counted back from the day after, the latest of them is found.
    return max(day, last_day + ONE_DAY - terms.notice - ONE_DAY)


def keeps_notice(request_day: date, last_day: date, terms: Terms) -> bool:
    """Return whether the notice period lies between both days.

    The two ways of counting differ where months do: from 31 January on, a month is
    over on 28 February; back from 28 February, it begins on 28 January.
    """
    if terms.notice_counted == "end":
        return request_day <= last_day - terms.notice
    return request_day + terms.notice <= last_day


def is_ordinary(
    request_day: date, last_day: date, terms: Terms, contract: Contract
) -> bool:
    """Return whether the terms are kept: the end is not before the earliest one.

    Where there is no term whose end could be waited for, every day is.
    """
    try:
        return last_day >= earliest_end(request_day, terms, contract)
    except NoTermError:
        return True


def _first_day_with_notice(request_day: date, terms: Terms) -> date:
    """Return the first day that :func:`keeps_notice`.

    Where the target month lacks the day, a notice counted back from that month's end
    would begin before the request: the first day of the next month is the first.
    """
    day = request_day + terms.notice
    return day if keeps_notice(request_day, day, terms) else day + ONE_DAY


# === ALIGNMENT === #


def _same_day(day: date, terms: Terms, contract: Contract) -> date:
    """Return ``day``: all days are aligned."""
    return day


def _end_of_month(day: date, terms: Terms, contract: Contract) -> date:
    """Return the last day of the calendar month of ``day``."""
    return day + relativedelta(day=31)


def _end_of_period(day: date, terms: Terms, contract: Contract) -> date:
    """Return the first last day of a billing period from ``day`` on."""
    anchor = contract.period_end or contract.next_period_start
    return _last_day(day, anchor, contract.interval)


def _end_of_term(day: date, terms: Terms, contract: Contract) -> date:
    """Return the first last day of a term from ``day`` on.

    The first term is the minimum term, else the whole of a fixed contract.
    """
    if terms.minimum_term:
        return _last_day(day, contract.start, terms.renewal, terms.minimum)
    if contract.last_day is None:
        raise NoTermError("Neither a minimum term nor an end of the contract is set")
    return contract.last_day


#: alignment: function that returns the first such day on or after a day
ALIGNMENTS = {
    "any_day": _same_day,
    "end_of_month": _end_of_month,
    "end_of_period": _end_of_period,
    "end_of_term": _end_of_term,
}


def _last_day(
    day: date,
    anchor: date,
    step: relativedelta,
    first: relativedelta | None = None,
) -> date:
    """Return the first day from ``day`` on that is followed by a boundary.

    Boundaries are ``anchor + (first + n × step)``, n ≥ 0, each counted from the anchor.
    Those that must lie before ``day``, as if every month had 31 days, are skipped: an
    old daily subscription has thousands.

    :raise ValueError: ``step`` does not lead into the future
    """
    longest = (step.years * 12 + step.months) * LONGEST_MONTH + step.days
    if longest <= 0:
        raise ValueError("Periods and terms must last at least a day")
    first = first or relativedelta()
    boundary = anchor + first
    count = max((day - boundary).days // longest, 0)
    while boundary <= day:
        boundary = anchor + (first + step * count)
        count += 1
    return boundary - ONE_DAY
