"""Durable work: what is asked, how far it is, what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from terrella.model.stac import Document

JobState = Literal["accepted", "running", "successful", "failed", "dismissed"]
"""The words of OGC API Processes."""

ENDED: frozenset[JobState] = frozenset({"successful", "failed", "dismissed"})


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a job made; `name` is its file name, unique in the job."""

    name: str
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, as it is now. `kind` names the task that runs it; `inputs` is JSON-safe."""

    id: str
    kind: str
    owner: str
    """Name of the caller who submitted it."""
    state: JobState
    inputs: Document
    created: datetime
    updated: datetime
    started: datetime | None = None
    finished: datetime | None = None
    progress: float = 0.0
    """From 0 to 1."""
    message: str = ""
    """What is being done, or why it failed, in one sentence for the owner."""
    error_kind: str = ""
    """`kind` of the TerrellaError that ended it."""
    attempts: int = 0
    outputs: tuple[Output, ...] = field(default=())
    title: str = ""
    dialect: str = ""
    """Which dialect submitted it: each lists its own."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's log."""

    number: int
    at: datetime
    level: Literal["info", "warning", "error"]
    text: str
