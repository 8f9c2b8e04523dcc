"""CoverageJSON 1.0 (OGC 21-069r2): the right domain for each shape, several coverages where one cannot hold it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.encodings.layout import DEGREES, Layout, iso, layouts, native, text
from terrella.encodings.parameters import parameter, unit
from terrella.encodings.receipts import receipt_document
from terrella.grids import crs_text
from terrella.grids.outlines import geojson as geojson_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.model.extraction import Extracted

Json = dict[str, Any]
Arrays = dict[str, np.ndarray]

CALENDARS = "http://cfconventions.org/cf-conventions/cf-conventions.html#calendar-"
_GREGORIAN = {"standard", "gregorian", "proleptic_gregorian"}
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
MOST_COVERAGES = 50_000
_TOGETHER = "Each value is of all polygons together, and repeated for each of them."


class CoverageJson:
    """Writes CoverageJSON."""

    name = "covjson"
    title = "CoverageJSON"
    media_type = "application/prs.coverage+json"
    suffix = ".covjson"

    def accepts(self, extracted: Extracted) -> str | None:
        dataset = extracted.dataset
        if not dataset.data_vars or 0 in dataset.sizes.values():
            return "CoverageJSON has no way to write a coverage without values."
        if math.prod(dataset.sizes.values()) <= MOST_COVERAGES:
            return None  # the usual case, without looking further
        count = sum(len(one.labels) * (one.x.size if one.kind == "point" else 1) for one in layouts(dataset))
        if count > MOST_COVERAGES:
            return f"It would be {count:,} coverages; at most {MOST_COVERAGES:,} are written. Ask for fewer places."
        return None

    def encode(self, extracted: Extracted) -> bytes:
        groups = layouts(extracted.dataset)
        coverages = [coverage for layout in groups for coverage in _coverages(layout)]
        parameters = {name: parameter(name, extracted.dataset[name].attrs) for one in groups for name in one.names}
        receipt = receipt_document(extracted)
        if len(coverages) == 1:
            document = _single(coverages[0], groups[0], parameters)
        else:
            document = _collection(coverages, groups, parameters)
        return orjson.dumps(document | {"terrella:receipt": receipt}, option=_OPTIONS)


def _single(coverage: Json, layout: Layout, parameters: Json) -> Json:
    domain = coverage.pop("domain") | {"referencing": referencing(layout)}
    ranges = coverage.pop("ranges")
    return {"type": "Coverage", "domain": domain, "parameters": parameters, "ranges": ranges} | coverage


def _collection(coverages: list[Json], groups: list[Layout], parameters: Json) -> Json:
    """What all coverages share stands once; reference systems stand in the domains where groups differ in them."""
    made: Json = {"type": "CoverageCollection"}
    kinds = {coverage["domain"]["domainType"] for coverage in coverages}
    if len(kinds) == 1:
        made["domainType"] = kinds.pop()
    made["parameters"] = parameters
    systems = [referencing(layout) for layout in groups]
    if all(system == systems[0] for system in systems):
        made["referencing"] = systems[0]
    else:
        owners = {name: system for layout, system in zip(groups, systems, strict=True) for name in layout.names}
        for coverage in coverages:
            coverage["domain"]["referencing"] = owners[next(iter(coverage["ranges"]))]
    return made | {"coverages": coverages}


def referencing(layout: Layout) -> list[Json]:
    """Reference systems of the coordinates that the domains have."""
    made = [{"coordinates": ["x", "y"], "system": _horizontal_system(layout.crs)}]
    if layout.vertical is not None or "height" in layout.columns:
        made.append({"coordinates": ["z"], "system": _vertical_system(layout)})
    if layout.time is not None or "time" in layout.columns:
        known = layout.calendar in _GREGORIAN
        calendar = "Gregorian" if known else f"{CALENDARS}{layout.calendar}"
        made.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": calendar}})
    return made


def _horizontal_system(crs: str) -> Json:
    if crs == DEGREES:
        return {"type": "GeographicCRS", "id": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    authority, _, code = crs_text(crs).partition(":")
    if authority == "EPSG" and code.isdigit():
        return {"type": "ProjectedCRS", "id": f"http://www.opengis.net/def/crs/EPSG/0/{code}"}
    return {"type": "ProjectedCRS", "wkt": crs}


def _vertical_system(layout: Layout) -> Json:
    attrs = layout.dataset[layout.vertical].attrs if layout.vertical else {}
    axis: Json = {"name": {"en": str(attrs.get("long_name") or layout.vertical or "height")}}
    axis["direction"] = str(attrs.get("positive") or "up")
    if found := unit(str(attrs.get("units", ""))):
        axis["unit"] = found
    return {"type": "VerticalCRS", "cs": {"csAxes": [axis]}}


def _coverages(layout: Layout) -> Iterator[Json]:
    """One coverage for each combination of the other axes, and what its domain type further splits."""
    arrays = {name: _plain_dtype(layout.values(name)) for name in layout.names}
    write = {"grid": _grid, "point": _points, "vertex": _trajectory}.get(layout.kind, _cells)
    if layout.zone is not None:
        write = _zone
    for index, labels in enumerate(layout.labels):
        for coverage in write(layout, index, {name: array[index] for name, array in arrays.items()}):
            if layout.periods is not None and "t" in coverage["domain"]["axes"]:
                coverage["domain"]["axes"]["t"]["bounds"] = layout.periods
            yield coverage | ({"terrella:axes": labels} if labels else {})


def _plain_dtype(array: np.ndarray) -> np.ndarray:
    """As JSON can hold it: numbers as they are, booleans as integers, all else as text."""
    if array.dtype.kind == "b":
        return array.astype("i1")
    if array.dtype.kind == "f" and array.dtype.itemsize not in {2, 4, 8}:
        return array.astype("f8")
    return array


def _range(array: np.ndarray, **axes: int) -> Json:
    """An NdArray; axes are named in the order of the array's dimensions."""
    flat = native(array).reshape(-1)
    kind = {"f": "float", "i": "integer", "u": "integer"}.get(flat.dtype.kind, "string")
    values: Any = flat if kind != "string" else [text(value) for value in flat.tolist()]
    return {
        "type": "NdArray",
        "dataType": kind,
        "axisNames": list(axes),
        "shape": list(axes.values()),
        "values": values,
    }


