"""Steps and reference times of a cube that shows valid times in their place: each valid time still has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cftime
import numpy as np

from terrella.encodings.calendars import UNITS
from terrella.model.scan import Axis

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube

_BOTH = ("reference_time", "step")


def hidden_axis(cube: Cube, time: Axis, name: str) -> Axis | None:
    """The step or reference time that belongs to each value of `time`; None where the cube has no such thing."""
    known = cube.dataset.variables
    single = next((one for one in _BOTH if one in known and known[one].ndim == 0), None)
    if name not in _BOTH or single is None:
        return None
    there = _milliseconds(known[single].values[()], time.calendar)
    values = np.full(time.values.shape, there) if name == single else time.values - there
    if name == "step":
        return Axis(name, "step", values)
    return Axis(name, "reference_time", values, "", time.calendar)


def _milliseconds(value: Any, calendar: str) -> int:
    if isinstance(value, np.datetime64):
        return int(value.astype("M8[ms]").astype(np.int64))
    if isinstance(value, np.timedelta64):
        return int(value.astype("m8[ms]").astype(np.int64))
    made: int = round(cftime.date2num(value, UNITS, calendar or "standard"))
    return made
