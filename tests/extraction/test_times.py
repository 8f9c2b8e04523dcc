from dataclasses import replace

import cftime
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import hours
from terrella.errors import Invalid
from terrella.extraction.times import bounds, chosen, nearest
from terrella.model.time import Instant, Interval, parse_interval


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.sampled_from(["standard", "proleptic_gregorian", "360_day", "noleap", "all_leap", "julian"]),
    st.integers(1600, 2200),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
)
def test_bounds_are_exact_in_every_calendar(calendar, year, month, day, hour, minute):
    at = Instant(year, month, day, hour, minute)
    found = bounds(Interval(at, at), calendar)
    assert found.is_instant
    date = cftime.datetime(year, month, day, hour, minute, calendar=calendar)
    since = date - cftime.datetime(1970, 1, 1, calendar=calendar)
    assert found.low == since.days * 86_400_000 + since.seconds * 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", list(range(24))),
        ("1970-01-01T05:00:00Z", [5]),
        ("1970-01-01T22:30:00Z/..", [23, 24, 25]),
        ("../1970-01-01T01:59:59Z", [0, 1]),
        ("1970", list(range(26))),
        ("1970-01-01T03:00:00Z/1970-01-01T04:00:00Z", [3, 4]),
        ("1970-01-01T04:00:00+01:00", [3]),
        ("1969-12/1970-01", list(range(26))),
    ],
)
def test_intervals_include_both_ends(text, expected):
    assert chosen(hours(26), parse_interval(text)).tolist() == expected


def test_the_last_day_of_a_month_depends_on_the_calendar():
    axis = hours(100, step=24, calendar="360_day")
    assert chosen(axis, parse_interval("1970-01")).tolist() == list(range(30))
    assert chosen(axis, parse_interval("1970-02-29/1970-02-30")).tolist() == [58, 59]
    with pytest.raises(Invalid, match="1970-02-31 is no date"):
        chosen(axis, parse_interval("1970-02-31"))


def test_the_nearest_time_along_a_path():
    axis = hours(5, step=6)
    assert [nearest(axis, Instant(1970, 1, 1, hour)) for hour in (0, 2, 4, 23)] == [0, 0, 1, 4]
    assert nearest(axis, Instant(1970, 1, 2, 3)) == 4
    with pytest.raises(Invalid, match="no time 1970-01-02T04:00:00Z"):
        nearest(axis, Instant(1970, 1, 2, 4))


def test_single_times():
    assert nearest(hours(1), Instant(1970)) == 0
    with pytest.raises(Invalid, match="the only time here is"):
        chosen(hours(1), parse_interval("1980"))
    assert np.array_equal(chosen(hours(1), parse_interval("1970")), [0])


def months(stamp):
    """2001 by month in a calendar of 30 days; `stamp` 0 at the start of each, 30 at its end."""
    day = 86_400_000
    starts = (31 * 360 + np.arange(12) * 30) * day
    axis = hours(12, calendar="360_day")
    return replace(axis, values=starts + stamp * day, bounds=np.stack([starts, starts + 30 * day], axis=1))


@pytest.mark.parametrize("stamp", [0, 15, 30])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001-02", [1]),
        ("2001-02/2001-04", [1, 2, 3]),
        ("2001", list(range(12))),
        ("../2001-01", [0]),
        ("2001-12-01/..", [11]),
        ("2001-02-10/2001-03-20", [1, 2]),
    ],
)
def test_an_interval_of_dates_takes_the_periods_whose_middle_lies_in_it(stamp, text, expected):
    assert chosen(months(stamp), parse_interval(text)).tolist() == expected


def test_times_of_day_and_days_without_a_middle_go_by_the_stamp():
    assert chosen(months(30), parse_interval("2001-02-01T00:00:00Z")).tolist() == [0]
    assert chosen(months(30), parse_interval("2001-02-01T00:00:00Z/2001-03-01T00:00:00Z")).tolist() == [0, 1]
    assert chosen(months(30), parse_interval("2001-02-01")).tolist() == [0]
