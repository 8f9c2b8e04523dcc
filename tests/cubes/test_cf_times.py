"""CF times against cftime."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.cf.times import NotTime, date_ms, decode, durations, fields, from_text, is_time_units

CALENDARS = ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
UNITS = ("seconds", "minutes", "hours", "days")


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.sampled_from(CALENDARS),
    st.sampled_from(UNITS),
    st.tuples(st.integers(1, 2300), st.integers(1, 12), st.integers(1, 28), st.integers(0, 23), st.integers(0, 59)),
    st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=5),
)
def test_whole_numbers_as_cftime(calendar: str, unit: str, start: tuple[int, ...], values: list[int]) -> None:
    since = "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:00".format(*start)
    units = f"{unit} since {since}"
    got, name = decode(np.array(values), units, calendar)
    try:
        expected = cftime.num2date(values, units, calendar)
    except (ValueError, OverflowError):
        return
    if min(one.year for one in expected) < 1:
        return  # cftime counts the years before 1 in its own way
    for ms, date in zip(got.tolist(), expected, strict=True):
        same = cftime.datetime(*date.timetuple()[:6], calendar=calendar)
        assert fields(ms, calendar) == same
    assert name == calendar or (calendar, name) == ("proleptic_gregorian", "standard")


@pytest.mark.parametrize(
    ("values", "units", "calendar", "expected"),
    [
        ([0.5], "days since 2000-01-01", "", "2000-01-01T12:00:00.000"),
        ([0], "days since 2000-1-1 0:0:0.0", "gregorian", "2000-01-01T00:00:00.000"),
        ([1], "day since 2000-01-01T00:00:00Z", "Gregorian", "2000-01-02T00:00:00.000"),
        ([0], "seconds since 1992-10-8 15:15:42.5 -6:00", "standard", "1992-10-08T21:15:42.500"),
        ([0], "hours since 1970-01-01 00:00:00 +0530", "standard", "1969-12-31T18:30:00.000"),
        ([0], "hours since 1970-01-01 00:00:00 UTC", "standard", "1970-01-01T00:00:00.000"),
        ([1500], "milliseconds since 1970-01-01", "standard", "1970-01-01T00:00:01.500"),
        ([2 * 10**18], "nanoseconds since 1970-01-01", "proleptic_gregorian", "2033-05-18T03:33:20.000"),
        ([13], "months since 2000-01-31", "standard", "2001-02-28T00:00:00.000"),
        ([0.5], "months since 2001-02-01", "standard", "2001-02-15T00:00:00.000"),
        ([2], "years since 2000-02-29", "standard", "2002-02-28T00:00:00.000"),
        ([20240229.25], "day as %Y%m%d.%f", "proleptic_gregorian", "2024-02-29T06:00:00.000"),
        ([1], "weeks since 2000-01-01", "standard", "2000-01-08T00:00:00.000"),
        ([735_000], "days since 0000-01-01", "standard", None),
    ],
)
def test_odd_units(values: list[float], units: str, calendar: str, expected: str | None) -> None:
    got, name = decode(np.array(values), units, calendar)
    assert name == "standard"
    if expected:
        assert str(got.astype("M8[ms]")[0]) == expected


def test_months_of_a_360_day_calendar() -> None:
    got, name = decode(np.array([-0.5, 0.5, 1.5]), "months since 1960-01-01", "360")
    assert name == "360_day"
    assert [str(fields(ms, name))[:10] for ms in got.tolist()] == ["1959-12-16", "1960-01-16", "1960-02-16"]


@pytest.mark.parametrize(
    ("values", "units", "calendar", "reason"),
    [
        ([1.0, np.nan], "days since 2000-01-01", "", "missing"),
        ([1], "days since someday", "", "no date"),
        ([1], "fortnights since 2000-01-01", "", "unit"),
        ([1], "days since 2000-02-30", "standard", "no such date"),
        ([1], "days since 2000-01-01", "martian", "calendar"),
        ([1e300], "days since 2000-01-01", "", "too far"),
        ([99999999], "day as %Y%m%d.%f", "", "no such date"),
        ([10**9], "years since 2000-01-01", "", "too far"),
    ],
)
def test_what_is_no_time_says_why(values: list[float], units: str, calendar: str, reason: str) -> None:
    with pytest.raises(NotTime, match=reason):
        decode(np.array(values), units, calendar)


def test_thirtieth_of_february() -> None:
    assert date_ms((2000, 2, 30), "360_day") == date_ms((2000, 3, 1), "360_day") - 86_400_000


def test_durations_and_texts() -> None:
    assert durations(np.array([0.0, 1.5]), "hours").tolist() == [0, 5_400_000]
    assert from_text(["2001-01-01_06:00:00"]).astype("M8[ms]")[0] == np.datetime64("2001-01-01T06:00")
    with pytest.raises(NotTime):
        durations(np.array([1]), "metres")
    assert not is_time_units("degrees_north")
    assert is_time_units("hours since 1900-01-01")
