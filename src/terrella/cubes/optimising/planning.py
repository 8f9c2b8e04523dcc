"""What is to be written: for each variable and layout an array, its chunks, and the tiles in which it is made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from terrella.contracts.cubes import Cube, CubeVariable
from terrella.cubes.optimising.bounds import ErrorBound
from terrella.cubes.optimising.overviews import Level, Pyramid, is_sampled
from terrella.cubes.optimising.quantising import Storage
from terrella.cubes.optimising.tiling import MAP_SIDE, map_chunk, series_chunk, tile_shape

LayoutName = Literal["series", "maps"]
Purpose = Literal["series", "maps", "both"]
LAYOUTS: dict[Purpose, tuple[LayoutName, ...]] = {
    "series": ("series",),
    "maps": ("maps",),
    "both": ("series", "maps"),
}

_LONG = ("time", "reference_time", "step")
_BYTES_PER_VALUE = 24
"""Of a tile in the works: its values, the stored numbers, and what reading takes beside."""


@dataclass(frozen=True, eq=False)
class Target:
    """One variable in one layout."""

    variable: CubeVariable
    layout: LayoutName
    chunk: tuple[int, ...]
    tile: tuple[int, ...]
    bound: ErrorBound | None
    effort: int
    """Of zstd in Blosc, 1 to 9."""
    levels: int
    """Number of overviews."""

    @property
    def path(self) -> str:
        return f"{self.layout}/{self.variable.name}"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.variable.shape

    @property
    def spec(self) -> str:
        """The same for work that gives the same arrays."""
        bound = None if self.bound is None else [self.bound.value, self.bound.is_relative]
        text = json.dumps([1, self.variable.dtype, self.shape, self.chunk, self.tile, bound, self.effort, self.levels])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def target(
    cube: Cube, pyramid: Pyramid, name: str, layout: LayoutName, bound: ErrorBound | None, effort: int, memory: int
) -> Target:
    """How one variable will lie. `memory` is in bytes."""
    variable = cube.variables[name]
    budget = max(1, memory // _BYTES_PER_VALUE)
    make = _series if layout == "series" else _maps
    chunk, tile = make(variable, cube, pyramid, budget)
    levels = len(pyramid.levels) if layout == "maps" else 0
    return Target(variable, layout, chunk, tile, bound, effort, levels)


def _series(
    variable: CubeVariable, cube: Cube, pyramid: Pyramid, budget: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    del pyramid
    space = len(cube.grid.shape)
    dims = variable.dims[:-space]
    long = [d for d, dim in enumerate(dims) if dim in _LONG]
    along, patch = series_chunk([variable.shape[d] for d in long], variable.shape[-space:], budget)
    sizes = dict(zip(long, along, strict=True))
    chunk = (*(sizes.get(d, 1) for d in range(len(dims))), *patch)
    order = [*reversed(range(len(dims), len(variable.dims))), *reversed(range(len(dims)))]
    return chunk, tile_shape(variable.shape, chunk, order, budget)


def _maps(variable: CubeVariable, cube: Cube, pyramid: Pyramid, budget: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A tile holds whole fields where one fits; else squares whose sides every overview divides."""
    field = cube.grid.shape
    axes = len(variable.dims) - len(field)
    fits = cube.grid.size <= budget or pyramid.needs_whole
    chunk = (*(1,) * axes, *map_chunk(field, is_aligned=not fits))
    unit = (*(1,) * axes, *field) if fits else chunk
    order = [*reversed(range(axes, len(variable.dims))), *reversed(range(axes))]
    return chunk, tile_shape(variable.shape, chunk, order, budget, unit)


def level_chunk(target: Target, level: Level) -> tuple[int, ...]:
    """Of an overview: its own choice where tiles hold whole fields, else as much as a tile's chunk becomes."""
    axes = len(target.shape) - len(level.shape)
    if target.tile[axes:] == target.shape[axes:]:
        return (*(1,) * axes, *map_chunk(level.shape))
    side = max(1, MAP_SIDE >> level.number)
    space = (side, side) if len(level.shape) == 2 else (side * side,)
    return (*(1,) * axes, *(min(one, size) for one, size in zip(space, level.shape, strict=True)))


def level_storage(target: Target, storage: Storage) -> Storage:
    """Means of whole numbers are no whole numbers."""
    dtype = np.dtype(target.variable.dtype)
    if dtype.kind == "f" or is_sampled(target.variable):
        return storage
    return Storage("<f4" if dtype.itemsize <= 2 else "<f8")
