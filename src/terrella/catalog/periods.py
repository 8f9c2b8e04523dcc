"""What time a file covers, as STAC says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from terrella.encodings.calendars import rfc3339

if TYPE_CHECKING:
    from terrella.model.scan import Axis
    from terrella.model.stac import Document


_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """RFC 3339 texts; both None where the file tells no time."""

    start: str | None
    end: str | None
    reference: str | None = None
    calendar: str = ""

    @classmethod
    def around(cls, periods: Iterable[Period]) -> Period:
        known = [period for period in periods if period.start and period.end]
        if not known:
            return cls(None, None)
        return cls(
            min(str(period.start) for period in known),
            max(str(period.end) for period in known),
            known[0].reference,
            known[0].calendar,
        )

    def properties(self, *, fallback: str) -> Document:
        """`datetime`, or `start_datetime` and `end_datetime`; an undated file gets `fallback`, and says so."""
        if self.start is None:
            return {"datetime": fallback, "terrella:undated": True}
        more: Document = {"forecast:reference_datetime": self.reference} if self.reference else {}
        if self.calendar not in ("", "standard", "gregorian", "proleptic_gregorian"):
            more["terrella:calendar"] = self.calendar
        if self.start == self.end:
            return {"datetime": self.start, **more}
        return {"datetime": None, "start_datetime": self.start, "end_datetime": self.end, **more}


def covered(axis: Axis) -> tuple[int, int]:
    """First and last time of a time axis in ms. What is told for a month covers it up to its last second."""
    low, high = (int(one) for one in axis.limits)
    last = int(axis.values.max())
    return low, high if high == last else max(last, high - _SECOND)


def period_of(axes: Sequence[Axis]) -> Period:
    """Of valid times: `time`, or `reference_time` plus `step`."""
    by_kind = {axis.kind: axis for axis in axes}
    start = by_kind.get("time") or by_kind.get("reference_time")
    if start is None or start.values.size == 0:
        return Period(None, None)
    low, high = covered(start)
    reference = None
    if start.kind == "reference_time":
        # several starts in one file: none of them is *the* reference time
        reference = rfc3339(np.array([low]), start.calendar)[0] if low == high else None
        if (step := by_kind.get("step")) is not None and step.values.size:
            low, high = low + int(step.values.min()), high + int(step.values.max())
    first, last = rfc3339(np.array([low, high]), start.calendar)
    return Period(first, last, reference, start.calendar)
