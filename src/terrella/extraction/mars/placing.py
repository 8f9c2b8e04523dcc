"""Where along a cube's axes a MARS request lies: dates and times, steps, levels, members, other axes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.calendars import iso, to_ms
from terrella.errors import Invalid
from terrella.extraction.mars import times
from terrella.extraction.mars.values import Every, Listed, Ranged, Wanted
from terrella.model.time import Instant, Interval, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from terrella.extraction.mars.asking import MarsRequest
    from terrella.model.extraction import Extraction
    from terrella.model.scan import Axis

TO_PASCAL = {"Pa": 1.0, "hPa": 100.0, "mbar": 100.0, "millibar": 100.0}


def placed(
    request: MarsRequest, extraction: Extraction, axes: Sequence[Axis], *, base: date | None = None
) -> Extraction:
    """The extraction with what the request says of these axes; `base` is the day that relative dates count from.

    Raises Invalid for what is not there, with what is.
    """
    by_kind = {axis.kind: axis for axis in axes}
    select: dict[str, tuple[Any, ...]] = dict(extraction.select)
    made = _times(request, extraction, by_kind, base or times.today(), select)
    made = _levels(request, made, by_kind.get("vertical"))
    _members(request, by_kind.get("number"), select)
    for axis in axes:
        if axis.kind in ("other", "band") and axis.name in request.where:
            select[axis.name] = _plain(axis, request.where[axis.name])
    return replace(made, select=select)


# --- times ----------------------------------------------------------------------------------------------------------


def _times(
    request: MarsRequest, extraction: Extraction, axes: dict[Any, Axis], base: date, select: dict[str, tuple[Any, ...]]
) -> Extraction:
    steps = request.where.get("step")
    if "reference_time" in axes:
        start = axes["reference_time"]
        chosen = _started(request, start, base)
        if chosen.size < start.values.size:
            select[start.name] = tuple(iso(chosen, start.calendar))
        if steps is not None and "step" in axes:
            select["step"] = tuple(float(one) / times.HOUR_MS for one in _steps(axes["step"], steps))
        return extraction
    if "time" not in axes:
        return extraction
    axis = axes["time"]
    chosen = _valid(request, axis, base, steps)
    if chosen.size == axis.values.size:
        return extraction
    inside = (axis.values >= chosen.min()) & (axis.values <= chosen.max())
    if int(inside.sum()) == chosen.size:
        first, last = iso(np.array([chosen.min(), chosen.max()]), axis.calendar)
        return replace(extraction, interval=Interval(parse_instant(first), parse_instant(last)))
    select[axis.name] = tuple(iso(chosen, axis.calendar))
    return extraction


def _valid(request: MarsRequest, axis: Axis, base: date, steps: Wanted | None) -> np.ndarray:
    """Valid times. A step other than 0 counts from each date and time."""
    if not isinstance(steps, Listed) or {times.step_of(text) for text in steps.values} == {0}:
        return _started(request, axis, base)
    days = _days(request, axis, base)
    clock = request.where.get("time")
    hours = [times.time_of(text) for text in clock.values] if isinstance(clock, Listed) else [0]
    ahead = [times.step_of(text) for text in steps.values]
    wanted = np.array([day + hour + step for day in days for hour in hours for step in ahead], dtype=np.int64)
    return _there(axis, np.unique(wanted))


def _started(request: MarsRequest, axis: Axis, base: date) -> np.ndarray:
    """Values of a time axis whose date and time of day are asked for. Raises Invalid where a date has none."""
    values = axis.values.astype(np.int64)
    keep = np.ones(values.shape, dtype=bool)
    if _asks_days(request):
        keep &= np.isin(values - values % times.DAY_MS, _days(request, axis, base))
    clock = request.where.get("time")
    if isinstance(clock, Listed | Ranged):
        keep &= np.isin(values % times.DAY_MS, _clock(clock, np.unique(values % times.DAY_MS)))
    found = values[keep]
    if not found.size:
        raise _nothing(axis, "No data are of that date and time here")
    _check_each(request, axis, base, found)
    return found


def _check_each(request: MarsRequest, axis: Axis, base: date, found: np.ndarray) -> None:
    """Every date that was listed must be there: an answer never lacks one silently."""
    wanted = request.where.get("date")
    if isinstance(wanted, Listed):
        missing = np.setdiff1d(_days(request, axis, base), found - found % times.DAY_MS)
        if missing.size:
            raise _nothing(axis, f"There are no data of {iso(missing[:1], axis.calendar)[0][:10]} at those times here")
    clock = request.where.get("time")
    if isinstance(clock, Listed):
        for text in clock.values:
            if not (found % times.DAY_MS == times.time_of(text)).any():
                raise _nothing(axis, f"There is no time {text!r:.20} on those dates here", "time")


def _asks_days(request: MarsRequest) -> bool:
    return any(isinstance(request.where.get(key), Listed | Ranged) for key in ("date", "year", "month", "day"))


def _days(request: MarsRequest, axis: Axis, base: date) -> np.ndarray:
    """Days (ms at midnight, in the axis's calendar) that are asked for, among those of the axis or as listed."""
    there = np.unique(axis.values.astype(np.int64) // times.DAY_MS * times.DAY_MS)
    wanted = request.where.get("date")
    if wanted is None:
        return _of_calendar(request, axis, there)
    asked = times.dates(wanted, base)
    if asked is None:
        return there
    if isinstance(asked, tuple):
        first, last = (_midnight(one, axis.calendar) for one in asked)
        return there[(there >= first) & (there <= last)]
    return np.unique(np.array([_midnight(one, axis.calendar) for one in asked], dtype=np.int64))


def _of_calendar(request: MarsRequest, axis: Axis, there: np.ndarray) -> np.ndarray:
    """Days of the axis by year, month and day of month."""
    texts = iso(there, axis.calendar)
    keep = np.ones(there.shape, dtype=bool)
    for key, part in (("year", slice(0, 4)), ("month", slice(5, 7)), ("day", slice(8, 10))):
        wanted = request.where.get(key)
        if isinstance(wanted, Listed | Ranged):
            numbers = np.array([int(text[part]) for text in texts])
            keep &= np.isin(numbers, _numbers(key, wanted, numbers))
    return there[keep]


def _midnight(day: date, calendar: str) -> int:
    return to_ms(Instant(day.year, day.month, day.day), calendar)


def _clock(wanted: Listed | Ranged, there: np.ndarray) -> np.ndarray:
    return _among("time", wanted, there, lambda text: float(times.time_of(text)))


def _steps(axis: Axis, wanted: Wanted) -> np.ndarray:
    if isinstance(wanted, Every):
        return axis.values.astype(np.int64)
    chosen = _among("step", wanted, axis.values, lambda text: float(times.step_of(text)))
    return _there(axis, chosen.astype(np.int64))


def _there(axis: Axis, wanted: np.ndarray) -> np.ndarray:
    missing = np.setdiff1d(wanted, axis.values)
    if missing.size:
        shown = f"{missing[0] / times.HOUR_MS:g} h" if axis.kind == "step" else iso(missing[:1], axis.calendar)[0]
        raise _nothing(axis, f"There is no {axis.name} {shown} here")
    return wanted


def _nothing(axis: Axis, what: str, parameter: str = "date") -> Invalid:
    if axis.kind == "step":
        steps = [f"{value / times.HOUR_MS:g}" for value in axis.values.tolist()]
        more = ", ..." if len(steps) > 12 else ""
        return Invalid(f"{what}. There are: {', '.join(steps[:12])}{more} h.", parameter="step")
    first, last = iso(np.array([axis.values.min(), axis.values.max()]), axis.calendar)
    return Invalid(f"{what}; times go from {first} to {last}.", parameter=parameter)


# --- everything else ------------------------------------------------------------------------------------------------


def _levels(request: MarsRequest, extraction: Extraction, axis: Axis | None) -> Extraction:
    wanted = request.where.get("levelist")
    if wanted is None or isinstance(wanted, Every):
        return extraction
    if axis is None:
        raise Invalid("These variables have no levels: leave levelist out.", parameter="levelist")
    # MARS counts pressure in hPa; the axis may not
    factor = 100.0 / TO_PASCAL[axis.units] if axis.units in TO_PASCAL else 1.0
    there = axis.values.astype(np.float64) / factor
    chosen = _among("levelist", wanted, there, lambda text: times.number_of(text, "levelist"))
    return replace(extraction, vertical=tuple(float(one) * factor for one in chosen))


def _members(request: MarsRequest, axis: Axis | None, select: dict[str, tuple[Any, ...]]) -> None:
    wanted = request.where.get("number")
    if wanted is None or isinstance(wanted, Every):
        return
    if axis is None:
        if isinstance(wanted, Listed) and {times.number_of(text, "number") for text in wanted.values} <= {0.0, 1.0}:
            return  # data of a single member, which some number 0 and some 1
        raise Invalid("These data have no ensemble members: leave number out.", parameter="number")
    chosen = _among("number", wanted, axis.values, lambda text: times.number_of(text, "number"))
    select[axis.name] = tuple(int(one) for one in chosen)


def _plain(axis: Axis, wanted: Wanted) -> tuple[Any, ...]:
    if isinstance(wanted, Every):
        return tuple(axis.values.tolist())
    if axis.values.dtype.kind in "iuf":
        chosen = _among(axis.name, wanted, axis.values, lambda text: times.number_of(text, axis.name))
        return tuple(chosen.tolist())
    if isinstance(wanted, Ranged):
        raise Invalid(f"{axis.name} is no number: list its values.", parameter=axis.name)
    return wanted.values


def _numbers(key: str, wanted: Wanted, there: np.ndarray) -> np.ndarray:
    return _among(key, wanted, there, lambda text: times.number_of(text, key))


def _among(key: str, wanted: Wanted, there: np.ndarray, read: Callable[[str], float]) -> np.ndarray:
    """The values asked for; of a range without a stride, those that lie in it, in the order of the range."""
    if isinstance(wanted, Every):
        return there
    if isinstance(wanted, Listed):
        return np.array(list(dict.fromkeys(read(text) for text in wanted.values)))
    if wanted.by is not None:
        return np.array(list(times.spread(key, wanted, read)))
    first, last = read(wanted.start), read(wanted.stop)
    known = np.unique(there.astype(np.float64))
    inside = known[(known >= min(first, last)) & (known <= max(first, last))]
    if not inside.size:
        raise Invalid(f"{key}: nothing lies in {wanted.start}/to/{wanted.stop}.", parameter=key)
    return inside if first <= last else inside[::-1]
