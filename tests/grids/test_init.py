"""Grids as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from terrella.errors import Invalid, Unsupported
from terrella.grids import CurvilinearGrid, PointsGrid, RegularGrid, grid_from_json, grid_key
from terrella.grids.tables import pack, unpack

GRID = RegularGrid(90, -0.25, 721, 0, 0.25, 1440)


def test_one_json_is_one_object() -> None:
    assert grid_from_json(GRID.to_json()) is grid_from_json(json.loads(json.dumps(GRID.to_json())))


def test_equal_grids_have_one_key() -> None:
    again = RegularGrid(90.0, -0.25, 721, -0.0, 0.25, 1440)
    assert again == GRID
    assert hash(again) == hash(GRID)
    assert grid_key(again.to_json()) == grid_key(GRID.to_json()) == GRID.key
    assert RegularGrid(90, -0.25, 721, 180, 0.25, 1440) != GRID
    assert GRID != "grid"
    assert len(GRID.key) == 16


def test_grids_do_not_change() -> None:
    grid = PointsGrid(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    with pytest.raises(ValueError, match="read-only"):
        grid.lon[0] = 5.0
    with pytest.raises(AttributeError):
        GRID.lat0 = 3.0  # type: ignore[misc]


def test_tables_keep_every_bit_but_no_two_zeros() -> None:
    table = np.array([[0.1, -0.0, np.nan], [1e-300, np.inf, -1e300]])
    packed = json.loads(json.dumps(pack(table)))
    np.testing.assert_array_equal(unpack(packed), table)
    assert pack(np.array([0.0])) == pack(np.array([-0.0]))
    lon, lat = np.meshgrid(np.arange(3.0), np.arange(4.0))
    assert CurvilinearGrid(lon, lat).to_json() == CurvilinearGrid(np.asfortranarray(lon), lat.copy()).to_json()


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"kind": "hexagons"}, Unsupported),
        ({}, Unsupported),
        ({"kind": "regular", "lat0": 0}, Invalid),
        ({"kind": "regular", **dict.fromkeys(("lat0", "dlat", "nlat", "lon0", "dlon", "nlon"), "x")}, Invalid),
        ({"kind": "points", "lon": {"dtype": "<f8", "shape": [2], "zstd": "AAAA"}, "lat": {}}, Invalid),
        ({"kind": "points", "lon": pack(np.zeros(2)) | {"shape": [3]}, "lat": pack(np.zeros(3))}, Invalid),
        ({"kind": "healpix", "nside": 0, "order": "ring"}, Invalid),
        ({"kind": "projected", "crs": "EPSG:1", "x": {"first": 0}, "y": {}}, Invalid),
    ],
)
def test_json_that_is_no_grid(document: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        grid_from_json(document)
