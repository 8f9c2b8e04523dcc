"""Thumbnails: a small picture of what a collection holds, made of its data: all of it, at its last time.

A picture costs one look at one field: its colours go from the 2nd to the 98th percentile of what it shows itself.
Where there are a red, a green and a blue band, it shows them as the eye would.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.tiles.asking import VALUES, Parameters, drawing, size, view
from terrella.api.tiles.documents import document_of, extent_of
from terrella.catalog.cards import mark_of
from terrella.cubes.selecting import Selection
from terrella.encodings import pngtiles
from terrella.encodings.palettes import colour_numbers, palette
from terrella.errors import Invalid, TooLarge
from terrella.extraction.receipts import software
from terrella.extraction.scaling import suggested
from terrella.grids.framing import framed
from terrella.grids.matrices import pixels
from terrella.model.ids import collection_id as checked_id
from terrella.model.search import Search
from terrella.model.time import Interval, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from terrella.api.tiles.asking import Drawing
    from terrella.extraction.tiling import Painted, Shown, View
    from terrella.grids.pixels import Pixels
    from terrella.model.caller import Caller
    from terrella.site.site import Site

USUAL_WIDTH, MOST_PIXELS = 360, 1024
"""Pixels along a side; half as high as wide where nothing is said."""
MIB = 1 << 20
MOST_READ = 64 * MIB
"""Stored bytes that one picture may read: lists show many."""
_KEPT = 48 * MIB
"""Bytes of pictures that are kept."""
_BANDS = {
    "red": re.compile(r"red(_band)?|band_red|b0?4|sr_b4", re.IGNORECASE),
    "green": re.compile(r"green(_band)?|band_green|b0?3|sr_b3", re.IGNORECASE),
    "blue": re.compile(r"blue(_band)?|band_blue|b0?2|sr_b2", re.IGNORECASE),
}
"""Names of bands: of what they show, and of Sentinel-2 and Landsat 8 and 9."""


class Thumbnails:
    """The handler over one site. It runs in threads: it reads files."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept = _Pictures(_KEPT)

    def thumbnail(self, request: Request, collection_id: str) -> Response:
        """A small picture of a collection."""
        caller, given = caller_of(request), Parameters(request.query_params.multi_items())
        mark, wanted, drawn, asked = self._asked(caller, collection_id, given)
        text = self._site.catalog.collection(caller, checked_id(collection_id))
        shown = self._shown(caller, asked, wanted)
        tag = _tag(asked, shown, wanted, drawn)
        is_for_ever = mark == mark_of(text) and all(one is not None and not one.is_scenes for one in shown)
        keep = "max-age=31536000, immutable" if is_for_ever else "no-cache"
        said = {"ETag": tag, "Cache-Control": f"{'public' if caller.is_anonymous else 'private'}, {keep}"}
        said["Content-Bbox"] = ",".join(f"{edge:.10g}" for edge in wanted.extent.bbox())
        if tag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}:
            return Response(status_code=304, headers=said)
        found = self._kept.get(tag)
        if found is None:
            found = self._drawn(caller, [one for one in shown if one is not None], wanted, drawn)
            self._kept.keep(tag, found)
        return Response(found, media_type=pngtiles.MEDIA_TYPE, headers=said)

    def _asked(self, caller: Caller, collection: str, given: Parameters) -> tuple[str | None, Pixels, Drawing, View]:
        mark = given.take("mark")
        width = size(given.take("width"), "width", MOST_PIXELS) or USUAL_WIDTH
        height = size(given.take("height"), "height", MOST_PIXELS) or max(1, width // 2)
        drawn = drawing(given)
        if drawn.form == VALUES:
            raise Invalid("A thumbnail is f=png; values come as tiles.", parameter="f")
        document = document_of(self._site, caller, collection)
        bounds = framed(extent_of(document), width, height)
        wanted = pixels(("map", *bounds, width, height), "EPSG:4326", bounds, width, height)
        return mark, wanted, drawn, view(checked_id(collection), given)

    def _views(self, caller: Caller, asked: View) -> list[View]:
        """What is shown: red, green and blue where there are such bands and nothing else is asked for."""
        if asked.variable:
            return [asked]
        cube = self._site.tiler.own_cube(caller, asked.collection)
        known: Mapping[str, Any] = self._site.extractor.variables(caller, asked.collection) if cube is None else {}
        names = cube.variables if cube is not None else known
        bands = true_colour(names, {name: _words(said) for name, said in known.items()})
        return [replace(asked, variable=name) for name in bands] or [asked]

    def _shown(self, caller: Caller, asked: View, wanted: Pixels) -> list[Shown | None]:
        """Of more scenes than may be opened at once, those of the time of the newest."""
        views, tiler = self._views(caller, asked), self._site.tiler
        try:
            return [tiler.shown(caller, one, wanted) for one in views]
        except TooLarge:
            if asked.interval is not None or tiler.own_cube(caller, asked.collection) is not None:
                raise
            page = self._site.catalog.search(caller, Search((asked.collection,), limit=1))
            said = orjson.loads(page.documents[0])["properties"]
            at = parse_instant(said.get("datetime") or said["start_datetime"])
            return [tiler.shown(caller, replace(one, interval=Interval(at, at)), wanted) for one in views]

    def _drawn(self, caller: Caller, shown: list[Shown], wanted: Pixels, drawn: Drawing) -> bytes:
        if not shown:
            return pngtiles.blank(wanted.shape)
        for one in shown:
            self._check(one, wanted)
        painted = [self._site.tiler.painted(caller, one, wanted) for one in shown]
        if len(painted) == 3 and drawn.palette is None:
            return _in_true_colour(painted, drawn)
        return _in_palette(shown[0], painted[0], drawn)

    def _check(self, shown: Shown, wanted: Pixels) -> None:
        """Raises TooLarge where it would read too much."""
        found = self._site.tiler.sampling(shown.cube.grid, wanted)
        if found.is_empty:
            return
        axes = {name: np.array([at]) for name, at in shown.steps.items()}
        selection = Selection(axes, lines=found.lines, cells=found.cells)
        reads = self._site.extractor.price_of(shown.cube, shown.variable.name, selection).bytes_read
        if reads > MOST_READ:
            raise TooLarge(
                f"A thumbnail reads at most {MOST_READ >> 20} MiB, and this one would read {reads / MIB:.0f} MiB: ask "
                "for a map of a smaller box, or optimise the collection for maps.",
                parameter="variable",
                details={"limit": MOST_READ, "bytes_read": reads},
            )


def true_colour(names: Iterable[str], said: Mapping[str, str] | None = None) -> list[str]:
    """Names of the red, the green and the blue band; none where one is missing. `said` describes some of them."""
    told = said or {}
    found = []
    listed = list(names)
    for colour, spelled in _BANDS.items():
        by_name = [name for name in listed if spelled.fullmatch(name.rsplit("/", 1)[-1])]
        by_words = [name for name in listed if told.get(name, "").casefold() == colour]
        fitting = [name for name in by_name if colour in name.casefold()] or by_words or by_name
        if not fitting:
            return []
        found.append(fitting[0])
    return found


def _words(said: Any) -> str:
    """What a band shows, as it says itself."""
    if not isinstance(said, dict):
        return ""
    return str(said.get("eo:common_name") or said.get("common_name") or said.get("description") or "")


def _in_palette(shown: Shown, painted: Painted, drawn: Drawing) -> bytes:
    low, high, suits = suggested(shown.variable, painted.numbers)
    low, high = drawn.colours or (low, high)
    numbers = painted.sampling.spread(colour_numbers(painted.numbers, low, high))
    return pngtiles.png(numbers, palette(drawn.palette or suits))


def _in_true_colour(painted: list[Painted], drawn: Drawing) -> bytes:
    """Each band from its own 2nd to its 98th percentile, which takes away the blue of the air."""
    bands = []
    for one in painted:
        low, high = drawn.colours or _stretch(one.numbers)
        bands.append(one.sampling.spread(colour_numbers(one.numbers, low, high)))
    there = np.logical_and.reduce([band > 0 for band in bands])
    return pngtiles.coloured(np.stack([np.maximum(band, 1) - 1 for band in bands], axis=-1).astype(np.uint8), there)


def _stretch(values: np.ndarray) -> tuple[float, float]:
    """What is 0 lies outside of most images, whatever they say."""
    seen = values[np.isfinite(values) & (values != 0)].astype(np.float64)
    low, high = np.percentile(seen, [2, 98]).tolist() if seen.size else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def _tag(asked: View, shown: list[Shown | None], wanted: Pixels, drawn: Drawing) -> str:
    """Of equal text exactly for equal bytes."""
    seen = [
        one and (one.cube.origin.provider, one.version, one.variable.name, tuple(one.steps.items())) for one in shown
    ]
    facts = ("thumbnail", asked.collection, seen, wanted.key, drawn, software())
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


@dataclass(eq=False)
class _Pictures:
    """Pictures by tag, the least recently asked for forgotten first; safe for threads."""

    limit: int

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def get(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._found:
                self._found.move_to_end(tag)
            return self._found.get(tag)

    def keep(self, tag: str, picture: bytes) -> None:
        with self._lock:
            if tag not in self._found:
                self._found[tag] = picture
                self._size += len(picture)
            while self._size > self.limit:
                self._size -= len(self._found.popitem(last=False)[1])
