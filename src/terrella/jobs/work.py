"""What a running task is given: progress, log and steps of one attempt, all fenced by its claim."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import orjson

from terrella.contracts.jobs import Dismissed
from terrella.errors import Internal
from terrella.jobs import claims
from terrella.jobs.records import write_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from terrella.jobs.claims import Claim
    from terrella.jobs.rows import Rows
    from terrella.model.caller import Caller
    from terrella.model.stac import Document

_TELL_EVERY = 0.5
"""Seconds between two progress rows: more would keep the database busy and tell no person more."""
_LOOK_EVERY = 0.2
"""Seconds between two looks whether the job is still ours."""
_LEVELS = ("info", "warning", "error")


class Attempt:
    """One attempt at one job: a `terrella.contracts.jobs.Work`."""

    def __init__(self, rows: Rows, held: Claim, caller: Caller, folder: Path, is_stopping: Callable[[], bool]) -> None:
        self.job = held.job.id
        self.caller = caller
        self.inputs: Document = held.job.inputs
        self.folder = folder
        self._rows = rows
        self._held = held
        self._is_stopping = is_stopping
        self._told = self._looked = time.monotonic()
        self._last: tuple[float, str] = (0.0, "")

    def progress(self, done: float, message: str = "") -> None:
        """How far, from 0 to 1. Raises Dismissed when the job is not ours any more, or the worker is to stop."""
        if not math.isfinite(done):
            raise Internal(f"Progress is a number from 0 to 1, not {done}.")
        done = min(1.0, max(0.0, done))
        now = time.monotonic()
        said_more = message != self._last[1] or done == 1.0
        if now - self._told >= _TELL_EVERY or (said_more and now - self._told >= _LOOK_EVERY):
            self._last, self._told, self._looked = (done, message or self._last[1]), now, now
            self._insist(self._rows.write(lambda c: claims.tell(c, self._held, done, message)))
        elif now - self._looked >= _LOOK_EVERY:
            self._look()
        if self._is_stopping():
            raise Dismissed

    def log(self, text: str, level: str = "info") -> None:
        """A line for the owner to read."""
        if level not in _LEVELS:
            raise Internal(f"A log line is {', '.join(_LEVELS)}, not {level!r:.20}.")
        self._insist(self._rows.write(lambda c: self._fenced_log(c, level, text)))

    def step[T](self, name: str, work: Callable[[], T]) -> T:
        """Do something once even if the worker dies: later attempts get the kept result (JSON-safe) back."""
        with self._rows.reading() as connection:
            self._insist(claims.is_mine(connection, self._held))
            kept = claims.kept_step(connection, self.job, name)
        if kept is not None:
            known: T = orjson.loads(kept)
            return known
        made = work()
        text = _as_json(name, made)
        self._insist(self._rows.write(lambda c: claims.keep_step(c, self._held, name, text)))
        if self._is_stopping():
            raise Dismissed
        again: T = orjson.loads(text)  # what a later attempt would get
        return again

    def _look(self) -> None:
        self._looked = time.monotonic()
        with self._rows.reading() as connection:
            self._insist(claims.is_mine(connection, self._held))

    def _fenced_log(self, connection: Any, level: str, text: str) -> bool:
        if not claims.is_mine(connection, self._held):
            return False
        write_log(connection, self.job, level, text)
        connection.execute("update job set version = version + 1 where id = ?", (self.job,))
        return True

    @staticmethod
    def _insist(mine: bool) -> None:  # noqa: FBT001 -- reads as a sentence
        if not mine:
            raise Dismissed


def _as_json(name: str, value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise Internal(f"The step {name!r:.80} gave something that is no JSON: {error}.") from error
