"""Requests that are too large are refused before reading, with a smaller request that would pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from terrella.encodings.calendars import iso
from terrella.errors import Invalid, TooLarge
from terrella.model.extraction import Area, Box, Circle, Corridor, Everything, Extraction, Frame, Plan, Points, Region
from terrella.model.space import Extent
from terrella.model.time import Interval, parse_instant

if TYPE_CHECKING:
    import numpy as np

    from terrella.extraction.planning import Prepared

_TRIES = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost: numbers in it, stored bytes to read, grid cells. `part` of the settings says so."""

    values: int = 20_000_000
    bytes_read: int = 2 << 30
    cells: int = 5_000_000
    part: str = "limits"

    def excess(self, plan: Plan) -> dict[str, float]:
        """By how much a plan is over each limit, as a factor; empty where it may pass."""
        asked = {"values": plan.values, "bytes_read": plan.bytes_read, "cells": plan.cells}
        return {name: size / getattr(self, name) for name, size in asked.items() if size > getattr(self, name)}


Planning = Callable[[Extraction], Plan]


def refuse(plan: Plan, limits: Limits, prepared: Prepared, planning: Planning) -> None:
    """Raises TooLarge where the plan is over a limit; its details have `estimate`, `limit` and `suggestion`."""
    excess = limits.excess(plan)
    if not excess:
        return
    worst = max(excess, key=lambda name: excess[name])
    suggestion = suggest(prepared, max(excess.values()), lambda one: not limits.excess(planning(one)))
    words = {"values": "numbers in one answer", "bytes_read": "bytes read for one answer", "cells": "cells"}
    text = (
        f"That would be {getattr(plan, worst):,} {words[worst]}; the limit is {getattr(limits, worst):,} "
        f"({limits.part}.{worst})."
    )
    if suggestion:
        text += f" This would pass: {', '.join(f'{key}={_shown(value)}' for key, value in suggestion.items())}."
    else:
        text += " Ask for less."
    details = {
        "estimate": {
            "values": plan.values,
            "bytes_read": plan.bytes_read,
            "cells": plan.cells,
            "chunks": plan.chunks,
            "bytes_out": plan.bytes_out,
        },
        "limit": {name: getattr(limits, name) for name in ("values", "bytes_read", "cells")},
        "suggestion": suggestion,
    }
    raise TooLarge(text, details=details)


def check(plan: Plan, limits: Limits) -> None:
    """Raises TooLarge where the plan of a map is over a limit; its details have `estimate` and `limit`."""
    excess = limits.excess(plan)
    if not excess:
        return
    worst = max(excess, key=lambda name: excess[name])
    raise TooLarge(
        f"This map would read {getattr(plan, worst):,} ({limits.part}.{worst}); the limit is "
        f"{getattr(limits, worst):,}. Zoom in, or write overviews with `terrella optimise COLLECTION --for maps`.",
        details={
            "estimate": {"values": plan.values, "bytes_read": plan.bytes_read, "cells": plan.cells},
            "limit": {name: getattr(limits, name) for name in ("values", "bytes_read", "cells")},
        },
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    return str(value)


def suggest(prepared: Prepared, factor: float, passes: Callable[[Extraction], bool]) -> dict[str, Any]:
    """The part of a smaller request that differs, in the words of EDR; {} where none was found.

    Fewer times come first, then fewer variables, then a smaller place, then all of these together.
    """
    for request, words in _smaller(prepared, factor):
        try:
            if passes(request):
                return words
        except Invalid:  # too small to hold a cell
            continue
    return {}


_Smaller = tuple[Extraction, dict[str, Any]]


def _smaller(prepared: Prepared, factor: float) -> Iterator[_Smaller]:
    request = prepared.request
    yield from _fewer_times(prepared, request, factor)
    yield from _fewer_variables(prepared, request, factor)
    yield from _smaller_place(prepared, request, factor)
    one_variable, words = request, {}
    if len(prepared.variables) > 1:
        name = prepared.variables[0].name
        one_variable, words = replace(request, variables=(name,)), {"parameter-name": [name]}
        factor /= len(prepared.variables)
    for first, more in (*_fewer_times(prepared, one_variable, math.inf), (one_variable, {})):
        yield first, words | more
        for second, most in _smaller_place(prepared, first, max(factor, 2.0)):
            yield second, words | more | most


def _counts(size: int, factor: float) -> Iterator[int]:
    """Smaller numbers, the largest that may pass first."""
    count = 1 if math.isinf(factor) else min(size - 1, int(size / factor))
    while count >= 1:
        yield count
        count //= 2


def _fewer_times(prepared: Prepared, request: Extraction, factor: float) -> Iterator[_Smaller]:
    axis = next((one for one in prepared.cube.axes if one.name == "time"), None)
    if axis is None or "time" in prepared.along:
        return
    values: np.ndarray = axis.values[prepared.axes["time"]] if "time" in prepared.axes else axis.values
    if values.size < 2:
        return
    for count in _counts(values.size, factor):
        first, last = iso(values[[0, count - 1]], axis.calendar)
        interval = Interval(parse_instant(first), parse_instant(last))
        yield replace(request, interval=interval), {"datetime": first if first == last else f"{first}/{last}"}


def _fewer_variables(prepared: Prepared, request: Extraction, factor: float) -> Iterator[_Smaller]:
    names = tuple(one.name for one in prepared.variables)
    for count in _counts(len(names), factor) if len(names) > 1 else ():
        yield replace(request, variables=names[:count]), {"parameter-name": list(names[:count])}


def _smaller_place(prepared: Prepared, request: Extraction, factor: float) -> Iterator[_Smaller]:
    shape = request.shape
    if isinstance(shape, Points):
        for count in _counts(len(shape.places), factor):
            places = shape.places[:count]
            yield replace(request, shape=Points(places)), {"coords": [list(map(float, place)) for place in places]}
        return
    for attempt in range(_TRIES):
        scale = math.sqrt(1 / factor) * 0.9 * 0.7**attempt
        if isinstance(shape, Circle):
            yield replace(request, shape=Circle(shape.centre, shape.radius * scale)), {"within": shape.radius * scale}
        elif isinstance(shape, Corridor):
            width = shape.width * scale**2
            yield replace(request, shape=replace(shape, width=width)), {"corridor-width": width}
        elif (extent := _extent(prepared, shape)) is not None:
            part = _scaled(extent, scale)
            yield replace(request, shape=Box(part)), {"bbox": part.bbox()}


def _extent(prepared: Prepared, shape: Any) -> Extent | None:
    if isinstance(shape, Box):
        return shape.extent
    if isinstance(shape, Everything):
        return prepared.cube.grid.extent()
    if isinstance(shape, Frame):
        return shape.outer
    if isinstance(shape, Region):
        from terrella.extraction.regions import region

        return Extent.of(*region(shape.name).bounds)
    if isinstance(shape, Area):
        import shapely.geometry

        west, south, east, north = shapely.geometry.shape(shape.geometry).bounds
        return Extent.of(max(west, -360.0), south, min(east, 360.0), north)
    return None


def _scaled(extent: Extent, scale: float) -> Extent:
    """A box around the same middle, rounded to a thousandth of a degree where it is large."""
    middle = (extent.south + extent.north) / 2
    centre = extent.west + extent.width / 2
    half_width, half_height = extent.width / 2 * scale, (extent.north - extent.south) / 2 * scale
    digits = 3 if min(half_width, half_height) > 0.1 else 8
    numbers = (centre - half_width, middle - half_height, centre + half_width, middle + half_height)
    return Extent.of(*(round(number, digits) for number in numbers))
