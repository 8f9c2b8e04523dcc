"""`terrella up` with workers, as real processes: it starts quickly, keeps its workers, and leaves none behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from terrella.jobs.processes import is_alive

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]  # processes start slowly where tests run side by side


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, "it did not come true"
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """Processes that any thread of a process has started and that live."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(one) for one in path.read_text().split()]
    return [one for one in found if is_alive(one)]


@contextmanager
def up(home: Path, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """A process that serves, its address, and how long it took (seconds)."""
    log = home.with_suffix(".log")
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", "0"]
    began = time.monotonic()
    with log.open("wb") as out:
        environment = os.environ | {"TERRELLA_JOBS__WORKERS": str(workers)}
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        until(lambda: process.poll() is not None or b"Ready at" in log.read_bytes())
        found = re.search(r"Ready at (\S+)", log.read_text())
        assert found, log.read_text()[-2000:]
        yield process, found[1], time.monotonic() - began
    finally:
        for pid in children(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_the_server_and_its_workers_and_replaces_those_that_die(
    tmp_path: Path, ends: signal.Signals
) -> None:
    with up(tmp_path / "home", 2) as (server, address, _):
        until(lambda: len(children(server.pid)) == 2)
        first = children(server.pid)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(children(server.pid)) == 2 and first[0] not in children(server.pid))
        workers = children(server.pid)
        assert first[1] in workers
        with urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
            assert answer.status == 200
        server.send_signal(ends)
        assert server.wait(120) == 0
        until(lambda: not any(map(is_alive, workers)), 20)


def test_workers_end_when_their_server_is_killed(tmp_path: Path) -> None:
    with up(tmp_path / "home", 1) as (server, _, _):
        until(lambda: children(server.pid))
        workers = children(server.pid)
        server.kill()
        server.wait()
        until(lambda: not any(map(is_alive, workers)), 100)


def test_it_is_ready_soon_and_answers_before_its_workers_start(tmp_path: Path) -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import terrella.api.app"], check=True)
    loading = time.monotonic() - began  # what this machine takes now for the imports alone
    with up(tmp_path / "home", 1) as (server, address, ready):
        assert children(server.pid) == []
        with urllib.request.urlopen(f"{address}/stac", timeout=60) as answer:
            assert answer.status == 200
        assert ready < max(3.0, 3 * loading)
        until(lambda: children(server.pid))
