"""Collections of scenes: the items that meet a request become a cube on the stated grid, for that request.

Items are searched as the caller: nobody's answer is made of items that they may not see.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from terrella.contracts.cubes import Origin
from terrella.cubes.scenes.expressions import is_expression, parse_expression
from terrella.cubes.scenes.indexing import Scene, Wish, make_index, nothing_here
from terrella.cubes.scenes.items import band_facts, scenes_of, taken
from terrella.cubes.scenes.warping import checked_method
from terrella.errors import Denied, Invalid, TooLarge, Unsupported
from terrella.extraction.extents import extent_of
from terrella.extraction.opening import Opened
from terrella.extraction.times import bounds
from terrella.grids import grid_from_json
from terrella.model.credit import credit_of
from terrella.model.extraction import Everything, Points, Trajectory
from terrella.model.search import Search
from terrella.model.stated import GROUPINGS, KEPT_WITH, StatedGrid, stated_grid

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeIndex
    from terrella.cubes.images.gdal import ImageFile
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction
    from terrella.model.ids import CollectionId
    from terrella.model.scan import FileScan
    from terrella.model.search import Page
    from terrella.model.space import Extent
    from terrella.model.stac import Document
    from terrella.model.time import Interval

MOST_SCENES = 4000
"""Items that one request may meet."""
"""The property of a collection's document that holds its usual grid, as words of `StatedGrid`."""
_MOST_AROUND = 1 << 32
"""Cells of a stated grid, in the box around a shape."""
_LOOKED_AT = 10
"""Items whose documents tell the bands of a collection."""
_KNOWN = 64
"""Cubes kept ready: their indexes, not their numbers."""
_USUAL = StatedGrid(resampling="nearest", group="solar_day")


class Finds(Protocol):
    """What is needed of the catalogue, each with the policy of the caller."""

    def collection(self, caller: Caller, collection: str) -> bytes: ...

    def search(self, caller: Caller, query: Search) -> Page: ...


@dataclass(frozen=True, eq=False)
class _Known:
    """A cube, and the images below it as they were when it was made."""

    images: dict[ImageFile, str]
    index: CubeIndex
    origin: Origin

    @property
    def is_fresh(self) -> bool:
        return all(image.version() == version for image, version in self.images.items())


class Scenes:
    """Safe for threads. `scans` gives what scanning files gave when they were added; `added` all hrefs ever added.

    `denied` makes the refusal of a collection, for a reason.
    """

    def __init__(
        self,
        catalog: Finds,
        scans: Callable[[Iterable[str]], Iterable[FileScan]],
        added: Callable[[], Iterable[str]],
        denied: Callable[[str, str], Denied] = lambda _, why: Denied(why, parameter="collection"),
    ) -> None:
        self._catalog = catalog
        self._scans = scans
        self._added = added
        self._denied = denied
        self._lock = Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def open(self, caller: Caller, request: Extraction) -> Opened:
        """The scenes that meet the request's shape and time, as a cube on its stated grid.

        Variables are names of bands, or expressions. Raises NotFound for a collection; Invalid for a place or time
        without scenes, unknown bands, wrong expressions; TooLarge; Unsupported where the items hold no rasters.
        """
        document: Document = orjson.loads(self._catalog.collection(caller, request.collection))
        stated = (request.grid or StatedGrid()).over(_kept_with(document)).over(_USUAL)
        wish = _wish(stated, request.variables)
        extent = extent_of(request.shape)
        found = self._items(caller, request, extent)
        if not found:
            raise self._no_items(caller, request, extent)
        self._check_readable(caller, request, extent, len(found))
        key = _digest(repr((request.collection, wish, extent)), found)
        known = self._remembered(key)
        if known is None:
            known = self._made(document, request.collection, found, extent, wish)
            self._remember(key, known)
        names = (*wish.bands, *(one.name for one in wish.expressions)) if request.variables else ()
        asked = replace(request, variables=names, interval=_interval(request.interval, known.index))
        return Opened(known.index, known.origin, asked, stated)

    def variables(self, caller: Caller, collection: str) -> dict[str, Document]:
        """Bands that the newest items name, as `cube:variables` has it; no file is opened."""
        page = self._catalog.search(caller, Search((collection,), limit=_LOOKED_AT))
        return {name: _variable(said) for name, said in band_facts(map(orjson.loads, page.documents)).items()}

    def _made(
        self, document: Document, collection: CollectionId, found: list[bytes], extent: Extent | None, wish: Wish
    ) -> _Known:
        items: list[Document] = [orjson.loads(one) for one in found]
        hrefs = {str(asset["href"]) for item in items for asset in item["assets"].values()}
        scenes = scenes_of(items, {scan.href: scan for scan in self._scans(hrefs)}, self._added)
        images = _images(scenes)
        index = make_index(scenes, extent, wish)
        version = _digest(repr((wish, index.grid, sorted(map(repr, images.items())))), found)[:16]
        names = tuple(sorted({piece.item for one in index.variables for piece in one.pieces}))
        licence, attribution = str(document.get("license", "")), str(document.get("attribution", ""))
        counted = {str(item["id"]): str(item["properties"].get("version", "")) for item in items}
        counts = tuple(counted.get(name, "") for name in names)
        origin = Origin("scenes", collection, version, names, licence, attribution, counts, credit_of(document))
        return _Known(images, index, origin)

    def _remembered(self, key: str) -> _Known | None:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
        return known if known is not None and known.is_fresh else None

    def _remember(self, key: str, known: _Known) -> None:
        with self._lock:
            self._known[key] = known
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)

    # --- the items -------------------------------------------------------------------------------------------------

    def _items(self, caller: Caller, request: Extraction, extent: Extent | None) -> list[bytes]:
        """Items that meet the place and the time. Raises TooLarge."""
        query = Search((request.collection,), tuple(request.items), extent, interval=request.interval, limit=1000)
        found: list[bytes] = []
        while True:
            page = self._catalog.search(caller, query)
            found.extend(page.documents)
            if len(found) > MOST_SCENES:
                raise TooLarge(
                    f"More than {MOST_SCENES:,} scenes lie there in that time: ask for a shorter time or a smaller "
                    "place.",
                    parameter="datetime",
                    details={"limit": MOST_SCENES},
                )
            if page.next is None:
                return found
            query = replace(query, token=page.next)

    def _check_readable(self, caller: Caller, request: Extraction, extent: Extent | None, count: int) -> None:
        """Raises Denied where the caller may find some of these items, but not read them."""
        if caller.reading() is not caller and len(self._items(caller.reading(), request, extent)) < count:
            raise self._denied(
                request.collection,
                f"Nothing can be cut out of these scenes of {request.collection!r} by you: that needs leave to read "
                "all of them.",
            )

    def _no_items(self, caller: Caller, request: Extraction, extent: Extent | None) -> Invalid | Unsupported:
        """Why no item meets the request: no such item, the place, or the time."""
        everything = Search((request.collection,), limit=100)
        if not self._catalog.search(caller, everything).documents:
            return Unsupported(f"The collection {request.collection!r} has no scenes.", parameter="collection")
        if request.items:
            return Invalid("None of these items lies there in that time.", parameter="items")
        found = [orjson.loads(one) for one in self._catalog.search(caller, replace(everything, bbox=extent)).documents]
        if not found:
            return nothing_here(extent)
        times = sorted(at.isoformat().replace("+00:00", "Z") for one in found if (at := taken(one)) is not None)
        shown = ", ".join(times[:3]) + (f" ... {times[-1]}" if len(times) > 3 else "")
        return Invalid(f"No scene of that place is of that time. There are: {shown}.", parameter="datetime")


