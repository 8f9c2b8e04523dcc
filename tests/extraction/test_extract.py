"""Whole extractions against brute force over all cells: shapes, times, levels, receipts, plans."""

import json
import math

import numpy as np
import pytest
import shapely
import shapely.geometry
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.contracts.cubes import CubeIndex, CubeVariable, Origin, Piece
from terrella.cubes.assembling import assemble
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid, TooLarge
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.model.caller import OPERATOR
from terrella.model.extraction import (
    Area,
    Box,
    Circle,
    Corridor,
    Everything,
    Extraction,
    Points,
    Span,
    Trajectory,
)
from terrella.model.ids import CollectionId
from terrella.model.scan import Axis, Part
from terrella.model.space import EARTH_RADIUS_M, Extent, LonLat
from terrella.model.time import parse_instant, parse_interval

GRID = regular(37, 72, dlat=-5.0, dlon=5.0)
LEVELS = np.array([1000.0, 850.0, 500.0])
PROPERTY = settings(derandomize=True, deadline=None, max_examples=40)


class Held:
    """A catalogue of one collection."""

    def __init__(self, index, origin=ORIGIN):
        self.index, self.origin = index, origin

    def open(self, caller, collection):
        return self.index, self.origin


def extractor(index, fmt, limits=None, origin=ORIGIN):
    return Extractor(Held(index, origin), Cubes(formats={"memory": fmt}, threads=2), limits or Limits())


def make(grid=GRID, *, calendar="standard", chunks=(4, 2, 10, 16), limits=None, count=10):
    """A cube of t(time, pressure, lat, lon) whose numbers say where they are."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(count, 3, grid["nlat"], grid["nlon"])).astype("f4")
    fmt = MemoryFormat()
    axes = [hours(count, step=6, calendar=calendar), Axis("pressure", "vertical", LEVELS, "hPa")]
    index = one_piece(fmt, values, ("time", "pressure", "lat", "lon"), chunks, grid, axes, attrs={"units": "K"})
    return values, extractor(index, fmt, limits), fmt


VALUES, SITE, FORMAT = make()


def ask(shape, site=SITE, **more):
    return site.extract(OPERATOR, Extraction(CollectionId("test"), shape, **more))


def centres(grid=GRID):
    lat = grid["lat0"] + grid["dlat"] * np.arange(grid["nlat"])
    lon = (grid["lon0"] + grid["dlon"] * np.arange(grid["nlon"]) + 180) % 360 - 180
    return np.tile(lon, lat.size), np.repeat(lat, lon.size)


def metres(lon, lat, lon2, lat2):
    lon, lat, lon2, lat2 = (np.radians(one) for one in (lon, lat, lon2, lat2))
    a = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(a, 0, 1)))


def check(found, cells, values=VALUES, dim="cell"):
    """The answer has exactly these cells' values and places (in some order)."""
    lon, lat = centres()
    data = found.dataset
    assert data.t.dims == ("time", "pressure", dim)
    expected = values.reshape(*values.shape[:2], -1)[..., cells]
    np.testing.assert_array_equal(data.t.values, expected)
    np.testing.assert_allclose((data.longitude.values + 180) % 360 - 180, lon[cells])
    np.testing.assert_allclose(data.latitude.values, lat[cells])


lons = st.floats(-180, 180, allow_nan=False)
lats = st.floats(-90, 90, allow_nan=False)


@PROPERTY
@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=5))
def test_points_take_the_nearest_cell(places):
    lon, lat = centres()
    found = ask(Points(tuple(LonLat(*place) for place in places)))
    for number, place in enumerate(places):
        one = found.dataset.isel(point=number)
        near = metres(lon, lat, *place).min()
        away = metres(one.longitude.values, one.latitude.values, *place)
        assert away <= near + 1e-3
        row, col = round((90 - float(one.latitude)) / 5), round((float(one.longitude) % 360) / 5) % 72
        np.testing.assert_array_equal(one.t.values, VALUES[:, :, row, col])


