"""From the plain words of Python and the shell to an `Extraction`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid
from terrella.model.extraction import Area, Box, Circle, Everything, Extraction, Frame, Points, Region, Span
from terrella.model.ids import collection_id
from terrella.model.reduction import USUAL_CELLS, CellChoice, Reduce, parse_cells, parse_reduce, parse_reductions
from terrella.model.space import Extent, LonLat
from terrella.model.stated import WORDS, stated_grid
from terrella.model.time import Interval, parse_interval
from terrella.site.lines import line

if TYPE_CHECKING:
    from terrella.model.extraction import Shape

_CELL_IDS = ("geohash", "tile", "healpix", "mgrs", "h3")
_LINES = ("trajectory", "corridor")
_SHAPES = ("point", "points", "bbox", "polygon", "circle", "region", "frame", *_LINES, "cell", *_CELL_IDS)
_REDUCERS = ("mean", "sum", "min", "max", "std", "count", "median")
"""Reducers that are words of their own: ``mean="space"`` is ``reduce="mean:space"``."""


def extraction_from(collection: str | Extraction, wanted: Mapping[str, Any]) -> Extraction:
    """The request that these words mean. Raises Invalid naming the word at fault."""
    if isinstance(collection, Extraction):
        return collection
    rest = dict(wanted)
    shape = _shape(rest)
    variables = rest.pop("variables", ())
    interval = _interval(rest.pop("time", None))
    vertical = _vertical(rest.pop("level", None))
    cells, reduce = _cells(rest.pop("cells", None)), _reductions(rest)
    grid = stated_grid({name: rest.pop(name) for name in WORDS if name in rest})
    select = {name: tuple(_listed(values)) for name, values in rest.items()}
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    return Extraction(
        collection_id(collection), shape, names, interval, vertical, select, reduce=reduce, cells=cells, grid=grid
    )


def _cells(value: Any) -> CellChoice:
    if value is None:
        return USUAL_CELLS
    return value if isinstance(value, CellChoice) else parse_cells(str(value))


def _reductions(rest: dict[str, Any]) -> tuple[Reduce, ...]:
    """Those of `reduce`, then those of words such as `mean`, in the order in which they were given."""
    found: list[Reduce] = []
    for name in [name for name in rest if name == "reduce" or name in _REDUCERS]:
        value = rest.pop(name)
        for one in _listed(value) if value is not None else ():
            if isinstance(one, Reduce):
                found.append(one)
            elif name == "reduce":
                found += parse_reductions(str(one))
            else:
                found.append(parse_reduce(f"{name}:{one}", parameter=name))
    return tuple(found)


def _shape(rest: dict[str, Any]) -> Shape:
    given = [name for name in _SHAPES if rest.get(name) is not None]
    if len(given) > 1:
        raise Invalid(f"Give one shape, not {' and '.join(given)}.", parameter=given[1])
    values = {name: rest.pop(name, None) for name in _SHAPES}
    if not given:
        return Everything()
    return _made(given[0], values[given[0]])


def _made(name: str, value: Any) -> Shape:
    if name == "polygon":
        return Area(geometry_from(value))
    if name == "region":
        return Region(str(value))
    if name in _LINES:
        return line(name, value)
    if name == "cell" or name in _CELL_IDS:
        return _cell(name, str(value))
    try:
        if name == "point":
            return Points((_place(value, name),))
        if name == "points":
            return Points(tuple(_place(one, name) for one in value))
        if name == "bbox":
            west, south, east, north = map(float, value)
            return Box(Extent.of(west, south, east, north))
        if name == "frame":
            outer, inner = (Extent.of(*map(float, one), parameter=name) for one in value)
            return Frame(outer, inner)
        lon, lat, radius = map(float, value)
    except (TypeError, ValueError) as error:
        raise Invalid(f"{value!r:.80} is no {name}: {_FORMS[name]}.", parameter=name) from error
    if not radius > 0:
        raise Invalid(f"The radius of a circle is in metres and above 0, not {radius:g}.", parameter=name)
    return Circle(_place((lon, lat), name), radius)


def _cell(name: str, text: str) -> Shape:
    from terrella.extraction import cell_ids

    return cell_ids.cell(text) if name == "cell" else cell_ids.cell_of(name, text)


_FORMS = {
    "point": "give longitude and latitude",
    "points": "give pairs of longitude and latitude",
    "bbox": "give west, south, east, north",
    "circle": "give longitude, latitude and radius in metres",
    "frame": "give the outer box, then the inner one, each as west, south, east, north",
}


def _place(value: Iterable[float], name: str) -> LonLat:
    lon, lat = map(float, value)
    if not -90 <= lat <= 90:
        raise Invalid(f"A latitude lies in -90..90, not {lat:g} (longitude comes first).", parameter=name)
    if not -360 <= lon <= 360:
        raise Invalid(f"A longitude lies in -360..360, not {lon:g}.", parameter=name)
    return LonLat(lon, lat)


def geometry_from(value: Any) -> dict[str, Any]:
    """GeoJSON geometry of GeoJSON (object or text, also a Feature), WKT, or an object with `__geo_interface__`."""
    if hasattr(value, "__geo_interface__"):
        value = value.__geo_interface__
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, Mapping):
        found = dict(value)
        if found.get("type") == "FeatureCollection" and len(found.get("features", ())) == 1:
            found = found["features"][0]
        if found.get("type") == "Feature":
            found = found["geometry"]
        if found.get("type") in ("Polygon", "MultiPolygon"):
            return found
    raise Invalid("A polygon is a GeoJSON or WKT Polygon or MultiPolygon.", parameter="polygon")


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Invalid(f"The polygon is no JSON: {error}.", parameter="polygon") from error
    from shapely import from_wkt
    from shapely.errors import GEOSException
    from shapely.geometry import mapping

    try:
        return mapping(from_wkt(text))
    except (GEOSException, NotImplementedError) as error:  # also of arcs
        raise Invalid(
            f"The polygon is neither GeoJSON nor WKT: {str(error).splitlines()[0]}.", parameter="polygon"
        ) from error


def _interval(value: Any) -> Interval | None:
    return parse_interval(str(value), parameter="time") if value is not None else None


def _vertical(value: Any) -> tuple[float, ...] | Span | None:
    if value is None:
        return None
    if isinstance(value, Span):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return Span(*value)
    return tuple(float(one) for one in _listed(value))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
