"""H3 cells as polygons: they hold the places that the library says they hold."""

import h3
import numpy as np
import pyproj
import pytest
import shapely

from terrella.errors import Invalid
from terrella.extraction.hexagons import hexagon

RNG = np.random.default_rng(4)
EVERYWHERE = np.column_stack([RNG.uniform(-180, 180, 3000), np.degrees(np.arcsin(RNG.uniform(-1, 1, 3000)))])


def test_cells_divide_the_sphere_as_the_library_does():
    for resolution in (0, 1):
        cells = np.array([h3.latlng_to_cell(lat, lon, resolution) for lon, lat in EVERYWHERE])
        for index in dict.fromkeys(cells.tolist()):
            inside = shapely.intersects_xy(hexagon(index), EVERYWHERE)
            np.testing.assert_array_equal(inside, cells == index)


@pytest.mark.parametrize("resolution", [1, 4, 7, 10, 13])
@pytest.mark.parametrize("place", [(90.0, 0.0), (-90.0, 50.0), (89.99, 10.0), (-18.0, 180.0), (66.0, -179.9999)])
def test_cells_at_the_poles_and_the_antimeridian(place, resolution):
    index = h3.latlng_to_cell(*place, resolution)
    lat, lon = h3.cell_to_latlng(index)
    reach = 1.5 * h3.average_hexagon_edge_length(resolution, unit="m")
    ways, far = RNG.uniform(0, 360, 400), reach * np.sqrt(RNG.uniform(0, 1, 400))
    lon, lat, _ = pyproj.Geod(ellps="sphere").fwd(np.full(400, lon), np.full(400, lat), ways, far)
    wanted = [h3.latlng_to_cell(one, other, resolution) == index for other, one in zip(lon, lat, strict=True)]
    polygon = hexagon(index)
    assert polygon.is_valid
    assert np.count_nonzero(shapely.intersects_xy(polygon, lon, lat) != wanted) <= 1
    assert 0 < sum(wanted) < 400


def test_a_pentagon_and_a_cell_have_their_areas():
    """Against the library's own, on the sphere."""
    sphere = pyproj.Geod(a=6371007.180918475, f=0)
    for index in (h3.get_pentagons(2)[0], h3.latlng_to_cell(48.85, 2.35, 5), h3.latlng_to_cell(-18, 180, 4)):
        area = sum(abs(sphere.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(hexagon(index)))
        assert area == pytest.approx(h3.cell_area(index, unit="m^2"), rel=1e-3)


@pytest.mark.parametrize("text", ["", "8928308280ffff", "zz28308280fffff", "0", "ffffffffffffffff", "8" * 150])
def test_what_is_no_cell(text):
    with pytest.raises(Invalid, match="no H3 cell"):
        hexagon(text)


def test_an_index_is_read_in_any_case():
    assert hexagon("0x8928308280FFFFF").equals(hexagon("8928308280fffff"))
