"""Order and pages: the place of the last row is the token of the next page, so no page is ever counted to."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import orjson

from terrella.errors import Invalid
from terrella.providers.lake.schema import Sql, joined

_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Term:
    """One expression to sort by, never of unequal order for equal rows; NULL may occur only with `nulls`."""

    expression: Sql
    descending: bool = False

    def reversed(self) -> Term:
        return replace(self, descending=not self.descending)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after (or, backward, before) the row with these values of the terms."""

    values: tuple[Any, ...]
    backward: bool = False
    matched: int | None = None
    """How many match in all, as the first page counted them."""


def order_by(terms: tuple[Term, ...]) -> Sql:
    """The ORDER BY list."""
    parts = [
        Sql(f"{term.expression.text} {'desc' if term.descending else 'asc'}", term.expression.values) for term in terms
    ]
    return Sql(", ".join(part.text for part in parts), tuple(value for part in parts for value in part.values))


def beyond(terms: tuple[Term, ...], values: tuple[Any, ...]) -> Sql:
    """Rows that come after a row with these values, in the order of the terms.

    (a > x) or (a = x and ((b > y) or (b = y and ...))), with the bound on the first term said once more by itself,
    so that an index can start there.
    """
    term, value = terms[0], values[0]
    after = _after(term, value)
    if len(terms) == 1:
        return after
    rest = beyond(terms[1:], values[1:])
    same = Sql(f"{term.expression.text} is ?", (*term.expression.values, value))
    return joined("or", [after, joined("and", [same, rest])])


def from_first(term: Term, value: Any) -> Sql:
    """The bound on the first term alone."""
    sign = "<=" if term.descending else ">="
    return Sql(f"{term.expression.text} {sign} ?", (*term.expression.values, value), term.expression.dear)


def _after(term: Term, value: Any) -> Sql:
    sign = "<" if term.descending else ">"
    return Sql(f"{term.expression.text} {sign} ?", (*term.expression.values, value), term.expression.dear)


def token(place: Place, order: Sql) -> str:
    """A place as text that may stand in a URL."""
    body = orjson.dumps([_mark(order), place.backward, place.matched, *place.values])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def place_of(text: str, order: Sql, terms: int) -> Place:
    """The place that a token names. Raises Invalid when it is none of this search's order."""
    wrong = Invalid(
        "That page token is not one of this search: take it from the links of the page before and keep its order.",
        parameter="token",
    )
    if len(text) > _LONGEST:
        raise wrong
    try:
        found = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise wrong from None
    if not isinstance(found, list) or len(found) != terms + 3 or found[0] != _mark(order):
        raise wrong
    _, backward, matched, *values = found
    if not isinstance(backward, bool) or not (matched is None or type(matched) is int) or not all(map(_plain, values)):
        raise wrong
    return Place(tuple(values), backward, matched)


def _plain(value: Any) -> bool:
    """Whether SQLite can bind it."""
    return value is None or isinstance(value, str | float) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _mark(order: Sql) -> int:
    return crc32(repr((order.text, order.values)).encode())
