"""Which levels, members, steps and bands are wanted: values against an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.calendars import iso, to_ms
from terrella.errors import Invalid, TerrellaError, nearest_names
from terrella.model.extraction import Span
from terrella.model.time import Instant, parse_instant

if TYPE_CHECKING:
    from terrella.model.scan import Axis

_HOUR_MS = 3_600_000
_CLOSE = 1e-6
"""Relative difference below which two levels are the same: files round to float32."""


def levels(axis: Axis, wanted: Sequence[float] | Span) -> np.ndarray:
    """Indices along a vertical axis, in the order of the axis. Raises Invalid with the nearest levels."""
    if isinstance(wanted, Span):
        return _span(axis, wanted)
    found = [_level(axis, value) for value in wanted]
    return np.unique(np.array(found, dtype=np.int64))


def _span(axis: Axis, span: Span) -> np.ndarray:
    values = axis.values.astype(np.float64)
    inside = np.ones(values.shape, dtype=bool)
    if span.low is not None:
        inside &= values >= span.low - _CLOSE * abs(span.low)
    if span.high is not None:
        inside &= values <= span.high + _CLOSE * abs(span.high)
    found = np.flatnonzero(inside)
    if not found.size:
        raise Invalid(f"No level of {axis.name} lies there. {_known(axis)}", parameter="z")
    return found


def _level(axis: Axis, value: float) -> int:
    values = axis.values.astype(np.float64)
    distance = np.abs(values - value)
    place = int(distance.argmin())
    if not distance[place] <= _CLOSE * max(abs(value), abs(float(values[place]))):
        raise Invalid(
            f"There is no level {value:g} of {axis.name}; the nearest is {values[place]:g}. {_known(axis)}",
            parameter="z",
            details={"nearest": float(values[place])},
        )
    return place


def nearest_level(axis: Axis, value: float) -> int:
    """Index of the level nearest to a height along a path."""
    return int(np.abs(axis.values.astype(np.float64) - value).argmin())


def others(axis: Axis, wanted: Sequence[Any]) -> np.ndarray:
    """Indices along any other axis, in the order asked: numbers, text, steps in hours, reference times.

    Raises Invalid with what there is.
    """
    return np.array([_other(axis, value) for value in wanted], dtype=np.int64)


def matching(axis: Axis, wanted: Sequence[Any]) -> np.ndarray:
    """All indices that have one of the values. Raises Invalid with what there is."""
    return np.unique(np.concatenate([_matches(axis, value) for value in wanted]))


def _other(axis: Axis, value: Any) -> int:
    return int(_matches(axis, value)[0])


def _matches(axis: Axis, value: Any) -> np.ndarray:
    stored = _as_stored(axis, value)
    if axis.values.dtype.kind in "iuf":
        close = np.isclose(axis.values.astype(np.float64), stored, rtol=_CLOSE, atol=0)
        if axis.kind in ("reference_time", "time", "step"):
            close = axis.values == stored
    else:
        close = axis.values.astype(str) == str(stored)
    found = np.flatnonzero(close)
    if not found.size:
        raise Invalid(f"There is no {axis.name} {value!s:.60}. {_known(axis)}", parameter=axis.name)
    return found


def _as_stored(axis: Axis, value: Any) -> Any:
    """A wanted value in the units of the axis. Raises Invalid for what is none."""
    try:
        if axis.kind in ("reference_time", "time"):
            at = value if isinstance(value, Instant) else parse_instant(str(value), parameter=axis.name)
            return to_ms(at, axis.calendar)
        if axis.kind == "step":
            return round(float(value) * _HOUR_MS)
        if axis.values.dtype.kind in "iuf":
            number = float(value)
            if not np.isfinite(number):
                raise ValueError(value)  # noqa: TRY301 -- one road for all that is no number
            return number
    except TerrellaError:
        raise
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"{value!s:.60} is no value of {axis.name}. {_known(axis)}", parameter=axis.name) from None
    return value


def _known(axis: Axis) -> str:
    """What there is, in a line."""
    axis = replace(axis, values=np.array(list(dict.fromkeys(axis.values.tolist())), dtype=axis.values.dtype))
    if axis.kind in ("reference_time", "time"):
        texts = iso(axis.values[:10], axis.calendar)
    elif axis.kind == "step":
        texts = [f"{value / _HOUR_MS:g}" for value in axis.values[:10].tolist()]
    elif axis.values.dtype.kind in "iuf":
        texts = [f"{value:g}" for value in axis.values[:10].tolist()]
    else:
        return nearest_names("", axis.values.astype(str).tolist())
    more = ", ..." if axis.values.size > len(texts) else ""
    unit = {"step": " h"}.get(axis.kind, f" {axis.units}" if axis.units else "")
    return f"There are: {', '.join(texts)}{more}{unit}."
