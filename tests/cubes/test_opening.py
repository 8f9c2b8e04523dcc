import numpy as np
import pytest
import xarray as xr

from memory_format import ORIGIN, MemoryFormat, hours
from terrella.contracts.cubes import CubeIndex, CubeVariable, Origin, Piece
from terrella.cubes.cubes import Cubes
from terrella.grids import CurvilinearGrid, HealpixGrid, ProjectedGrid
from terrella.grids.lines import Line


def opened(grid, origin=ORIGIN):
    fmt = MemoryFormat()
    values = np.random.default_rng(0).normal(size=(2, *grid.shape)).astype("f4")
    scan = fmt.put("/a", "t", ("time", *grid.dims), values, values.shape)
    piece = Piece("/a", "memory", "i", scan, (None,) * values.ndim)
    variable = CubeVariable("t", ("time", *grid.dims), values.shape, "<f4", {"units": "K"}, (piece,))
    cubes = Cubes(formats={"memory": fmt})
    index = CubeIndex(grid.to_json(), (hours(2),), (variable,), {"title": "A test"})
    return values, cubes, index, cubes.open(index, origin)


@pytest.mark.parametrize(
    "grid",
    [
        HealpixGrid(4, "nested"),
        ProjectedGrid("EPSG:32633", Line(5.0, 10.0, 4), Line(95.0, -10.0, 6)),
        CurvilinearGrid(*np.meshgrid(np.arange(5.0), np.arange(40.0, 44.0))),
    ],
    ids=["healpix", "projected", "curvilinear"],
)
def test_places_of_cells_are_lazy_and_right(grid):
    values, _, _, cube = opened(grid)
    lon, lat = grid.centres()
    assert cube.dataset.longitude.dims == grid.dims
    np.testing.assert_array_equal(cube.dataset.longitude.values.ravel(), lon)
    np.testing.assert_array_equal(cube.dataset.latitude.values.ravel(), lat)
    np.testing.assert_array_equal(cube.dataset.t.values, values)
    some = cube.dataset.isel({grid.dims[-1]: [2, 0]})
    np.testing.assert_array_equal(some.t.values, values[..., [2, 0]])
    np.testing.assert_array_equal(some.latitude.values, lat.reshape(grid.shape)[..., [2, 0]])


def test_a_cube_is_opened_once_for_a_version():
    grid = HealpixGrid(1, "nested")
    _, cubes, index, cube = opened(grid, Origin("lake", "c", "1", licence="CC0-1.0"))
    assert cubes.open(index, Origin("lake", "c", "1", licence="CC0-1.0")) is cube
    assert cubes.opened("lake", "c", "1") is cube
    assert cubes.open(index, Origin("lake", "c", "2")) is not cube
    assert cubes.opened("lake", "c", "3") is None
    assert cube.dataset.attrs == {"title": "A test", "license": "CC0-1.0"}
    assert cube.dataset.t.attrs == {"units": "K"}


def test_what_a_collection_says_of_its_licence_may_change():
    _, cubes, index, cube = opened(HealpixGrid(1, "nested"), Origin("lake", "c", "1", licence="CC0-1.0"))
    changed = cubes.open(index, Origin("lake", "c", "1", licence="CC-BY-4.0", attribution="Somebody"))
    assert changed.dataset.attrs == {"title": "A test", "license": "CC-BY-4.0", "attribution": "Somebody"}
    assert changed.origin.licence == "CC-BY-4.0"
    assert changed.variables is cube.variables
    np.testing.assert_array_equal(changed.dataset.t.values, cube.dataset.t.values)
    assert cube.dataset.attrs["license"] == "CC0-1.0"


def test_indexing_like_any_xarray(tmp_path):
    values, _, _, cube = opened(HealpixGrid(2, "nested"))
    data = cube.dataset.t
    np.testing.assert_array_equal(data[1, ::-3].values, values[1, ::-3])
    np.testing.assert_array_equal(data[:, 5].values, values[:, 5])
    np.testing.assert_array_equal(data[[1, 0], 3:9].values, values[[1, 0], 3:9])
    where = xr.DataArray([0, 1, 1], dims="p"), xr.DataArray([7, 7, 2], dims="p")
    np.testing.assert_array_equal(data[where].values, values[[0, 1, 1], [7, 7, 2]])
    np.testing.assert_allclose(data.mean("time").values, values.mean(0), rtol=1e-6)
