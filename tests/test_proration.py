# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tables of dated and counted cases for the arithmetic; no database."""

from datetime import date

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.subscription_cancellation.arithmetic.proration import (
    Charge,
    Period,
    clamp,
    creditable,
    credited_period,
    first_day_without_service,
    fit,
    from_units,
    half_up,
    latest_period_start,
    next_boundary,
    share_out,
    to_units,
)


def day(text):
    """Return a date from ``MM-DD`` of 2026 or from ``YYYY-MM-DD``."""
    return date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


def days(first, last):
    """Return the period with both days in it."""
    return Period.from_inclusive(day(first), day(last))


JULY = days("07-01", "07-31")


# === PERIOD === #


@pytest.mark.parametrize(
    ("first", "last", "number"),
    [
        ("07-01", "07-31", 31),
        ("06-01", "06-30", 30),
        ("02-01", "02-28", 28),
        ("2024-02-01", "2024-02-29", 29),
        ("1900-02-01", "1900-03-01", 29),  # 1900 was no leap year
        ("2000-02-01", "2000-03-01", 30),  # 2000 was one
        ("2024-02-29", "2025-02-27", 365),
        ("2024-01-01", "2024-12-31", 366),
        ("2026-01-01", "2026-12-31", 365),
        ("01-31", "02-27", 28),
        ("12-31", "2027-01-30", 31),
        ("03-29", "03-29", 1),
        ("03-28", "03-30", 3),  # clocks change in Europe: still three days
    ],
)
def test_a_period_counts_its_calendar_days_both_ends_included(first, last, number):
    """C1"""
    assert days(first, last).days == number


def test_a_period_keeps_the_inclusive_last_day_it_was_made_from():
    """C1: stored dates are inclusive, the arithmetic is half-open."""
    assert JULY == (day("07-01"), day("08-01"))
    assert JULY.last_day == day("07-31")


@pytest.mark.parametrize(
    ("effective", "unused"),
    [
        ("06-15", 31),
        ("07-01", 31),
        ("07-02", 30),
        ("07-11", 21),
        ("07-31", 1),
        ("08-01", 0),
        ("2027-01-01", 0),
    ],
)
def test_unused_days_are_those_from_the_effective_date_on(effective, unused):
    """C1"""
    assert JULY.days_from(day(effective)) == unused


# === AMOUNTS === #


@pytest.mark.parametrize(
    ("amount", "rounding", "units"),
    [
        (31.0, 0.01, 3100),
        (0.1 + 0.2, 0.01, 30),
        (1.005, 0.01, 101),  # as printed, not as stored in binary
        (1.004999, 0.01, 100),
        (-1.005, 0.01, -101),
        (0.0, 0.01, 0),
        (40.0, 1.0, 40),
        (39.5, 1.0, 40),
        (21.935, 0.001, 21935),
        (21.9355, 0.001, 21936),
        (12.35, 0.05, 247),
        (1e-05, 0.01, 0),
        (123456789012.34, 0.01, 12345678901234),
    ],
)
def test_an_amount_becomes_whole_currency_units(amount, rounding, units):
    """C1: cents, yen, fils; a tie goes away from zero."""
    assert to_units(amount, rounding) == units


@pytest.mark.parametrize(
    ("units", "rounding", "amount"),
    [
        (2100, 0.01, 21.0),
        (30, 0.01, 0.3),
        (-101, 0.01, -1.01),
        (22, 1.0, 22.0),
        (21935, 0.001, 21.935),
        (247, 0.05, 12.35),
        (0, 0.01, 0.0),
    ],
)
def test_units_become_the_exact_amount(units, rounding, amount):
    """C1"""
    assert from_units(units, rounding) == amount


@given(
    units=st.integers(-(10**13), 10**13), rounding=st.sampled_from([1.0, 0.01, 0.05])
)
def test_units_survive_the_way_to_an_amount_and_back(units, rounding):
    """C1"""
    assert to_units(from_units(units, rounding), rounding) == units


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),  # half-even would also say 2 …
        (5, 2, 3),  # … and here it would not
        (-5, 2, -3),
        (249, 100, 2),
        (251, 100, 3),
        (-249, 100, -2),
        (0, 31, 0),
        (62, 31, 2),
        (1, 3, 0),
        (2, 3, 1),
        (19996 * 21, 24, 17497),  # $199.96 × 21/24 = $174.965
    ],
)
def test_a_tie_is_rounded_away_from_zero(numerator, denominator, quotient):
    """C1"""
    assert half_up(numerator, denominator) == quotient


