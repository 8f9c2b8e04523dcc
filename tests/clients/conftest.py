"""A served site with made data, and a way to run the clients that users own: unmodified, in an environment of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from grib_files import write_grib
from site_files import write_netcdf

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
PYTHON = REPOSITORY / ".venv-clients" / "bin" / "python"
ANALYSIS = {"marsClass": "ea", "marsStream": "oper", "marsType": "an"}
ENSEMBLE = {"marsClass": "od", "marsStream": "enfo", "marsType": "pf"}
TIMES, STEPS, LEVELS, MEMBERS = tuple(range(24)), tuple(range(0, 13, 2)), (1000, 850, 500), (1, 2)
"""What `analysis` has (2t, hourly on 1 March 2024) and `ensemble` (t, from 00 and 12 on that day)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in one process: they share a server and its worker."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("clients"))
            item.add_marker(pytest.mark.server)


@dataclass(frozen=True)
class Served:
    """A running site: its address, the administrator's key, its home, and what it has printed."""

    url: str
    key: str
    home: Path
    log: Path


def serve(home: Path, log: Path, **settings: str) -> Iterator[Served]:
    """`terrella up` on a folder, until the end of the fixture."""
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", "0"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | settings)
        try:
            yield _ready(process, home, log)
        finally:
            process.terminate()
            code = process.wait(30)
    assert code == 0, log.read_text()[-2000:]


def _ready(process: subprocess.Popen[bytes], home: Path, log: Path) -> Served:
    from time import monotonic, sleep

    last = monotonic() + 60
    while monotonic() < last and process.poll() is None:
        text = log.read_text()
        if found := re.search(r"Ready at (\S+)", text):
            key = re.search(r"\btk_\S+", text)
            return Served(found[1], key[0] if key else "", home, log)
        sleep(0.05)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site with the collections `analysis` and `ensemble`."""
    folder = tmp_path_factory.mktemp("clients")
    write_grib(folder / "analysis.grib", times=TIMES, keys=ANALYSIS)
    write_grib(
        folder / "ensemble.grib", param=130, times=(0, 12), steps=STEPS, levels=LEVELS, members=MEMBERS, keys=ENSEMBLE
    )
    home = folder / "home"
    files = [str(folder / f"{name}.grib") for name in ("analysis", "ensemble")]
    subprocess.run(
        [sys.executable, "-m", "terrella", "add", "--home", str(home), *files], check=True, capture_output=True
    )
    yield from serve(home, folder / "server.log")


_QUOTA = '[[access.quotas]]\nname = "few"\nroles = ["limited"]\nrequests = 12\nper = "month"\n'
DAYS = 130
"""Files of the collection `daily`: one a day from 1 January 2024."""


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site with what the data stores and the broker serve.

    `analysis`, `ensemble`; `levels` (t on levels and 2t), `ordinary` (NetCDF), and `daily` (many small files).
    """
    folder = tmp_path_factory.mktemp("stores")
    write_grib(folder / "analysis.grib", times=TIMES, keys=ANALYSIS)
    write_grib(
        folder / "ensemble.grib", param=130, times=(0, 12), steps=STEPS, levels=LEVELS, members=MEMBERS, keys=ENSEMBLE
    )
    write_grib(folder / "upper.grib", param=130, levels=LEVELS, keys=ANALYSIS)
    write_grib(folder / "lower.grib", keys=ANALYSIS)
    write_netcdf(folder / "ordinary.nc")
    (folder / "daily").mkdir()
    for day in range(DAYS):
        start = date(2024, 1, 1) + timedelta(days=day)
        write_netcdf(folder / "daily" / f"day-{start}.nc", start=start.isoformat(), hours=range(1), offset=day)
    home = folder / "home"
    home.mkdir()
    (home / "terrella.toml").write_text(_QUOTA)
    for names, collection in (
        (["analysis.grib", "ensemble.grib", "ordinary.nc"], []),
        (["upper.grib", "lower.grib"], ["--collection", "levels"]),
        (["daily"], ["--collection", "daily"]),
    ):
        command = [sys.executable, "-m", "terrella", "add", "--home", str(home), *collection]
        subprocess.run([*command, *(str(folder / name) for name in names)], check=True, capture_output=True)
    yield from serve(home, folder / "server.log")


@pytest.fixture(scope="session")
def stranger(stores: Served) -> str:
    """The key of another user of that site."""
    account = {"name": "stranger", "password": "a long password of hers"}
    _post(stores, "/account/users", account, stores.key)
    return str(_post(stores, "/account/login", account)["key"])


@pytest.fixture(scope="session")
def limited(stores: Served) -> str:
    """The key of somebody who has 12 requests a month there."""
    account: dict[str, Any] = {"name": "limited", "password": "another long password", "roles": ["limited"]}
    _post(stores, "/account/users", account, stores.key)
    del account["roles"]
    return str(_post(stores, "/account/login", account)["key"])


def _post(site: Served, path: str, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"PRIVATE-TOKEN": key} if key else {})
    asked = urllib.request.Request(site.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())


class RunClient(Protocol):
    """Runs lines of Python in the clients' environment; what they print as JSON in the last line comes back."""

    def __call__(self, lines: str, **values: Any) -> Any: ...


_LOOP = """
import contextlib, io, json, os, sys, traceback, warnings
answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    asked = json.loads(line)
    os.chdir(asked["folder"])
    printed, told = io.StringIO(), {}
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            exec(compile(asked["lines"], "lines", "exec"), {"__name__": "__main__", "json": json, **asked["values"]})
    except BaseException:
        told["error"] = traceback.format_exc()
    told["printed"] = printed.getvalue()
    print(json.dumps(told), file=answers, flush=True)
"""


@pytest.fixture(scope="module")
def client_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """One process for the tests of a client: importing one takes seconds, and several in one process may not bear one

    another (two libproj, two SQLite). Its home is its own, as they keep keys there.
    """
    if not PYTHON.exists():
        pytest.skip("the clients are not set up: scripts/setup clients")
    home = tmp_path_factory.mktemp("client-home")
    hidden = ("POLYTOPE_", "EODAG_", "CDSAPI_", "ECMWF_", "TERRELLA", "XDG_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment = plain | {"HOME": str(home), "TMPDIR": str(home)}
    with (home / "errors.log").open("w") as errors:
        process = subprocess.Popen(
            [str(PYTHON), "-c", _LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        yield process
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it may have died with its last client
            process.stdin.close()
        process.wait(30)
        process.stdout.close()


@pytest.fixture
def run_client(client_process: subprocess.Popen[str], tmp_path: Path) -> RunClient:
    """Values are given as JSON. The lines run in the test's own folder."""

    def run(lines: str, **values: Any) -> Any:
        assert client_process.stdin is not None
        assert client_process.stdout is not None
        print(
            json.dumps({"lines": lines, "values": values, "folder": str(tmp_path)}),
            file=client_process.stdin,
            flush=True,
        )
        told = json.loads(client_process.stdout.readline())
        assert "error" not in told, f"{told['printed'][-2000:]}\n{told['error'][-4000:]}"
        printed = told["printed"].strip().splitlines()
        return json.loads(printed[-1]) if printed else None

    return run
