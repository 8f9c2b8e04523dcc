"""What is looked at, in plain words: which data, when, at what height, of which shape, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from terrella.cubes.scenes.expressions import listed_names
from terrella.errors import Invalid
from terrella.model.extraction import Span
from terrella.model.ids import collection_id
from terrella.model.stated import WORDS as GRID_WORDS
from terrella.site.connecting.views.shapes import Asked, Shaped, shaped
from terrella.site.requests import extraction_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.model.extraction import Extraction
    from terrella.model.ids import CollectionId

MOST_TEXT = 1_000_000
"""Characters of one value."""
MOST_AXES = 20
_VARIABLES = ("variables", "variable", "parameter-name", "parameter_names")
_SHAPES = ("shape", "coords", "bbox", "region", "circle")
_DRAWN = ("palette", "range")
"""How a map is coloured, as map tiles take it."""
_EDR_GRID = {"crs": "grid-crs"}
"""Words that state a grid, as EDR calls them where that is otherwise."""


@dataclass(frozen=True, eq=False)
class Question:
    """One question in the words of Python and of EDR; both mean `request`."""

    collection: CollectionId
    shape: Shaped
    words: dict[str, Any]
    """As `Site.extract` takes them, without the shape."""
    edr: dict[str, str]
    """As EDR takes them, without the shape and the format."""
    request: Extraction
    form: str = ""
    """The format that is wanted, as `f` names it; '' for the one that suits."""
    drawn: dict[str, str] = field(default_factory=dict)

    @property
    def is_map(self) -> bool:
        """Whether all of the collection's cells are looked at, at once."""
        return self.shape.kind == Asked.MAP


def question_of(given: Mapping[str, Any]) -> Question:
    """The question that these words ask: those of EDR (`parameter-name`, `datetime`, `z`, `coords`, `bbox`, `region`,

    `reduce`, `cells`, `f`), `collection`, `palette` and `range`; `shape` as GeoJSON; all else names axes, also in
    `axes`. Raises Invalid naming the word at fault.
    """
    left = _flat(given)
    collection = collection_id(str(left.pop("collection", "") or _missing("collection")))
    names = _names(left)
    shape = shaped({name: left.pop(name, None) for name in _SHAPES})
    drawn = {name: _text(name, left.pop(name)) for name in _DRAWN if name in left}
    form = _text("f", left.pop("f")) if "f" in left else ""
    words: dict[str, Any] = {}
    edr: dict[str, str] = {}
    if names:
        words["variables"], edr["parameter-name"] = list(names), ",".join(names)
    for name, word, made in (
        ("datetime", "time", str),
        ("z", "level", _level),
        ("reduce", "reduce", str),
        ("cells", "cells", str),
    ):
        if name in left:
            edr[name] = _text(name, left.pop(name))
            words[word] = made(edr[name])
    for name in GRID_WORDS:
        for said in {_EDR_GRID.get(name, name), name}:
            if said in left:
                words[name] = edr[_EDR_GRID.get(name, name)] = _text(said, left.pop(said))
    if len(left) > MOST_AXES:
        raise Invalid(f"A view names at most {MOST_AXES} axes.", parameter="axes")
    for name, value in left.items():
        edr[name] = _text(name, value)
        words[name] = [part.strip() for part in edr[name].split(",")]
    request = extraction_from(collection, words | shape.words)
    return Question(collection, shape, words, edr, request, form, drawn)


def _missing(name: str) -> str:
    raise Invalid(f"{name} is missing: say what is looked at.", parameter=name)


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """One level of words: what stands in `axes` beside the others; what is empty is left out. Raises Invalid."""
    axes = given.get("axes") or {}
    if not isinstance(axes, dict):
        raise Invalid('axes is an object from the name of an axis to a value, such as {"number": 0}.', parameter="axes")
    made = {str(name): value for name, value in given.items() if name != "axes"}
    if twice := made.keys() & axes.keys():
        name = min(twice)
        raise Invalid(f"{name[:40]!r} stands in the question twice.", parameter=name[:40])
    return {name: value for name, value in (made | axes).items() if value not in (None, "", [], {})}


def _names(left: dict[str, Any]) -> tuple[str, ...]:
    said = [name for name in _VARIABLES if name in left]
    if len(said) > 1:
        raise Invalid(f"{said[0]} and {said[1]} mean the same: give one of them.", parameter=said[1])
    if not said:
        return ()
    value = left.pop(said[0])
    text = ",".join(map(str, value)) if isinstance(value, list) else _text(said[0], value)
    return tuple(listed_names(text, said[0]))


def _text(name: str, value: Any) -> str:
    """A value as EDR writes it. Raises Invalid."""
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ",".join(_text(name, one) for one in value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid(f"{name[:40]} is a text, a number or a list of these.", parameter=name[:40])
    made = value.strip() if isinstance(value, str) else orjson.dumps(value).decode()
    if not made or len(made) > MOST_TEXT or not made.isprintable():
        raise Invalid(f"{name[:40]} is empty, too long, or has letters that cannot be shown.", parameter=name[:40])
    return made


def _level(text: str) -> Any:
    """A level, several, or a range low/high. Raises Invalid."""
    try:
        if "/" in text:
            low, high = text.split("/")
            return Span(*(None if end.strip() in ("", "..") else float(end) for end in (low, high)))
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise Invalid(
            f"z takes a level, several a,b,c or a range low/high, not {text[:60]!r}.", parameter="z"
        ) from None
