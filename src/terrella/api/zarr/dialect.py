"""The handlers: find the cube, find the key, answer its bytes."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.zarr.answers import Body, answer, headers, is_known
from terrella.api.zarr.chunking import windows
from terrella.api.zarr.keys import Key, parse_key
from terrella.api.zarr.stated import asked_by, check_grid
from terrella.api.zarr.view import View, ViewArray
from terrella.cubes.caching import ChunkCache, ReadTally
from terrella.encodings.zarr import CHUNK_MEDIA_TYPE, ENCODING, encode
from terrella.errors import Conflict, NotFound, nearest_names
from terrella.extraction.limits import Limits
from terrella.extraction.receipts import software
from terrella.model.ids import collection_id as checked_id
from terrella.model.spending import Amounts

if TYPE_CHECKING:
    from terrella.contracts.cubes import Origin
    from terrella.extraction.opening import Opened
    from terrella.site.site import Site

MIB = 1 << 20
_REMEMBERED = 64 * MIB
"""Bytes of encoded chunks kept: a chunk that many ask for is made once."""
_VIEWS = 64
"""Kept ready: names, chunk shapes and metadata."""
_JSON = "application/json"
_ASK_AGAIN = "no-cache"
"""The data may change; asking whether they have costs a header."""
_LEAST = Amounts(bytes_read=1, compute_seconds=0.001)
"""What must be left to read a chunk: they are many and small, so they are counted, not held."""
_FOR_EVER = "max-age=31536000, immutable"


class ZarrView:
    """Handlers over one site. They run in threads: they read files."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._views: OrderedDict[tuple[str, str, str], View] = OrderedDict()
        self._encoded = ChunkCache(_REMEMBERED)

    def group(self, request: Request, collection_id: str) -> Response:
        """The metadata of the group."""
        return self._answer(request, collection_id, Key())

    def key(self, request: Request, collection_id: str, key: str) -> Response:
        """The bytes at a key of the group."""
        return self._answer(request, collection_id, parse_key(key))

    def _answer(self, request: Request, collection: str, key: Key) -> Response:
        wanted = asked_by(checked_id(collection), key.stated)
        found = self._site.extractor.open(caller_of(request), wanted)
        origin = found.origin
        if key.version not in {None, origin.version}:
            raise Conflict(
                f"The data of {collection!r} are no longer of version {key.version}, but of {origin.version}: open "
                f"/zarr/{collection}{f'/~{key.stated}~' if key.stated else ''} again.",
                parameter="key",
            )
        tag, keep = _tag(origin, key), _ASK_AGAIN if key.version is None else _FOR_EVER
        if is_known(request, tag):
            return Response(status_code=304, headers=headers(tag, keep))
        caller = caller_of(request)
        if key.chunk is not None:
            self._site.ledger.check(caller, _LEAST, collection)
        began = time.monotonic()
        body = self._body(self._view(found), origin, key)
        if body.bytes_read:
            spent = Amounts(bytes_read=body.bytes_read, compute_seconds=time.monotonic() - began)
            self._site.ledger.count(caller, spent, collection)
        return answer(request, body, tag, keep)

    def _body(self, view: View, origin: Origin, key: Key) -> Body:
        if key.array is None:
            return Body(view.group, _JSON)
        array = view.arrays.get(key.array)
        if array is None:
            raise NotFound(
                f"There is no array {key.array!r:.80} here. {nearest_names(key.array, view.arrays)}", parameter="key"
            )
        if key.chunk is None:
            return Body(orjson.dumps(array.document), _JSON)
        return self._chunk(array, origin, key.chunk)

    def _chunk(self, array: ViewArray, origin: Origin, index: tuple[int, ...]) -> Body:
        window = windows(array.shape, array.chunks, index)
        if window is None:
            raise NotFound(
                f"{array.name} has no chunk {'/'.join(map(str, index))}: it has {array.shape} numbers in chunks of "
                f"{array.chunks}.",
                parameter="key",
            )
        tally = ReadTally()

        def made() -> tuple[np.ndarray | None, int]:
            values = array.fill(window, tally)
            content = None if values is None else np.frombuffer(encode(values, array.chunks), dtype=np.uint8)
            return content, 0

        name = (origin.provider, origin.collection, origin.version, array.name, index)
        content = self._encoded.get(name, made, ReadTally())
        if content is None:
            raise NotFound(f"Nothing is stored of {array.name} there: all of it is missing.", parameter="key")
        return Body(content.tobytes(), CHUNK_MEDIA_TYPE, tally.bytes_read)

    def _view(self, found: Opened) -> View:
        origin = found.origin
        name = (origin.provider, origin.collection, origin.version)
        with self._lock:
            if name in self._views:
                self._views.move_to_end(name)
                return self._views[name]
        check_grid(found)
        limits = self._site.settings.limits
        allowed = Limits(limits.values, limits.bytes_read, limits.cells)
        made = View(self._site.cubes.open(found.index, origin), self._site.cubes, allowed)
        with self._lock:
            kept = self._views.setdefault(name, made)
            while len(self._views) > _VIEWS:
                self._views.popitem(last=False)
        return kept


def _tag(origin: Origin, key: Key) -> str:
    """Of equal text exactly for equal bytes."""
    facts = (origin.provider, origin.collection, origin.version, key.array, key.chunk, software(), ENCODING)
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'
