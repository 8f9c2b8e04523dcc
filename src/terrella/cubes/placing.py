"""Where the pieces of a variable lie in it: from wanted indices of the cube to indices of one file's array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from terrella.contracts.cubes import CubeVariable, Piece
from terrella.cubes.selecting import Indices, Wanted, as_slice, is_run
from terrella.errors import Internal

Match = tuple[Indices, Indices]
"""Along one dimension: indices in the answer, and the indices in the piece that go there."""

_PAINTED = 20_000_000
"""Largest picture painted to see whether pieces overlap; beyond it they count as overlapping."""


class Places:
    """The positions of a piece along one dimension of the cube."""

    def __init__(self, positions: np.ndarray | None, length: int) -> None:
        self.size = length if positions is None else positions.size
        self.low = 0 if positions is None or not self.size else int(positions.min())
        self.high = length - 1 if positions is None else (int(positions.max()) if self.size else -1)
        self._positions = None if positions is None or is_run(positions) else positions

    def match(self, wanted: Wanted) -> Match | None:
        """Which of the wanted indices this piece has; None for none of them."""
        if wanted.size == 0 or wanted.high < self.low or wanted.low > self.high:
            return None
        if self._positions is not None:
            return self._scattered(wanted.array)
        if wanted.start is not None:
            first, last = max(wanted.start, self.low), min(wanted.high, self.high)
            out = slice(first - wanted.start, last - wanted.start + 1)
            return out, slice(first - self.low, last - self.low + 1)
        if wanted.low >= self.low and wanted.high <= self.high:
            return slice(0, wanted.size), wanted.array - self.low
        inside = np.flatnonzero((wanted.array >= self.low) & (wanted.array <= self.high))
        return (as_slice(inside), as_slice(wanted.array[inside] - self.low)) if inside.size else None

    def _scattered(self, wanted: np.ndarray) -> Match | None:
        ranks = np.searchsorted(self._sorted, wanted)
        ranks[ranks == self._sorted.size] = 0
        out = np.flatnonzero(self._sorted[ranks] == wanted)
        if not out.size:
            return None
        return as_slice(out), as_slice(self._order[ranks[out]])

    @cached_property
    def _order(self) -> np.ndarray:
        assert self._positions is not None
        return np.argsort(self._positions, kind="stable")

    @cached_property
    def _sorted(self) -> np.ndarray:
        assert self._positions is not None
        ranked: np.ndarray = self._positions[self._order]
        return ranked

    def all(self) -> Indices:
        return slice(self.low, self.high + 1) if self._positions is None else self._positions


@dataclass(frozen=True, eq=False)
class Placed:
    """A piece with its place, and how the dimensions of its array stand to those of the cube.

    `order` lists, for each dimension of the cube's array, the dimension of the piece's array, -1 where it has none;
    dimensions of the piece that the cube does not have have size 1.
    """

    number: int
    piece: Piece
    places: tuple[Places, ...]
    order: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def chunks(self) -> tuple[int, ...]:
        """Chunk sizes along the cube's dimensions."""
        return tuple(1 if d < 0 else max(1, self.piece.array.chunks[d]) for d in self.order)

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of chunks along the dimensions of the piece's own array."""
        array = self.piece.array
        return tuple(max(1, -(-size // max(1, chunk))) for size, chunk in zip(array.shape, array.chunks, strict=True))


class Layout:
    """All pieces of one variable; its last `spatial` dimensions are those of the grid."""

    def __init__(self, variable: CubeVariable, spatial: int) -> None:
        self.variable = variable
        self.spatial = spatial
        self.dtype = np.dtype(variable.dtype)
        self._shared: dict[tuple[int, int], Places] = {}
        self.pieces = [self._place(number, piece) for number, piece in enumerate(variable.pieces)]
        bounds = [[(place.low, place.high) for place in one.places] for one in self.pieces]
        table = np.array(bounds, dtype=np.int64).reshape(len(self.pieces), len(variable.shape), 2)
        self._low, self._high = table[..., 0], table[..., 1]

    def touched(self, wanted: tuple[Wanted, ...]) -> list[Placed]:
        """Pieces whose bounds meet what is wanted, in order."""
        if not all(one.size for one in wanted):
            return []
        low = np.array([one.low for one in wanted])
        high = np.array([one.high for one in wanted])
        hits = ((self._high >= low) & (self._low <= high)).all(axis=1)
        return [self.pieces[place] for place in np.flatnonzero(hits).tolist()]

    def _place(self, number: int, piece: Piece) -> Placed:
        dims, names = self.variable.dims, piece.array.dims
        order = tuple(_own_dim(dim, piece, position) for dim, position in zip(dims, piece.positions, strict=True))
        extra = tuple(d for d in range(len(names)) if d not in order)
        if any(piece.array.shape[d] != 1 for d in extra):
            raise Internal(
                f"{self.variable.name} in {piece.href} has dimensions {names} that the cube has not: {dims}."
            )
        lengths = zip(piece.positions, self.variable.shape, strict=True)
        places = tuple(self._places(positions, length) for positions, length in lengths)
        for place, d in zip(places, order, strict=True):
            if place.size != (1 if d < 0 else piece.array.shape[d]):
                raise Internal(f"{self.variable.name} in {piece.href} has {piece.array.shape} values at other places.")
        return Placed(number, piece, places, order, extra)

    def _places(self, positions: np.ndarray | None, length: int) -> Places:
        key = (id(positions), length)
        if key not in self._shared:
            self._shared[key] = Places(positions, length)
        return self._shared[key]

    @cached_property
    def overlaps(self) -> bool:
        """Whether two pieces (may) have a value for one place."""
        if len(self.pieces) < 2:
            return False
        axes = len(self.variable.shape) - self.spatial
        shape = self.variable.shape[:axes]
        tiles = self._tiles(axes)
        count = max(tiles.values()) + 1
        if math.prod(shape) * count > _PAINTED:
            return True
        picture = np.zeros((count, *shape), dtype=bool)
        for one in self.pieces:
            tile = np.array([tiles[_box(one.places[axes:])]])
            spot = np.ix_(tile, *(_as_array(place.all()) for place in one.places[:axes]))
            if picture[spot].any():
                return True
            picture[spot] = True
        return False

    def _tiles(self, axes: int) -> dict[_Box, int]:
        """A number for each distinct place in space; one number for all where such places overlap."""
        distinct = list(dict.fromkeys(_box(one.places[axes:]) for one in self.pieces))
        boxes = np.array(distinct, dtype=np.int64).reshape(len(distinct), self.spatial, 2)
        low, high = boxes[..., 0], boxes[..., 1]
        for number in range(len(distinct) - 1):
            meets = (low[number + 1 :] <= high[number]) & (high[number + 1 :] >= low[number])
            if meets.all(axis=1).any():
                return dict.fromkeys(distinct, 0)
        return {box: number for number, box in enumerate(distinct)}


_Box = tuple[tuple[int, int], ...]


def _box(places: tuple[Places, ...]) -> _Box:
    return tuple((place.low, place.high) for place in places)


def _as_array(indices: Indices) -> np.ndarray:
    return np.arange(indices.start, indices.stop) if isinstance(indices, slice) else indices


def _own_dim(dim: str, piece: Piece, positions: np.ndarray | None) -> int:
    """The dimension of the piece's array for one of the cube; a valid time may be its step or its reference time."""
    names = piece.array.dims
    if dim in names:
        return names.index(dim)
    if dim == "time":
        sizes = {name: piece.array.shape[names.index(name)] for name in ("step", "reference_time") if name in names}
        fits = [name for name, size in sizes.items() if positions is None or size == positions.size]
        if fits:
            return names.index(max(fits, key=lambda name: sizes[name]))
    return -1
