"""Boxes on grids whose rows are no parallels: as rows and columns, against brute force on every cell's place."""

import json

import numpy as np
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401 -- brings the accessor
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, one_piece
from terrella.cubes.cubes import Cubes
from terrella.encodings.coveragejson import CoverageJson
from terrella.encodings.csv import Csv
from terrella.encodings.geojson import GeoJson
from terrella.encodings.geotiff import GeoTiff
from terrella.encodings.netcdf import NetCdf
from terrella.encodings.tables import row_count
from terrella.errors import Invalid
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.grids import CurvilinearGrid, ProjectedGrid, RotatedGrid
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Box, Everything, Extraction
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_reductions
from terrella.model.space import Extent

PROPERTY = settings(derandomize=True, deadline=None, max_examples=25)
SPHERE = "+proj=lcc +lat_1=30 +lat_2=60 +lat_0=45 +lon_0=10 +R=6371229"
ROTATED = {
    "grid_mapping_name": "rotated_latitude_longitude",
    "grid_north_pole_latitude": 39.25,
    "grid_north_pole_longitude": -162.0,
}
LINES = {
    "lambert": (SPHERE, np.arange(-9e5, 9e5, 3e4), np.arange(8e5, -8e5, -4e4)),
    "laea": ("EPSG:3035", np.arange(3e6, 5e6, 5e4), np.arange(2e6, 4e6, 5e4)),
    "utm": ("EPSG:32633", 300_000 + 5000.0 * np.arange(40), 5_400_000 - 5000.0 * np.arange(50)),
    "polar": ("EPSG:3413", np.arange(-3e6, 3e6, 1.5e5), np.arange(3e6, -3e6, -1.5e5)),
    "rotated": (pyproj.CRS.from_cf(ROTATED), np.arange(-20.0, 20.0, 1.0), np.arange(-15.0, 15.0, 1.0)),
}


def of_lines(name):
    """The grid, and longitudes and latitudes of its cells by pyproj."""
    crs, x, y = LINES[name]
    to = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    if name == "rotated":
        to = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        grid = RotatedGrid.of(ROTATED["grid_north_pole_longitude"], ROTATED["grid_north_pole_latitude"], y, x)
    else:
        grid = ProjectedGrid.from_coordinates(crs, x, y)
    lon, lat = to.transform(*np.meshgrid(x, y))
    return grid, lon, lat


def ocean():
    """Columns go round the Earth from 73 degrees east and bend towards two poles of the grid, as ocean models have it."""
    j, i = np.mgrid[0:60, 0:72]
    lat = -75.0 + 2.6 * j
    lon = 73.0 + 5.0 * i + 4 * np.sin(np.radians(10 * i)) * np.clip((lat - 20) / 60, 0, 1)
    lon = (lon + 180) % 360 - 180
    return CurvilinearGrid(lon, lat), lon, lat


GRIDS = {name: of_lines(name) for name in LINES} | {"ocean": ocean()}


def site(grid, dtype="f4"):
    """Values that say where they are, and a site that holds them at three times."""
    fmt = MemoryFormat()
    values = np.arange(3 * grid.size).reshape(3, *grid.shape).astype(dtype)
    chunks = (2, 7, 9)
    index = one_piece(fmt, values, ("time", *grid.dims), chunks, grid.to_json(), [hours(3)], attrs={"units": "K"})

    class Held:
        def open(self, caller, collection):
            return index, ORIGIN

    return values, Extractor(Held(), Cubes(formats={"memory": fmt}, threads=2), Limits())


SITES = {name: site(grid) for name, (grid, _, _) in GRIDS.items()}


def ask(name, extent, **more):
    return SITES[name][1].extract(OPERATOR, Extraction(CollectionId("test"), Box(extent), **more))


def truth(name, extent):
    """Which cells have their centre in the box; None where one is too near an edge to tell."""
    _, lon, lat = GRIDS[name]
    east = np.mod(lon - extent.west, 360.0)
    edges = [np.abs(lat - bound) for bound in (extent.south, extent.north) if abs(bound) < 90]
    if extent.width < 360:
        edges += [np.abs(east - extent.width), east, 360 - east]
    if min((edge.min() for edge in edges), default=1.0) < 1e-6:
        return None
    return (east <= extent.width) & (lat >= extent.south) & (lat <= extent.north)


