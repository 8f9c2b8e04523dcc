"""Rooms of jobs on both databases, with small tasks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from terrella.contracts.jobs import Task
from terrella.jobs.jobs import Jobs
from terrella.model.caller import RUN, SCOPES, Caller

ANN = Caller("ann", scopes=frozenset({RUN}))
BOB = Caller("bob", scopes=frozenset({RUN}))
CHIEF = Caller("chief", scopes=SCOPES)
PEOPLE = {one.name: one for one in (ANN, BOB, CHIEF)}


def echo(work: Any) -> None:
    """Writes its input."""
    work.progress(0.5, "Half way.")
    (work.folder / "echo.txt").write_text(str(work.inputs.get("text", "")))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server of our own; skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    programs, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="jobs-postgres-"))
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet: dict[str, Any] = {"cwd": folder, "capture_output": True, **who}
    data = folder / "data"
    subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], check=True, **quiet)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [programs / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True, **quiet)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Where the tables lie; PostgreSQL is emptied before."""
    if request.param == "sqlite":
        return ""
    import psycopg

    address: str = request.getfixturevalue("postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("drop schema if exists terrella_jobs cascade")
    return address


@pytest.fixture
def make(tmp_path: Path, url: str) -> Iterator[Callable[..., Jobs]]:
    """Makes rooms over one home: several are like several processes."""
    made: list[Jobs] = []

    def room(tasks: dict[str, Task] | None = None, **more: Any) -> Jobs:
        made.append(Jobs(tmp_path / "home", url, {"echo": echo, **(tasks or {})}, **more))
        return made[-1]

    yield room
    for one in made:
        one.close()


@pytest.fixture
def jobs(make: Callable[..., Jobs]) -> Jobs:
    return make()


def work_off(jobs: Jobs, **more: Any) -> int:
    """Do all that waits, in this thread; how many."""
    return jobs.worker(PEOPLE.__getitem__, **more).run(until_idle=True)


def until(true: Callable[[], Any], seconds: float = 15.0) -> None:
    """Wait for something."""
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, "it did not come true"
        time.sleep(0.02)
