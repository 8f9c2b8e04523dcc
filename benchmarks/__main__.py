"""Run benchmarks and show what they found.

    python -m benchmarks                     all of them, about half an hour
    python -m benchmarks edr startup         some
    python -m benchmarks --quick             small sizes, to see that they work: the numbers mean little
    python -m benchmarks --write             all, and write docs/explanation/performance.md

Each runs in a process of its own; one that fails is named, and the others go on. Results of full runs are kept in
build/benchmarks.json, so that `--write` with names renews those and takes the others from there. The exit status is 1
when one failed; a bar that is missed is shown, but no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import facts
from benchmarks.page import page
from benchmarks.rows import Row, cells, verdict
from benchmarks.serving import module_command

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "performance.md"
KEPT = ROOT / "build" / "benchmarks.json"
_LONGEST_SECONDS = 3600

QUICK: dict[str, dict[str, Any]] = {
    "startup": {"runs": 2},
    "indexing_grib": {},
    "indexing_netcdf": {"files": 50},
    "adding": {"files": 50, "rounds": 1},
    "points_grib": {},
    "polytope": {"rounds": 1},
    "series": {"hours": 1752, "rounds": 5},
    "memory": {"requests": 1},
    "estimates": {},
    "optimising": {"hours": 500, "rounds": 5},
    "edr": {"seconds": 2, "rounds": 1},
    "tiles": {"seconds": 2, "rounds": 1},
    "portal": {"runs": 2},
    "catalog": {"items": 10_000, "repeats": 30},
    "discovery": {"collections": 1_000, "repeats": 30},
    "stac_http": {"items": 10_000, "seconds": 1, "rounds": 1},
    "stac_million": {"items": 10_000, "seconds": 1},
    "accounts": {"reads": 100},
    "jobs": {"count": 100, "polls": 20, "seconds": 1},
    "downloads": {"megabytes": 50, "rounds": 2},
}
"""Every benchmark, in the order in which they run, and its arguments for a quick look."""
_NOT_RUN: dict[str, Any] = {"rows": [], "failed": "not run yet"}
FULL: dict[str, dict[str, Any]] = {"catalog": {"items": 1_000_000}}
"""Arguments of full runs that differ from the defaults."""


def measure(name: str, *, quick: bool) -> dict[str, Any]:
    """Rows of one benchmark, from a process of its own, or why it failed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = module_command("benchmarks", name, "--rows-to", file, *(["--quick"] if quick else []))
        try:
            made = subprocess.run(command, check=False, cwd=ROOT, env=_environment(), timeout=_LONGEST_SECONDS)
            failed = f"exit status {made.returncode}" if made.returncode else ""
        except subprocess.TimeoutExpired:
            failed = f"not done after {_LONGEST_SECONDS} s"
        rows = json.loads(file.read_text()) if file.exists() else []
    return {"rows": rows, "failed": failed, "seconds": round(time.monotonic() - began)}


def _environment() -> dict[str, str]:
    kept = {"TERRELLA_TEST_DATA"}
    return {name: value for name, value in os.environ.items() if not name.startswith("TERRELLA_") or name in kept}


def measure_here(name: str, file: Path, *, quick: bool) -> None:
    """Run one benchmark in this process and write its rows."""
    import terrella.site.site  # noqa: F401 -- before ecCodes, as the package says

    arguments = QUICK[name] if quick else FULL.get(name, {})
    rows: list[Row] = import_module(f"benchmarks.{name}").run(**arguments)
    file.write_text(json.dumps(rows))


def show(console: Console, name: str, one: dict[str, Any]) -> None:
    """A table of one benchmark's rows."""
    table = Table(title=f"{name} ({one['seconds']} s)", title_justify="left", show_edge=False, expand=False)
    for head in ("what", "Terrella", "others", "ratio", "bar", "result"):
        table.add_column(head, overflow="fold")
    for row in one["rows"]:
        judged = verdict(row)
        table.add_row(*cells(row), style=None if judged is None else "green" if judged.met else "red")
    if one["rows"]:
        console.print(table)
    if one["failed"]:
        console.print(f"{name} FAILED: {one['failed']}", style="bold red", markup=False)
    console.print()


def _summary(console: Console, results: dict[str, dict[str, Any]]) -> int:
    judged = [found for one in results.values() for row in one["rows"] if (found := verdict(row))]
    failed = [name for name, one in results.items() if one["failed"]]
    console.print(f"{sum(found.met for found in judged)} of {len(judged)} bars met.")
    if failed:
        console.print(f"Failed: {', '.join(failed)}.", style="bold red")
    return 1 if failed else 0


def write(machine: list[tuple[str, str]]) -> None:
    """Write the page, of the results kept of this run and earlier ones."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    PAGE.write_text(page({name: kept.get(name, _NOT_RUN) for name in QUICK}, machine))


def keep(name: str, one: dict[str, Any]) -> None:
    """Remember a full run."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept | {name: one}, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(QUICK)}")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="write the page of the documentation")
    parser.add_argument("--rows-to", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(QUICK)):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(QUICK)}")
    if given.quick and given.write:
        parser.error("the page is for full runs: leave --quick out")
    if given.rows_to:
        measure_here(given.names[0], given.rows_to, quick=given.quick)
        return 0
    return run_all(given.names or list(QUICK), quick=given.quick, is_written=given.write)


def run_all(names: list[str], *, quick: bool, is_written: bool) -> int:
    """Measure, show, keep; returns the exit status."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    machine = facts()
    for what, which in machine:
        console.print(f"{what}: {which}", markup=False, highlight=False)
    console.print()
    results = {}
    for name in names:
        results[name] = measure(name, quick=quick)
        show(console, name, results[name])
        if not quick and not results[name]["failed"]:
            keep(name, results[name])
    if is_written:
        write(machine)
        console.print(f"Written: {PAGE.relative_to(ROOT)}")
    return _summary(console, results)


if __name__ == "__main__":
    sys.exit(main())