def _coverage(domain_type: str, axes: Json, ranges: Json) -> Json:
    return {
        "type": "Coverage",
        "domain": {"type": "Domain", "domainType": domain_type, "axes": axes},
        "ranges": ranges,
    }


def _axis(values: Any) -> Json:
    return {"values": values}


def _grid(layout: Layout, index: int, arrays: Arrays) -> Iterator[Json]:
    times, heights = layout.times, layout.heights
    axes: Json = {"x": _axis(native(layout.x)), "y": _axis(native(layout.y))}
    if heights is not None:
        axes["z"] = _axis(native(heights))
    if times is not None:
        axes["t"] = _axis(times[index])
    ranges = {}
    for name, array in arrays.items():
        in_order = array.transpose(1, 0, 2, 3)  # t, z, y, x: the order that most readers expect
        t, z, y, x = in_order.shape
        named = {"t": t, "z": z, "y": y, "x": x}
        ranges[name] = _range(in_order, **{axis: size for axis, size in named.items() if axis in axes})
    yield _coverage("Grid", axes, ranges)


def _points(layout: Layout, index: int, arrays: Arrays) -> Iterator[Json]:
    """One coverage a place: Point, PointSeries or VerticalProfile; a series for each level where both are long."""
    times = layout.times[index] if layout.times is not None else None
    heights = layout.heights
    for place, (lon, lat) in enumerate(zip(layout.x.tolist(), layout.y.tolist(), strict=True)):
        here = {name: array[..., place] for name, array in arrays.items()}
        if times is None or len(times) == 1 or heights is None or heights.size == 1:
            yield _at_place(lon, lat, heights, times, here)
            continue
        for level in range(heights.size):
            at_level = {name: array[level : level + 1] for name, array in here.items()}
            yield _at_place(lon, lat, heights[level : level + 1], times, at_level)


def _at_place(lon: float, lat: float, heights: np.ndarray | None, times: list[str] | None, arrays: Arrays) -> Json:
    axes: Json = {"x": _axis([lon]), "y": _axis([lat])}
    named: dict[str, int] = {}
    if heights is not None:
        axes["z"] = _axis(native(heights))
        named["z"] = heights.size
    if times is not None:
        axes["t"] = _axis(times)
        named["t"] = len(times)
    is_profile = heights is not None and heights.size > 1
    is_series = times is not None and len(times) > 1
    kind = "VerticalProfile" if is_profile else "PointSeries" if is_series else "Point"
    named |= {"y": 1, "x": 1}
    return _coverage(kind, axes, {name: _range(array, **named) for name, array in arrays.items()})