def check(name, extent):
    inside = truth(name, extent)
    if inside is None:
        return None
    if not inside.any():
        with pytest.raises(Invalid):
            ask(name, extent)
        return None
    found = ask(name, extent).dataset
    values = SITES[name][0]
    _, lon, lat = GRIDS[name]
    if "cell" in found.dims:
        np.testing.assert_array_equal(found.t.values, values[:, inside])
        return "cells"
    rows, columns = np.nonzero(inside)
    assert found.t.dims == ("time", "y", "x")
    assert found.sizes["y"] == rows.max() - rows.min() + 1
    assert found.sizes["x"] <= columns.max() - columns.min() + 1
    kept = found["inside"].values if "inside" in found.coords else np.ones(found.t.shape[1:], bool)
    assert kept.sum() == inside.sum()
    # Numbers say where they are: all that are answered are those inside, each with its own place.
    numbers = found.t.values[0][kept].astype(int)
    np.testing.assert_array_equal(np.sort(numbers), np.flatnonzero(inside.ravel()))
    assert np.isnan(found.t.values[:, ~kept]).all()
    np.testing.assert_array_equal(found.t.values[:, kept], values.reshape(3, -1)[:, numbers])
    np.testing.assert_allclose(found.latitude.values[kept], lat.ravel()[numbers], atol=1e-9)
    apart = found.longitude.values[kept] - lon.ravel()[numbers]
    np.testing.assert_allclose((apart + 180) % 360, 180, atol=1e-8)
    assert found.longitude.values.min() >= -180
    assert found.longitude.values.max() < 180
    return "grid"


@pytest.mark.parametrize("name", GRIDS)
@PROPERTY
@given(st.floats(-180, 180), st.floats(-90, 88), st.floats(1, 360), st.floats(1, 60))
def test_any_box(name, west, south, width, height):
    check(name, Extent.of(west, south, (west + min(width, 359.9) + 180) % 360 - 180, min(south + height, 90.0)))


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("lambert", (3, 41, 17, 49)),
        ("laea", (4, 44, 16, 52)),
        ("utm", (13.1, 47.2, 14.4, 48.3)),
        ("polar", (170, 70, -120, 85)),
        ("polar", (-180, 60, 180, 90)),
        ("rotated", (0, 40, 20, 55)),
        ("ocean", (60, -20, 90, 20)),
        ("ocean", (-30, 0, 20, 60)),
    ],
)
def test_boxes_that_come_as_rows_and_columns(name, bounds):
    assert check(name, Extent.of(*bounds)) == "grid"


def test_a_box_over_the_seam_of_the_array_goes_on_over_it():
    found = ask("ocean", Extent.of(60, -20, 90, 20)).dataset
    assert found.sizes["x"] <= 8  # not all 72
    assert (np.diff(found.longitude.values[0]) > 0).all()


def test_an_arc_that_rows_and_columns_would_waste_comes_as_cells():
    assert check("polar", Extent.of(-180, 64.0, 180, 66.0)) == "cells"


def test_places_that_cannot_be_missing_become_floats():
    grid, lon, lat = GRIDS["laea"]
    for dtype, wanted in (("i2", "f4"), ("i4", "f8")):
        fmt = MemoryFormat()
        values = np.arange(grid.size).reshape(grid.shape).astype(dtype)
        index = one_piece(fmt, values, grid.dims, (20, 20), grid.to_json(), [])
        object.__setattr__(index.variables[0], "dtype", f"<{dtype}")

        class Held:
            def open(self, caller, collection, index=index):
                return index, ORIGIN

        made = Extractor(Held(), Cubes(formats={"memory": fmt}, threads=2), Limits())
        request = Extraction(CollectionId("test"), Box(Extent.of(4, 44, 16, 52)))
        found = made.extract(OPERATOR, request)
        assert found.dataset.t.dtype == wanted
        assert found.plan.bytes_out == found.dataset.t.nbytes
        inside = found.dataset["inside"].values
        np.testing.assert_array_equal(
            found.dataset.t.values[inside], values[(lon >= 4) & (lon <= 16) & (lat >= 44) & (lat <= 52)]
        )
        whole = made.extract(OPERATOR, Extraction(CollectionId("test"), Everything())).dataset
        assert whole.t.dtype == dtype
        assert "inside" not in whole.coords


