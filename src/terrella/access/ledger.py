"""The account of a site: who used how much of what, written once and never changed.

Work is held before it is done, at its estimate, and settled at what was measured or released. Whether a quota allows
it is decided in the transaction that writes it, so that no number of processes takes more than there is. Requests
are many and small: they are counted in memory and written together, a second later at most.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from terrella.access.quotas import check_quotas, concerning, excess, refusal, usage_of, words_of
from terrella.access.windows import DAY, HOUR
from terrella.errors import Conflict, NotFound
from terrella.model.spending import RESOURCES, Amounts, Usage
from terrella.storage.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from terrella.model.caller import Caller
    from terrella.settings import Quota

FILE = "ledger.sqlite"
TOGETHER_SECONDS = 1.0
"""How long requests are counted in memory before they are written: what a crash may lose."""
_AT_ONCE = "now-"
"""How keys of work begin that a request waits for."""
_ABANDONED = 6 * 3600.0
"""Seconds after which such work, neither settled nor released, is that of a process that was killed."""
MOST_USERS = 1000
_COLUMNS = ", ".join(RESOURCES)
_MARKS = ", ".join("?" * len(RESOURCES))

MIGRATIONS = (
    f"""
create table entries (
    number integer primary key,
    key text not null unique, -- whoever writes the same again has written it once
    kind text not null check (kind in ('hold', 'settle', 'release', 'count')),
    work text not null, -- key of the hold that is settled or released, else its own
    written real not null, -- seconds since 1970
    hour integer not null, -- the hour that it counts in: of a settlement, that of its hold
    name text not null,
    roles text not null,
    collection text not null,
    {", ".join(f"{name} {'real' if name == 'compute_seconds' else 'integer'} not null" for name in RESOURCES)}
);

create unique index one_end_a_hold on entries (work) where kind in ('settle', 'release');
create index entries_by_hour on entries (hour, name);

create trigger entries_stay before update on entries begin select raise(abort, 'the ledger is not changed'); end;
create trigger entries_remain before delete on entries begin select raise(abort, 'the ledger is not changed'); end;

-- Sums of the entries, kept in the same transactions.
create table hours (
    name text not null,
    hour integer not null,
    roles text not null,
    collection text not null,
    {", ".join(f"{name} {'real' if name == 'compute_seconds' else 'integer'} not null" for name in RESOURCES)},
    primary key (name, hour, roles, collection)
) without rowid;

