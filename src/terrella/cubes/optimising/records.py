"""What readers need of an optimised copy, as JSON beside its repository: which version it is of, and each array."""

from __future__ import annotations

import math
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from terrella.contracts.cubes import Cube, CubeVariable, Piece
from terrella.cubes.optimising.places import folder_of, record_of
from terrella.cubes.optimising.quantising import Storage
from terrella.model.scan import ArrayScan, ChunkTable

_FORMAT = 1
_COPY = ""
"""In place of an item: a copy is of all of them."""


def keep_record(folder: Path, snapshot: str, cube: Cube, state: dict[str, Any]) -> None:
    """Write it, whole or not at all; only arrays that are finished are named."""
    arrays = {
        path: {key: one[key] for key in ("variable", "layout", "storage", "document", "errors", "bytes")}
        for path, one in state["arrays"].items()
        if "document" in one
    }
    record = {"format": _FORMAT, "version": cube.origin.version, "snapshot": snapshot, "arrays": arrays}
    draft = Path(f"{folder}.json.{os.getpid()}.part")
    draft.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))
    draft.replace(record_of(folder))


class OptimisedCopies:
    """The optimised copies of a site's cubes, as cubes. Safe for threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[str, int], tuple[Cube, ...]]] = {}

    def exact(self, cube: Cube) -> tuple[Cube, ...]:
        """Those variables of the layouts that hold every value as it is: they may answer in the cube's place."""
        kept = ((copy, _exact(dict(copy.variables))) for copy in self.of(cube))
        return tuple(replace(copy, variables=variables) for copy, variables in kept if variables)

    def of(self, cube: Cube) -> tuple[Cube, ...]:
        """The layouts of this very version of the cube; each may lack variables. A stale copy counts as none.

        Grid, axes and names are those of the cube, so that whatever was prepared for it holds for them too.
        """
        collection = cube.origin.collection
        folder = folder_of(self._home, collection)
        try:
            changed = record_of(folder).stat().st_mtime_ns
        except OSError:
            return ()
        key = (cube.origin.version, changed)
        with self._lock:
            if collection not in self._known or self._known[collection][0] != key:
                self._known[collection] = (key, _copies(folder, cube))
            return self._known[collection][1]


def _exact(variables: dict[str, CubeVariable]) -> dict[str, CubeVariable]:
    return {name: one for name, one in variables.items() if not one.attrs.get("max_absolute_error")}


def _copies(folder: Path, cube: Cube) -> tuple[Cube, ...]:
    try:
        record = orjson.loads(record_of(folder).read_bytes())
    except (OSError, ValueError):
        return ()
    if record.get("format") != _FORMAT or record.get("version") != cube.origin.version:
        return ()
    layouts: dict[str, dict[str, CubeVariable]] = {}
    for path, one in record["arrays"].items():
        original = cube.variables.get(one["variable"])
        if original is not None and original.shape == tuple(one["document"]["shape"]):
            made = _variable(original, str(folder), path, one, record["snapshot"])
            layouts.setdefault(one["layout"], {})[original.name] = made
    return tuple(replace(cube, variables=variables) for variables in layouts.values())


def _variable(original: CubeVariable, href: str, path: str, one: dict[str, Any], snapshot: str) -> CubeVariable:
    storage = Storage(**one["storage"])
    document = one["document"]
    codec: dict[str, Any] = {"path": path, "zarr": document, "snapshot": snapshot}
    if storage.is_packed or "f" in storage.dtype:
        codec["missing"] = True  # what is not stored is all fill, and fill is missing
    chunks = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    array = ArrayScan(
        name=original.name,
        dims=original.dims,
        shape=original.shape,
        chunks=chunks,
        dtype=storage.dtype,
        codec=codec,
        table=_sizes(original.shape, chunks, one["bytes"]),
        packing=storage.packing,
        attrs=original.attrs,
    )
    said = {key: value for key, value in storage.attributes.items() if key.startswith("max_absolute_error")}
    piece = Piece(href, "icechunk", _COPY, array, (None,) * len(original.dims))
    return replace(original, attrs=original.attrs | (said if storage.is_packed else {}), pieces=(piece,))


def is_copy(variable: CubeVariable) -> bool:
    """Whether it is one that `OptimisedCopies` gave."""
    return len(variable.pieces) == 1 and variable.pieces[0].item == _COPY


def _sizes(shape: tuple[int, ...], chunks: tuple[int, ...], total: int) -> ChunkTable:
    """All chunks as large as they are on average: asking the repository for each would take longer than reading."""
    count = math.prod(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))
    lengths = np.full(count, max(1, round(total / max(1, count))), dtype=np.int64)
    return ChunkTable(np.cumsum(lengths) - lengths, lengths)
