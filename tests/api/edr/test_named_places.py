"""Regions, cells and frames over HTTP: the values are those of the grid's cells that the shape holds."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import h3
import httpx
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from owslib.ogcapi.edr import EnvironmentalDataRetrieval

from terrella.extraction.regions import region
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.site.site import Site

LAT, LON = np.arange(89.5, -90, -1.0), np.arange(-179.5, 180, 1.0)
PLACES = np.stack(np.meshgrid(LON, LAT), axis=-1).reshape(-1, 2)
VALUES = np.random.default_rng(8).normal(280, 10, (2, LAT.size, LON.size)).astype("f4")
ACROSS = shapely.MultiPolygon([shapely.box(170, -20, 180, -5), shapely.box(-180, -20, -170, -5)])
RING = shapely.Polygon(
    shapely.box(0, 40, 20, 60).exterior.coords, holes=[list(shapely.box(5, 45, 15, 55).exterior.coords)]
)
TROPICS = shapely.box(-180, -23, 180, 23)


def write_field(path: Path) -> None:
    times = np.array(["2024-01-01", "2024-01-02"], "M8[ns]")
    coords = {
        "time": times,
        "lat": ("lat", LAT, {"units": "degrees_north"}),
        "lon": ("lon", LON, {"units": "degrees_east"}),
    }
    data = xr.Variable(("time", "lat", "lon"), VALUES, {"units": "K", "standard_name": "air_temperature"})
    attrs = {
        "license": "CC-BY-4.0",
        "institution": "Institute of Fields",
        "doi": "https://doi.org/10.1234/field.1",
        "citation": "Institute of Fields (2024): A field.",
    }
    xr.Dataset({"t2m": data}, coords, attrs).to_netcdf(path, engine="netcdf4")


def write_regions(folder: Path) -> list[Path]:
    """The same three outlines as GeoParquet in another system, and as GeoJSON with a repeated name."""
    frame = geopandas.GeoDataFrame(
        {"REGION_ID": ["ring", "belt"], "NAME": ["Überring", "Tropics"], "level": [1, 2]},
        geometry=[RING, TROPICS],
        crs="EPSG:4326",
    )
    frame.to_parquet(folder / "zones.parquet")
    features = [
        {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": shapely.geometry.mapping(outline)}
        for code, name, outline in (("F1", "Fiji box", ACROSS), ("R1", "Ring", RING), ("R2", "Ring", RING))
    ]
    (folder / "boxes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return [folder / "zones.parquet", folder / "boxes.geojson"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("named")
    write_field(folder / "field.nc")
    with Site.open(folder / "home", reading={"scanners": 1}, limits={"values": 150_000}) as site:
        report = site.add(folder / "field.nc", *write_regions(folder))
        assert not report.failures, report
        assert {one.id for one in report.collections} == {"field", "zones", "boxes"}
        site.scanners.close()
        with serving(site) as made:
            yield made


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/ogc/collections/field", timeout=60) as made:
        yield made


def cells(answer: httpx.Response) -> set[int]:
    """Which cells of the grid are in a CSV answer; each has the value that was written there."""
    assert answer.status_code == 200, answer.text
    table = pd.read_csv(io.BytesIO(answer.content))
    table = table[table.time == table.time.min()]
    rows, columns = np.round(89.5 - table.latitude).astype(int), np.round(table.longitude + 179.5).astype(int) % 360
    np.testing.assert_array_equal(VALUES[0, rows, columns], table.t2m.to_numpy("f4"))
    return set((rows * LON.size + columns).tolist())


def values_of(document: dict[str, Any]) -> np.ndarray:
    """All values of a CoverageJSON document, whether it is one coverage or several."""
    parts = document.get("coverages", [document])
    return np.concatenate([np.array(one["ranges"]["t2m"]["values"], "f4") for one in parts])


def inside(outline: shapely.Geometry) -> set[int]:
    return set(np.flatnonzero(shapely.intersects_xy(outline, PLACES)).tolist())


@pytest.mark.parametrize(
    ("name", "outline"),
    [
        ("France", None),
        ("fiji", None),
        ("countries:Antarctica", None),
        ("250", None),
        ("zones:ring", RING),
        ("zones:uberring", RING),
        ("zones:belt", TROPICS),
        ("boxes:F1", ACROSS),
        ("boxes:fiji box", ACROSS),
        ("boxes:R2", RING),
    ],
)
def test_a_region_by_name(client: httpx.Client, name: str, outline: shapely.Geometry | None) -> None:
    if outline is None:
        outline = region({"250": "France", "countries:Antarctica": "Antarctica"}.get(name, name))
    wanted = inside(outline)
    found = cells(client.get("/area", params={"region": name, "f": "csv"}))
    assert found == wanted
    assert cells(client.post("/area", data={"region": name, "f": "csv"})) == wanted
    assert cells(client.get(f"/locations/{name}", params={"f": "csv"})) == wanted
    assert cells(client.post(f"/locations/{name}", json={"f": "csv"})) == wanted


@pytest.mark.parametrize("index", [h3.latlng_to_cell(*place, 1) for place in ((90, 0), (48, 11), (-17, 180), (0, 0))])
def test_a_hexagon_holds_what_the_library_says(client: httpx.Client, index: str) -> None:
    wanted = {n for n, (lon, lat) in enumerate(PLACES.tolist()) if h3.latlng_to_cell(lat, lon, 1) == index}
    assert cells(client.get("/area", params={"cell": f"h3:{index}", "f": "csv"})) == wanted


@pytest.mark.parametrize(
    ("cell", "outline"),
    [
        ("mgrs:33U", shapely.box(12, 48, 18, 56)),
        ("mgrs:32V", shapely.box(3, 56, 12, 64)),
        ("mgrs:Y", shapely.box(-180, 84, 0, 90)),
        ("geohash:u3", shapely.box(11.25, 50.625, 22.5, 56.25)),
        ("tile:wgs84:2/0/1", shapely.box(-180, 0, -135, 45)),
        ("TILE:0/0/0", shapely.box(-180, -85.06, 180, 85.06)),
    ],
)
def test_a_cell_with_known_edges(client: httpx.Client, cell: str, outline: shapely.Geometry) -> None:
    assert cells(client.get("/area", params={"cell": cell, "f": "csv"})) == inside(outline)


def test_a_pixel_is_a_twelfth_of_the_sphere(client: httpx.Client) -> None:
    parts = [cells(client.get("/area", params={"cell": f"healpix:1:nested:{n}", "f": "csv"})) for n in range(12)]
    assert sum(len(one) for one in parts) == len(set().union(*parts)) == len(PLACES)


@pytest.mark.parametrize("text", ["0,40,20,60,5,45,15,55", "170,-20,-170,-5,175,-15,-175,-10"])
def test_a_frame(client: httpx.Client, text: str) -> None:
    outer, inner = np.array(text.split(","), float).reshape(2, 4)
    lon, lat = PLACES.T

    def holds(box: np.ndarray) -> np.ndarray:
        east = np.mod(lon - box[0], 360) <= np.mod(box[2] - box[0], 360)
        return east & (lat >= box[1]) & (lat <= box[3])

    wanted = set(np.flatnonzero(holds(outer) & ~holds(inner)).tolist())
    assert cells(client.get("/area", params={"frame": text, "f": "csv"})) == wanted


def test_geojson_is_as_good_as_wkt(client: httpx.Client) -> None:
    document = shapely.geometry.mapping(RING)
    wanted = inside(RING)
    assert cells(client.get("/area", params={"coords": json.dumps(document), "f": "csv"})) == wanted
    assert cells(client.post("/area", json={"coords": document, "f": "csv"})) == wanted
    feature = {"type": "Feature", "geometry": document, "properties": {}}
    assert cells(client.post("/area", json={"coords": feature, "f": "csv"})) == wanted
    backwards = shapely.geometry.mapping(RING.reverse())
    assert cells(client.post("/area", json={"coords": backwards, "f": "csv"})) == wanted
    point = {"type": "Point", "coordinates": [10.4, 50.4]}
    assert len(cells(client.get("/position", params={"coords": json.dumps(point), "f": "csv"}))) == 1


@pytest.mark.parametrize(
    "asked",
    [{"region": "zones:ring"}, {"region": "Chad"}, {"cell": "mgrs:33U"}, {"frame": "0,40,20,60,5,45,15,55"}],
)
def test_every_name_has_a_price(client: httpx.Client, asked: dict[str, str]) -> None:
    price = client.get("/area/estimate", params=asked).json()
    assert price["passes"] is True
    posted = client.post("/area/estimate", json=asked).json()
    assert posted | {"seconds": 0} == price | {"seconds": 0}, "only time is never the same"
    assert price["cells"] == len(cells(client.get("/area", params=asked | {"f": "csv"})))
    if "region" in asked:
        there = f"/locations/{asked['region']}/estimate"
        assert client.get(there).json() | {"seconds": 0} == price | {"seconds": 0}
        posted = client.post(there, data={}, headers={"Content-Type": "application/json"}, content=b"{}").json()
        assert posted | {"seconds": 0} == price | {"seconds": 0}


def test_what_is_too_large_is_refused_with_a_way_out(client: httpx.Client) -> None:
    answer = client.get("/area", params={"cell": "tile:0/0/0", "cells": "centre", "number": "1"})
    assert answer.status_code == 400
    refused = client.get("/area", params={"region": "zones:belt", "cells": "overlap"})
    assert refused.status_code == 200
    assert client.get("/area/estimate", params={"cell": "mgrs:33U"}).json()["limits"]["values"] == 150_000


def test_regions_are_reduced_and_weighed(client: httpx.Client) -> None:
    asked = {"region": "boxes:F1", "reduce": "mean:space", "cells": "overlap", "datetime": "2024-01-01", "f": "csv"}
    table = pd.read_csv(io.BytesIO(client.get("/area", params=asked).content))
    some = np.array(sorted(inside(ACROSS)))
    edges = np.sin(np.radians(PLACES[some, 1] + 0.5)) - np.sin(np.radians(PLACES[some, 1] - 0.5))
    assert table.t2m[0] == pytest.approx(np.average(VALUES[0].ravel()[some], weights=edges), rel=1e-6)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_the_list_of_places_goes_by_pages(client: httpx.Client) -> None:
    found = client.get("/locations").json()
    assert found["numberReturned"] == len(found["features"]) == 100
    names = [one["id"] for one in found["features"]]
    while after := next((link["href"] for link in found["links"] if link["rel"] == "next"), None):
        found = client.get(after).json()
        names += [one["id"] for one in found["features"]]
    assert len(names) == len(set(names)) == found["numberMatched"] == 246
    assert {"France", "boxes:F1", "boxes:R2", "zones:ring"} <= set(names)


def test_the_list_of_places_has_filters(client: httpx.Client) -> None:
    def ids(**asked: str) -> set[str]:
        return {one["id"] for one in client.get("/locations", params=asked).json()["features"]}

    assert ids(source="zones") == {"zones:ring", "zones:belt"}
    assert ids(q="ring") == {"zones:ring", "boxes:R1", "boxes:R2"}
    assert ids(q="cote d'iv") == {"Côte d'Ivoire"}
    around_fiji = ids(bbox="176,-19,-179,-16")
    assert {"Fiji", "boxes:F1", "zones:belt"} <= around_fiji
    assert not {"zones:ring", "France"} & around_fiji
    assert ids(datetime="2024", source="boxes", limit="1") == {"boxes:F1"}


def test_outlines_in_the_list(client: httpx.Client) -> None:
    for geometry in ("simplified", "full", "box"):
        asked = {"q": "fiji", "geometry": geometry}
        for feature in client.get("/locations", params=asked).json()["features"]:
            outline = shapely.geometry.shape(feature["geometry"])
            wanted = ACROSS if feature["id"] == "boxes:F1" else region("Fiji")
            assert outline.is_valid
            if geometry == "full":
                assert outline.equals(wanted)
            if geometry == "box":
                assert outline.area < 30 * 20
                assert outline.buffer(1e-9).covers(wanted)
            assert outline.hausdorff_distance(wanted) < (20 if geometry == "box" else 0.11)


def test_owslib_lists_and_asks_places(address: str) -> None:
    service = EnvironmentalDataRetrieval(f"{address}/ogc/")
    listed = service.query_data("field", "locations")
    there = next(one for one in listed["features"] if one["id"] == "Belgium")
    document = service.query_data("field", f"locations/{there['id']}", datetime_="2024-01-01T00:00:00Z")
    assert values_of(document).size == len(inside(region("Belgium"))) == 3
    answer = httpx.get(there["properties"]["edrqueryendpoint"], params={"f": "csv"})
    assert cells(answer) == inside(region("Belgium"))
    document = service.query_data("field", "locations/zones:ring", datetime_="2024-01-02", parameter_names=["t2m"])
    np.testing.assert_array_equal(np.sort(values_of(document)), np.sort(VALUES[1].ravel()[sorted(inside(RING))]))
    whole = service.query_data(
        "field", "area", coords=json.dumps(shapely.geometry.mapping(RING)), datetime_="2024-01-02"
    )
    np.testing.assert_array_equal(values_of(whole), values_of(document))


# --- credit ----------------------------------------------------------------------------------------------------------


def test_answers_say_what_to_cite(client: httpx.Client, tmp_path: Path) -> None:
    asked = {"region": "France", "datetime": "2024-01-01"}
    answer = client.get("/area", params=asked)
    slip = answer.json()["terrella:receipt"]
    assert slip["citation"] == "Institute of Fields (2024): A field."
    assert slip["doi"] == "10.1234/field.1"
    assert slip["licence"] == "CC-BY-4.0"
    assert slip["providers"] == ["Institute of Fields"]
    assert slip["software"].startswith("terrella ")
    assert slip["items"] == ["field"]
    assert slip["item_versions"] == ["1"]
    assert len(slip["request"]) == 64
    assert '<https://doi.org/10.1234/field.1>; rel="cite-as"' in answer.headers["link"]
    again = client.get("/area", params=asked, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["link"] == answer.headers["link"]
    (tmp_path / "a.nc").write_bytes(client.get("/cube?bbox=0,40,20,60&f=netcdf").content)
    with xr.open_dataset(tmp_path / "a.nc", engine="netcdf4") as found:
        assert found.attrs["license"] == "CC-BY-4.0"
        assert found.attrs["references"] == "Institute of Fields (2024): A field. https://doi.org/10.1234/field.1"
        assert found.attrs["institution"] == "Institute of Fields"
    said = httpx.get(str(client.base_url).rstrip("/")).json()
    assert said["sci:doi"] == "10.1234/field.1"
    assert said["license"] == "CC-BY-4.0"


def test_a_changed_citation_is_told(tmp_path: Path, serving) -> None:
    write_field(tmp_path / "field.nc")
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        site.add(tmp_path / "field.nc")
        site.scanners.close()
        with serving(site) as address:
            url = f"{address}/ogc/collections/field/position?coords=POINT(3 3)"
            before = httpx.get(url)
            document = json.loads(site.catalog.collection(OPERATOR, "field"))
            document |= {"sci:citation": "Cite this.", "sci:doi": "10.99999/new"}
            document["links"] = [{"rel": "license", "href": "https://example.org/licence"}]
            site.lake.put_collection(OPERATOR, document)
            after = httpx.get(url, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["terrella:receipt"]["citation"] == "Cite this."
    assert '<https://doi.org/10.99999/new>; rel="cite-as"' in after.headers["link"]
    assert '<https://example.org/licence>; rel="license"' in after.headers["link"]
    assert after.json()["terrella:receipt"]["request"] == before.json()["terrella:receipt"]["request"]


def test_a_changed_outline_is_another_request(tmp_path: Path, serving) -> None:
    write_field(tmp_path / "field.nc")
    paths = write_regions(tmp_path)
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        site.add(tmp_path / "field.nc", *paths)
        site.scanners.close()
        with serving(site) as address:
            url = f"{address}/ogc/collections/field/area?region=boxes:F1&f=csv"
            before = httpx.get(url)
            document = json.loads(paths[1].read_text())
            document["features"][0]["geometry"] = shapely.geometry.mapping(RING)
            paths[1].write_text(json.dumps(document))
            after = httpx.get(url, headers={"If-None-Match": before.headers["etag"]})
            paths[1].unlink()
            gone = httpx.get(url)
            listed = httpx.get(f"{address}/ogc/collections/field/locations?q=ring").json()
    assert cells(before) == inside(ACROSS)
    assert cells(after) == inside(RING)
    assert gone.status_code in {404, 422}
    assert "gone" in gone.json()["detail"] or "No such file" in gone.json()["detail"]
    assert [one["id"] for one in listed["features"]] == ["zones:ring"]


def test_only_files_that_were_added_are_opened(tmp_path: Path, serving) -> None:
    """An item that names another file as regions does not make it be read."""
    write_field(tmp_path / "field.nc")
    paths = write_regions(tmp_path)
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        site.add(tmp_path / "field.nc", paths[0])
        site.scanners.close()
        item = next(json.loads(one) for one in site.catalog.search(OPERATOR, Search(("zones",))).documents)
        item |= {"id": "foreign", "assets": {"data": {"href": str(paths[1]), "roles": ["regions"]}}}
        site.lake.put_items(OPERATOR, [item])
        with serving(site) as address:
            answer = httpx.get(f"{address}/ogc/collections/field/area?region=zones:F1")
            known = httpx.get(f"{address}/ogc/collections/field/area?region=zones:ring&f=csv")
    assert answer.status_code == 400
    assert cells(known) == inside(RING)


# --- what is wrong ---------------------------------------------------------------------------------------------------

WRONG = [
    ("/area?region=Frence", 400, "region", "France"),
    ("/area?region=zones:rings", 400, "region", "ring"),
    ("/area?region=zonez:ring", 400, "region", "zones"),
    ("/area?region=field:ring", 400, "region", "countries"),
    ("/area?region=boxes:Ring", 400, "region", "'R1', 'R2'"),
    ("/area?region=:ring", 400, "region", "COLLECTION:NAME"),
    ("/area?region=zones:", 400, "region", "ring"),
    ("/area?region=" + "x" * 300, 400, "region", "at most 200"),
    ("/area?region=", 400, "region", "empty"),
    ("/area?region=a%00b", 400, "region", ""),
    ("/area?region=France&cell=mgrs:33U", 400, "cell", "one shape"),
    ("/area?region=France&coords=POLYGON((0 0,9 0,9 9,0 0))", 400, "coords", "one shape"),
    ("/area", 400, "coords", "missing"),
    ("/area?cell=33U", 400, "cell", "mgrs:33UUU"),
    ("/area?cell=s2:89c25", 400, "cell", "SYSTEM:ID"),
    ("/area?cell=mgrs:33UAA", 400, "mgrs", "S to Z"),
    ("/area?cell=mgrs:34X", 400, "mgrs", "37X"),
    ("/area?cell=h3:xyz", 400, "h3", "15 hexadecimal"),
    ("/area?cell=h3:" + "f" * 400, 400, "h3", "15 hexadecimal"),
    ("/area?cell=geohash:abc", 400, "geohash", "without a"),
    ("/area?cell=tile:1/2/0", 400, "tile", "0..1"),
    ("/area?cell=tile:99/0/0", 400, "tile", "zoom 30"),
    ("/area?cell=healpix:3:nested:1", 400, "healpix", "power of 2"),
    ("/area?cell=healpix:2:nested:48", 400, "healpix", "0..47"),
    ("/area?frame=1,2,3", 400, "frame", "8 numbers"),
    ("/area?frame=0,0,9,9,1,1,8,nan", 400, "frame", "numbers"),
    ("/area?frame=0,0,9,91,1,1,8,8", 400, "frame", "Latitudes"),
    ("/area?frame=0,0,9,9,1,1,12,8", 400, "frame", "inside"),
    ("/area?frame=0,0,9,9,1,1,8,12", 400, "frame", "inside"),
    ("/area?frame=1,1,8,8,0,0,9,9", 400, "frame", "inside"),
    ("/area?cell=mgrs:33UUU9142020077", 400, None, "No cell centre lies in it"),
    ("/area?region=France&reduce=mode:space", 400, "reduce", "quantile"),
    ("/area?region=France&reduce=quantile(1.5):space", 400, "reduce", "0..1"),
    ("/area?region=France&reduce=mean:pressure", 400, "reduce", ""),
    ("/area?region=France&cells=nearest", 400, "cells", "centre"),
    ("/area?region=France&z=850", 400, "z", "no levels"),
    (
        '/area?coords={"type":"Polygon","coordinates":[[[0,0],[9,9],[9,0],[0,9],[0,0]]]}',
        400,
        "coords",
        "crosses itself",
    ),
    ('/area?coords={"type":"Polygon","coordinates":[[[0,0],[9,91],[9,0],[0,0]]]}', 400, "coords", "latitude"),
    ('/area?coords={"type":"Polygon","coordinates":[[[0,0],[9,"a"],[9,0],[0,0]]]}', 400, "coords", "GeoJSON"),
    ('/area?coords={"type":"Polygon","coordinates":[[]]}', 400, "coords", ""),
    ('/area?coords={"type":"Point","coordinates":[0,0]}', 400, "coords", "Polygon or MultiPolygon"),
    ('/area?coords={"type":"Polygon"', 400, "coords", "GeoJSON"),
    ("/radius?coords=POINT(1 2)&within=0&within-units=km", 400, "within", "above 0"),
    ("/radius?coords=POINT(1 2)&within=1e9&within-units=km", 400, "within", "at most"),
    ("/position?coords=POINT(1 2)&region=France", 400, "region", "no parameter"),
    ("/locations/Atlantis", 404, "locationId", "/locations"),
    ("/locations/zones:Atlantis", 404, "locationId", "Tropics"),
    ("/locations/France?z=850", 400, "z", "no levels"),
    ("/locations/France?foo=1", 400, "foo", "no parameter"),
    ("/locations/France/estimate?foo=1", 400, "foo", "no parameter"),
    ("/locations?source=zonez", 400, "source", "zones"),
    ("/locations?geometry=round", 400, "geometry", "simplified"),
    ("/locations?limit=0", 400, "limit", "1 to 1000"),
    ("/locations?token=x", 400, "token", "whole number"),
    ("/locations?bbox=1,2,3", 400, "bbox", "4 numbers"),
    ("/locations?datetime=yesterday", 400, "datetime", ""),
]


@pytest.mark.parametrize(("path", "status", "parameter", "said"), WRONG)
def test_what_is_wrong_is_told_before_anything_is_read(
    client: httpx.Client, path: str, status: int, parameter: str | None, said: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert said in problem["detail"]
    assert parameter is None or problem["parameter"] == parameter
    assert answer.headers.get("terrella-bytes-read", "0") == "0"


def test_a_million_vertices(client: httpx.Client) -> None:
    angles = np.linspace(0, 2 * np.pi, 1_000_000)
    places = np.round(np.column_stack([10 * np.cos(angles), 10 * np.sin(angles)]), 6)
    text = "POLYGON((" + ",".join(f"{x} {y}" for x, y in places.tolist()) + ",10.0 0.0))"
    for body in (
        {"data": {"coords": text}},
        {"json": {"coords": {"type": "Polygon", "coordinates": [places.tolist()]}}},
    ):
        answer = client.post("/area", **body)
        assert answer.status_code == 413
        assert "at most" in answer.json()["detail"]


def test_real_regions_over_a_real_field(test_data: Path, tmp_path: Path, serving) -> None:
    """Monthly means of a NUTS region equal those of its polygon as GDAL reads it, cell by cell."""
    path = test_data / "vectors/NUTS_RG_20M_2021_3035.shp.zip"
    field = test_data / "netcdf-climate/era5_2t_monthly_2000_2p5deg.nc"
    outlines = geopandas.read_file(path).to_crs("OGC:CRS84").set_index("NUTS_ID").geometry
    with xr.open_dataset(field, engine="netcdf4") as truth:
        name = next(name for name, one in truth.data_vars.items() if one.ndim == 3)
        values = truth[name].to_numpy()
        lat, lon = (
            next(truth[key].to_numpy() for key in truth.coords if key.startswith(start)) for start in ("lat", "lon")
        )
    lons, lats = np.meshgrid((lon + 180) % 360 - 180, lat)
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        assert not site.add(path, collection="nuts").failures
        (added,) = site.add(field).collections
        site.scanners.close()
        with serving(site) as address, httpx.Client(base_url=f"{address}/ogc/collections/{added.id}") as client:
            for code in ("FR", "DE", "NO", "TR"):
                asked = {"reduce": "mean:space:equal", "f": "csv"}
                answer = client.get(f"/locations/nuts:{code}", params=asked)
                assert answer.status_code == 200, answer.text
                found = pd.read_csv(io.BytesIO(answer.content))
                inside_ = shapely.intersects_xy(outlines[code], lons, lats)
                wanted = values[:, inside_].astype("f8").mean(axis=1)
                np.testing.assert_allclose(found[added.variables[0]], wanted, rtol=1e-6)
