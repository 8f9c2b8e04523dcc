"""Dates as milliseconds since 1970 in the proleptic Gregorian calendar."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from terrella.errors import Unreadable

CALENDAR = "proleptic_gregorian"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def date_ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Raises Unreadable for a date that does not exist (24:00 is the next day, as some centres write it)."""
    try:
        at = datetime(year, month, day, hour % 24, minute, second, tzinfo=UTC) + timedelta(days=hour // 24)
    except (ValueError, OverflowError) as error:
        raise Unreadable(
            f"It gives {year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d} as a time: {error}."
        ) from error
    return (at - _EPOCH) // timedelta(milliseconds=1)


def months_later(start: int, months: int) -> int:
    """Milliseconds of the same day and time so many months later; the month's last day where it has no such day."""
    at = _EPOCH + timedelta(milliseconds=start)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise Unreadable(f"Its step ends in the year {year}.")
    day = min(at.day, monthrange(year, month + 1)[1])
    return date_ms(year, month + 1, day, at.hour, at.minute, at.second)