def _variable(said: Mapping[str, Any]) -> Document:
    made: Document = {"type": "data", "dimensions": ["time", "y", "x"]}
    description = said.get("description") or said.get("eo:common_name") or said.get("common_name")
    return made | {
        key: str(value) for key, value in (("description", description), ("unit", said.get("unit"))) if value
    }


def _digest(text: str, documents: Iterable[bytes]) -> str:
    digest = hashlib.sha256(text.encode())
    for one in documents:
        digest.update(hashlib.sha256(one).digest())
    return digest.hexdigest()


def _images(scenes: Iterable[Scene]) -> dict[ImageFile, str]:
    return {image: image.version() for image in {band.image for scene in scenes for band in scene.bands}}


# --- the grid --------------------------------------------------------------------------------------------------------


def _kept_with(document: Mapping[str, Any]) -> StatedGrid:
    """The usual grid of a collection. Raises Unsupported where its document says nonsense."""
    said = document.get(KEPT_WITH)
    if said is None:
        return StatedGrid()
    try:
        return stated_grid(said if isinstance(said, dict) else {"grid": said}) or StatedGrid()
    except Invalid as error:
        raise Unsupported(f"The grid that stands with the collection ({KEPT_WITH}) is wrong. {error.message}") from None


def _wish(stated: StatedGrid, variables: Iterable[str]) -> Wish:
    """With variables of a request: names of bands, and expressions. Raises Invalid."""
    group = str(stated.group)
    if group not in GROUPINGS:
        raise Invalid(f"Scenes are grouped by {' or '.join(GROUPINGS)}, not {stated.group!r:.60}.", parameter="group")
    asked = tuple(variables)
    expressions = tuple(parse_expression(text) for text in asked if is_expression(text))
    known = {one.name for one in expressions}
    names = tuple(dict.fromkeys(name for name in asked if not is_expression(name) and name not in known))
    method = checked_method(str(stated.resampling))
    return Wish(stated.crs, stated.resolution, stated.anchor, names, expressions, group, method)


def _interval(interval: Interval | None, index: CubeIndex) -> Interval | None:
    """Items were chosen by time already: what is left is whether the times of the cube are all meant."""
    if interval is None or not index.axes:
        return None
    inside = bounds(interval, index.axes[0].calendar).holds(index.axes[0].values)
    return interval if bool(inside.all()) else None


def check_size(found: Opened, most_cells: int) -> None:
    """Raises TooLarge for a stated grid so fine that finding the cells of a shape on it would take minutes."""
    if found.stated is None or isinstance(found.asked.shape, Points | Trajectory | Everything):
        return
    cells = grid_from_json(found.index.grid).size
    if cells > _MOST_AROUND:
        text = f"The grid around that place has {cells:,} cells; {_MOST_AROUND:,} are looked through at most."
        raise coarser(TooLarge(text, parameter="resolution", details={"cells": cells}), found.index, most_cells)


def coarser(error: TooLarge, index: CubeIndex, most_cells: int) -> TooLarge:
    """A refusal with the way out that only a stated grid has."""
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
