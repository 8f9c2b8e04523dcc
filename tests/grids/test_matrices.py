"""Tile matrix sets against the numbers of OGC 17-083r4 (Annex D), and spherical Mercator against PROJ."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest

from terrella.errors import Invalid, NotFound
from terrella.grids.matrices import CRS84, MERCATOR, latitude_of, matrix_set, pixels

# zoom: scale denominator, cell size, width, height
QUAD = {0: (279541132.014358, 0.703125, 2, 1), 1: (139770566.007179, 0.3515625, 4, 2), 17: (2132.72958385, 0.00000536441802978516, 262144, 131072)}  # fmt: skip
MERCATOR_QUAD = {0: (559082264.028717, 156543.03392804097, 1, 1), 12: (136494.693366386, 38.21851414258813, 4096, 4096), 24: (33.3238997477508, 0.009330691929342804, 16777216, 16777216)}  # fmt: skip


@pytest.mark.parametrize(("matrices", "known"), [(CRS84, QUAD), (MERCATOR, MERCATOR_QUAD)])
def test_the_numbers_of_the_standard(matrices, known) -> None:
    said = {int(one["id"]): one for one in matrices.to_json()["tileMatrices"]}
    for zoom, (scale, cell, width, height) in known.items():
        one = said[zoom]
        assert one["scaleDenominator"] == pytest.approx(scale, rel=1e-9)
        assert one["cellSize"] == pytest.approx(cell, rel=1e-12)
        assert (one["matrixWidth"], one["matrixHeight"]) == (width, height)
        assert (one["tileWidth"], one["tileHeight"]) == (256, 256)


def test_mercator_pixels_are_where_proj_has_them() -> None:
    to_lonlat = pyproj.Transformer.from_crs("EPSG:3857", "OGC:CRS84", always_xy=True)
    made = MERCATOR.tile(7, 43, 68)
    left, bottom, right, top = MERCATOR.bounds(7, 43, 68)
    x, y = left + (np.arange(256) + 0.5) * (right - left) / 256, top - (np.arange(256) + 0.5) * (top - bottom) / 256
    lon, lat = to_lonlat.transform(x, y)
    np.testing.assert_allclose(made.lon, lon, atol=1e-9)
    # on the sphere: PROJ's EPSG:3857 does the same
    np.testing.assert_allclose(made.lat, lat, atol=1e-9)
    np.testing.assert_allclose(latitude_of(np.array([MERCATOR.top])), 85.0511287798066, atol=1e-9)


def test_borders_join_tiles() -> None:
    west, east = CRS84.tile(3, 2, 5, 1), CRS84.tile(3, 2, 6, 1)
    np.testing.assert_allclose(west.lon[-2:], east.lon[:2])
    north, south = CRS84.tile(3, 2, 5, 1), CRS84.tile(3, 3, 5, 1)
    np.testing.assert_allclose(north.lat[-2:], south.lat[:2])
    assert west.shape == (258, 258)


def test_beyond_a_pole_lies_the_other_side() -> None:
    made = CRS84.tile(0, 0, 0, 1)
    step = 180 / 256
    assert made.turned.tolist() == [True, *[False] * 256, True]
    np.testing.assert_allclose(made.lat[[0, 1, -2, -1]], [90 - step / 2, 90 - step / 2, -90 + step / 2, -90 + step / 2])
    lon, lat = made.places()
    np.testing.assert_allclose(lon[0], lon[1] + 180)
    assert np.abs(lat).max() <= 90


def test_zooms_of_resolutions() -> None:
    assert [CRS84.zoom_for(one) for one in (1e6, 78_000, 27_800, 1.0)] == [0, 1, 2, 17]
    assert MERCATOR.zoom_for(0.0) == 24


def test_what_is_not_there() -> None:
    for place in ((18, 0, 0), (0, 1, 0), (0, 0, 2), (5, 32, 0)):
        with pytest.raises(NotFound):
            CRS84.tile(*place)
    with pytest.raises(NotFound, match="WebMercatorQuad"):
        matrix_set("WebMercator")
    with pytest.raises(Invalid):
        pixels(("map",), "EPSG:4326", (0, 95, 1, 96), 4, 4)
