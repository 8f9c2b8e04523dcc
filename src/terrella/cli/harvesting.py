"""`terrella harvest`: what others have, into the site: now, by a worker, or again and again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from terrella.cli.console import console, print_json, table
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.harvesting import HARVEST, Harvested, run, schedule, wanted_from

if TYPE_CHECKING:
    from terrella.site.harvesting import Wanted


def harvest(home: Path, asked: dict[str, Any], cron: str | None, *, as_job: bool, as_json: bool) -> None:
    wanted = wanted_from(asked | {"source": _absolute(asked["source"])})
    with Site.open(home) as site:
        if cron is not None:
            made = schedule(site, OPERATOR, wanted, cron)
            console().print(
                f"{made.name}: first at {made.due:%Y-%m-%d %H:%M} UTC, by a worker of the site.", markup=False
            )
            return
        if as_job:
            job = site.jobs.submit(OPERATOR, HARVEST, wanted.as_json(), title=f"Harvest {wanted.source}")
            console().print(f"Submitted: terrella job wait {job}", markup=False)
            return
        report = _run(site, wanted)
    _print(report, as_json=as_json)
    if report.failed:
        sys.exit(1)


def list_schedules(home: Path, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found = [one for one in site.jobs.starting.schedules(OPERATOR) if one.kind == HARVEST]
    if as_json:
        print_json(
            [{"name": o.name, "cron": o.cron, "due": o.due, "inputs": o.inputs, "last_job": o.last_job} for o in found]
        )
        return
    if not found:
        console().print("No schedules.")
        return
    shown = table("name", "when (UTC)", "next", "source", "last job")
    for one in found:
        shown.add_row(one.name, one.cron, f"{one.due:%Y-%m-%d %H:%M}", str(one.inputs["source"]), one.last_job or "–")
    console().print(shown)


def stop(home: Path, name: str) -> None:
    with Site.open(home) as site:
        site.jobs.starting.unschedule(OPERATOR, name)
    console().print(f"{name}: ended.", markup=False)


def _run(site: Site, wanted: Wanted) -> Harvested:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=console(err=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        shown = bar.add_task("Looking", total=None)
        return run(site, OPERATOR, wanted, lambda told: bar.update(shown, description=str(told)))


def _print(report: Harvested, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
        return
    out = console()
    mode = " (asked only for what is new)" if report.incremental else ""
    out.print(f"{report}{mode}", markup=False)
    if report.collections:
        out.print(f"into {', '.join(report.collections)}", markup=False)
    for one in report.reasons:
        out.print(f"failed: {one['what']}: {one['why']}", markup=False, soft_wrap=True)


def _absolute(source: str | None) -> str | None:
    """Workers run elsewhere: a folder is named whole."""
    if not source or "://" in source:
        return source
    return str(Path(source).expanduser().resolve())
