"""`terrella job`: see, follow, cancel and repeat jobs of a site."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from terrella.cli.console import console, print_json, size, table
from terrella.model.caller import OPERATOR
from terrella.site import Site

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from terrella.model.job import Job

_STYLES = {"successful": "green", "failed": "red", "running": "cyan", "dismissed": "dim"}


def list_jobs(home: Path, state: str | None, limit: int, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found, more = site.jobs.list(OPERATOR, state=state or "", limit=limit)
    if as_json:
        print_json([_plain(job) for job in found])
        return
    if not found:
        console().print("No jobs.")
        return
    shown = table("job", "kind", "owner", "state", "", "created", "took", "title")
    for job in found:
        done = f"{job.progress:.0%}" if job.state == "running" else ""
        state_text = f"[{_STYLES.get(job.state, '')}]{job.state}[/]" if job.state in _STYLES else job.state
        shown.add_row(job.id, job.kind, job.owner, state_text, done, _time(job.created), _took(job), job.title)
    console().print(shown)
    if more:
        console().print(f"There are more: --limit {limit * 2}", style="dim")


def show(home: Path, job: str, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found = site.jobs.get(OPERATOR, job)
        if as_json:
            print_json(_plain(found))
        else:
            _print(site, found)


def logs(home: Path, job: str, *, follow: bool, as_json: bool) -> None:
    """The log; with `follow` until the job has ended."""
    from terrella.model.job import ENDED

    last = 0
    with Site.open(home) as site:
        while True:
            found = site.jobs.get(OPERATOR, job)
            for line in site.jobs.logs(OPERATOR, job, after=last):
                last = line.number
                if as_json:
                    print_json({"number": line.number, "at": line.at, "level": line.level, "text": line.text})
                else:
                    console().print(f"{_time(line.at)}  {line.level:<7}  {line.text}", markup=False)
            if not follow or found.state in ENDED:
                return
            time.sleep(0.3)


def cancel(home: Path, jobs: list[str]) -> None:
    with Site.open(home) as site:
        for job in jobs:
            found = site.jobs.cancel(OPERATOR, job)
            console().print(f"{job}: {found.state}", markup=False)


def retry(home: Path, jobs: list[str]) -> None:
    with Site.open(home) as site:
        for job in jobs:
            found = site.jobs.retry(OPERATOR, job)
            console().print(f"{job}: {found.state}", markup=False)


def wait(home: Path, job: str, seconds: float | None, *, as_json: bool) -> None:
    """Until the job has ended, with a bar; exit status 1 where it failed or was dismissed."""
    with Site.open(home) as site:
        found = follow(site, job, seconds)
        if as_json:
            print_json(_plain(found))
        else:
            _print(site, found)
    if found.state != "successful":
        sys.exit(1)


def follow(site: Site, job: str, seconds: float | None = None) -> Job:
    """The job when it has ended, or after `seconds`; a progress bar meanwhile, on a terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from terrella.model.job import ENDED

    last = time.monotonic() + seconds if seconds is not None else float("inf")
    found = site.jobs.get(OPERATOR, job)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console(err=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        shown = bar.add_task(found.state, total=1.0)
        while found.state not in ENDED and time.monotonic() < last:
            bar.update(shown, description=found.message or found.state, completed=found.progress)
            found = site.jobs.wait(OPERATOR, job, min(0.3, last - time.monotonic()))
    return found


def _print(site: Site, job: Job) -> None:
    shown = table("job", job.id)
    shown.add_row("kind", job.kind)
    if job.title:
        shown.add_row("title", job.title)
    shown.add_row("owner", job.owner)
    shown.add_row("state", f"{job.state} ({job.progress:.0%})" if job.state == "running" else job.state)
    if job.message:
        shown.add_row("message", job.message)
    shown.add_row("created", _time(job.created))
    shown.add_row("took", _took(job))
    shown.add_row("attempts", str(job.attempts))
    for output in job.outputs:
        shown.add_row(output.name, f"{size(output.size)}, {output.media_type}, {_place(site, job, output.name)}")
    console().print(shown)


def _place(site: Site, job: Job, output: str) -> str:
    from terrella.errors import NotFound

    try:
        return str(site.jobs.file(OPERATOR, job.id, output))
    except NotFound:
        return "expired"


def _plain(job: Job) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(job)


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else "–"


def _took(job: Job) -> str:
    if not job.started or not job.finished:
        return "–"
    return f"{(job.finished - job.started).total_seconds():.1f} s"
