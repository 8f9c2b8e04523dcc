"""Small jobs, done by the process that takes them in, while their owner waits: no worker need wake up for them.

They are jobs like all others: the row is there before the work begins, claimed by this process in the same transaction,
and fenced; when this process is killed, its lease ends and a worker goes on.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

import structlog

from terrella.errors import TerrellaError
from terrella.jobs import claims, records
from terrella.jobs.attempts import Attempts
from terrella.jobs.processes import this_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.contracts.jobs import Task
    from terrella.jobs.claims import Claim
    from terrella.jobs.results import Results
    from terrella.jobs.rows import Connection, Rows
    from terrella.model.caller import Caller
    from terrella.model.stac import Document

log = structlog.get_logger("terrella.jobs")

MOST = 4
"""Jobs that one process does at once; further ones are left to workers."""
_BEAT = 2.0
"""Seconds between two looks whether leases must be renewed."""
_ALIVE = 300.0
"""Seconds between two signs of life."""
_DRAIN = 5.0
"""Seconds that a closing process gives its jobs before it hands them back."""


class AtOnce:
    """Safe for threads."""

    def __init__(self, rows: Rows, results: Results, tasks: Mapping[str, Task]) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._rows = rows
        self._stopping = threading.Event()
        self._attempts = Attempts(rows, results, tasks, self._stopping.is_set)
        self._free = threading.Semaphore(MOST)
        self._lock = threading.Lock()
        self._held: dict[str, Claim] = {}
        self._heart: threading.Thread | None = None

    def perform(
        self, caller: Caller, kind: str, inputs: Document, *, key: str = "", title: str = "", dialect: str = ""
    ) -> str | None:
        """Id of a job that has been run here (or that the `key` names); None where too many are under way."""
        if self._stopping.is_set() or not self._free.acquire(blocking=False):
            return None
        try:
            self._start_heart()
            job, held = self._rows.write(lambda c: self._insert(c, caller.name, kind, inputs, key, title, dialect))
            if held is not None:
                self._run(held, caller)
            return job
        finally:
            self._free.release()

    def close(self) -> None:
        """Wait a little for what runs, then leave it to workers. May be called again."""
        with self._lock:
            heart, self._heart = self._heart, None
            self._stopping.set()
        if heart is None:
            return
        last = time.monotonic() + _DRAIN
        while self._held and time.monotonic() < last:
            time.sleep(0.02)
        with self._lock:
            left = list(self._held.values())
        for held in left:
            self._attempts.hand_back(held)
        heart.join(_BEAT)
        self._rows.write(lambda c: claims.forsake(c, self.id))

    def _insert(self, connection: Connection, *row: object) -> tuple[str, Claim | None]:
        job, is_new = records.insert(connection, *row)  # type: ignore[arg-type]
        return job, claims.claim_own(connection, self.id, job) if is_new else None

    def _run(self, held: Claim, caller: Caller) -> None:
        with self._lock:
            self._held[held.job.id] = held
        try:
            self._attempts.run(held, lambda _: caller)
        finally:
            with self._lock:
                self._held.pop(held.job.id, None)

    # --- the other thread --------------------------------------------------------------------------------------------

    def _start_heart(self) -> None:
        with self._lock:
            if self._heart is None and not self._stopping.is_set():
                self._say_alive()
                self._heart = threading.Thread(target=self._beat, name="jobs-at-once", daemon=True)
                self._heart.start()

    def _say_alive(self) -> None:
        self._rows.write(lambda c: claims.say_alive(c, self.id, this_host(), os.getpid()))

    def _beat(self) -> None:
        said = time.monotonic()
        while not self._stopping.wait(_BEAT):
            with self._lock:
                held = list(self._held.values())
            try:
                if held:
                    self._rows.write(lambda c, held=held: [claims.renew(c, one) for one in held])  # type: ignore[misc]
                if time.monotonic() - said > _ALIVE:
                    said = time.monotonic()
                    self._say_alive()
            except TerrellaError as error:
                log.warning("no heartbeat", reason=error.message)
