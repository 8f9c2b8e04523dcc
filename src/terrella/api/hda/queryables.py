"""What a search may name, as a JSON Schema whose values narrow as others are given: the form of a valid request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.api.hda.asking import MARS, period
from terrella.errors import Invalid, nearest_names
from terrella.extraction.mars.choosing import periods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from terrella.model.stac import Document
    from terrella.site.mars.offering import Offer

_ALWAYS = frozenset({"collections", "datetime", "bbox", "intersects", "geometry", "start_datetime", "end_datetime"})
"""May be given, and narrow nothing."""
_TITLES = {
    "param": "Parameter, by id or short name",
    "levtype": "Type of level: sfc, pl, ml, sol, hl ...",
    "levelist": "Level; pressure in hPa",
    "date": "Dates that there are; ask for one, a period a/to/b, or a list",
    "time": "Time of day as HHMM, in UTC; of forecasts, of their start",
    "step": "Step of the forecast in hours",
    "number": "Ensemble member",
    "stream": "Stream",
    "type": "Type of field: an, fc, pf ...",
    "class": "Class",
    "expver": "Version of the experiment",
}
_MOST_TITLES = 12
_MOST_PERIODS = 100


def words_of(given: Iterable[tuple[str, str]], known: Mapping[str, Any]) -> Document:
    """Words of MARS among query parameters, several values of one as a list; `known` are other properties.

    Raises Invalid for a name that means nothing here.
    """
    words: dict[str, list[str]] = {}
    for name, value in given:
        if name.startswith(MARS):
            words.setdefault(name.removeprefix(MARS), []).extend(part for part in value.split(",") if part)
        elif name not in _ALWAYS and name not in known:
            names = [*known, *(f"{MARS}{word}" for word in _TITLES)]
            raise Invalid(f"There is no parameter {name!r:.80} here. {nearest_names(name, names)}", parameter=name[:80])
    found = {name: values[0] if len(values) == 1 else values for name, values in words.items() if values}
    return {name: period(value) if name == "date" else value for name, value in found.items()}


def schema(found: Document, offer: Offer, words: Document, address: str) -> Document:
    """The catalogue's own queryables and what is on offer in MARS words."""
    # how a file is made is no property that anybody orders by
    own = found.get("properties") or {}
    properties = {name: about for name, about in own.items() if not name.startswith("cube:")}
    for key, values in offer.values.items():
        properties[f"{MARS}{key}"] = _property(key, values, words, offer)
    return {
        **found,
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": address,
        "type": "object",
        "properties": properties,
        "additionalProperties": bool(offer.values) or found.get("additionalProperties", True),
    }


def _property(key: str, values: list[str], words: Document, offer: Offer) -> Document:
    made: Document = {"type": "string", "title": key, "description": _TITLES.get(key, key)}
    if key == "date":  # of thousands: as periods, which eodag takes for what lies in them
        values = [f"{_dashed(first)}/to/{_dashed(last)}" for first, last in periods(values)][:_MOST_PERIODS]
    made["enum"] = values
    if len(values) == 1 and key != "date":
        made["const"] = values[0]
    if key == "param":
        shown = [f"{value}: {offer.titles[value]}" for value in values[:_MOST_TITLES] if offer.titles.get(value)]
        made["description"] += f" ({'; '.join(shown)}{' ...' if len(values) > _MOST_TITLES else ''})" if shown else ""
    said = words.get(key)
    if isinstance(said, str) and said in values:
        made["default"] = said
    return made


def _dashed(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
