"""Times in whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.microseconds import FOREVER, LONG_AGO
from terrella.model.time import Instant, parse_interval
from terrella.providers.lake.times import as_text, bounds, instant_or_none, microseconds, of_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@settings(derandomize=True, deadline=None)
@given(at=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), offset=st.integers(-840, 840))
def test_there_and_back(at: datetime, offset: int) -> None:
    wanted = (at.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    moved = at.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset))).isoformat()
    assert microseconds(moved) == wanted
    assert microseconds(as_text(wanted)) == wanted
    assert datetime.fromisoformat(as_text(wanted)) == at.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2020-01-01", "2020-01-01T00:00:00Z"),
        ("2020-01", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00", "2020-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2020-01-01t00:00:00z", "2020-01-01T00:00:00Z"),
    ],
)
def test_what_is_left_out_is_the_first(text: str, same: str) -> None:
    assert microseconds(text) == microseconds(same)


@pytest.mark.parametrize("text", ["", "soon", "2020-02-30T00:00:00Z", "2020-13-01", 7, None, ["2020"]])
def test_what_is_no_time(text: object) -> None:
    assert instant_or_none(text) is None
    with pytest.raises(Invalid) as caught:
        microseconds(text, parameter="created")  # type: ignore[arg-type]
    assert caught.value.parameter in {"created", "datetime"}


def test_intervals() -> None:
    assert bounds(None) == (LONG_AGO, FOREVER)
    assert bounds(parse_interval("2020-02/..")) == (microseconds("2020-02-01"), FOREVER)
    assert bounds(parse_interval("2021-02")) == (
        microseconds("2021-02-01"),
        microseconds("2021-02-28T23:59:59.999999Z"),
    )
    assert of_instant(Instant(0)) == LONG_AGO
    assert as_text(LONG_AGO) == "0001-01-01T00:00:00Z"
    assert as_text(FOREVER) == "9999-12-31T23:59:59.999999Z"
