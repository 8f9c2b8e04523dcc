"""Waiting for jobs to change: one thread looks at the rows of all jobs that anybody in this process waits for.

Waiting costs no thread each, so that hundreds of polls can be held at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from terrella.errors import TerrellaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.jobs.rows import Rows

log = structlog.get_logger("terrella.jobs")

_PAUSE = 0.05
"""Seconds between two looks."""
_IDLE = 5.0
"""Seconds without anybody waiting after which the thread ends."""
_TOGETHER = 500


class Watch:
    """Calls back, once, when the version of a job is another than the known one (or the job is gone)."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lock = threading.Lock()
        self._waiting: dict[object, tuple[str, int, Callable[[], None]]] = {}
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, job: str, version: int, changed: Callable[[], None]) -> object:
        """Start waiting; `changed` is called in the watching thread. Returns the token that `remove` takes."""
        token = object()
        with self._lock:
            self._waiting[token] = (job, version, changed)
            self._woken.set()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="watching-jobs", daemon=True)
                self._thread.start()
        return token

    def remove(self, token: object) -> None:
        """Stop waiting."""
        with self._lock:
            self._waiting.pop(token, None)

    def close(self) -> None:
        """End the thread; whoever waits is told that something changed."""
        with self._lock:
            self._closed = True
            thread, waiting = self._thread, list(self._waiting.values())
            self._waiting.clear()
            self._woken.set()
        for _, _, changed in waiting:
            changed()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _run(self) -> None:
        pause = threading.Event()
        while not self._closed:
            if not self._waiting and not self._rest():
                return
            try:
                self._look()
            except TerrellaError as error:  # the database is busy or away: the next look may do
                log.warning("cannot watch jobs", reason=error.message)
                pause.wait(1)
            pause.wait(_PAUSE)

    def _rest(self) -> bool:
        """Sleep until somebody waits; False when nobody does for long, and the thread may end."""
        self._woken.clear()
        if self._waiting or self._woken.wait(_IDLE):
            return True
        with self._lock:
            if self._waiting:
                return True
            self._thread = None
            return False

    def _look(self) -> None:
        with self._lock:
            waiting = list(self._waiting.items())
        versions = self._versions(list({job for _, (job, _, _) in waiting}))
        for token, (job, version, changed) in waiting:
            if versions.get(job) != version:
                self.remove(token)
                changed()

    def _versions(self, jobs: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        with self._rows.reading() as connection:
            for start in range(0, len(jobs), _TOGETHER):
                some = jobs[start : start + _TOGETHER]
                marks = ", ".join("?" * len(some))
                found.update(
                    connection.execute(f"select id, version from job where id in ({marks})", some).fetchall()  # noqa: S608
                )
        return found
