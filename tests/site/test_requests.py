"""The words of Python and what they mean."""

import pytest

from terrella.errors import Invalid
from terrella.model.extraction import Area, Box, Circle, Everything, Extraction, Frame, Pixel, Points, Region, Span
from terrella.model.reduction import CellChoice, Reduce
from terrella.model.space import Extent, LonLat
from terrella.model.time import parse_interval
from terrella.site.requests import extraction_from, geometry_from

WKT = "POLYGON((0 0,4 0,4 4,0 0))"
RING = {"type": "Polygon", "coordinates": (((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 0.0)),)}


def asked(**wanted) -> Extraction:
    return extraction_from("test", wanted)


@pytest.mark.parametrize(
    ("wanted", "shape"),
    [
        ({}, Everything()),
        ({"point": (13.4, 52.5)}, Points((LonLat(13.4, 52.5),))),
        ({"points": [(1, 2), (3, 4)]}, Points((LonLat(1, 2), LonLat(3, 4)))),
        ({"bbox": (170, -5, -170, 5)}, Box(Extent(170, -5, -170, 5))),
        ({"circle": (1, 2, 3000)}, Circle(LonLat(1, 2), 3000)),
        ({"polygon": WKT}, Area(RING)),
        ({"region": "France"}, Region("France")),
        ({"frame": ((0, 0, 9, 9), (1, 1, 8, 8))}, Frame(Extent(0, 0, 9, 9), Extent(1, 1, 8, 8))),
        ({"geohash": "u33"}, Box(Extent(12.65625, 52.03125, 14.0625, 53.4375))),
        ({"tile": "wgs84:0/1/0"}, Box(Extent(0, -90, 180, 90))),
        ({"healpix": "4:nested:7"}, Pixel(4, 7)),
    ],
)
def test_one_word_a_shape(wanted, shape):
    assert asked(**wanted).shape == shape


def test_what_else_there_is():
    found = asked(variables="2t", time="2019-03", level=(None, 850), number=[0, 1], step=6)
    assert found.variables == ("2t",)
    assert found.interval == parse_interval("2019-03")
    assert found.vertical == Span(None, 850)
    assert found.select == {"number": (0, 1), "step": (6,)}
    assert asked(level=850).vertical == (850.0,)
    assert asked(level=[850, 500]).vertical == (850.0, 500.0)
    assert extraction_from(found, {}) is found


@pytest.mark.parametrize(
    ("wanted", "reduce"),
    [
        ({"reduce": "mean:space"}, [Reduce("space")]),
        ({"reduce": "mean:space,max:time:month"}, [Reduce("space"), Reduce("time", "max", "month")]),
        ({"reduce": ["mean:space", Reduce("time", "max")]}, [Reduce("space"), Reduce("time", "max")]),
        ({"mean": "space", "max": "time:month"}, [Reduce("space"), Reduce("time", "max", "month")]),
        (
            {"max": "time:day", "mean": ["time", "space"]},
            [Reduce("time", "max", "day"), Reduce("time"), Reduce("space")],
        ),
        ({"reduce": "quantile(0.9):number"}, [Reduce("number", "quantile", amount=0.9)]),
        ({"reduce": "exceedance(1,below):number"}, [Reduce("number", "exceedance", amount=1, direction="below")]),
        ({"reduce": None, "mean": None}, []),
    ],
)
def test_reductions_are_said_in_words(wanted, reduce):
    assert list(asked(**wanted).reduce) == reduce
    assert asked(**wanted).select == {}


def test_cells_are_chosen_by_name():
    assert asked(cells="idw(8)").cells == CellChoice("idw", 8)
    assert asked(cells=CellChoice("overlap")).cells == CellChoice("overlap")
    assert asked().cells == CellChoice()


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"point": (1, 2), "bbox": (1, 2, 3, 4)}, "Give one shape, not point and bbox"),
        ({"point": (1, 91)}, "latitude lies in"),
        ({"point": 3}, "give longitude and latitude"),
        ({"bbox": (1, 2, 3)}, "give west, south, east, north"),
        ({"circle": (1, 2, 0)}, "above 0"),
        ({"frame": (1, 2)}, "outer box, then the inner one"),
        ({"geohash": "aaa"}, "no geohash"),
        ({"tile": "9"}, "no tile"),
        ({"healpix": "9"}, "no pixel"),
        ({"polygon": "POINT(1 2)"}, "GeoJSON or WKT Polygon"),
        ({"polygon": "POLYGO((1 2))"}, "neither GeoJSON nor WKT"),
        ({"polygon": "{"}, "no JSON"),
        ({"reduce": "mode:space"}, "no reducer"),
        ({"mean": "time:fortnight"}, "no period"),
        ({"cells": "cubic"}, "no choice of cells"),
        ({"time": "yesterday"}, "no time"),
    ],
)
def test_what_is_wrong_is_named(wanted, says):
    with pytest.raises(Invalid, match=says):
        asked(**wanted)


@pytest.mark.parametrize(("name", "id_"), [("h3", "8928308280fffff"), ("mgrs", "33UUU"), ("tile", "1/0/0")])
def test_cells_by_their_system_or_with_it(name, id_):
    assert asked(**{name: id_}).shape == asked(cell=f"{name}:{id_}").shape
    with pytest.raises(Invalid, match="one shape"):
        asked(cell=f"{name}:{id_}", region="France")


def test_polygons_come_in_many_forms():
    import shapely

    shape = shapely.from_wkt(WKT)
    feature = {"type": "Feature", "geometry": RING, "properties": {}}
    for value in (shape, RING, feature, {"type": "FeatureCollection", "features": [feature]}, WKT):
        assert geometry_from(value)["type"] == "Polygon"
