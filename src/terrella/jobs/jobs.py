"""The room of jobs: submit, see, wait, cancel; and the worker that does them.

Every call takes the caller first and sees only their own jobs; administrators see all.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import orjson

from terrella.errors import Conflict, Denied, Invalid, NotFound, nearest_names
from terrella.jobs import records
from terrella.jobs.at_once import AtOnce
from terrella.jobs.chores import Chores
from terrella.jobs.crew import Crew
from terrella.jobs.results import Results
from terrella.jobs.rows import open_rows
from terrella.jobs.starting import Starting
from terrella.jobs.watching import Watch
from terrella.jobs.working import Worker
from terrella.model.caller import ADMINISTER, RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from terrella.contracts.jobs import Task
    from terrella.model.caller import Caller
    from terrella.model.job import Job, LogLine, Output
    from terrella.model.stac import Document

MOST_SECONDS = 600.0
"""Longest that one call waits."""


class Jobs:
    """Durable work of one site, over the tables at `url` (or in `home`) and the files in ``home/jobs``.

    `tasks` are what workers can do, by kind; `needs` says which scope a caller must have to submit a kind. Files of
    ended jobs are kept for `keep_days`. `at_once` are kinds that `perform` may run in this process: none that may take
    it along. `ended` hears of every job that has ended, at least once, and goes by its id.
    """

    def __init__(
        self,
        home: Path,
        url: str = "",
        tasks: Mapping[str, Task] | None = None,
        needs: Mapping[str, str] | None = None,
        *,
        at_once: Collection[str] = (),
        keep_days: float = 30,
        ended: Callable[[Job], None] = lambda _: None,
    ) -> None:
        self.rows = open_rows(home, url)
        self.results = Results(home / "jobs")
        self._tasks = tasks or {}
        self._needs = needs or {}
        self._small = frozenset(at_once)
        self._at_once = AtOnce(self.rows, self.results, self._tasks)
        self._watch = Watch(self.rows)
        self.starting = Starting(self.rows, self._check)
        self.chores = Chores(self.rows, self.results, self.starting, keep_days * 86400.0, ended)

    def close(self) -> None:
        self._at_once.close()
        self._watch.close()
        self.rows.close()

    # --- asking ------------------------------------------------------------------------------------------------------

    def submit(
        self, caller: Caller, kind: str, inputs: Document, *, key: str = "", title: str = "", dialect: str = ""
    ) -> str:
        """Id of a new job, once it is durable; the same `key` of the same caller gives the same job again.

        Raises Invalid for an unknown kind, Denied where the caller may not submit it.
        """
        given = self._checked(caller, kind, inputs)
        return self.rows.write(lambda c: records.insert(c, caller.name, kind, given, key, title, dialect))[0]

    def perform(
        self, caller: Caller, kind: str, inputs: Document, *, key: str = "", title: str = "", dialect: str = ""
    ) -> Job:
        """Like `submit`, but the job is run here and now, and comes back as it ended.

        It is durable like any other: when this process is killed, a worker goes on. Where this process does enough
        already, or the kind is none of `at_once`, it is only submitted.
        """
        given = self._checked(caller, kind, inputs)
        about = {"key": key, "title": title, "dialect": dialect}
        done = self._at_once.perform(caller, kind, given, **about) if kind in self._small else None
        return self.get(caller, self.submit(caller, kind, given, **about) if done is None else done)

    def _checked(self, caller: Caller, kind: str, inputs: Document) -> Document:
        """Inputs as a task will see them: what is wrong is refused here, not on the writer's thread."""
        self._check(caller, kind)
        given: Document = orjson.loads(records.as_text(inputs))
        return given

    def _check(self, caller: Caller, kind: str) -> None:
        if kind not in self._tasks:
            raise Invalid(f"There is no task {kind!r:.60}. {nearest_names(kind, self._tasks)}", parameter="kind")
        scope = self._needs.get(kind, "" if caller.is_anonymous else RUN)
        if scope and not caller.may(scope):
            raise Denied(f"To submit {kind!r} a key needs the scope {scope!r}.")

    def get(self, caller: Caller, job: str) -> Job:
        """The `Job`. Raises NotFound, also for another's."""
        with self.rows.reading() as connection:
            return records.fetch(connection, job, _owner(caller))

    def beginning(self, caller: Caller, start: str) -> Job:
        """The newest `Job` whose id begins so: for dialects whose ids are shorter. Raises NotFound."""
        with self.rows.reading() as connection:
            return records.fetch_beginning(connection, start, _owner(caller))

    def versioned(self, caller: Caller, job: str) -> tuple[Job, int]:
        """The `Job`, and a number that grows with every change that its owner can see."""
        with self.rows.reading() as connection:
            return records.fetch_version(connection, job, _owner(caller))

    def list(
        self,
        caller: Caller,
        *,
        dialect: str = "",
        state: str = "",
        kind: str = "",
        limit: int = 100,
        token: str | None = None,
    ) -> tuple[tuple[Job, ...], str | None]:
        """Jobs, newest first, and the token of the next page. Anonymous callers, who may be anybody, see none."""
        if caller.is_anonymous:
            return (), None
        if not 1 <= limit <= 10_000:
            raise Invalid(f"A page has 1 to 10000 jobs, not {limit}.", parameter="limit")
        wanted = {n: v for n, v in (("dialect", dialect), ("state", state), ("kind", kind)) if v}
        with self.rows.reading() as connection:
            found = records.page(connection, _owner(caller), wanted, limit + 1, _after(token))
        more = len(found) > limit
        return tuple(found[:limit]), _token(found[limit - 1]) if more else None

    def submitted(self, owner: str | None, since: float, until: float) -> tuple[tuple[float, str], ...]:
        """When jobs of an owner (None: of anybody) were submitted (seconds since 1970), and their states now.

        The newest 100,000 of that time.
        """
        with self.rows.reading() as connection:
            return tuple(records.submitted(connection, owner, since, until))

    def logs(self, caller: Caller, job: str, *, after: int = 0, limit: int = 1000) -> tuple[LogLine, ...]:
        """Lines of a job's log with a number above `after`. Raises NotFound."""
        self.get(caller, job)
        with self.rows.reading() as connection:
            return tuple(records.read_log(connection, job, after, limit))

    # --- waiting -----------------------------------------------------------------------------------------------------

    def wait(self, caller: Caller, job: str, seconds: float) -> Job:
        """The `Job`, as soon as it has ended or changed its state, at the latest after `seconds`."""
        last = time.monotonic() + min(max(seconds, 0.0), MOST_SECONDS)
        found, version = self.versioned(caller, job)
        first = found.state
        while not records.has_ended(found) and found.state == first and (left := last - time.monotonic()) > 0:
            changed = threading.Event()
            token = self._watch.add(job, version, changed.set)
            changed.wait(left)
            self._watch.remove(token)
            found, version = self.versioned(caller, job)
        return found

    async def waiting(self, caller: Caller, job: str, seconds: float) -> Job:
        """Like `wait`, on the event loop: it holds no thread while it waits."""
        last = time.monotonic() + min(max(seconds, 0.0), MOST_SECONDS)
        found, version = await asyncio.to_thread(self.versioned, caller, job)
        first = found.state
        while not records.has_ended(found) and found.state == first and (left := last - time.monotonic()) > 0:
            found, version = await self.changed(caller, job, version, left)
        return found

    async def changed(self, caller: Caller, job: str, version: int, seconds: float) -> tuple[Job, int]:
        """The `Job` and its version, as soon as that is another than `version`, at the latest after `seconds`."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        token = self._watch.add(job, version, lambda: _tell(loop, done))
        try:
            await asyncio.wait_for(done.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._watch.remove(token)
        return await asyncio.to_thread(self.versioned, caller, job)

    # --- changing ----------------------------------------------------------------------------------------------------

    def cancel(self, caller: Caller, job: str) -> Job:
        """The `Job`, dismissed (or as it ended before). Raises NotFound, Denied for a key that may only read."""
        self.get(caller, job)
        _check_runs(caller)
        self.rows.write(lambda c: records.dismiss(c, job))
        return self.get(caller, job)

    def retry(self, caller: Caller, job: str) -> Job:
        """The `Job`, waiting again; what its finished steps gave is kept. Raises Conflict unless it failed."""
        found = self.get(caller, job)
        _check_runs(caller)
        if not self.rows.write(lambda c: records.again(c, job)):
            raise Conflict(f"Only a failed or dismissed job can be tried again; this one is {found.state}.")
        return self.get(caller, job)

    def file(self, caller: Caller, job: str, output: str) -> Path:
        """Where an output of a successful job lies. Raises NotFound."""
        self.get(caller, job)
        return self.published(job, output)[1]

    def published(self, job: str, output: str) -> tuple[Output, Path]:
        """An output of a successful job and where it lies, for whoever may already have it. Raises NotFound."""
        with self.rows.reading() as connection:
            found = records.fetch(connection, job, None)
            place = connection.execute("select place from job where id = ?", (job,)).fetchone()[0]
        if found.state != "successful":
            raise NotFound(f"The job has no results: it is {found.state}.", parameter="jobID")
        named = {one.name: one for one in found.outputs}
        if output not in named:
            raise NotFound(f"The job has no output {output!r:.80}. {nearest_names(output, named)}", parameter="output")
        path = self.results.path(place, output) if place else None
        if path is None:
            raise NotFound("The results of this job have expired: submit it again.", parameter="jobID")
        return named[output], path

    def kept(self, job: str) -> int:
        """Bytes of results that are kept of one job; 0 once they have expired."""
        with self.rows.reading() as connection:
            found = connection.execute("select stored from job where id = ?", (job,)).fetchone()
        return int(found[0]) if found else 0

    def stored(self, owner: str | None) -> int:
        """Bytes of results that are kept for an owner; None: for all."""
        whose, values = ("", ()) if owner is None else (" where owner = ?", (owner,))
        with self.rows.reading() as connection:
            found = connection.execute(f"select coalesce(sum(stored), 0) from job{whose}", values).fetchone()  # noqa: S608
        return int(found[0])

    # --- doing -------------------------------------------------------------------------------------------------------

    def worker(self, caller_of: Callable[[str], Caller], *, name: str = "", parent: int = 0) -> Worker:
        """A worker of this process: `worker.run()`. `caller_of` names the owner of a job as they are now.

        It ends when the process `parent`, which started this one, has ended; 0 for none.
        """
        return Worker(
            self.rows,
            self.results,
            self._tasks,
            caller_of,
            chores=self.chores,
            name=name,
            parent=parent,
        )

    def crew(self, home: Path, count: int) -> Crew:
        """Worker processes of the site in `home`: `crew.start()`."""
        command = (sys.executable, "-m", "terrella", "worker", "--home", str(home), "--parent", str(os.getpid()))
        return Crew(command, count, lambda: self.rows)


def _check_runs(caller: Caller) -> None:
    """Raises Denied for a key that was made for looking only."""
    if not caller.is_anonymous and not caller.may(RUN):
        raise Denied(f"To change a job a key needs the scope {RUN!r}.")


def _owner(caller: Caller) -> str | None:
    """Whose jobs a caller sees; None for everybody's."""
    return None if caller.may(ADMINISTER) else caller.name


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(done.set)


def _token(job: Job) -> str:
    return f"{job.created.timestamp()!r}_{job.id}"


def _after(token: str | None) -> tuple[float, str] | None:
    if token is None:
        return None
    seconds, _, name = token.partition("_")
    try:
        return float(seconds), name
    except ValueError:
        raise Invalid("This page token is none of this site.", parameter="token") from None
