"""Views as code: the lines are run exactly as they are given, and give the numbers that EDR gives."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pyproj
import pytest

from clients.conftest import ANALYSIS, ENSEMBLE, PYTHON, serve
from grib_files import value, write_grib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunClient, Served  # type: ignore[import-not-found]

AWKWARD = 'it\'s "wet" <b> & 10 m'
"""A name of a variable that no quoting may break."""
WITH_VALUES = """
import contextlib, io
import numpy as np
space = {"__name__": "__main__"}
with contextlib.redirect_stdout(io.StringIO()):
    exec(compile(snippet, "snippet", "exec"), space)
values = space["values"]
if hasattr(values, "data_vars"):
    values = {str(name): one for name, one in values.data_vars.items()}
if not isinstance(values, dict):
    values = {"": values}
flat = {}
for name, one in values.items():
    numbers = np.array([np.nan if x is None else x for x in one] if isinstance(one, list) else one, dtype="f8").ravel()
    flat[name] = np.sort(numbers[np.isfinite(numbers)]).tolist()
print(json.dumps(flat))
"""
BOX, AREA = [6, 40, 20, 56], {"type": "Polygon", "coordinates": [[[5, 40], [21, 42], [12, 60], [5, 40]]]}
HOLED = {
    "type": "Polygon",
    "coordinates": [[[0, 40], [20, 40], [20, 60], [0, 60], [0, 40]], [[5, 45], [15, 45], [15, 55], [5, 55], [5, 45]]],
}
PLACE = {"type": "Point", "coordinates": [13.4, 52.5]}
ONE_TIME = "2024-03-01T02:00:00Z"
MEMBER = {"number": 2, "pressure": 500}
VIEWS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    # a view, and the same as EDR is asked for it
    "series": (
        {"collection": "analysis", "shape": PLACE},
        "position",
        {"coords": "POINT(13.4 52.5)"},
    ),
    "times": (
        {"collection": "analysis", "shape": PLACE, "datetime": "2024-03-01T01:00:00Z/2024-03-01T03:00:00Z"},
        "position",
        {"coords": "POINT(13.4 52.5)", "datetime": "2024-03-01T01:00:00Z/2024-03-01T03:00:00Z"},
    ),
    "member and level": (
        {"collection": "ensemble", "variables": ["t"], "shape": PLACE, "axes": {"number": 2}, "z": 500},
        "position",
        {"coords": "POINT(13.4 52.5)", "number": "2", "z": "500", "parameter-name": "t"},
    ),
    "places": (
        {"collection": "analysis", "coords": "MULTIPOINT((13.4 52.5),(179.9 -20.2))", "datetime": ONE_TIME},
        "position",
        {"coords": "MULTIPOINT((13.4 52.5),(179.9 -20.2))", "datetime": ONE_TIME},
    ),
    "line": (
        {"collection": "analysis", "coords": "LINESTRING(0 40,10 50,30 60)", "datetime": ONE_TIME},
        "trajectory",
        {"coords": "LINESTRING(0 40,10 50,30 60)", "datetime": ONE_TIME},
    ),
    "box": (
        {"collection": "analysis", "shape": {"type": "Box", "bbox": BOX}, "datetime": ONE_TIME},
        "cube",
        {"bbox": "6,40,20,56", "datetime": ONE_TIME},
    ),
    "box over 0 and north": (
        {"collection": "analysis", "bbox": "-20,50,20,90", "datetime": ONE_TIME},
        "cube",
        {"bbox": "-20,50,20,90", "datetime": ONE_TIME},
    ),
    "box over 180": (
        {"collection": "analysis", "bbox": "170,-10,-170,10", "datetime": ONE_TIME},
        "cube",
        {"bbox": "170,-10,-170,10", "datetime": ONE_TIME},
    ),
    "the map": (
        {"collection": "analysis", "datetime": ONE_TIME},
        "cube",
        {"bbox": "-180,-90,180,90", "datetime": ONE_TIME},
    ),
    "area": (
        {"collection": "analysis", "shape": AREA, "datetime": ONE_TIME},
        "area",
        {"coords": "POLYGON((5 40,21 42,12 60,5 40))", "datetime": ONE_TIME},
    ),
    "area with a hole, mean": (
        {"collection": "analysis", "shape": HOLED, "datetime": ONE_TIME, "reduce": "mean:space"},
        "area",
        {
            "coords": "POLYGON((0 40,20 40,20 60,0 60,0 40),(5 45,15 45,15 55,5 55,5 45))",
            "datetime": ONE_TIME,
            "reduce": "mean:space",
        },
    ),
    "region": (
        {"collection": "analysis", "region": "France", "reduce": "mean:space", "datetime": ONE_TIME},
        "area",
        {"region": "France", "reduce": "mean:space", "datetime": ONE_TIME},
    ),
    "members reduced": (
        {"collection": "ensemble", "shape": PLACE, "reduce": "max:number,mean:level,quantile(0.25):step"},
        "position",
        {"coords": "POINT(13.4 52.5)", "reduce": "max:number,mean:level,quantile(0.25):step"},
    ),
    "projected place": (
        {"collection": "projected", "variables": [AWKWARD], "shape": PLACE},
        "position",
        {"coords": "POINT(13.4 52.5)", "parameter-name": AWKWARD},
    ),
    "projected box": (
        {"collection": "projected", "variables": [AWKWARD], "shape": {"type": "Box", "bbox": [10, 50, 14, 54]}},
        "cube",
        {"bbox": "10,50,14,54", "parameter-name": AWKWARD},
    ),
    "projected area": (
        {"collection": "projected", "variables": [AWKWARD], "coords": "POLYGON((9 50,15 51,12 55,9 50))"},
        "area",
        {"coords": "POLYGON((9 50,15 51,12 55,9 50))", "parameter-name": AWKWARD},
    ),
}
CANNOT = {
    "owslib": {
        "member and level",
        "area with a hole, mean",
        "region",
        "members reduced",
    },
    "polytope": {
        "line",
        "area with a hole, mean",
        "region",
        "members reduced",
        "projected place",
        "projected box",
        "projected area",
    },
}
"""Views that a client has no words for."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with an analysis, an ensemble and a field on a projected grid."""
    folder = tmp_path_factory.mktemp("views")
    write_grib(folder / "analysis.grib", times=range(4), keys=ANALYSIS)
    members = {"times": (0, 12), "members": (1, 2), "levels": (850, 500), "steps": (0, 2, 4)}
    write_grib(folder / "ensemble.grib", param=130, keys=ENSEMBLE, step=5, **members)
    write_projected(folder / "projected.nc")
    files = [str(folder / name) for name in ("analysis.grib", "ensemble.grib", "projected.nc")]
    command = [sys.executable, "-m", "terrella", "add", "--home", str(folder / "home"), *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "home"


def write_projected(path: Path) -> None:
    """A field on EPSG:3035, 20 km wide cells around Berlin."""
    x, y = 4_200_000 + 20_000.0 * np.arange(24), 3_600_000 - 20_000.0 * np.arange(30)
    with netCDF4.Dataset(path, "w") as file:
        for name, points, standard in (("y", y, "projection_y_coordinate"), ("x", x, "projection_x_coordinate")):
            file.createDimension(name, points.size)
            line = file.createVariable(name, "f8", (name,))
            line.setncatts({"units": "m", "standard_name": standard})
            line[:] = points
        crs = file.createVariable("crs", "i4")
        crs.setncatts(pyproj.CRS("EPSG:3035").to_cf())
        data = file.createVariable(AWKWARD, "f4", ("y", "x"))
        data.setncatts({"units": "mm", "grid_mapping": "crs"})
        data[:] = np.arange(x.size * y.size).reshape(y.size, x.size)


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    yield from serve(home, home.parent / "views.log")


def asked(served: Served, view: dict[str, Any], **headers: str) -> dict[str, dict[str, Any]]:
    """The snippets of a view, by client."""
    ask = urllib.request.Request(
        served.url + "/connect/view", json.dumps(view).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(ask) as answer:
        return {one["client"]: one for one in json.load(answer)["snippets"]}


def edr(served: Served, collection: str, query: str, parameters: dict[str, str]) -> np.ndarray:
    """What EDR answers, as sorted numbers: asked for in words of this test, read as CoverageJSON."""
    words = urllib.parse.urlencode({**parameters, "f": "CoverageJSON"})
    told = json.loads(get(f"{served.url}/ogc/collections/{collection}/{query}?{words}"))
    found: dict[str, list[float]] = {}
    for coverage in told.get("coverages", [told]):
        is_outline = coverage["domain"]["axes"].get("composite", {}).get("dataType") == "polygon"
        for one in coverage["ranges"].values():
            values = np.array(one["values"], dtype="f8").reshape(one["shape"] or [1])
            if is_outline:  # the same number stands in each of its parts
                values = values.take(0, axis=one["axisNames"].index("composite"))
            found.setdefault("", []).extend(values[np.isfinite(values)].ravel().tolist())
    return np.sort(np.array(found[""], dtype="f8"))


def get(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refusal:
        raise AssertionError(refusal.read().decode()) from None


def same(found: list[float], expected: np.ndarray) -> None:
    assert len(found) == expected.size
    np.testing.assert_allclose(np.sort(found), expected, rtol=2e-6)


@pytest.fixture(scope="module")
def expected(served: Served) -> dict[str, np.ndarray]:
    made: dict[str, np.ndarray] = {}
    for name, (view, query, parameters) in VIEWS.items():
        made[name] = edr(served, view["collection"], query, parameters)
    return made


def test_edr_itself_is_right(expected: dict[str, np.ndarray]) -> None:
    """By the formula of the files."""
    np.testing.assert_allclose(expected["series"], [value(52.0, 14.0, hours=hour) for hour in range(4)], atol=1e-3)
    of_member = [value(55.0, 15.0, hours=hour, level=500, member=2) for hour in (0, 2, 4, 12, 14, 16)]
    np.testing.assert_allclose(expected["member and level"], of_member, atol=1e-3)
    to_grid = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)
    x, y = to_grid.transform(13.4, 52.5)
    cell = round((3_600_000 - y) / 20_000) * 24 + round((x - 4_200_000) / 20_000)
    assert expected["projected place"].tolist() == [cell]


@pytest.mark.parametrize("client", ["python", "xarray", "owslib", "polytope"])
def test_python_gives_what_edr_gives(
    client: str, served: Served, expected: dict[str, np.ndarray], run_client: RunClient
) -> None:
    for name, (view, _, _) in VIEWS.items():
        told = asked(served, view)[client]
        assert told["works"] is (name not in CANNOT.get(client, ())), (name, told["why"])
        if told["works"]:
            found = run_client(WITH_VALUES, snippet=told["lines"])
            assert len(found) == 1, name
            same(next(iter(found.values())), expected[name])
        else:
            assert told["lines"] == ""
            assert told["why"].endswith(".")


@pytest.mark.parametrize("name", ["series", "member and level", "area with a hole, mean", "projected place"])
def test_the_shells_give_what_edr_gives(
    name: str, served: Served, expected: dict[str, np.ndarray], tmp_path: Path
) -> None:
    told = asked(served, VIEWS[name][0])
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    printed = run(["sh", "-c", told["curl"]["lines"]], tmp_path, served)
    same(last_column(printed), expected[name])
    run(["sh", "-c", told["shell"]["lines"]], tmp_path, served)
    (written,) = tmp_path.glob("*.csv")
    same(last_column(written.read_text()), expected[name])


@pytest.mark.parametrize("name", ["box", "projected area", "region"])
def test_files_of_the_shell_hold_it(name: str, served: Served, expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    view = VIEWS[name][0]
    told = asked(served, view)
    for client in ("curl", "shell"):
        run(["sh", "-c", told[client]["lines"]], tmp_path, served)
        for path in [*tmp_path.glob("*.nc"), *tmp_path.glob("*.csv")]:
            same(numbers_in(path, view.get("variables", ["t2m"])[0]), expected[name])
            path.unlink()


def numbers_in(path: Path, name: str) -> list[float]:
    if path.suffix == ".csv":
        return last_column(path.read_text())
    with netCDF4.Dataset(path) as file:
        known = file.variables.get(name) or max(file.variables.values(), key=lambda one: one.size)
        found = np.ma.filled(known[:].astype("f8"), np.nan).ravel()
        return [float(one) for one in found if np.isfinite(one)]


def last_column(text: str) -> list[float]:
    csv.field_size_limit(10**8)
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return [float(row[-1]) for row in rows if row and row[-1]]


def run(command: list[str], folder: Path, served: Served) -> str:
    """In a shell that finds `terrella`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"TERRELLA_HOME": str(served.home), "PATH": path}
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=folder)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def test_its_own_python_gives_what_edr_gives(served: Served, expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    """All in one process: starting one takes its time."""
    parts = [asked(served, view)["terrella"]["lines"] for view, _, _ in VIEWS.values()]
    code = "import json, sys, numpy as np\nfound = []\nfor lines in json.load(open(sys.argv[1])):\n"
    code += "    space = {}\n    exec(compile(lines, 'lines', 'exec'), space)\n    values = space['values']\n"
    code += "    flat = np.asarray(values, dtype='f8').ravel()\n    found.append(flat[np.isfinite(flat)].tolist())\n"
    (tmp_path / "parts.json").write_text(json.dumps(parts))
    printed = run([sys.executable, "-c", f"{code}print(json.dumps(found))", "parts.json"], tmp_path, served)
    for name, found in zip(VIEWS, json.loads(printed.splitlines()[-1]), strict=True):
        same(found, expected[name])


@pytest.mark.parametrize("name", ["box", "the map", "projected box"])
def test_gdal_reads_the_values(
    name: str, served: Served, expected: dict[str, np.ndarray], client_process: object, tmp_path: Path
) -> None:
    del client_process  # it skips where the clients are not set up
    lines = asked(served, VIEWS[name][0])["rasterio"]["lines"]
    lines += "\nimport json\nprint(json.dumps(values[0].compressed().astype('f8').tolist()))\n"
    found = json.loads(run_plain(lines, tmp_path).splitlines()[-1])
    same([one for one in found if np.isfinite(one)], expected[name])


def run_plain(lines: str, folder: Path) -> str:
    plain = {key: text for key, text in os.environ.items() if not key.startswith(("GDAL_", "TERRELLA"))}
    command = [str(PYTHON), "-c", lines]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=plain)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def test_gdal_sees_the_colours_of_the_values(served: Served, client_process: object, tmp_path: Path) -> None:
    """A pixel of the tiles, by GDAL, has the colour that its value has in the palette."""
    del client_process
    view = {"collection": "analysis", "datetime": ONE_TIME, "palette": "viridis", "range": "260,300"}
    lines = asked(served, view)["gdal"]["lines"]
    lines += (
        "\nimport json, pyproj\nx, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(14.0, 52.0)\n"
        "with rasterio.open(tiles) as image:\n"
        "    print(json.dumps([int(one) for one in next(image.sample([(x, y)]))]))\n"
    )
    red, green, blue, opaque = json.loads(run_plain(lines, tmp_path).splitlines()[-1])
    with urllib.request.urlopen(served.url + "/tiles/palettes") as answer:
        colours = json.load(answer)["palettes"]["viridis"]
    number = round((float(value(52.0, 14.0, hours=2)) - 260) / 40 * 255)
    near = [tuple(int(colours[one][at : at + 2], 16) for at in (1, 3, 5)) for one in (number - 1, number, number + 1)]
    assert (red, green, blue) in near
    assert opaque == 255


def test_addresses_of_tiles_answer(served: Served) -> None:
    """Those that QGIS, MapLibre and Leaflet are given."""
    view = {"collection": "ensemble", "z": "500", "axes": {"number": "2"}, "palette": "magma", "range": "250,310"}
    told = asked(served, view)
    (pasted,) = re.findall(r"#   (http\S+)", told["qgis"]["lines"])
    (quoted,) = re.findall(r"url=([^&\"]+)&zmin", told["qgis"]["lines"])
    assert urllib.parse.unquote(quoted) == pasted
    (leaflet,) = re.findall(r'tileLayer\("([^"]+)"', told["leaflet"]["lines"])
    assert leaflet == pasted
    for word in ("palette=magma", "range=250,310", "z=500", "number=2"):
        assert word in pasted
    assert get(pasted.format(z=1, y=0, x=1)).startswith(b"\x89PNG")
    (tilejson,) = re.findall(r'url: "([^"]+)"', told["maplibre"]["lines"])
    document = json.loads(get(tilejson))
    assert "palette=magma" in document["tiles"][0]


def test_by_get_it_is_the_same(served: Served) -> None:
    words = urllib.parse.urlencode({"collection": "ensemble", "coords": "POINT(13.4 52.5)", "number": "2", "z": "500"})
    with urllib.request.urlopen(f"{served.url}/connect/view?{words}") as answer:
        by_get = json.load(answer)["snippets"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert by_get == list(
        asked(served, {"collection": "ensemble", "shape": PLACE, "axes": {"number": 2}, "z": 500}).values()
    )


def test_a_key_is_in_the_lines(served: Served) -> None:
    told = asked(served, VIEWS["box"][0], **{"X-API-Key": served.key})
    for one in told.values():
        assert served.key in one["lines"] or one["group"] == "here" or not one["works"] or one["client"] == "qgis", one
    assert not told["leaflet"]["works"]
    assert "tk_" not in json.dumps(asked(served, VIEWS["box"][0]))


@pytest.mark.parametrize(
    ("view", "status"),
    [
        ({}, 400),
        ({"collection": "nothing"}, 404),
        ({"collection": "../x"}, 400),
        ({"collection": "analysis", "variables": ["rain"]}, 400),
        ({"collection": "analysis", "numbr": 1}, 400),
        ({"collection": "analysis", "axes": [1]}, 400),
        ({"collection": "analysis", "axes": {"number": {"a": 1}}}, 400),
        ({"collection": "analysis", "z": "low"}, 400),
        ({"collection": "analysis", "shape": "here"}, 400),
        ({"collection": "analysis", "shape": {"type": "Point", "coordinates": []}}, 400),
        ({"collection": "analysis", "shape": {"type": "Point", "coordinates": [0, 99]}}, 400),
        (
            {
                "collection": "analysis",
                "shape": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            },
            400,
        ),
        ({"collection": "analysis", "shape": {"type": "Box"}}, 400),
        ({"collection": "analysis", "coords": "POINT(1 NaN)"}, 400),
        ({"collection": "analysis", "coords": "POINT(1 2)", "bbox": "1,2,3,4"}, 400),
        ({"collection": "analysis", "region": "Atlantis"}, 400),
        ({"collection": "analysis", "datetime": "yesterday"}, 400),
        ({"collection": "analysis", "reduce": "mean"}, 400),
        ({"collection": "analysis", "cells": "all"}, 400),
        ({"collection": "analysis", "datetime": ONE_TIME, "axes": {"datetime": ONE_TIME}}, 400),
        ([1, 2], 400),
    ],
)
def test_wrong_views_are_refused(served: Served, view: Any, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        asked(served, view)
    told = refusal.value.read().decode()
    assert refusal.value.code == status, told
    assert "Traceback" not in told
