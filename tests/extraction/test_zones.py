"""The polygon that a zonal number carries is the one that was asked for."""

import json

import numpy as np
import pytest
import shapely
import shapely.geometry
from shapely.affinity import translate

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.cubes.cubes import Cubes
from terrella.encodings.coveragejson import CoverageJson
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.extraction.regions import region
from terrella.extraction.zones import ring, zone
from terrella.grids import grid_from_json
from terrella.grids.sphere import distance
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Box, Circle, Everything, Extraction, Frame, Points, Region, Trajectory
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_reductions
from terrella.model.space import Extent, LonLat

GRID = regular(37, 72, dlat=-5.0, dlon=5.0)
FORMAT = MemoryFormat()
VALUES = np.random.default_rng(1).normal(size=(4, 37, 72)).astype("f4")
INDEX = one_piece(FORMAT, VALUES, ("time", "lat", "lon"), (4, 10, 16), GRID, [hours(4)], attrs={"units": "K"})


class Held:
    def open(self, caller, collection):
        return INDEX, ORIGIN


SITE = Extractor(Held(), Cubes(formats={"memory": FORMAT}, threads=2), Limits())


def ask(shape, reduce="mean:space"):
    return SITE.extract(OPERATOR, Extraction(CollectionId("test"), shape, reduce=parse_reductions(reduce)))


HOLED = shapely.Polygon(
    [(-30, 10), (40, 10), (40, 60), (-30, 60), (-30, 10)], [[(0, 30), (0, 40), (10, 40), (10, 30), (0, 30)]]
)
SHAPES = {
    "area": (Area(dict(shapely.geometry.mapping(HOLED))), HOLED),
    "turned": (Area(dict(shapely.geometry.mapping(translate(HOLED, 160)))), translate(HOLED, 160)),
    "box": (Box(Extent.of(-10, -10, 30, 30)), shapely.box(-10, -10, 30, 30)),
    "date line": (
        Box(Extent.of(170, -10, -170, 30)),
        shapely.MultiPolygon([shapely.box(170, -10, 180, 30), shapely.box(-180, -10, -170, 30)]),
    ),
    "frame": (
        Frame(Extent.of(-30, -30, 30, 30), Extent.of(-10, -10, 10, 10)),
        shapely.box(-30, -30, 30, 30) - shapely.box(-10, -10, 10, 10),
    ),
    "region": (Region("Brazil"), region("Brazil")),
    "all": (Everything(), shapely.box(-180, -90, 180, 90)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_polygon_comes_back(name):
    shape, expected = SHAPES[name]
    found = ask(shape)
    told = shapely.from_wkt(str(found.dataset["geometry"].values))
    assert shapely.symmetric_difference(told, expected).area < 1e-6
    document = json.loads(CoverageJson().encode(found))
    assert document["domain"]["domainType"] == (
        "PolygonSeries" if told.geom_type == "Polygon" else "MultiPolygonSeries"
    )


def test_numbers_of_the_polygon_are_those_of_its_cells():
    lon = (np.arange(72) * 5.0 + 180) % 360 - 180
    lat = 90 - 5.0 * np.arange(37)
    inside = shapely.intersects_xy(HOLED, *np.meshgrid(lon, lat))
    document = json.loads(CoverageJson().encode(ask(SHAPES["area"][0], "mean:space:equal")))
    np.testing.assert_allclose(
        document["ranges"]["t"]["values"], VALUES[:, inside].astype("f8").mean(axis=1), rtol=1e-5
    )


@pytest.mark.parametrize(("lon", "lat", "radius"), [(10, 50, 5e5), (179, 0, 1e6), (20, 88, 1e6), (0, -90, 2e6)])
def test_a_circle_is_a_polygon_around_all_places_within(lon, lat, radius):
    told = shapely.from_wkt(str(ask(Circle(LonLat(lon, lat), radius)).dataset["geometry"].values))
    assert told.is_valid
    away = distance(lon, lat, *ring(LonLat(lon, lat), radius))
    np.testing.assert_allclose(away, radius, rtol=1e-9)
    dice = np.random.default_rng(3)
    lons, lats = dice.uniform(-180, 180, 4000), np.degrees(np.arcsin(dice.uniform(-1, 1, 4000)))
    away = distance(lon, lat, lons, lats)
    inside = shapely.intersects_xy(told, lons, lats)
    assert inside[away < 0.99 * radius].all()
    assert not inside[away > 1.03 * radius].any()


@pytest.mark.parametrize(
    "shape",
    [
        Points((LonLat(10, 50), LonLat(11, 50))),
        Trajectory((LonLat(10, 50), LonLat(30, 50))),
        Circle(LonLat(0, 90), 12_000_000),
        Area(dict(shapely.geometry.mapping(shapely.Point(0, 0).buffer(60, 40)))),
    ],
)
def test_what_has_no_polygon_has_its_middle(shape, monkeypatch):
    monkeypatch.setattr("terrella.extraction.zones.MOST_VERTICES", 100)
    found = ask(shape)
    assert "geometry" not in found.dataset.coords
    assert {"longitude", "latitude"} <= set(found.dataset.coords)
    assert json.loads(CoverageJson().encode(found))["domain"]["domainType"] == "PointSeries"


def test_without_a_reduction_over_space_there_is_none():
    assert "geometry" not in ask(SHAPES["area"][0], "mean:time").dataset.coords
    assert zone(grid_from_json(GRID), Points((LonLat(0, 0),))) == {}
