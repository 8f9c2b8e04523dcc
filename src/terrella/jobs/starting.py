"""Jobs that start by themselves: at times (schedules), and when something happened (rules).

What happened is announced before it is done and confirmed after: a process that dies in between leaves a row that is
acted upon later, so that an event is never lost, though it may be seen for work that came to nothing.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import NotFound
from terrella.jobs import records
from terrella.jobs.cron import parse_cron
from terrella.model.caller import ADMINISTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terrella.jobs.rows import Connection, Rows
    from terrella.model.caller import Caller
    from terrella.model.stac import Document

_UNCONFIRMED = 600.0
"""Seconds after which an announced event counts as having happened."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that is submitted again and again, in its owner's name."""

    name: str
    cron: str
    kind: str
    owner: str
    inputs: Document
    title: str
    due: datetime
    last_job: str


@dataclass(frozen=True, slots=True)
class StartRule:
    """A job that is submitted for every event of a name; the event's subject is its input `event`."""

    name: str
    event: str
    kind: str
    owner: str
    inputs: Document
    title: str


class Starting:
    """Schedules and rules of a site. `check` raises where a caller may not submit a kind."""

    def __init__(self, rows: Rows, check: Callable[[Caller, str], None]) -> None:
        self._rows = rows
        self._check = check

    # --- at times ----------------------------------------------------------------------------------------------------

    def schedule(self, caller: Caller, name: str, cron: str, kind: str, inputs: Document, title: str = "") -> Schedule:
        """Submit a job at each time of `cron` (UTC), from now on; an own schedule of this name is replaced.

        Times that passed while no worker ran are made up for once. Raises Invalid, Denied, NotFound for another's name.
        """
        self._check(caller, kind)
        due = parse_cron(cron).after(datetime.now(UTC)).timestamp()
        row = (name, cron, kind, caller.name, records.as_text(inputs), title, due)
        self._rows.write(lambda c: _replace(c, "schedule", "name, cron, kind, owner, inputs, title, due", row, caller))
        return next(one for one in self.schedules(caller) if one.name == name)

    def schedules(self, caller: Caller) -> tuple[Schedule, ...]:
        """By name."""
        with self._rows.reading() as connection:
            rows = connection.execute(
                "select name, cron, kind, owner, inputs, title, due, last_job from schedule order by name"
            ).fetchall()
        return tuple(_schedule_of(row) for row in rows if _sees(caller, row[3]))

    def unschedule(self, caller: Caller, name: str) -> None:
        """Jobs that were submitted stay. Raises NotFound."""
        self._rows.write(lambda c: _remove(c, "schedule", name, caller))

    def run_due(self) -> int:
        """Submit what is due; how many. Any number of workers may call this at once."""
        now = time.time()
        with self._rows.reading() as connection:
            due = connection.execute("select name, due, cron from schedule where due <= ?", (now,)).fetchall()
        after = datetime.fromtimestamp(now, UTC)
        for name, at, cron in due:
            following = parse_cron(cron).after(after).timestamp()
            self._rows.write(lambda c, one=(name, at, following): _start_scheduled(c, *one))  # type: ignore[misc]
        return len(due)

    # --- when something happened -------------------------------------------------------------------------------------

    def rule(self, caller: Caller, name: str, event: str, kind: str, inputs: Document, title: str = "") -> None:
        """Submit a job for each `event` from now on; an own rule of this name is replaced."""
        self._check(caller, kind)
        row = (name, event, kind, caller.name, records.as_text(inputs), title)
        self._rows.write(lambda c: _replace(c, "start_rule", "name, event, kind, owner, inputs, title", row, caller))

    def rules(self, caller: Caller) -> tuple[StartRule, ...]:
        """By name."""
        with self._rows.reading() as connection:
            rows = connection.execute(
                "select name, event, kind, owner, inputs, title from start_rule order by name"
            ).fetchall()
        return tuple(_rule_of(row) for row in rows if _sees(caller, row[3]))

    def remove_rule(self, caller: Caller, name: str) -> None:
        """Jobs that were submitted stay. Raises NotFound."""
        self._rows.write(lambda c: _remove(c, "start_rule", name, caller))

    def is_awaited(self, event: str) -> bool:
        """Whether any rule is for it."""
        with self._rows.reading() as connection:
            return connection.execute("select 1 from start_rule where event = ?", (event,)).fetchone() is not None

    @contextmanager
    def announcing(self, event: str, subject: Document) -> Iterator[Document]:
        """Around doing something: rules for `event` start with what `subject` holds at the end of the block.

        None starts where it is empty then: nothing happened.
        """
        name, said = str(uuid.uuid4()), dict(subject)
        self._rows.write(lambda c: _put(c, name, event, said, time.time() + _UNCONFIRMED))
        try:
            yield said
        finally:
            self._rows.write(lambda c: _put(c, name, event, said, time.time()) if said else _withdraw(c, name))

    def run_events(self) -> int:
        """Submit what the rules say for events that happened; how many events. Safe for many workers at once."""
        now = time.time()
        with self._rows.reading() as connection:
            ids = connection.execute("select id from outbox where at <= ? order by at limit 100", (now,)).fetchall()
        for (name,) in ids:
            self._rows.write(lambda c, name=name: _start_by_rules(c, name))  # type: ignore[misc]
        return len(ids)


