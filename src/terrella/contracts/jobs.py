"""A task: what a job runs. Tasks are handed to the jobs room by the site; the room knows none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from terrella.model.caller import Caller
    from terrella.model.job import Job, Output
    from terrella.model.stac import Document


class Dismissed(BaseException):  # no Exception: a task that catches those must not swallow it
    """Ends a task whose job is not its own any more: cancelled by its owner, or taken over by another worker."""


class Work(Protocol):
    """What a running task is given."""

    job: str
    """Id of the job."""
    caller: Caller
    """The owner, as they are now: someone who lost a right since has lost it here too."""
    inputs: Document
    folder: Path
    """Empty, this attempt's own. What it holds when the task ends well becomes the job's outputs, all at once."""

    def progress(self, done: float, message: str = "") -> None:
        """How far, from 0 to 1. Raises Dismissed when the job was cancelled: call it often."""
        ...

    def log(self, text: str, level: str = "info") -> None:
        """A line for the owner to read."""
        ...

    def step[T](self, name: str, work: Callable[[], T]) -> T:
        """Do something once even if the worker dies: later attempts get the kept result (JSON-safe) back.

        A step that was interrupted is done again, so it must be idempotent.
        """
        ...


class Task(Protocol):
    """Runs one kind of job in a worker process."""

    def __call__(self, work: Work) -> tuple[Output, ...] | None:
        """Write files into `work.folder`; returns what they are, or None for all of them by their suffix.

        A TerrellaError fails the job with its message: ProviderUnavailable is tried again, all others are final.
        """
        ...


class Submits(Protocol):
    """What a dialect needs of the jobs room. Every call sees only the caller's own jobs (administrators see all)."""

    def submit(
        self, caller: Caller, kind: str, inputs: Document, *, key: str = "", title: str = "", dialect: str = ""
    ) -> str:
        """Id of a new job, once it is durable; the same `key` of the same caller gives the same job again."""
        ...

    def get(self, caller: Caller, job: str) -> Job:
        """The `Job`. Raises NotFound, also for another's."""
        ...

    def wait(self, caller: Caller, job: str, seconds: float) -> Job:
        """The `Job`, as soon as it has ended or changed its state, at the latest after `seconds`."""
        ...

    def list(
        self, caller: Caller, *, dialect: str = "", limit: int = 100, token: str | None = None
    ) -> tuple[tuple[Job, ...], str | None]:
        """Jobs, newest first, and the token of the next page."""
        ...

    def cancel(self, caller: Caller, job: str) -> Job:
        """The `Job`, dismissed (or as it ended before)."""
        ...

    def file(self, caller: Caller, job: str, output: str) -> Path:
        """Where an output of a successful job lies. Raises NotFound."""
        ...