@PROPERTY
@given(lons, lats, st.floats(400_000, 4_000_000))
def test_a_circle_takes_the_cells_within_its_radius(lon, lat, radius):
    away = metres(*centres(), lon, lat)
    inside = np.flatnonzero(away <= radius)
    if (np.abs(away - radius) < 1e-3).any() or not inside.size:
        return
    check(ask(Circle(LonLat(lon, lat), radius)), inside)


@PROPERTY
@given(st.floats(-360, 360), st.floats(6, 400), lats, lats, st.sampled_from([(-180.0, 180.0), (0.0, 360.0)]))
def test_a_box_keeps_rows_and_columns_with_rising_longitudes(west, width, one, other, longitudes):
    south, north = sorted((round(one, 2), round(other, 2)))
    west, width = round(west, 2), round(width, 2)
    east = west + width
    if north - south < 6 or abs(east) > 360:
        return
    extent = Extent.of(west, south, east, north)
    found = ask(Box(extent), longitudes=longitudes).dataset
    assert found.t.dims == ("time", "pressure", "lat", "lon")
    lon = found.lon.values
    assert (np.diff(lon) > 0).all()
    assert lon[0] >= longitudes[0]
    assert lon[0] < longitudes[1]
    every, all_lat = centres()
    east_of = np.mod(every - extent.west, 360)
    inside = (all_lat >= south) & (all_lat <= north) & ((east_of <= extent.width + 1e-9) | (width >= 360))
    assert found.lat.size * found.lon.size == inside.sum()
    cols = np.round(lon % 360 / 5).astype(int) % 72
    rows = np.round((90 - found.lat.values) / 5).astype(int)
    np.testing.assert_array_equal(found.t.values, VALUES[:, :, rows][..., cols])


def test_a_box_over_the_date_line_goes_on_beyond_180():
    found = ask(Box(Extent.of(170, -10, -170, 10))).dataset
    assert found.lon.values.tolist() == [170, 175, 180, 185, 190]
    again = ask(Box(Extent.of(170, -10, -170, 10)), longitudes=(0.0, 360.0)).dataset
    assert again.lon.values.tolist() == [170, 175, 180, 185, 190]
    np.testing.assert_array_equal(found.t.values, VALUES[:, :, 16:21, 34:39])


def test_everything_starts_where_longitudes_start():
    east = ask(Everything()).dataset
    assert (east.lon.values[0], east.lon.values[-1]) == (-180, 175)
    np.testing.assert_array_equal(east.t.values, np.roll(VALUES, 36, axis=-1))
    west = ask(Everything(), longitudes=(0.0, 360.0)).dataset
    np.testing.assert_array_equal(west.t.values, VALUES)


def test_a_regional_grid_over_the_date_line_stays_whole():
    grid = regular(3, 6, lat0=5, dlat=-5, lon0=165, dlon=5)
    values, site, _ = make(grid)
    found = ask(Everything(), site).dataset
    assert found.lon.values.tolist() == [165, 170, 175, 180, 185, 190]
    np.testing.assert_array_equal(found.t.values, values)


def test_an_area_takes_centres_inside_and_respects_holes():
    outer = [(-22, 31), (41, 28), (38, 66), (5, 71), (-22, 31)]
    hole = [(3, 42), (3, 53), (17, 53), (17, 42), (3, 42)]
    polygon = shapely.geometry.Polygon(outer, [hole])
    lon, lat = centres()
    inside = np.flatnonzero(shapely.covers(polygon, shapely.points(lon, lat)))
    check(ask(Area(dict(shapely.geometry.mapping(polygon)))), inside)


def test_an_area_over_the_date_line_in_two_parts():
    parts = shapely.geometry.MultiPolygon([shapely.box(161, -22, 180, 13), shapely.box(-180, -22, -158, 13)])
    lon, lat = centres()
    inside = np.flatnonzero(((lon >= 161) | (lon <= -158)) & (lat >= -22) & (lat <= 13))
    check(ask(Area(dict(shapely.geometry.mapping(parts)))), inside)


