"""From the parameters of a request to a question about collections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from terrella.api.searching.parsing import collection_search_of
from terrella.errors import Invalid, nearest_names
from terrella.model.discovery import FACETS, SORTS, Discovering
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable

USUAL, MOST = 24, 200
"""Collections on a page."""
_MOST_VALUES, _LONGEST = 100, 200
_ONE_BY_ONE = ("provider", "license")
"""Facets whose values have commas: several are given as several parameters."""
_SINGLE = ("q", "bbox", "datetime", "sort", "limit", "token", "f")


def discovering(pairs: Iterable[tuple[str, str]]) -> Discovering:
    """The question. Raises Invalid for what is unknown, stands twice, is empty or too much."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in (*_SINGLE, *FACETS):
            known = (*_SINGLE, *FACETS)
            raise Invalid(
                f"There is no parameter {name[:40]!r} here. {nearest_names(name[:40], known)}", parameter=name[:40]
            )
        if name in given and name in _SINGLE:
            raise Invalid(f"{name} stands in the request twice.", parameter=name)
        given.setdefault(name, []).append(value.strip())
    one = {name: values[0] for name, values in given.items() if name in _SINGLE}
    _check_form(one.get("f"))
    found = collection_search_of({"q": one.get("q"), "bbox": one.get("bbox")}, limit=USUAL)
    return Discovering(
        bbox=found.bbox,
        interval=parse_interval(one["datetime"]) if one.get("datetime") else None,
        text=found.text,
        facets={name: _values(name, given[name]) for name in FACETS if name in given},
        sort=_sort(one.get("sort") or ""),
        limit=_limit(one.get("limit")),
        token=one.get("token") or None,
    )


def _values(facet: str, given: list[str]) -> tuple[str, ...]:
    parts = given if facet in _ONE_BY_ONE else [part.strip() for text in given for part in text.split(",")]
    if not all(parts) or any(len(part) > _LONGEST for part in parts):
        raise Invalid(
            f"{facet} has an empty value, or one of more than {_LONGEST} characters: leave it out.", parameter=facet
        )
    if len(parts) > _MOST_VALUES:
        raise Invalid(f"{facet} takes at most {_MOST_VALUES} values.", parameter=facet)
    return tuple(dict.fromkeys(parts))


def _sort(text: str) -> str:
    if text.removeprefix("-") not in ("", *SORTS) or text in ("-", "-relevance"):
        raise Invalid(
            f"sort is one of {', '.join(SORTS)}, with - in front to turn it round, not {text[:40]!r}.", parameter="sort"
        )
    return text


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MOST:
        raise Invalid(f"limit is a whole number from 1 to {MOST}, not {text[:40]!r}.", parameter="limit")
    return int(text)


def _check_form(text: str | None) -> None:
    if text is not None and text.casefold() not in ("json", "application/json"):
        raise Invalid(f"This is answered as f=json, not as {text[:40]!r}.", parameter="f")
