"""Dates of all calendars, compared with cftime."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.encodings.calendars import is_gregorian, iso, rfc3339, to_ms
from terrella.model.time import parse_instant

CALENDARS = ["standard", "proleptic_gregorian", "noleap", "360_day", "all_leap", "julian"]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sampled_from(CALENDARS), st.integers(-50_000_000_000_000, 200_000_000_000_000))
def test_there_and_back(calendar: str, ms: int) -> None:
    (text,) = iso(np.array([ms]), calendar)
    date = cftime.num2date(ms // 1000, "seconds since 1970-01-01", calendar, only_use_cftime_datetimes=True)
    assert (
        text[:19]
        == f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{date.hour:02d}:{date.minute:02d}:{date.second:02d}"
    )
    assert to_ms(parse_instant(text), calendar) == ms


def test_days_that_exist_nowhere_else() -> None:
    ms = to_ms(parse_instant("2001-02-30T06:00:00Z"), "360_day")
    assert iso(np.array([ms]), "360_day") == ["2001-02-30T06:00:00Z"]
    assert rfc3339(np.array([ms]), "360_day") == ["2001-02-28T06:00:00Z"]
    assert to_ms(parse_instant("2001-01-31"), "360_day") == to_ms(parse_instant("2001-01-30"), "360_day")


@pytest.mark.parametrize(("calendar", "ms", "expected"), [("standard", 0, True), ("standard", -13_000_000_000_000, False), ("noleap", 0, False)])  # fmt: skip
def test_what_datetime64_can_hold(calendar: str, ms: int, expected: bool) -> None:
    assert is_gregorian(calendar, np.array([ms])) is expected
