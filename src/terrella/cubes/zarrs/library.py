"""Arrays that only the zarr library can decode: uncommon codecs, text, irregular shards."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from terrella.cubes.zarrs.codecs import NotDecodable, dtype_of, fill_of
from terrella.errors import Unreadable


class LibraryArray:
    """Like `ZarrArray`, slower. Stored sizes are estimates: chunks as plain numbers. Raises NotDecodable when made."""

    def __init__(self, store: Callable[[], Any], path: str, document: dict[str, Any]) -> None:
        try:
            import zarr

            self._array: Any = zarr.open_array(store(), path=path, mode="r")
            self.chunks = tuple(int(size) for size in self._array.chunks)
        except Exception as error:  # zarr raises whatever it likes on what it does not know
            raise NotDecodable(" ".join(str(error).split())[:120]) from error
        self.shape = tuple(int(size) for size in self._array.shape)
        self.dtype = np.dtype(self._array.dtype)
        declared = dtype_of(document)
        self.fill = fill_of(document, declared) if declared is not None else None

    def size(self, index: tuple[int, ...]) -> int:  # noqa: ARG002 -- as ZarrArray has it
        """Bytes of a chunk's numbers."""
        return math.prod(self.chunks) * self.dtype.itemsize

    def chunk(self, index: tuple[int, ...]) -> np.ndarray | None:
        where = tuple(
            slice(at * size, min((at + 1) * size, length))
            for at, size, length in zip(index, self.chunks, self.shape, strict=True)
        )
        return self._read(where)

    def whole(self) -> np.ndarray:
        """The whole array."""
        return self._read(())

    def _read(self, where: tuple[slice, ...]) -> np.ndarray:
        try:
            return np.asarray(self._array[where])
        except Exception as error:  # decoders raise whatever they like on broken bytes
            raise Unreadable(f"A chunk cannot be read: {' '.join(str(error).split())[:200]}.") from error
