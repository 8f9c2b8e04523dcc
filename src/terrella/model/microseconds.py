"""Times as whole microseconds since 1970 in UTC: one number, exact, to compare and to store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from terrella.errors import Invalid
from terrella.model.time import Instant, parse_instant

FOREVER = 253_402_300_799_999_999
"""The last microsecond of the year 9999: an open end."""
LONG_AGO = -62_135_596_800_000_000
"""The first of the year 1: an open start."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
    since = at - (_NAIVE_EPOCH if at.tzinfo is None else EPOCH)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_or_none(text: Any) -> int | None:
    """Of a property's text that is a time; None where it is none."""
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
