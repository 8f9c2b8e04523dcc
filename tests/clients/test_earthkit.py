"""earthkit-data, unmodified: every feature as xarray, equal to brute force over the cells of the grid."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from grib_files import latitudes, longitudes, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RunClient, Served  # type: ignore[import-not-found]

LINES = """
import warnings
warnings.simplefilter("ignore")
import earthkit.data
source = earthkit.data.from_source("polytope", "all", request, address=url, insecure=True, user_key=key, quiet=True, stream=False)
found = source.to_xarray()
if isinstance(found, list):
    print(json.dumps([one.to_dict() for one in found], default=str))
else:
    print(json.dumps(found.to_dict(), default=str))
"""
ANALYSIS = {"class": "ea", "stream": "oper", "type": "an", "param": "2t", "date": "20240301", "time": "0300"}
FORECAST = {"class": "od", "stream": "enfo", "type": "pf", "param": 130, "date": "20240301", "time": "1200"}


@pytest.fixture
def asked(served: Served, run_client: RunClient) -> Callable[[dict[str, Any]], Any]:
    return lambda request: run_client(LINES, url=served.url, key=served.key, request=request)


def numbers(told: dict[str, Any], name: str) -> np.ndarray:
    return (
        np.array(told["data"], dtype=float) if name == "data" else np.array(told["coords"][name]["data"], dtype=float)
    )


def cells() -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude (-180..180) of all cells."""
    lon, lat = np.meshgrid(longitudes(2.0), latitudes(2.0))
    return lat.ravel(), (lon.ravel() + 180) % 360 - 180


def distance(lat: np.ndarray, lon: np.ndarray, at: tuple[float, float]) -> np.ndarray:
    """Degrees of a great circle: the haversine."""
    one, other = np.radians(at[0]), np.radians(lat)
    half = np.sin((other - one) / 2) ** 2 + np.cos(one) * np.cos(other) * np.sin(np.radians(lon - at[1]) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.minimum(half, 1)))))


def check_multipoint(told: dict[str, Any], inside: np.ndarray, *, middle: float = 0.0, hours: float = 3.0) -> None:
    """The very cells that brute force says, with their values, told around `middle`."""
    lat, lon = (numbers(told, name) for name in ("latitude", "longitude"))
    all_lat, all_lon = cells()
    assert np.abs(lon - middle).max() <= 180
    found = set(zip(lat.tolist(), ((lon + 180) % 360 - 180).tolist(), strict=True))
    assert found == set(zip(all_lat[inside].tolist(), all_lon[inside].tolist(), strict=True))
    values = np.array(told["data_vars"]["2t"]["data"], dtype=float).ravel()
    np.testing.assert_allclose(values, value(lat, lon, hours=hours), atol=1e-4)


def test_timeseries_of_members_and_starts(asked: Callable[..., Any]) -> None:
    feature = {"type": "timeseries", "points": [[51, 11], [-34, 18]], "time_axis": "step"}
    request = FORECAST | {"time": "0000/1200", "number": "1/2", "levelist": 850, "step": "0/to/10/by/2"}
    told = asked(request | {"feature": feature})
    seen = set()
    for one in told:  # covjsonkit makes a dataset of each point and start; what is of another start is empty there
        lat, lon = numbers(one, "latitude")[0], numbers(one, "longitude")[0]
        assert len(one["coords"]["t"]["data"]) == 6  # 0 to 10 by 2, the end included
        rows = one["data_vars"]["T"]["data"][0][0][0]
        for row, member in zip(rows, one["coords"]["number"]["data"], strict=True):
            for series, start in zip(row, one["coords"]["datetime"]["data"], strict=True):
                if series and one["coords"]["t"]["data"][0].startswith(start[:13].replace("T", " ")):
                    hours = [float(start[11:13]) + step for step in range(0, 11, 2)]
                    expected = [value(lat, lon, hours=hour, level=850, member=member) for hour in hours]
                    np.testing.assert_allclose(series, expected, atol=1e-4)
                    seen.add((lat, member, start))
    assert len(seen) == 2 * 2 * 2


