"""What readers need of an optimised copy, as JSON beside its repository: which version it is of, and each array."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from terrella.contracts.cubes import Cube, CubeVariable, Piece
from terrella.cubes.optimising.overviews import MEAN, OVERVIEW, SAMPLED, Pyramid, grid_of, is_sampled
from terrella.cubes.optimising.places import folder_of, record_of
from terrella.cubes.optimising.quantising import Storage
from terrella.model.scan import ArrayScan, ChunkTable

_FORMAT = 1
_KEPT = ("variable", "layout", "storage", "document", "errors", "bytes", "overviews")
_COPY = ""
"""In place of an item: a copy is of all of them."""


def keep_record(folder: Path, snapshot: str, cube: Cube, state: dict[str, Any]) -> None:
    """Write it, whole or not at all; only arrays that are finished are named."""
    arrays = {
        path: {key: one[key] for key in _KEPT if key in one}
        for path, one in state["arrays"].items()
        if "document" in one
    }
    record = {"format": _FORMAT, "version": cube.origin.version, "snapshot": snapshot, "arrays": arrays}
    draft = Path(f"{folder}.json.{os.getpid()}.part")
    draft.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))
    draft.replace(record_of(folder))


@dataclass(frozen=True, eq=False)
class Coarse:
    """The overviews of a cube, the finest first, each as a cube of its own grid; others have another `mark`."""

    mark: str = ""
    levels: tuple[Cube, ...] = ()


class OptimisedCopies:
    """The optimised copies of a site's cubes, as cubes. Safe for threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[str, int], tuple[Cube, ...]]] = {}
        self._coarse: dict[str, tuple[tuple[str, int], Coarse]] = {}

    def exact(self, cube: Cube) -> tuple[Cube, ...]:
        """Those variables of the layouts that hold every value as it is: they may answer in the cube's place."""
        kept = ((copy, _exact(dict(copy.variables))) for copy in self.of(cube))
        return tuple(replace(copy, variables=variables) for copy, variables in kept if variables)

    def of(self, cube: Cube) -> tuple[Cube, ...]:
        """The layouts of this very version of the cube; each may lack variables. A stale copy counts as none.

        Grid, axes and names are those of the cube, so that whatever was prepared for it holds for them too.
        """
        return self._remembered(self._known, cube, _copies, ())

    def overviews(self, cube: Cube) -> Coarse:
        """The overviews of this very version of the cube, exact or within the bound that they were written with."""
        return self._remembered(self._coarse, cube, _overviews, Coarse())

    def _remembered[T](
        self,
        known: dict[str, tuple[tuple[str, int], T]],
        cube: Cube,
        make: Callable[[Path, Cube], T],
        nothing: T,
    ) -> T:
        collection = cube.origin.collection
        folder = folder_of(self._home, collection)
        try:
            changed = record_of(folder).stat().st_mtime_ns
        except OSError:
            return nothing
        key = (cube.origin.version, changed)
        with self._lock:
            if collection not in known or known[collection][0] != key:
                known[collection] = (key, make(folder, cube))
            return known[collection][1]


def _exact(variables: dict[str, CubeVariable]) -> dict[str, CubeVariable]:
    return {name: one for name, one in variables.items() if not one.attrs.get("max_absolute_error")}


def _record(folder: Path, cube: Cube) -> dict[str, Any]:
    """Of this version of the cube; without arrays where there is none."""
    try:
        record: dict[str, Any] = orjson.loads(record_of(folder).read_bytes())
    except (OSError, ValueError):
        return {"arrays": {}}
    is_this = record.get("format") == _FORMAT and record.get("version") == cube.origin.version
    return record if is_this else {"arrays": {}}


def _copies(folder: Path, cube: Cube) -> tuple[Cube, ...]:
    record = _record(folder, cube)
    layouts: dict[str, dict[str, CubeVariable]] = {}
    for path, one in record["arrays"].items():
        original = cube.variables.get(one["variable"])
        if original is not None and original.shape == tuple(one["document"]["shape"]):
            made = _variable(original, str(folder), path, one, record["snapshot"])
            layouts.setdefault(one["layout"], {})[original.name] = made
    return tuple(replace(cube, variables=variables) for variables in layouts.values())


def _overviews(folder: Path, cube: Cube) -> Coarse:
    record = _record(folder, cube)
    found: dict[int, dict[str, CubeVariable]] = {}
    for one in record["arrays"].values():
        original = cube.variables.get(one["variable"])
        if original is not None:
            for level in one.get("overviews", ()):
                found.setdefault(level["number"], {})[original.name] = _coarse(original, str(folder), level, record)
    known = {level.number: level for level in Pyramid(cube.grid, 1).levels} if found else {}
    levels = []
    for number in sorted(found.keys() & known.keys()):
        grid = grid_of(cube.grid, known[number])
        if grid is None:
            continue
        fits = {name: one for name, one in found[number].items() if one.shape[-len(grid.shape) :] == grid.shape}
        if fits:
            levels.append(replace(cube, grid=grid, variables=fits))
    return Coarse(record["snapshot"][:8] if levels else "", tuple(levels))


def _coarse(original: CubeVariable, href: str, level: dict[str, Any], record: dict[str, Any]) -> CubeVariable:
    stored = level["storage"]["dtype"]
    made = replace(
        original,
        shape=tuple(level["document"]["shape"]),
        attrs=original.attrs | {OVERVIEW: SAMPLED if is_sampled(original) else MEAN},
        dtype=stored if "f" in stored else original.dtype,
    )
    return _variable(made, href, level["path"], level, record["snapshot"])


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
