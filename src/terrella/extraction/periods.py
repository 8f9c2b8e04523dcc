"""Hours, days, dekads, months, seasons, years and climatologies of a time axis, in the calendar of the axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cftime
import numpy as np

from terrella.encodings.calendars import UNITS, dates, is_gregorian

Unit = Literal["hour", "day", "dekad", "month", "season", "year"]
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_CLIMATOLOGY = "climatology-"


@dataclass(frozen=True, eq=False)
class Periods:
    """Which period each time belongs to, and where the periods start and end.

    `number` counts periods from 0, for each time; `starts` are their labels and `bounds` (periods, 2) their ends, all
    int64 ms in the calendar. Of a climatology the label lies in the first year, the bounds reach to the last.
    """

    number: np.ndarray
    starts: np.ndarray
    bounds: np.ndarray
    is_climatology: bool = False

    @property
    def count(self) -> int:
        return int(self.starts.size)


def whole(times: np.ndarray, limits: tuple[int, int] | None = None) -> Periods:
    """One period from the first to the last time, labelled by the first; `limits` are its ends if they are others."""
    low, high = limits or (times.min(), times.max())
    return Periods(
        np.zeros(times.size, dtype=np.int64), np.array([int(times.min())]), np.array([[int(low), int(high)]])
    )


def periods(times: np.ndarray, calendar: str, every: str) -> Periods:
    """Periods that hold at least one of the times (int64 ms in the calendar), in order of their starts."""
    unit: Any = every.removeprefix(_CLIMATOLOGY)
    starts, ends = _spans(times, calendar, unit)
    if every == unit:
        labels, first, number = np.unique(starts, return_index=True, return_inverse=True)
        return Periods(number.ravel(), labels, np.stack([labels, ends[first]], axis=1))
    return _climatology(times, calendar, unit, starts, ends)


def _climatology(times: np.ndarray, calendar: str, unit: Unit, starts: np.ndarray, ends: np.ndarray) -> Periods:
    """The same part of each year, or the same hour of each day, in one period; ordered from the start of the year."""
    _, part = _parts(times, calendar, unit)
    parts, number = np.unique(part, return_inverse=True)
    first = _spans(times[:1], calendar, "day" if unit == "hour" else "year")[0]
    low = np.array([starts[part == one].min() for one in parts])
    high = np.array([ends[part == one].max() for one in parts])
    if unit == "hour":
        labels = first + parts * _HOUR_MS
    else:
        year = int(_fields(first, calendar)[0][0])
        labels = np.array([_start_of(year, int(one), calendar, unit) for one in parts])
    return Periods(number.ravel(), labels, np.stack([low, high], axis=1), is_climatology=True)


def _parts(times: np.ndarray, calendar: str, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """The year of each time and the number of its part of the year: month 1..12, season 0..3 (from December) ...

    Days are numbered month * 100 + day, hours by the hour of the day.
    """
    year, month, day = _fields(times, calendar)
    if unit == "hour":
        return year, np.mod(times, _DAY_MS) // _HOUR_MS
    if unit == "day":
        return year, month * 100 + day
    if unit == "dekad":
        return year, month * 100 + np.minimum((day - 1) // 10, 2)
    if unit == "month":
        return year, month
    if unit == "season":
        return year + (month == 12), np.mod(month, 12) // 3
    return year, np.zeros_like(month)


def _spans(times: np.ndarray, calendar: str, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Start and end (excluded) of the period that each time lies in."""
    if unit in ("hour", "day"):
        size = _HOUR_MS if unit == "hour" else _DAY_MS
        start = times - np.mod(times, size)
        return start, start + size
    years, parts = _parts(times, calendar, unit)
    keys, which = np.unique(np.stack([years, parts], axis=1), axis=0, return_inverse=True)
    start = np.array([_start_of(year, part, calendar, unit) for year, part in keys.tolist()])
    stop = np.array([_start_of(*_following(year, part, unit), calendar, unit) for year, part in keys.tolist()])
    return start[which.ravel()], stop[which.ravel()]


def _following(year: int, part: int, unit: Unit) -> tuple[int, int]:
    """The next period after one, in the numbers of `_parts`."""
    if unit == "year":
        return year + 1, part
    if unit == "season":
        return (year, part + 1) if part < 3 else (year + 1, 0)
    if unit == "month":
        return (year, part + 1) if part < 12 else (year + 1, 1)
    if part % 100 < 2:
        return year, part + 1
    month = part // 100
    return (year, (month + 1) * 100) if month < 12 else (year + 1, 100)


def _start_of(year: int, part: int, calendar: str, unit: Unit) -> int:
    """The first ms of a period."""
    if unit == "year":
        return _ms(year, 1, 1, calendar)
    if unit == "season":
        return _ms(year, part * 3, 1, calendar) if part else _ms(year - 1, 12, 1, calendar)
    if unit == "month":
        return _ms(year, part, 1, calendar)
    if unit == "dekad":
        return _ms(year, part // 100, part % 100 * 10 + 1, calendar)
    return _ms(year, part // 100, part % 100, calendar)


def _ms(year: int, month: int, day: int, calendar: str) -> int:
    """Midnight; 29 February of a year without it is 1 March."""
    name = calendar or "standard"
    try:
        date = cftime.datetime(year, month, day, calendar=name)
    except ValueError:
        date = cftime.datetime(year, month + 1, 1, calendar=name)
    made: int = round(cftime.date2num(date, UNITS, name))
    return made


def _fields(times: np.ndarray, calendar: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Year, month and day of ms in a calendar."""
    times = np.asarray(times, dtype=np.int64)
    if is_gregorian(calendar, times):
        day = times.astype("M8[ms]").astype("M8[D]")
        month = day.astype("M8[M]")
        year = month.astype("M8[Y]")
        return (
            year.astype(np.int64) + 1970,
            (month - year).astype(np.int64) + 1,
            (day - month).astype(np.int64) + 1,
        )
    found = np.atleast_1d(dates(times, calendar))
    rows = np.array([(at.year, at.month, at.day) for at in found], dtype=np.int64).reshape(-1, 3)
    return rows[:, 0], rows[:, 1], rows[:, 2]