@pytest.mark.parametrize(
    ("units", "limit", "clamped"),
    [
        (5, 10, 5),
        (15, 10, 10),
        (-5, 10, 0),
        (-5, -10, -5),
        (-15, -10, -10),
        (5, -10, 0),
        (5, 0, 0),
        (-5, 0, 0),
    ],
)
def test_a_clamped_amount_lies_between_zero_and_the_limit(units, limit, clamped):
    """C4"""
    assert clamp(units, limit) == clamped


@pytest.mark.parametrize(
    ("amounts", "limit", "fitted"),
    [
        ([], 10, []),
        ([3, 4], 10, [3, 4]),
        ([3, 4], 7, [3, 4]),
        ([3, 4], 6, [3, 3]),
        ([3, 4], 2, [2, 0]),
        ([3, 4], 0, [0, 0]),
        ([3, 4], -5, [0, 0]),
        ([5, -3], 2, [5, -3]),
        ([5, -3], 1, [4, -3]),
        ([-3, 5], 1, [-3, 4]),
    ],
)
def test_amounts_are_cut_from_the_last_one_until_they_fit(amounts, limit, fitted):
    """C4: what is left of an invoice limits what its lines may still credit."""
    assert fit(amounts, limit) == fitted


@pytest.mark.parametrize(
    ("units", "weights", "shares"),
    [
        (2000, [2100, 2100, 2100], [667, 666, 667]),
        (6930, [2100, 4200], [2310, 4620]),
        (5, [0, 0], [3, 2]),  # nobody weighs more
        (5, [-3, 1], [3, 2]),  # nor does anybody if it makes no sense
        (100, [150, -50], [150, -50]),  # a rebate
        (0, [1, 2], [0, 0]),
        (-100, [1, 2], [-33, -67]),
        (7, [], []),
    ],
)
def test_what_is_shared_out_adds_up(units, weights, shares):
    """E4: to the last cent, whatever the weights."""
    assert share_out(units, weights) == shares


# === CREDITABLE === #


@pytest.mark.parametrize(
    ("net", "first", "last", "effective", "credit"),
    [
        (3100, "07-01", "07-31", "07-11", 2100),
        (3100, "07-01", "07-31", "07-01", 3100),
        (3100, "07-01", "07-31", "06-01", 3100),
        (3100, "07-01", "07-31", "08-01", 0),
        (10000, "2024-02-18", "2024-03-17", "2024-02-25", 7586),
        (239995, "2013-08-18", "2014-08-17", "2013-09-17", 220269),
        (36500, "2024-02-29", "2025-02-27", "2025-01-01", 5800),
        (40, "2024-03-01", "2024-03-31", "2024-03-15", 22),  # JPY
        (40000, "2024-03-01", "2024-03-31", "2024-03-15", 21935),  # KWD
        (1, "07-01", "07-30", "07-16", 1),  # half a cent
        (1, "07-01", "07-30", "07-17", 0),
        (0, "07-01", "07-31", "07-11", 0),
        (-3100, "07-01", "07-31", "07-11", -2100),  # a rebate line
        (9999, "07-10", "07-10", "07-10", 9999),
        (9999, "07-10", "07-10", "07-11", 0),
    ],
)
def test_the_unused_share_of_a_billed_line(net, first, last, effective, credit):
    """C1"""
    charge = Charge(net, days(first, last))
    assert creditable(charge, [], day(effective)) == credit


@pytest.mark.parametrize(
    ("earlier", "credit"),
    [
        # For other days: nothing is subtracted.
        ([(1000, "07-01", "07-10")], 2100),
        # For the same days: subtracted.
        ([(2100, "07-11", "07-31")], 0),
        ([(1000, "07-22", "07-31")], 1100),
        # Spread over the whole period: 31.00 × 1/10 × 21/31 = 2.10.
        ([(310, "07-01", "07-31")], 1890),
        ([(310, "07-01", "07-31"), (310, "07-01", "07-31")], 1680),
        # Half of its days are unused ones: 4.00 of 8.00.
        ([(800, "07-06", "07-15")], 1700),
        # More for the served days than they cost: what is left limits.
        ([(2000, "07-01", "07-10")], 1100),
        ([(3100, "07-01", "07-31")], 0),
        ([(3000, "07-01", "07-10")], 100),
        # Credited too much by hand.
        ([(5000, "07-01", "07-31")], 0),
    ],
)
def test_earlier_credits_count_for_the_days_they_are_for(earlier, credit):
    """C4: July of $31.00, cancelled on the 10th; unused are $21.00."""
    credits = [Charge(units, days(first, last)) for units, first, last in earlier]
    assert creditable(Charge(3100, JULY), credits, day("07-11")) == credit


