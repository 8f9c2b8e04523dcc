"""The handlers of maps: parse, one call, encode."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.tiles.asking import VALUES, Drawing, Parameters, box, drawing, place, size, view
from terrella.api.tiles.documents import document_of, extent_of, token
from terrella.encodings import pngtiles, valuetiles
from terrella.encodings.palettes import colour_numbers, palette
from terrella.errors import Conflict, Invalid, Unsupported
from terrella.extraction.receipts import software
from terrella.extraction.scaling import USUAL_PALETTE
from terrella.grids.matrices import matrix_set, pixels
from terrella.model.ids import collection_id as checked_id

if TYPE_CHECKING:
    from terrella.extraction.scaling import Legend
    from terrella.extraction.tiling import Painted, Shown, View
    from terrella.grids.pixels import Pixels
    from terrella.model.caller import Caller
    from terrella.site.site import Site

BORDER = 1
"""Pixels around a tile of values, so that clients can draw smoothly over its edges."""
MOST_PIXELS = 2048
"""Along each side of a map."""
_USUAL_WIDTH = 1024
_FOR_EVER = "max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_UNKNOWN_RANGE = (0.0, 1.0)


class Tiles:
    """The handlers over one site. They run in threads: they read files."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def tile(
        self,
        request: Request,
        collection_id: str,
        tile_matrix_set_id: str,
        tile_matrix: str,
        tile_row: str,
        tile_col: str,
    ) -> Response:
        """One tile, of the data as they are now."""
        return self._tile(request, collection_id, (tile_matrix_set_id, tile_matrix, tile_row, tile_col), None)

    def tile_of_version(
        self,
        request: Request,
        collection_id: str,
        version: str,
        tile_matrix_set_id: str,
        tile_matrix: str,
        tile_row: str,
        tile_col: str,
    ) -> Response:
        """One tile of a version of the data, which may be kept for ever."""
        return self._tile(request, collection_id, (tile_matrix_set_id, tile_matrix, tile_row, tile_col), version)

    def map(self, request: Request, collection_id: str) -> Response:
        """A map of any box and size (OGC API - Maps)."""
        given, collection = Parameters(request.query_params.multi_items()), checked_id(collection_id)
        west, south, east, north = self._box(caller_of(request), collection_id, given.take("bbox"))
        width, height = (size(given.take(name), name, MOST_PIXELS) for name in ("width", "height"))
        background = _background(given.take("transparent"))
        given.take("bbox-crs")
        shape = (east - west) / (north - south)
        if width is None:
            width = _USUAL_WIDTH if height is None else min(MOST_PIXELS, max(1, round(height * shape)))
        height = height or min(MOST_PIXELS, max(1, round(width / shape)))
        key = ("map", west, south, east, north, width, height)
        wanted = pixels(key, "EPSG:4326", (west, south, east, north), width, height)
        drawn = drawing(given)
        if drawn.form == VALUES:
            raise Invalid("A map is f=png; values come as tiles.", parameter="f")
        return self._answer(request, view(collection, given), wanted, drawn, None, background)

    def _box(self, caller: Caller, collection: str, text: str | None) -> tuple[float, float, float, float]:
        if text is not None:
            return box(text)
        extent = extent_of(document_of(self._site, caller, collection))
        east = extent.east + 360 if extent.east < extent.west else extent.east
        if extent.south < extent.north and extent.west < east:
            return extent.west, extent.south, east, extent.north
        return -180.0, -90.0, 180.0, 90.0

    def _tile(
        self, request: Request, collection: str, path: tuple[str, str, str, str], version: str | None
    ) -> Response:
        given = Parameters(request.query_params.multi_items())
        drawn, asked = drawing(given), None
        names = ("tileMatrix", "tileRow", "tileCol")
        zoom, row, column = (place(text, name) for text, name in zip(path[1:], names, strict=True))
        wanted = matrix_set(path[0]).tile(zoom, row, column, BORDER if drawn.form == VALUES else 0)
        asked = view(checked_id(collection), given)
        return self._answer(request, asked, wanted, drawn, version)

    def _answer(
        self,
        request: Request,
        asked: View,
        wanted: Pixels,
        drawn: Drawing,
        version: str | None,
        background: tuple[int, int, int] | None = None,
    ) -> Response:
        caller = caller_of(request)
        shown = self._site.tiler.shown(caller, asked, wanted)
        self._check_version(asked, shown, version)
        legend = self._legend(caller, asked, shown, drawn)
        coding = valuetiles.accepted(request.headers.get("accept-encoding")) if drawn.form == VALUES else ""
        overviews = self._site.tiler.mark(shown.full.cube) if shown is not None and shown.level and shown.full else ""
        tag = _tag(asked, shown, wanted, drawn, legend, overviews, coding, background)
        said = _headers(caller, tag, version, drawn, legend)
        if shown is not None and shown.level:
            said["Terrella-Overview"] = f"{shown.level}; {shown.method}"
        if _is_known(request, tag):
            return Response(status_code=304, headers=said)
        painted = self._site.tiler.painted(caller, shown, wanted) if shown is not None else None
        said["Terrella-Bytes-Read"] = str(painted.bytes_read if painted else 0)
        if drawn.form == VALUES:
            return _values(painted, wanted, legend, coding, said)
        return _png(shown, painted, wanted, drawn, legend, said, background)

    def _check_version(self, asked: View, shown: Shown | None, version: str | None) -> None:
        """Raises Conflict where the data are of another version by now, Unsupported for images, which have none."""
        if version is None:
            return
        own = shown if shown is None or shown.full is None else shown.full
        if own is None or own.is_scenes:
            raise Unsupported(
                f"Tiles of images have no addresses for ever: leave /v/{version[:40]} out.", parameter="version"
            )
        now = token(own.version, self._site.tiler.mark(own.cube))
        if version != now:
            raise Conflict(
                f"The data of {asked.collection!r} are no longer of version {version[:60]}, but of {now}: read "
                f"/tiles/{asked.collection} again.",
                parameter="version",
            )

    def _legend(self, caller: Caller, asked: View, shown: Shown | None, drawn: Drawing) -> Legend | None:
        """Where the drawing needs one."""
        if shown is None or drawn.colours is not None:
            return None
        return self._site.tiler.legend_of(caller, asked, shown)