def test_timeseries_of_an_analysis(asked: Callable[..., Any]) -> None:
    feature = {"type": "timeseries", "points": [[51, 11]], "time_axis": "date"}
    told = asked(ANALYSIS | {"time": "0000/to/2300/by/1", "feature": feature})
    lat, lon = numbers(told, "latitude")[0], numbers(told, "longitude")[0]
    all_lat, all_lon = cells()
    nearest = np.argmin(distance(all_lat, all_lon, (51, 11)))
    assert distance(np.array([lat]), np.array([lon]), (51, 11))[0] == pytest.approx(
        distance(all_lat, all_lon, (51, 11))[nearest]
    )
    expected = [value(lat, lon, hours=hour) for hour in range(24)]
    np.testing.assert_allclose(np.ravel(told["data_vars"]["2t"]["data"]), expected, atol=1e-4)


def test_verticalprofile(asked: Callable[..., Any]) -> None:
    feature = {"type": "verticalprofile", "points": [[40, 20]], "range": {"start": 1000, "end": 500}}
    told = asked(FORECAST | {"number": "1/2", "step": "0/6", "feature": feature})
    levels, steps, members = (told["coords"][name]["data"] for name in ("levelist", "time", "number"))
    assert sorted(levels) == [500, 850, 1000]
    values = np.array(told["data_vars"]["t"]["data"], dtype=float)[0, 0, :, 0]
    for (m, member), (s, step) in ((a, b) for a in enumerate(members) for b in enumerate(steps)):
        expected = [value(40, 20, hours=12 + float(step), level=level, member=member) for level in levels]
        np.testing.assert_allclose(values[m, s], expected, atol=1e-4)


def test_position(asked: Callable[..., Any]) -> None:
    told = asked(ANALYSIS | {"feature": {"type": "position", "points": [[-66.9, 179.3]]}})
    assert (numbers(told, "latitude")[0], abs(numbers(told, "longitude")[0])) == (-66.0, 180.0)
    np.testing.assert_allclose(np.ravel(told["data_vars"]["2t"]["data"]), value(-66, 180, hours=3), atol=1e-4)


@pytest.mark.parametrize("corners", [[[40, -10], [60, 10]], [[60, 350], [40, 370]], [[40, 170], [60, 190]]])
def test_boundingbox_across_both_meridians(asked: Callable[..., Any], corners: list[list[float]]) -> None:
    told = asked(ANALYSIS | {"feature": {"type": "boundingbox", "points": corners}})
    lat, lon = cells()
    west, east = sorted(one[1] for one in corners)
    middle = (west + east) / 2
    away = (lon - middle + 180) % 360 - 180
    check_multipoint(told, (lat >= 40) & (lat <= 60) & (np.abs(away) <= (east - west) / 2), middle=middle)
    assert west <= numbers(told, "longitude").min() <= numbers(told, "longitude").max() <= east


def ring(*places: tuple[float, float]) -> list[list[float]]:
    return [list(place) for place in places]


