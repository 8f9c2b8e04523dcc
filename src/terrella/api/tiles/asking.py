"""From the parameters of a request to what a map shows and how it is drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.encodings.palettes import palette
from terrella.errors import Invalid, NotFound, nearest_names
from terrella.extraction.tiling import View
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from terrella.model.ids import CollectionId

VALUES, PNG = "values", "png"
_FORMATS = {
    "values": VALUES,
    "application/vnd.terrella.values": VALUES,
    "png": PNG,
    "image/png": PNG,
}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MOST = 200
"""Characters of a value of an axis."""


class Parameters:
    """Those of one request, each taken once; what nobody takes names an axis. Raises Invalid for one given twice."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._given: dict[str, str] = {}
        self.known: dict[str, None] = {}
        for name, value in pairs:
            if name in self._given:
                raise Invalid(f"{name[:40]} stands in the request twice.", parameter=name[:40])
            self._given[name] = value

    def take(self, *names: str) -> str | None:
        """The value of the one of these names that was given. Raises Invalid for an empty one, and for two."""
        self.known.update(dict.fromkeys(names))
        found = [name for name in names if name in self._given]
        if len(found) > 1:
            raise Invalid(f"{found[0]} and {found[1]} mean the same: give one of them.", parameter=found[1])
        if not found:
            return None
        value = self._given.pop(found[0]).strip()
        if not value:
            raise Invalid(f"{found[0]} is empty: give it a value, or leave it out.", parameter=found[0])
        return value

    def rest(self) -> dict[str, str]:
        """What is left, values of axes by name. Raises Invalid for values that are empty or endless."""
        for name, value in self._given.items():
            if not value.strip() or len(value) > _MOST or len(name) > _MOST:
                raise Invalid(f"{name[:40]} is no value of an axis: {value[:40]!r}.", parameter=name[:40])
        return {name: value.strip() for name, value in self._given.items()}

    def finish(self) -> None:
        """Raises Invalid where something is left."""
        for name in self._given:
            raise Invalid(
                f"There is no parameter {name[:40]!r} here. {nearest_names(name[:40], self.known)}", parameter=name[:40]
            )


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a map is written: `values`, or `png` with a palette and a range of colours (None: the suggested one)."""

    form: str
    palette: str | None = None
    colours: tuple[float, float] | None = None


def drawing(given: Parameters) -> Drawing:
    """Takes `f`, `palette` and `range`. Raises Invalid."""
    form = form_of(given.take("f"))
    name, colours = given.take("palette"), given.take("range")
    if form == VALUES and (name or colours):
        word = "palette" if name else "range"
        raise Invalid(f"Values have no colours: leave {word} out, or ask for f=png.", parameter=word)
    if name is not None:
        palette(name)
    return Drawing(form, name, _range(colours) if colours else None)


def form_of(text: str | None) -> str:
    """Raises Invalid."""
    if text is None:
        return PNG
    if text.casefold() not in _FORMATS:
        raise Invalid(f"f is {VALUES} or {PNG}, not {text[:40]!r}.", parameter="f")
    return _FORMATS[text.casefold()]


def view(collection: CollectionId, given: Parameters) -> View:
    """Takes the variable, time and level, and whatever is left as other axes. Raises Invalid."""
    variable = given.take("variable", "variables") or ""
    time, level = given.take("datetime"), given.take("z", "level")
    select = tuple(sorted((name, (value,)) for name, value in given.rest().items()))
    interval = parse_interval(time) if time else None
    vertical = (number(level, "z"),) if level else None
    return View(collection, variable, interval, vertical, select)


def number(text: str, parameter: str) -> float:
    """A finite decimal number. Raises Invalid."""
    value = float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise Invalid(f"{parameter} takes a number, and {text[:40]!r} is none.", parameter=parameter)
    return value


def _range(text: str) -> tuple[float, float]:
    parts = text.split(",")
    if len(parts) != 2:
        raise Invalid(f"range is two numbers, LOW,HIGH, not {text[:60]!r}.", parameter="range")
    low, high = (number(part, "range") for part in parts)
    if not low < high:
        raise Invalid(f"range is LOW,HIGH with LOW below HIGH, not {text[:60]!r}.", parameter="range")
    return low, high


def place(text: str, parameter: str) -> int:
    """A zoom, row or column of the path. Raises NotFound."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise NotFound(f"{parameter} is a whole number from 0 on, not {text[:40]!r}.", parameter=parameter)
    return int(text)


def size(text: str | None, parameter: str, most: int, unit: str = "pixels") -> int | None:
    """How many along one side. Raises Invalid."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise Invalid(f"{parameter} is from 1 to {most} {unit}, not {text[:40]!r}.", parameter=parameter)
    return int(text)


def box(text: str) -> tuple[float, float, float, float]:
    """west, south, east, north of CRS84; east below west crosses the antimeridian. Raises Invalid."""
    parts = text.split(",")
    if len(parts) != 4:
        raise Invalid(f"bbox is west,south,east,north in degrees, not {text[:60]!r}.", parameter="bbox")
    west, south, east, north = (number(part, "bbox") for part in parts)
    east = east + 360.0 if east < west else east
    if not (-90 <= south < north <= 90 and -360 <= west < east <= 540 and east - west <= 360):
        raise Invalid(
            f"bbox is west,south,east,north in degrees, south below north, not {text[:60]!r}.", parameter="bbox"
        )
    return west, south, east, north
