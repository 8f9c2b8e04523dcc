"""Times that repeat, in the words of cron(5): minute hour day-of-month month day-of-week. Always UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from terrella.errors import Invalid

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
_YEARS = 9
"""29 February comes back within eight years, and 1900 and 2100 are none."""


@dataclass(frozen=True, slots=True)
class Cron:
    """Parsed; days are those of the month and those of the week, where both are given either will do."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    is_either: bool

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`. Raises Invalid where there is none, like 30 February."""
        day = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = day + timedelta(days=366 * _YEARS)
        while day < last:
            if day.month not in self.months or not self._has_day(day):
                day = (day + timedelta(days=1)).replace(hour=0, minute=0)
            elif day.hour not in self.hours:
                day = (day + timedelta(hours=1)).replace(minute=0)
            elif day.minute not in self.minutes:
                day += timedelta(minutes=1)
            else:
                return day
        raise Invalid("This schedule never comes: there is no such day.", parameter="cron")

    def _has_day(self, day: datetime) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month or in_week) if self.is_either else (in_month and in_week)


def parse_cron(text: str) -> Cron:
    """Five fields, or @hourly, @daily, @weekly, @monthly, @yearly. Raises Invalid naming the field at fault."""
    parts = _WORDS.get(text.strip().lower(), text).lower().split()
    if len(parts) != 5:
        raise Invalid(
            f"A schedule has five fields, minute hour day month weekday, like '15 6 * * 1-5', not {text!r:.60}.",
            parameter="cron",
        )
    minutes, hours, days, months, weekdays = (
        _field(part, name, low, high) for part, (name, low, high) in zip(parts, _FIELDS, strict=True)
    )
    is_either = not parts[2].startswith("*") and not parts[4].startswith("*")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), is_either)


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    try:
        for part in text.split(","):
            found |= _values(part, low, high)
    except ValueError:
        raise Invalid(f"{text!r:.40} is no {name} of a schedule: {low} to {high}.", parameter="cron") from None
    return frozenset(found)


def _values(part: str, low: int, high: int) -> set[int]:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    start = low if span == "*" else _number(first, high)
    end = high if span == "*" or (slash and not dash) else _number(last, high) if dash else start
    every = int(step) if slash else 1
    if not (low <= start <= end <= high and every > 0):
        raise ValueError(part)
    return set(range(start, end + 1, every))


def _number(text: str, high: int) -> int:
    if high == 12 and text in _MONTHS:
        return _MONTHS.index(text) + 1
    if high == 7 and text in _DAYS:
        return _DAYS.index(text)
    if not text.isdigit():
        raise ValueError(text)
    return int(text)
