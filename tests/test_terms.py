# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tables of dated cases for the earliest end (B5) and the end of the term (B3).

No database. Every date was counted by hand; hypothesis compares the rest with a walk
through the calendar, day by day.
"""

from datetime import date, timedelta
from unittest.mock import patch

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.subscription_cancellation.arithmetic.terms import (
    ALIGNMENTS,
    Contract,
    NoTermError,
    Terms,
    cancel_by,
    earliest_end,
    is_ordinary,
    keeps_notice,
)

ONE_DAY = timedelta(days=1)


def day(text):
    """Return a date from ``MM-DD`` of 2026 or from ``YYYY-MM-DD``."""
    return date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


def notice(text, **values):
    """Return the terms for a notice such as ``3 months``, counted from the request."""
    period, unit = text.split()
    return Terms(int(period), unit, **values)


def notice_before(text, **values):
    """Return the terms for a notice that is counted back from the end."""
    return notice(text, notice_counted="end", **values)


def contract(start="2024-01-01", anchor="08-01", end=None, **interval):
    """Return a contract, monthly unless told otherwise."""
    interval = relativedelta(**(interval or {"months": 1}))
    return Contract(day(start), day(anchor), interval, end and day(end))


def case(name, *values):
    """Return a row of a table under its name."""
    return pytest.param(*values, id=name)


# === NOTICE === #


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day", "kept"),
    [
        case("none, same day", notice("0 months"), "07-10", "07-10", True),
        case("none, yesterday", notice("0 months"), "07-11", "07-10", False),
        case("days on the limit", notice("14 days"), "07-10", "07-24", True),
        case("days one late", notice("14 days"), "07-11", "07-24", False),
        case("weeks on the limit", notice("2 weeks"), "07-10", "07-24", True),
        case("weeks one late", notice("2 weeks"), "07-11", "07-24", False),
        case("month on the limit", notice("1 months"), "07-10", "08-10", True),
        case("month one late", notice("1 months"), "07-11", "08-10", False),
        case("31st to February", notice("1 months"), "01-31", "02-28", True),
        case("31st to 27 February", notice("1 months"), "01-31", "02-27", False),
        case("leap on limit", notice("1 months"), "2028-01-31", "2028-02-29", True),
        case("leap one late", notice("1 months"), "2028-01-31", "2028-02-28", False),
        case("into a long month", notice("1 months"), "02-28", "03-31", True),
        case("from the 1st", notice("1 months"), "03-01", "03-31", False),
        case("back, none", notice_before("0 months"), "07-10", "07-10", True),
        case("back, none, late", notice_before("0 months"), "07-11", "07-10", False),
        case("back, days", notice_before("14 days"), "07-10", "07-24", True),
        case("back, days, late", notice_before("14 days"), "07-11", "07-24", False),
        case("back, weeks", notice_before("2 weeks"), "07-10", "07-24", True),
        case("back, weeks, late", notice_before("2 weeks"), "07-11", "07-24", False),
        case("back to February", notice_before("1 months"), "02-28", "03-31", True),
        case("back, one late", notice_before("1 months"), "03-01", "03-31", False),
        case(
            "back to a leap day",
            notice_before("1 months"),
            *("2028-02-29", "2028-03-31", True),
        ),
        case(
            "back to a leap day, late",
            notice_before("1 months"),
            *("2028-03-01", "2028-03-31", False),
        ),
        case("back from February", notice_before("1 months"), "01-28", "02-28", True),
        case("back, on 29 January", notice_before("1 months"), "01-29", "02-28", False),
        case("back, on 31 January", notice_before("1 months"), "01-31", "02-28", False),
    ],
)
def test_a_notice_exactly_on_the_limit_is_kept(terms, request_day, last_day, kept):
    """B5"""
    assert keeps_notice(day(request_day), day(last_day), terms) is kept


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day"),
    [
        case("none", notice("0 months"), "07-10", "07-10"),
        case("days", notice("14 days"), "07-10", "07-24"),
        case("days over February", notice("14 days"), "02-20", "03-06"),
        case("days over 29 Feb", notice("14 days"), "2028-02-20", "2028-03-05"),
        case("weeks", notice("6 weeks"), "07-10", "08-21"),
        case("weeks over New Year", notice("2 weeks"), "12-24", "2027-01-07"),
        case("month", notice("1 months"), "07-10", "08-10"),
        case("month from 30 January", notice("1 months"), "01-30", "02-28"),
        case("month from 31 January", notice("1 months"), "01-31", "02-28"),
        case("leap year, 30th", notice("1 months"), "2028-01-30", "2028-02-29"),
        case("leap year, 31st", notice("1 months"), "2028-01-31", "2028-02-29"),
        case("month from February", notice("1 months"), "02-28", "03-28"),
        case("from a leap day", notice("1 months"), "2028-02-29", "2028-03-29"),
        case("31st to 30th", notice("1 months"), "03-31", "04-30"),
        case("two months, not chained", notice("2 months"), "01-31", "03-31"),
        case("two to February", notice("2 months"), "12-31", "2027-02-28"),
        case("three to February", notice("3 months"), "11-30", "2027-02-28"),
        case("three to a leap day", notice("3 months"), "2027-11-30", "2028-02-29"),
        case("year from a leap day", notice("12 months"), "2028-02-29", "2029-02-28"),
        case("year to a leap year", notice("12 months"), "2027-02-28", "2028-02-28"),
    ],
)
def test_notice_runs_from_the_day_of_request(terms, request_day, last_day):
    """B5: any day can be the last."""
    assert earliest_end(day(request_day), terms, contract()) == day(last_day)


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day"),
    [
        case("none", notice_before("0 months"), "07-10", "07-10"),
        case("days", notice_before("14 days"), "02-20", "03-06"),
        case("weeks", notice_before("2 weeks"), "12-24", "2027-01-07"),
        case("month", notice_before("1 months"), "07-10", "08-10"),
        case("from 28 January", notice_before("1 months"), "01-28", "02-28"),
        case("from 29 January", notice_before("1 months"), "01-29", "03-01"),
        case("from 31 January", notice_before("1 months"), "01-31", "03-01"),
        case("leap, 29th", notice_before("1 months"), "2028-01-29", "2028-02-29"),
        case("leap, 30th", notice_before("1 months"), "2028-01-30", "2028-03-01"),
        case("from February", notice_before("1 months"), "02-28", "03-28"),
        case("from a leap day", notice_before("1 months"), "2028-02-29", "2028-03-29"),
        case("31st to 30th", notice_before("1 months"), "03-31", "05-01"),
        case("two months", notice_before("2 months"), "12-31", "2027-03-01"),
        case("three months", notice_before("3 months"), "11-30", "2027-03-01"),
        case("year", notice_before("12 months"), "2028-02-29", "2029-03-01"),
    ],
)
def test_notice_runs_back_from_the_end(terms, request_day, last_day):
    """B5: any day can be the last."""
    assert earliest_end(day(request_day), terms, contract()) == day(last_day)


# === MINIMUM TERM === #


@pytest.mark.parametrize(
    ("start", "terms", "request_day", "last_day"),
    [
        case("none", "01-01", Terms(), "07-10", "07-10"),
        case("running", "01-01", Terms(minimum_term=12), "07-10", "12-31"),
        case("its last day", "01-01", Terms(minimum_term=12), "12-31", "12-31"),
        case("over", "01-01", Terms(minimum_term=12), "2027-01-01", "2027-01-01"),
        case(
            "notice within",
            "01-01",
            notice("1 months", minimum_term=12),
            *("11-30", "12-31"),
        ),
        case(
            "notice one day past",
            "01-01",
            notice("1 months", minimum_term=12),
            *("12-01", "2027-01-01"),
        ),
        case(
            "back, on the limit",
            "01-01",
            notice_before("1 months", minimum_term=12),
            *("11-30", "12-31"),
        ),
        case(
            "back, one day past",
            "01-01",
            notice_before("1 months", minimum_term=12),
            *("12-01", "2027-01-01"),
        ),
        case("from the 31st", "01-31", Terms(minimum_term=1), "02-01", "02-27"),
        case("two from the 31st", "01-31", Terms(minimum_term=2), "02-01", "03-30"),
        case("leap", "2028-01-31", Terms(minimum_term=1), "2028-02-01", "2028-02-28"),
        case(
            "from a leap day",
            *("2024-02-29", Terms(minimum_term=12), "2024-03-01", "2025-02-27"),
        ),
        case(
            "to a leap day",
            *("2024-02-29", Terms(minimum_term=48), "2024-03-01", "2028-02-28"),
        ),
        case(
            "then the end of the month",
            "01-15",
            Terms(minimum_term=12, alignment="end_of_month"),
            *("07-10", "2027-01-31"),
        ),
        case(
            "then the end of the period",
            "01-15",
            Terms(minimum_term=12, alignment="end_of_period"),
            *("07-10", "2027-01-31"),
        ),
        case(
            "is the end of the term",
            "01-15",
            Terms(minimum_term=12, alignment="end_of_term"),
            *("07-10", "2027-01-14"),
        ),
    ],
)
def test_the_minimum_term_is_served_first(start, terms, request_day, last_day):
    """B5: billed until the end of July, monthly."""
    assert earliest_end(day(request_day), terms, contract(start)) == day(last_day)


@pytest.mark.parametrize(
    ("start", "terms", "request_day", "last_day"),
    [
        case("never begins", "03-01", Terms(), "01-10", "02-28"),
        case("never begins, noticed", "03-01", notice("1 months"), "01-10", "02-28"),
        case("notice runs into it", "03-01", notice("1 months"), "02-20", "03-20"),
        case("minimum term", "03-01", Terms(minimum_term=3), "01-10", "05-31"),
        case("month", "03-15", Terms(alignment="end_of_month"), "01-10", "03-31"),
        case(
            "month before", "03-01", Terms(alignment="end_of_month"), "01-10", "02-28"
        ),
        case("period", "03-15", Terms(alignment="end_of_period"), "01-10", "03-14"),
        case(
            "term",
            "03-15",
            Terms(minimum_term=12, alignment="end_of_term"),
            *("01-10", "2027-03-14"),
        ),
    ],
)
def test_a_request_before_the_start_ends_the_day_before_it_or_later(
    start, terms, request_day, last_day
):
    """B5"""
    unbilled = contract(start, anchor=start)
    assert earliest_end(day(request_day), terms, unbilled) == day(last_day)


# === END OF MONTH === #


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day"),
    [
        case("none, on the 1st", notice("0 months"), "07-01", "07-31"),
        case("none, on the last", notice("0 months"), "07-31", "07-31"),
        case("days on the limit", notice("14 days"), "07-17", "07-31"),
        case("days one late", notice("14 days"), "07-18", "08-31"),
        case("weeks on the limit", notice("6 weeks"), "11-19", "12-31"),
        case("weeks one late", notice("6 weeks"), "11-20", "2027-01-31"),
        case("month, 31 January", notice("1 months"), "01-31", "02-28"),
        case("month, 1 February", notice("1 months"), "02-01", "03-31"),
        case("month, 28 February", notice("1 months"), "02-28", "03-31"),
        case("month, 1 March", notice("1 months"), "03-01", "04-30"),
        case("leap, 31 January", notice("1 months"), "2028-01-31", "2028-02-29"),
        case("leap, 1 February", notice("1 months"), "2028-02-01", "2028-03-31"),
        case("back, 28 January", notice_before("1 months"), "01-28", "02-28"),
        case("back, 29 January", notice_before("1 months"), "01-29", "03-31"),
        case("back, 28 February", notice_before("1 months"), "02-28", "03-31"),
        case("back, 1 March", notice_before("1 months"), "03-01", "04-30"),
        case("back, 30 March", notice_before("1 months"), "03-30", "04-30"),
        case("back, 31 March", notice_before("1 months"), "03-31", "05-31"),
        case("back, leap", notice_before("1 months"), "2028-01-29", "2028-02-29"),
        case("back, leap, late", notice_before("1 months"), "2028-01-30", "2028-03-31"),
    ],
)
def test_the_month_is_served_to_its_end(terms, request_day, last_day):
    """B5"""
    terms = terms._replace(alignment="end_of_month")
    assert earliest_end(day(request_day), terms, contract()) == day(last_day)


# === END OF PERIOD === #


@pytest.mark.parametrize(
    ("anchor", "interval", "request_day", "last_day"),
    [
        case("running", "08-01", {"months": 1}, "07-10", "07-31"),
        case("its last day", "08-01", {"months": 1}, "07-31", "07-31"),
        case("not billed in time", "08-01", {"months": 1}, "08-01", "08-31"),
        case("paid ahead", "2027-01-01", {"months": 1}, "07-10", "12-31"),
        case("31st, itself", "01-31", {"months": 1}, "01-10", "01-30"),
        case("31st, February", "01-31", {"months": 1}, "01-31", "02-27"),
        case("31st, last day", "01-31", {"months": 1}, "02-27", "02-27"),
        case("31st, March", "01-31", {"months": 1}, "02-28", "03-30"),
        case("31st, March's last", "01-31", {"months": 1}, "03-30", "03-30"),
        case("31st, April", "01-31", {"months": 1}, "03-31", "04-29"),
        case("31st, May", "01-31", {"months": 1}, "04-30", "05-30"),
        case("31st, leap", "01-31", {"months": 1}, "2028-02-28", "2028-02-28"),
        case("31st, leap day", "01-31", {"months": 1}, "2028-02-29", "2028-03-30"),
        case("30th, March", "01-30", {"months": 1}, "02-28", "03-29"),
        case("quarter, April", "01-31", {"months": 3}, "02-01", "04-29"),
        case("quarter, July", "01-31", {"months": 3}, "04-30", "07-30"),
        case("daily", "07-01", {"days": 1}, "07-10", "07-10"),
        case("daily, old", "2016-08-01", {"days": 1}, "07-10", "07-10"),
        case("ten days, last", "07-01", {"days": 10}, "07-10", "07-10"),
        case("ten days, next", "07-01", {"days": 10}, "07-11", "07-20"),
        case("weekly, last", "07-06", {"weeks": 1}, "07-12", "07-12"),
        case("weekly, next", "07-06", {"weeks": 1}, "07-13", "07-19"),
        case("weekly, old", "2016-07-04", {"weeks": 1}, "07-13", "07-19"),
        case("fortnight, last", "07-06", {"weeks": 2}, "07-19", "07-19"),
        case("fortnight, next", "07-06", {"weeks": 2}, "07-20", "08-02"),
        case("yearly, last", "2024-02-29", {"years": 1}, "2025-02-27", "2025-02-27"),
        case("yearly, next", "2024-02-29", {"years": 1}, "2025-02-28", "2026-02-27"),
        case("yearly, leap", "2024-02-29", {"years": 1}, "2027-02-28", "2028-02-28"),
    ],
)
def test_the_billing_period_is_served_to_its_end(
    anchor, interval, request_day, last_day
):
    """B5: without notice."""
    terms = Terms(alignment="end_of_period")
    subscription = contract("2016-01-01", anchor, **interval)
    assert earliest_end(day(request_day), terms, subscription) == day(last_day)


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day"),
    [
        case("month, well before", notice("1 months"), "06-15", "07-31"),
        case("month, on the limit", notice("1 months"), "06-30", "07-31"),
        case("month, one late", notice("1 months"), "07-01", "08-31"),
        case("month, 31 July", notice("1 months"), "07-31", "08-31"),
        case("back, on the limit", notice_before("1 months"), "06-30", "07-31"),
        case("back, one late", notice_before("1 months"), "07-01", "08-31"),
        case("days, on the limit", notice("10 days"), "07-21", "07-31"),
        case("days, one late", notice("10 days"), "07-22", "08-31"),
    ],
)
def test_a_late_notice_costs_another_billing_period(terms, request_day, last_day):
    """B5: billed until the end of July, monthly."""
    terms = terms._replace(alignment="end_of_period")
    assert earliest_end(day(request_day), terms, contract()) == day(last_day)


@pytest.mark.parametrize(
    ("anchor", "interval"),
    [
        case("ten years of days", "2016-07-10", {"days": 1}),
        case("a century of weeks", "1926-07-10", {"weeks": 1}),
        case("thirty years of months", "1996-07-10", {"months": 1}),
        case("a century of years", "1926-07-10", {"years": 1}),
    ],
)
def test_periods_long_past_are_not_counted_one_by_one(anchor, interval):
    """B5"""
    terms = Terms(alignment="end_of_period")
    old = contract(anchor, anchor, **interval)
    multiply = relativedelta.__mul__
    with patch.object(relativedelta, "__mul__", autospec=True) as counted:
        counted.side_effect = multiply
        earliest_end(day("07-10"), terms, old)
    assert 1 <= counted.call_count <= 12


@pytest.mark.parametrize(
    "interval", [case("no length", {"days": 0}), case("backwards", {"months": -1})]
)
def test_a_period_that_leads_nowhere_is_refused(interval):
    """B5: rather than looked for without end."""
    terms = Terms(alignment="end_of_period")
    with pytest.raises(ValueError, match="at least a day"):
        earliest_end(day("08-10"), terms, contract(**interval))


# === END OF TERM === #


@pytest.mark.parametrize(
    ("start", "minimum", "renewal", "request_day", "last_day"),
    [
        case("first day", "2024-03-15", 12, 12, "2024-03-15", "2025-03-14"),
        case("last day", "2024-03-15", 12, 12, "2025-03-14", "2025-03-14"),
        case("renewed", "2024-03-15", 12, 12, "2025-03-15", "2026-03-14"),
        case("several renewals", "2024-03-15", 12, 12, "2027-06-01", "2028-03-14"),
        case("renewed by itself", "2024-03-15", 24, 0, "2026-03-15", "2028-03-14"),
        case("24, first term", "2024-03-15", 24, 12, "2025-01-01", "2026-03-14"),
        case("24 then 12", "2024-03-15", 24, 12, "2026-03-15", "2027-03-14"),
        case("24 then 12 twice", "2024-03-15", 24, 12, "2027-03-15", "2028-03-14"),
        case("12, first term", "2024-03-15", 12, 1, "2025-01-01", "2025-03-14"),
        case("12 then 1", "2024-03-15", 12, 1, "2025-03-15", "2025-04-14"),
        case("12 then 1, last day", "2024-03-15", 12, 1, "2025-04-14", "2025-04-14"),
        case("12 then 1, years on", "2024-03-15", 12, 1, "2027-06-20", "2027-07-14"),
        case("31st to February", "2024-08-31", 6, 6, "2024-09-01", "2025-02-27"),
        case("31st, back to it", "2024-08-31", 6, 6, "2025-02-28", "2025-08-30"),
        case("31st, and again", "2024-08-31", 6, 6, "2025-08-31", "2026-02-27"),
        case("leap day", "2024-02-29", 12, 12, "2024-03-01", "2025-02-27"),
        case("leap day again", "2024-02-29", 12, 12, "2027-03-01", "2028-02-28"),
    ],
)
def test_the_term_is_served_to_its_end(start, minimum, renewal, request_day, last_day):
    """B3, B5: without notice, any number of renewals ahead."""
    terms = Terms(minimum_term=minimum, renewal_length=renewal, alignment="end_of_term")
    assert earliest_end(day(request_day), terms, contract(start)) == day(last_day)


@pytest.mark.parametrize(
    ("terms", "renewal", "request_day", "last_day"),
    [
        case("on the limit", notice("3 months"), 12, "2026-12-14", "2027-03-14"),
        case("one late", notice("3 months"), 12, "2026-12-15", "2028-03-14"),
        case("late", notice("3 months"), 12, "2027-02-01", "2028-03-14"),
        case("back, limit", notice_before("3 months"), 12, "2026-12-14", "2027-03-14"),
        case("back, late", notice_before("3 months"), 12, "2026-12-15", "2028-03-14"),
        case("weeks, limit", notice("2 weeks"), 12, "2027-02-28", "2027-03-14"),
        case("weeks, late", notice("2 weeks"), 12, "2027-03-01", "2028-03-14"),
        case("monthly, limit", notice("1 months"), 1, "2025-03-14", "2025-04-14"),
        case("monthly, late", notice("1 months"), 1, "2025-03-15", "2025-05-14"),
    ],
)
def test_a_late_notice_renews_the_term(terms, renewal, request_day, last_day):
    """B3, B5: from 15 March 2024, twelve months at least."""
    terms = terms._replace(
        minimum_term=12, renewal_length=renewal, alignment="end_of_term"
    )
    subscription = contract("2024-03-15")
    assert earliest_end(day(request_day), terms, subscription) == day(last_day)


@pytest.mark.parametrize("renewal", [0, 12])
def test_without_a_term_there_is_no_end_of_term(renewal):
    """B3: what would be renewed is not known."""
    terms = Terms(renewal_length=renewal, alignment="end_of_term")
    with pytest.raises(NoTermError):
        earliest_end(day("07-10"), terms, contract())


# === FIXED CONTRACTS === #


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day"),
    [
        case("before its end", notice("1 months"), "11-15", "12-15"),
        case("on its end", notice("2 weeks"), "12-17", "12-31"),
        case("notice too long", notice("1 months"), "12-15", "12-31"),
        case("its last day", notice("1 months"), "12-31", "12-31"),
        case("over already", notice("1 months"), "2027-02-01", "12-31"),
        case("minimum too long", Terms(minimum_term=24), "07-10", "12-31"),
        case(
            "minimum too long, month",
            Terms(minimum_term=24, alignment="end_of_month"),
            *("07-10", "12-31"),
        ),
        case(
            "minimum too long, period",
            Terms(minimum_term=24, alignment="end_of_period"),
            *("07-10", "12-31"),
        ),
        case(
            "minimum too long, term",
            Terms(minimum_term=24, alignment="end_of_term"),
            *("07-10", "12-31"),
        ),
        case("it is the term", Terms(alignment="end_of_term"), "07-10", "12-31"),
        case(
            "a minimum term within",
            Terms(minimum_term=6, alignment="end_of_term"),
            *("06-30", "06-30"),
        ),
        case(
            "two terms within",
            Terms(minimum_term=6, alignment="end_of_term"),
            *("07-01", "12-31"),
        ),
        case(
            "a term across",
            Terms(minimum_term=8, alignment="end_of_term"),
            *("09-01", "12-31"),
        ),
    ],
)
def test_a_fixed_contract_ends_anyway(terms, request_day, last_day):
    """B3, B5: a contract for 2026."""
    fixed = contract("01-01", end="2027-01-01")
    assert earliest_end(day(request_day), terms, fixed) == day(last_day)


@pytest.mark.parametrize(
    ("alignment", "last_day"),
    [
        case("any day", "any_day", "08-02"),
        case("end of month", "end_of_month", "08-14"),
        case("end of period", "end_of_period", "08-14"),
        case("end of term", "end_of_term", "08-14"),
    ],
)
def test_a_contract_that_ends_within_a_period_is_not_prolonged(alignment, last_day):
    """B3, B5: asked on 2 August for the end of a contract until the 14th."""
    terms = Terms(alignment=alignment)
    fixed = contract("01-15", end="08-15")
    assert earliest_end(day("08-02"), terms, fixed) == day(last_day)


# === CANCEL BY === #


@pytest.mark.parametrize(
    ("terms", "last_day", "request_day"),
    [
        case("none", notice("0 months"), "07-10", "07-10"),
        case("days", notice("14 days"), "07-24", "07-10"),
        case("days over 29 Feb", notice("14 days"), "2028-03-05", "2028-02-20"),
        case("weeks", notice("2 weeks"), "2027-01-07", "12-24"),
        case("month", notice("1 months"), "08-10", "07-10"),
        case("31 January", notice("1 months"), "02-28", "01-31"),
        case("not the end of Feb", notice("1 months"), "02-27", "01-27"),
        case("leap, 31 January", notice("1 months"), "2028-02-29", "2028-01-31"),
        case("leap, 28 February", notice("1 months"), "2028-02-28", "2028-01-28"),
        case("27 March", notice("1 months"), "03-27", "02-27"),
        case("28 March", notice("1 months"), "03-28", "02-28"),
        case("30 March", notice("1 months"), "03-30", "02-28"),
        case("31 March", notice("1 months"), "03-31", "02-28"),
        case("29 April", notice("1 months"), "04-29", "03-29"),
        case("30 April", notice("1 months"), "04-30", "03-31"),
        case("three months", notice("3 months"), "12-31", "09-30"),
        case("three, February", notice("3 months"), "2027-02-28", "11-30"),
        case("year, leap day", notice("12 months"), "2028-02-29", "2027-02-28"),
        case("year, to a leap day", notice("12 months"), "2029-02-28", "2028-02-29"),
        case("back, none", notice_before("0 months"), "07-10", "07-10"),
        case("back, days", notice_before("14 days"), "07-24", "07-10"),
        case("back, weeks", notice_before("2 weeks"), "2027-01-07", "12-24"),
        case("back, 28 January", notice_before("1 months"), "02-28", "01-28"),
        case("back, 28 February", notice_before("1 months"), "03-31", "02-28"),
        case("back, leap", notice_before("1 months"), "2028-03-31", "2028-02-29"),
        case("back, 30 March", notice_before("1 months"), "04-30", "03-30"),
        case("back, three", notice_before("3 months"), "12-31", "09-30"),
        case("back, 28 November", notice_before("3 months"), "2027-02-28", "11-28"),
    ],
)
def test_cancel_by_is_the_last_day_that_keeps_the_notice(terms, last_day, request_day):
    """B5"""
    assert cancel_by(day(last_day), terms, contract()) == day(request_day)


@pytest.mark.parametrize(
    ("terms", "last_day", "request_day"),
    [
        case("its end", notice("3 months"), "12-31", "12-31"),
        case("its end, back", notice_before("3 months"), "12-31", "12-31"),
        case("its end, a day late", notice("3 months"), "2027-01-01", "12-31"),
        case("the day before", notice("3 months"), "12-30", "09-30"),
        case("an end of month", notice("3 months"), "11-30", "08-31"),
    ],
)
def test_until_the_end_of_a_fixed_contract_any_request_gives_that_end(
    terms, last_day, request_day
):
    """B5: a contract for 2026."""
    fixed = contract("01-01", end="2027-01-01")
    assert cancel_by(day(last_day), terms, fixed) == day(request_day)


@pytest.mark.parametrize(
    ("terms", "request_day", "last_day", "until"),
    [
        case(
            "quarter's notice to the end of the month",
            notice("3 months", alignment="end_of_month"),
            *("11-02", "2027-02-28", "11-30"),
        ),
        case(
            "the same, back",
            notice_before("3 months", alignment="end_of_month"),
            *("11-02", "2027-02-28", "11-28"),
        ),
        case(
            "a month's notice to the end of the period",
            notice("1 months", alignment="end_of_period"),
            *("07-01", "08-31", "07-31"),
        ),
        case(
            "a renewed year",
            notice("3 months", minimum_term=12, alignment="end_of_term"),
            *("2027-01-20", "2027-12-31", "2027-09-30"),
        ),
        case(
            "a minimum term",
            notice("2 weeks", minimum_term=36),
            *("07-10", "12-31", "12-17"),
        ),
    ],
)
def test_to_end_on_x_cancel_by_y(terms, request_day, last_day, until):
    """B5: what the dialog shows, for a monthly subscription since 1 January 2024."""
    subscription = contract()
    assert earliest_end(day(request_day), terms, subscription) == day(last_day)
    assert cancel_by(day(last_day), terms, subscription) == day(until)


# === ORDINARY OR NOT === #


@pytest.mark.parametrize(
    ("terms", "last_day", "ordinary"),
    [
        case("today without notice", Terms(), "07-10", True),
        case("yesterday", Terms(), "07-09", False),
        case("on the limit", notice("1 months"), "08-10", True),
        case("one day early", notice("1 months"), "08-09", False),
        case("before the aligned day", Terms(alignment="end_of_month"), "07-30", False),
        case("on the aligned day", Terms(alignment="end_of_month"), "07-31", True),
        case("later, not aligned", Terms(alignment="end_of_month"), "08-15", True),
        case("in the minimum term", Terms(minimum_term=36), "12-30", False),
        case("the minimum term's end", Terms(minimum_term=36), "12-31", True),
        case("no term to wait for", Terms(alignment="end_of_term"), "01-01", True),
    ],
)
def test_an_end_that_is_not_before_the_earliest_is_ordinary(terms, last_day, ordinary):
    """B4, B5: asked on 10 July 2026; since 1 January 2024."""
    assert is_ordinary(day("07-10"), day(last_day), terms, contract()) is ordinary


def test_the_end_of_a_fixed_contract_is_ordinary_whatever_the_notice():
    """B4, B5"""
    fixed = contract("01-01", end="2027-01-01")
    terms = notice("3 months", minimum_term=24)
    assert is_ordinary(day("12-20"), day("12-31"), terms, fixed)
    assert not is_ordinary(day("12-20"), day("12-30"), terms, fixed)


# === ANY TERMS, ANY CONTRACT === #


LATEST = date(2033, 1, 1)

any_terms = st.builds(
    lambda period, counted, minimum, renewal, alignment: Terms(
        *period, counted, minimum, renewal, alignment
    ),
    period=st.one_of(
        st.tuples(st.integers(0, 14), st.just("months")),
        st.tuples(st.integers(0, 12), st.just("weeks")),
        st.tuples(st.integers(0, 100), st.just("days")),
    ),
    counted=st.sampled_from(["request", "end"]),
    minimum=st.integers(0, 25),
    renewal=st.integers(0, 13),
    alignment=st.sampled_from(sorted(ALIGNMENTS)),
)

intervals = st.one_of(
    st.builds(lambda count: relativedelta(days=count), st.integers(1, 40)),
    st.builds(lambda count: relativedelta(weeks=count), st.integers(1, 6)),
    st.builds(lambda count: relativedelta(months=count), st.integers(1, 18)),
    st.builds(lambda count: relativedelta(years=count), st.integers(1, 2)),
)


@st.composite
def contracts(draw):
    """Return a strategy of contracts, billed up to any day, fixed or not."""
    start = draw(st.dates(date(2023, 12, 1), date(2026, 3, 31)))
    billed = draw(st.integers(0, 800))
    length = draw(st.none() | st.integers(1, 1500))
    return Contract(
        start,
        start + timedelta(days=billed),
        draw(intervals),
        length and start + timedelta(days=length),
    )


@st.composite
def stories(draw):
    """Return a strategy of terms, contracts and days of request until their end."""
    terms, subscription = draw(any_terms), draw(contracts())
    if terms.alignment == "end_of_term" and subscription.end is None:
        terms = terms._replace(minimum_term=terms.minimum_term or 1)
    request_day = draw(st.dates(date(2023, 11, 1), date(2028, 12, 31)))
    return min(request_day, subscription.last_day or request_day), terms, subscription


def is_aligned(last_day, terms, subscription):
    """Return whether the definition of the alignment names that day."""
    following = last_day + ONE_DAY
    if terms.alignment == "end_of_month":
        return following.day == 1
    if terms.alignment == "end_of_period":
        return following in boundaries(
            subscription.next_period_start, subscription.interval, relativedelta()
        )
    if terms.alignment == "end_of_term" and terms.minimum_term:
        months = terms.renewal_length or terms.minimum_term
        return following in boundaries(
            subscription.start,
            relativedelta(months=months),
            relativedelta(months=terms.minimum_term),
        )
    return terms.alignment == "any_day"


def boundaries(anchor, step, first):
    """Yield every boundary up to the latest day that can matter."""
    count = 0
    while (boundary := anchor + (first + step * count)) <= LATEST:
        yield boundary
        count += 1


def walk(request_day, terms, subscription):
    """Return the earliest end as found by trying day after day."""
    minimum = relativedelta(months=terms.minimum_term)
    last_day = min(request_day, subscription.start - ONE_DAY)
    while last_day != subscription.last_day and not (
        last_day >= subscription.start + minimum - ONE_DAY
        and keeps_notice(request_day, last_day, terms)
        and is_aligned(last_day, terms, subscription)
    ):
        last_day += ONE_DAY
    return last_day


@settings(deadline=None)
@given(story=stories())
def test_the_earliest_end_is_the_first_day_that_meets_all_terms(story):
    """B3, B5"""
    assert earliest_end(*story) == walk(*story)


@settings(deadline=None, max_examples=1000)
@given(story=stories())
def test_a_request_gives_the_same_end_until_cancel_by_and_a_later_one_after(story):
    """B3, B5"""
    request_day, terms, subscription = story
    last_day = earliest_end(request_day, terms, subscription)
    until = cancel_by(last_day, terms, subscription)
    assert request_day <= until
    assert earliest_end(until, terms, subscription) == last_day
    if last_day != subscription.last_day:
        assert earliest_end(until + ONE_DAY, terms, subscription) > last_day
        assert keeps_notice(until, last_day, terms)
        assert not keeps_notice(until + ONE_DAY, last_day, terms)


@settings(deadline=None)
@given(story=stories(), later=st.integers(0, 400))
def test_a_later_request_never_gives_an_earlier_end(story, later):
    """B3, B5"""
    request_day, terms, subscription = story
    postponed = request_day + timedelta(days=later)
    assert earliest_end(request_day, terms, subscription) <= earliest_end(
        postponed, terms, subscription
    )


@settings(deadline=None)
@given(story=stories())
def test_the_earliest_end_is_ordinary_and_the_day_before_is_not(story):
    """B4, B5"""
    request_day, terms, subscription = story
    last_day = earliest_end(request_day, terms, subscription)
    assert is_ordinary(request_day, last_day, terms, subscription)
    assert not is_ordinary(request_day, last_day - ONE_DAY, terms, subscription)
