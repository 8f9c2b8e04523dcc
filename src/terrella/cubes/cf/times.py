"""CF time, exactly: numbers since a date in some calendar become int64 milliseconds since 1970 in that calendar.

Conventions: CF 1.11, 4.4. Whole numbers are converted in integers; 'months since' and 'years since' count calendar
months and years (fractions divide the month or year), as their writers mean and udunits does not.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import cftime
import numpy as np

_UNITS = {
    "nanosecond": Fraction(1, 1_000_000),
    "nanosec": Fraction(1, 1_000_000),
    "ns": Fraction(1, 1_000_000),
    "microsecond": Fraction(1, 1000),
    "microsec": Fraction(1, 1000),
    "us": Fraction(1, 1000),
    "millisecond": Fraction(1),
    "millisec": Fraction(1),
    "msec": Fraction(1),
    "ms": Fraction(1),
    "second": Fraction(1000),
    "sec": Fraction(1000),
    "s": Fraction(1000),
    "minute": Fraction(60_000),
    "min": Fraction(60_000),
    "hour": Fraction(3_600_000),
    "hr": Fraction(3_600_000),
    "h": Fraction(3_600_000),
    "day": Fraction(86_400_000),
    "d": Fraction(86_400_000),
    "week": Fraction(604_800_000),
}
_CALENDARS = {
    "": "standard",
    "gregorian": "standard",
    "365_day": "noleap",
    "366_day": "all_leap",
    "360": "360_day",
    "365": "noleap",
    "no_leap": "noleap",
    "noleap_365": "noleap",
}
_KNOWN = ("standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day")
_SINCE = re.compile(r"\s*([A-Za-z_]+)\s+(?:since|after|from)\s+(.+)", re.IGNORECASE)
_DATE = re.compile(
    r"(?P<y>-?\d{1,6})-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2}))?"
    r"(?:[T _]+(?P<H>\d{1,2})(?::?(?P<M>\d{1,2}))?(?::?(?P<S>\d{1,2})(?P<f>[.,]\d*)?)?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_GREGORIAN_SINCE = -12_219_292_800_000
"""1582-10-15T00:00Z in ms: from then on the standard and the proleptic Gregorian calendar are the same."""


_FARTHEST = 200_000 * 366 * 86_400_000
"""200,000 years in ms: further from 1970 calendars fail."""


class NotTime(Exception):
    """These units, this calendar or these values are no times; the text says which."""


def is_time_units(units: str) -> bool:
    """Whether units are those of a time axis: '<unit> since <date>' or '... as %Y%m%d.%f'."""
    return bool(_SINCE.fullmatch(units)) or _is_packed_date(units)


def _is_packed_date(units: str) -> bool:
    return "%y%m%d" in units.casefold() or units.casefold() in {"yyyymmdd", "yyyymmdd.f"}


def calendar_name(calendar: str) -> str:
    """CF's name of a calendar. Raises NotTime for one that we do not know."""
    name = calendar.strip().casefold()
    name = _CALENDARS.get(name, name)
    if name not in _KNOWN:
        raise NotTime(f"its calendar {calendar!r:.40} is not known")
    return name


def decode(values: np.ndarray, units: str, calendar: str) -> tuple[np.ndarray, str]:
    """(int64 ms since 1970-01-01T00:00 in the calendar, the calendar's name). Raises NotTime."""
    name = calendar_name(calendar)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise NotTime("some of its times are missing")
    if _is_packed_date(units):
        made = np.array([_packed(value, name) for value in values.reshape(-1).tolist()], dtype=np.int64)
    else:
        made = _since(values.reshape(-1), units, name)
    return made.reshape(values.shape), _common(made, name)


def _common(ms: np.ndarray, calendar: str) -> str:
    """Both Gregorian calendars are called 'standard' where they are the same, so that files of both join."""
    is_modern = calendar == "proleptic_gregorian" and bool((ms >= _GREGORIAN_SINCE).all())
    return "standard" if is_modern else calendar


def _since(values: np.ndarray, units: str, calendar: str) -> np.ndarray:
    found = _SINCE.fullmatch(units)
    if not found:
        raise NotTime(f"its units {units!r:.60} are no time")
    unit = found[1].casefold()
    reference = _reference(found[2], calendar)
    unit = unit if unit in _UNITS else unit.removesuffix("s")
    if unit in _UNITS:
        return _linear(values, _UNITS[unit], reference)
    if unit in {"month", "mon"}:
        return _by_months(values, 1, reference, calendar)
    if unit in {"year", "yr", "common_year"}:
        return _by_months(values, 12, reference, calendar)
    raise NotTime(f"the unit {found[1]!r:.30} of its times is not known")


def duration_unit(units: str) -> Fraction | None:
    """Milliseconds in a unit of duration ('hours', 'days'); None where it is none."""
    unit = units.strip().casefold()
    return _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))


