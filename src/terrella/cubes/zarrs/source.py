"""A Zarr array as a source of chunks."""

from __future__ import annotations

from typing import Any

import numpy as np

from terrella.cubes.cf.layout import arranged, stored_index
from terrella.cubes.zarrs.arrays import ZarrArray
from terrella.cubes.zarrs.library import LibraryArray


class ZarrSource:
    """An array of a scanned store, in our order. Where the fill value is no sign for missing it is a value."""

    def __init__(
        self, array: ZarrArray | LibraryArray, codec: dict[str, Any], dtype: str, *, fill_is_missing: bool
    ) -> None:
        self._array = array
        self._codec = codec
        self._dtype = np.dtype(dtype)
        self._fill_is_missing = fill_is_missing

    def stored(self, index: tuple[int, ...]) -> int:
        return self._array.size(stored_index(index, self._codec))

    def load(self, index: tuple[int, ...]) -> np.ndarray | None:
        chunk = self._array.chunk(stored_index(index, self._codec))
        if chunk is None:
            if self._fill_is_missing:
                return None
            fill = 0 if self._array.fill is None else self._array.fill
            chunk = np.full(self._array.chunks, fill, dtype=self._array.dtype)
        if chunk.dtype != self._dtype:
            chunk = chunk.view(self._dtype)
        return arranged(chunk, self._codec)