def _tag(
    asked: View,
    shown: Shown | None,
    wanted: Pixels,
    drawn: Drawing,
    legend: Legend | None,
    overviews: str,
    *more: Any,
) -> str:
    """Of equal text exactly for equal bytes."""
    seen = None if shown is None else (shown.cube.origin.provider, shown.version, shown.variable.name)
    steps = None if shown is None else (tuple(shown.steps.items()), shown.level, overviews)
    facts = (asked.collection, seen, steps, wanted.key, drawn, legend, more, software(), valuetiles.FORMAT)
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


def _is_known(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return tag in {one.strip().removeprefix("W/") for one in given.split(",")}


def _headers(caller: Caller, tag: str, version: str | None, drawn: Drawing, legend: Legend | None) -> dict[str, str]:
    keep = _ASK_AGAIN if version is None else _FOR_EVER
    said = {"ETag": tag, "Cache-Control": f"{'public' if caller.is_anonymous else 'private'}, {keep}"}
    if drawn.form == VALUES:
        said["Vary"] = "Accept-Encoding"
        if legend is not None:
            said |= {"Terrella-Scale": repr(legend.scaling.scale), "Terrella-Offset": repr(legend.scaling.offset)}
    return said


def _values(
    painted: Painted | None, wanted: Pixels, legend: Legend | None, coding: str, said: dict[str, str]
) -> Response:
    scaling = legend.scaling if legend else valuetiles.Scaling.between(*_UNKNOWN_RANGE)
    if painted is None:
        data = valuetiles.blank(wanted.shape)
    else:
        numbers, outside = scaling.numbers(painted.numbers)
        if outside:
            said["Terrella-Clamped"] = str(outside)
        data = valuetiles.filtered(painted.sampling.spread(numbers))
    if coding != "identity":
        said["Content-Encoding"] = coding
    return Response(valuetiles.coded(data, coding), media_type=valuetiles.MEDIA_TYPE, headers=said)


def _png(
    shown: Shown | None,
    painted: Painted | None,
    wanted: Pixels,
    drawn: Drawing,
    legend: Legend | None,
    said: dict[str, str],
    background: tuple[int, int, int] | None,
) -> Response:
    if shown is None or painted is None:
        data = pngtiles.blank(wanted.shape, background)
    else:
        low, high = _colours(drawn, legend)
        numbers = painted.sampling.spread(colour_numbers(painted.numbers, low, high))
        name = drawn.palette or (legend.palette if legend else USUAL_PALETTE)
        data = pngtiles.png(numbers, palette(name), background)
    return Response(data, media_type=pngtiles.MEDIA_TYPE, headers=said)


def _colours(drawn: Drawing, legend: Legend | None) -> tuple[float, float]:
    if drawn.colours is not None:
        return drawn.colours
    if legend is None or legend.low is None or legend.high is None or not math.isfinite(legend.high - legend.low):
        return _UNKNOWN_RANGE
    return legend.low, legend.high


def _background(transparent: str | None) -> tuple[int, int, int] | None:
    if transparent not in (None, "true", "false"):
        raise Invalid(f"transparent is true or false, not {transparent[:40]!r}.", parameter="transparent")
    return (255, 255, 255) if transparent == "false" else None