def durations(values: np.ndarray, units: str) -> np.ndarray:
    """int64 ms. Raises NotTime."""
    unit = duration_unit(units)
    if unit is None:
        raise NotTime(f"its units {units!r:.40} are no duration")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise NotTime("some of its durations are missing")
    return _linear(values.reshape(-1), unit, 0)


def _linear(values: np.ndarray, unit: Fraction, start: int) -> np.ndarray:
    """Start + value * unit, rounded to the millisecond."""
    if not values.size:
        return np.empty(0, dtype=np.int64)
    largest = max(abs(float(values.max())), abs(float(values.min()))) * float(unit) + abs(start)
    if not largest <= _FARTHEST:
        raise NotTime("its times lie too far from 1970")
    if values.dtype.kind == "f":
        return start + np.rint(values * float(unit)).astype(np.int64)
    if unit.denominator == 1:
        return start + values.astype(np.int64) * int(unit)
    return _int64([start + round(value * unit) for value in values.tolist()])


def _int64(values: list[int]) -> np.ndarray:
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise NotTime("its times lie too far from 1970") from None


def _reference(text: str, calendar: str) -> int:
    """The date behind 'since' in ms."""
    found = _DATE.fullmatch(text.strip().replace(" UTC", "Z").replace(" GMT", "Z"))
    if not found:
        raise NotTime(f"{text.strip()!r:.60} is no date to count from")
    year, month, day = int(found["y"]), int(found["m"]), int(found["d"] or 1)
    if year == 0 and calendar in {"standard", "julian"}:
        year = 1  # there is no year 0 in these; udunits reads it so
    ms = date_ms((year, max(month, 1), max(day, 1)), calendar)
    clock = int(found["H"] or 0) * 3_600_000 + int(found["M"] or 0) * 60_000 + int(found["S"] or 0) * 1000
    fraction = (found["f"] or "").replace(",", ".")
    if len(fraction) > 1:
        clock += round(float("0" + fraction) * 1000)
    return ms + clock - _zone(found["z"] or "")


def _zone(text: str) -> int:
    """A UTC offset in ms."""
    if not text or text.upper() in {"Z", "UTC", "GMT"}:
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    return (-1 if text[0] == "-" else 1) * (hours * 60 + minutes) * 60_000


def date_ms(date: tuple[int, int, int], calendar: str) -> int:
    """Midnight of a date of a calendar, ms since 1970-01-01 in it. Raises NotTime."""
    try:
        day = cftime.datetime(*date, calendar=calendar).toordinal()
    except (ValueError, OverflowError) as error:
        raise NotTime(f"there is no such date: {error}") from None
    return int(day - cftime.datetime(1970, 1, 1, calendar=calendar).toordinal()) * 86_400_000


def fields(ms: int, calendar: str) -> Any:
    """A time of a calendar as cftime has it."""
    days, rest = divmod(ms, 86_400_000)
    start = cftime.datetime(1970, 1, 1, calendar=calendar).toordinal()
    date = cftime.datetime.fromordinal(start + days, calendar=calendar)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return cftime.datetime(
        date.year, date.month, date.day, hours, minutes, rest // 1000, rest % 1000 * 1000, calendar=calendar
    )


def _by_months(values: np.ndarray, factor: int, start: int, calendar: str) -> np.ndarray:
    made = []
    for value in values.tolist():
        whole, part = divmod(value * factor, 1)
        low = _months_on(start, int(whole), calendar)
        made.append(low + round((_months_on(start, int(whole) + 1, calendar) - low) * part) if part else low)
    return _int64(made)


def _months_on(start: int, months: int, calendar: str) -> int:
    """The same day and time of day `months` later, or the month's last day."""
    at = fields(start, calendar)
    years, month = divmod(at.month - 1 + months, 12)
    if abs(years) > 200_000:
        raise NotTime("its times lie too far from 1970")
    try:
        first = cftime.datetime(at.year + years, month + 1, 1, calendar=calendar)
    except (ValueError, OverflowError) as error:
        raise NotTime(f"there is no such date: {error}") from None
    day = min(at.day, first.daysinmonth)
    return date_ms((first.year, first.month, day), calendar) + start % 86_400_000


def _packed(value: float, calendar: str) -> int:
    """A date written as the number 20240229.25."""
    whole = int(value)
    date = (whole // 10_000, whole // 100 % 100, whole % 100)
    return date_ms(date, calendar) + round((value - whole) * 86_400_000)


def from_text(values: list[str]) -> np.ndarray:
    """ISO 8601 texts (also WRF's, with _ for T) as int64 ms. Raises NotTime."""
    return np.array([_reference(value.replace("_", "T"), "standard") for value in values], dtype=np.int64)
