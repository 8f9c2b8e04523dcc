"""Overviews of a field, each half as fine as the one before: means of what lies in a cell, by area, missing left out.

Every level is the mean over the cells of the full field, not of the level before: with missing cells these differ.
HEALPix parents have four children of equal area (Górski et al. 2005, section 4); ring order becomes nested.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from healpix_geo import ring

from terrella.contracts.cubes import CubeVariable
from terrella.contracts.grids import Grid
from terrella.grids import HealpixGrid, ProjectedGrid, RectilinearGrid, RotatedGrid
from terrella.grids.lines import Line

LEAST_CELLS = 65_536
"""An overview of no more cells is the last."""
_MOST_LEVELS = 10
_WITH_LINES = ("regular", "rectilinear", "projected", "rotated")


OVERVIEW = "overview_method"
"""The attribute that says how an overview was made."""
MEAN, SAMPLED = "area-weighted mean of what is not missing", "one cell of each group"


def is_sampled(variable: CubeVariable) -> bool:
    """Whether means of it mean nothing: classes, flags, directions."""
    attrs: dict[str, Any] = variable.attrs
    names = f"{attrs.get('standard_name', '')}"
    return "flag_values" in attrs or "flag_masks" in attrs or "direction" in names


@dataclass(frozen=True, eq=False)
class Level:
    """One overview. `coordinates` by dimension, as the full grid has them; `grid` only for HEALPix."""

    number: int
    shape: tuple[int, ...]
    coordinates: dict[str, np.ndarray]
    grid: HealpixGrid | None = None


@dataclass(frozen=True, eq=False)
class Pyramid:
    """The overviews of fields on a grid; none for grids whose cells have no natural parents."""

    grid: Grid
    least: int = LEAST_CELLS

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        if isinstance(self.grid, HealpixGrid):
            return tuple(self._healpix_levels(self.grid))
        return tuple(self._line_levels()) if self.grid.kind in _WITH_LINES else ()

    @property
    def needs_whole(self) -> bool:
        """Whether fields cannot be folded in parts."""
        grid = self.grid
        return isinstance(grid, HealpixGrid) and (grid.order == "ring" or grid.pixels is not None)

    def _line_levels(self) -> Iterator[Level]:
        shape, lines, number = self.grid.shape, self.grid.coordinates(), 0
        while math.prod(shape) > self.least and max(shape) > 1 and number < _MOST_LEVELS:
            number += 1
            shape = tuple(-(-size // 2) for size in shape)
            lines = {dim: _halved_line(line) for dim, line in lines.items()}
            yield Level(number, shape, lines)

    def _healpix_levels(self, grid: HealpixGrid) -> Iterator[Level]:
        nside, number = grid.nside, 0
        pixels = None if grid.pixels is None else np.unique(self._nested)
        if nside & (nside - 1):
            return
        while nside > 1 and _cells(nside, pixels) > self.least and number < _MOST_LEVELS:
            nside, number = nside // 2, number + 1
            pixels = None if pixels is None else np.unique(pixels >> 2)
            made = HealpixGrid(nside, "nested", pixels)
            yield Level(number, made.shape, made.coordinates(), made)

    @cached_property
    def _nested(self) -> np.ndarray:
        """Nested number of each cell of a HEALPix grid."""
        assert isinstance(self.grid, HealpixGrid)
        pixels = np.arange(self.grid.size) if self.grid.pixels is None else self.grid.pixels
        if self.grid.order == "nested":
            return pixels
        depth = self.grid.nside.bit_length() - 1
        return np.asarray(ring.to_nested(pixels.astype(np.uint64), depth)).astype(np.int64)

    def region(self, space: tuple[slice, ...], level: Level) -> tuple[slice, ...]:
        """Where a part of the full field (aligned to the level) lies in an overview."""
        if self.needs_whole:
            return tuple(slice(0, size) for size in level.shape)
        shift = level.number * (1 if len(space) == 2 else 2)
        return tuple(
            slice(one.start >> shift, min(size, -(-one.stop >> shift)))
            for one, size in zip(space, level.shape, strict=True)
        )

    def means(self, values: np.ndarray, space: tuple[slice, ...]) -> Iterator[tuple[Level, np.ndarray]]:
        """Each overview of one field, or part of one, in float64; NaN where all that lies in a cell is missing."""
        there = ~np.isnan(values)
        weights = np.where(there, self._areas(space).reshape(values.shape), 0.0)
        sums = np.where(there, values, 0.0) * weights
        for level in self.levels:
            sums, weights = self._folded(sums, level), self._folded(weights, level)
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                yield level, np.where(weights > 0, sums / weights, np.nan)

    def samples(self, values: np.ndarray) -> Iterator[tuple[Level, np.ndarray]]:
        """Each overview of one field as single cells of it: for classes and directions, which have no mean."""
        for level in self.levels:
            values = self._sampled(values, level)
            yield level, values

    def _areas(self, space: tuple[slice, ...]) -> np.ndarray:
        """In units of a typical cell, so that sums stay moderate."""
        key = tuple((one.start, one.stop) for one in space)
        if key not in self._known:
            self._known.clear()
            lines = [np.arange(one.start, one.stop) for one in space]
            cells = np.ravel_multi_index(np.ix_(*lines), self.grid.shape).ravel()
            self._known[key] = self.grid.areas(cells) / self.grid.resolution() ** 2
        return self._known[key]

    @cached_property
    def _known(self) -> dict[Any, np.ndarray]:
        return {}

    def _folded(self, values: np.ndarray, level: Level) -> np.ndarray:
        """Sums over the cells that become one."""
        if values.ndim == 2:
            return _paired(_paired(values, 0), 1)
        if not self.needs_whole:
            summed: np.ndarray = values.reshape(-1, 4).sum(axis=1)
            return summed
        return np.bincount(self._parents(level), weights=values, minlength=level.shape[0])

    def _sampled(self, values: np.ndarray, level: Level) -> np.ndarray:
        if values.ndim == 2:
            return values[::2, ::2]
        if not self.needs_whole:
            return values[::4]
        made = np.empty(level.shape, dtype=values.dtype)
        parents = self._parents(level)
        made[parents[::-1]] = values[::-1]  # the first child is written last
        return made

    def _parents(self, level: Level) -> np.ndarray:
        """Cell of the level in which each cell of the level before lies."""
        assert level.grid is not None
        if level.number == 1:
            before = self._nested
        else:
            finer = self.levels[level.number - 2].grid
            assert finer is not None
            before = np.arange(finer.size) if finer.pixels is None else finer.pixels
        parents = before >> 2
        return parents if level.grid.pixels is None else np.searchsorted(level.grid.pixels, parents)


def grid_of(grid: Grid, level: Level) -> Grid | None:
    """The grid of an overview; None where it has no lines."""
    if level.grid is not None:
        return level.grid
    if len(level.coordinates) != 2:
        return None
    first, second = (Line.of(line) for line in level.coordinates.values())
    if isinstance(grid, ProjectedGrid):
        return replace(grid, y_line=first, x_line=second, affine=None)
    if isinstance(grid, RotatedGrid):
        return replace(grid, rlat=first, rlon=second)
    return RectilinearGrid(first, second)


def _cells(nside: int, pixels: np.ndarray | None) -> int:
    return 12 * nside * nside if pixels is None else pixels.size


def _halved_line(line: np.ndarray) -> np.ndarray:
    """Middles of pairs; a last one alone stays."""
    even = line.size // 2 * 2
    made = (line[:even:2] + line[1:even:2]) / 2
    return np.concatenate([made, line[even:]])


def _paired(values: np.ndarray, axis: int) -> np.ndarray:
    starts = np.arange(0, values.shape[axis], 2)
    return np.add.reduceat(values, starts, axis=axis)
