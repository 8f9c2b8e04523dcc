"""The query parameters of one request: each is taken by name once, and what nobody takes is unknown."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from terrella.errors import Invalid, nearest_names
from terrella.model.extraction import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_LISTED = 1000
"""Names, levels or values in one comma list."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class Query:
    """Parameters by name. Raises Invalid for one that stands twice."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._given: dict[str, str] = {}
        for name, value in pairs:
            if name in self._given:
                raise Invalid(
                    f"{name} stands in the request twice; write several values as one comma list.", parameter=name
                )
            self._given[name] = value
        self._asked: dict[str, None] = {}

    def take(self, *names: str) -> str | None:
        """The value of the first of these names that was given, stripped; None where none was.

        Raises Invalid where it is empty, or where two of the names were given.
        """
        self._asked.update(dict.fromkeys(names))
        found = [name for name in names if name in self._given]
        if not found:
            return None
        if len(found) > 1:
            raise Invalid(f"{found[0]} and {found[1]} mean the same: give one of them.", parameter=found[1])
        value = self._given.pop(found[0]).strip()
        if not value:
            raise Invalid(f"{found[0]} is empty: give it a value, or leave it out.", parameter=found[0])
        return value

    def has(self, name: str) -> bool:
        """Whether it was given and nobody has taken it."""
        return name in self._given

    def need(self, name: str, example: str) -> str:
        """The value of a parameter that the request must have."""
        value = self.take(name)
        if value is None:
            raise Invalid(f"{name} is missing: write for example {name}={example}.", parameter=name)
        return value

    def rest(self) -> dict[str, str]:
        """What nobody has taken."""
        return dict(self._given)

    def finish(self, axes: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
        """What is left must be axes of the collection: their values as text. Raises Invalid for anything else."""
        known = set(axes)
        made = {}
        for name, value in self._given.items():
            if name not in known:
                raise Invalid(
                    f"There is no parameter {name[:60]!r} here. {nearest_names(name[:60], {*self._asked, *known})}",
                    parameter=name[:60],
                )
            made[name] = tuple(listed(value, name))
        return made


def listed(text: str, parameter: str) -> list[str]:
    """The entries of a comma list, each once, in order. Raises Invalid for empty entries and too many."""
    if not text.strip():
        raise Invalid(f"{parameter} is empty: give it a value, or leave it out.", parameter=parameter)
    if text.count(",") >= MOST_LISTED:
        raise Invalid(f"{parameter} lists at most {MOST_LISTED} values.", parameter=parameter)
    entries = [entry.strip() for entry in text.split(",")]
    if not all(entries):
        raise Invalid(f"{parameter} has an empty entry: {text[:60]!r}.", parameter=parameter)
    return list(dict.fromkeys(entries))


def number(text: str, parameter: str) -> float:
    """A finite decimal number. Raises Invalid."""
    value = float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise Invalid(f"{parameter} takes numbers, and {text[:40]!r} is none.", parameter=parameter)
    return value


def positive(text: str, parameter: str) -> float:
    """A finite number above 0. Raises Invalid."""
    value = number(text, parameter)
    if value <= 0:
        raise Invalid(f"{parameter} is above 0, not {value:g}.", parameter=parameter)
    return value


def whole(text: str | None, parameter: str, *, low: int, high: int, default: int) -> int:
    """An integer between two bounds. Raises Invalid."""
    if text is None:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", text) or not low <= int(text) <= high:
        raise Invalid(f"{parameter} is a whole number from {low} to {high}, not {text[:40]!r}.", parameter=parameter)
    return int(text)


def levels(text: str) -> tuple[float, ...] | Span:
    """Heights by EDR's grammar: `850`, `850,500`, `500/1000`, open `../500`, repeating `R5/100/50`.

    `R5/100/50` is five levels from 100, 50 apart. Raises Invalid, also for a reversed range.
    """
    parts = [part.strip() for part in text.split("/")]
    if parts[0][:1] in {"R", "r"} and len(parts) == 3:
        return _repeated(parts)
    if len(parts) == 1:
        return tuple(number(entry, "z") for entry in listed(text, "z"))
    if len(parts) != 2:
        raise Invalid(f"z is one level, a list, low/high or Rn/low/step, not {text[:60]!r}.", parameter="z")
    low, high = (None if part in {"", ".."} else number(part, "z") for part in parts)
    if low is not None and high is not None and low > high:
        raise Invalid(f"The range z={text[:60]} is reversed: write the lower number first.", parameter="z")
    return Span(low, high)


def _repeated(parts: Sequence[str]) -> tuple[float, ...]:
    count = whole(parts[0][1:] or "x", "z", low=1, high=MOST_LISTED, default=0)
    start, step = number(parts[1], "z"), number(parts[2], "z")
    if step == 0:
        raise Invalid("The step of a repeating z is not 0.", parameter="z")
    return tuple(start + place * step for place in range(count))
