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

from terrella.errors import ProviderUnavailable, TerrellaError
from terrella.jobs import claims
from terrella.jobs.attempts import Attempts
from terrella.jobs.processes import is_alive, this_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from terrella.contracts.jobs import Task
    from terrella.jobs.claims import Claim
    from terrella.jobs.results import Results
    from terrella.jobs.rows import Rows
    from terrella.model.caller import Caller

log = structlog.get_logger("terrella.jobs")

_IDLE = 0.05
"""Seconds between two looks whether anything changed."""
_LOOK_EVERY = 0.5
"""Seconds after which work is looked for though nothing changed: time has, too."""
_BEAT = 1.0
"""Seconds between two looks whether this process is still wanted."""
_RENEW_EVERY = 3.0
"""Seconds between two prolongations of a lease, each a write to the disk."""
_ALIVE_EVERY = 60.0
"""Seconds between two signs of life of a worker that may have nothing to do."""
_CHORES_EVERY = 1.0


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
        parent: int = 0,
    ) -> None:
        self.id = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._rows = rows
        self._tasks = tasks
        self._caller_of = caller_of
        self._chores = chores
        self._drain_seconds = drain_seconds
        self._parent = parent
        self._stopping = threading.Event()
        self._attempts = Attempts(rows, results, tasks, self._stopping.is_set)
        self._held: Claim | None = None
        self._seen: object = None
        self._looked = self._chored = self._said = self._renewed = 0.0

    def stop(self) -> None:
        """Hand the current job back at its next sign of progress, then end. Safe in a signal handler."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self, *, until_idle: bool = False) -> int:
        """Work until stopped (or until nothing waits); how many jobs were run."""
        self._rows.write(lambda c: claims.forsake_dead(c, this_host(), is_alive))
        self._say_alive()
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
            self._attempts.run(held, self._caller_of)
        finally:
            self._held = None
        return True

    def _do_chores(self) -> None:
        if time.monotonic() - self._chored >= _CHORES_EVERY:
            self._chored = time.monotonic()
            self._chores()

    def _claim(self) -> Claim | None:
        if not self._may_have_changed():
            return None
        with self._rows.reading() as connection:
            if not claims.is_waiting(connection, time.time()):
                return None
        lock = getattr(self._rows, "row_lock", "")
        return self._rows.write(lambda c: claims.claim(c, self.id, self._tasks, lock))

    def _may_have_changed(self) -> bool:
        """Whether it is worth a question to the database."""
        stamp, now = self._rows.stamp(), time.monotonic()
        if stamp is not None and stamp == self._seen and now - self._looked < _LOOK_EVERY:
            return False
        self._seen, self._looked = stamp, now
        return True

    # --- the other thread --------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        lost_since = 0.0
        while not self._stopping.wait(_BEAT):
            if self._parent and os.getppid() != self._parent:  # whoever started it is gone
                self.stop()
                break
            try:
                if time.monotonic() - self._said > _ALIVE_EVERY:
                    self._say_alive()
                lost_since = self._renew(lost_since)
            except TerrellaError as error:
                log.warning("no heartbeat", reason=error.message)
        self._end_hard_when_deaf()

    def _say_alive(self) -> None:
        self._said = time.monotonic()
        self._rows.write(lambda c: claims.say_alive(c, self.id, this_host(), os.getpid()))

    def _renew(self, lost_since: float) -> float:
        """Renew the lease; when the job was lost and its task does not notice, since when."""
        held = self._held
        if held is not None and time.monotonic() - self._renewed < _RENEW_EVERY:
            return lost_since
        self._renewed = time.monotonic()
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
                self._attempts.hand_back(held)
                os._exit(0)
            time.sleep(0.05)
            try:
                self._rows.write(lambda c, held=held: claims.renew(c, held))  # type: ignore[misc]
            except TerrellaError:
                continue