def _zone(layout: Layout, index: int, arrays: Arrays) -> Iterator[Json]:
    """Polygon or PolygonSeries, one a level. Of several polygons the number for all together is repeated for each."""
    times = layout.times[index] if layout.times is not None else None
    heights = layout.heights
    assert layout.zone is not None
    document = geojson_of(layout.zone)
    is_one = document["type"] == "Polygon"
    polygons = [document["coordinates"]] if is_one else document["coordinates"]
    kind = ("" if is_one else "Multi") + ("Polygon" if times is None or len(times) == 1 else "PolygonSeries")
    for level in range(1 if heights is None else heights.size):
        axes: Json = {"composite": {"dataType": "polygon", "coordinates": ["x", "y"], "values": polygons}}
        if heights is not None:
            axes["z"] = _axis(native(heights[level : level + 1]))
        if times is not None:
            axes["t"] = _axis(times)
        ranges = {}
        for name, array in arrays.items():
            column = array[level].reshape(-1, 1)  # of times, or of one
            named = {"t": len(times)} if times is not None else {}
            ranges[name] = _range(np.repeat(column, len(polygons), axis=1), **named, composite=len(polygons))
        yield _coverage(kind, axes, ranges) | ({} if is_one else {"terrella:note": _TOGETHER})


def _cells(layout: Layout, index: int, arrays: Arrays) -> Iterator[Json]:
    """MultiPoint or MultiPointSeries; levels become part of the tuples, for these domains have no z axis."""
    times = layout.times[index] if layout.times is not None else None
    composite = _composite(layout, layout.heights)
    axes: Json = {"composite": composite}
    if times is not None:
        axes["t"] = _axis(times)
    ranges = {}
    for name, array in arrays.items():
        z, t, places = array.shape
        by_time = array.transpose(1, 0, 2)
        named = {"t": t, "composite": z * places} if times is not None else {"composite": z * places}
        ranges[name] = _range(by_time, **named)
    yield _coverage("MultiPoint" if times is None or len(times) == 1 else "MultiPointSeries", axes, ranges)


def _composite(layout: Layout, heights: np.ndarray | None) -> Json:
    if heights is None:
        tuples = np.column_stack([layout.x, layout.y]).astype("f8")
        return {"dataType": "tuple", "coordinates": ["x", "y"], "values": native(tuples)}
    count = heights.size
    columns = [np.tile(layout.x, count), np.tile(layout.y, count), np.repeat(heights, layout.x.size)]
    tuples = np.column_stack(columns).astype("f8")
    return {"dataType": "tuple", "coordinates": ["x", "y", "z"], "values": native(tuples)}


def _trajectory(layout: Layout, index: int, arrays: Arrays) -> Iterator[Json]:
    """Trajectory; one a time where the line has no times of its own; MultiPoint where there is no time."""
    own_times, own_heights = layout.columns.get("time"), layout.columns.get("height")
    if own_times is None and layout.times is None:
        yield from _cells(layout, index, arrays)
        return
    for level in range(next(iter(arrays.values())).shape[0]):
        for at in range(next(iter(arrays.values())).shape[1]):
            stamps = iso(own_times) if own_times is not None else [layout.times[index][at]] * layout.x.size  # type: ignore[index]
            heights = own_heights
            if heights is None and layout.heights is not None:
                heights = np.full(layout.x.size, layout.heights[level])
            yield _line(layout, stamps, heights, {name: array[level, at] for name, array in arrays.items()})


def _line(layout: Layout, stamps: list[str], heights: np.ndarray | None, arrays: Arrays) -> Json:
    columns = [stamps, layout.x.tolist(), layout.y.tolist(), *([] if heights is None else [heights.tolist()])]
    first = {found: place for place, found in reversed(list(enumerate(zip(*columns, strict=True))))}
    keep = np.array(sorted(first.values()))  # an axis never holds one position twice
    tuples = sorted(first, key=lambda found: first[found])
    composite = {
        "dataType": "tuple",
        "coordinates": ["t", "x", "y"] + (["z"] if heights is not None else []),
        "values": tuples,
    }
    ranges = {name: _range(array[keep], composite=keep.size) for name, array in arrays.items()}
    return _coverage("Trajectory", {"composite": composite}, ranges)
