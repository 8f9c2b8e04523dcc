"""Reduced Gaussian grids against ecCodes, numpy's own roots, and brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: both bundle libproj
import pytest

from grids.messages import assert_same_nearest, first_message
from terrella.errors import Invalid
from terrella.grids import ReducedGaussianGrid, gaussian_latitudes, octahedral_pl
from terrella.model.space import EARTH_RADIUS_M, GLOBE


@pytest.mark.parametrize("n", [1, 2, 48, 160])
def test_latitudes_are_legendre_roots(n: int) -> None:
    roots, _ = np.polynomial.legendre.leggauss(2 * n)
    np.testing.assert_allclose(gaussian_latitudes(n), np.degrees(np.arcsin(roots))[::-1], atol=1e-11)


def test_latitudes_of_a_fine_grid_are_symmetric_and_falling() -> None:
    lats = gaussian_latitudes(1280)
    np.testing.assert_array_equal(lats, -lats[::-1])
    assert (np.diff(lats) < 0).all()
    assert lats[0] == pytest.approx(89.946187715665616, abs=1e-9)  # ECMWF's table of N1280


@pytest.mark.parametrize("name", ["O32_global.grib2", "lsm-ifs.grb", "t2m_grib.grib", "t_n48.grib"])
def test_is_the_grid_that_eccodes_sees(test_data: Path, name: str) -> None:
    with first_message(test_data / "grib" / name) as message:
        grid = ReducedGaussianGrid(message.get("N"), message.array("pl"))
        lon, lat = grid.centres()
        np.testing.assert_allclose(lat, message.array("latitudes"), atol=1e-6)
        np.testing.assert_allclose(np.mod(lon, 360), np.mod(message.array("longitudes"), 360), atol=1e-6)
        assert_same_nearest(grid, message)


def test_octahedral_rows() -> None:
    np.testing.assert_array_equal(octahedral_pl(3), [20, 24, 28, 28, 24, 20])
    assert ReducedGaussianGrid(1280, octahedral_pl(1280)).size == 6_599_680


def test_covers_the_sphere() -> None:
    grid = ReducedGaussianGrid(32, octahedral_pl(32))
    assert grid.areas().sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)
    assert grid.extent() == GLOBE
    assert (grid.nearest(np.array([0.0, 123.0, -77.0]), np.array([90.0, -90.0, 0.0])) >= 0).all()


def test_at_the_pole_the_first_of_the_row_wins() -> None:
    grid = ReducedGaussianGrid(4, octahedral_pl(4))
    assert grid.nearest(np.array([123.0, 123.0]), np.array([90.0, -90.0])).tolist() == [0, grid.size - 20]


@pytest.mark.parametrize(("n", "pl"), [(2, [4, 4, 4]), (2, [4, 4, 4, 0]), (0, [])])
def test_rows_must_fit(n: int, pl: list[int]) -> None:
    with pytest.raises(Invalid, match="rows"):
        ReducedGaussianGrid(n, pl)
