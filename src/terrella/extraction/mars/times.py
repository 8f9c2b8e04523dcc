"""Dates, times and steps of MARS: which instants and durations a request means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from terrella.errors import Invalid, TooLarge
from terrella.extraction.mars.values import MOST_VALUES, Every, Listed, Ranged, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_TIME = re.compile(r"(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?")
_STEP = re.compile(r"(?:(\d+(?:\.\d+)?)(?:h|$))?(?:(\d+)m)?(?:(\d+)s)?", re.IGNORECASE)


def today() -> date:
    """In UTC: what relative dates count from."""
    return datetime.now(UTC).date()


def date_of(text: str, base: date) -> date:
    """YYYYMMDD, YYYY-MM-DD, or days before `base` as 0, -1, -2. Raises Invalid."""
    if re.fullmatch(r"0|-\d{1,5}", text):
        return base + timedelta(days=int(text))
    found = _DATE.fullmatch(text)
    try:
        if not found:
            raise ValueError("not of this form")  # noqa: TRY301 -- one road for all that is no date
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Invalid(
            f"{text!r:.40} is no date: write 20240701, 2024-07-01, or days back as 0, -1, -2.", parameter="date"
        ) from None


def time_of(text: str) -> int:
    """Milliseconds since midnight of 0, 00, 0000, 12:00, 1200 or 120000. Raises Invalid."""
    digits = text if ":" in text or len(text) > 2 else text.zfill(2)
    if digits.isdigit() and len(digits) == 3:  # YAML and JSON turn 0600 into 600
        digits = digits.zfill(4)
    found = _TIME.fullmatch(digits)
    hour, minute, second = (int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Invalid(f"{text!r:.40} is no time of day: write 0000, 06, 1200 or 12:30.", parameter="time")
    return (hour * 3600 + minute * 60 + second) * 1000


def step_of(text: str) -> int:
    """Milliseconds of a step: 6, 6h, 90m, 1h30m; of a period, such as 0-24, its end. Raises Invalid."""
    found = _STEP.fullmatch(text.rpartition("-")[2]) if text else None
    if not found or not any(found.groups()):
        raise Invalid(f"{text!r:.40} is no step: write hours as 6, minutes as 90m, both as 1h30m.", parameter="step")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return round((hours * 3600 + minutes * 60 + seconds) * 1000)


def dates(wanted: Wanted, base: date) -> list[date] | tuple[date, date] | None:
    """Dates listed, both ends of a range without a stride, or None for all. Raises Invalid, TooLarge."""
    if isinstance(wanted, Every):
        return None
    if isinstance(wanted, Listed):
        return [date_of(text, base) for text in wanted.values]
    first, last = date_of(wanted.start, base), date_of(wanted.stop, base)
    if first > last:
        raise Invalid(f"date: the range {wanted.start}/to/{wanted.stop} goes backwards.", parameter="date")
    if wanted.by is None:
        return first, last
    stride = number_of(wanted.by, "date")
    if stride != int(stride) or stride < 1:
        raise Invalid(f"date: by/{wanted.by} is no whole number of days.", parameter="date")
    count = (last - first).days // int(stride) + 1
    return [first + timedelta(days=int(stride) * index) for index in range(count)]


def number_of(text: str, key: str) -> float:
    """Raises Invalid for what is no number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e15:
        raise Invalid(f"{key}: {text!r:.40} is no number.", parameter=key)
    return value


def spread(key: str, wanted: Ranged, read: Callable[[str], float]) -> Iterator[float]:
    """The values of a range with a stride, both ends included, upwards or downwards. Raises Invalid, TooLarge."""
    first, last, stride = read(wanted.start), read(wanted.stop), read(wanted.by or "0")
    if stride <= 0:
        raise Invalid(f"{key}: by/{wanted.by} must be more than 0.", parameter=key)
    count = int(abs(last - first) / stride + 1e-9) + 1
    if count > MOST_VALUES:
        raise TooLarge(f"{key}: that range has {count:,} values; at most {MOST_VALUES:,} are taken.", parameter=key)
    way = stride if last >= first else -stride
    return (first + way * index for index in range(count))
