"""The handler of blocks: parse, one call, encode."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.tiles.asking import Parameters, box, size, view
from terrella.api.tiles.documents import axis_entry, document_of, extent_of, token, variable_entry, words
from terrella.encodings import valuetiles
from terrella.errors import Invalid
from terrella.extraction.blocks import Size
from terrella.extraction.receipts import software
from terrella.model.ids import collection_id as checked_id

if TYPE_CHECKING:
    from terrella.extraction.blocks import Block, Bounds, Filled
    from terrella.extraction.scaling import Legend
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site

MEDIA_TYPE = "application/vnd.terrella.block"
MOST_SIDE, MOST_STEPS = 2048, 2048
_FORMATS = {"block": "block", MEDIA_TYPE: "block", "json": "json", "application/json": "json"}
_WORD = 4
"""The numbers begin at a multiple of so many bytes."""
_WORLD: Bounds = (-180.0, -90.0, 180.0, 90.0)


class Blocked:
    """The handlers over one site. They run in threads: they read files."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def cube(self, request: Request, collection_id: str) -> Response:
        """A block of one variable; with f=json what it would hold and what it would read."""
        caller, given = caller_of(request), Parameters(request.query_params.multi_items())
        form, depth = _form(given.take("f")), given.take("depth") or ""
        bounds = self._bounds(caller, collection_id, given.take("bbox"))
        width, height = (size(given.take(name), name, MOST_SIDE) for name in ("width", "height"))
        wanted = Size(width, height, size(given.take("steps"), "steps", MOST_STEPS, "steps"))
        block = self._site.blocks.block(caller, view(checked_id(collection_id), given), depth, bounds, wanted)
        whole = block.shown.full or block.shown
        legend = self._site.tiler.legend(whole.cube, whole.variable)
        said = described(block, legend, token(whole.version, self._site.tiler.mark(whole.cube)))
        if form == "json":
            plan = self._site.blocks.price(block)
            more = {"bytes_read": plan.bytes_read if plan else 0, "seconds": plan.seconds if plan else 0.0}
            return Response(orjson.dumps(said | more), media_type="application/json", headers=_kept(caller, ""))
        return self._answer(request, caller, block, legend, said)

    def _bounds(self, caller: Caller, collection: str, text: str | None) -> Bounds:
        if text is not None:
            return box(text)
        extent = extent_of(document_of(self._site, caller, collection))
        east = extent.east + 360 if extent.east < extent.west else extent.east
        return (extent.west, extent.south, east, extent.north) if extent.south < extent.north else _WORLD

    def _answer(self, request: Request, caller: Caller, block: Block, legend: Legend, said: Document) -> Response:
        coding = valuetiles.accepted(request.headers.get("accept-encoding"))
        tag = hashlib.sha256(orjson.dumps([said, coding, software(), valuetiles.FORMAT])).hexdigest()[:32]
        headers = _kept(caller, f'"{tag}"') | {"Vary": "Accept-Encoding"}
        if f'"{tag}"' in {
            one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
        }:
            return Response(status_code=304, headers=headers)
        filled = self._site.blocks.filled(caller, block)
        headers["Terrella-Bytes-Read"] = str(filled.bytes_read if filled else 0)
        data, outside = _numbers(block, filled, legend)
        if outside:
            headers["Terrella-Clamped"] = str(outside)
        if coding != "identity":
            headers["Content-Encoding"] = coding
        return Response(valuetiles.coded(_head(said) + data, coding), media_type=MEDIA_TYPE, headers=headers)


def described(block: Block, legend: Legend, version: str) -> Document:
    """What stands at the beginning of a block."""
    shown, (steps, rows, columns) = block.shown, block.shape
    known = {axis.name: axis for axis in shown.cube.axes}
    one = variable_entry(shown.variable, legend, list(shown.variable.dims[: -len(shown.cube.grid.shape)]))
    depth = axis_entry(block.axis) | {"count": steps, "values": words(block.axis, block.axis.values[block.places])}
    depth["places"] = block.places.tolist()
    at = {name: words(known[name], known[name].values[[place]])[0] for name, place in shown.steps.items()}
    whole = dict(zip(("steps", "height", "width"), block.whole, strict=True))
    return {
        "collection": shown.cube.origin.collection,
        "version": version,
        "variable": one,
        "bbox": list(block.bounds),
        "width": columns,
        "height": rows,
        "steps": steps,
        "whole": whole,
        "depth": {key: value for key, value in depth.items() if key not in ("first", "last", "step")},
        "at": at,
    } | ({"overview": {"level": shown.level, "method": shown.method}} if shown.level else {})


def _head(said: Document) -> bytes:
    """Length of the description (little-endian uint32), then itself, filled up with spaces."""
    text = orjson.dumps(said)
    text += b" " * (-len(text) % _WORD)
    return len(text).to_bytes(4, "little") + text


def _numbers(block: Block, filled: Filled | None, legend: Legend) -> tuple[bytes, int]:
    """Step by step, so that no more than one is held as float64; and how many lay outside of the scale."""
    steps, *shape = block.shape
    if filled is None:
        return bytes(2 * steps * shape[0] * shape[1]), 0
    parts, outside = [], 0
    for one in filled.numbers:
        numbers, beyond = legend.scaling.numbers(np.asarray(one))
        parts.append(valuetiles.filtered(filled.sampling.spread(numbers)))
        outside += beyond
    return b"".join(parts), outside


def _kept(caller: Caller, tag: str) -> dict[str, str]:
    said = {"Cache-Control": f"{'public' if caller.is_anonymous else 'private'}, no-cache"}
    return said | ({"ETag": tag} if tag else {})


def _form(text: str | None) -> Any:
    """Raises Invalid."""
    if text is None:
        return "block"
    if text.casefold() not in _FORMATS:
        raise Invalid(f"f is block or json, not {text[:40]!r}.", parameter="f")
    return _FORMATS[text.casefold()]