def _schedule_of(row: tuple[Any, ...]) -> Schedule:
    name, cron, kind, owner, inputs, title, due, last_job = row
    return Schedule(name, cron, kind, owner, orjson.loads(inputs), title, records.moment(due), last_job)


def _rule_of(row: tuple[Any, ...]) -> StartRule:
    name, event, kind, owner, inputs, title = row
    return StartRule(name, event, kind, owner, orjson.loads(inputs), title)


def _sees(caller: Caller, owner: str) -> bool:
    return caller.may(ADMINISTER) or owner == caller.name


def _replace(connection: Connection, table: str, columns: str, row: tuple[Any, ...], caller: Caller) -> None:
    known = connection.execute(f"select owner from {table} where name = ?", (row[0],)).fetchone()  # noqa: S608
    if known:
        if not _sees(caller, known[0]):
            raise NotFound(f"{row[0]!r:.80} is taken by somebody else: choose another name.", parameter="name")
        connection.execute(f"delete from {table} where name = ?", (row[0],))  # noqa: S608
    marks = ", ".join("?" * len(row))
    connection.execute(f"insert into {table} ({columns}) values ({marks})", row)  # noqa: S608


def _remove(connection: Connection, table: str, name: str, caller: Caller) -> None:
    known = connection.execute(f"select owner from {table} where name = ?", (name,)).fetchone()  # noqa: S608
    if known is None or not _sees(caller, known[0]):
        raise NotFound(f"There is no {table.replace('_', ' ')} {name!r:.80}, or it is not yours.", parameter="name")
    connection.execute(f"delete from {table} where name = ?", (name,))  # noqa: S608


def _start_scheduled(connection: Connection, name: str, due: float, following: float) -> None:
    """One job for one due time, however many workers see that it is due."""
    done = connection.execute("update schedule set due = ? where name = ? and due = ?", (following, name, due))
    if not done.rowcount:
        return
    owner, kind, inputs, title = connection.execute(
        "select owner, kind, inputs, title from schedule where name = ?", (name,)
    ).fetchone()
    key = f"schedule:{name}:{due!r}"
    job, _ = records.insert(connection, owner, kind, orjson.loads(inputs), key, title or name, "schedule")
    connection.execute("update schedule set last_job = ? where name = ?", (job, name))


def _put(connection: Connection, name: str, event: str, subject: Document, at: float) -> None:
    connection.execute(
        "insert into outbox (id, event, subject, at) values (?, ?, ?, ?) "
        "on conflict (id) do update set subject = excluded.subject, at = excluded.at",
        (name, event, records.as_text(subject), at),
    )


def _withdraw(connection: Connection, name: str) -> None:
    connection.execute("delete from outbox where id = ?", (name,))


def _start_by_rules(connection: Connection, name: str) -> None:
    row = connection.execute("delete from outbox where id = ? returning event, subject", (name,)).fetchone()
    if row is None:
        return
    rules = connection.execute(
        "select name, kind, owner, inputs, title from start_rule where event = ?", (row[0],)
    ).fetchall()
    for rule, kind, owner, inputs, title in rules:
        wanted = orjson.loads(inputs) | {"event": orjson.loads(row[1])}
        records.insert(connection, owner, kind, wanted, f"event:{name}:{rule}", title or rule, "rule")
