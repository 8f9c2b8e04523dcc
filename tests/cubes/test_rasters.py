import pytest

from memory_format import regular
from terrella.cubes.rasters import Raster, as_raster
from terrella.grids import ProjectedGrid, RegularGrid, grid_from_json
from terrella.grids.lines import Line


def fine(lat0, lon0, nlat=10, nlon=20, step=0.001):
    return regular(nlat, nlon, lat0=lat0, dlat=-step, lon0=lon0, dlon=step)


def test_rasters_read_and_write_the_json_of_grids():
    for grid in (
        RegularGrid(10.0, -0.001, 10, 20.0, 0.001, 20),
        ProjectedGrid("EPSG:32633", Line(5.0, 10.0, 4), Line(95.0, -10.0, 6)),
    ):
        raster = as_raster(grid.to_json())
        assert raster is not None
        assert raster.grid == grid.to_json()
        assert grid_from_json(raster.grid).shape == (raster.rows.count, raster.cols.count)


@pytest.mark.parametrize(
    "grid", [regular(37, 72), {"kind": "healpix", "nside": 4}, {"kind": "projected", "crs": "x", "transform": [0]}]
)
def test_what_is_no_tile(grid):
    assert as_raster(grid) is None


def test_tiles_find_their_place_in_the_whole():
    first, second = as_raster(fine(10.0, 20.0)), as_raster(fine(9.99, 20.005))
    assert first.family == second.family
    whole = Raster.around([second, first])
    assert whole.grid == fine(10.0, 20.0, 20, 25) | {"lat0": pytest.approx(10.0), "lon0": pytest.approx(20.0)}
    rows, cols = whole.places(second)
    assert (rows.tolist(), cols.tolist()) == (list(range(10, 20)), list(range(5, 25)))
    rows, cols = whole.places(whole)
    assert rows is None
    assert cols is None