def test_the_golden_credit_after_a_credited_suspension():
    """C4: $80.63 for 10-19 July leave 11/31 of $249.95 for the days from the 20th."""
    billed = Charge(24995, days("2012-06-30", "2012-07-30"))
    suspended = Charge(8063, days("2012-07-10", "2012-07-19"))
    assert creditable(billed, [suspended], day("2012-07-20")) == 8869


@pytest.mark.parametrize(
    ("net", "earlier", "credit"),
    [
        (3100, [], 3100),
        (3100, [1000], 2100),
        (3100, [1000, 2100], 0),
        (3100, [4000], 0),
        (-3100, [], -3100),
        (-3100, [-1000], -2100),
        (-3100, [-4000], 0),
    ],
)
def test_a_full_credit_is_all_that_is_not_credited_yet(net, earlier, credit):
    """C2"""
    credits = [Charge(units, JULY) for units in earlier]
    assert creditable(Charge(net, JULY), credits, None) == credit


def test_the_remains_of_a_rebate_line_are_never_exceeded():
    """C4: the same for a negative line; $-31.00, of which $-25.00 are credited."""
    credits = [Charge(-2500, days("07-01", "07-10"))]
    assert creditable(Charge(-3100, JULY), credits, day("07-11")) == -600


charges = st.builds(
    lambda units, start, length: Charge(
        units, Period(start, start + relativedelta(days=length))
    ),
    units=st.integers(0, 10**7),
    start=st.dates(date(2023, 12, 1), date(2024, 12, 31)),
    length=st.integers(1, 366),
)


@settings(deadline=None)
@given(
    debit=charges,
    credits=st.lists(charges, max_size=4),
    effective=st.dates(date(2023, 12, 1), date(2025, 12, 31)),
)
def test_never_more_is_creditable_than_is_left(debit, credits, effective):
    """C4"""
    left = debit.units - sum(credit.units for credit in credits)
    assert 0 <= creditable(debit, credits, effective) <= max(left, 0)


@settings(deadline=None)
@given(debit=charges, effective=st.dates(date(2023, 12, 1), date(2025, 12, 31)))
def test_crediting_again_from_the_same_day_gives_nothing(debit, effective):
    """C4"""
    unused = Period(max(effective, debit.period.start), debit.period.end)
    if unused.days > 0:
        credit = Charge(creditable(debit, [], effective), unused)
        assert creditable(debit, [credit], effective) == 0


@pytest.mark.parametrize(
    ("earlier", "effective", "first", "last"),
    [
        ([], "07-11", "07-11", "07-31"),
        ([], None, "07-01", "07-31"),
        # The days from the 11th were credited, also where cents were rounded.
        ([(2100, "07-11", "07-31")], "07-05", "07-05", "07-10"),
        ([(2101, "07-11", "07-31")], "07-05", "07-05", "07-10"),
        ([(2100, "07-11", "07-31")], None, "07-01", "07-10"),
        (
            [(1500, "07-17", "07-31"), (600, "07-11", "07-16")],
            "07-05",
            "07-05",
            "07-10",
        ),
        # A suspension that begins where service ends; one in between.
        ([(500, "07-11", "07-15")], "07-11", "07-16", "07-31"),
        ([(500, "07-15", "07-19")], "07-11", "07-11", "07-31"),
        # Something is left of every day, or of none.
        ([(1000, "07-11", "07-31")], "07-05", "07-05", "07-31"),
        ([(3100, "07-01", "07-31")], "07-05", "07-05", "07-31"),
    ],
)
def test_a_credit_is_for_the_days_that_were_not_credited_yet(
    earlier, effective, first, last
):
    """C1, C4: July of $31.00."""
    credits = [Charge(units, days(*period)) for units, *period in earlier]
    effective = effective and day(effective)
    period = credited_period(Charge(3100, JULY), credits, effective)
    assert period == days(first, last)


