"""A worker: claims one job at a time, runs its task, publishes what came out, and says that it lives.

One job at a time in the main thread of a process, so that a job that runs out of memory takes nobody else along.
A second thread renews the lease, sees when the process is to end, and ends it hard when a task does not listen.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import structlog

from terrella.contracts.jobs import Dismissed
from terrella.errors import Internal, ProviderUnavailable, TerrellaError
from terrella.jobs import claims
from terrella.jobs.processes import is_alive, this_host
from terrella.jobs.results import outputs_of
from terrella.jobs.work import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from terrella.contracts.jobs import Task
    from terrella.jobs.claims import Claim
    from terrella.jobs.results import Results
    from terrella.jobs.rows import Rows
    from terrella.model.caller import Caller

log = structlog.get_logger("terrella.jobs")

_IDLE = 0.1
"""Seconds between two looks for work."""
_BEAT = 1.0
"""Seconds between two heartbeats."""
_CHORES_EVERY = 1.0
MOST_REFUSALS = 5
"""How often a job that needs a system that does not answer is tried."""


class Worker:
    """Does jobs until it is stopped. `caller_of` names the owner as they are now; `chores` are run between jobs."""

    def __init__(
        self,
        rows: Rows,
        results: Results,
        tasks: Mapping[str, Task],
        caller_of: Callable[[str], Caller],
        *,
        chores: Callable[[], None] = lambda: None,
        drain_seconds: float = 5.0,
        name: str = "",
        ends_with_parent: bool = False,
    ) -> None:
        self.id = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._rows = rows
        self._results = results
        self._tasks = tasks
        self._caller_of = caller_of
        self._chores = chores
        self._drain_seconds = drain_seconds
        self._parent = os.getppid() if ends_with_parent else 0
        self._stopping = threading.Event()
        self._held: Claim | None = None
        self._chored = 0.0

    def stop(self) -> None:
        """Hand the current job back at its next sign of progress, then end. Safe in a signal handler."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self, *, until_idle: bool = False) -> int:
        """Work until stopped (or until nothing waits); how many jobs were run."""
        self._rows.write(lambda c: claims.forsake_dead(c, this_host(), is_alive))
        self._rows.write(lambda c: claims.say_alive(c, self.id, this_host(), os.getpid()))
        heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        heart.start()
        count = 0
        try:
            while not self._stopping.is_set():
                if self._turn():
                    count += 1
                elif until_idle:
                    break
                else:
                    self._stopping.wait(_IDLE)
        finally:
            self._stopping.set()
            heart.join(5)
            self._rows.write(lambda c: claims.forsake(c, self.id))
        return count

    def _turn(self) -> bool:
        """One job, if there is any; a database that is away for a moment is no end."""
        try:
            self._do_chores()
            held = self._claim()
        except ProviderUnavailable as error:
            log.warning("cannot look for jobs", reason=error.message)
            self._stopping.wait(1)
            return False
        if held is None:
            return False
        self._held = held
        try:
            self._run(held)
        finally:
            self._held = None
        return True

    def _do_chores(self) -> None:
        if time.monotonic() - self._chored >= _CHORES_EVERY:
            self._chored = time.monotonic()
            self._chores()

    def _claim(self) -> Claim | None:
        with self._rows.reading() as connection:
            if not claims.is_waiting(connection, time.time()):
                return None
        lock = getattr(self._rows, "row_lock", "")
        return self._rows.write(lambda c: claims.claim(c, self.id, self._tasks, lock))

    # --- one job -----------------------------------------------------------------------------------------------------

    def _run(self, held: Claim) -> None:
        job = held.job
        with structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, attempt=job.attempts):
            began = time.monotonic()
            try:
                outcome = self._attempt(held)
            except Dismissed:
                outcome = self._let_go(held)
            except ProviderUnavailable as error:
                outcome = self._refused(held, error)
            except TerrellaError as error:
                outcome = self._failed(held, error)
            except Exception:  # the task's own fault: the log knows more than its owner needs
                log.exception("job broke")
                outcome = self._failed(held, Internal("Something went wrong here; the site's log knows more."))
            log.info("job", outcome=outcome, seconds=round(time.monotonic() - began, 3))

    def _attempt(self, held: Claim) -> str:
        job = held.job
        folder = self._results.prepare(job.id, job.attempts)
        attempt = Attempt(self._rows, held, self._caller_of(job.owner), folder, self._stopping.is_set)
        said = self._tasks[job.kind](attempt)
        outputs = outputs_of(folder, said)
        self._rows.write(lambda c: claims.renew(c, held))
        place = self._results.publish(folder)
        if self._rows.write(lambda c: claims.succeed(c, held, outputs, place)):
            return "successful"
        self._results.discard(place)
        return "lost"

    def _let_go(self, held: Claim) -> str:
        """The owner dismissed it, another took it over, or this worker is to stop: then it waits for the next."""
        self._discard(held)
        if self._stopping.is_set() and self._hand_back(held):
            return "handed back"
        return "dismissed"

    def _hand_back(self, held: Claim) -> bool:
        text = "Its worker was stopped: another goes on."
        return self._rows.write(lambda c: claims.put_back(c, held, 0, text, refused=False))

    def _refused(self, held: Claim, error: ProviderUnavailable) -> str:
        """Another system did not answer: wait, longer each time, then give up with its reason."""
        self._discard(held)
        with self._rows.reading() as connection:
            before = claims.refusals(connection, held)
        if before + 1 >= MOST_REFUSALS:
            text = f"{error.message} Tried {before + 1} times."
            self._rows.write(lambda c: claims.fail(c, held, error.kind, text))
            return "failed"
        seconds = min(300.0, 2.0**before)
        text = f"{error.message} Tried again in {seconds:.0f} s."
        self._rows.write(lambda c: claims.put_back(c, held, seconds, text, refused=True))
        return "tried again later"

    def _failed(self, held: Claim, error: TerrellaError) -> str:
        self._discard(held)
        self._rows.write(lambda c: claims.fail(c, held, error.kind, error.message))
        return "failed"

    def _discard(self, held: Claim) -> None:
        self._results.discard(f"{held.job.id}.{held.job.attempts}")

    # --- the other thread --------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        lost_since = 0.0
        while not self._stopping.wait(_BEAT):
            if self._parent and os.getppid() != self._parent:  # whoever started it is gone
                self.stop()
                break
            try:
                lost_since = self._say_alive(lost_since)
            except TerrellaError as error:
                log.warning("no heartbeat", reason=error.message)
        self._end_hard_when_deaf()

    def _say_alive(self, lost_since: float) -> float:
        """Renew the lease; when the job was lost and its task does not notice, since when."""
        held = self._held
        self._rows.write(lambda c: claims.say_alive(c, self.id, this_host(), os.getpid()))
        if held is None or self._rows.write(lambda c: claims.renew(c, held)):
            return 0.0
        if self._held is not held:
            return 0.0
        now = time.monotonic()
        if lost_since and now - lost_since > 6 * self._drain_seconds:
            log.error("the task of a lost job does not end: ending the worker", job=held.job.id)
            os._exit(70)
        return lost_since or now

    def _end_hard_when_deaf(self) -> None:
        """A stopping worker whose task does not listen gives its job back and ends."""
        last = time.monotonic() + self._drain_seconds
        while (held := self._held) is not None:
            if time.monotonic() > last:
                self._hand_back(held)
                os._exit(0)
            time.sleep(0.05)
            try:
                self._rows.write(lambda c, held=held: claims.renew(c, held))  # type: ignore[misc]
            except TerrellaError:
                continue
