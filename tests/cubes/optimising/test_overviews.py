"""Overviews against means worked out cell by cell."""

import math

import astropy_healpix as ah
import numpy as np
import pytest
from astropy import units
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.optimising.overviews import Pyramid
from terrella.grids import (
    HealpixGrid,
    PointsGrid,
    RegularGrid,
    gaussian_latitudes,
    raster_grid,
    regular_or_rectilinear,
)


def whole(grid: object) -> tuple[slice, ...]:
    return tuple(slice(0, size) for size in grid.shape)  # type: ignore[attr-defined]


def brute(values: np.ndarray, areas: np.ndarray, factor: int) -> np.ndarray:
    rows, cols = (math.ceil(size / factor) for size in values.shape)
    made = np.full((rows, cols), np.nan)
    for i in range(rows):
        for j in range(cols):
            block = (slice(i * factor, (i + 1) * factor), slice(j * factor, (j + 1) * factor))
            there = ~np.isnan(values[block])
            if there.any():
                made[i, j] = np.average(values[block][there], weights=areas[block][there])
    return made


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(1, 23), st.integers(1, 31), st.integers(0, 2**32 - 1))
def test_means_of_a_latitude_longitude_grid(nlat: int, nlon: int, seed: int) -> None:
    grid = RegularGrid(85.0, -170 / max(nlat, 2), nlat, 0.0, 360 / nlon, nlon)
    rng = np.random.default_rng(seed)
    values = rng.normal(280, 20, grid.shape)
    values[rng.random(grid.shape) < 0.4] = np.nan
    pyramid = Pyramid(grid, least=4)
    areas = grid.areas().reshape(grid.shape)
    found = list(pyramid.means(values, whole(grid)))
    assert len(found) == len(pyramid.levels)
    for level, means in found:
        assert means.shape == level.shape
        np.testing.assert_allclose(means, brute(values, areas, 2**level.number), rtol=1e-12)


def test_coordinates_are_the_middles_of_what_they_hold() -> None:
    level = Pyramid(RegularGrid(90, -30, 7, 0, 30, 12), least=30).levels[0]
    assert level.coordinates["lat"].tolist() == [75, 15, -45, -90]
    assert level.coordinates["lon"].tolist() == [15, 75, 135, 195, 255, 315]


def test_classes_are_sampled() -> None:
    grid = RegularGrid(45, -1, 6, 0, 1, 6)
    values = np.arange(36.0).reshape(6, 6)
    (_, one), (_, two) = Pyramid(grid, least=8).samples(values)
    np.testing.assert_array_equal(one, values[::2, ::2])
    np.testing.assert_array_equal(two, values[::4, ::4])


def parents_by_places(grid: HealpixGrid, coarse: HealpixGrid) -> np.ndarray:
    """The coarse cell that holds each centre, by astropy."""
    lon, lat = (values * units.deg for values in grid.centres())
    pixels = ah.HEALPix(nside=coarse.nside, order="nested").lonlat_to_healpix(lon, lat)
    if coarse.pixels is None:
        return pixels
    return np.array([np.flatnonzero(coarse.pixels == pixel)[0] for pixel in pixels])


@pytest.mark.parametrize(
    "grid",
    [
        HealpixGrid(8, "nested"),
        HealpixGrid(8, "ring"),
        HealpixGrid(8, "nested", np.array([5, 100, 101, 102, 103, 700, 40, 41])),
        HealpixGrid(8, "ring", np.array([300, 5, 0, 17, 18, 19, 20, 767])),
    ],
    ids=["nested", "ring", "part of nested", "part of ring"],
)
def test_healpix_parents_are_means_of_their_children(grid: HealpixGrid) -> None:
    values = np.random.default_rng(1).normal(0, 1, grid.shape)
    values[::5] = np.nan
    found = list(Pyramid(grid, least=3).means(values, whole(grid)))
    assert len(found) >= 1
    for level, means in found:
        assert level.grid is not None
        parents = parents_by_places(grid, level.grid)
        for cell in range(level.shape[0]):
            children = values[parents == cell]
            there = children[~np.isnan(children)]
            expected = there.mean() if there.size else np.nan
            assert means[cell] == pytest.approx(expected, nan_ok=True)


def test_ring_cells_are_sampled_from_their_first_child() -> None:
    nested = HealpixGrid(4, "nested")
    values = np.arange(float(nested.size))
    (_, plain), *_ = Pyramid(nested, least=60).samples(values)
    np.testing.assert_array_equal(plain, values[::4])
    ring = HealpixGrid(4, "ring")
    (level, found), *_ = Pyramid(ring, least=60).samples(values)
    parents = parents_by_places(ring, level.grid)
    assert all(parents[int(value)] == cell for cell, value in enumerate(found))


def test_parts_of_a_field_fold_into_the_same_overviews() -> None:
    grid = RegularGrid(45, -0.5, 32, 0, 0.5, 48)
    values = np.random.default_rng(2).normal(0, 1, grid.shape)
    pyramid = Pyramid(grid, least=100)
    together = {level.number: means for level, means in pyramid.means(values, whole(grid))}
    for region in ((slice(0, 16), slice(0, 32)), (slice(16, 32), slice(32, 48))):
        for level, means in pyramid.means(values[region], region):
            np.testing.assert_allclose(means, together[level.number][pyramid.region(region, level)])


def test_grids_whose_cells_have_no_parents_have_no_overviews() -> None:
    assert Pyramid(HealpixGrid(12, "ring"), least=10).levels == ()
    lat = gaussian_latitudes(4)
    assert Pyramid(regular_or_rectilinear(lat, np.arange(0, 360, 20.0)), least=10).levels
    assert Pyramid(PointsGrid(np.arange(5.0), np.arange(5.0)), least=2).levels == ()


def test_projected_cells_are_weighted_by_their_area() -> None:
    grid = raster_grid("EPSG:3035", (100_000.0, 0.0, 2_500_000.0, 0.0, -100_000.0, 5_000_000.0), 9, 12)
    values = np.random.default_rng(3).normal(0, 1, grid.shape)
    areas = grid.areas().reshape(grid.shape)
    (level, means), *_ = Pyramid(grid, least=20).means(values, whole(grid))
    np.testing.assert_allclose(means, brute(values, areas, 2), rtol=1e-12)
    assert level.coordinates["x"].size == 6
