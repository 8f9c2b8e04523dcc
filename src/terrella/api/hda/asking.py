"""What a search of this dialect asks: a STAC search, and words of MARS among its conditions."""
# no `from __future__ import annotations`: FastAPI reads these annotations at run time

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from terrella.api.hda.documents import STATED
from terrella.api.searching.parsing import json_of, search_of
from terrella.errors import Invalid
from terrella.model.search import Search
from terrella.model.stac import Document

ITEMS_A_PAGE = 20
MARS = "ecmwf:"
"""Before the names of properties that are words of MARS."""
_TWO_DATES = re.compile(r"\A(\d{4}-?\d\d-?\d\d)/(\d{4}-?\d\d-?\d\d)\Z", re.ASCII)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SortMember(_Body):
    """One sort key of a body."""

    field: str
    direction: Literal["asc", "desc"] = "asc"


class SearchBody(_Body):
    """POST /search."""

    collections: list[str] | str | None = Field(None, description="Collection ids.")
    ids: list[str] | str | None = Field(None, description="Item ids, those of orders too.")
    bbox: list[float] | None = Field(None, description="[west, south, east, north] in degrees.")
    intersects: dict[str, Any] | None = Field(None, description="GeoJSON geometry, longitude first.")
    datetime: str | None = Field(None, description="RFC 3339 instant or interval.")
    query: dict[str, Any] | None = Field(
        None,
        description='Conditions on properties, as {"eo:cloud_cover": {"lt": 10}}; with words of MARS, as '
        '{"ecmwf:param": {"eq": "167"}}, the answer is what may be ordered.',
    )
    filter_expr: dict[str, Any] | bool | str | None = Field(None, alias="filter", description="CQL2.")
    filter_lang: Literal["cql2-json", "cql2-text"] | None = Field(None, alias="filter-lang")
    filter_crs: str | None = Field(None, alias="filter-crs")
    sortby: list[SortMember] | None = Field(None, description="Sort keys, most important first.")
    limit: int | None = Field(None, ge=1, description="Most to return; 20 when nothing is said.")
    token: str | None = Field(None, description="Of a page.")


@dataclass(frozen=True, slots=True)
class Asked:
    """`search` without what follows; `words` of MARS, none for a search of files; whether anything here can match."""

    search: Search
    words: Document
    is_here: bool
    datetime: str | None


def asked(given: dict[str, Any], *, collection: str | None = None) -> Asked:
    """From parameters or members by name. Raises Invalid."""
    query = given.get("query")
    conditions = json_of(query, "query") if isinstance(query, str) and query else query or {}
    if not isinstance(conditions, dict):
        raise Invalid('A query is an object of properties, as {"ecmwf:param": {"eq": "167"}}.', parameter="query")
    words = {_key(name): _said(name, one) for name, one in conditions.items() if _is_mars(name)}
    rest = {name: one for name, one in conditions.items() if not _is_mars(name)}
    limit = given.get("limit") or ITEMS_A_PAGE
    search = search_of({**given, "query": rest or None, "limit": limit}, collection=collection)
    kept, is_here = [], True
    for part in _parts(search.filter):
        name, values = _equality(part)
        if name is not None and _is_mars(name):
            if _key(name) in words:
                raise Invalid(f"{name} is said twice: in query and in filter.", parameter="filter")
            value = values[0] if len(values) == 1 else values
            words[_key(name)] = period(value) if _key(name) == "date" else value
        elif name in STATED:
            is_here = is_here and any(value in _listed(STATED[name]) for value in values)
        else:
            _check_plain(part)
            kept.append(part)
    made = {"op": "and", "args": kept} if len(kept) > 1 else next(iter(kept), None)
    return Asked(replace(search, filter=made), words, is_here, given.get("datetime"))


def _is_mars(name: str) -> bool:
    return name.removeprefix("properties.").startswith(MARS)


def _key(name: str) -> str:
    return name.removeprefix("properties.").removeprefix(MARS)


def _said(name: str, condition: Any) -> Any:
    """The value that a word of MARS shall have: text, number, list, or the object of a feature."""
    if isinstance(condition, dict) and len(condition) == 1:
        operator, value = next(iter(condition.items()))
        if operator in ("eq", "in") and value is not None:
            return period(_plain(value)) if _key(name) == "date" else _plain(value)
    raise Invalid(f'{name:.60} takes a value, or several: {{"eq": "a"}} or {{"in": ["a", "b"]}}.', parameter="query")


def _plain(value: Any) -> Any:
    """Lists that came as text, as some clients write them: "[0, 6]" and "['a', 'b']"."""
    if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]":
        parts = [part.strip().strip("'\"") for part in value[1:-1].split(",")]
        return parts if all(parts) else value
    return value


def period(value: Any) -> Any:
    """Two dates with a slash between are the ends of a period to eodag, where MARS would have listed them."""
    return _TWO_DATES.sub(r"\1/to/\2", value) if isinstance(value, str) else value


def _parts(filter_: Any) -> Iterator[Any]:
    """Conditions that all must hold."""
    if isinstance(filter_, dict) and filter_.get("op") == "and":
        for one in filter_["args"]:
            yield from _parts(one)
    elif filter_ is not None:
        yield filter_


def _equality(part: Any) -> tuple[str | None, list[Any]]:
    """Property and the values it may have, where the condition says just that."""
    if isinstance(part, dict) and part.get("op") in ("=", "in") and isinstance(part["args"][0], dict):
        name, value = part["args"][0].get("property"), part["args"][1]
        if isinstance(name, str) and not isinstance(value, dict):
            return name, _listed(value)
    return None, []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_plain(part: Any) -> None:
    """Words of MARS and what we state of every item stand for themselves: no other condition knows them."""
    for name in _names(part):
        if _is_mars(name) or name in STATED:
            raise Invalid(
                f"{name:.60} can only be compared by = or in, and joined to the rest by and.", parameter="filter"
            )


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("property"), str):
            yield node["property"]
        for value in node.values():
            yield from _names(value)
    elif isinstance(node, list):
        for one in node:
            yield from _names(one)
