"""Milliseconds since 1970 in some calendar, as dates and back. Odd calendars are kept: 30 February is a day there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import cftime
import numpy as np

from terrella.model.time import Instant

UNITS = "milliseconds since 1970-01-01T00:00:00"
_GREGORIAN = ("", "standard", "gregorian", "proleptic_gregorian")
_EARLIEST = -12_219_292_800_000
"""1582-10-15T00:00:00Z in ms: before it the 'standard' calendar is the Julian one."""
_LAST_OF_YEAR_9999 = 253_402_300_799_999
_YEAR_1 = -62_135_596_800_000


def is_gregorian(calendar: str, values: np.ndarray | None = None) -> bool:
    """Whether these times (ms) can be datetime64 as they are."""
    if calendar not in _GREGORIAN:
        return False
    if values is None or values.size == 0 or calendar == "proleptic_gregorian":
        return True
    return bool(values.min() >= _EARLIEST)


def dates(values: np.ndarray, calendar: str) -> Any:
    """Dates of cftime (object array) for int64 ms."""
    return cftime.num2date(values, UNITS, calendar or "standard", only_use_cftime_datetimes=True)


def iso(values: np.ndarray, calendar: str) -> list[str]:
    """RFC 3339 texts with Z, seconds kept, fractions only where there are any. In odd calendars the same form."""
    values = np.asarray(values, dtype=np.int64).ravel()
    if (
        is_gregorian(calendar, values)
        and values.size
        and values.min() >= _YEAR_1
        and values.max() <= _LAST_OF_YEAR_9999
    ):
        unit: Literal["ms", "s"] = "ms" if (values % 1000).any() else "s"
        return [f"{text}Z" for text in np.datetime_as_string(values.astype("M8[ms]"), unit=unit).tolist()]
    return [_text(date) for date in np.atleast_1d(dates(values, calendar))]


def _text(date: Any) -> str:
    fraction = f".{date.microsecond // 1000:03d}" if date.microsecond else ""
    return (
        f"{date.year:04d}-{date.month:02d}-{date.day:02d}"
        f"T{date.hour:02d}:{date.minute:02d}:{date.second:02d}{fraction}Z"
    )


@lru_cache(maxsize=4096)
def to_ms(at: Instant, calendar: str) -> int:
    """An instant as ms in a calendar, rounded down; a day that the calendar lacks becomes the last of its month.

    (31 January of 360_day becomes the 30th: users ask for whole months in their own calendar.)
    """
    for day in range(at.day, 27, -1):
        try:
            return _ms(at, day, calendar or "standard")
        except ValueError:
            continue
    return _ms(at, at.day, calendar or "standard")


def _ms(at: Instant, day: int, calendar: str) -> int:
    date = cftime.datetime(at.year, at.month, day, at.hour, at.minute, min(at.second, 59), calendar=calendar)
    whole = round(cftime.date2num(date, "seconds since 1970-01-01T00:00:00", calendar))
    return int(whole) * 1000 + at.microsecond // 1000 + (1000 if at.second > 59 else 0)


def rfc3339(values: np.ndarray, calendar: str) -> list[str]:
    """Like `iso`, but always a date that exists: for documents whose schema insists (STAC's extents).

    30 February becomes the last day of February.
    """
    texts = iso(values, calendar)
    if calendar in _GREGORIAN:
        return texts
    return [_existing(text) for text in texts]


def _existing(text: str) -> str:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = (29 if leap else 28) if month == 2 else (30 if month in (4, 6, 9, 11) else 31)
    return f"{text[:8]}{min(day, last):02d}{text[10:]}"
