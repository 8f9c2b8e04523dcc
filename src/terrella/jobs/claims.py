"""Jobs as rows: what workers do. A running job belongs to one attempt of one worker until its lease ends.

Everything that a worker writes is fenced: it changes the row only while the job still runs under that attempt, so that
a worker that was slow, suspended or cut off cannot undo what another has done since. This is what makes a completion
visible exactly once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from terrella.jobs.records import COLUMNS, job_of, write_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from terrella.jobs.rows import Connection
    from terrella.model.job import Job, Output

MOST_DEATHS = 3
"""Workers that one job may take with it, without finishing a step between, before it is given up."""
LEASE_SECONDS = 12.0
"""How long a running job belongs to a worker that does not say that it lives."""
_MINE = "id = ? and state = 'running' and worker = ? and attempts = ?"


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker may run: its attempt, and the token that fences it."""

    job: Job
    worker: str

    @property
    def fence(self) -> tuple[str, str, int]:
        return self.job.id, self.worker, self.job.attempts


def is_waiting(connection: Connection, now: float) -> bool:
    """Whether there is anything to claim. Costs a look into an index."""
    found = connection.execute(
        "select 1 from job where (state = 'accepted' and due <= ?) or (state = 'running' and lease < ?) limit 1",
        (now, now),
    ).fetchone()
    return found is not None


def claim(connection: Connection, worker: str, kinds: Iterable[str], lock: str = "") -> Claim | None:
    """The next job for a worker: of the owner with the fewest running ones, the oldest. None where none waits."""
    now, names = time.time(), tuple(kinds)
    _bury(connection, now)
    among = f"kind in ({', '.join('?' * len(names))})"
    owner = connection.execute(
        f"select owner from job where state = 'accepted' and due <= ? and {among} group by owner "  # noqa: S608
        "order by (select count(*) from job r where r.state = 'running' and r.owner = job.owner), min(created) limit 1",
        (now, *names),
    ).fetchone()
    if owner is None:
        return None
    row = connection.execute(
        "update job set state = 'running', worker = ?, lease = ?, attempts = attempts + 1, updated = ?, message = '', "  # noqa: S608
        "started = coalesce(started, ?), version = version + 1 where id = (select id from job where state = 'accepted' "
        f"and owner = ? and due <= ? and {among} order by created, id limit 1 {lock}) "
        f"and state = 'accepted' returning {COLUMNS}",
        (worker, now + LEASE_SECONDS, now, now, owner[0], now, *names),
    ).fetchone()
    return Claim(job_of(row), worker) if row else None


def claim_own(connection: Connection, worker: str, job: str) -> Claim:
    """A job that was inserted in this very transaction, for the process that inserted it."""
    now = time.time()
    row = connection.execute(
        "update job set state = 'running', worker = ?, lease = ?, attempts = 1, started = ?, version = version + 1 "  # noqa: S608
        f"where id = ? returning {COLUMNS}",
        (worker, now + LEASE_SECONDS, now, job),
    ).fetchone()
    return Claim(job_of(row), worker)


def _bury(connection: Connection, now: float) -> None:
    """Free the jobs of dead workers; give up those that kill every worker."""
    rows = connection.execute(
        "select id, deaths, attempts from job where state = 'running' and lease < ?", (now,)
    ).fetchall()
    for job, deaths, attempts in rows:
        if deaths + 1 >= MOST_DEATHS:
            text = f"It killed its worker {deaths + 1} times (out of memory, perhaps): ask for less at once."
            connection.execute(
                "update job set state = 'failed', error_kind = 'internal', message = ?, finished = ?, updated = ?, "
                "worker = '', lease = 0, deaths = deaths + 1, version = version + 1 "
                "where id = ? and state = 'running' and attempts = ?",
                (text, now, now, job, attempts),
            )
        else:
            text = "Its worker died: another goes on."
            connection.execute(
                "update job set state = 'accepted', worker = '', lease = 0, deaths = deaths + 1, updated = ?, "
                "message = ?, version = version + 1 where id = ? and state = 'running' and attempts = ?",
                (now, text, job, attempts),
            )
        write_log(connection, job, "warning", text)


def renew(connection: Connection, held: Claim) -> bool:
    """Prolong the lease; False where the job is not this attempt's any more."""
    done = connection.execute(f"update job set lease = ? where {_MINE}", (time.time() + LEASE_SECONDS, *held.fence))  # noqa: S608
    return bool(done.rowcount)


def is_mine(connection: Connection, held: Claim) -> bool:
    """Whether the job still runs under this attempt."""
    return connection.execute(f"select 1 from job where {_MINE}", held.fence).fetchone() is not None  # noqa: S608