def test_a_zonal_mean_takes_only_cells_inside():
    extent = Extent.of(4, 44, 16, 52)
    inside = truth("laea", extent)
    values = SITES["laea"][0].astype("f8")
    found = ask("laea", extent, reduce=parse_reductions("mean:space:equal")).dataset
    np.testing.assert_allclose(found.t.values, values[:, inside].mean(axis=1), rtol=1e-6)
    strict = ask("laea", extent, reduce=parse_reductions("mean:space:equal:strict")).dataset
    np.testing.assert_array_equal(strict.t.values, found.t.values)


@pytest.mark.parametrize("how", ["mean", "max", "count", "exceedance(10)"])
def test_a_reduction_over_time_stays_a_grid_that_is_missing_outside(how):
    extent = Extent.of(4, 44, 16, 52)
    plain = ask("laea", extent).dataset
    found = ask("laea", extent, reduce=parse_reductions(f"{how}:time")).dataset
    assert found.t.dims == ("y", "x")
    inside = found["inside"].values
    assert np.isnan(found.t.values[~inside]).all()
    expected = {"mean": plain.t.mean("time"), "max": plain.t.max("time"), "count": plain.t.count("time")}
    share = (plain.t > 10).mean("time")
    np.testing.assert_allclose(found.t.values[inside], expected.get(how, share).values[inside])


# --- encodings -------------------------------------------------------------------------------------------------------

BOXES = {
    "lambert": (3, 41, 17, 49),
    "laea": (4, 44, 16, 52),
    "utm": (13.1, 47.2, 14.4, 48.3),
    "polar": (170, 70, -120, 85),
}


def by_hand(name, bounds):
    """Values inside by cell (row, column), and the affine transform of rows and columns around them."""
    inside = truth(name, Extent.of(*bounds))
    rows, columns = (np.unique(one) for one in np.nonzero(inside))
    _, x, y = LINES[name]
    window = np.ix_(np.arange(rows[0], rows[-1] + 1), np.arange(columns[0], columns[-1] + 1))
    values = np.where(inside, SITES[name][0], np.nan)[:, *window]
    return values, x[columns[0] : columns[-1] + 1], y[rows[0] : rows[-1] + 1]


@pytest.mark.parametrize("name", BOXES)
def test_netcdf_for_xarray_rioxarray_and_gdal(name, tmp_path):
    values, x, y = by_hand(name, BOXES[name])
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(ask(name, Extent.of(*BOXES[name]))))
    with xr.open_dataset(tmp_path / "a.nc", decode_coords="all") as made:
        np.testing.assert_array_equal(made.t.values, values)
        np.testing.assert_allclose(made.x.values, x)
        np.testing.assert_allclose(made.y.values, y)
        assert made.x.attrs["standard_name"] == "projection_x_coordinate"
        assert made.x.attrs["units"] == "m"
        assert pyproj.CRS(made.rio.crs).equals(pyproj.CRS(LINES[name][0])) or made.rio.crs == LINES[name][0]
        # Places by the file's own CRS are those of its two-dimensional coordinates.
        to = pyproj.Transformer.from_crs(pyproj.CRS.from_cf(made.crs.attrs), "OGC:CRS84", always_xy=True)
        lon, lat = to.transform(*np.meshgrid(made.x.values, made.y.values))
        np.testing.assert_allclose((lon, lat), (made.longitude.values, made.latitude.values), atol=1e-7)
        assert set(np.unique(made.inside.values)) <= {0, 1}
    with rasterio.open(f'netcdf:"{tmp_path}/a.nc":t') as gdal:
        band = gdal.read(1)
        np.testing.assert_array_equal(band if y[0] > y[-1] else band[::-1], values[0])
        assert gdal.bounds.left == pytest.approx(min(x) - (x[1] - x[0]) / 2)
        assert gdal.crs is not None


