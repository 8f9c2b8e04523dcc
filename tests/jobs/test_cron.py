"""Times that repeat, against an independent reader of cron lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.jobs.cron import parse_cron


def next_of(line: str, start: datetime) -> datetime:
    """By looking at every day, then at every minute of it: a slow reader, for numbers, lists, ranges and steps."""
    minute, hour, day, month, weekday = line.split()
    either = not day.startswith("*") and not weekday.startswith("*")
    date = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        right = [is_in(date.day, day, 1), is_in(date.isoweekday() % 7, weekday, 0)]
        if is_in(date.month, month, 1) and (any(right) if either else all(right)):
            for n in range(1440):
                at = date + timedelta(minutes=n)
                if at > start and is_in(at.minute, minute, 0) and is_in(at.hour, hour, 0):
                    return at
        date += timedelta(days=1)


def is_in(value: int, field: str, first: int) -> bool:
    return any(fits(value, part, first) for part in field.split(","))


def fits(value: int, part: str, first: int) -> bool:
    span, _, step = part.partition("/")
    if span == "*":
        return (value - first) % int(step or 1) == 0
    low, _, high = span.partition("-")
    return int(low) <= value <= int(high or low) and (value - int(low)) % int(step or 1) == 0


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high), st.integers(1, 9)).map(
        lambda t: f"{min(t[:2])}-{max(t[:2])}/{t[2]}"
    )
    return st.one_of(
        st.just("*"),
        st.integers(1, 9).map(lambda n: f"*/{n}"),
        number,
        span,
        st.lists(number, min_size=1, max_size=3).map(",".join),
    )


LINES = st.tuples(field(0, 59), field(0, 23), field(1, 28), st.just("*"), field(0, 6)).map(" ".join)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(LINES, st.datetimes(datetime(2023, 12, 20), datetime(2028, 3, 1)))
def test_next_times_are_those_of_every_minute(line: str, start: datetime) -> None:
    at = start.replace(tzinfo=UTC)
    assert parse_cron(line).after(at) == next_of(line, at)


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("@daily", "2024-02-28T23:59:30", "2024-02-29T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("30 6 * * mon-fri", "2026-11-20T07:00", "2026-11-23T06:30"),
        ("0 12 1 jan,JUL *", "2026-02-01T00:00", "2026-07-01T12:00"),
        ("0 0 * * 7", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("5/20 * * * *", "2026-11-21T00:06", "2026-11-21T00:25"),
    ],
)
def test_words_leap_days_and_sundays(line: str, after: str, expected: str) -> None:
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert parse_cron(line).after(at).isoformat()[:16] == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "-1 * * * *",
        "* * * 13 *",
    ],
)
def test_wrong_lines_are_refused(line: str) -> None:
    with pytest.raises(Invalid):
        parse_cron(line)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(Invalid, match="never comes"):
        parse_cron("0 0 30 2 *").after(datetime(2026, 1, 1, tzinfo=UTC))
