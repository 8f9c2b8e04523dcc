"""Which part of a variable is wanted: indices along its axes, and rows and columns or single cells in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Indices = slice | np.ndarray
"""Along one dimension: a slice with step 1 where possible, otherwise int64 indices in any order."""


@dataclass(frozen=True, eq=False)
class Selection:
    """`axes` by dimension, all of it where it is not named. In space: all, or `lines` (one for each dimension of the

    grid, crossed), or `cells` (flat numbers in C order over the grid's shape, each on its own).
    """

    axes: Mapping[str, Indices] = field(default_factory=dict)
    lines: tuple[Indices, ...] | None = None
    cells: np.ndarray | None = None


class Wanted:
    """Indices along one dimension, checked. `start` is set where they are consecutive and rising."""

    __slots__ = ("_array", "high", "low", "size", "start")

    def __init__(self, indices: Indices, length: int) -> None:
        self._array: np.ndarray | None = None
        self.start: int | None = None
        if isinstance(indices, slice):
            start, stop, step = indices.indices(length)
            if step != 1:
                indices = np.arange(start, stop, step, dtype=np.int64)
            else:
                self.size = max(0, stop - start)
                self.start = self.low = start
                self.high = start + self.size - 1
                return
        self._from_array(np.asarray(indices, dtype=np.int64), length)

    def _from_array(self, array: np.ndarray, length: int) -> None:
        self.size = array.size
        self.low = int(array.min()) if array.size else 0
        self.high = int(array.max()) if array.size else -1
        if array.size and (self.low < 0 or self.high >= length):
            raise IndexError(f"index {self.low if self.low < 0 else self.high} outside 0..{length - 1}")
        if is_run(array):
            self.start = self.low
        else:
            self._array = array

    @property
    def array(self) -> np.ndarray:
        if self._array is None:
            self._array = np.arange(self.low, self.low + self.size, dtype=np.int64)
        return self._array


def is_run(array: np.ndarray) -> bool:
    """Whether indices are consecutive and rising."""
    size = array.size
    if size <= 1:
        return True
    return int(array[-1]) - int(array[0]) == size - 1 and bool((array[1:] - array[:-1] == 1).all())


def as_slice(array: np.ndarray) -> Indices:
    """The same indices as a slice where they are a run."""
    if array.size and is_run(array):
        first = int(array[0])
        return slice(first, first + array.size)
    return array


def size_of(indices: Indices) -> int:
    """How many; slices must have both ends and no step."""
    return int(indices.stop - indices.start) if isinstance(indices, slice) else int(indices.size)
