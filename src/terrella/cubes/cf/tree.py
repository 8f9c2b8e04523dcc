"""A neutral view of one file of arrays: what every format shows of itself so that CF can be read off it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from terrella.model.scan import ChunkTable


@dataclass(frozen=True, eq=False)
class Variable:
    """One array as its file has it. `attrs` are plain Python values; `read` gives all of it, for small ones."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    """Of stored numbers, with byte order; kinds S, U and O are text; None for compounds and the like."""
    attrs: dict[str, Any]
    read: Callable[[], np.ndarray]
    handle: Any = None
    """Whatever the format wants back when it is asked for the layout."""
    unwritten: float | None = None
    """The stored number that stands for what was never written, where no attribute says so."""

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Tree:
    """A group: variables by name, attributes, groups inside. Names of groups are paths from the root."""

    variables: dict[str, Variable]
    attrs: dict[str, Any]
    name: str = ""
    groups: tuple[Tree, ...] = ()


@dataclass(frozen=True, eq=False)
class Layout:
    """How a variable is stored, in the order of dimensions that the file has."""

    chunks: tuple[int, ...]
    codec: dict[str, Any]
    table: ChunkTable | None = None


class LeftOut(Exception):
    """Raised while describing one variable: it cannot be read, and this is why."""


LayoutOf = Callable[[Variable], Layout]
"""Asked only for variables that are kept. Raises LeftOut."""


@dataclass(eq=False)
class Notes:
    """What was left out and why, gathered so that a hundred like variables make one line."""

    reasons: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        self.reasons.setdefault(reason, []).append(name)

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{_some(names)}: left out, {reason}." for reason, names in self.reasons.items())


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
