"""The lines of `terrella connect`, run exactly as they are printed, by the clients that they are for."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from clients.conftest import ANALYSIS, ENSEMBLE, PYTHON, serve
from grib_files import value, write_grib
from scene_files import numbers, write_scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunClient, Served  # type: ignore[import-not-found]

CUTTING = ["polytope-client", "earthkit-data", "hda", "cdsapi", "ecmwf-datastores-client", "OWSLib", "xarray"]
"""Clients in Python that print the values of the example."""
FINDING = ["eodag", "pystac-client"]
IMAGES = ["GDAL", "odc-stac"]
OTHERS = ["QGIS", "curl", "terrella"]
LEVEL, MEMBER = 500, 1
"""The first of `ensemble`, as its axes are sorted."""

EXACTLY = """
import contextlib, io
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(compile(snippet, "snippet", "exec"), {"__name__": "__main__"})
print(json.dumps(printed.getvalue()))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with an analysis, an ensemble and a scene."""
    folder = tmp_path_factory.mktemp("connect")
    write_grib(folder / "analysis.grib", times=range(6), keys=ANALYSIS)
    members = {"members": (1, 2), "levels": (850, 500), "steps": (0, 2, 4)}
    write_grib(folder / "ensemble.grib", param=130, keys=ENSEMBLE, **members)
    write_scene(folder / "scene.tif", {"red": SCENE})
    files = [str(folder / name) for name in ("analysis.grib", "ensemble.grib", "scene.tif")]
    command = [sys.executable, "-m", "terrella", "add", "--home", str(folder / "home"), *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "home"


SCENE = numbers(7, (64, 64)).astype("u2")


@pytest.fixture(scope="module")
def opened(home: Path) -> Iterator[Served]:
    """A server that lets anybody read."""
    yield from serve(home, home.parent / "open.log")


@pytest.fixture(scope="module")
def closed(opened: Served) -> Iterator[Served]:
    """The same site served to those with a key only; the key is of somebody who only reads."""
    account = {"name": "reader", "password": "a long password of theirs"}
    post(opened, "/account/users", account, opened.key)
    key = str(post(opened, "/account/login", account)["key"])
    for one in serve(opened.home, opened.home.parent / "closed.log", TERRELLA_ACCESS__ANONYMOUS="false"):
        yield type(one)(one.url, key, one.home, one.log)


def post(served: Served, path: str, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
    ask = urllib.request.Request(served.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(ask) as answer:
        return json.load(answer)


def lines_of(served: Served, *, key: str = "", collection: str = "") -> dict[str, str]:
    query = f"?f=json&collection={collection}" if collection else "?f=json"
    status, body = get(f"{served.url}/connect{query}", **({"X-API-Key": key} if key else {}))
    assert status == 200
    return json.loads(body)


@pytest.fixture(scope="module")
def anybodys(opened: Served) -> dict[str, str]:
    return lines_of(opened)


@pytest.fixture(scope="module")
def readers(closed: Served) -> dict[str, str]:
    return lines_of(closed, key=closed.key)


@pytest.fixture(params=["anybodys", "readers"])
def lines(request: pytest.FixtureRequest) -> dict[str, str]:
    """Without a key where anybody may read, and with one where not."""
    return request.getfixturevalue(request.param)


def near(printed: str, expected: list[float]) -> bool:
    """Whether every expected number was printed."""
    found = np.array([float(one) for one in re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", printed)])
    return all(found.size and np.abs(found - one).min() < 1e-3 for one in expected)


def series(hours: tuple[int, ...] = (0, 1, 2), **more: Any) -> list[float]:
    """What lies in the cell that is nearest to the first town: 14 E, 52 N."""
    return [float(value(52.0, 14.0, hours=hour, **more)) for hour in hours]


def test_every_client_has_lines(anybodys: dict[str, str], readers: dict[str, str], closed: Served) -> None:
    assert sorted(anybodys) == sorted(readers) == sorted(CUTTING + FINDING + IMAGES + OTHERS)
    for name, text in anybodys.items():
        assert "tk_" not in text, name
        assert not text.startswith("#") or name == "QGIS", text
        if name != "curl":
            ast.parse(text)
    assert all(closed.key in text for name, text in readers.items() if name != "terrella")


@pytest.mark.parametrize("name", CUTTING)
def test_values_are_cut(name: str, lines: dict[str, str], run_client: RunClient) -> None:
    printed = run_client(EXACTLY, snippet=lines[name])
    assert near(printed, series()), printed


@pytest.mark.parametrize("name", FINDING)
def test_items_are_found(name: str, lines: dict[str, str], run_client: RunClient) -> None:
    printed = run_client(EXACTLY, snippet=lines[name])
    assert "analysis 2024-03-01" in printed or "analysis None" in printed, printed


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_read(name: str, lines: dict[str, str], client_process: object, tmp_path: Path) -> None:
    """In a process of their own: the wheels of rasterio and ecCodes bring each their PROJ, and may not bear each other."""
    del client_process  # it skips where the clients are not set up
    plain = {key: text for key, text in os.environ.items() if not key.startswith(("GDAL_", "TERRELLA"))}
    command = [str(PYTHON), "-c", lines[name]]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=plain)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert near(ended.stdout, [float(SCENE.mean())]), ended.stdout


def test_the_shell(lines: dict[str, str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    answer = subprocess.run(["sh", "-c", lines["curl"]], check=True, capture_output=True, text=True)
    assert near(answer.stdout, series()), answer.stdout


def test_its_own_python(lines: dict[str, str], home: Path) -> None:
    environment = os.environ | {"TERRELLA_HOME": str(home)}
    command = [sys.executable, "-c", lines["terrella"]]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert near(answer.stdout, series()), answer.stdout


def test_what_qgis_opens(lines: dict[str, str], run_client: RunClient) -> None:
    """QGIS asks GDAL: it opens the same addresses with the same options."""
    (address,) = re.findall(r'"(OAPIF:[^"|]+)\|', lines["QGIS"])
    (image,) = re.findall(r'"(/vsicurl/[^"]+)"', lines["QGIS"])
    key = re.search(r'"GDAL_HTTP_BEARER": "([^"]+)"', lines["QGIS"])
    asked = """
