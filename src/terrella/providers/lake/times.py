"""Times as whole microseconds since 1970 in UTC, the unit of every time column."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from terrella.model.microseconds import EPOCH, FOREVER, LONG_AGO, instant_or_none, microseconds, of_instant

if TYPE_CHECKING:
    from terrella.model.time import Interval


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
    made = datetime.fromordinal(EPOCH.toordinal() + days)
    hours, seconds = divmod(seconds, 3600)
    text = f"{made.year:04d}-{made.month:02d}-{made.day:02d}T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
    return text + (f".{rest:06d}".rstrip("0") if rest else "") + "Z"


__all__ = ["as_text", "bounds", "instant_or_none", "microseconds", "of_instant"]
