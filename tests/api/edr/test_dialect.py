"""Each query on a live server, its numbers against the data that the files were made of."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import rasterio
from covjson_pydantic.coverage import Coverage, CoverageCollection
from shapely.geometry import Point, Polygon

NOON = "2024-01-01T12:00:00Z"


def values(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    document = answer.json()
    model = CoverageCollection if document["type"] == "CoverageCollection" else Coverage
    model.model_validate_json(answer.content)
    return np.array(document["ranges"]["t2m"]["values"], "f4").reshape(document["ranges"]["t2m"]["shape"])


def rows(answer) -> pd.DataFrame:
    assert answer.status_code == 200, answer.text
    return pd.read_csv(io.BytesIO(answer.content))


def test_landing_and_conformance(edr) -> None:
    landing = edr.get("/").json()
    for link in landing["links"]:
        assert edr.get(link["href"]).status_code == 200, link
    assert any(name.endswith("ogcapi-edr-1/1.1/conf/core") for name in edr.get("/conformance").json()["conformsTo"])
    description = edr.get("/api").json()
    assert description["openapi"].startswith("3.0")
    assert "/collections/{collection_id}/position" in description["paths"]


def test_collections(edr) -> None:
    found = edr.get("/collections").json()
    assert {one["id"] for one in found["collections"]} == {"weather", "ensemble", "stations"}
    first = edr.get("/collections?limit=1").json()
    assert len(first["collections"]) == 1
    link = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = edr.get(link).json()["collections"]
    assert second[0]["id"] != first["collections"][0]["id"]


def test_collections_in_a_box_and_time(edr) -> None:
    assert {c["id"] for c in edr.get("/collections?bbox=-100,-10,-90,10").json()["collections"]} == {"weather"}
    assert edr.get("/collections?datetime=1990-01-01/1990-02-01").json()["collections"] == []


def test_one_collection(edr) -> None:
    found = edr.get("/collections/ensemble").json()
    assert found["extent"]["vertical"]["interval"] == [["500", "1000"]]
    assert found["extent"]["temporal"]["values"][0] == "2024-01-01T00:00:00Z"
    assert [one["id"] for one in found["extent"]["custom"]] == ["number"]
    assert found["parameter_names"]["t"]["unit"]["symbol"]["value"] == "K"
    assert set(found["data_queries"]) == {
        "position",
        "radius",
        "area",
        "cube",
        "trajectory",
        "corridor",
        "locations",
        "items",
    }
    for query in found["data_queries"].values():
        assert query["link"]["variables"]["query_type"] in query["link"]["href"]
    weather = edr.get("/collections/weather").json()
    assert weather["parameter_names"]["t2m"]["measurementType"] == {"method": "mean", "duration": "PT3H"}


def test_position_series(edr, truth) -> None:
    answer = edr.get("/collections/weather/position?coords=POINT(13.4 52.5)&parameter-name=t2m")
    np.testing.assert_array_equal(values(answer).ravel(), truth.t2m.sel(lat=50, lon=10).to_numpy())
    axes = answer.json()["domain"]["axes"]
    assert (axes["x"]["values"], axes["y"]["values"]) == ([10.0], [50.0])
    assert axes["t"]["values"][1] == "2024-01-01T03:00:00Z"
    assert answer.headers["content-type"] == "application/prs.coverage+json"
    assert int(answer.headers["Terrella-Bytes-Read"]) >= 0
    assert answer.headers["Link"] == '</ogc/collections/weather>; rel="collection"'


def test_position_at_one_time(edr, truth) -> None:
    answer = edr.get(f"/collections/weather/position?coords=POINT(-70 -20)&parameter-name=t2m&datetime={NOON}")
    assert values(answer).ravel().tolist() == [float(truth.t2m.sel(lat=-20, lon=290).to_numpy()[4])]
    assert answer.json()["domain"]["domainType"] == "Point"


def test_positions(edr, truth) -> None:
    answer = edr.get("/collections/weather/position?coords=MULTIPOINT((0 0),(190 10))&parameter-name=t2m&f=csv")
    found = rows(answer)
    assert set(found.longitude) == {0, 190}  # asked beyond 180, answered beyond 180
    np.testing.assert_array_equal(
        found[found.longitude == 190].t2m.to_numpy("f4"), truth.t2m.sel(lat=10, lon=190).to_numpy()
    )


def test_latitude_first(edr) -> None:
    one = edr.get("/collections/weather/position?coords=POINT(52.5 13.4)&crs=EPSG:4326")
    two = edr.get("/collections/weather/position?coords=POINT(13.4 52.5)")
    assert one.content == two.content


def test_missing_is_null(edr) -> None:
    answer = edr.get(f"/collections/weather/position?coords=POINT(0 90)&parameter-name=t2m&datetime={NOON}")
    assert answer.json()["ranges"]["t2m"]["values"] == [None]


def test_area_with_a_hole(edr, truth) -> None:
    outer, hole = (
        [(-35, -35), (35, -35), (35, 35), (-35, 35), (-35, -35)],
        [(-15, -15), (15, -15), (15, 15), (-15, 15), (-15, -15)],
    )
    shape = Polygon(outer, [hole])
    answer = edr.get(
        "/collections/weather/area", params={"coords": shape.wkt, "datetime": NOON, "parameter-name": "t2m", "f": "csv"}
    )
    found = rows(answer)
    inside = {(lon, lat) for lon in range(-180, 180, 10) for lat in range(-90, 91, 10) if shape.covers(Point(lon, lat))}
    assert set(zip(found.longitude, found.latitude, strict=True)) == inside
    for row in found.itertuples():
        assert np.float32(row.t2m) == truth.t2m.sel(lat=row.latitude, lon=row.longitude % 360).to_numpy()[4]


def test_areas(edr) -> None:
    coords = "MULTIPOLYGON(((-5 -5,5 -5,5 5,-5 5,-5 -5)),((170 -5,190 -5,190 5,170 5,170 -5)))"
    answer = edr.get("/collections/weather/area", params={"coords": coords, "datetime": NOON, "f": "csv"})
    assert sorted(rows(answer).longitude) == [0, 170, 180, 190]


def test_radius(edr) -> None:
    answer = edr.get(f"/collections/weather/radius?coords=POINT(0 0)&within=1200&within-units=km&datetime={NOON}&f=csv")
    found = rows(answer)
    assert set(zip(found.longitude, found.latitude, strict=True)) == {(0, 0), (10, 0), (-10, 0), (0, 10), (0, -10)}


def test_box_over_the_antimeridian(edr, truth) -> None:
    answer = edr.get(f"/collections/weather/cube?bbox=170,-10,-170,10&parameter-name=t2m&datetime={NOON}")
    np.testing.assert_array_equal(values(answer)[0], truth.t2m.sel(lat=[10, 0, -10], lon=[170, 180, 190]).to_numpy()[4])
    x = np.array(answer.json()["domain"]["axes"]["x"]["values"])
    np.testing.assert_array_equal(x % 360, [170, 180, 190])


def test_box_over_greenwich(edr, truth) -> None:
    answer = edr.get(f"/collections/weather/cube?bbox=-10,0,10,10&parameter-name=t2m&datetime={NOON}")
    np.testing.assert_array_equal(values(answer)[0], truth.t2m.sel(lat=[10, 0], lon=[350, 0, 10]).to_numpy()[4])
    assert answer.json()["domain"]["axes"]["x"]["values"] == [-10, 0, 10]


def test_box_with_heights(edr, members) -> None:
    frame = rows(
        edr.get("/collections/ensemble/cube?bbox=0,45,500,5,50,900&number=1&datetime=2024-01-01T03:00:00Z&f=csv")
    )
    assert set(frame.pressure) == {850, 500}
    wanted = members.t.sel(number=1, pressure=[850, 500], lat=slice(50, 45), lon=slice(0, 5)).isel(time=1)
    assert sorted(frame.t) == sorted(wanted.to_numpy().ravel())


def test_members_and_levels(edr, members) -> None:
    answer = edr.get("/collections/ensemble/position?coords=POINT(10 50)&z=850&number=0,2")
    document = answer.json()
    assert [one["terrella:axes"]["number"] for one in document["coverages"]] == [0, 2]
    for one in document["coverages"]:
        wanted = members.t.sel(number=one["terrella:axes"]["number"], pressure=850, lat=50, lon=10).to_numpy()
        np.testing.assert_array_equal(one["ranges"]["t"]["values"], wanted)
        assert one["domain"]["axes"]["z"]["values"] == [850.0]


def test_profile(edr, members) -> None:
    document = edr.get(
        "/collections/ensemble/position?coords=POINT(10 50)&number=1&datetime=2024-01-01T00:00:00Z"
    ).json()
    assert document["domain"]["domainType"] == "VerticalProfile"
    np.testing.assert_array_equal(
        document["ranges"]["t"]["values"], members.t.sel(number=1, lat=50, lon=10).isel(time=0).to_numpy()
    )


@pytest.mark.parametrize("z", ["500/900", "850,500", "R2/500/350"])
def test_ways_to_name_levels(edr, z) -> None:
    found = rows(edr.get(f"/collections/ensemble/position?coords=POINT(10 50)&number=1&z={z}&f=csv"))
    assert set(found.pressure) == {850, 500}


def test_point_with_its_level(edr) -> None:
    found = rows(edr.get("/collections/ensemble/position?coords=POINTZ(10 50 850)&number=1&f=csv"))
    assert set(found.pressure) == {850}


def test_trajectory_with_times_and_heights(edr, members) -> None:
    seconds = (members.time.to_numpy()[:3].astype("M8[s]").astype(int)).tolist()
    coords = f"LINESTRINGZM(0 50 850 {seconds[0]},5 50 500 {seconds[1]},10 50 1000 {seconds[2]})"
    answer = edr.get("/collections/ensemble/trajectory", params={"coords": coords, "number": "1"})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["domain"]["domainType"] == "Trajectory"
    t = members.t.sel(number=1, lat=50)
    wanted = [t.sel(lon=lon, pressure=p).to_numpy()[k] for k, (lon, p) in enumerate([(0, 850), (5, 500), (10, 1000)])]
    np.testing.assert_array_equal(document["ranges"]["t"]["values"], wanted)


def test_trajectory_at_a_time(edr, truth) -> None:
    answer = edr.get(
        f"/collections/weather/trajectory?coords=LINESTRING(0 50,10 40,20 30)&parameter-name=t2m&datetime={NOON}"
    )
    wanted = [float(truth.t2m.sel(lat=lat, lon=lon).to_numpy()[4]) for lon, lat in [(0, 50), (10, 40), (20, 30)]]
    assert values(answer).ravel().tolist() == wanted


def test_corridor(edr) -> None:
    query = "coords=LINESTRING(-20 0,20 0)&corridor-width=500&width-units=km&parameter-name=t2m"
    found = rows(edr.get(f"/collections/weather/corridor?{query}&datetime={NOON}&f=csv"))
    assert set(found.latitude) == {0}
    assert {-20, -10, 0, 10, 20} <= set(found.longitude)


def test_post_gives_the_same(edr) -> None:
    asked = {"coords": "POINT(13.4 52.5)", "parameter-name": "t2m", "f": "csv"}
    wanted = edr.get("/collections/weather/position", params=asked).content
    assert edr.post("/collections/weather/position", data=asked).content == wanted
    assert edr.post("/collections/weather/position", json=asked | {"parameter-name": ["t2m"]}).content == wanted


def test_stations_are_locations(edr) -> None:
    found = edr.get("/collections/stations/locations").json()
    assert found["numberMatched"] == 3
    berlin = next(one for one in found["features"] if one["geometry"]["coordinates"] == [13.4, 52.5])
    table = rows(edr.get(f"/collections/stations/locations/{berlin['id']}?f=csv"))
    assert table.temperature.tolist() == [10, 11, 12]
    assert edr.get("/collections/weather/locations/Atlantis").status_code == 404
    assert len(edr.get("/collections/stations/locations?bbox=0,40,20,60").json()["features"]) == 2


def test_items(edr) -> None:
    found = edr.get("/collections/weather/items").json()
    assert found["numberReturned"] == 1
    one = edr.get(f"/collections/weather/items/{found['features'][0]['id']}").json()
    assert one["collection"] == "weather"


def test_instances_are_an_axis(edr) -> None:
    answer = edr.get("/collections/weather/instances")
    assert answer.status_code == 404
    assert "reference_time" in answer.json()["detail"]


def test_tags(edr) -> None:
    url = "/collections/weather/position?coords=POINT(1 2)"
    tag = edr.get(url).headers["etag"]
    assert edr.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert edr.get(url + "&f=csv").headers["etag"] != tag


def test_files_have_names(edr) -> None:
    answer = edr.get("/collections/weather/cube?bbox=0,0,30,30&parameter-name=t2m&f=geotiff")
    assert answer.headers["content-disposition"] == 'attachment; filename="weather-cube.tif"'
    with rasterio.MemoryFile(answer.content) as memory, memory.open() as found:
        assert found.count == 16


def test_receipt_names_the_licence(edr) -> None:
    slip = edr.get("/collections/weather/position?coords=POINT(1 2)").json()["terrella:receipt"]
    assert slip["licence"] == "CC-BY-4.0"
    assert slip["collection"] == "weather"
    assert json.dumps(slip)


def test_too_large_says_what_would_pass(edr, site, monkeypatch) -> None:
    monkeypatch.setattr(site.extractor, "_limits", site.extractor._limits.__class__(values=50))
    answer = edr.get("/collections/weather/cube?bbox=-180,-90,180,90&parameter-name=t2m")
    assert answer.status_code == 413
    details = answer.json()["details"]
    assert {"estimate", "limit", "suggestion"} <= set(details)
