"""`terrella optimise`: a progress bar, then what was gained and how far off values are at most."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from terrella.cli.console import console, number, print_json, size, table
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.cubes.optimising.running import Optimised, Step

_DOING = {"ranging": "Range of", "writing": "Writing", "publishing": "Publishing"}


class Bar:
    """A progress bar, one array at a time; on a pipe it is silent."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console(err=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self.progress.add_task("Planning", total=None)

    def tell(self, step: Step) -> None:
        text = f"{_DOING[step.kind]} {step.text}"
        self.progress.update(self._task, description=text, completed=step.done, total=step.total)


def optimise(
    home: Path, collection: str, purpose: str, max_errors: list[str], variables: list[str], *, as_json: bool
) -> None:
    bar = Bar()
    with Site.open(home) as site, bar.progress:
        report = site.optimise(collection, purpose=purpose, max_errors=max_errors, variables=variables, tell=bar.tell)
    if as_json:
        print_json(asdict(report))
    else:
        print_report(report)


def print_report(report: Optimised) -> None:
    shown = table("array", "chunks", "type", "before", "after", "overviews", "ratio", "max error", "allowed", "seconds")
    for one in report.arrays:
        shown.add_row(
            f"{one.layout}/{one.variable}",
            "x".join(map(str, one.chunks)),
            one.dtype,
            size(one.bytes_before),
            size(one.bytes_after),
            size(one.bytes_overviews) if one.bytes_overviews else "–",
            f"{one.ratio:.1f}",
            number(one.max_error),
            number(one.max_error_allowed),
            f"{one.seconds:.1f}",
        )
    out = console()
    out.print(shown)
    did = f"{len(report.written)} arrays written" if report.written else "Nothing to do: all of it was there"
    out.print(f"{did}, {report.seconds:.1f} s. Ratio is to float32. {report.place}", markup=False)
