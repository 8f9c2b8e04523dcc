"""Vector files against what GDAL reads in them, and against how they were written."""

import json
import warnings
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from terrella.cubes.vectors.reading import kind, read_features
from terrella.cubes.vectors.scanning import scan_features
from terrella.errors import Invalid, Unreadable

HOLED = shapely.Polygon(shapely.box(0, 40, 20, 60).exterior.coords, [list(shapely.box(5, 45, 15, 55).exterior.coords)])
SEVERAL = shapely.MultiPolygon([shapely.box(170, -20, 180, -5), shapely.box(-180, -20, -170, -5)])
REAL = [
    ("vectors/IPCC-WGI-reference-regions-v4.zip", "", "GIC"),
    ("vectors/NUTS_RG_20M_2021_3035.shp.zip", "", "FR"),
    ("vectors/major_basins.zip", "/major_basins/Major_Basins_of_the_World.shp", "2"),
    ("vectors/ne_110m_admin_0_countries.json", "", "AFG"),
    ("vectors/ne_50m_lakes.json", "", "0"),
    ("destine-healpix/NUTS_RG_60M_2021_4326_LEVL_0.geojson", "", "DK"),
]


@pytest.mark.parametrize(("name", "inner", "first"), REAL)
def test_real_files_equal_gdal(test_data, name, inner, first):
    path = test_data / name
    found = read_features(str(path))
    with warnings.catch_warnings(action="ignore"):
        frame = pyogrio.read_dataframe(f"/vsizip/{path}{inner}" if inner else path).to_crs("OGC:CRS84")
    assert found.ids[0] == first
    assert len(found.ids) == len(set(found.ids)) == len(frame)
    wanted = shapely.make_valid(frame.geometry.to_numpy())
    np.testing.assert_allclose(shapely.area(found.outlines), shapely.area(wanted), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(shapely.bounds(found.outlines), shapely.bounds(wanted), atol=1e-9)
    assert shapely.is_valid(found.outlines).all()


def test_names_of_regions(test_data):
    nuts = read_features(str(test_data / "vectors/NUTS_RG_20M_2021_3035.shp.zip"))
    assert nuts.ids[nuts.place("fr10")] == "FR10"
    assert nuts.ids[nuts.place("Bayern")] == "DE2"
    assert nuts.titles[nuts.place("DE2")] == "Bayern"
    with pytest.raises(Invalid, match="may mean 'FR1', 'FR10'"):
        nuts.place("Île-de-France")
    with pytest.raises(Invalid, match="Did you mean 'France'"):
        nuts.place("Frankreich")


def frame(**columns) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(columns, geometry=[HOLED, SEVERAL], crs="EPSG:4326")


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "OGC:CRS84"])
def test_the_same_polygons_from_three_kinds_of_file(tmp_path: Path, crs: str):
    made = frame(code=["H", "S"], name=["Holed", "Several"], rank=[1, 1]).to_crs(crs)
    made.to_parquet(tmp_path / "a.parquet")
    pyogrio.write_dataframe(made, tmp_path / "a.shp", encoding="UTF-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in sorted(tmp_path.glob("a.*")):
            if part.suffix in {".shp", ".dbf", ".prj", ".cpg"}:
                archive.write(part, part.name)
    document = json.loads(made.to_json())
    document["crs"] = {"type": "name", "properties": {"name": crs}}
    for feature in document["features"]:
        feature.pop("id")
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    kinds = {"a.parquet": "geoparquet", "a.zip": "shapefile", "a.geojson": "geojson"}
    for name, said in kinds.items():
        path = str(tmp_path / name)
        assert kind(path) == said
        found = read_features(path)
        assert found.ids == ("H", "S")
        assert found.titles == ("Holed", "Several")
        for outline, wanted in zip(found.outlines, (HOLED, SEVERAL), strict=True):
            assert shapely.hausdorff_distance(outline, wanted) < 1e-8
            assert abs(outline.area - wanted.area) < 1e-6


def test_an_outline_over_the_antimeridian_is_cut(tmp_path: Path):
    feature = {
        "type": "Feature",
        "id": 7,
        "properties": {},
        "geometry": shapely.geometry.mapping(shapely.box(170, 0, 190, 9)),
    }
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    found = read_features(str(tmp_path / "a.geojson"))
    assert found.ids == ("7",)
    assert found.outlines[0].equals(shapely.union_all([shapely.box(170, 0, 180, 9), shapely.box(-180, 0, -170, 9)]))


def test_outlines_that_cross_themselves_are_mended(tmp_path: Path):
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    line = {"type": "LineString", "coordinates": [[0, 0], [2, 2]]}
    features = [
        {"type": "Feature", "properties": {"id": n}, "geometry": one} for n, one in enumerate((bow, line, None))
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read_features(str(tmp_path / "a.geojson"))
    assert found.ids == ("0",)
    assert found.outlines[0].area == pytest.approx(2)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"type": "FeatureCollection", "features": []}, "no polygons"),
        (
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[1]]}}],
            },
            "broken",
        ),
        (
            {
                "type": "FeatureCollection",
                "crs": {"properties": {"name": "EPSG:0"}},
                "features": [{"type": "Feature", "geometry": shapely.geometry.mapping(HOLED)}],
            },
            "reference system",
        ),
    ],
)
def test_what_holds_no_polygons(tmp_path: Path, document, says):
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    with pytest.raises(Unreadable, match=says):
        read_features(str(tmp_path / "a.geojson"))


@pytest.mark.parametrize("cut", [40, 99, 110, 150, 300])
def test_a_broken_shapefile_is_told(test_data, tmp_path: Path, cut: int):
    with zipfile.ZipFile(test_data / "vectors/IPCC-WGI-reference-regions-v4.zip") as archive:
        name = next(one for one in archive.namelist() if one.endswith(".shp"))
        data = archive.read(name)[:cut]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.shp", data)
    with pytest.raises(Unreadable):
        read_features(str(tmp_path / "a.zip"))


def test_a_file_becomes_one_item(tmp_path: Path):
    frame(code=["H", "S"]).to_parquet(tmp_path / "zones.of.2024.parquet")
    found = scan_features(str(tmp_path / "zones.of.2024.parquet"), "table")
    (item,) = found.items
    assert item["id"] == "zones"
    assert item["bbox"] == [-180.0, -20.0, 180.0, 60.0]
    assert item["properties"]["terrella:regions"] == 2
    assert item["assets"]["data"]["roles"] == ["data", "regions"]
    assert not found.parts
