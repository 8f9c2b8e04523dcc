"""A grid of two evenly spaced lines, as its JSON tells it: what tiles of one raster have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FINEST_MODEL = 0.02
"""Degrees. Latitude/longitude grids coarser than this are model fields and stand for themselves: two regional cut-outs

of one model are two grids. Finer ones, and all projected ones, are rasters that may come in tiles.
"""

_KINDS = {"regular": ("lat", "lon"), "projected": ("y", "x")}


@dataclass(frozen=True)
class _Line:
    first: float
    step: float
    count: int


@dataclass(frozen=True, eq=False)
class Raster:
    """Rows and columns of one raster; `rest` is what else its grid's JSON says."""

    names: tuple[str, str]
    rows: _Line
    cols: _Line
    rest: dict[str, Any]

    @property
    def cells(self) -> int:
        return self.rows.count * self.cols.count

    @property
    def family(self) -> str:
        """The same for all tiles of one raster: everything but where a tile starts and how large it is."""
        steps = [f"{line.step:.9g}" for line in (self.rows, self.cols)]
        phases = [_phase(line) for line in (self.rows, self.cols)]
        return json.dumps([self.rest, steps, phases], sort_keys=True)

    @property
    def grid(self) -> dict[str, Any]:
        """As a grid's JSON."""
        made = dict(self.rest)
        for name, line in zip(self.names, (self.rows, self.cols), strict=True):
            made |= _written(name, line, nested=made.get("kind") == "projected")
        return made

    @classmethod
    def around(cls, tiles: Sequence[Raster]) -> Raster:
        """The smallest raster that holds them all, on the lines of the first."""
        first = tiles[0]
        rows = _around([tile.rows for tile in tiles])
        cols = _around([tile.cols for tile in tiles])
        return cls(first.names, rows, cols, first.rest)

    def places(self, tile: Raster) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Rows and columns that a tile takes up here; None for all of them."""
        return _places(self.rows, tile.rows), _places(self.cols, tile.cols)


def as_raster(grid: dict[str, Any]) -> Raster | None:
    """None where the grid is none, or is no tile of anything larger."""
    kind = grid.get("kind")
    names = _KINDS.get(str(kind))
    if names is None:
        return None
    rows, cols = (_line(grid, name) for name in names)
    if rows is None or cols is None:
        return None
    if kind == "regular" and max(abs(rows.step), abs(cols.step)) >= FINEST_MODEL:
        return None
    taken = {key for name in names for key in (name, *_keys(name))}
    return Raster(names, rows, cols, {key: value for key, value in grid.items() if key not in taken})


def _keys(name: str) -> tuple[str, str, str]:
    """What the JSON of a regular grid calls the first coordinate, the step and the count of a line."""
    return f"{name}0", f"d{name}", f"n{name}"


def _line(grid: dict[str, Any], name: str) -> _Line | None:
    nested = grid.get(name)
    found = nested if isinstance(nested, dict) else grid
    keys = ("first", "step", "count") if found is nested else _keys(name)
    if not all(key in found for key in keys):
        return None
    first, step, count = (found[key] for key in keys)
    return _Line(float(first), float(step), int(count))


def _written(name: str, line: _Line, *, nested: bool) -> dict[str, Any]:
    if nested:
        return {name: {"first": line.first, "step": line.step, "count": line.count}}
    return dict(zip(_keys(name), (line.first, line.step, line.count), strict=True))


def _phase(line: _Line) -> int:
    """Where the lines lie between two multiples of the step, in hundredths of it."""
    return round(line.first / line.step % 1.0 * 100) % 100


def _around(lines: list[_Line]) -> _Line:
    base = lines[0]
    starts = [_offset(base, line) for line in lines]
    low = min(starts)
    high = max(start + line.count for start, line in zip(starts, lines, strict=True))
    return _Line(base.first + low * base.step, base.step, high - low)


def _offset(whole: _Line, tile: _Line) -> int:
    return round((tile.first - whole.first) / whole.step)


def _places(whole: _Line, tile: _Line) -> np.ndarray | None:
    start = _offset(whole, tile)
    if start == 0 and tile.count == whole.count:
        return None
    return np.arange(start, start + tile.count, dtype=np.int64)
