"""`terrella job schedule`: jobs that start by themselves, at times or when something happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from terrella.cli.console import console, print_json, table
from terrella.errors import Invalid, nearest_names
from terrella.model.caller import OPERATOR
from terrella.site import Site

if TYPE_CHECKING:
    from terrella.jobs.starting import Starting


def list_schedules(home: Path, *, as_json: bool) -> None:
    """Both kinds, by name."""
    from dataclasses import asdict

    with Site.open(home) as site:
        starting = site.jobs.starting
        found: list[Any] = [*starting.schedules(OPERATOR), *starting.rules(OPERATOR)]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        console().print("No job starts by itself.")
        return
    shown = table("name", "kind", "owner", "starts", "next", "last job")
    for one in found:
        starts = getattr(one, "cron", None) or f"on {one.event}"
        due = getattr(one, "due", None)
        shown.add_row(
            one.name,
            one.kind,
            one.owner,
            starts,
            f"{due:%Y-%m-%d %H:%M} UTC" if due else "",
            getattr(one, "last_job", ""),
        )
    console().print(shown)


def add(home: Path, name: str, kind: str, inputs: str, cron: str | None, event: str | None, title: str) -> None:
    """In the operator's name; one of that name is replaced."""
    from terrella.site.announcing import EVENTS

    if (cron is None) == (event is None):
        raise Invalid("Say when: either --cron '15 6 * * *' (UTC), or --on items-added.", parameter="cron")
    if event is not None and event not in EVENTS:
        raise Invalid(f"There is no event {event!r:.60}. {nearest_names(event, EVENTS)}", parameter="on")
    given = _inputs(inputs)
    with Site.open(home) as site:
        starting = site.jobs.starting
        if cron is not None:
            due = starting.schedule(OPERATOR, name, cron, kind, given, title).due
            console().print(f"{name}: {kind}, next at {due:%Y-%m-%d %H:%M} UTC.", markup=False)
        else:
            assert event is not None
            starting.rule(OPERATOR, name, event, kind, given, title)
            console().print(f"{name}: {kind} on {event}.", markup=False)


def remove(home: Path, names: list[str]) -> None:
    """Jobs that were started stay."""
    with Site.open(home) as site:
        for name in names:
            _remove(site.jobs.starting, name)
            console().print(f"{name}: starts no more jobs.", markup=False)


def _remove(starting: Starting, name: str) -> None:
    if any(one.name == name for one in starting.rules(OPERATOR)):
        starting.remove_rule(OPERATOR, name)
    else:
        starting.unschedule(OPERATOR, name)


def _inputs(text: str) -> dict[str, Any]:
    """JSON, or @ and the file that holds it. Raises Invalid."""
    try:
        found = orjson.loads(Path(text[1:]).expanduser().read_bytes() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise Invalid(f"--inputs takes a JSON object, or @FILE: {error}", parameter="inputs") from error
    if not isinstance(found, dict):
        raise Invalid("--inputs takes a JSON object, or @FILE.", parameter="inputs")
    return found
