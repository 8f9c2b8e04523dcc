"""Collections of scenes, asked like any other: their items become a cube on a stated grid when a request comes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from terrella.contracts.cubes import Cube, CubeIndex, Origin
from terrella.cubes.scenes.expressions import is_expression, parse_expression
from terrella.cubes.scenes.extents import extent_of
from terrella.cubes.scenes.indexing import GROUPINGS, Grouping, Scene, Wish, make_index, nothing_here
from terrella.cubes.scenes.items import scenes_of, taken
from terrella.cubes.scenes.warping import checked_method
from terrella.errors import Invalid, NotFound, TooLarge, Unsupported
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.extraction.times import bounds
from terrella.grids import grid_from_json
from terrella.model.extraction import Box, Everything, Extracted, Extraction, Plan, Shape
from terrella.model.ids import collection_id
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.model.time import Interval, parse_interval

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site

MOST_SCENES = 4000
"""Items that one request may meet."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The grid and the rules on which scenes are answered; what is left out follows from the scenes.

    `crs` as pyproj takes it, or 'utm'; `resolution` and `anchor` (a corner of a cell) in its units; `resampling` one of
    nearest, bilinear, cubic, average, mode; `group` 'solar_day' puts scenes of one overpass on one time, 'time' leaves
    each instant its own. `expressions` are like ``ndvi=(nir-red)/(nir+red)``.
    """

    crs: str | None = None
    resolution: float | tuple[float, float] | None = None
    anchor: tuple[float, float] | None = None
    bands: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    group: Grouping = "solar_day"
    resampling: str = "nearest"

    def wish(self, variables: Sequence[str] = ()) -> Wish:
        """With variables of a request: names of bands, and expressions. Raises Invalid."""
        if self.group not in GROUPINGS:
            raise Invalid(f"Scenes are grouped by {' or '.join(GROUPINGS)}, not {self.group!r:.60}.", parameter="group")
        bands = (*self.bands, *(name for name in variables if not is_expression(name)))
        texts = (*self.expressions, *(name for name in variables if is_expression(name)))
        expressions = tuple(parse_expression(text) for text in texts)
        known = {one.name for one in expressions}
        names = tuple(dict.fromkeys(name for name in bands if name not in known))
        method = checked_method(self.resampling)
        return Wish(self.crs, self.resolution, self.anchor, names, expressions, self.group, method)


STATED = ("crs", "resolution", "anchor", "resampling", "group")
"""Words of a request that state a grid or rule for scenes."""


def stated_from(wanted: dict[str, Any]) -> tuple[Stated, dict[str, Any]]:
    """The stated grid that is among the words of a request, and the other words."""
    given = {name: wanted[name] for name in STATED if wanted.get(name) is not None}
    return Stated(**given), {name: value for name, value in wanted.items() if name not in STATED}


def scene_cube(
    site: Site,
    caller: Caller,
    collection: str,
    *,
    shape: Shape | None = None,
    bbox: Extent | Sequence[float] | None = None,
    datetime: str | Interval | None = None,
    crs: str | None = None,
    resolution: float | tuple[float, float] | None = None,
    anchor: tuple[float, float] | None = None,
    bands: Sequence[str] = (),
    expressions: Sequence[str] | Mapping[str, str] = (),
    group: Grouping = "solar_day",
    resampling: str = "nearest",
) -> Cube:
    """The scenes that meet a shape and a time, as a lazy cube on a stated grid (see `Stated`).

    Raises NotFound for a collection, Invalid for a place or time without scenes, unknown bands, wrong expressions;
    Unsupported where the items hold no rasters.
    """
    texts = (
        [f"{name}={text}" for name, text in expressions.items()] if isinstance(expressions, Mapping) else expressions
    )
    if bbox is not None:
        shape = Box(bbox if isinstance(bbox, Extent) else Extent.of(*bbox))
    interval = parse_interval(datetime) if isinstance(datetime, str) else datetime
    request = Extraction(collection_id(collection), shape or Everything(), interval=interval)
    stated = Stated(crs, resolution, anchor, tuple(bands), tuple(texts), group, resampling)
    return site.cubes.open(*_opened(site, caller, request, stated.wish()))


def scene_extract(site: Site, caller: Caller, request: Extraction, stated: Stated = Stated()) -> Extracted:
    """Values out of a collection of scenes. Variables of the request are names of bands, or expressions.

    Raises as `scene_cube` does, and TooLarge before anything is read.
    """
    extractor, asked, index = _prepared(site, caller, request, stated)
    try:
        return extractor.extract(caller, asked)
    except TooLarge as error:
        raise _coarser(error, index, site.settings.limits.cells) from None


def scene_estimate(site: Site, caller: Caller, request: Extraction, stated: Stated = Stated()) -> Plan:
    """What `scene_extract` would read; only headers of files are read for it."""
    extractor, asked, _ = _prepared(site, caller, request, stated)
    return extractor.plan(caller, asked)


def is_scenes(site: Site, caller: Caller, collection: str) -> bool:
    """Whether a collection has no cube of its own, so that it is answered from its scenes. Raises NotFound."""
    try:
        site.catalog.open(caller, collection)
    except Unsupported:
        return True
    except NotFound:
        site.catalog.collection(caller, collection)  # raises NotFound where there is no such collection at all
        return True
    return False


# --- from a request to an index --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Opened:
    """A catalogue of one cube, for the extractor."""

    index: CubeIndex
    origin: Origin

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]:  # noqa: ARG002 -- seen already
        return self.index, self.origin


def _prepared(
    site: Site, caller: Caller, request: Extraction, stated: Stated
) -> tuple[Extractor, Extraction, CubeIndex]:
    wish = stated.wish(request.variables)
    index, origin = _opened(site, caller, request, wish)
    limits = site.settings.limits
    allowed = Limits(limits.values, limits.bytes_read, limits.cells)
    names = (*wish.bands, *(one.name for one in wish.expressions)) if request.variables else ()
    asked = replace(request, variables=names, interval=_interval(request.interval, index))
    return Extractor(_Opened(index, origin), site.cubes, allowed), asked, index


def _interval(interval: Interval | None, index: CubeIndex) -> Interval | None:
    """Items were chosen by time already: what is left is whether the times of the cube are all meant."""
    if interval is None or not index.axes:
        return None
    inside = bounds(interval, index.axes[0].calendar).holds(index.axes[0].values)
    return interval if bool(inside.all()) else None


def _opened(site: Site, caller: Caller, request: Extraction, wish: Wish) -> tuple[CubeIndex, Origin]:
    collection = orjson.loads(site.catalog.collection(caller, request.collection))
    extent = extent_of(request.shape)
    items = _items(site, caller, request, extent)
    if not items:
        raise _no_items(site, caller, request, extent)
    hrefs = {str(asset["href"]) for item in items for asset in item["assets"].values()}
    scenes = scenes_of(items, {scan.href: scan for scan in site.lake.scans(hrefs)}, site.lake.sources)
    index = make_index(scenes, extent, wish)
    names = tuple(sorted({piece.item for one in index.variables for piece in one.pieces}))
    return index, Origin(
        "scenes",
        request.collection,
        _version(items, scenes, index, wish),
        names,
        str(collection.get("license", "")),
        str(collection.get("attribution", "")),
    )


def _version(items: list[Document], scenes: list[Scene], index: CubeIndex, wish: Wish) -> str:
    """Of the data and of the grid that they are put on."""
    digest = hashlib.sha256(repr((wish, index.grid)).encode())
    for item in items:
        digest.update(orjson.dumps([item["id"], item["properties"], item["assets"]], option=orjson.OPT_SORT_KEYS))
    for image in sorted({band.image for scene in scenes for band in scene.bands}, key=repr):
        digest.update(image.version().encode())
    return digest.hexdigest()[:16]


def _items(site: Site, caller: Caller, request: Extraction, extent: Extent | None) -> list[Document]:
    """Items that meet the place and the time. Raises TooLarge."""
    query = Search((request.collection,), tuple(request.items), extent, interval=request.interval, limit=1000)
    found: list[Document] = []
    while True:
        page = site.catalog.search(caller, query)
        found.extend(orjson.loads(document) for document in page.documents)
        if len(found) > MOST_SCENES:
            raise TooLarge(
                f"More than {MOST_SCENES:,} scenes lie there in that time: ask for a shorter time or a smaller place.",
                parameter="datetime",
                details={"limit": MOST_SCENES},
            )
        if page.next is None:
            return found
        query = replace(query, token=page.next)


def _no_items(site: Site, caller: Caller, request: Extraction, extent: Extent | None) -> Invalid:
    """Why no item meets the request: no such item, the place, or the time."""
    everything = Search((request.collection,), limit=100)
    here = replace(everything, bbox=extent)
    if not site.catalog.search(caller, everything).documents:
        return Invalid(f"The collection {request.collection!r} has no scenes.", parameter="collection")
    if request.items:
        return Invalid("None of these items lies there in that time.", parameter="items")
    found = [orjson.loads(one) for one in site.catalog.search(caller, here).documents]
    if not found:
        return nothing_here(extent)
    times = sorted(at.isoformat().replace("+00:00", "Z") for one in found if (at := taken(one)) is not None)
    shown = ", ".join(times[:3]) + (f" ... {times[-1]}" if len(times) > 3 else "")
    return Invalid(f"No scene of that place is of that time. There are: {shown}.", parameter="datetime")


def _coarser(error: TooLarge, index: CubeIndex, most_cells: int) -> TooLarge:
    """The same refusal, with the way out that only scenes have."""
    factor = max(_excesses(error, most_cells), default=0.0)
    steps = [abs(float(one[1] - one[0])) for one in grid_from_json(index.grid).coordinates().values() if one.size > 1]
    if factor <= 1 or not steps:
        return error
    enough = float(f"{1.1 * max(steps) * math.sqrt(factor):.2g}")
    suggestion = dict(error.details.get("suggestion") or {}) or {"resolution": enough}
    text = f"{error.message} So may a coarser resolution, such as {enough:g}."
    return TooLarge(text, parameter=error.parameter, details=error.details | {"suggestion": suggestion})


def _excesses(error: TooLarge, most_cells: int) -> Iterator[float]:
    """By which factors a request is over its limits."""
    details = error.details
    if "cells" in details:
        yield details["cells"] / most_cells
    estimate, limit = details.get("estimate"), details.get("limit")
    if isinstance(estimate, dict) and isinstance(limit, dict):
        yield from (estimate[name] / most for name, most in limit.items() if name in estimate)
