"""Lines that ask in MARS words, by Polytope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import Unsupported
from terrella.extraction.mars.matching import identities
from terrella.site.connecting.axes import mars_of, told
from terrella.site.connecting.views.edr import check_size
from terrella.site.connecting.views.meaning import own_only
from terrella.site.connecting.views.shapes import Asked
from terrella.site.connecting.writing import text, written

if TYPE_CHECKING:
    from terrella.model.scan import Axis
    from terrella.site.connecting.axes import Chosen
    from terrella.site.connecting.views.meaning import Meant

_DAY_MS = 86_400_000
MOST_LISTED = 400


def polytope(view: Meant) -> str:
    """Raises Unsupported for what MARS words or Polytope's features do not say."""
    check_size(view)
    own_only(view, "Polytope")
    at = view.at
    plain = ", insecure=True" if at.is_plain else ""
    name = text(f"{view.question.collection}.covjson")
    return f"""import json
from polytope.api import Client

client = Client(address="{at.base}", user_key="{at.shown}"{plain}, quiet=True)
request = {written(_request(view))}
client.retrieve({text(view.question.collection)}, request, output_file={name})
values = {{}}
with open({name}) as file:
    for coverage in json.load(file)["coverages"]:
        for name, found in coverage["ranges"].items():
            values.setdefault(name, []).extend(found["values"])
print({{name: found[:10] for name, found in values.items()}})
"""


def _request(view: Meant) -> dict[str, Any]:
    if view.question.request.reduce:
        raise Unsupported("Polytope cuts values out and reduces nothing: ask EDR, or reduce what comes back.")
    if view.question.request.cells.how:
        raise Unsupported("Polytope has no choice of cells: ask EDR.")
    chosen = [_chosen(view, axis) for axis in view.index.axes if _uses(view, axis)]
    kinds = {one.kind for one in chosen}
    if not kinds & {"time", "reference_time"}:
        raise Unsupported("These data have no time, and Polytope's answers need one: ask EDR.")
    words = _words(view, chosen)
    return {**words, "feature": _feature(view, "step" if "step" in kinds else "date")}


def _uses(view: Meant, axis: Axis) -> bool:
    return any(axis.name in one.dims for one in view.index.variables if one.name in view.names)


def _words(view: Meant, chosen: list[Chosen]) -> dict[str, str]:
    """One set of words for all variables, which differ by their parameter alone."""
    known = {one.variable for one in identities(view.document)}
    if not known.issuperset(view.names):
        raise Unsupported("What these variables are in MARS words is not known: ask EDR.")
    each = [mars_of(view.document, name, chosen) for name in view.names]
    params = [one.pop("param") for one in each]
    if any(one != each[0] for one in each):
        raise Unsupported("These variables are of several kinds in MARS words: ask for one at a time.")
    return {**each[0], "param": "/".join(params)}


# --- axes -----------------------------------------------------------------------------------------------------------


def _chosen(view: Meant, axis: Axis) -> Chosen:
    """What is asked of an axis as it is stored. Raises Unsupported for what no list of dates and times says."""
    found = _indices(view, axis)
    if found.size > MOST_LISTED:
        raise Unsupported(f"That is {found.size:,} values of {axis.name}, too many to list: ask for a shorter time.")
    if axis.kind in ("time", "reference_time") and not _is_said(axis, found):
        raise Unsupported("MARS words name days and times of day, each for all of the others: these times are not so.")
    return told(axis, axis.values[found])


def _indices(view: Meant, axis: Axis) -> np.ndarray:
    """Along an axis as it is stored; of runs and steps of which one is single, by their valid times."""
    if axis.name in view.dims:
        return view.chosen(axis.name)
    if axis.kind in ("reference_time", "step") and "time" in view.dims and axis.values.size > 1:
        return view.chosen("time")
    return np.arange(axis.values.size)


def _is_said(axis: Axis, found: np.ndarray) -> bool:
    """Whether the days and the times of day of these, each listed, mean no more than these."""
    values, some = axis.values, axis.values[found]
    meant = np.isin(values // _DAY_MS, some // _DAY_MS) & np.isin(values % _DAY_MS, some % _DAY_MS)
    return bool(meant.sum() == some.size)


# --- features -------------------------------------------------------------------------------------------------------


def _feature(view: Meant, along: str) -> dict[str, Any]:
    """As polytope-mars has it, latitude first."""
    shape = view.shape
    if shape.kind in (Asked.POINT, Asked.POINTS):
        places = [shape.words["point"]] if shape.kind == Asked.POINT else shape.words["points"]
        return {"type": "timeseries", "points": [[lat, lon] for lon, lat in places], "time_axis": along}
    if shape.kind == Asked.BOX:
        west, south, east, north = shape.words["bbox"]
        return {"type": "boundingbox", "points": [[north, west], [south, east + 360 if east < west else east]]}
    if shape.kind == Asked.CIRCLE:
        lon, lat, metres = shape.words["circle"]
        return {"type": "circle", "center": [[lat, lon]], "radius_km": metres / 1000}
    if shape.kind == Asked.AREA:
        return _polygon(shape.geometry)
    if shape.kind == Asked.REGION:
        raise Unsupported("Polytope has no regions by name: give it a polygon, or ask EDR.")
    raise Unsupported("Polytope's trajectory takes all cells along a line, not those under it: ask EDR.")


def _polygon(geometry: dict[str, Any]) -> dict[str, Any]:
    """One ring as Polytope has it; holes and several parts as GeoJSON, which this site takes too."""
    if geometry["type"] == "Polygon" and len(geometry["coordinates"]) == 1:
        return {"type": "polygon", "shape": [[lat, lon] for lon, lat in geometry["coordinates"][0]]}
    return {"type": "polygon", "geojson": geometry}