import os, subprocess, sys
options = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": key} if key else {}
code = "import pyogrio, rasterio, sys; print(pyogrio.read_info(sys.argv[1], layer='analysis')['features'], rasterio.open(sys.argv[2]).shape)"
plain = {name: text for name, text in os.environ.items() if not name.startswith("GDAL_")}
print(json.dumps(subprocess.run([sys.executable, "-c", code, address, image], check=True, capture_output=True, text=True, env=plain | options).stdout))
"""
    told = run_client(asked, address=address, image=image, key=key[1] if key else "")
    assert told.split() == ["1", "(64,", "64)"]


@pytest.mark.parametrize("name", [*CUTTING, "curl"])
def test_steps_levels_and_members(name: str, opened: Served, run_client: RunClient) -> None:
    snippet = ENSEMBLES.setdefault(opened.url, lines_of(opened, collection="ensemble"))[name]
    if name == "curl":
        printed = subprocess.run(["sh", "-c", snippet], check=True, capture_output=True, text=True).stdout
    else:
        printed = run_client(EXACTLY, snippet=snippet)
    assert near(printed, series((0, 2, 4), level=LEVEL, member=MEMBER)), printed


ENSEMBLES: dict[str, dict[str, str]] = {}


# --- the page -------------------------------------------------------------------------------------------------------


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_page_has_the_same_lines(opened: Served, anybodys: dict[str, str]) -> None:
    from html import unescape

    status, page = get(f"{opened.url}/connect", Accept="text/html")
    assert status == 200
    blocks = {
        name: unescape(text) for name, text in re.findall(r'<code data-client="([^"]+)">(.*?)</code>', page, re.DOTALL)
    }
    assert blocks == anybodys
    assert json.loads(get(f"{opened.url}/connect", Accept="application/json")[1]) == anybodys
    assert "http://www" not in page  # nothing of it comes from elsewhere
    assert "https://" not in page.replace("https://qgis.org", "")


def test_a_key_in_a_header_is_in_the_lines(closed: Served) -> None:
    for headers in ({"Authorization": f"Bearer {closed.key}"}, {"X-API-Key": closed.key}):
        found = json.loads(get(f"{closed.url}/connect?f=json", **headers)[1])
        assert f'"Bearer {closed.key}"' in found["xarray"]


def test_without_a_key_a_closed_site_says_so(closed: Served) -> None:
    status, body = get(f"{closed.url}/connect?f=json")
    assert status == 200
    for name, text in json.loads(body).items():
        assert text.startswith(f"# {name}: this site has no "), text
        assert "analysis" not in text


def test_a_closed_site_is_closed_to_anonymous_too(closed: Served) -> None:
    assert get(f"{closed.url}/stac/collections", Authorization="Bearer anonymous")[0] == 401
    with pytest.raises(urllib.error.HTTPError) as refusal:
        post(closed, "/identity/gettoken", {"username": "anonymous", "password": "anonymous"})
    assert refusal.value.code == 401
    refusal.value.close()


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?f=xml", {}, 400),
        ("?collection=analysiss", {}, 404),
        ("?collection=../x", {}, 400),
        ("?f=json", {"X-API-Key": "tk_wrong"}, 401),
    ],
)
def test_wrong_questions_are_refused(opened: Served, query: str, headers: dict[str, str], status: int) -> None:
    told, body = get(f"{opened.url}/connect{query}", Accept="application/json", **headers)
    assert told == status, body
    assert "Traceback" not in body


def test_an_address_cannot_carry_code(opened: Served) -> None:
    status, body = get(f"{opened.url}/connect", Accept="text/html", Host='a"+evil()+"<script>')
    assert status in {200, 400}
    assert "evil" not in body


def run_shell(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "terrella", "connect", *arguments]
    return subprocess.run(
        [*command, *(("--home", str(home)) if home else ())], capture_output=True, text=True, check=False
    )


def test_the_shell_asks_a_running_site(
    closed: Served, readers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRELLA_KEY", closed.key)
    answer = run_shell("--url", closed.url, "--json")
    assert (json.loads(answer.stdout), answer.returncode) == (readers, 0)


def test_one_client_from_the_folder(home: Path, anybodys: dict[str, str]) -> None:
    answer = run_shell("XARRAY", home=home)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert re.sub(r"http://127.0.0.1:\d+", "", answer.stdout) == re.sub(r"http://127.0.0.1:\d+", "", anybodys["xarray"])


def test_a_site_with_nothing_says_so(tmp_path: Path) -> None:
    answer = run_shell("--json", home=tmp_path / "empty")
    for name, text in json.loads(answer.stdout).items():
        assert text.startswith(f"# {name}: this site has no "), text


def test_a_client_that_there_is_not(home: Path) -> None:
    answer = run_shell("polytop-client", home=home)
    assert answer.returncode == 1
    assert "polytope-client" in answer.stderr
