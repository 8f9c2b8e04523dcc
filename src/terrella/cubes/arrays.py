"""Arrays that xarray indexes lazily: a variable of a cube, and the places of its cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from terrella.contracts.grids import Grid
from terrella.cubes.selecting import Indices

Take = Callable[[tuple[Indices, ...]], np.ndarray]
"""Indices along every dimension in, crossed values out."""


class LazyArray(BackendArray):
    """Reads what is indexed, when it is indexed."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, take: Take) -> None:
        self.shape = shape
        self.dtype = dtype
        self._take = take

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.typing.ArrayLike:
        outer = indexing.IndexingSupport.OUTER
        found: np.typing.ArrayLike = indexing.explicit_indexing_adapter(key, self.shape, outer, self._outer)
        return found

    def _outer(self, key: tuple[Any, ...]) -> np.ndarray:
        wanted = tuple(_indices(one, length) for one, length in zip(key, self.shape, strict=True))
        found = self._take(wanted)
        return found[tuple(0 if isinstance(one, int | np.integer) else slice(None) for one in key)]


def lazy(shape: tuple[int, ...], dtype: np.dtype, take: Take) -> indexing.LazilyIndexedArray:
    return indexing.LazilyIndexedArray(LazyArray(shape, dtype, take))


def _indices(key: Any, length: int) -> Indices:
    if isinstance(key, slice):
        start, stop, step = key.indices(length)
        return slice(start, max(start, stop)) if step == 1 else np.arange(start, stop, step, dtype=np.int64)
    array = np.atleast_1d(np.asarray(key, dtype=np.int64))
    return np.where(array < 0, array + length, array)


def places(grid: Grid, which: int) -> indexing.LazilyIndexedArray:
    """Longitudes (`which` 0) or latitudes (1) of a grid's cells, in the grid's shape, worked out when indexed."""

    def take(wanted: tuple[Indices, ...]) -> np.ndarray:
        lines = [np.arange(one.start, one.stop) if isinstance(one, slice) else one for one in wanted]
        cells = np.ravel_multi_index(np.ix_(*lines), grid.shape)
        return np.asarray(grid.centres(cells.ravel())[which]).reshape(cells.shape)

    return lazy(grid.shape, np.dtype(np.float64), take)
