"""Periods against dates of cftime, one by one, and against pandas."""

import cftime
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.extraction.periods import periods, whole
from terrella.model.reduction import PERIODS

UNITS = "milliseconds since 1970-01-01"
SEASONS = {12: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2, 7: 2, 8: 2, 9: 3, 10: 3, 11: 3}


def key(at, every):
    """What makes two times belong together, said in another way."""
    season = (at.year + (at.month == 12), SEASONS[at.month])
    dekad = 0 if at.day <= 10 else 1 if at.day <= 20 else 2
    return {
        "hour": (at.year, at.month, at.day, at.hour),
        "day": (at.year, at.month, at.day),
        "dekad": (at.year, at.month, dekad),
        "month": (at.year, at.month),
        "season": season,
        "year": (at.year,),
        "climatology-hour": (at.hour,),
        "climatology-day": (at.month, at.day),
        "climatology-dekad": (at.month, dekad),
        "climatology-month": (at.month,),
        "climatology-season": season[1:],
    }[every]


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    st.lists(st.integers(-3_000_000, 3_000_000), min_size=1, max_size=60, unique=True),
    st.sampled_from(["standard", "360_day", "noleap", "proleptic_gregorian", "julian"]),
    st.sampled_from(PERIODS),
)
def test_times_of_one_period_come_together(numbers, calendar, every):
    times = np.sort(np.array(numbers, dtype=np.int64)) * 600_000
    found = periods(times, calendar, every)
    made = cftime.num2date(times, UNITS, calendar, only_use_cftime_datetimes=True)
    keys = [key(at, every) for at in made]
    assert len(set(keys)) == found.count
    assert len(set(zip(keys, found.number.tolist(), strict=True))) == found.count
    assert sorted(set(keys)) == [keys[found.number.tolist().index(n)] for n in range(found.count)]
    low, high = found.bounds[found.number].T
    assert (low <= times).all()
    assert (times < high).all()
    if not every.startswith("climatology"):
        starts = cftime.num2date(found.starts, UNITS, calendar, only_use_cftime_datetimes=True)
        ends = cftime.num2date(found.bounds[:, 1] - 1, UNITS, calendar, only_use_cftime_datetimes=True)
        assert [key(at, every) for at in starts] == [key(at, every) for at in ends] == sorted(set(keys))
        before = cftime.num2date(found.starts - 1, UNITS, calendar, only_use_cftime_datetimes=True)
        assert all(key(a, every) != key(b, every) for a, b in zip(before, starts, strict=True))


@pytest.mark.parametrize(("every", "freq"), [("month", "MS"), ("year", "YS"), ("season", "QS-DEC"), ("day", "D")])
def test_labels_are_those_of_pandas(every, freq):
    times = pd.date_range("1999-11-03T05:00", "2001-04-09", freq="7h")
    expected = pd.Series(1, times).resample(freq).sum()
    found = periods(times.as_unit("ms").asi8, "standard", every)
    assert found.starts.astype("M8[ms]").tolist() == expected.index.to_pydatetime().tolist()
    assert np.bincount(found.number).tolist() == expected.tolist()


def test_a_climatology_is_labelled_in_its_first_year_and_bounded_by_all():
    times = np.arange("1999-06-15", "2002-03-01", dtype="M8[D]").astype("M8[ms]").astype(np.int64)
    found = periods(times, "standard", "climatology-month")
    assert found.is_climatology
    assert found.starts.astype("M8[ms]").astype("M8[D]").astype(str).tolist() == [
        f"1999-{m:02d}-01" for m in range(1, 13)
    ]
    assert found.bounds[5].astype("M8[ms]").astype("M8[D]").astype(str).tolist() == ["1999-06-01", "2001-07-01"]
    assert found.bounds[0].astype("M8[ms]").astype("M8[D]").astype(str).tolist() == ["2000-01-01", "2002-02-01"]


def test_all_of_it_is_one_period():
    found = whole(np.array([5, 3, 9]))
    assert (found.count, found.starts.tolist(), found.bounds.tolist()) == (1, [3], [[3, 9]])