@settings(PROPERTY, max_examples=12)
@given(st.lists(st.tuples(lons, st.floats(-85, 85)), min_size=1, max_size=4), st.floats(500_000, 3_000_000))
def test_a_corridor_takes_cells_near_its_line(places, width):
    """Brute force: the distance to many points along each great circle."""
    lon, lat = centres()
    away = np.full(lon.size, np.inf)
    for (a, b), (c, d) in zip(places, places[1:] or places, strict=False):
        start, end = unit(a, b), unit(c, d)
        if np.linalg.norm(start + end) < 1e-2:
            return  # no great circle is the shortest between opposite ends
        x, y, z = np.array([slerp(start, end, part) for part in np.linspace(0, 1, 400)]).T
        line = np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z))
        away = np.minimum(away, metres(lon[:, None], lat[:, None], *line).min(axis=1))
    sure, unsure = np.flatnonzero(away <= width / 2), np.flatnonzero(np.abs(away - width / 2) < 8000)
    if unsure.size or not sure.size:
        return
    path = Trajectory(tuple(LonLat(*place) for place in places))
    check(ask(Corridor(path, width)), sure)


def unit(lon, lat):
    lon, lat = math.radians(lon), math.radians(lat)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def slerp(start, end, part):
    mixed = start
    angle = math.acos(float(np.clip(start @ end, -1, 1)))
    if angle > 1e-9:
        mixed = (math.sin((1 - part) * angle) * start + math.sin(part * angle) * end) / math.sin(angle)
    return np.clip(mixed / np.linalg.norm(mixed), -1, 1)


def test_a_trajectory_with_times_and_heights_of_its_own():
    places = (LonLat(0.4, 49.6), LonLat(5.2, 50.1), LonLat(9.8, 55.3))
    times = tuple(parse_instant(text) for text in ("1970-01-01T00:00Z", "1970-01-01T11:00Z", "1970-01-02T07:00Z"))
    found = ask(Trajectory(places, (990.0, 700.0, 505.0), times)).dataset
    assert found.t.dims == ("vertex",)
    expected = [VALUES[0, 0, 8, 0], VALUES[2, 1, 8, 1], VALUES[5, 2, 7, 2]]
    np.testing.assert_array_equal(found.t.values, np.array(expected))
    assert found.pressure.values.tolist() == [1000, 850, 500]
    assert found.time.values.astype("M8[h]").astype(int).tolist() == [0, 12, 30]
    plain = ask(Trajectory(places)).dataset
    assert plain.t.dims == ("time", "pressure", "vertex")
    np.testing.assert_array_equal(plain.t.values[..., 2], VALUES[:, :, 7, 2])


def test_the_plan_is_known_before_and_true_after():
    request = Extraction(
        CollectionId("test"), Points((LonLat(0, 50),)), interval=parse_interval("1970-01-01T00:00Z/1970-01-01T12:00Z")
    )
    _, site, fmt = make()
    plan = site.plan(OPERATOR, request)
    source = fmt.files[("/data/one", "t")]
    assert source.loads == []
    found = site.extract(OPERATOR, request)
    assert found.plan == plan
    assert (plan.cells, plan.values, plan.chunks) == (1, 9, len(source.loads)) == (1, 9, 2)
    assert plan.bytes_read == found.receipt.bytes_read == sum(source.stored(one) for one in source.loads)
    assert site.extract(OPERATOR, request).receipt.bytes_read == 0
    assert plan.memory >= plan.bytes_out == 36


def test_the_receipt_says_where_it_came_from():
    index = SITE._catalog.index
    origin = Origin("lake", "test", "7", ("a",), "CC-BY-4.0", "ECMWF")
    site = extractor(index, FORMAT, origin=origin)
    one = ask(Points((LonLat(0, 0),)), site)
    same = ask(Points((LonLat(0, 0),)), site)
    other = ask(Points((LonLat(0, 1),)), site)
    assert one.receipt.request == same.receipt.request != other.receipt.request
    assert (one.receipt.version, one.receipt.items, one.receipt.licence) == ("7", ("a",), "CC-BY-4.0")
    assert json.loads(one.dataset.attrs["terrella_receipt"])["items"] == ["a"]
    assert one.dataset.attrs["attribution"] == "ECMWF"
    assert one.dataset.t.attrs["units"] == "K"
    xr.testing.assert_identical(one.dataset, same.dataset)


