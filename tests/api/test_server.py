"""A server as the command line starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import pytest

from terrella.api.server import serve
from terrella.errors import Conflict, Invalid

TESTS = Path(__file__).parent.parent
SCRIPT = """
import sys
sys.path.insert(0, {tests!r})

if __name__ == "__main__":
    from functools import partial
    from pathlib import Path
    from api.application import application
    from terrella.api.server import serve
    ready = lambda address: print(address, flush=True)
    serve(partial(application, Path({home!r})), port=0, workers={workers}, on_ready=ready, log_mode="json")
"""


@contextmanager
def running(home: Path, workers: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    home.mkdir(exist_ok=True)
    script = home / "run.py"
    script.write_text(SCRIPT.format(tests=str(TESTS), home=str(home), workers=workers))
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def milliseconds(address: str, times: int) -> list[float]:
    """Of GET /health, on one connection that is kept alive."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return taken


@pytest.mark.server
@pytest.mark.timeout(300)  # starting processes is slow where tests run side by side
def test_two_workers_answer_at_once_and_a_killed_one_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path / "home", workers=2) as (process, address):
        milliseconds(address, 20)
        assert median(milliseconds(address, 200)) < 15, "waits for the network stack: not on uvloop and httptools?"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
        worker = next(child for child, command in commands.items() if "spawn_main" in command)
        os.kill(int(worker), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            now = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            spawned = [one for one in now if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]
            if worker not in now and len(spawned) == 2:
                break
            time.sleep(0.1)
        else:
            pytest.fail("no worker took its place")
        assert len(milliseconds(address, 5)) == 5


@pytest.mark.server
@pytest.mark.timeout(300)  # starting processes is slow where tests run side by side
def test_it_says_when_it_is_ready_and_stops_when_asked(tmp_path: Path) -> None:
    with running(tmp_path / "home", workers=1) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert len(milliseconds(address, 3)) == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(10) is not None
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


def test_a_taken_port_is_said_clearly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} of 127.0.0.1 is taken"):
            serve(lambda: 1 / 0, port=port)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match="Cannot listen"):
        serve(lambda: 1 / 0, host=host, port=0)
