"""The grid that a request states, for collections whose items have none in common."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from terrella.errors import Invalid, nearest_names

METHODS = ("nearest", "bilinear", "cubic", "average", "mode")
"""How pixels become cells."""
GROUPINGS = ("solar_day", "time")
"""Which scenes share a time."""
KEPT_WITH = "terrella:stated_grid"
"""The property of a collection's document that has its usual grid."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class StatedGrid:
    """What is left out follows from the collection, then from the scenes that meet the request.

    `crs` as pyproj takes it, or 'utm'; `resolution` (of x, of y) and `anchor` (x, y of a corner of a cell) in its
    units; `resampling` one of nearest, bilinear, cubic, average, mode; `group` 'solar_day' puts scenes of one overpass
    on one time, 'time' leaves each instant its own.
    """

    crs: str | None = None
    resolution: tuple[float, float] | None = None
    anchor: tuple[float, float] | None = None
    resampling: str | None = None
    group: str | None = None

    def over(self, usual: StatedGrid) -> StatedGrid:
        """With what is left out taken from another; sizes and corners only where the reference system is the same."""
        same = self.crs is None or self.crs == usual.crs
        return StatedGrid(
            self.crs or usual.crs,
            self.resolution or (usual.resolution if same else None),
            self.anchor or (usual.anchor if same else None),
            self.resampling or usual.resampling,
            self.group or usual.group,
        )

    def document(self) -> dict[str, Any]:
        """As it stands in a collection's document; what is left out is not there."""
        said = {word: getattr(self, word) for word in WORDS if getattr(self, word) is not None}
        return {word: list(value) if isinstance(value, tuple) else value for word, value in said.items()}


WORDS = tuple(one.name for one in fields(StatedGrid))
"""Words that state a grid."""


def stated_grid(given: Mapping[str, Any], names: Mapping[str, str] | None = None) -> StatedGrid | None:
    """Of words with values as Python or as text has them; None where no word is given.

    `names` are other spellings, for the words of errors. Raises Invalid for unknown words and wrong values.
    """
    said = names or {}
    for word in given:
        if word not in WORDS:
            raise Invalid(f"{word!r:.60} states no grid. {nearest_names(word[:60], WORDS)}", parameter=word[:60])
    known = {word: value for word, value in given.items() if value is not None}
    if not known:
        return None
    made: dict[str, Any] = {
        word: (_pair if word in ("resolution", "anchor") else _text)(value, said.get(word, word))
        for word, value in known.items()
    }
    return StatedGrid(**made)


def parse_stated(text: str) -> StatedGrid:
    """Of text like ``crs=EPSG:3035;resolution=20;resampling=bilinear``. Raises Invalid naming the word at fault."""
    given: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        word, sign, value = (one.strip() for one in part.partition("="))
        if not sign or word in given:
            raise Invalid(f"A grid is WORD=VALUE;WORD=VALUE, each word once, not {part!r:.60}.", parameter="grid")
        given[word] = value
    for word, allowed in (("resampling", METHODS), ("group", GROUPINGS)):
        if word in given and given[word] not in allowed:
            raise Invalid(f"{word} is one of {', '.join(allowed)}, not {given[word]!r:.60}.", parameter=word)
    made = stated_grid(given)
    if made is None:
        raise Invalid("A grid needs words: crs=EPSG:3035;resolution=20.", parameter="grid")
    return made


def _text(value: Any, parameter: str) -> str:
    text = str(value).strip()
    if not text:
        raise Invalid(f"{parameter} is empty: give it a value, or leave it out.", parameter=parameter)
    return text


def _pair(value: Any, parameter: str) -> tuple[float, float]:
    """One number twice, or two."""
    parts: Iterable[Any] = value.split(",") if isinstance(value, str) else value
    if isinstance(value, int | float):
        parts = (value,)
    try:
        numbers = [_number(one) for one in parts]
    except (TypeError, ValueError):
        numbers = []
    if parameter != "anchor" and len(numbers) == 1:
        numbers *= 2
    is_size = parameter != "anchor"
    if len(numbers) != 2 or not all(math.isfinite(one) and (one > 0 or not is_size) for one in numbers):
        raise Invalid(_wrong(value, parameter), parameter=parameter)
    return numbers[0], numbers[1]


def _number(value: Any) -> float:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError(value)
    return float(value)


def _wrong(value: Any, parameter: str) -> str:
    if parameter == "anchor":
        return f"An anchor is x and y of a corner of a cell, in units of the CRS, not {value!r:.60}."
    return f"A resolution is one positive number, or two for x and y, in units of the CRS, not {value!r:.60}."
