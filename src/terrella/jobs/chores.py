"""What workers do between jobs: start what is due, tell the ledger what ended, delete what is old."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from terrella.errors import TerrellaError
from terrella.jobs.records import COLUMNS, job_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.jobs.results import Results
    from terrella.jobs.rows import Connection, Rows
    from terrella.jobs.starting import Starting
    from terrella.model.job import Job

log = structlog.get_logger("terrella.jobs")

_TIDY_EVERY = 60.0
_AT_ONCE = 100
_ORPHAN_SECONDS = 3600.0
"""A folder that belongs to no job that runs or is kept is deleted when nobody touched it for so long."""


class Chores:
    """Called now and then by every worker; each chore may be done by several at once.

    `ended` is told of every job that has ended, and again when its files expire, at least once: it goes by the job's id
    to act exactly once.
    """

    def __init__(
        self, rows: Rows, results: Results, starting: Starting, keep_seconds: float, ended: Callable[[Job], None]
    ) -> None:
        self._rows = rows
        self._results = results
        self._starting = starting
        self._keep_seconds = keep_seconds
        self._ended = ended
        self._tidied = 0.0

    def __call__(self) -> None:
        """Never raises for a chore that fails: the next time may do."""
        for chore in (self._starting.run_due, self._starting.run_events, self.settle, self._tidy_now_and_then):
            try:
                chore()
            except TerrellaError as error:
                log.warning("chore failed", chore=chore.__name__, reason=error.message)
            except Exception:  # whoever is told of ended jobs may be wrong; jobs go on
                log.exception("chore broke", chore=chore.__name__)

    def settle(self) -> int:
        """Tell `ended` of jobs that it has not heard of; how many."""
        with self._rows.reading() as connection:
            rows = connection.execute(
                f"select {COLUMNS}, version from job where settled = 0 and finished is not null limit ?",  # noqa: S608
                (_AT_ONCE,),
            ).fetchall()
        for row in rows:
            self._ended(job_of(row))
        if rows:
            told = [(row[0], row[-1]) for row in rows]
            self._rows.write(lambda c: _mark_settled(c, told))
        return len(rows)

    def _tidy_now_and_then(self) -> None:
        if time.monotonic() - self._tidied >= _TIDY_EVERY:
            self._tidied = time.monotonic()
            self.expire()
            self.sweep()

    def expire(self) -> int:
        """Delete the files of jobs that ended long ago; the jobs stay in the list. How many."""
        last = time.time() - self._keep_seconds
        with self._rows.reading() as connection:
            old = connection.execute(
                "select id, place from job where place <> '' and finished < ? limit ?", (last, _AT_ONCE)
            ).fetchall()
        for job, place in old:
            self._rows.write(lambda c, job=job: _mark_expired(c, job))  # type: ignore[misc]
            self._results.discard(place)
        return len(old)

    def sweep(self) -> int:
        """Delete folders that killed attempts left behind. How many."""
        last = time.time() - _ORPHAN_SECONDS
        names = [name for name in self._results.names() if self._results.touched(name) < last]
        with self._rows.reading() as connection:
            lost = [name for name in names if not _is_of_a_job(connection, name)]
        for name in lost:
            self._results.discard(name)
        return len(lost)


def _mark_settled(connection: Connection, told: list[tuple[str, int]]) -> None:
    for job, version in told:
        connection.execute("update job set settled = 1 where id = ? and version = ?", (job, version))


def _mark_expired(connection: Connection, job: str) -> None:
    connection.execute(
        "update job set place = '', stored = 0, settled = 0, updated = ?, version = version + 1, "
        "message = 'Its results have expired.' where id = ?",
        (time.time(), job),
    )


def _is_of_a_job(connection: Connection, folder: str) -> bool:
    """Whether a folder is the published one of a job, or that of its running attempt."""
    job, _, attempt = folder.rpartition(".")
    row = connection.execute("select state, place, attempts from job where id = ?", (job,)).fetchone()
    if row is None:
        return False
    state, place, attempts = row
    return bool(place == folder or (state == "running" and str(attempts) == attempt))