def tell(connection: Connection, held: Claim, done: float, message: str) -> bool:
    """Progress; False where the job is not this attempt's any more."""
    changed = connection.execute(
        f"update job set progress = ?, message = ?, updated = ?, lease = ?, version = version + 1 where {_MINE}",  # noqa: S608
        (done, message[:500], time.time(), time.time() + LEASE_SECONDS, *held.fence),
    )
    return bool(changed.rowcount)


def succeed(connection: Connection, held: Claim, outputs: Iterable[Output], place: str) -> bool:
    """The one visible completion; False where the job is not this attempt's any more."""
    listed: list[dict[str, Any]] = [
        {"name": o.name, "media_type": o.media_type, "size": o.size, "sha256": o.sha256, "title": o.title}
        for o in outputs
    ]
    now = time.time()
    done = connection.execute(
        "update job set state = 'successful', progress = 1, finished = ?, updated = ?, outputs = ?, place = ?, "  # noqa: S608
        "stored = ?, message = '', worker = '', lease = 0, version = version + 1 "
        f"where {_MINE}",
        (now, now, orjson.dumps(listed).decode(), place, sum(o["size"] for o in listed), *held.fence),
    )
    if done.rowcount:
        connection.execute("delete from step where job = ?", (held.job.id,))
    return bool(done.rowcount)


def fail(connection: Connection, held: Claim, kind: str, message: str) -> bool:
    """The end of a job that cannot be done; False where it is not this attempt's any more."""
    now = time.time()
    done = connection.execute(
        "update job set state = 'failed', error_kind = ?, message = ?, finished = ?, updated = ?, worker = '', "  # noqa: S608
        f"lease = 0, version = version + 1 where {_MINE}",
        (kind, message[:2000], now, now, *held.fence),
    )
    if done.rowcount:
        write_log(connection, held.job.id, "error", message)
    return bool(done.rowcount)


def put_back(connection: Connection, held: Claim, seconds: float, message: str, *, refused: bool) -> bool:
    """Let the job wait again for `seconds`; False where it is not this attempt's any more."""
    now = time.time()
    done = connection.execute(
        "update job set state = 'accepted', due = ?, message = ?, updated = ?, worker = '', lease = 0, "  # noqa: S608
        f"refusals = refusals + ?, version = version + 1 where {_MINE}",
        (now + seconds, message[:2000], now, int(refused), *held.fence),
    )
    if done.rowcount:
        write_log(connection, held.job.id, "warning" if refused else "info", message)
    return bool(done.rowcount)


def refusals(connection: Connection, held: Claim) -> int:
    """How often a system that this job needs did not answer."""
    found: int = connection.execute("select refusals from job where id = ?", (held.job.id,)).fetchone()[0]
    return found


def forsake(connection: Connection, worker: str) -> None:
    """End the leases of a worker that is known to be dead."""
    connection.execute("update job set lease = 0 where state = 'running' and worker = ?", (worker,))
    connection.execute("delete from worker where id = ?", (worker,))


def forsake_process(connection: Connection, host: str, pid: int) -> None:
    """End the leases of a process that is known to be dead."""
    for (worker,) in connection.execute("select id from worker where host = ? and pid = ?", (host, pid)).fetchall():
        forsake(connection, worker)


def forsake_dead(connection: Connection, host: str, is_alive: Callable[[int], bool]) -> None:
    """End the leases of workers of this host whose process is gone; those of other hosts end by themselves."""
    for worker, pid in connection.execute("select id, pid from worker where host = ?", (host,)).fetchall():
        if not is_alive(pid):
            forsake(connection, worker)


def say_alive(connection: Connection, worker: str, host: str, pid: int) -> None:
    """A worker's sign of life."""
    now = time.time()
    connection.execute(
        "insert into worker (id, host, pid, started, seen) values (?, ?, ?, ?, ?) "
        "on conflict (id) do update set seen = excluded.seen",
        (worker, host, pid, now, now),
    )
    connection.execute("delete from worker where seen < ?", (now - 3600,))


def kept_step(connection: Connection, job: str, name: str) -> str | None:
    """What a step of an earlier attempt gave, as JSON."""
    row = connection.execute("select result from step where job = ? and name = ?", (job, name)).fetchone()
    return row[0] if row else None


def keep_step(connection: Connection, held: Claim, name: str, result: str) -> bool:
    """Keep what a step gave; False where the job is not this attempt's any more."""
    if not is_mine(connection, held):
        return False
    connection.execute(
        "insert into step (job, name, result) values (?, ?, ?) on conflict (job, name) do nothing",
        (held.job.id, name, result),
    )
    connection.execute("update job set deaths = 0 where id = ?", (held.job.id,))  # it gets on: it is no killer
    return True
