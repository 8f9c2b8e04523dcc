"""HEALPix against astropy-healpix, healpix-geo, ecCodes and real files."""

from __future__ import annotations

import json
from pathlib import Path

import healpix_geo
import numpy as np
import pytest
import shapely
from astropy import units
from astropy_healpix import HEALPix

from grids.messages import first_message
from terrella.errors import Invalid, Unsupported
from terrella.grids import HealpixGrid
from terrella.model.space import EARTH_RADIUS_M, GLOBE


@pytest.mark.parametrize("order", ["ring", "nested"])
@pytest.mark.parametrize("nside", [1, 2, 16, 64])
def test_centres_and_corners_are_those_of_astropy(nside: int, order: str) -> None:
    witness, grid = HEALPix(nside, order), HealpixGrid(nside, order)
    cells = np.arange(0, grid.size, max(1, grid.size // 500))
    lon, lat = grid.centres(cells)
    theirs = witness.healpix_to_lonlat(cells)
    assert_same_places(lon, lat, theirs[0].deg, theirs[1].deg)
    corner_lon, corner_lat = grid.vertices(cells)
    their_lon, their_lat = witness.boundaries_lonlat(cells, 1)
    assert_same_places(corner_lon, corner_lat, their_lon.deg, their_lat.deg)


def test_ring_order_takes_any_nside(test_data: Path) -> None:
    with first_message(test_data / "grib" / "healpix_H8.grib2") as message:
        witness = message.with_nside(12)
        assert_same_places(*HealpixGrid(12, "ring").centres(), witness.array("longitudes"), witness.array("latitudes"))
    with pytest.raises(Unsupported, match="power of 2"):
        HealpixGrid(12, "nested")


@pytest.mark.parametrize("order", ["ring", "nested"])
def test_centres_are_those_of_healpix_geo(order: str) -> None:
    grid = HealpixGrid(1024, order)
    cells = np.random.default_rng(1).integers(0, grid.size, 1000)
    theirs = getattr(healpix_geo, order).healpix_to_lonlat(cells.astype(np.uint64), 10, ellipsoid="sphere")
    assert_same_places(*grid.centres(cells), *theirs)


def test_nearest_is_the_pixel_or_a_nearer_neighbour() -> None:
    grid, witness = HealpixGrid(256, "nested"), HEALPix(256, "nested")
    draws = np.random.default_rng(2)
    lon, lat = draws.uniform(-180, 360, 3000), np.degrees(np.arcsin(draws.uniform(-1, 1, 3000)))
    ours, holds = grid.nearest(lon, lat), witness.lonlat_to_healpix(lon * units.deg, lat * units.deg)
    around = np.concatenate([holds[None], witness.neighbours(holds)])
    around[around < 0] = holds[np.nonzero(around < 0)[1]]
    apart = np.stack([chords(lon, lat, *grid.centres(row)) for row in around])
    np.testing.assert_allclose(chords(lon, lat, *grid.centres(ours)), apart.min(axis=0), atol=1e-12)
    assert (ours == holds).mean() > 0.85


def test_is_the_grid_that_eccodes_sees(test_data: Path) -> None:
    with first_message(test_data / "grib" / "healpix_H8.grib2") as message:
        grid = HealpixGrid(message.get("Nside"), message.get("orderingConvention"))
        assert_same_places(*grid.centres(), message.array("longitudes"), message.array("latitudes"))


def test_a_polygon_equals_brute_force_with_healpix_geo(test_data: Path) -> None:
    countries = json.loads((test_data / "destine-healpix" / "NUTS_RG_60M_2021_4326_LEVL_0.geojson").read_text())
    grid = HealpixGrid(128, "nested")
    lon, lat = healpix_geo.nested.healpix_to_lonlat(np.arange(grid.size, dtype=np.uint64), 7, ellipsoid="sphere")
    lon = np.mod(lon + 180, 360) - 180
    for feature in countries["features"][::6]:
        country = shapely.geometry.shape(feature["geometry"])
        shapely.prepare(country)
        np.testing.assert_array_equal(grid.within(country), np.flatnonzero(shapely.intersects_xy(country, lon, lat)))


def test_a_part_of_the_sphere(test_data: Path) -> None:
    document = json.loads((test_data / "destine-healpix" / "test_geotiff.json").read_text())
    values = np.array(document["coverages"][0]["domain"]["axes"]["composite"]["values"])
    lat, lon = values[:, 0], values[:, 1]
    whole = HealpixGrid(1024, "nested")
    pixels = whole.nearest(lon, lat)
    assert chords(lon, lat, *whole.centres(pixels)).max() < 1e-11
    part = HealpixGrid(1024, "nested", pixels)
    np.testing.assert_array_equal(part.nearest(lon, lat), np.arange(lon.size))
    box = part.extent()
    assert 5 < box.west < lon.min() < lon.max() < box.east < 16
    np.testing.assert_array_equal(part.coordinates()["cell"], pixels)
    assert part.nearest(np.array([100.0]), np.array([10.0])).tolist() == [-1]


def test_all_pixels_given_are_the_whole_sphere() -> None:
    assert HealpixGrid(4, "ring", np.arange(192)) == HealpixGrid(4, "ring")
    assert HealpixGrid(4, "ring", np.arange(192)[::-1]) != HealpixGrid(4, "ring")


def test_areas_are_equal_and_sum_to_the_sphere() -> None:
    areas = HealpixGrid(8).areas()
    assert areas.sum() == pytest.approx(4 * np.pi * EARTH_RADIUS_M**2, rel=1e-12)
    assert np.ptp(areas) == 0
    assert HealpixGrid(8).extent() == GLOBE


@pytest.mark.parametrize("pixels", [[-1], [192], [3, 3], [[1, 2]], []])
def test_pixels_must_exist_once(pixels: list[int]) -> None:
    with pytest.raises(Invalid):
        HealpixGrid(4, "ring", np.array(pixels, dtype=np.int64))
    with pytest.raises(Invalid):
        HealpixGrid(0, "ring")


def chords(lon: np.ndarray, lat: np.ndarray, other_lon: np.ndarray, other_lat: np.ndarray) -> np.ndarray:
    return np.sqrt(((vectors(lon, lat) - vectors(other_lon, other_lat)) ** 2).sum(axis=-1))


def vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def assert_same_places(lon: np.ndarray, lat: np.ndarray, other_lon: np.ndarray, other_lat: np.ndarray) -> None:
    assert chords(lon, lat, other_lon, other_lat).max() < 1e-9
