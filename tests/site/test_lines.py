"""Ways through space, height and time in Python's words and the shell's, against the numbers of the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import xarray as xr

from terrella.errors import Invalid
from terrella.model.extraction import Corridor, Trajectory
from terrella.model.space import LonLat
from terrella.model.time import Instant
from terrella.site import Site
from terrella.site.requests import extraction_from

PLACES = ((1.0, 41.0), (2.0, 42.0), (4.0, 43.0))
HEIGHTS = (1000.0, 850.0, 850.0)
SECONDS = (0.0, 3600.0, 10800.0)
TIMES = tuple(Instant(1970, 1, 1, hour) for hour in (0, 1, 3))
FLAT = Trajectory(tuple(LonLat(*one) for one in PLACES))
WHOLE = Trajectory(FLAT.places, HEIGHTS, TIMES)
ROWS = [(*place, height, at) for place, height, at in zip(PLACES, HEIGHTS, SECONDS, strict=True)]


def way(value: Any) -> Any:
    return extraction_from("test", {"trajectory": value}).shape


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (PLACES, FLAT),
        (np.array(PLACES), FLAT),
        ("LINESTRING (1 41, 2 42, 4 43)", FLAT),
        ("MULTILINESTRING ((1 41, 2 42), (2 42, 4 43))", Trajectory((*FLAT.places[:2], *FLAT.places[1:]))),
        (shapely.LineString(PLACES), FLAT),
        ({"type": "LineString", "coordinates": PLACES}, FLAT),
        (json.dumps({"type": "Feature", "geometry": {"type": "LineString", "coordinates": PLACES}}), FLAT),
        ("LINESTRING Z (1 41 1000, 2 42 850, 4 43 850)", Trajectory(FLAT.places, HEIGHTS)),
        ("LINESTRING M (1 41 0, 2 42 3600, 4 43 10800)", Trajectory(FLAT.places, (), TIMES)),
        ("LINESTRING ZM (1 41 1000 0, 2 42 850 3600, 4 43 850 10800)", WHOLE),
        ({"type": "LineString", "coordinates": ROWS}, WHOLE),
        ([(*row[:3], np.datetime64(int(row[3]), "s")) for row in ROWS], WHOLE),
        ([(*row[:3], datetime.fromtimestamp(row[3], UTC)) for row in ROWS], WHOLE),
        ([(*row[:2], None, str(at)) for row, at in zip(ROWS, TIMES, strict=True)], Trajectory(FLAT.places, (), TIMES)),
        (WHOLE, WHOLE),
    ],
)
def test_a_line_in_every_form(value: Any, path: Trajectory) -> None:
    assert way(value) == path
    assert extraction_from("test", {"corridor": (value, 5000)}).shape == Corridor(path, 5000.0)


@pytest.mark.parametrize(
    "value",
    ["LINESTRING EMPTY", "POINT (1 2)", "LINE", "{", "{}", 5, None, [], [(1, 2)], [(1, 2), (3,)], [(1, 2), (3, 4, 5)],
     [("x", 1), (2, 3)], [(1, float("nan")), (2, 3)], [(1, 2, 3, "soon"), (1, 2, 3, "1970")], [(1, 2, None), (1, 2, 3)],
     [(1, 2, 3, float("inf")), (1, 2, 3, 4)], {"type": "LineString"}, {"type": "Polygon", "coordinates": []}],
)  # fmt: skip
def test_what_is_no_line_is_refused(value: Any) -> None:
    if value is None:
        assert extraction_from("test", {"trajectory": None}) == extraction_from("test", {})
        return
    with pytest.raises(Invalid):
        way(value)


@pytest.mark.parametrize("sizes", [(), (0,), (-1,), ("x",), (float("nan"),), (1, 2, 3), (5, 10)])
def test_what_is_no_corridor_is_refused(sizes: tuple[Any, ...]) -> None:
    with pytest.raises(Invalid):
        extraction_from("test", {"corridor": ("LINESTRING (1 41, 2 42)", *sizes)})


def test_both_roads_answer_what_the_file_holds(site: Site, data: Path) -> None:
    lat, lon, levels = np.arange(45.0, 39, -1), np.arange(0.0, 7), np.array([1000.0, 850.0])
    values = np.arange(4 * 2 * lat.size * lon.size, dtype="f4").reshape(4, 2, lat.size, lon.size)
    coords = {
        "time": ("time", np.arange(4), {"units": "hours since 1970-01-01"}),
        "level": ("level", levels, {"units": "hPa", "standard_name": "air_pressure", "positive": "down"}),
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    made = xr.Dataset({"t": (tuple(coords), values, {"units": "K"})}, coords)
    made.to_netcdf(data / "flight.nc", engine="netcdf4")
    site.add(str(data))
    found = site.extract("flight", trajectory=ROWS)
    rows, cols = [np.abs(line[:, None] - np.array(PLACES)[:, d]).argmin(0) for line, d in ((lat, 1), (lon, 0))]
    expected = values[[0, 1, 3], [0, 1, 1], rows, cols]
    np.testing.assert_array_equal(found.t.values, expected)
    band = site.extract("flight", corridor=([row[:3] for row in ROWS], 60_000, 100), time="1970-01-01T01:00:00Z")
    assert band.level.values.tolist() == levels.tolist()
    line = shapely.LineString(PLACES)
    inside = {(x, y) for x in lon for y in lat if line.distance(shapely.Point(x, y)) < 0.2}
    got = set(zip(band.longitude.values.tolist(), band.latitude.values.tolist(), strict=True))
    assert inside <= got
