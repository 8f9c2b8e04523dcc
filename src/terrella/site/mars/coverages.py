"""CoverageJSON as Polytope writes it, and its clients (covjsonkit, earthkit-data) read it.

A collection of coverages, each with `mars:metadata`; latitude comes first in tuples, and `x` of a trajectory *is* the
latitude. That is their convention. Everything else is standard CoverageJSON.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from terrella.site.mars.answers import Answer
    from terrella.site.mars.features import Feature

    Json = dict[str, Any]

# clients that are given no content type look for this very text, the blank included
_BEGINNING = b'{"type": "CoverageCollection",'
_CRS = {"type": "GeographicCRS", "id": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
_THREE = ["latitude", "longitude", "levelist"]
_FOUR = ["t", "x", "y", "z"]


def coverage_collection(answer: Answer, feature: Feature) -> bytes:
    """The whole document, UTF-8. Raises NotFound where no cell lies in the feature."""
    if not answer.longitude.size:
        raise NotFound("No cell lies in that shape: take a larger one, or a position for the nearest cell.")
    makers = {"PointSeries": _series, "VerticalProfile": _profiles, "MultiPoint": _multipoints, "Trajectory": _path}
    coverages = list(makers[feature.domain](answer, feature))
    axes = _FOUR if feature.domain == "Trajectory" else _THREE if feature.domain == "MultiPoint" else [*_THREE, "t"]
    document = {
        "domainType": feature.domain,
        "coverages": coverages,
        "referencing": [{"coordinates": axes, "system": _CRS}],
        "parameters": {name: _parameter(name, attrs) for name, attrs in answer.attrs.items()},
    }
    return _BEGINNING + orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)[1:]


def _parameter(name: str, attrs: Json) -> Json:
    label = str(attrs.get("long_name") or attrs.get("standard_name") or name)
    return {
        "type": "Parameter",
        "description": {"en": label},
        "unit": {"symbol": str(attrs.get("units", ""))},
        "observedProperty": {"id": name, "label": {"en": label}},
    }


def _metadata(answer: Answer, member: int, start: str, step: float | None) -> Json:
    """What MARS says of the values. Clients need `number` and `Forecast date` always."""
    every = [{k: v for k, v in attrs.items() if k.startswith("mars:")} for attrs in answer.attrs.values()]
    shared = {k: v for k, v in every[0].items() if all(one.get(k) == v for one in every) and k != "mars:param"}
    made = {key.removeprefix("mars:"): value for key, value in sorted(shared.items())}
    if "/" in str(made.get("type", "")):  # control and perturbed members in one cube
        made["type"] = "cf" if member == 0 else "pf"
    made |= {"Forecast date": start, "number": member}
    return made if step is None else made | {"step": int(step) if step == int(step) else step}


def _coverage(metadata: Json, axes: Json, ranges: Json) -> Json:
    domain = {"type": "Domain", "axes": axes}
    return {"mars:metadata": metadata, "type": "Coverage", "domain": domain, "ranges": ranges}


def _range(values: np.ndarray, axis: str) -> Json:
    plain = np.ascontiguousarray(values, dtype=values.dtype if values.dtype.kind == "f" else np.float64)
    return {"type": "NdArray", "dataType": "float", "shape": [values.size], "axisNames": [axis], "values": plain}


def _single(value: Any) -> Json:
    return {"values": [value]}


def _place(answer: Answer, cell: int) -> Json:
    return {"latitude": _single(float(answer.latitude[cell])), "longitude": _single(float(answer.longitude[cell]))}


def _indices(*axes: Sequence[Any] | np.ndarray) -> Iterator[tuple[int, ...]]:
    return product(*(range(len(axis)) for axis in axes))


def _series(answer: Answer, _: Feature) -> Iterator[Json]:
    """One for each point, member, level and start; data that are no forecast have all their times in one."""
    if not answer.is_forecast:
        yield from _history(answer)
        return
    for c, m, z, s in _indices(answer.longitude, answer.members, answer.levels, answer.starts):
        axes = _place(answer, c) | {"levelist": _single(answer.levels[z]), "t": {"values": answer.times[s]}}
        ranges = {name: _range(values[m, s, :, z, c], "t") for name, values in answer.values.items()}
        yield _coverage(_metadata(answer, answer.members[m], answer.starts[s], None), axes, ranges)


def _history(answer: Answer) -> Iterator[Json]:
    for c, m, z in _indices(answer.longitude, answer.members, answer.levels):
        axes = _place(answer, c) | {"levelist": _single(answer.levels[z]), "t": {"values": answer.starts}}
        ranges = {name: _range(values[m, :, 0, z, c], "t") for name, values in answer.values.items()}
        yield _coverage(_metadata(answer, answer.members[m], answer.starts[0], None), axes, ranges)


def _profiles(answer: Answer, _: Feature) -> Iterator[Json]:
    for c, m, s, t in _indices(answer.longitude, answer.members, answer.starts, answer.steps):
        axes = _place(answer, c) | {"levelist": {"values": answer.levels}, "t": _single(answer.times[s][t])}
        ranges = {name: _range(values[m, s, t, :, c], "levelist") for name, values in answer.values.items()}
        yield _coverage(_metadata(answer, answer.members[m], answer.starts[s], answer.steps[t]), axes, ranges)


def _multipoints(answer: Answer, _: Feature) -> Iterator[Json]:
    """One for each start, member and step. Their `t` is the start: clients cross it with the steps."""
    places = np.column_stack([answer.latitude, answer.longitude])
    levels = np.repeat(answer.levels, len(places))
    tuples = np.column_stack([np.tile(places, (len(answer.levels), 1)), levels])
    composite = {"dataType": "tuple", "coordinates": _THREE, "values": tuples}
    for s, m, t in _indices(answer.starts, answer.members, answer.steps):
        axes = {"t": _single(answer.starts[s]), "composite": composite}
        ranges = {name: _range(values[m, s, t].ravel(), "composite") for name, values in answer.values.items()}
        yield _coverage(_metadata(answer, answer.members[m], answer.starts[s], answer.steps[t]), axes, ranges)


# --- trajectories ---------------------------------------------------------------------------------------------------


def _path(answer: Answer, feature: Feature) -> Iterator[Json]:
    """Cells around a line; where it climbs, only at levels near its own there, where it takes time, at its steps."""
    near = _near(answer, feature)
    if not near.any():
        raise NotFound("Nothing lies along that line: take a wider inflation.")
    if "step" in feature.path:
        yield from _timed(answer, near)
        return
    z, c = np.nonzero(near[0])
    rows = [(answer.latitude[i], answer.longitude[i], answer.levels[k]) for k, i in zip(z, c, strict=True)]
    for s, m, t in _indices(answer.starts, answer.members, answer.steps):
        tuples = [[answer.times[s][t], *row] for row in rows]
        ranges = {name: _range(values[m, s, t][z, c], "composite") for name, values in answer.values.items()}
        metadata = _metadata(answer, answer.members[m], answer.starts[s], answer.steps[t])
        yield _coverage(metadata, {"composite": _tuples(tuples)}, ranges)


def _timed(answer: Answer, near: np.ndarray) -> Iterator[Json]:
    t, z, c = np.nonzero(near)
    for s, m in _indices(answer.starts, answer.members):
        tuples = [
            [answer.times[s][i], answer.latitude[k], answer.longitude[k], answer.levels[j]]
            for i, j, k in zip(t, z, c, strict=True)
        ]
        ranges = {name: _range(values[m, s][t, z, c], "composite") for name, values in answer.values.items()}
        yield _coverage(
            _metadata(answer, answer.members[m], answer.starts[s], 0.0), {"composite": _tuples(tuples)}, ranges
        )


def _tuples(rows: list[list[Any]]) -> Json:
    return {"dataType": "tuple", "coordinates": _FOUR, "values": [[row[0], *map(float, row[1:])] for row in rows]}


def _near(answer: Answer, feature: Feature) -> np.ndarray:
    """Which ``(step, level, cell)`` lie along the line: a cell belongs to the place of the line that is nearest to it,

    and its level and step must be within the spread of what the line has there.
    """
    shape = (len(answer.steps), len(answer.levels), len(answer.longitude))
    near = np.ones(shape, dtype=bool)
    if not feature.path:
        return near
    along = _nearest_along(answer, feature)
    for name, axis, place in (("levelist", answer.levels, 1), ("step", answer.steps, 0)):
        if name in feature.path:
            there = np.interp(along, np.arange(len(feature.path[name])), feature.path[name])
            apart = np.abs(np.asarray(axis)[:, None] - there[None, :]) <= feature.spread[name] + 1e-9
            near &= np.expand_dims(apart, 1 - place)
    return near


def _nearest_along(answer: Answer, feature: Feature) -> np.ndarray:
    """Where along the line each cell is nearest to it: 1.5 is half way between the second and the third vertex.

    Legs are arcs of great circles, looked at in 256 places each.
    """
    places = getattr(getattr(feature.shape, "path", None), "places", None)
    if not places:
        raise Invalid("A trajectory has points.", parameter="points")
    vertices = _vectors(np.array([p.lon for p in places]), np.array([p.lat for p in places]))
    cells = _vectors(answer.longitude, answer.latitude)
    fractions = np.linspace(0, 1, 257)
    best, where = np.full(len(cells), -np.inf), np.zeros(len(cells))
    for leg, (first, last) in enumerate(pairwise(vertices)):
        arc = np.outer(1 - fractions, first) + np.outer(fractions, last)
        cosine = cells @ (arc / np.linalg.norm(arc, axis=1, keepdims=True)).T
        closest = cosine.argmax(axis=1)
        better = (value := cosine.max(axis=1)) > best
        best, where = np.where(better, value, best), np.where(better, leg + fractions[closest], where)
    return where


def _vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    lam, phi = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
