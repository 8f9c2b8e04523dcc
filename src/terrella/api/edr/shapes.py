"""What each query type asks for: from its own parameters to a shape, with the heights and times that came with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import mapping

from terrella.api.edr.geometry import goes_beyond_180, lonlats, parse_bbox, parse_wkt
from terrella.api.edr.named import named
from terrella.api.edr.query import Query, levels, positive
from terrella.errors import Invalid, nearest_names
from terrella.model.extraction import Area, Box, Circle, Corridor, Points, Span, Trajectory
from terrella.model.time import from_datetime

if TYPE_CHECKING:
    from terrella.api.edr.crs import InputCrs
    from terrella.model.extraction import Shape
    from terrella.model.time import Instant

METRES = {
    "m": 1.0,
    "metres": 1.0,
    "meters": 1.0,
    "km": 1000.0,
    "kilometres": 1000.0,
    "kilometers": 1000.0,
    "mi": 1609.344,
    "miles": 1609.344,
    "nmi": 1852.0,
    "ft": 0.3048,
}
"""Units of length in metres (mile and foot: international, exact)."""
PASCALS = {"Pa": 1.0, "hPa": 100.0, "kPa": 1000.0, "mbar": 100.0, "bar": 100_000.0}
HEIGHT_UNITS = [*METRES, *PASCALS]
HALF_ROUND_M = 20_037_508.0
"""Half the way around the Earth: no place is further away."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A shape, and what its parameters said about heights, times and the range of longitudes."""

    shape: Shape
    vertical: tuple[float, ...] | Span | None = None
    has_times: bool = False
    beyond_180: bool = False
    corridor_units: str = ""
    """Units in which a corridor's height was given; '' where they are the vertical axis's own."""


def position(query: Query, crs: InputCrs) -> Asked:
    """`coords` POINT or MULTIPOINT, with Z where it gives the level."""
    return _places(parse_wkt(query.need("coords", "POINT(13.4 52.5)"), ("POINT", "MULTIPOINT"), crs))


def _places(geometry: Any) -> Asked:
    return Asked(Points(lonlats(geometry)), _own_levels(geometry), beyond_180=goes_beyond_180(geometry))


def place_or_area(query: Query, crs: InputCrs) -> Asked:
    """`coords` of points or of polygons."""
    text = query.need("coords", "POINT(13.4 52.5)")
    geometry = parse_wkt(text, ("POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON"), crs)
    return _places(geometry) if geometry.geom_type in ("Point", "MultiPoint") else _polygons(geometry)


def radius(query: Query, crs: InputCrs) -> Asked:
    """`coords` POINT, `within` and `within-units`."""
    geometry = parse_wkt(query.need("coords", "POINT(13.4 52.5)"), ("POINT",), crs)
    distance = positive(query.need("within", "20"), "within")
    metres = distance * _length_unit(query.need("within-units", "km"), "within-units")
    if metres > HALF_ROUND_M:
        raise Invalid(f"within is at most {HALF_ROUND_M / 1000:,.0f} km, half the way around.", parameter="within")
    shape = Circle(lonlats(geometry)[0], metres)
    return Asked(shape, _own_levels(geometry), beyond_180=goes_beyond_180(geometry))


def area(query: Query, crs: InputCrs) -> Asked:
    """`coords` POLYGON or MULTIPOLYGON, holes respected; or a `region`, `cell` or `frame`."""
    if (by_name := named(query)) is not None:
        return Asked(by_name)
    allowed = ("POLYGON", "MULTIPOLYGON")
    return _polygons(parse_wkt(query.need("coords", "POLYGON((5 45,10 45,10 48,5 45))"), allowed, crs))


def _polygons(geometry: Any) -> Asked:
    if geometry.has_z or geometry.has_m:
        raise Invalid(
            "A polygon has two coordinates a vertex: give heights as z=, times as datetime=.", parameter="coords"
        )
    return Asked(Area(dict(mapping(geometry))), beyond_180=goes_beyond_180(geometry))


def cube(query: Query, crs: InputCrs) -> Asked:
    """`bbox` of 4 or 6 numbers, also across the antimeridian."""
    extent, heights, beyond = parse_bbox(query.need("bbox", "5,45,10,48"), crs)
    return Asked(Box(extent), Span(*heights) if heights else None, beyond_180=beyond)


def trajectory(query: Query, crs: InputCrs) -> Asked:
    """`coords` LINESTRING or MULTILINESTRING; Z are levels, M are seconds since 1970."""
    path, beyond = _path(query, crs)
    return Asked(path, has_times=bool(path.times), beyond_180=beyond)


