"""The command line as users meet it: a process, its output and its exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
import xarray as xr

from site_files import write_netcdf
from terrella.cli import main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def terrella(*words: str | Path, home: Path | None = None, **environment: str) -> Done:
    """Run the command line as `main` does, in this process: starting one takes longer than most commands."""
    arguments = ["terrella", *map(str, words), *(("--home", str(home)) if home else ())]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TERRELLA_")}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", arguments),
        mock.patch.dict(os.environ, kept | {"TERRELLA_READING__SCANNERS": "1"} | environment, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            return Done(int(stop.code or 0), out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one cube of 24 hours."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "data").mkdir()
    write_netcdf(folder / "data" / "t2m.nc", hours=range(24))
    done = terrella("add", folder / "data", home=folder / "home")
    assert done.returncode == 0, done.stderr
    assert "t2m (new)" in done.stdout
    assert "1 added in 1 collection." in done.stdout
    return folder / "home"


def test_help_teaches() -> None:
    done = terrella("--help")
    assert done.returncode == 0
    for command in ("up", "add", "list", "show", "remove", "search", "extract", "settings"):
        assert f"  {command} " in done.stdout
        assert terrella(command, "--help").returncode == 0


def test_the_command_is_a_process() -> None:
    for words, status in ((["--help"], 0), (["fly"], 2)):
        done = subprocess.run([sys.executable, "-m", "terrella", *words], capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert "Usage: " in done.stdout + done.stderr


def test_wrong_usage_is_two(home: Path) -> None:
    assert terrella("fly").returncode == 2
    assert terrella("add").returncode == 2
    assert terrella("extract", "t2m", "--point", "here", home=home).returncode == 2
    assert terrella("search", "--bbox", "1,2,3", home=home).returncode == 2


def test_failures_are_one_and_named(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.nc"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 200)
    done = terrella("add", broken, home=home)
    assert done.returncode == 1
    assert str(broken) in done.stdout
    missing = terrella("show", "t3m", home=home)
    assert missing.returncode == 1
    assert "t2m" in missing.stderr, "the nearest name is offered"
    assert "Traceback" not in missing.stderr


def test_home_comes_from_the_environment(home: Path) -> None:
    done = terrella("list", "--json", TERRELLA_HOME=str(home))
    assert [one["id"] for one in json.loads(done.stdout)] == ["t2m"]


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    done = terrella("list", home=tmp_path, TERRELLA_SEVER__PORT="1")
    assert done.returncode == 2
    assert "TERRELLA_SEVER__PORT" in done.stderr
    (tmp_path / "terrella.toml").write_text("[server]\nprot = 1\n")
    assert "server.prot" in terrella("list", home=tmp_path).stderr


def test_list_show_search(home: Path) -> None:
    assert "t2m" in terrella("list", home=home).stdout
    shown = terrella("show", "t2m", home=home).stdout
    assert "Grid: regular, 120 cells" in shown
    assert json.loads(terrella("show", "t2m", "t2m", home=home).stdout)["type"] == "Feature"
    found = json.loads(terrella("search", "temperature", "--time", "2024-01-01", "--json", home=home).stdout)
    assert [one["id"] for one in found["features"]] == ["t2m"]
    assert "Nothing matches" in terrella("search", "--bbox", "100,0,110,10", home=home).stdout
    assert "Nothing matches" in terrella("search", "--filter", "version = '7'", home=home).stdout


def test_extract_to_the_eye_and_to_files(home: Path, tmp_path: Path) -> None:
    seen = terrella("extract", "t2m", "--point", "3.2,45.9", home=home)
    assert "█" in seen.stdout
    assert "min 403, mean 115403, max 230403" in seen.stdout
    done = terrella("extract", "t2m", "--point", "3.2,45.9", "-o", tmp_path / "a.nc", home=home)
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "a.nc", engine="netcdf4") as answer:
        assert answer["t2m"].values.ravel()[5] == 50403
    terrella(
        "extract", "t2m", "--bbox", "2,44,4,46", "--time", "2024-01-01T03:00:00Z", "-o", tmp_path / "b.csv", home=home
    )
    with (tmp_path / "b.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 9
    wrong = terrella("extract", "t2m", "-o", tmp_path / "c.xyz", home=home)
    assert wrong.returncode == 2
    assert ".covjson" in wrong.stderr


def test_answers_are_strict_json(home: Path) -> None:
    done = terrella("extract", "t2m", "--point", "3,46", "--json", home=home)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout, parse_constant=pytest.fail)
    assert answer["coords"]["time"]["data"][:2] == ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"]


def test_a_file_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    done = terrella("extract", "t2m", "--point", "3,46", "-o", tmp_path / "nowhere" / "a.nc", home=home)
    assert done.returncode == 2
    assert done.stderr.strip().endswith("a.nc cannot be written: No such file or directory.")


def test_estimate_reads_nothing(home: Path) -> None:
    plan = json.loads(terrella("extract", "t2m", "--point", "3,46", "--estimate", "--json", home=home).stdout)
    assert plan["cells"] == 1
    assert plan["values"] == plan["chunks"] == 24


def test_an_estimate_counts_the_file_that_is_written(home: Path) -> None:
    asked = ("extract", "t2m", "--bbox", "0,41,11,50", "--estimate", "--json")
    plan = json.loads(terrella(*asked, home=home).stdout)
    text = json.loads(terrella(*asked, "-o", "x.csv", home=home).stdout)
    assert text["memory"] >= plan["memory"] + 100 * plan["values"]
    assert {name: text[name] for name in text if name not in ("memory", "seconds")} == {
        name: plan[name] for name in plan if name not in ("memory", "seconds")
    }


def test_along_a_line_and_beside_it(home: Path, tmp_path: Path) -> None:
    clocked = "LINESTRING M (1 50, 2 49, 3 48)".replace("50,", "50 1704067200,").replace("49,", "49 1704070800,")
    done = terrella("extract", "t2m", "--line", clocked.replace("48)", "48 1704074400)"), "--json", home=home)
    assert json.loads(done.stdout)["data_vars"]["t2m"]["data"] == [1.0, 10102.0, 20203.0]
    way = tmp_path / "way.geojson"
    way.write_text(json.dumps({"type": "LineString", "coordinates": [[1, 49], [4, 49]]}))
    first = ("extract", "t2m", "--line", str(way), "--time", "2024-01-01T00:00:00Z", "--json")
    band = json.loads(terrella(*first, "--width", "20", home=home).stdout)["data_vars"]["t2m"]
    assert sorted(value for row in band["data"] for value in row) == [101.0, 102.0, 103.0, 104.0]
    for wrong in (
        ("--width", "20"),
        ("--line", str(way), "--height", "2"),
        ("--line", "LINE"),
        ("--line", "POINT(1 2)"),
    ):
        done = terrella("extract", "t2m", *wrong, home=home)
        assert done.returncode == 2, wrong
    assert "--width takes 1 number, like 20" in terrella(*first, "--width", "1,2", home=home).stderr


def test_a_grid_that_is_none_is_refused(home: Path, tmp_path: Path) -> None:
    done = terrella("add", tmp_path, "--grid", "EPSG:3035", home=home)
    assert done.returncode == 2
    assert "WORD=VALUE" in done.stderr


def test_settings_are_told(home: Path) -> None:
    assert json.loads(terrella("settings", "--json", home=home).stdout)["server"]["port"] == 8700
    assert "reading.scan_seconds" in terrella("settings", home=home).stdout


def test_remove_needs_something_to_remove(home: Path) -> None:
    assert terrella("remove", "t2m", "t2n", "--yes", home=home).returncode == 1


@pytest.mark.server
def test_up_serves_and_stops(home: Path) -> None:
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = lines[1].split()[2]
        with urllib.request.urlopen(f"{address}/health") as answer:
            assert answer.status == 200
        url = f"{address}/ogc/collections/t2m/position?coords=POINT(3.2%2045.9)&f=CSV&datetime=2024-01-01T05:00:00Z"
        with urllib.request.urlopen(url) as answer:
            assert answer.read().decode().splitlines()[1].endswith(",50403")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