def test_only_the_items_asked_for():
    fmt = MemoryFormat()
    scans = []
    for number in range(3):
        scan = fmt.put(f"/{number}", "t", ("time", "lat", "lon"), np.full((1, 37, 72), number, "f4"), (1, 37, 72))
        scans.append((f"i{number}", Part(GRID, (hours(1, start=number),), (scan,)), f"/{number}", "memory"))
    site = extractor(assemble(scans), fmt)
    found = ask(Points((LonLat(0, 0),)), site, items=("i1",))
    np.testing.assert_array_equal(found.dataset.t.values[:, 0], [np.nan, 1, np.nan])
    assert found.receipt.items == ("i1",)
    with pytest.raises(Invalid, match=r"'i9'.*'i0'"):
        ask(Points((LonLat(0, 0),)), site, items=("i9",))


def test_levels_and_other_axes():
    found = ask(Points((LonLat(0, 0),)), vertical=(500.0, 1000.0)).dataset
    assert found.pressure.values.tolist() == [1000, 500]
    found = ask(Points((LonLat(0, 0),)), vertical=Span(None, 900)).dataset
    assert found.pressure.values.tolist() == [850, 500]
    found = ask(Points((LonLat(0, 0),)), select={"pressure": ("850", 500.0)}).dataset
    assert found.pressure.values.tolist() == [850, 500]


def runs():
    fmt, scans = MemoryFormat(), []
    for run in (0, 12):
        steps = Axis("step", "step", np.arange(4, dtype=np.int64) * 6 * 3_600_000)
        values = (run * 100 + np.arange(4) * 6)[None, :, None, None] + np.zeros((1, 4, 37, 72))
        scan = fmt.put(f"/{run}", "t", ("reference_time", "step", "lat", "lon"), values.astype("f4"), (1, 1, 37, 72))
        part = Part(GRID, (hours(1, start=run, name="reference_time"), steps), (scan,))
        scans.append((str(run), part, f"/{run}", "memory"))
    return extractor(assemble(scans), fmt)


def test_valid_times_over_several_runs():
    site = runs()
    found = ask(Points((LonLat(0, 0),)), site, interval=parse_interval("1970-01-01T12:00Z/1970-01-01T18:00Z")).dataset
    assert found.time.values.astype("M8[h]").astype(int).tolist() == [[0, 6, 12, 18], [12, 18, 24, 30]]
    np.testing.assert_array_equal(found.t.values[..., 0], [[np.nan, np.nan, 12, 18], [1200, 1206, np.nan, np.nan]])
    one = ask(Points((LonLat(0, 0),)), site, select={"reference_time": ("1970-01-01T12:00:00Z",), "step": (6.0,)})
    assert one.dataset.t.values.ravel().tolist() == [1206]
    with pytest.raises(Invalid, match="from 1970-01-01T00:00:00Z to 1970-01-02T06:00:00Z"):
        ask(Points((LonLat(0, 0),)), site, interval=parse_interval("1971"))


