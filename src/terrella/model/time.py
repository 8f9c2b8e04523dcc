"""Instants and intervals. On the wire they are UTC and say so; odd calendars are kept, not bent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from terrella.errors import Invalid

_PARTIAL = re.compile(
    r"(?P<y>\d{4})(?:-(?P<m>\d{2})(?:-(?P<d>\d{2})"
    r"(?:[Tt ](?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?P<f>[.,]\d+)?)?(?P<z>Z|z|[+-]\d{2}:?\d{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Instant:
    """A date and time in some calendar, as fields, because 30 February exists in some of them.

    `width` says how much was left out: 'year', 'month', 'day', 'minute' or 'second'. Always UTC.
    """

    year: int
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    width: str = "second"

    def as_datetime(self) -> datetime:
        """In the Gregorian calendar. Raises Invalid for 30 February and its like."""
        try:
            return datetime(
                self.year, self.month, self.day, self.hour, self.minute, self.second, self.microsecond, tzinfo=UTC
            )
        except ValueError as error:
            raise Invalid(f"{self} is no date of the Gregorian calendar: {error}.", parameter="datetime") from None

    def __str__(self) -> str:
        return (
            f"{self.year:04d}-{self.month:02d}-{self.day:02d}T{self.hour:02d}:{self.minute:02d}:{self.second:02d}"
            + (f".{self.microsecond:06d}".rstrip("0") if self.microsecond else "")
            + "Z"
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends belong to it; None is open. One instant has equal ends."""

    start: Instant | None
    end: Instant | None

    @property
    def is_instant(self) -> bool:
        return self.start is not None and self.start == self.end


def parse_instant(text: str, *, parameter: str = "datetime") -> Instant:
    """RFC 3339, or a date cut off at year, month or day. Offsets are turned into UTC. Raises Invalid."""
    found = _PARTIAL.fullmatch(text.strip())
    if not found:
        raise Invalid(
            f"{text!r:.60} is no time: write 2024-07-01T12:00:00Z, 2024-07-01, 2024-07 or 2024.", parameter=parameter
        )
    part = {key: int(value) for key, value in found.groupdict().items() if value and key in "ymdHMS"}
    micro = round(float("0" + found["f"].replace(",", ".")) * 1e6) if found["f"] else 0
    width = "second" if "H" in part else "day" if "d" in part else "month" if "m" in part else "year"
    made = Instant(
        part["y"],
        part.get("m", 1),
        part.get("d", 1),
        part.get("H", 0),
        part.get("M", 0),
        part.get("S", 0),
        min(micro, 999_999),
        width,
    )
    if not _in_range(made):
        raise Invalid(f"{text!r:.60} is no time: a field of it is out of range.", parameter=parameter)
    return _to_utc(made, found["z"], parameter)


def _in_range(at: Instant) -> bool:
    """Loose on purpose: 30 February is a day of the 360_day calendar."""
    return (
        0 <= at.year <= 9999
        and 1 <= at.month <= 12
        and 1 <= at.day <= 31
        and at.hour <= 23
        and at.minute <= 59
        and at.second <= 60
    )


def _to_utc(at: Instant, zone: str | None, parameter: str) -> Instant:
    if zone is None or zone in "Zz" or zone.replace(":", "")[1:] == "0000":
        return at
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * sign
    try:
        moved = at.as_datetime() - offset
    except OverflowError:
        raise Invalid("That time lies outside the years 1 to 9999.", parameter=parameter) from None
    return from_datetime(moved)


def from_datetime(at: datetime) -> Instant:
    at = at.astimezone(UTC) if at.tzinfo else at
    return Instant(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)


def parse_interval(text: str, *, parameter: str = "datetime") -> Interval:
    """An instant, ``start/end``, ``start/..``, ``../end`` (an empty end is open too).

    A date cut off at the day means the whole day, as users expect: ``2024-07-01`` is an interval.
    Raises Invalid, also for a reversed interval.
    """
    ends = text.strip().split("/")
    if len(ends) > 2 or not text.strip():
        raise Invalid(
            f"{text!r:.60} is no time: write one instant, or start/end with .. for open.", parameter=parameter
        )
    first = _end(ends[0], parameter)
    last = first if len(ends) == 1 else _end(ends[1], parameter)
    if last is not None:
        last = _last_of(last)
    if len(ends) == 1 and first is None:
        raise Invalid("datetime '..' alone says nothing: leave it out for all times.", parameter=parameter)
    if first is not None and last is not None and _key(first) > _key(last):
        raise Invalid(f"The interval {text!r:.60} ends before it starts.", parameter=parameter)
    return Interval(first, last)


def _end(text: str, parameter: str) -> Instant | None:
    return None if text in {"", ".."} else parse_instant(text, parameter=parameter)


def _last_of(at: Instant) -> Instant:
    """The last instant that a shortened date covers (day 31 is safe in every calendar: it only compares)."""
    if at.width == "second":
        return at
    month = 12 if at.width == "year" else at.month
    day = at.day if at.width == "day" else 31
    return Instant(at.year, month, day, 23, 59, 59, 999_999, at.width)


def _key(at: Instant) -> tuple[int, ...]:
    return (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)
