"""Point tables against pandas, geopandas and the documents themselves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import geopandas
import healpix_geo.ring as ring
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from terrella.cubes.formats.table import Table
from terrella.errors import Unreadable
from terrella.grids import grid_from_json

READ = Table()


def scanned(path: Path):
    [found] = READ.scan(str(path))
    return found


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def claimed(path: Path) -> bool:
    return READ.claims(str(path), path.read_bytes()[:1024])


def column(path: Path, name: str) -> np.ndarray:
    [array] = [one for one in scanned(path).parts[0].arrays if one.name == name]
    source = READ.source(array, str(path))
    rest = (0,) * (len(array.shape) - 1)
    parts = [source.load((number, *rest)) for number in range(-(-array.shape[0] // array.chunks[0]))]
    assert all(source.stored((number, *rest)) > 0 for number in range(len(parts)))
    made = np.concatenate(parts)
    assert made.shape == array.shape
    assert made.dtype == np.dtype(array.dtype)
    return made


def times(path: Path) -> list[str]:
    scan = scanned(path)
    [axis] = [one for one in scan.parts[0].axes if one.name == "time"]
    return axis.values.astype("datetime64[ms]").astype(str).tolist()  # noqa: PD011 -- an axis, no frame


STATIONS = """station,lat,lon [deg],time,temp [°C],wind (m/s),remark
Oslo,59.95,10.72,2024-01-01T00:00:00Z,-5.5,3,cold
Oslo,59.95,10.72,2024-01-01T02:00:00+01:00,-6,4,
Rome,41.9,12.5,2024-01-01T00:00:00Z,8.25,NA,
Rome,41.9,12.5,2024-01-01 01:00,7,1,mild
"""


def test_stations_become_time_by_cell(tmp_path):
    path = written(tmp_path / "s.csv", STATIONS)
    assert claimed(path)
    scan = scanned(path)
    assert times(path) == ["2024-01-01T00:00:00.000", "2024-01-01T01:00:00.000"]
    assert [array.name for array in scan.parts[0].arrays] == ["temp", "wind"]
    assert [array.attrs["units"] for array in scan.parts[0].arrays] == ["degC", "m/s"]
    assert scan.attrs["cell_names"] == ["Oslo", "Rome"]
    assert scan.notes == ("columns that are no numbers are left out: remark",)
    lon, lat = grid_from_json(scan.parts[0].grid).centres()
    np.testing.assert_allclose([lon, lat], [[10.72, 12.5], [59.95, 41.9]], rtol=1e-14)
    assert column(path, "temp").tolist() == [[-5.5, 8.25], [-6, 7]]
    np.testing.assert_array_equal(column(path, "wind"), [[3, np.nan], [4, 1]])


def test_single_rows_become_cells(test_data):
    path = test_data / "insitu-events/earthquakes.json"
    assert claimed(path)
    scan = scanned(path)
    assert scan.parts[0].axes == ()
    frame = geopandas.read_file(path)
    lon, lat = grid_from_json(scan.parts[0].grid).centres()
    np.testing.assert_allclose(lon, frame.geometry.x)
    np.testing.assert_allclose(lat, frame.geometry.y)
    np.testing.assert_array_equal(column(path, "mag"), frame["mag"].astype(float))
    np.testing.assert_array_equal(column(path, "z"), frame.geometry.z)
    raw = json.loads(path.read_bytes())["features"]
    assert column(path, "time").tolist() == [one["properties"]["time"] for one in raw]
    [when] = [array for array in scan.parts[0].arrays if array.name == "time"]
    assert when.attrs["role"] == "time"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("insitu-events/co2-concentration.csv", "no position columns.*have: Date, CO2, adjusted CO2"),
        ("insitu-events/seattle-weather.csv", "no position columns"),
        ("insitu-events/co2-mm-mlo.csv", "no position columns"),
        ("insitu-events/airports.csv", "no time column; have: iata, name"),
        ("insitu-events/windvectors.csv", "no time column"),
        ("vectors/ne_110m_populated_places_simple.json", "no time column"),
        ("vectors/ne_110m_coastline.json", "LineString"),
        ("destine-healpix/test_path_coverage.json", "say no date"),
    ],
)
def test_what_is_refused_by_name(test_data, name, reason):
    assert claimed(test_data / name)
    with pytest.raises(Unreadable, match=reason):
        scanned(test_data / name)


def test_the_climate_twin_at_native_resolution(test_data):
    path = test_data / "destine-healpix/test_geotiff.json"
    assert claimed(path)
    scan = scanned(path)
    assert times(path) == ["2021-01-01T00:00:00.000"]
    raw = json.loads(path.read_bytes())["coverages"][0]
    expected = {
        (round(lat, 9), round(lon, 9)): value
        for (lat, lon, _), value in zip(
            raw["domain"]["axes"]["composite"]["values"], raw["ranges"]["2t"]["values"], strict=True
        )
    }
    lon, lat = grid_from_json(scan.parts[0].grid).centres()
    found = column(path, "2t")[0]
    assert found.size == 13679
    assert {(round(a, 9), round(b, 9)): v for a, b, v in zip(lat, lon, found, strict=True)} == expected
    assert 47 < lat.min() < lat.max() < 55.2  # Germany, though Polytope calls its latitudes x
    cells = ring.lonlat_to_healpix(lon, lat, depth=10, ellipsoid="sphere")
    centre_lon, centre_lat = ring.healpix_to_lonlat(cells, depth=10, ellipsoid="sphere")
    np.testing.assert_allclose(centre_lon, lon, atol=1e-9)
    np.testing.assert_allclose(centre_lat, lat, atol=1e-9)
    [array, *_] = [one for one in scan.parts[0].arrays if one.name == "2t"]
    assert array.attrs["units"] == "K"
    assert array.attrs["mars:model"] == "ifs-nemo"


def test_members_and_levels_of_coverages(test_data):
    path = test_data / "destine-healpix/test_verticalprofile_coverage.json"
    [part] = scanned(path).parts
    assert [(axis.name, axis.kind, axis.values.size) for axis in part.axes] == [  # noqa: PD011 -- an axis, no frame
        ("number", "number", 2),
        ("time", "time", 2),
        ("pressure", "vertical", 7),
    ]
    assert part.axes[2].values.tolist() == [1, 2, 3, 5, 7, 10, 20]  # noqa: PD011 -- an axis, no frame
    assert part.axes[2].units == "hPa"
    grid = grid_from_json(part.grid)
    found = column(path, "q")
    for coverage in json.loads(path.read_bytes())["coverages"]:
        axes, metadata = coverage["domain"]["axes"], coverage["mars:metadata"]
        cell = grid.nearest(np.array(axes["longitude"]["values"]), np.array(axes["latitude"]["values"]))[0]
        at = (metadata["number"] - 1, metadata["step"], slice(None), cell)
        np.testing.assert_array_equal(found[at], coverage["ranges"]["q"]["values"])


def test_steps_of_coverages_become_valid_times(test_data):
    path = test_data / "destine-healpix/test_multipoint_coverage.json"
    assert times(path) == ["2025-06-23T00:00:00.000", "2025-06-23T01:00:00.000"]
    assert column(path, "2t").shape == (2, 2, 9)
    assert sorted(column(path, "2t").ravel()) == sorted(
        value for one in json.loads(path.read_bytes())["coverages"] for value in one["ranges"]["2t"]["values"]
    )


@pytest.mark.parametrize("name", ["point", "pointseries", "profile", "point-collection", "trajectory", "grid"])
def test_coverages_of_the_playground(test_data, name):
    path = test_data / f"reference/covjson/{name}.covjson"
    assert claimed(path)
    assert scanned(path).parts[0].arrays


@pytest.mark.parametrize(("name", "reason"), [("multipolygon", "areas"), ("grid-tiled", "tiles")])
def test_coverages_that_are_not_read(test_data, name, reason):
    with pytest.raises(Unreadable, match=reason):
        scanned(test_data / f"reference/covjson/{name}.covjson")


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("lat,lon,time,v", "1,2,2024-02-03T04:05:06.789Z,5", "2024-02-03T04:05:06.789"),
        ("lat,lon,time,v", "1,2,2024-02-03T04:05:06-05:30,5", "2024-02-03T09:35:06.000"),
        ("lat,lon,time,v", "1,2,2024-02-03 04:05,5", "2024-02-03T04:05:00.000"),
        ("Latitude,Longitude,Date,v", "1,2,2024-02-03,5", "2024-02-03T00:00:00.000"),
        ("y,x,timestamp,v", "1,2,1706933106,5", "2024-02-03T04:05:06.000"),
        ("y,x,timestamp,v", "1,2,1706933106789,5", "2024-02-03T04:05:06.789"),
        ("lat,lon,date,v", "1,2,20240203,5", "2024-02-03T00:00:00.000"),
        ("lat,lon,time,v", "1,2,1850,5", "1850-01-01T00:00:00.000"),
        ("lat,lon,date,time,v", "1,2,2024-02-03,04:05,5", "2024-02-03T04:05:00.000"),
        ("lat,lon,date,time,v", "1,2,20240203,0405,5", "2024-02-03T04:05:00.000"),
        ("lat,lon,year,month,day,hour,v", "1,2,2024,2,3,4,5", "2024-02-03T04:00:00.000"),
        ("lat,lng,year,month,v", "1,2,2024,2,5", "2024-02-01T00:00:00.000"),
        ("lat;lon;time;v", "1,0;2,0;2024-02-03T04:05:06Z;5,0", "2024-02-03T04:05:06.000"),
        ("lat\tlon\ttime\tv", "1\t2\t2024-02-03\t5", "2024-02-03T00:00:00.000"),
        ("\ufefflat,lon,time,v", "1,2,2024-02-03,5", "2024-02-03T00:00:00.000"),
        ("# a comment\nlat,lon,time,v", "1,2,2024-02-03,5", "2024-02-03T00:00:00.000"),
        ("geometry,time,v", "POINT (2 1),2024-02-03,5", "2024-02-03T00:00:00.000"),
    ],
)
def test_ways_to_write_where_and_when(tmp_path, header, row, expected):
    path = written(tmp_path / "t.csv", f"{header}\n{row}\n")
    assert times(path) == [expected]
    assert np.ravel(grid_from_json(scanned(path).parts[0].grid).centres()).tolist() == [2.0, 1.0]
    assert column(path, "v").tolist() == [[5.0]]


def test_parquet_of_many_stations(tmp_path):
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180, 180, 300), rng.uniform(-90, 90, 300)
    at = pd.date_range("2020-01-01", periods=200, freq="h", tz="Europe/Berlin")
    frame = pd.MultiIndex.from_product([range(300), at], names=["cell", "time"]).to_frame(index=False)
    frame = frame.assign(lon=lon[frame.cell], lat=lat[frame.cell], t=rng.normal(size=len(frame)).astype("f4"))
    frame = frame.sample(frac=0.9, random_state=1)
    path = tmp_path / "many.parquet"
    frame.to_parquet(path)
    assert claimed(path)
    found = column(path, "t")
    assert found.shape == (200, 300)
    grid_lon, grid_lat = grid_from_json(scanned(path).parts[0].grid).centres()
    order = np.array(
        [np.argmin(np.abs(grid_lon - one) + np.abs(grid_lat - two)) for one, two in zip(lon, lat, strict=True)]
    )
    step = ((frame.time - at[0]) / pd.Timedelta("1h")).round().astype(int).to_numpy()
    np.testing.assert_array_equal(found[step, order[frame.cell]], frame.t)
    assert np.isnan(found).sum() == found.size - len(frame)
    assert times(path)[0] == "2019-12-31T23:00:00.000"
    array = scanned(path).parts[0].arrays[0]
    assert READ.source(array, str(path)).stored((0, 0)) < path.stat().st_size


def test_geoparquet_in_another_crs(tmp_path):
    points = geopandas.GeoDataFrame(
        {"v": [1.0, 2.0], "time": pd.to_datetime(["2020-01-01", "2020-01-02"])},
        geometry=geopandas.points_from_xy([500000, 510000], [5500000, 5510000]),
        crs="EPSG:32633",
    )
    path = tmp_path / "g.parquet"
    points.to_parquet(path)
    assert claimed(path)
    lon, lat = grid_from_json(scanned(path).parts[0].grid).centres()
    plain = points.to_crs("OGC:CRS84").geometry
    np.testing.assert_allclose(lon, plain.x, atol=1e-9)
    np.testing.assert_allclose(lat, plain.y, atol=1e-9)


def test_many_rows_come_in_chunks_and_to_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("terrella.cubes.columns.layout.CHUNK", 1 << 12)
    rows = 6000
    rng = np.random.default_rng(5)
    table = pa.table(
        {
            "lon": rng.uniform(-180, 180, rows),
            "lat": rng.uniform(-90, 90, rows),
            "time": pa.array(np.arange(rows) * 1000, pa.timestamp("ms")),
            "v": rng.normal(size=rows),
        }
    )
    path = tmp_path / "big.parquet"
    pq.write_table(table, path)
    [array] = [one for one in scanned(path).parts[0].arrays if one.name == "v"]
    assert array.chunks == (1 << 12,)
    source = READ.source(array, str(path))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(source.load, [(0,), (1,), (0,), (1,)]))
    np.testing.assert_array_equal(np.concatenate(parts[:2]), table["v"].to_numpy())
    np.testing.assert_array_equal(parts[3], parts[1])


def test_a_changed_table_is_noticed(tmp_path):
    path = written(tmp_path / "s.csv", STATIONS)
    array = scanned(path).parts[0].arrays[0]
    source = READ.source(array, str(path))
    assert source.load((0, 0)).shape == (2, 2)
    written(path, STATIONS + "Rome,41.9,12.5,2024-01-01T02:00:00Z,7,1,\n")
    with pytest.raises(Unreadable, match="changed"):
        source.load((0, 0))


def test_rows_without_a_place_or_time_are_told(tmp_path):
    path = written(tmp_path / "s.csv", "lat,lon,time,v\n1,2,2020-01-01,5\n,2,2020-01-01,6\n1,2,,7\n")
    assert scanned(path).notes == ("2 rows without a position or a time are left out",)
    assert column(path, "v").tolist() == [[5.0]]


def test_latin_1(tmp_path):
    path = tmp_path / "s.csv"
    path.write_bytes("lat,lon,time,Höhe [m],station\n1,2,2020-01-01,5,Zürich\n".encode("latin-1"))
    scan = scanned(path)
    assert scan.attrs["cell_names"] == ["Zürich"]
    assert scan.parts[0].arrays[0].name == "Höhe"


POINT = {"type": "Feature", "properties": {"time": "2020-01-01"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "lat,lon,time,v\n", "no row|empty|No row"),
        ("a.csv", "lat,lon,time,v\n95,0,2020-01-01,1\n", "not on the Earth"),
        ("a.csv", "x,y,time,v\n500000,5000000,2020-01-01,1\n", "not on the Earth"),
        ("a.csv", "lat,lon,time,v\n1,2,03/04/2020,1\n", "not in ISO 8601"),
        ("a.csv", "lat,lon,time,v\n1,2,7,1\n", "say no date"),
        ("a.csv", "lat,lon,year,month,day,v\n1,2,2020,2,30,1\n", "does not exist"),
        ("a.csv", "lat,lon,time,v\na,b,2020-01-01,1\n", "should hold numbers"),
        ("a.csv", "lat,lon,time,v\n1,2,2020-01-01\n", "broken"),
        ("a.csv", "lat,lon,time,lat\n1,2,2020-01-01,5\n", "one name"),
        ("a.csv", "lat,lon,time,name\n1,2,2020-01-01,x\n", "no column of numbers"),
        ("a.csv", "geometry,time,v\nnonsense,2020-01-01,1\n", "WKT"),
        ("a.csv", '"' + "a" * 2_000_000, "header"),
        ("a.csv", "lat,lon,time,v\n1,2,2020-01-01,1\n" + "9" * 20_000_000, "broken|longer"),
        ("a.csv", ",".join(f"c{i}" for i in range(3000)) + "\n", "columns"),
        ("a.geojson", json.dumps({"type": "FeatureCollection", "features": []}), "nothing"),
        ("a.geojson", json.dumps({"type": "FeatureCollection", "features": [1, None]}), "None"),
        ("a.geojson", json.dumps({"type": "FeatureCollection", "features": 5}), "no FeatureCollection"),
        ("a.geojson", json.dumps(POINT), "no FeatureCollection"),
        (
            "a.geojson",
            json.dumps(
                {"type": "FeatureCollection", "features": [POINT | {"geometry": {"type": "Point", "coordinates": [1]}}]}
            ),
            "broken Point",
        ),
        (
            "a.geojson",
            json.dumps(
                {"type": "FeatureCollection", "crs": {"properties": {"name": "EPSG:3857"}}, "features": [POINT]}
            ),
            "EPSG:3857",
        ),
        ("a.geojson", '{"type":"FeatureCollection","features":' + "[" * 500_000, "broken"),
        ("a.covjson", '{"type":"Coverage"}', "broken"),
        (
            "a.covjson",
            '{"type":"Coverage","domain":{"axes":{"x":{"start":0,"stop":1,"num":99999999999}}},"ranges":{}}',
            "at most",
        ),
    ],
)
def test_broken_tables(tmp_path, name, text, reason):
    path = written(tmp_path / name, text)
    with pytest.raises(Unreadable, match=reason) as caught:
        scanned(path)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 500


def test_broken_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"lat": [1.0], "lon": [2.0], "time": ["2020-01-01"], "v": [1]}), path)
    whole = path.read_bytes()
    assert column(path, "v").tolist() == [[1.0]]
    for data in (whole[:-6], b"PAR1" + bytes(50), whole[:60] + b"\xff" * 60 + whole[120:]):
        path.write_bytes(data)
        with pytest.raises(Unreadable):
            scanned(path)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(
    cells=some.lists(
        some.lists(some.text(alphabet="0123456789.-:T ZPOINT(),\"'\nNa", max_size=12), min_size=4, max_size=4),
        max_size=6,
    )
)
def test_any_csv_is_read_or_refused(tmp_path_factory, cells):
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    written(path, "lat,lon,time,v\n" + "\n".join(",".join(row) for row in cells))
    with suppress(Unreadable):
        scanned(path)