def corridor(query: Query, crs: InputCrs) -> Asked:
    """A line with `corridor-width` in `width-units`; `corridor-height` in `height-units` where it has Z."""
    path, beyond = _path(query, crs)
    width = positive(query.need("corridor-width", "20"), "corridor-width")
    width *= _length_unit(query.need("width-units", "km"), "width-units")
    if width > HALF_ROUND_M:
        raise Invalid(f"corridor-width is at most {HALF_ROUND_M / 1000:,.0f} km.", parameter="corridor-width")
    height, units = _height(query)
    if height is not None and not path.heights:
        raise Invalid("corridor-height needs a line with heights: LINESTRINGZ(...).", parameter="corridor-height")
    return Asked(Corridor(path, width, height), has_times=bool(path.times), beyond_180=beyond, corridor_units=units)


def _path(query: Query, crs: InputCrs) -> tuple[Trajectory, bool]:
    allowed = ("LINESTRING", "MULTILINESTRING")
    geometry = parse_wkt(query.need("coords", "LINESTRING(10 50,12 51)"), allowed, crs)
    has_z, has_m = bool(geometry.has_z), bool(geometry.has_m)
    columns = shapely.get_coordinates(geometry, include_z=has_z, include_m=has_m)
    extra = columns[:, 2:]
    if not np.isfinite(extra).all():
        raise Invalid("coords has a height or time that is no finite number.", parameter="coords")
    heights = tuple(extra[:, 0].tolist()) if has_z else ()
    times = tuple(_instant(seconds) for seconds in extra[:, -1].tolist()) if has_m else ()
    return Trajectory(lonlats(geometry), heights, times), goes_beyond_180(geometry)


def _instant(seconds: float) -> Instant:
    try:
        return from_datetime(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        raise Invalid(
            f"{seconds:g} is no time: M are seconds since 1970-01-01T00:00:00Z, in the years 1 to 9999.",
            parameter="coords",
        ) from None


def _height(query: Query) -> tuple[float | None, str]:
    text, units = query.take("corridor-height"), query.take("height-units")
    if text is None:
        if units is not None:
            raise Invalid("height-units without corridor-height says nothing.", parameter="height-units")
        return None, ""
    if units is None:
        raise Invalid("corridor-height needs height-units, such as m or hPa.", parameter="height-units")
    if units not in HEIGHT_UNITS:
        raise Invalid(
            f"{units[:40]!r} is no unit of height. There are: {', '.join(HEIGHT_UNITS)}.", parameter="height-units"
        )
    return positive(text, "corridor-height"), units


def in_axis_units(asked: Asked, axis_units: str) -> Asked:
    """The corridor with its height in the units of the vertical axis. Raises Invalid where they do not fit."""
    if not isinstance(asked.shape, Corridor) or asked.shape.height is None or not asked.corridor_units:
        return asked
    for family in (METRES, PASCALS):
        if asked.corridor_units in family and axis_units in family:
            factor = family[asked.corridor_units] / family[axis_units]
            return replace(asked, shape=replace(asked.shape, height=asked.shape.height * factor))
    if axis_units in {"", asked.corridor_units}:
        return asked
    raise Invalid(
        f"Heights of this collection are in {axis_units!r}, which {asked.corridor_units!r} cannot become.",
        parameter="height-units",
    )


def _own_levels(geometry: Any) -> tuple[float, ...] | None:
    """Levels that stand in the coordinates themselves; None where there are none."""
    if not geometry.has_z:
        return None
    heights = shapely.get_coordinates(geometry, include_z=True)[:, 2]
    if not np.isfinite(heights).all():
        raise Invalid("coords has a height that is no finite number.", parameter="coords")
    return tuple(dict.fromkeys(heights.tolist()))


def _length_unit(text: str, parameter: str) -> float:
    if text not in METRES:
        raise Invalid(f"{text[:40]!r} is no unit of length. {nearest_names(text[:40], METRES)}", parameter=parameter)
    return METRES[text]


def asked_levels(asked: Asked, z: str | None) -> tuple[float, ...] | Span | None:
    """Levels from the shape or from `z`. Raises Invalid where both give them."""
    own = asked.vertical is not None
    path = asked.shape.path if isinstance(asked.shape, Corridor) else asked.shape
    if isinstance(path, Trajectory) and path.heights:
        own = True
    if z is None:
        return asked.vertical
    if own:
        raise Invalid("Heights stand in the coordinates already: leave z out.", parameter="z")
    return levels(z)
