"""Each pixel's nearest cell, against brute force over all centres."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    RectilinearGrid,
    ReducedGaussianGrid,
    RegularGrid,
    RotatedGrid,
    octahedral_pl,
)
from terrella.grids.matrices import CRS84, MERCATOR, pixels
from terrella.grids.pixels import sampling

GRIDS = {
    "era5": RegularGrid(90, -10, 19, 0, 10, 36),
    "half": RegularGrid(-87.5, 5, 36, -177.5, 5, 72),
    "antimeridian": RegularGrid(-10, 2, 15, 170, 2, 20),
    "one cell": RegularGrid(50, -1, 1, 0, 1, 1),
    "few meridians": RegularGrid(60, -60, 3, 0, 90, 4),
    "uneven": RectilinearGrid.of(np.array([-80.0, -30, -28, 5, 60, 61, 75]), np.array([0.0, 3, 50, 51, 120, 300])),
    "healpix": HealpixGrid(4, "nested"),
    "octahedral": ReducedGaussianGrid(8, octahedral_pl(8)),
}
TILES = [
    (CRS84, 0, 0, 0),
    (CRS84, 1, 0, 3),
    (CRS84, 2, 3, 0),
    (CRS84, 4, 7, 17),
    (MERCATOR, 0, 0, 0),
    (MERCATOR, 3, 2, 7),
]


def chords(grid, lon, lat):
    """Distance from places to all centres: (places, cells), chords of the unit sphere."""

    def vectors(lon, lat):
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)

    return np.sqrt(np.maximum(0, 2 - 2 * vectors(lon, lat) @ vectors(*grid.centres()).T))


def cells_shown(grid, made):
    """Cell of each pixel, -1 for none, by spreading the cells' own numbers."""
    found = sampling(grid, made)
    if found.is_empty:
        return np.full(made.shape, -1)
    numbers = np.ravel_multi_index(np.ix_(*found.lines), grid.shape) if found.lines is not None else found.cells
    return found.spread(numbers + 1).astype(np.int64) - 1


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("tile", TILES, ids=lambda one: f"{one[0].id}/{one[1]}/{one[2]}/{one[3]}")
def test_nearest_by_brute_force(name, tile) -> None:
    grid, (matrices, *place) = GRIDS[name], tile
    made = matrices.tile(*place, 1)
    shown = cells_shown(grid, made)
    rows, columns = (np.unique(np.concatenate([np.arange(0, 258, 11), [0, 1, 256, 257]])) for _ in range(2))
    lon, lat = (one[np.ix_(rows, columns)].ravel() for one in made.places())
    part = shown[np.ix_(rows, columns)].ravel()
    covered = np.asarray(grid.nearest(lon, lat)) >= 0
    assert ((part >= 0) == covered).all()
    apart = chords(grid, lon[covered], lat[covered])
    chosen = apart[np.arange(covered.sum()), part[covered]]
    np.testing.assert_allclose(chosen, apart.min(axis=1), atol=2e-8)  # chords of close places round like that


@pytest.mark.parametrize("name", ["era5", "half", "antimeridian", "one cell", "few meridians", "uneven"])
@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.floats(-180, 170), st.floats(-90, 85), st.floats(0.01, 200), st.floats(0.01, 100))
def test_maps_of_any_box_as_the_grid_itself_says(name, west, south, width, height) -> None:
    """Rows and columns give what `Grid.nearest` gives for each pixel alone, ties apart."""
    grid = GRIDS[name]
    made = pixels(("box",), "EPSG:4326", (west, south, west + width, min(90.0, south + height)), 40, 30)
    shown = cells_shown(grid, made).ravel()
    lon, lat = (one.ravel() for one in made.places())
    alone = grid.nearest(lon, lat)
    differ = np.flatnonzero(shown != alone)
    assert ((shown >= 0) == (alone >= 0)).all()
    apart = chords(grid, lon[differ], lat[differ])
    rank = np.arange(differ.size)
    np.testing.assert_allclose(apart[rank, shown[differ]], apart[rank, alone[differ]], atol=2e-8)


def test_lines_are_read_where_rows_and_columns_say_all() -> None:
    found = sampling(RegularGrid(89.875, -0.25, 720, -179.875, 0.25, 1440), CRS84.tile(5, 10, 33, 1))
    assert found.places is None
    assert [one.size for one in found.lines] == [24, 24]
    assert found.nbytes < 5000


def test_gaps_are_no_data() -> None:
    points = PointsGrid(np.array([0.0, 10.0, 10.5]), np.array([50.0, 50.0, 50.2]))
    shown = cells_shown(points, pixels(("p",), "EPSG:4326", (-5, 45, 15, 55), 80, 40))
    assert (shown == -1).any()
    assert set(np.unique(shown)) <= {-1, 0, 1, 2}


def test_curvilinear_and_rotated() -> None:
    lat, lon = np.meshgrid(np.linspace(40, 50, 21), np.linspace(0, 12, 25), indexing="ij")
    bent = CurvilinearGrid(lon + 0.1 * lat, lat)
    rotated = RotatedGrid.of(-170.0, 45.0, np.linspace(-5, 5, 21), np.linspace(-5, 5, 21))
    for grid in (bent, rotated):
        made = pixels(("c",), "EPSG:4326", (-2, 38, 20, 52), 50, 40)
        shown, (lon2, lat2) = cells_shown(grid, made), made.places()
        inside = shown >= 0
        apart = chords(grid, lon2[inside], lat2[inside])
        np.testing.assert_allclose(apart[np.arange(inside.sum()), shown[inside]], apart.min(axis=1), atol=2e-8)
