"""Selections on huge arrays must not compute all of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import shapely

from terrella.grids import ProjectedGrid, raster_grid
from terrella.grids.tiles import Tiles
from terrella.model.space import Extent


def test_a_small_selection_takes_little_memory() -> None:
    rasters = (
        raster_grid(4326, (1 / 12000, 0, 9, 0, -1 / 12000, 54), 36000, 36000),
        ProjectedGrid.from_transform(32633, (10, 0, 4e5, 0, -10, 5.8e6), 36000, 36000),
    )
    for raster, lon in zip(rasters, (10.0, 15.0), strict=True):
        tracemalloc.start()
        found = raster.within(shapely.Point(lon, 51.9).buffer(0.01))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 10_000 < found.size < 100_000
        assert peak < 150e6


def test_windows_hold_every_cell_once() -> None:
    def place(row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return column * 0.1, row * 0.1

    tiles = Tiles((700, 900), place)
    box = Extent(10.05, 20.05, 60.05, 40.05)
    whole, partly = tiles.select(
        [box],
        lambda at: (
            (at.lon - at.half_width > 10.05)
            & (at.lon + at.half_width < 60.05)
            & (at.lat - at.radius > 20.05)
            & (at.lat + at.radius < 40.05)
        ),
    )
    cells = np.concatenate([*tiles.cells(whole), *tiles.cells(partly)])
    assert np.unique(cells).size == cells.size
    wanted = np.add.outer(np.arange(201, 401) * 900, np.arange(101, 601)).ravel()
    assert set(wanted) <= set(cells.tolist())
    assert cells.size < 2 * wanted.size
    assert len(whole)
