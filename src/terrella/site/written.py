"""An `Extraction` as JSON and back, so that a job can keep it: exact, and only our own words come back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid
from terrella.model import extraction, reduction, space, stated, time

if TYPE_CHECKING:
    from terrella.model.extraction import Extraction
    from terrella.model.stac import Document

_IS = "is"
_WORDS: dict[str, type] = {
    name: value
    for module in (extraction, reduction, space, stated, time)
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}


def written(request: Extraction) -> Document:
    """A request as JSON. Raises Invalid for values that JSON does not have."""
    made: Document = _written(request)
    return made


def read(document: Document) -> Extraction:
    """The request again. Raises Invalid."""
    try:
        made = _read(document)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"This is no extraction: {error!s:.200}.", parameter="extraction") from error
    if not isinstance(made, extraction.Extraction):
        raise Invalid("This is no extraction.", parameter="extraction")
    return made


def _written(value: Any) -> Any:
    if isinstance(value, space.LonLat):
        return {_IS: "LonLat", "lon": value.lon, "lat": value.lat}
    if is_dataclass(value):
        return {_IS: type(value).__name__} | {one.name: _written(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {_IS: "dict", "of": [[name, _written(inner)] for name, inner in value.items()]}
    if isinstance(value, list):
        return {_IS: "list", "of": [_written(inner) for inner in value]}
    if isinstance(value, tuple):
        return [_written(inner) for inner in value]
    if value is None or isinstance(value, str | int | float):
        return value
    if hasattr(value, "item"):  # a number of numpy
        return value.item()
    raise Invalid(f"{type(value).__name__} cannot be kept in a job.", parameter="extraction")


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(inner) for inner in value)
    if not isinstance(value, dict):
        return value
    kind = value[_IS]
    if kind == "dict":
        return {name: _read(inner) for name, inner in value["of"]}
    if kind == "list":
        return [_read(inner) for inner in value["of"]]
    return _WORDS[kind](**{name: _read(inner) for name, inner in value.items() if name != _IS})
