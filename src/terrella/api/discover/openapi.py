"""How the route describes itself."""

from __future__ import annotations

from typing import Any

from terrella.api.discover.asking import MOST, USUAL
from terrella.catalog.cards import RESOLUTIONS
from terrella.catalog.themes import THEMES
from terrella.model.discovery import ACCESS, HAS, SORTS

Json = dict[str, Any]
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


def _query(name: str, said: str, schema: Json, example: Any = None) -> Json:
    made: Json = {"name": name, "in": "query", "required": False, "description": said, "schema": schema}
    return made | ({"example": example} if example is not None else {})


def _several(name: str, said: str, values: Json, example: list[str], *, explode: bool = False) -> Json:
    schema = {"type": "array", "items": values, "minItems": 1, "maxItems": 100}
    return _query(name, said, schema, example) | {"style": "form", "explode": explode}


_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^,\s]+$"}
_FREE: Json = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"}
_PARAMETERS = [
    _query(
        "q",
        "Free text as of STAC: words that all occur; commas mean or, quotes a phrase.",
        {"type": "string"},
        "sea ice",
    ),
    _query(
        "bbox",
        "Only what meets this box: west,south,east,north in CRS84; west > east crosses the antimeridian.",
        {"type": "string", "pattern": rf"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$"},
        "-10,40,10,60",
    ),
    _query("datetime", "Only what meets this time: an instant, a date or start/end.", {"type": "string"}, "2019/2020"),
    _several("theme", f"Any of these themes. Ours are {', '.join(THEMES)}; catalogues have others.", _TEXT, ["ocean"]),
    _several(
        "variable",
        "Any of these variables: by CF standard name, or a name such as 2t that everybody knows them by.",
        _TEXT,
        ["air_temperature"],
    ),
    _several(
        "provider", "Any of these providers, each as a parameter of its own.", _FREE, ["Met Office"], explode=True
    ),
    _several("license", "Any of these licences, each as a parameter of its own.", _FREE, ["CC-BY-4.0"], explode=True),
    _several(
        "resolution", "Any of these sizes of cells.", {"type": "string", "enum": list(RESOLUTIONS)}, ["10km-50km"]
    ),
    _several(
        "access",
        "Open to the caller now; open to whoever has an account; on request.",
        {"type": "string", "enum": list(ACCESS)},
        ["open"],
    ),
    _several("has", "Any of: values to cut out, images, files.", {"type": "string", "enum": list(HAS)}, ["cube"]),
    _query(
        "sort",
        "By what, with - in front the other way round; usually by relevance where there is a text, else by title.",
        {"type": "string", "enum": [*SORTS, *(f"-{one}" for one in SORTS[1:])]},
        "-updated",
    ),
    _query(
        "limit", "Most collections on a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, 24
    ),
    _query("token", "Where the page starts: `next` of the page before.", {"type": "string", "minLength": 1}),
    _query("f", "`json`.", {"type": "string", "enum": ["json", "application/json"]}, "json"),
]
_VALUE: Json = {
    "type": "object",
    "required": ["value", "title", "count"],
    "properties": {
        "value": {"type": "string"},
        "title": {"type": "string"},
        "count": {"type": "integer"},
        "chosen": {"type": "boolean"},
    },
}
_ANSWER: Json = {
    "type": "object",
    "required": ["matched", "returned", "collections", "next", "span", "partial", "sources"],
    "properties": {
        "matched": {"type": "integer"},
        "returned": {"type": "integer"},
        "collections": {"type": "array", "items": {"type": "object", "required": ["id", "title", "access", "links"]}},
        "facets": {
            "type": "object",
            "description": "On first pages: values, counted with all other facets applied.",
            "additionalProperties": {
                "type": "object",
                "required": ["values", "more"],
                "properties": {"values": {"type": "array", "items": _VALUE}, "more": {"type": "integer"}},
            },
        },
        "next": {"type": ["string", "null"], "description": "Token of the next page."},
        "span": {"type": "array", "description": "From when to when all collections that may be found are."},
        "partial": {"type": "boolean", "description": "Whether a source did not answer: see `sources`."},
        "sources": {"type": "array", "items": {"type": "object", "required": ["provider", "state", "matched"]}},
    },
}
DISCOVER: Json = {
    "summary": "Find collections: cards, facets with counts, and who answered",
    "openapi_extra": {"parameters": _PARAMETERS},
    "responses": {200: {"description": "As asked.", "content": {"application/json": {"schema": _ANSWER}}}},
}