@pytest.mark.parametrize(
    ("more", "parameter", "text"),
    [
        ({"variables": ("tt",)}, "parameter-name", "no variable 'tt'.*'t'"),
        ({"interval": parse_interval("1970-01-01T01:00Z")}, "datetime", "nearest are 1970-01-01T00:00:00Z and 1970-01"),
        ({"interval": parse_interval("1999")}, "datetime", "go from 1970-01-01T00:00:00Z to 1970-01-03T06:00:00Z"),
        ({"interval": parse_interval("1970-02-30")}, "datetime", "1970-02-30 is no date"),
        ({"vertical": (700.0,)}, "z", "nearest is 850.*1000, 850, 500 hPa"),
        ({"vertical": Span(1, 2)}, "z", "No level"),
        ({"select": {"number": (1,)}}, "number", "no axis 'number'"),
        ({"select": {"pressure": ("high",)}}, "pressure", "no value of pressure"),
        ({"shape": Points((LonLat(0, 91),))}, "coords", "no place"),
        ({"shape": Points((LonLat(math.nan, 0),))}, "coords", "no place"),
        ({"shape": Points(())}, "coords", "At least one"),
        ({"shape": Circle(LonLat(2.5, 2.5), 1000)}, "coords", "No cell centre.*556 km.*nearest centre"),
        ({"shape": Circle(LonLat(2.5, 2.5), 0)}, "within", "positive"),
        ({"shape": Circle(LonLat(2.5, 2.5), 1e12)}, "within", "half way around the Earth"),
        ({"shape": Corridor(Trajectory((LonLat(2, 2), LonLat(3, 3))), 1e12)}, "corridor-width", "half way around"),
        ({"shape": Box(Extent(1, 1, 4, 4))}, "bbox", "No cell centre"),
        ({"shape": Area({"type": "Point", "coordinates": [0, 0]})}, "coords", "not Point"),
        ({"shape": Area({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})}, "coords", "understood"),
        (
            {"shape": Area({"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]})},
            "coords",
            "Self-intersection",
        ),
        ({"shape": Corridor(Trajectory((LonLat(2.5, 2.5),)), 1000)}, "coords", "No cell centre"),
        ({"shape": Corridor(Trajectory((LonLat(2.5, 2.5),)), -1)}, "corridor-width", "positive"),
        ({"shape": Trajectory((LonLat(0, 0),), (1.0, 2.0))}, "coords", "2 heights for 1"),
    ],
)
def test_what_is_wrong_is_named(more, parameter, text):
    shape = more.pop("shape", Points((LonLat(0, 0),)))
    with pytest.raises(Invalid, match=text) as caught:
        ask(shape, **more)
    assert caught.value.parameter == parameter


def test_points_outside_a_region_are_named():
    _, site, _ = make(regular(3, 6, lat0=5, dlat=-5, lon0=10, dlon=5))
    with pytest.raises(Invalid, match=r"\(90, 0\) lies outside the area covered, which is 7.5..37.5"):
        ask(Points((LonLat(10, 0), LonLat(90, 0))), site)
    with pytest.raises(Invalid, match="outside the area covered"):
        ask(Box(Extent.of(100, -5, 120, 5)), site)


def test_30_february_is_a_day_of_its_calendar():
    values, site, _ = make(calendar="360_day", count=300)
    found = ask(Points((LonLat(0, 0),)), site, interval=parse_interval("1970-02-30"), vertical=(500.0,)).dataset
    assert found.time.size == 4
    assert {(at.month, at.day) for at in found.time.values} == {(2, 30)}
    np.testing.assert_array_equal(found.t.values[:, 0, 0], values[59 * 4 : 60 * 4, 2, 18, 0])
    with pytest.raises(Invalid, match="1970-01-31 is no date of the 360_day"):
        ask(Points((LonLat(0, 0),)), site, interval=parse_interval("1970-01-31T00:00:00Z"))


@pytest.mark.parametrize(
    ("limits", "shape", "key"),
    [
        (Limits(values=10), Points((LonLat(0, 0),)), "datetime"),
        (Limits(bytes_read=250), Points((LonLat(0, 0),)), "datetime"),
        (Limits(cells=50), Everything(), "bbox"),
        (Limits(cells=50), Box(Extent.of(-60, -60, 60, 60)), "bbox"),
        (Limits(cells=50), Circle(LonLat(0, 0), 5e6), "within"),
        (Limits(cells=5), Points(tuple(LonLat(x, 0) for x in range(0, 100, 5))), "coords"),
        (Limits(values=100, cells=10), Everything(), "bbox"),
    ],
)
def test_too_large_requests_are_refused_before_reading_with_one_that_passes(limits, shape, key):
    _, site, fmt = make(limits=limits)
    with pytest.raises(TooLarge, match=r"the limit is .* This would pass") as caught:
        ask(shape, site)
    assert fmt.files[("/data/one", "t")].loads == []
    details = caught.value.details
    assert key in details["suggestion"]
    assert details["limit"]["values"] == limits.values
    json.dumps(details)
    again = smaller(shape, details["suggestion"])
    assert ask(*again[:1], site, **again[1]).plan.values <= limits.values


def smaller(shape, suggestion):
    more = {}
    if "datetime" in suggestion:
        more["interval"] = parse_interval(suggestion["datetime"])
    if "parameter-name" in suggestion:
        more["variables"] = tuple(suggestion["parameter-name"])
    if "bbox" in suggestion:
        shape = Box(Extent.of(*suggestion["bbox"]))
    if "within" in suggestion:
        shape = Circle(shape.centre, suggestion["within"])
    if "coords" in suggestion:
        shape = Points(tuple(LonLat(*one) for one in suggestion["coords"]))
    return shape, more


def two_variables():
    fmt = MemoryFormat()
    names = {
        "t2m": {"standard_name": "air_temperature", "mars:shortName": "2t", "mars:param": 167},
        "tp": {"standard_name": "precipitation_amount"},
    }
    variables = []
    for name, attrs in names.items():
        scan = fmt.put(f"/{name}", name, ("lat", "lon"), np.zeros((37, 72), "f4"), (37, 72), attrs=attrs)
        piece = Piece(f"/{name}", "memory", "a", scan, (None, None))
        variables.append(CubeVariable(name, ("lat", "lon"), (37, 72), "<f4", attrs, (piece,)))
    return extractor(CubeIndex(GRID, (), tuple(variables)), fmt)


@pytest.mark.parametrize("name", ["t2m", "T2M", "2t", "167", "air_temperature", "param=167"])
def test_any_name_of_a_parameter_names_its_variable(name):
    found = ask(Points((LonLat(0, 0),)), two_variables(), variables=(name,)).dataset
    assert list(found) == ["t2m"]


def test_a_time_asked_of_what_has_none_is_wrong():
    with pytest.raises(Invalid, match="no time"):
        ask(Points((LonLat(0, 0),)), two_variables(), interval=parse_interval("2000"))
    assert list(ask(Points((LonLat(0, 0),)), two_variables()).dataset) == ["t2m", "tp"]


def test_steps_and_reference_times_are_found_where_valid_times_stand_for_them():
    fmt = MemoryFormat()
    steps = Axis("step", "step", np.arange(4, dtype=np.int64) * 6 * 3_600_000)
    values = (np.arange(4) * 6.0)[None, :, None, None] + np.zeros((1, 4, 37, 72))
    scan = fmt.put("/a", "t", ("reference_time", "step", "lat", "lon"), values.astype("f4"), (1, 1, 37, 72))
    part = Part(GRID, (hours(1, start=12, name="reference_time"), steps), (scan,))
    site = extractor(assemble([("a", part, "/a", "memory")]), fmt)
    found = ask(Points((LonLat(0, 0),)), site, select={"step": (6, 18.0)}).dataset
    assert found.t.values.ravel().tolist() == [6, 18]
    assert found.time.values.astype("M8[h]").astype(int).tolist() == [18, 30]
    assert found.reference_time.values.astype("M8[h]").astype(int) == 12
    every = ask(Points((LonLat(0, 0),)), site, select={"reference_time": ("1970-01-01T12:00Z",)}).dataset
    assert every.time.size == 4
    with pytest.raises(Invalid, match=r"no step 7\. There are: 0, 6, 12, 18 h"):
        ask(Points((LonLat(0, 0),)), site, select={"step": (7,)})
    with pytest.raises(Invalid, match="There are: 1970-01-01T12:00:00Z"):
        ask(Points((LonLat(0, 0),)), site, select={"reference_time": ("1970-01-02T12:00Z",)})


def test_a_line_of_too_many_vertices_is_refused():
    with pytest.raises(TooLarge, match="5,000 vertices"):
        ask(Corridor(Trajectory((LonLat(0, 0),) * 5001), 1e6))


def test_a_corridor_brings_its_heights_and_times():
    ends = (LonLat(0, 0), LonLat(20, 10))
    times = parse_instant("1970-01-01T06:00Z"), parse_instant("1970-01-01T18:00Z")
    found = ask(Corridor(Trajectory(ends, (900.0, 950.0), times), 1e6, 120.0)).dataset
    assert found.pressure.values.tolist() == [1000, 850]
    assert found.time.size == 3
