"""`terrella job` and `terrella worker`, as a person uses them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

COMMAND = [sys.executable, "-m", "terrella"]


def say(home: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run([*COMMAND, *words, "--home", str(home)], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.mark.server
@pytest.mark.timeout(300)  # starting processes is slow where tests run side by side
def test_an_extraction_is_left_to_a_worker_that_stops_when_asked(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "field.nc"
    lat, lon = np.arange(60.0, 39, -1), np.arange(0.0, 21)
    values = np.add.outer(lat, lon / 100)
    xr.Dataset(
        {"t2m": (("lat", "lon"), values, {"units": "degC"})},
        {"lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", lon, {"units": "degrees_east"})},
    ).to_netcdf(file)
    say(home, "add", str(file))
    job = json.loads(say(home, "extract", "field", "--bbox", "5,45,7,47", "-o", "box.nc", "--job", "--json"))["job"]
    with subprocess.Popen([*COMMAND, "worker", "--home", str(home)], stderr=subprocess.DEVNULL) as worker:
        say(home, "job", "wait", job, "--seconds", "100")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(30) == 0
    shown = json.loads(say(home, "job", "show", job, "--json"))
    assert (shown["state"], shown["outputs"][0]["name"]) == ("successful", "box.nc")
    (path,) = (home / "jobs" / "results").glob("*/box.nc")
    with xr.open_dataset(path) as found:
        assert np.array_equal(found.t2m.values, values[13:16, 5:8])
    assert "values" in say(home, "job", "logs", job)
    assert "Only a failed" in say(home, "job", "retry", job, status=1)