@pytest.mark.parametrize("name", BOXES)
def test_geotiff_for_rasterio(name):
    values, _, y = by_hand(name, BOXES[name])
    extracted = ask(name, Extent.of(*BOXES[name]))
    assert GeoTiff().accepts(extracted) is None
    with rasterio.MemoryFile(GeoTiff().encode(extracted)) as memory, memory.open() as made:
        assert made.count == 3
        bands = made.read()
        np.testing.assert_array_equal(bands if y[0] > y[-1] else bands[:, ::-1], values)
        row, column = np.nonzero(np.isfinite(bands[0]))
        xs, ys = made.xy(row, column)
        lon, lat = pyproj.Transformer.from_crs(made.crs, "OGC:CRS84", always_xy=True).transform(xs, ys)
        _, west, south = GRIDS[name]
        numbers = bands[0][row, column].astype(int)
        np.testing.assert_allclose(lon, west.ravel()[numbers], atol=1e-6)
        np.testing.assert_allclose(lat, south.ravel()[numbers], atol=1e-6)


@pytest.mark.parametrize("name", BOXES)
def test_coveragejson_is_a_grid_in_the_plane(name):
    values, x, y = by_hand(name, BOXES[name])
    made = json.loads(CoverageJson().encode(ask(name, Extent.of(*BOXES[name]))))
    assert made["domain"]["domainType"] == "Grid"
    np.testing.assert_allclose(made["domain"]["axes"]["x"]["values"], x)
    np.testing.assert_allclose(made["domain"]["axes"]["y"]["values"], y)
    told = np.array([np.nan if one is None else one for one in made["ranges"]["t"]["values"]]).reshape(values.shape)
    np.testing.assert_array_equal(told, values)
    (system,) = [one["system"] for one in made["domain"]["referencing"] if one["coordinates"] == ["x", "y"]]
    assert system["type"] == "ProjectedCRS"
    given = system["id"].replace("http://www.opengis.net/def/crs/EPSG/0/", "EPSG:") if "id" in system else system["wkt"]
    assert pyproj.CRS(given).equals(pyproj.CRS(LINES[name][0]), ignore_axis_order=True)


@pytest.mark.parametrize("name", GRIDS)
def test_tables_have_a_row_for_each_cell_inside(name):
    extent = Extent.of(*({"rotated": (0, 40, 20, 55), "ocean": (60, -20, 90, 20)} | BOXES)[name])
    extracted = ask(name, extent)
    count = int(truth(name, extent).sum())
    lines = Csv().encode(extracted).decode().splitlines()
    assert len(lines) - 1 == 3 * count == row_count(extracted.dataset)
    assert all(line.rpartition(",")[2] for line in lines)  # the last column, the value, is nowhere missing
    assert len(json.loads(GeoJson().encode(extracted))["features"]) == 3 * count


def test_a_rotated_grid_in_netcdf(tmp_path):
    found = ask("rotated", Extent.of(0, 40, 20, 55))
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(found))
    with xr.open_dataset(tmp_path / "a.nc", decode_coords="all") as made:
        assert made.x.attrs["standard_name"] == "grid_longitude"
        assert made.x.attrs["units"] == "degrees"
        crs = pyproj.CRS.from_cf(made.crs.attrs)
        to = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        lon, lat = to.transform(*np.meshgrid(made.x.values, made.y.values))
        np.testing.assert_allclose((lon, lat), (made.longitude.values, made.latitude.values), atol=1e-7)


def test_an_ocean_grid_in_netcdf_and_coveragejson(tmp_path):
    extent = Extent.of(60, -20, 90, 20)
    found = ask("ocean", extent)
    (tmp_path / "a.nc").write_bytes(NetCdf().encode(found))
    with xr.open_dataset(tmp_path / "a.nc") as made:
        assert made.t.dims == ("time", "y", "x")
        assert {"longitude", "latitude"} <= set(made.t.coords)
        np.testing.assert_array_equal(made.t.values, found.dataset.t.values)
    document = json.loads(CoverageJson().encode(found))
    assert document["domain"]["domainType"] == "MultiPointSeries"
    inside = truth("ocean", extent)
    told = np.array(document["ranges"]["t"]["values"]).reshape(3, -1)
    np.testing.assert_array_equal(np.sort(told[0]), SITES["ocean"][0][0][inside])
    places = np.array(document["domain"]["axes"]["composite"]["values"])
    _, lon, lat = GRIDS["ocean"]
    np.testing.assert_allclose(places[:, 1], lat.ravel()[told[0].astype(int)], atol=1e-9)
    np.testing.assert_allclose(places[:, 0], lon.ravel()[told[0].astype(int)], atol=1e-9)
    assert "rows and columns" in GeoTiff().accepts(found)
