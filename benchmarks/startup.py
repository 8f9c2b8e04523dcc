"""How long until it answers: `terrella --help`, and `terrella up` from process start to the first 200 of /health.

    python -m benchmarks.startup

The demo lake is made once by `terrella up --demo`; then `up` is timed without and with --demo, as `make run` does it.
Medians of several runs, modules compiled and files in the system's cache.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.serving import await_answer, clean_environment, free_port

Row = dict[str, Any]
COMMAND = str(Path(sys.executable).with_name("terrella"))
_FIRST_SECONDS = 900
_DEMO = ("iris", "iris_sample_data", "hvsampledata", "pvlib", "xrspatial")


def told_help(environment: dict[str, str]) -> float:
    """Seconds of `terrella --help`."""
    began = time.perf_counter()
    subprocess.run([COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - began


def up(environment: dict[str, str], home: Path, *words: str, seconds: float = 120) -> float:
    """Seconds from the start of `terrella up` to its first answer; then it is stopped. Raises RuntimeError."""
    port = free_port()
    command = [COMMAND, "up", "--home", str(home), "--port", str(port), *words]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            await_answer(process, port, "/health", seconds=seconds)
            return time.perf_counter() - began
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def median(call: Callable[[], float], runs: int) -> float:
    """Median of several runs after one that warms the cache of files."""
    call()
    return statistics.median(call() for _ in range(runs))


def run(runs: int = 7, *, folder: Path | None = None) -> list[Row]:
    """Rows: seconds and the bar for them."""
    missing = [name for name in _DEMO if find_spec(name) is None]
    with tempfile.TemporaryDirectory() as scratch:
        environment = clean_environment(Path(scratch) / "bytecode")
        rows = [_row("terrella --help", median(lambda: told_help(environment), runs), 0.3)]
        if missing:
            why = f"the demo data are not installed: {', '.join(missing)} (scripts/setup)"
            return [*rows, {"what": "terrella up with the demo lake", "not_measured": why}]
        return rows + _rows(environment, folder or Path(scratch) / "home", runs)


def _rows(environment: dict[str, str], home: Path, runs: int) -> list[Row]:
    first = up(environment, home, "--demo", seconds=_FIRST_SECONDS)
    ready = median(lambda: up(environment, home), runs)
    again = median(lambda: up(environment, home, "--demo"), runs)
    return [
        {"what": "terrella up --demo, the first time (adds the demo lake)", "terrella_s": round(first, 2)},
        _row("terrella up with the demo lake, until ready", ready, 3.0),
        _row("terrella up --demo, the second time, until ready", again, 5.0),
    ]


def _row(what: str, seconds: float, bar: float) -> Row:
    return {"what": what, "terrella_s": round(seconds, 3), "bar_s": bar}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="keep the demo lake here, and use it again when it is there")
    given = parser.parse_args()
    for row in run(given.runs, folder=given.folder):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
