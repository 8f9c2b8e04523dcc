"""Hours, days and months of UTC, in which quotas count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

HOUR = 3600
DAY = 24 * HOUR


def window(per: str, at: float) -> tuple[int, int]:
    """First second of the hour, day or month that an instant (seconds since 1970) lies in, and that of the next."""
    moment = datetime.fromtimestamp(at, UTC).replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        start, end = moment, moment + timedelta(hours=1)
    elif per == "day":
        start = moment.replace(hour=0)
        end = start + timedelta(days=1)
    else:
        start = moment.replace(hour=0, day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    return int(start.timestamp()), int(end.timestamp())
