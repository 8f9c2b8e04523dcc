"""Servers in processes of their own on loopback, and clients that ask them the same questions."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

type Process = subprocess.Popen[bytes]

HOST = "127.0.0.1"
CLIENTS = 4

# Prints what Python reads; `wrong` counts answers that are no 2xx, and connections that broke.
_WRK_SCRIPT = """
local paths, at = {}, 0
function init(args) for line in io.lines(args[1]) do paths[#paths + 1] = line end end
function request() at = at % #paths + 1; return wrk.format("GET", paths[at]) end
function done(all, latency)
  local e = all.errors
  io.write(string.format('RESULT {"count": %d, "us": %d, "p50": %d, "p99": %d, "wrong": %d}',
    all.requests, all.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Rate:
    """What clients saw together: requests a second, and milliseconds of one request."""

    per_second: float
    p50_ms: float
    p99_ms: float


def clean_environment(bytecode: Path) -> dict[str, str]:
    """Ours without Terrella's settings; compiled modules are kept in a folder, as an installed program has them."""
    unwanted = ("TERRELLA_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return kept | {"PYTHONPYCACHEPREFIX": str(bytecode)}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, *, path: str = "/", **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers on a port. Raises RuntimeError with its last words when it ends before."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=os.environ | environment
        )
        try:
            await_answer(process, port, path)
            yield process
        except RuntimeError as error:
            said.seek(0)
            raise RuntimeError(f"{error} {said.read()[-500:].decode(errors='replace')}") from error
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def await_answer(process: Process, port: int, path: str, *, seconds: float = 120) -> None:
    """Wait until `path` is answered with 200."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with status {process.returncode}.")
        try:
            if get(port, path)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.005)
    raise RuntimeError(f"The server did not answer within {seconds:g} s.")


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of one answer."""
    link = http.client.HTTPConnection(HOST, port, timeout=120)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def fire(
    port: int,
    paths: Sequence[str],
    seconds: float,
    clients: int = CLIENTS,
    headers: Mapping[str, str] | None = None,
) -> Rate:
    """Ask for paths in turn, from `clients` connections that stay open: through wrk where there is one.

    Raises RuntimeError when an answer is not 2xx.
    """
    return (_by_wrk if shutil.which("wrk") else by_threads)(port, paths, seconds, clients, headers or {})


def client_name() -> str:
    """What `fire` uses."""
    return "wrk" if shutil.which("wrk") else "Python threads"


def _by_wrk(port: int, paths: Sequence[str], seconds: float, clients: int, headers: Mapping[str, str]) -> Rate:
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder) / "ask.lua", Path(folder) / "paths"
        script.write_text(_WRK_SCRIPT)
        listed.write_text("\n".join(paths))
        command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "60s", "-s", str(script)]
        command += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        command += [f"http://{HOST}:{port}", "--", str(listed)]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
    if "RESULT " not in made.stdout:
        raise RuntimeError(f"wrk failed: {(made.stderr or made.stdout)[-300:]}")
    found: Mapping[str, float] = json.loads(made.stdout.rpartition("RESULT ")[2])
    if found["wrong"] or not found["count"]:
        raise RuntimeError(f"{found['wrong']} of {found['count']} answers were errors, as of {paths[0]}")
    return Rate(found["count"] / found["us"] * 1e6, found["p50"] / 1000, found["p99"] / 1000)


def by_threads(
    port: int, paths: Sequence[str], seconds: float, clients: int, headers: Mapping[str, str] | None = None
) -> Rate:
    """The same in Python; percentiles are of every single request."""
    times: list[float] = []
    wrong: list[str] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        link = http.client.HTTPConnection(HOST, port, timeout=120)
        at = number * len(paths) // clients
        while time.perf_counter() < until and not wrong:
            path = paths[at % len(paths)]
            at += 1
            began = time.perf_counter()
            link.request("GET", path, headers=dict(headers or {}))
            answer = link.getresponse()
            body = answer.read()
            times.append(time.perf_counter() - began)
            if not 200 <= answer.status < 300:
                wrong.append(f"{answer.status} for {path}: {body[:200].decode(errors='replace')}")
        link.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    last = statistics.quantiles(times, n=100)[-1] if len(times) > 1 else times[0]
    return Rate(len(times) / (time.perf_counter() - began), statistics.median(times) * 1000, last * 1000)


def module_command(module: str, *words: object) -> list[str]:
    """The command line of a module of ours, on this Python."""
    return [sys.executable, "-m", module, *map(str, words)]
