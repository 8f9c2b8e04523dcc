"""Which times are wanted: instants and intervals against a time axis, compared as integers in the axis's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cftime
import numpy as np

from terrella.encodings.calendars import iso, to_ms
from terrella.errors import Invalid

if TYPE_CHECKING:
    from terrella.model.scan import Axis
    from terrella.model.time import Instant, Interval

PARAMETER = "datetime"


@dataclass(frozen=True, eq=False)
class Bounds:
    """Both ends in ms of the calendar, included; None is open."""

    low: int | None
    high: int | None

    @property
    def is_instant(self) -> bool:
        return self.low is not None and self.low == self.high

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which times lie between."""
        inside = np.ones(values.shape, dtype=bool)
        if self.low is not None:
            inside &= values >= self.low
        if self.high is not None:
            inside &= values <= self.high
        return inside


def bounds(interval: Interval, calendar: str) -> Bounds:
    """An interval in a calendar. Raises Invalid for dates that it has not, such as 31 April."""
    low = None if interval.start is None else _ms(interval.start, calendar, is_end=False)
    high = None if interval.end is None else _ms(interval.end, calendar, is_end=True)
    return Bounds(low, high)


def _ms(at: Instant, calendar: str, *, is_end: bool) -> int:
    """The end of a shortened date may name day 31 of any month: it becomes the month's last."""
    if not (is_end and at.width in ("year", "month")):
        _check_date(at, calendar)
    try:
        return to_ms(at, calendar)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"{at} is no date of the {calendar or 'standard'} calendar: {error}.", parameter=PARAMETER
        ) from None


def _check_date(at: Instant, calendar: str) -> None:
    try:
        cftime.datetime(at.year, at.month, at.day, calendar=calendar or "standard")
    except ValueError:
        raise Invalid(
            f"{at.year:04d}-{at.month:02d}-{at.day:02d} is no date of the {calendar or 'standard'} calendar, "
            "in which this collection tells time.",
            parameter=PARAMETER,
        ) from None


def chosen(axis: Axis, interval: Interval) -> np.ndarray:
    """Indices of an axis of valid times that lie in the interval, ends included.

    Where times have bounds, an interval of dates (a month, some days) takes the values whose period has its middle in
    it, be they stamped with its start or its end; where there is none, and with times of day, the stamps count.
    Raises Invalid where there is none: with the nearest times for an instant, else with what is covered.
    """
    wanted = bounds(interval, axis.calendar)
    if axis.bounds is not None and _is_of_dates(interval):
        inside = np.flatnonzero(wanted.holds(axis.middles))
        if inside.size:
            return inside
    found = np.flatnonzero(wanted.holds(axis.values))
    if not found.size:
        raise _nothing(axis.values, axis.calendar, wanted)
    return found


def _is_of_dates(interval: Interval) -> bool:
    """Whether its ends are days, months or years, without a time of day."""
    return all(end is None or end.width in ("year", "month", "day") for end in (interval.start, interval.end))


def chosen_pairs(reference: Axis, step: Axis, interval: Interval) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference times and steps that give some valid time in the interval, and which of their pairs do (2-D mask)."""
    valid = reference.values[:, None] + step.values[None, :]
    wanted = bounds(interval, reference.calendar)
    inside = wanted.holds(valid)
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        raise _nothing(np.unique(valid), reference.calendar, wanted)
    return rows, cols, inside[np.ix_(rows, cols)]


def nearest(axis: Axis, at: Instant) -> int:
    """Index of the time nearest to an instant. Raises Invalid more than half a step outside the axis."""
    wanted = to_ms(at, axis.calendar)
    distance = np.abs(axis.values - wanted)
    place = int(distance.argmin())
    outside = not int(axis.values.min()) <= wanted <= int(axis.values.max())
    if outside and int(distance[place]) > _half_step(axis.values):
        raise _nothing(axis.values, axis.calendar, Bounds(wanted, wanted))
    return place


def _half_step(values: np.ndarray) -> int:
    steps = np.diff(np.sort(values))
    return int(np.median(steps)) // 2 if steps.size else 0


def _nothing(values: np.ndarray, calendar: str, wanted: Bounds) -> Invalid:
    low, high = iso(np.array([values.min(), values.max()]), calendar)
    covered = f"times here go from {low} to {high}" if low != high else f"the only time here is {low}"
    if wanted.is_instant and wanted.low is not None:
        near = np.unique(values[np.argsort(np.abs(values - wanted.low), kind="stable")[:2]])
        asked = iso(np.array([wanted.low]), calendar)[0]
        text = f"There is no time {asked} here; the nearest are {' and '.join(iso(near, calendar))}, and {covered}."
    else:
        text = f"No time lies in that interval; {covered}."
    if calendar not in ("", "standard", "gregorian", "proleptic_gregorian"):
        text += f" The calendar is {calendar}."
    return Invalid(text, parameter=PARAMETER, details={"covered": [low, high]})