SHAPES = {
    "plain": ring((40, -10), (60, -12), (55, 20), (42, 15)),
    "across 180": ring((-50, 165), (-20, 170), (-15, 200), (-45, 195)),
    "across 0 east of it": ring((40, 350), (60, 348), (55, 380), (42, 375)),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_polygon(asked: Callable[..., Any], name: str) -> None:
    shape = SHAPES[name]
    told = asked(ANALYSIS | {"feature": {"type": "polygon", "shape": shape}})
    lat, lon = cells()
    lons = [one[1] for one in shape]
    middle = (min(lons) + max(lons)) / 2
    around = middle - 180 + (lon - middle + 180) % 360
    area = shapely.Polygon([(one[1], one[0]) for one in shape])
    check_multipoint(told, shapely.intersects_xy(area, around, lat), middle=middle)


def test_polygons_together_and_with_a_hole(asked: Callable[..., Any]) -> None:
    two = [ring((0, 0), (10, 0), (10, 10), (0, 10)), ring((20, 20), (30, 20), (30, 31), (20, 31))]
    lat, lon = cells()
    areas = shapely.MultiPolygon([shapely.Polygon([(lo, la) for la, lo in one]) for one in two])
    told = asked(ANALYSIS | {"feature": {"type": "polygon", "shape": two}})
    check_multipoint(told, shapely.intersects_xy(areas, lon, lat), middle=15.5)
    holed = shapely.from_wkt("POLYGON((0 0, 41 0, 41 41, 0 41, 0 0),(11 11, 11 21, 21 21, 21 11, 11 11))")
    told = asked(ANALYSIS | {"feature": {"type": "polygon", "wkt": holed.wkt}})
    check_multipoint(told, shapely.intersects_xy(holed, lon, lat), middle=20.5)


def test_circle_over_the_pole_is_round_on_the_sphere(asked: Callable[..., Any]) -> None:
    told = asked(ANALYSIS | {"feature": {"type": "circle", "center": [[85, 30]], "radius": 9.5}})
    lat, lon = cells()
    inside = distance(lat, lon, (85, 30)) <= 9.5
    assert (lat[inside] == 90).all(where=lat[inside] >= 90)
    check_multipoint(told, inside, middle=30)


def test_frame(asked: Callable[..., Any]) -> None:
    feature = {"type": "frame", "outer_box": [[50, -20], [30, 20]], "inner_box": [[45, -11], [35, 11]]}
    told = asked(ANALYSIS | {"feature": feature})
    lat, lon = cells()
    outer = (lat >= 30) & (lat <= 50) & (np.abs(lon) <= 20)
    inner = (lat > 35) & (lat < 45) & (np.abs(lon) < 11)
    check_multipoint(told, outer & ~inner)


def test_everything(asked: Callable[..., Any]) -> None:
    told = asked(ANALYSIS | {"feature": {"type": "boundingbox", "points": [[-90, -180], [90, 180]]}})
    check_multipoint(told, np.ones(cells()[0].size, dtype=bool))


def along(line: list[tuple[float, float]], lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance in degrees of each cell from a line of great circles, and where along it (0 to 1 a leg): brute force."""
    best, where = np.full(lat.shape, np.inf), np.zeros(lat.shape)
    for leg, (first, last) in enumerate(pairwise(line)):
        ends = [
            np.array([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)])
            for a, o in (np.radians(first), np.radians(last))
        ]
        for part in np.linspace(0, 1, 2001):
            x, y, z = (1 - part) * ends[0] + part * ends[1]
            at = float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x)))
            away = distance(lat, lon, at)
            where = np.where(away < best, leg + part, where)
            best = np.minimum(away, best)
    return best, where


def test_trajectory_on_the_ground(asked: Callable[..., Any]) -> None:
    line = [(50.0, -10.0), (45.0, 5.0), (60.0, 25.0)]
    told = asked(ANALYSIS | {"feature": {"type": "trajectory", "points": line, "inflation": 2.5}})
    # their convention: the coordinate named latitude is the first of each tuple
    check_multipoint(told, along(line, *cells())[0] <= 2.5, middle=7.5)


def test_trajectory_of_a_flight_climbs_and_takes_time(asked: Callable[..., Any]) -> None:
    line = [(50.0, -10.0, 1000.0, 0.0), (45.0, 20.0, 500.0, 12.0)]
    feature = {"type": "trajectory", "points": line, "inflation": [2.5, 2.5, 150, 1], "inflate": "box"}
    told = asked(FORECAST | {"number": 1, "feature": feature | {"axes": ["latitude", "longitude", "levelist", "step"]}})
    lat, lon = cells()
    away, where = along([one[:2] for one in line], lat, lon)
    expected = set()
    for cell in np.flatnonzero(away <= 2.5):
        for level in (1000, 850, 500):
            for step in range(0, 13, 2):
                near = abs(level - (1000 - 500 * where[cell])) <= 150 and abs(step - 12 * where[cell]) <= 1
                if near:
                    expected.add(
                        (
                            float(lat[cell]),
                            float(lon[cell]),
                            float(level),
                            f"2024-03-0{1 + (12 + step) // 24}T{(12 + step) % 24:02d}:00:00Z",
                        )
                    )
    coords = [told["coords"][name]["data"] for name in ("latitude", "longitude", "levelist", "time")]
    found = list(zip(*coords, strict=True))
    # cells that lie just between two steps or levels may go either way
    assert len(set(found) ^ expected) <= 0.03 * len(expected) + 1
    hours = np.array([12 + (float(one[3][8:10]) - 1) * 24 - 12 + float(one[3][11:13]) for one in found])
    values = value(np.array(coords[0]), np.array(coords[1]), hours=hours, level=np.array(coords[2]), member=1)
    np.testing.assert_allclose(np.ravel(told["data_vars"]["t"]["data"]), values, atol=1e-4)
