"""Grids of the files of one cube: all the same, or tiles of one raster and the grid that holds them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrella.cubes.rasters import Raster, as_raster
from terrella.errors import Unsupported
from terrella.grids import grid_from_json

SPARSEST = 4.0
"""A mosaic may have this many times the cells that its tiles have; beyond it, the tiles form no cube."""


def grid_family(grid: dict[str, Any]) -> str:
    """Grids of one family fit into one cube: the same grid, or tiles of one raster."""
    raster = as_raster(grid)
    return _digest(grid) if raster is None else raster.family


@dataclass(frozen=True, eq=False)
class Tiling:
    """The cube's grid, and where each file's grid lies in it."""

    grid: dict[str, Any]
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    whole: Raster | None
    """None where all files have the very same grid."""

    @classmethod
    def of(cls, grids: Sequence[dict[str, Any]]) -> Tiling:
        """Raises Unsupported where they are neither equal nor tiles of one raster, or too far apart."""
        distinct = list({_digest(grid): grid for grid in {id(grid): grid for grid in grids}.values()}.values())
        whole = _mosaic(distinct) if len(distinct) > 1 else None
        grid = distinct[0] if whole is None else whole.grid
        made = grid_from_json(grid)
        return cls(grid, tuple(made.dims), tuple(made.shape), whole)

    def positions(self, grid: dict[str, Any]) -> tuple[np.ndarray | None, ...]:
        """For each spatial dimension of the cube, the indices that a file's grid has there; None for all."""
        tile = None if self.whole is None else as_raster(grid)
        if self.whole is None or tile is None:
            return (None,) * len(self.dims)
        return self.whole.places(tile)


def _digest(grid: dict[str, Any]) -> str:
    """The same for equal JSON. Long tables are hashed as they are: writing them as JSON would take ten times longer."""
    digest = hashlib.sha256()

    def feed(value: Any) -> None:
        if isinstance(value, dict):
            for key in sorted(value):
                digest.update(f"{{{key}:".encode())
                feed(value[key])
            digest.update(b"}")
        else:
            digest.update(value.encode() if isinstance(value, str) else json.dumps(value).encode())
            digest.update(b";")

    feed(grid)
    return digest.hexdigest()


def _mosaic(grids: list[dict[str, Any]]) -> Raster:
    tiles = [tile for tile in map(as_raster, grids) if tile is not None]
    if len(tiles) < len(grids) or len({tile.family for tile in tiles}) > 1:
        raise Unsupported("These files lie on different grids that are no tiles of one raster; they form no cube.")
    whole = Raster.around(tiles)
    times = whole.cells / sum(tile.cells for tile in tiles)
    if times > SPARSEST:
        raise Unsupported(f"The tiles lie too far apart: a cube of them would be {times:.0f} times their size.")
    return whole