create index hours_by_time on hours (hour);
""",
    "create index entries_by_work on entries (work);",
)


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    kind: str
    work: str
    hour: int
    name: str
    roles: str
    collection: str
    amounts: Amounts


@dataclass(slots=True)
class Spending:
    """Work that is held: whoever does it notes here what it took."""

    measured: Amounts = field(default_factory=Amounts)


@dataclass(slots=True)
class _Job:
    key: str
    spendings: int = 0


_JOB: ContextVar[_Job | None] = ContextVar("job", default=None)


class Ledger:
    """Safe for threads; several processes may have the same file open."""

    def __init__(self, home: Path, quotas: Sequence[Quota] = ()) -> None:
        check_quotas(quotas)
        self.quotas = tuple(quotas)
        self._database = Database(home / FILE, MIGRATIONS, prepare=_durable)
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str, str], Amounts] = {}
        self._usages: dict[tuple[str, str], tuple[float, list[Usage]]] = {}
        self._closed = threading.Event()
        self._writer: threading.Thread | None = None
        self._release_abandoned()

    def close(self) -> None:
        """Write what is counted, and close."""
        self._closed.set()
        if self._writer is not None:
            self._writer.join()
        self.flush()
        self._database.close()

    # --- work: held, then settled or released ----------------------------------------------------------------------

    def hold(self, caller: Caller, key: str, estimate: Amounts, collection: str = "") -> None:
        """Reserve what work will take. Held again under the same key, it is held once.

        Raises QuotaExceeded, with what is left and when it begins anew; Conflict for a key that somebody else has.
        """
        now = time.time()
        entry = _Entry(key, "hold", key, _hour(now), caller.name, _roles(caller), collection, estimate)
        quotas = concerning(self.quotas, caller, collection)

        def work(connection: sqlite3.Connection) -> None:
            known = connection.execute("select name, kind from entries where key = ?", (key,)).fetchone()
            if known is not None:
                if known != (caller.name, "hold"):
                    raise Conflict(f"The ledger has an entry {key!r:.80} of somebody else.")
                return
            for quota in quotas:
                usage = usage_of(connection, quota, caller, now)
                for resource in excess(usage, estimate):
                    raise refusal(usage, resource, estimate, now)
            _write(connection, entry, now)

        self._database.write(work)

    def settle(self, key: str, measured: Amounts) -> None:
        """Put what held work really took in place of its estimate; once. Raises NotFound for what is not held."""
        self._end(key, "settle", measured)

    def release(self, key: str) -> None:
        """Give back what was held for work that failed or was cancelled; once. Raises NotFound for what is not held."""
        self._end(key, "release", Amounts())

    @contextmanager
    def spending(self, caller: Caller, estimate: Amounts, collection: str = "") -> Iterator[Spending]:
        """Work done at once: held, settled when it ends well, released when it fails. Raises QuotaExceeded.

        Where no quota concerns the caller, it is only counted. Within `job` it is charged once, however often the job
        is tried again.
        """
        spent = Spending()
        job = _JOB.get()
        if job is not None:
            with self._in_job(job, caller, estimate, collection, spent):
                yield spent
            return
        if not concerning(self.quotas, caller, collection):
            yield spent
            self.count(caller, spent.measured, collection)
            return
        key = f"{_AT_ONCE}{uuid4()}"
        self.hold(caller, key, estimate, collection)
        try:
            yield spent
        except BaseException:
            self.release(key)
            raise
        self.settle(key, spent.measured)

    @contextmanager
    def job(self, key: str) -> Iterator[None]:
        """Work in here is that of a job: what it spends first, second, ... has the same key in each attempt."""
        token = _JOB.set(_Job(key))
        try:
            yield
        finally:
            _JOB.reset(token)

    def end_job(self, key: str) -> None:
        """Give back what a job held and did not settle, now that it has ended, well or not."""
        for held in self.open_holds(prefix=f"{key}:"):
            self.release(held)

    @contextmanager
    def _in_job(self, job: _Job, caller: Caller, estimate: Amounts, collection: str, spent: Spending) -> Iterator[None]:
        """What fails stays held: the job may be tried again, and else `end_job` gives it back."""
        job.spendings += 1
        key = f"{job.key}:{job.spendings}"
        self.hold(caller, key, estimate, collection)
        yield
        self.settle(key, spent.measured)

    # --- what is kept ----------------------------------------------------------------------------------------------

    def keep(self, caller: Caller, key: str, size: int, collection: str = "") -> None:
        """Note that bytes are kept from now on, until `let_go`; once a key."""
        now = time.time()
        entry = _Entry(key, "count", key, _hour(now), caller.name, _roles(caller), collection, Amounts(storage=size))
        self._database.write(lambda connection: _write_once(connection, entry, now))

    def let_go(self, key: str) -> None:
        """What was put on the account as kept under this key, by `keep` or by held work, is kept no more; once."""
        now = time.time()

        def work(connection: sqlite3.Connection) -> None:
            rows = connection.execute(
                "select name, roles, collection, sum(storage) from entries where work = ? group by 1, 2, 3", (key,)
            ).fetchall()
            for name, roles, collection, kept in rows:
                amounts = Amounts(storage=-kept)
                entry = _Entry(f"{key}:gone", "count", f"{key}:gone", _hour(now), name, roles, collection, amounts)
                _write_once(connection, entry, now)

        self._database.write(work)

    def open_holds(self, older_than: float = 0.0, prefix: str = "") -> list[str]:
        """Keys of work that is held and neither settled nor released, begun so many seconds ago: the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select key from entries h where kind = 'hold' and key >= ? and key < ? and written <= ? "
                "and not exists (select 1 from entries e where e.work = h.key and e.kind in ('settle', 'release')) "
                "order by number",
                (prefix, prefix + chr(0x10FFFF), time.time() - older_than),
            )
            return [key for (key,) in rows]

    # --- requests: counted -----------------------------------------------------------------------------------------

    def count(self, caller: Caller, amounts: Amounts, collection: str = "") -> None:
        """Note what was used, in memory; it is written within a second."""
        key = (caller.name, _roles(caller), collection)
        with self._lock:
            self._counted[key] = self._counted.get(key, Amounts()) + amounts
            if self._writer is None and not self._closed.is_set():
                self._writer = threading.Thread(target=self._write_regularly, name="ledger", daemon=True)
                self._writer.start()

    def check(self, caller: Caller, wanted: Amounts, collection: str = "") -> list[Usage]:
        """What the quotas that concern a caller leave, as known within a second. Raises QuotaExceeded."""
        quotas = concerning(self.quotas, caller, collection)
        if not quotas:
            return []
        usages = self._recent(caller, collection)
        for usage in usages:
            for resource in excess(usage, wanted):
                raise refusal(usage, resource, wanted, time.time())
        return usages

    def is_known(self, caller: Caller, collection: str = "") -> bool:
        """Whether `check` will answer from memory, without a look at the disk."""
        known = self._usages.get((caller.name, collection))
        return not self.quotas or (known is not None and known[0] >= time.monotonic())

    def flush(self) -> None:
        """Write what was counted."""
        with self._lock:
            counted, self._counted = self._counted, {}
        if not counted:
            return
        now = time.time()
        entries = [
            _Entry(key := f"count-{uuid4()}", "count", key, _hour(now), name, roles, collection, amounts)
            for (name, roles, collection), amounts in counted.items()
        ]

        def work(connection: sqlite3.Connection) -> None:
            for entry in entries:
                _write(connection, entry, now)

        self._database.write(work)

    # --- what was used ---------------------------------------------------------------------------------------------

    def usage(self, caller: Caller) -> list[Usage]:
        """Every quota that concerns a caller: what it allows in its window, and what is spent of it."""
        self.flush()
        now = time.time()
        with self._database.reading() as connection:
            return [usage_of(connection, quota, caller, now) for quota in concerning(self.quotas, caller)]

    def totals(self, caller: Caller, since: float = 0.0) -> Amounts:
        """All that somebody used since an instant (seconds since 1970, rounded down to the hour)."""
        self.flush()
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in RESOURCES)
        with self._database.reading() as connection:
            row = connection.execute(
                f"select {sums} from hours where name = ? and hour >= ?",  # noqa: S608 -- names of ours
                (caller.name, _hour(since)),
            ).fetchone()
        return Amounts(*row)

    def days(self, name: str | None, since: float, until: float) -> list[tuple[int, str, Amounts]]:
        """What somebody (None: everybody) used, by day and collection: (first second of the UTC day, collection, sums).

        From the hour of `since` (seconds since 1970) to before `until`; the earliest day first. Storage is what was
        added less what was let go.
        """
        self.flush()
        sums = ", ".join(f"sum({one})" for one in RESOURCES)
        whose, values = ("", []) if name is None else ("name = ? and ", [name])
        with self._database.reading() as connection:
            rows = connection.execute(
                f"select hour / {DAY} * {DAY}, collection, {sums} from hours "  # noqa: S608 -- names of ours
                f"where {whose}hour >= ? and hour < ? group by 1, 2 order by 1, 2",
                (*values, _hour(since), until),
            ).fetchall()
        return [(day, collection, Amounts(*amounts)) for day, collection, *amounts in rows]

    def users(self, since: float, until: float) -> list[tuple[str, Amounts]]:
        """What each user used in that time: who read most comes first."""
        self.flush()
        sums = ", ".join(f"sum({one})" for one in RESOURCES)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"select name, {sums} from hours where hour >= ? and hour < ? "  # noqa: S608 -- names of ours
                "group by name order by sum(bytes_read) desc, name limit ?",
                (_hour(since), until, MOST_USERS),
            ).fetchall()
        return [(name, Amounts(*amounts)) for name, *amounts in rows]

    def differences(self) -> list[str]:
        """Where the sums that are kept are not those of the entries: none, unless the file was tampered with."""
        sums = ", ".join(f"round(sum({name}), 3)" for name in RESOURCES)
        kept = ", ".join(f"round({name}, 3)" for name in RESOURCES)
        place = "name, hour, roles, collection"
        booked = f"select {place}, {sums} from entries group by {place}"  # noqa: S608
        stored = f"select {place}, {kept} from hours"  # noqa: S608
        with self._database.reading() as connection:
            rows = connection.execute(
                f"select * from (select * from ({booked}) except select * from ({stored})) union "  # noqa: S608
                f"select * from (select * from ({stored}) except select * from ({booked}))"
            ).fetchall()
        return sorted(
            {
                f"{name} in the hour from {hour} of {collection or 'no collection'}"
                for name, hour, _, collection, *_ in rows
            }
        )

    # --- within ----------------------------------------------------------------------------------------------------

    def _end(self, key: str, kind: str, measured: Amounts) -> None:
        now = time.time()

        def work(connection: sqlite3.Connection) -> None:
            row = connection.execute(
                f"select name, hour, roles, collection, {_COLUMNS} from entries where key = ? and kind = 'hold'",  # noqa: S608
                (key,),
            ).fetchone()
            if row is None:
                raise NotFound(f"The ledger holds nothing under {key!r:.80}.")
            ended = "select 1 from entries where work = ? and kind in ('settle', 'release')"
            if connection.execute(ended, (key,)).fetchone() is not None:
                return
            name, hour, roles, collection, *held = row
            amounts = measured - Amounts(*held)
            _write(connection, _Entry(f"{key}:end", kind, key, hour, name, roles, collection, amounts), now)

        self._database.write(work)

    def _release_abandoned(self) -> None:
        for key in self.open_holds(_ABANDONED, _AT_ONCE):
            self.release(key)

    def _recent(self, caller: Caller, collection: str) -> list[Usage]:
        """Usage as it was read in this second, with what this process counted since."""
        key = (caller.name, collection)
        known = self._usages.get(key)
        now = time.monotonic()
        if known is None or known[0] < now:
            at = time.time()
            with self._database.reading() as connection:
                quotas = concerning(self.quotas, caller, collection)
                usages = [usage_of(connection, quota, caller, at) for quota in quotas]
            self._usages[key] = known = (now + TOGETHER_SECONDS, usages)
            while len(self._usages) > 10_000:
                self._usages.pop(next(iter(self._usages)), None)
        return [self._with_counted(caller, usage) for usage in known[1]]

    def _with_counted(self, caller: Caller, usage: Usage) -> Usage:
        with self._lock:
            mine = [amounts for (name, _, _), amounts in self._counted.items() if name == caller.name]
        spent = {name: value + sum(getattr(one, name) for one in mine) for name, value in usage.spent.items()}
        return replace(usage, spent=spent)

    def _write_regularly(self) -> None:
        while not self._closed.wait(TOGETHER_SECONDS):
            self.flush()


