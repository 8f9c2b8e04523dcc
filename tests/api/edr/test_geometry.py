from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from terrella.api.edr.crs import crs_named
from terrella.api.edr.geometry import MOST_TEXT, MOST_VERTICES, parse_bbox, parse_wkt
from terrella.errors import Invalid, TooLarge
from terrella.model.space import Extent

ALL = ("POINT", "MULTIPOINT", "POLYGON", "MULTIPOLYGON", "LINESTRING", "MULTILINESTRING")
LONLAT = crs_named(None)


@pytest.mark.parametrize(
    "text",
    [
        "POINT(1 2)",
        " point ( 1 2 ) ",
        "POINTZ(1 2 3)",
        "POINT Z (1 2 3)",
        "MULTIPOINT((1 2),(3 4))",
        "MULTIPOINT(1 2,3 4)",
        "POLYGON((0 0,9 0,9 9,0 0),(2 1,3 1,3 2,2 1))",
        "MULTIPOLYGON(((0 0,9 0,9 9,0 0)),((20 0,29 0,29 9,20 0)))",
        "LINESTRINGM(1 2 3,4 5 6)",
        "LINESTRING ZM(1 2 3 4,4 5 6 7)",
        "POLYGON((170 -10,190 -10,190 10,170 10,170 -10))",
    ],
)
def test_what_is_read(text) -> None:
    found = parse_wkt(text, ALL, LONLAT)
    assert found.equals(shapely.from_wkt(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no WKT"),
        ("POINT", "no WKT"),
        ("POINT EMPTY", "empty"),
        ("POINT(1)", "no WKT"),
        ("POINT(1 2", "no WKT"),
        ("POINT(a b)", "no WKT"),
        ("POINT(nan 2)", "no finite"),
        ("POINT(inf 2)", "no finite"),
        ("POINT(1e400 2)", "no finite"),
        ("POINT(2 91)", "no latitude"),
        ("POINT(361 2)", "no longitude"),
        ("POLYGON((0 0,1 1,1 0))", "does not end where it began"),
        ("POLYGON((0 0,1 1,1 0,0 1,0 0))", "crosses itself at longitude 0.5, latitude 0.5"),
        ("LINESTRING(1 2)", "two vertices"),
        ("CIRCLE(1 2)", "no WKT"),
        ("GEOMETRYCOLLECTION(POINT(1 2))", "no WKT"),
        ("(((((((", "no WKT"),
        ("POINT(1 2)\x00", "no WKT"),
        ("POINT\x00(1 2)", "no WKT"),
    ],
)
def test_what_is_refused(text, said) -> None:
    with pytest.raises(Invalid, match=said) as error:
        parse_wkt(text, ALL, LONLAT)
    assert error.value.parameter == "coords"


def test_the_wrong_type_is_named() -> None:
    with pytest.raises(Invalid, match="POINT does not fit here: give a POLYGON"):
        parse_wkt("POINT(1 2)", ("POLYGON",), LONLAT)


def test_too_long_is_refused_before_it_is_parsed(monkeypatch) -> None:
    monkeypatch.setattr(shapely, "from_wkt", None)
    with pytest.raises(TooLarge) as error:
        parse_wkt("POLYGON((" + "0 0," * MOST_TEXT, ALL, LONLAT)
    assert error.value.details["limit"] == MOST_TEXT


def test_too_many_vertices() -> None:
    ring = ",".join(
        f"{x:.4f} {y:.4f}"
        for x, y in zip(np.linspace(0, 9, MOST_VERTICES + 1), np.zeros(MOST_VERTICES + 1), strict=True)
    )
    with pytest.raises(TooLarge, match="vertices"):
        parse_wkt(f"LINESTRING({ring})", ALL, LONLAT)


def test_epsg_4326_is_latitude_first() -> None:
    assert parse_wkt("POINT(52.5 13.4)", ALL, crs_named("EPSG:4326")).coords[0] == (13.4, 52.5)


@pytest.mark.parametrize(
    "name", ["EPSG:32633", "http://www.opengis.net/def/crs/EPSG/0/32633", "urn:ogc:def:crs:EPSG::32633", "[EPSG:32633]"]
)
def test_projected_input(name) -> None:
    easting, northing = pyproj.Transformer.from_crs(4326, 32633, always_xy=True).transform(13.4, 52.5)
    found = parse_wkt(f"POINT({easting} {northing})", ALL, crs_named(name))
    np.testing.assert_allclose(found.coords[0], (13.4, 52.5), atol=1e-6)


def test_northing_comes_first_where_the_system_says_so() -> None:
    easting, northing = pyproj.Transformer.from_crs(4326, 3035, always_xy=True).transform(13.4, 52.5)
    found = parse_wkt(f"POINT({northing} {easting})", ALL, crs_named("EPSG:3035"))
    np.testing.assert_allclose(found.coords[0], (13.4, 52.5), atol=1e-5)


@pytest.mark.parametrize("name", ["EPSG:1", "EPSG:5703", "WGS84", "EPSG:4978", "'; DROP", "EPSG:99999999", "x" * 9999])
def test_unknown_systems(name) -> None:
    with pytest.raises(Invalid, match="CRS84") as error:
        crs_named(name)
    assert error.value.parameter == "crs"


@pytest.mark.parametrize(
    "name",
    [
        "CRS84",
        "OGC:CRS84",
        "crs84",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "https://www.opengis.net/def/crs/OGC/1.3/CRS84",
    ],
)
def test_names_of_crs84(name) -> None:
    assert crs_named(name).is_lonlat


def test_boxes() -> None:
    assert parse_bbox("-1,2,3,4", LONLAT) == (Extent(-1, 2, 3, 4), None, False)
    assert parse_bbox("-1,2,10,3,4,20", LONLAT) == (Extent(-1, 2, 3, 4), (10, 20), False)
    assert parse_bbox("170,-5,-170,5", LONLAT)[0] == Extent(170, -5, -170, 5)
    assert parse_bbox("170,-5,190,5", LONLAT) == (Extent(170, -5, -170, 5), None, True)
    assert parse_bbox("2,-1,4,3", crs_named("EPSG:4326"))[0] == Extent(-1, 2, 3, 4)


def test_a_projected_box_covers_its_edges() -> None:
    extent, _, _ = parse_bbox(
        "4321000,3210000,4400000,3300000".replace("4321000,3210000", "3210000,4321000").replace(
            "4400000,3300000", "3300000,4400000"
        ),
        crs_named("EPSG:3035"),
    )
    back = pyproj.Transformer.from_crs(3035, 4326, always_xy=True)
    for e, n in [(4321000, 3210000), (4400000, 3300000), (4360500, 3300000)]:
        lon, lat = back.transform(e, n)
        assert extent.west - 1e-9 <= lon <= extent.east + 1e-9
        assert extent.south - 1e-9 <= lat <= extent.north + 1e-9


@pytest.mark.parametrize(
    "text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "1,5,3,4", "1,2,9,3,4,5", "1,-91,3,4", "", "1,2,3,1e999"]
)
def test_bad_boxes(text) -> None:
    with pytest.raises(Invalid) as error:
        parse_bbox(text, LONLAT)
    assert error.value.parameter == "bbox"
