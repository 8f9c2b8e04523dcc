"""From a claim to an outcome: the task runs, what it wrote is published, and how it ended is written down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from terrella.contracts.jobs import Dismissed
from terrella.errors import Internal, ProviderUnavailable, TerrellaError
from terrella.jobs import claims
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

MOST_REFUSALS = 5
"""How often a job that needs a system that does not answer is tried."""
_FRESH = 2.0
"""Seconds that a lease counts as new: publishing then fits into what is left of it."""


class Attempts:
    """Runs claimed jobs, in the thread that calls. `is_stopping` says that this process is to end."""

    def __init__(
        self, rows: Rows, results: Results, tasks: Mapping[str, Task], is_stopping: Callable[[], bool]
    ) -> None:
        self._rows = rows
        self._results = results
        self._tasks = tasks
        self._is_stopping = is_stopping

    def run(self, held: Claim, caller_of: Callable[[str], Caller]) -> None:
        """Do it; however it ends, the row says so. `caller_of` names the owner as they are now."""
        job = held.job
        with structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, attempt=job.attempts):
            began = time.monotonic()
            try:
                outcome = self._attempt(held, caller_of)
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

    def hand_back(self, held: Claim) -> bool:
        """Let another go on with it; False where it is not this attempt's any more."""
        text = "Its worker was stopped: another goes on."
        return self._rows.write(lambda c: claims.put_back(c, held, 0, text, refused=False))

    def _attempt(self, held: Claim, caller_of: Callable[[str], Caller]) -> str:
        job, began = held.job, time.monotonic()
        folder = self._results.prepare(job.id, job.attempts)
        attempt = Attempt(self._rows, held, caller_of(job.owner), folder, self._is_stopping)
        said = self._tasks[job.kind](attempt)
        outputs = outputs_of(folder, said)
        if time.monotonic() - began > _FRESH:
            self._rows.write(lambda c: claims.renew(c, held))
        place = self._results.publish(folder)
        if self._rows.write(lambda c: claims.succeed(c, held, outputs, place)):
            return "successful"
        self._results.discard(place)
        return "lost"

    def _let_go(self, held: Claim) -> str:
        """The owner dismissed it, another took it over, or this process is to stop: then it waits for the next."""
        self._discard(held)
        if self._is_stopping() and self.hand_back(held):
            return "handed back"
        return "dismissed"

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
