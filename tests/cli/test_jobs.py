"""`terrella job`, `terrella extract --job` and `terrella worker`, as a person uses them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from cli.test_cli import terrella
from site_files import write_netcdf

SECONDS = "240"
"""Longest wait: starting processes is slow where tests run side by side."""


def say(home: Path, *words: str, status: int = 0) -> str:
    done = terrella(*words, home=home)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the cube `field`."""
    folder = tmp_path_factory.mktemp("jobs")
    write_netcdf(folder / "field.nc", hours=range(2))
    say(folder / "home", "add", str(folder / "field.nc"))
    return folder / "home"


@pytest.mark.server
@pytest.mark.timeout(300)
def test_an_extraction_is_left_to_a_worker_that_stops_when_asked(home: Path) -> None:
    job = json.loads(say(home, "extract", "field", "--bbox", "5,45,7,47", "-o", "box.nc", "--job", "--json"))["job"]
    listed = json.loads(say(home, "job", "list", "--json"))
    assert [(one["id"], one["state"]) for one in listed if one["id"] == job] == [(job, "accepted")]
    command = [sys.executable, "-m", "terrella", "worker", "--home", str(home)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as worker:
        say(home, "job", "wait", job, "--seconds", SECONDS)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(60) == 0
    shown = json.loads(say(home, "job", "show", job, "--json"))
    assert (shown["state"], shown["outputs"][0]["name"], shown["title"]) == ("successful", "box.nc", "field to box.nc")
    (path,) = (home / "jobs" / "results").glob("*/box.nc")
    straight = path.with_name("straight.nc")
    say(home, "extract", "field", "--bbox", "5,45,7,47", "-o", str(straight))
    with xr.open_dataset(path) as found, xr.open_dataset(straight) as expected:
        assert found.drop_attrs().identical(expected.drop_attrs())
    straight.unlink()
    assert "values" in say(home, "job", "logs", job)
    assert "Only a failed" in say(home, "job", "retry", job, status=1)


def test_a_waiting_job_is_cancelled_and_tried_again(home: Path) -> None:
    job = json.loads(say(home, "extract", "field", "--point", "5,45", "-o", "p.csv", "--job", "--json"))["job"]
    assert "dismissed" in say(home, "job", "cancel", job)
    assert job in say(home, "job", "list", "--state", "dismissed", "--json")
    say(home, "job", "wait", job, "--seconds", "0", status=1)
    assert "accepted" in say(home, "job", "retry", job)
    say(home, "job", "cancel", job)
    assert "or it is not yours" in say(home, "job", "show", "nothing", status=1)


def test_a_job_needs_a_file_and_a_collection(home: Path) -> None:
    assert "--output" in say(home, "extract", "field", "--job", status=2)
    assert "'field'" in say(home, "extract", "fild", "-o", "x.nc", "--job", status=1)


def test_schedules_are_listed_added_and_removed(home: Path) -> None:
    assert "No job starts by itself." in say(home, "job", "schedule", "list")
    inputs = json.dumps({"collection": "field"})
    assert "next at" in say(home, "job", "schedule", "add", "night", "optimise", "--inputs", inputs, "--cron", "@daily")
    say(home, "job", "schedule", "add", "new", "optimise", "--on", "items-added")
    found = {one["name"]: one for one in json.loads(say(home, "job", "schedule", "list", "--json"))}
    assert found["night"]["cron"] == "@daily"
    assert found["night"]["inputs"] == {"collection": "field"}
    assert found["night"]["due"][11:16] == "00:00"
    assert found["new"]["event"] == "items-added"
    assert "night" in say(home, "job", "schedule", "list")
    say(home, "job", "schedule", "remove", "night", "new")
    assert json.loads(say(home, "job", "schedule", "list", "--json")) == []
    assert "There is no schedule" in say(home, "job", "schedule", "remove", "night", status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optimise"], "Say when"),
        (["optimise", "--cron", "@daily", "--on", "items-added"], "Say when"),
        (["optimise", "--cron", "61 * * * *"], "is no minute"),
        (["optimize", "--cron", "@daily"], "Did you mean 'optimise'"),
        (["optimise", "--on", "item-added"], "Did you mean 'items-added'"),
        (["optimise", "--cron", "@daily", "--inputs", "[1]"], "JSON object"),
        (["optimise", "--cron", "@daily", "--inputs", "@/nowhere"], "JSON object"),
    ],
)
def test_wrong_schedules_are_refused(home: Path, words: list[str], said: str) -> None:
    assert said in say(home, "job", "schedule", "add", "wrong", *words, status=2)


def test_what_is_added_starts_what_waits_for_it(tmp_path: Path) -> None:
    from terrella.model.caller import OPERATOR
    from terrella.site import Site

    home = tmp_path / "home"
    write_netcdf(tmp_path / "one.nc", hours=range(1))
    say(home, "job", "schedule", "add", "each", "extract", "--on", "items-added")
    say(home, "add", str(tmp_path / "one.nc"), "--dry-run")
    say(home, "add", str(tmp_path / "one.nc"))
    say(home, "add", str(tmp_path / "one.nc"))  # nothing new
    with Site.open(home) as site:
        assert site.jobs.starting.run_events() == 1
        (job,) = site.jobs.list(OPERATOR)[0]
    assert job.inputs == {"event": {"collections": ["one"]}}
