"""Times as users write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.time import parse_instant, parse_interval


@settings(derandomize=True, deadline=None)
@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_offsets_become_utc(at: datetime, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    text = f"{at:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = f"{at.year:04d}{text[text.index('-', 1) :]}"
    expected = datetime.fromisoformat(text).astimezone(UTC)
    assert parse_instant(text).as_datetime() == expected.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"),
        ("2024-07-01t12:00:00z", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"),
        ("2024-07-01", "2024-07-01T00:00:00Z", "2024-07-01T23:59:59.999999Z"),
        ("2024-02", "2024-02-01T00:00:00Z", "2024-02-31T23:59:59.999999Z"),
        ("2024", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999999Z"),
        ("2024-01-01/..", "2024-01-01T00:00:00Z", "None"),
        ("/2024-01-01T00:00:00Z", "None", "2024-01-01T00:00:00Z"),
        ("2024-02-30T00:00:00Z/2024-02-30T06:00:00Z", "2024-02-30T00:00:00Z", "2024-02-30T06:00:00Z"),
    ],
)
def test_intervals(text: str, start: str, end: str) -> None:
    found = parse_interval(text)
    assert (str(found.start), str(found.end)) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["", "..", "yesterday", "2024-13-01", "2024-01-32", "2024-01-01T25:00:00Z", "2024-02-01/2024-01-01", "a/b/c", "24",
     "2024-01-01T00:00:00Z/2024-01-01T00:00:00Z/x", "2024-W01", "0000-01-01T00:00:00+14:00", "1" * 10000],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_interval(text)
    assert refused.value.parameter == "datetime"
    assert len(refused.value.message) < 250


def test_30_february_is_no_gregorian_day() -> None:
    with pytest.raises(Invalid, match="Gregorian"):
        parse_instant("2024-02-30").as_datetime()
