"""`terrella add`: a progress bar, then what became of the files."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from terrella.cli.console import console, print_json, shortened, table
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.catalog.describing import Wishes
    from terrella.site.adding import Added, AddedCollection, Event


class Bar:
    """A progress bar that follows the events of adding; on a pipe it is silent."""

    def __init__(self, title: str = "Looking for data") -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console(err=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self.progress.add_task(title, total=None)

    def tell(self, event: Event) -> None:
        if event.kind in ("scanning", "grouped"):
            text = "Scanning" if event.kind == "scanning" else "Registering"
            self.progress.reset(self._task, total=event.count, description=text)
        elif event.kind in ("scanned", "registered"):
            self.progress.advance(self._task)


def add(
    home: Path, paths: list[str], collection: str | None, wishes: Wishes, *, copy: bool, dry_run: bool, as_json: bool
) -> None:
    bar = Bar()
    with Site.open(home) as site, bar.progress:
        report = site.add(*paths, collection=collection, wishes=wishes, copy=copy, dry_run=dry_run, tell=bar.tell)
    if as_json:
        print_json(asdict(report) | {"dry_run": dry_run})
    else:
        print_report(report, dry_run=dry_run)
    if report.failures:
        sys.exit(1)


def print_report(report: Added, *, dry_run: bool = False) -> None:
    out = console()
    if report.collections:
        shown = table("collection", "items", "grid", "dimensions", "variables")
        for one in report.collections:
            shown.add_row(
                _name(one, dry_run=dry_run), str(one.items), one.grid or "–", _dimensions(one), shortened(one.variables)
            )
        out.print(shown)
    for one in report.collections:
        for note in one.notes[:10]:
            out.print(f"  note, {one.id}: {note}", style="dim", markup=False)
    for why, names in _without_cube(report).items():
        out.print(f"  note, {shortened(names, 12)}: no cube. {why}", style="dim", markup=False)
    for href in report.missing:
        out.print(f"gone: {href}", markup=False)
    for failure in report.failures:
        out.print(f"{failure.href}: {failure.reason}", style="red", markup=False, soft_wrap=True)
    out.print(_summary(report, dry_run=dry_run))


def _without_cube(report: Added) -> dict[str, list[str]]:
    """Collections by the reason why they have no cube: said once for all."""
    found: dict[str, list[str]] = {}
    for one in report.collections:
        if one.why:
            found.setdefault(one.why, []).append(one.id)
    return found


def _name(one: AddedCollection, *, dry_run: bool) -> str:
    state = ("would be new" if dry_run else "new") if one.is_new else f"{one.changed} changed"
    return f"{one.id} ({state})"


def _dimensions(one: AddedCollection) -> str:
    return " ".join(f"{name}:{count}" for name, count in one.dimensions.items()) or "–"


def _summary(report: Added, *, dry_run: bool) -> str:
    changed = sum(one.changed for one in report.collections)
    count = len(report.collections)
    verb = "would be added" if dry_run else "added"
    parts = [f"{changed} {verb} in {count} collection{'s' if count != 1 else ''}"]
    if report.unchanged:
        parts.append(f"{report.unchanged} unchanged")
    if report.missing:
        parts.append(f"{len(report.missing)} gone")
    if report.failures:
        parts.append(f"{len(report.failures)} failed")
    return ", ".join(parts) + "."