def _durable(connection: sqlite3.Connection) -> None:
    """What is acknowledged outlives a power cut, too."""
    connection.execute("pragma synchronous = full")


def _hour(at: float) -> int:
    return int(at // HOUR * HOUR)


def _roles(caller: Caller) -> str:
    return json.dumps(sorted(words_of(caller) - {"*"}))


def _write_once(connection: sqlite3.Connection, entry: _Entry, now: float) -> None:
    if connection.execute("select 1 from entries where key = ?", (entry.key,)).fetchone() is None:
        _write(connection, entry, now)


def _write(connection: sqlite3.Connection, entry: _Entry, now: float) -> None:
    place = (entry.name, entry.hour, entry.roles, entry.collection)
    amounts = astuple(entry.amounts)
    connection.execute(
        f"insert into entries (key, kind, work, written, name, hour, roles, collection, {_COLUMNS}) "  # noqa: S608
        f"values (?, ?, ?, ?, ?, ?, ?, ?, {_MARKS})",
        (entry.key, entry.kind, entry.work, now, *place, *amounts),
    )
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in RESOURCES)
    connection.execute(
        f"insert into hours (name, hour, roles, collection, {_COLUMNS}) values (?, ?, ?, ?, {_MARKS}) "  # noqa: S608
        f"on conflict (name, hour, roles, collection) do update set {added}",
        (*place, *amounts),
    )
