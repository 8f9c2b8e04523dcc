"""Arrays of an optimised copy: made with standard Zarr v3 codecs only, written tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from terrella.cubes.optimising.coordinates import variable_attributes
from terrella.cubes.optimising.overviews import MEAN, OVERVIEW, SAMPLED, Pyramid, is_sampled
from terrella.cubes.optimising.planning import Target, level_chunk, level_storage
from terrella.cubes.optimising.quantising import Errors, Storage, stored
from terrella.cubes.optimising.tiling import Region

_MOST_BLOCK = 1 << 26


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes one target."""

    target: Target
    storage: Storage
    pyramid: Pyramid
    coordinates: tuple[str, ...]

    @property
    def levels(self) -> dict[int, str]:
        """Paths of the overviews, by number."""
        if self.target.layout != "maps":
            return {}
        return {level.number: f"maps/{level.number}/{self.target.variable.name}" for level in self.pyramid.levels}

    @property
    def level_storage(self) -> Storage:
        return level_storage(self.target, self.storage)

    def create(self, store: Any) -> None:
        """Empty arrays, in place of any that are there."""
        target = self.target
        self._array(store, target.path, target.shape, target.chunk, self.storage, {})
        axes = len(target.shape) - len(self.pyramid.grid.shape)
        said = SAMPLED if is_sampled(target.variable) else MEAN
        for level in self.pyramid.levels if self.levels else ():
            shape = (*target.shape[:axes], *level.shape)
            chunk = level_chunk(target, level)
            self._array(store, self.levels[level.number], shape, chunk, self.level_storage, {OVERVIEW: said})

    def _array(
        self,
        store: Any,
        path: str,
        shape: tuple[int, ...],
        chunk: tuple[int, ...],
        storage: Storage,
        more: dict[str, Any],
    ) -> None:
        dtype = np.dtype(storage.dtype)
        attrs = variable_attributes(self.target.variable.attrs, self.coordinates)
        fill: Any = int(storage.fill) if dtype.kind in "iu" else storage.fill
        zarr.create_array(
            store,
            name=path,
            shape=shape,
            chunks=chunk,
            dtype=dtype,
            fill_value=fill,
            dimension_names=self.target.variable.dims,
            attributes=attrs | storage.attributes | more,
            compressors=[self._codec(dtype.itemsize * math.prod(chunk))],
            overwrite=True,
        )

    def _codec(self, size: int) -> BloscCodec:
        """A map is one block: that is smaller; series are small enough as Blosc cuts them."""
        block = min(size, _MOST_BLOCK) if self.target.layout == "maps" else 0
        return BloscCodec(cname="zstd", clevel=self.target.effort, shuffle="shuffle", blocksize=block)

    def write(self, store: Any, region: Region, values: np.ndarray) -> Errors:
        """One tile and what lies above it. Chunks are never shared by two tiles."""
        numbers, errors = stored(values, self.storage)
        zarr.open_array(store, path=self.target.path, mode="r+")[region] = numbers
        for path, where, coarse in self._coarse(region, values):
            numbers, more = stored(coarse, self.level_storage)
            errors += Errors(more.largest)
            zarr.open_array(store, path=path, mode="r+")[where] = numbers
        return errors

    def _coarse(self, region: Region, values: np.ndarray) -> Iterator[tuple[str, Region, np.ndarray]]:
        if not self.levels:
            return
        axes = values.ndim - len(self.pyramid.grid.shape)
        space = region[axes:]
        dtype = np.dtype(self.target.variable.dtype if is_sampled(self.target.variable) else np.float64)
        kept = self.level_storage
        made = np.dtype(kept.dtype) if not kept.is_packed and not is_sampled(self.target.variable) else dtype
        wholes: dict[int, np.ndarray] = {}
        for place in np.ndindex(*values.shape[:axes]):
            for number, field in self._folded(values[place], space):
                if number not in wholes:
                    wholes[number] = np.empty((*values.shape[:axes], *field.shape), dtype=made)
                wholes[number][place] = field
        for level in self.pyramid.levels:
            where = (*region[:axes], *self.pyramid.region(space, level))
            yield self.levels[level.number], where, wholes[level.number]

    def _folded(self, field: np.ndarray, space: Region) -> Iterator[tuple[int, np.ndarray]]:
        if is_sampled(self.target.variable):
            found = self.pyramid.samples(field)
        else:
            found = self.pyramid.means(field.astype(np.float64, copy=False), space)
        for level, values in found:
            yield level.number, values

    def size(self, store: Any) -> tuple[int, int]:
        """Stored bytes of the array, and of its overviews."""
        paths = [self.target.path, *self.levels.values()]
        own, *over = (zarr.open_array(store, path=path, mode="r").nbytes_stored() for path in paths)
        return int(own), int(sum(over))

    def document(self, store: Any) -> dict[str, Any]:
        """Metadata of the array, without its attributes."""
        return _document(store, self.target.path)

    def overviews(self, store: Any) -> list[dict[str, Any]]:
        """What readers need of each overview, the finest first."""
        return [
            {
                "number": number,
                "path": path,
                "document": _document(store, path),
                "storage": asdict(self.level_storage),
                "bytes": int(zarr.open_array(store, path=path, mode="r").nbytes_stored()),
            }
            for number, path in self.levels.items()
        ]


def _document(store: Any, path: str) -> dict[str, Any]:
    found = zarr.open_array(store, path=path, mode="r").metadata.to_dict()
    return {key: value for key, value in found.items() if key != "attributes"}
