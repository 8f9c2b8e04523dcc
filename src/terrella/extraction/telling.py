"""How far an extraction is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrella.cubes.caching import ReadTally
    from terrella.model.extraction import Plan

Tell = Callable[[float], None]
"""Hears which part is read, from 0 to 1, in the thread that extracts. What it raises ends the reading."""


def telling(tell: Tell | None, plan: Plan) -> Callable[[ReadTally], None] | None:
    """For a tally: chunks of the plan that are there."""
    return None if tell is None else partial(_told, tell, max(1, plan.chunks))


def _told(tell: Tell, chunks: int, tally: ReadTally) -> None:
    tell(min(1.0, (tally.loaded + tally.remembered) / chunks))
