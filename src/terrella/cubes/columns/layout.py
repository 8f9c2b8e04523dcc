"""How the rows of a table lie in arrays: as (time, cell) where stations report again and again, else a row a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from terrella.cubes.columns.instants import times
from terrella.cubes.columns.roles import Roles, Table, numbers, positions
from terrella.errors import Unreadable

CHUNK = 1 << 20
"""Numbers in a chunk, about."""
_SPARSEST = 4
"""An array over axes and cells may have this many times as many places as the table has rows."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each kept row goes. `spots` are flat positions in arrays of `shape`, `kept` are row numbers; int64.

    `axes` are (column, values) before the cells, the times among them under ''. Without any, each row is a cell and
    `times` has one a cell.
    """

    lon: np.ndarray
    lat: np.ndarray
    times: np.ndarray
    axes: tuple[tuple[str, np.ndarray], ...]
    kept: np.ndarray
    spots: np.ndarray
    dropped: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (*(values.size for _, values in self.axes), self.lon.size)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Cut along the first dimension."""
        first, *rest = self.shape
        return (max(1, min(first, CHUNK // math.prod(rest))), *rest)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A column as the array: NaN where no row reports."""
        made = np.full(math.prod(self.shape), np.nan)
        made[self.spots] = values[self.kept]
        return made.reshape(self.shape)


def layout_of(table: Table, roles: Roles) -> Layout:
    """Raises Unreadable where no row has both a position and a time."""
    lon, lat = positions(table, roles)
    when, there = times(table, roles)
    kept = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat) & there)
    if not kept.size:
        raise Unreadable("No row of the table has both a position and a time.")
    lon, lat, when, dropped = lon[kept], lat[kept], when[kept], int(there.size - kept.size)
    places, spots = np.unique(lon + 1j * lat, return_inverse=True)
    axes: list[tuple[str, np.ndarray]] = []
    stride = places.size
    for name, values in _axis_columns(table, roles, when, kept):
        distinct, position = np.unique(values, return_inverse=True)
        axes.insert(0, (name, distinct))
        spots = spots + position * stride
        stride *= distinct.size
    if stride <= _SPARSEST * kept.size and np.unique(spots).size == kept.size:
        return Layout(places.real, places.imag, when, tuple(axes), kept, spots, dropped)
    return Layout(lon, lat, when, (), kept, np.arange(kept.size), dropped)


def _axis_columns(table: Table, roles: Roles, when: np.ndarray, kept: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Innermost first: levels, times, members."""
    others = {name: numbers(table.read([name]).column(name), name)[kept] for name in roles.axes}
    return [*((name, others[name]) for name in roles.axes if name == "z"), ("", when)] + [
        (name, others[name]) for name in roles.axes if name != "z"
    ]


def station_names(table: Table, roles: Roles, layout: Layout) -> list[str]:
    """Name of the station at each cell; [] where the table names none, or a place has several."""
    if roles.station is None or not layout.axes:
        return []
    column = table.read([roles.station], as_text=[roles.station]).column(roles.station)
    names = column.cast(pa.string()).to_numpy()[layout.kept]
    cell = layout.spots % layout.lon.size
    made = np.full(layout.lon.size, None, dtype=object)
    made[cell] = names
    if (made[cell] != names).any() or any(name is None for name in made):
        return []
    return [str(name) for name in made]
