"""Statistics over HTTP against brute force: shapely over every cell, and sums over every value."""

from __future__ import annotations

import itertools
import math
from typing import Any

import httpx
import numpy as np
import pytest
import shapely

from terrella.extraction import distributions

AREA = "POLYGON((-5 5,55 5,55 45,-5 45,-5 5))"
ODD = "POLYGON((12 -22,77 3,61 48,33 31,-3 52,12 -22))"


def ask(edr: httpx.Client, path: str, **params: Any) -> dict[str, Any]:
    found = edr.get(f"/collections/{path}", params={name.replace("_", "-"): str(one) for name, one in params.items()})
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


def areas(lat: np.ndarray) -> np.ndarray:
    """Square metres of cells of 10 degrees."""
    radius, half = 6_371_008.7714, math.radians(5)
    north, south = np.minimum(np.radians(lat) + half, math.pi / 2), np.maximum(np.radians(lat) - half, -math.pi / 2)
    return radius**2 * math.radians(10) * (np.sin(north) - np.sin(south))


def quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The least value that this share of the weight does not exceed, by going through all of them."""
    wanted, reached = share * weights.sum(), 0.0
    for value, weight in sorted(zip(values.tolist(), weights.tolist(), strict=True)):
        reached += weight
        if reached >= wanted * (1 - 1e-12):
            return value
    raise AssertionError


def check(entry: dict[str, Any], values: np.ndarray, weights: np.ndarray, bins: int = 32) -> None:
    """All numbers of an entry, of values (NaN missing) and weights of its cells."""
    there = ~np.isnan(values)
    held, share = values[there].astype("f8"), weights[there]
    mean = (held * share).sum() / share.sum()
    assert entry["count"] == there.sum()
    assert entry["missing"] == (~there).sum()
    assert entry["mean"] == pytest.approx(mean, rel=1e-9)
    assert entry["std"] == pytest.approx(
        math.sqrt((share * (held - mean) ** 2).sum() / share.sum()), rel=1e-6, abs=1e-9
    )
    assert (entry["min"], entry["max"]) == (held.min(), held.max())
    for name, part in (("p5", 0.05), ("p25", 0.25), ("median", 0.5), ("p75", 0.75), ("p95", 0.95)):
        assert entry[name] == pytest.approx(quantile(held, share, part), rel=1e-12), name
    bars = entry["histogram"]
    edges = bars["edges"]
    assert len(edges) == bins + 1
    assert (edges[0], edges[-1]) == (held.min(), held.max())
    in_bin = [
        (held >= low) & ((held < high) | (n == bins - 1)) for n, (low, high) in enumerate(itertools.pairwise(edges))
    ]
    assert bars["count"] == [int(one.sum()) for one in in_bin]
    np.testing.assert_allclose(bars["share"], [share[one].sum() / share.sum() for one in in_bin], atol=1e-12)
    assert sum(bars["share"]) + bars["below"] + bars["above"] == pytest.approx(1)


def cells_of(truth: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lon in -180..180, lat, polygons) of every cell, flat."""
    lat, lon = (one.ravel() for one in np.meshgrid(truth.lat.values, truth.lon.values, indexing="ij"))
    boxes = shapely.box(lon - 5, np.maximum(lat - 5, -90), lon + 5, np.minimum(lat + 5, 90))
    return lon, lat, boxes


def test_every_number_of_a_polygon_at_every_time(edr, truth):
    body = ask(
        edr,
        "weather/statistics",
        coords=ODD,
        parameter_name="t2m",
        datetime="2024-01-01T03:00:00Z/2024-01-01T09:00:00Z",
    )
    (variable,) = body["variables"]
    assert (variable["name"], variable["units"], variable["title"]) == ("t2m", "K", "2 metre temperature")
    polygon = shapely.from_wkt(ODD)
    lon, lat, _ = cells_of(truth)
    inside = shapely.intersects_xy(polygon, lon, lat) | shapely.intersects_xy(polygon, lon - 360, lat)
    assert body["cell_count"] == inside.sum()
    times = ["2024-01-01T03:00:00Z", "2024-01-01T06:00:00Z", "2024-01-01T09:00:00Z"]
    assert [one["time"] for one in variable["statistics"]] == times
    for entry in variable["statistics"]:
        values = truth.t2m.sel(time=entry["time"].rstrip("Z")).values.ravel()[inside]
        check(entry, values, areas(lat[inside]))
        assert entry["weight"] == pytest.approx(areas(lat[inside]).sum(), rel=1e-9)
    assert body["weights"].startswith("area of each cell on the sphere")
    assert body["cells"] == "centre"