@settings(deadline=None)
@given(
    units=st.integers(0, 10**6),
    offsets=st.lists(st.integers(0, 30), min_size=1, max_size=6),
)
def test_cancelling_and_resuming_again_and_again_credits_no_day_twice(units, offsets):
    """B15, C1, C4: to within the roundings of what was credited and charged again."""
    debits, charged_again = [(Charge(units, JULY), [])], []
    for offset in offsets:
        effective = JULY.start + relativedelta(days=offset)
        debits += [(charge, []) for charge in charged_again]
        charged_again = []
        for debit, credits in debits:
            credit = Charge(
                creditable(debit, credits, effective),
                credited_period(debit, credits, effective),
            )
            if credit.units:
                credits.append(credit)
                charged_again.append(credit)
    credited = sum(credit.units for credit in charged_again)
    assert abs(credited - debits[0][0].units_from(effective)) <= len(debits)


@settings(deadline=None)
@given(debit=charges, effective=st.dates(date(2023, 12, 1), date(2025, 12, 31)))
def test_credit_and_served_share_are_what_was_billed(debit, effective):
    """C1: to within one currency unit."""
    served_days = debit.period.days - debit.period.days_from(effective)
    served = half_up(debit.units * served_days, debit.period.days)
    assert 0 <= creditable(debit, [], effective) + served - debit.units <= 1


# === DATES === #


@pytest.mark.parametrize(
    ("periods", "effective", "start"),
    [
        ([], "07-11", None),
        (["07-01"], "07-11", "07-01"),
        (["06-01", "07-01"], "07-11", "07-01"),
        # On a boundary the period that has just ended is the running one.
        (["06-01", "07-01"], "07-01", "06-01"),
        # Paid in advance: the running one, not the latest.
        (["07-01", "08-01", "09-01"], "07-11", "07-01"),
        # In any order.
        (["09-01", "07-01", "08-01"], "08-02", "08-01"),
        # Not begun yet: the first to come.
        (["08-01", "09-01"], "07-11", "08-01"),
        (["08-01"], "08-01", "08-01"),
        (["05-01"], "07-11", "05-01"),
    ],
)
def test_a_full_credit_starts_with_the_running_period(periods, effective, start):
    """C2"""
    periods = [Period(day(s), day(s) + relativedelta(months=1)) for s in periods]
    expected = start and day(start)
    assert latest_period_start(periods, day(effective)) == expected


@pytest.mark.parametrize(
    ("wish", "day_billed", "effective"),
    [
        ("07-10", True, "07-11"),
        ("07-10", False, "07-10"),
        ("2024-02-28", True, "2024-02-29"),
        ("02-28", True, "03-01"),
        ("12-31", True, "2027-01-01"),
        ("12-31", False, "12-31"),
    ],
)
def test_a_billed_cancellation_day_is_the_last_day_of_service(
    wish, day_billed, effective
):
    """B6"""
    assert first_day_without_service(day(wish), day_billed) == day(effective)


@pytest.mark.parametrize(
    ("anchor", "interval", "after", "boundary"),
    [
        ("07-01", {"months": 1}, "06-30", "07-01"),
        ("07-01", {"months": 1}, "07-01", "08-01"),
        ("07-01", {"months": 1}, "07-31", "08-01"),
        ("07-01", {"months": 1}, "08-01", "09-01"),
        # 31 January does not drift to the 28th for good.
        ("01-31", {"months": 1}, "01-31", "02-28"),
        ("01-31", {"months": 1}, "02-28", "03-31"),
        ("01-31", {"months": 1}, "03-31", "04-30"),
        ("01-31", {"months": 1}, "2028-02-01", "2028-02-29"),
        ("01-31", {"months": 3}, "01-31", "04-30"),
        ("01-31", {"months": 3}, "04-30", "07-31"),
        ("2024-02-29", {"years": 1}, "2024-02-29", "2025-02-28"),
        ("2024-02-29", {"years": 1}, "2027-02-28", "2028-02-29"),
        ("07-01", {"weeks": 2}, "07-14", "07-15"),
        ("07-01", {"days": 10}, "07-31", "08-10"),
        ("07-01", {"years": 1}, "07-02", "2027-07-01"),
    ],
)
def test_boundaries_are_counted_from_the_anchor(anchor, interval, after, boundary):
    """B2"""
    interval = relativedelta(**interval)
    assert next_boundary(day(anchor), interval, day(after)) == day(boundary)
