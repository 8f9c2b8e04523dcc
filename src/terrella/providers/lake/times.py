"""Times as whole microseconds since 1970 in UTC, the unit of every time column."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid
from terrella.model.time import Instant, parse_instant
from terrella.providers.lake.schema import FOREVER, LONG_AGO

if TYPE_CHECKING:
    from terrella.model.time import Interval

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- times without a zone are UTC


def microseconds(text: str, *, parameter: str = "datetime") -> int:
    """Of an RFC 3339 time, or a date cut off. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        if not isinstance(text, str):
            raise Invalid(
                f"A time is text such as 2024-07-01T12:00:00Z, not {text!r:.60}.", parameter=parameter
            ) from None
        return of_instant(parse_instant(text.upper() if text[:1].isdigit() else text, parameter=parameter))
    since = at - (_NAIVE_EPOCH if at.tzinfo is None else _EPOCH)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_or_none(text: Any) -> int | None:
    """SQL function: a property's text as a time, NULL where it is none."""
    try:
        return microseconds(text)
    except Invalid:
        return None


def of_instant(at: Instant) -> int:
    """Microseconds of an instant. A leap second counts as the end of its minute. Raises Invalid for 30 February."""
    if at.second == 60:
        return of_instant(replace(at, second=59, microsecond=999_999))
    if at.year == 0:
        return LONG_AGO
    shortened = at.width in {"month", "year"}  # its last instant has day 31, whatever the month
    for day in range(at.day, 27, -1) if shortened else ():
        try:
            return of_instant(replace(at, day=day, width="day"))
        except Invalid:
            continue
    return microseconds(at.as_datetime().isoformat())


def bounds(interval: Interval | None) -> tuple[int, int]:
    """First and last microsecond of an interval, open ends filled in."""
    if interval is None:
        return LONG_AGO, FOREVER
    start = LONG_AGO if interval.start is None else of_instant(interval.start)
    end = FOREVER if interval.end is None else of_instant(interval.end)
    return start, end


def as_text(at: int) -> str:
    """RFC 3339 in UTC."""
    seconds, rest = divmod(at, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    made = datetime.fromordinal(_EPOCH.toordinal() + days)
    hours, seconds = divmod(seconds, 3600)
    text = f"{made.year:04d}-{made.month:02d}-{made.day:02d}T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
    return text + (f".{rest:06d}".rstrip("0") if rest else "") + "Z"