def test_with_overlap_each_cell_counts_by_the_share_of_it_inside(edr, truth):
    body = ask(
        edr,
        "weather/statistics",
        coords=ODD,
        parameter_name="t2m",
        datetime="2024-01-01T00:00:00Z",
        cells="overlap",
        bins=7,
    )
    polygon = shapely.from_wkt(ODD)
    _, lat, boxes = cells_of(truth)
    moved = shapely.transform(boxes, lambda points: points - [360, 0])
    # shares on the sphere: the sine of the latitude is area (Lambert's cylinder), edges cut finely
    share = sum(_share(polygon, many) for many in (boxes, moved))
    taken = share > 1e-9
    (entry,) = body["variables"][0]["statistics"]
    values = truth.t2m.isel(time=0).values.ravel()
    assert entry["count"] == (taken & ~np.isnan(values)).sum()
    held = taken & ~np.isnan(values)
    weights = areas(lat) * share
    assert entry["mean"] == pytest.approx(np.average(values[held].astype("f8"), weights=weights[held]), rel=1e-4)
    assert "share of it inside" in body["weights"]
    assert len(entry["histogram"]["share"]) == 7
    assert (body["cells"], body["bins"]) == ("overlap", 7)


def _share(polygon: Any, boxes: np.ndarray) -> np.ndarray:
    """Of each box the part in a polygon, on the sphere."""

    def flat(points: np.ndarray) -> np.ndarray:
        return np.column_stack([points[:, 0], np.degrees(np.sin(np.radians(points[:, 1])))])

    fine = shapely.transform(shapely.segmentize(polygon, 0.1), flat)
    cells = shapely.transform(boxes, flat)
    return shapely.area(shapely.intersection(cells, fine)) / shapely.area(cells)


def test_missing_cells_are_counted_and_weigh_nothing(edr, truth):
    body = ask(edr, "weather/statistics", bbox="-5,75,65,90", parameter_name="t2m", datetime="2024-01-01T00:00:00Z")
    inside = truth.t2m.isel(time=0).sel(lat=slice(90, 80), lon=slice(0, 60))
    (entry,) = body["variables"][0]["statistics"]
    assert entry["missing"] == 5
    check(entry, inside.values.ravel(), np.repeat(areas(inside.lat.values), inside.lon.size))


def test_all_cells_where_no_shape_is_given_and_classes_too(edr, truth):
    body = ask(edr, "weather/statistics", parameter_name="mask", bins=2)
    (entry,) = body["variables"][0]["statistics"]
    lat = np.repeat(truth.lat.values, truth.lon.size)
    check(entry, truth.mask.values.ravel().astype("f8"), areas(lat), bins=2)


def test_levels_and_members_are_told_apart(edr, members):
    body = ask(edr, "ensemble/statistics", bbox="0,45,10,55", z="850,500", number="1", datetime="2024-01-01T00:00:00Z")
    entries = body["variables"][0]["statistics"]
    assert [(one["number"], one["pressure"]) for one in entries] == [(1, 850.0), (1, 500.0)]
    here = members.t.sel(number=1, lat=slice(55, 45), lon=slice(0, 10)).isel(time=0)
    for entry in entries:
        values = here.sel(pressure=entry["pressure"]).values
        assert (entry["min"], entry["max"]) == (values.min(), values.max())


def test_other_axes_may_be_reduced_first(edr, truth):
    body = ask(edr, "weather/statistics", coords=AREA, parameter_name="t2m", reduce="max:time:day")
    entries = body["variables"][0]["statistics"]
    assert [one["time"] for one in entries] == ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]
    inside = truth.t2m.sel(lat=slice(40, 10), lon=slice(0, 50)).resample(time="D").max()
    weights = np.repeat(areas(inside.lat.values), inside.lon.size)
    for number, entry in enumerate(entries):
        check(entry, inside.isel(time=number).values.ravel(), weights)
    assert body["reduced"] == ["max:time:day"]


def test_a_range_holds_for_all_times_and_tells_what_lies_outside(edr, truth):
    body = ask(edr, "weather/statistics", coords=AREA, parameter_name="t2m", range="205,215", bins=5)
    for entry in body["variables"][0]["statistics"]:
        bars = entry["histogram"]
        assert bars["edges"] == [205, 207, 209, 211, 213, 215]
        assert sum(bars["share"]) + bars["below"] + bars["above"] == pytest.approx(1)
    first = truth.t2m.isel(time=0).sel(lat=slice(40, 10), lon=slice(0, 50))
    weights = np.repeat(areas(first.lat.values), first.lon.size)
    below = weights[first.values.ravel() < 205].sum() / weights.sum()
    assert body["variables"][0]["statistics"][0]["histogram"]["below"] == pytest.approx(below)


def test_places_count_alike_and_regions_and_circles_are_shapes_too(edr, truth):
    body = ask(
        edr,
        "weather/statistics",
        coords="MULTIPOINT((0 50),(10 50),(20 50))",
        parameter_name="t2m",
        datetime="2024-01-01T00:00:00Z",
    )
    (entry,) = body["variables"][0]["statistics"]
    here = truth.t2m.isel(time=0).sel(lat=50, lon=[0, 10, 20]).values.astype("f8")
    assert entry["mean"] == pytest.approx(here.mean())
    assert entry["count"] == 3
    assert body["weights"] == "equal: places have no area"
    assert body["cells"] == "nearest"
    one = {"parameter_name": "t2m", "datetime": "2024-01-01T00:00:00Z"}
    assert ask(edr, "weather/statistics", region="Brazil", **one)["cell_count"] > 3
    assert ask(edr, "weather/statistics", coords="POINT(0 50)", within=1200, within_units="km", **one)["cell_count"] > 3


def test_post_says_the_same_and_answers_are_remembered(edr):
    params = {"coords": AREA, "parameter-name": "t2m", "datetime": "2024-01-01T00:00:00Z"}
    first = edr.get("/collections/weather/statistics", params=params)
    posted = edr.post("/collections/weather/statistics", json=params)
    assert posted.json() == first.json()
    assert first.headers["ETag"] == posted.headers["ETag"]
    again = edr.get("/collections/weather/statistics", params=params, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    other = edr.get("/collections/weather/statistics", params=params | {"bins": "5"})
    assert other.headers["ETag"] != first.headers["ETag"]
    assert int(first.headers["Terrella-Bytes-Read"]) >= 0
    assert first.json()["receipt"]["licence"] == "CC-BY-4.0"
    geojson = {"type": "Polygon", "coordinates": [[[-5, 5], [55, 5], [55, 45], [-5, 45], [-5, 5]]]}
    assert (
        edr.post("/collections/weather/statistics", json=params | {"coords": geojson}).json()["variables"]
        == first.json()["variables"]
    )


def test_its_price_is_told_before(edr):
    params = {"coords": AREA, "parameter-name": "t2m"}
    price = edr.get("/collections/weather/statistics/estimate", params=params).json()
    assert price["passes"] is True
    assert price["cells"] == 24
    assert price["bytes_read"] > 0


@pytest.mark.parametrize(
    ("params", "status", "parameter"),
    [
        ({"bins": "0"}, 400, "bins"),
        ({"bins": "1001"}, 400, "bins"),
        ({"range": "5"}, 400, "range"),
        ({"range": "5,5"}, 400, "range"),
        ({"range": "nan,5"}, 400, "range"),
        ({"f": "csv"}, 400, "f"),
        ({"coords": AREA, "bbox": "0,0,1,1"}, 400, "bbox"),
        ({"coords": "LINESTRING(0 0,1 1)"}, 400, "coords"),
        ({"region": "Atlantis"}, 400, "region"),
        ({"reduce": "mean:space"}, 400, "reduce"),
        ({"quantiles": "1"}, 400, "quantiles"),
        ({"parameter-name": "nothere"}, 400, "parameter-name"),
    ],
)
def test_bad_input_is_refused(edr, params, status, parameter):
    answer = edr.get("/collections/weather/statistics", params=params)
    assert answer.status_code == status, answer.text
    assert answer.json()["parameter"] == parameter


def test_a_shape_without_cells_is_refused_as_everywhere(edr):
    params = {"coords": "POLYGON((1 1,2 1,2 2,1 2,1 1))", "parameter-name": "t2m", "datetime": "2024-01-01T00:00:00Z"}
    answer = edr.get("/collections/weather/statistics", params=params)
    assert answer.status_code == 400
    assert "No cell centre lies in it" in answer.text
    touched = ask(edr, "weather/statistics", coords=params["coords"], parameter_name="t2m", cells="touched")
    assert touched["cell_count"] == 1


def test_a_variable_that_is_missing_everywhere_has_no_numbers(edr):
    params = {"bbox": "-5,85,45,90", "parameter-name": "t2m", "datetime": "2024-01-01T00:00:00Z"}
    (entry,) = edr.get("/collections/weather/statistics", params=params).json()["variables"][0]["statistics"]
    assert (entry["count"], entry["missing"], entry["mean"], entry["max"], entry["median"]) == (0, 5, None, None, None)
    assert entry["histogram"] is None


def test_too_many_steps_are_refused_before_they_are_read(edr, monkeypatch):
    monkeypatch.setattr(distributions, "MOST_ENTRIES", 15)
    answer = edr.get("/collections/weather/statistics", params={"coords": AREA, "parameter-name": "t2m"})
    assert answer.status_code == 413
    assert answer.json()["parameter"] == "datetime"
    assert "reduce=mean:time" in answer.text
