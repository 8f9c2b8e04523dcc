"""The part of OData 4 that asks for pages of small lists: $filter, $orderby, $top, $skip, $count, $expand, $select.

Source: OData Version 4.01, Part 2: URL Conventions, 5.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from terrella.model.stac import Document

    Test = Callable[[Document], bool]

MOST_CHARACTERS = 2000
_DEEPEST = 20
MOST_ROWS = 1000
_OPTIONS = ("$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$select", "$format")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?(?![\w-]))|(?P<mark>[(),])|(?P<word>[A-Za-z_$][\w./:+-]*))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}
_CONSTANTS = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Query:
    """What a request wants of a list whose rows have `fields`."""

    test: Test
    order: tuple[tuple[str, bool], ...]
    top: int
    skip: int
    counts: bool
    expand: frozenset[str]
    select: frozenset[str]
    only_id: int | None
    """Where the filter is nothing but ``Id eq N``."""

    def page(self, rows: Sequence[Document], *, expandable: Sequence[str] = ()) -> Document:
        """The rows that are wanted, as OData writes a list; members of `expandable` only where asked for."""
        found = [row for row in rows if self.test(row)]
        for name, descending in reversed(self.order):
            found.sort(key=lambda row: _sortable(row.get(name)), reverse=descending)
        hidden = set(expandable) - self.expand
        shown = [self._shown(row, hidden) for row in found[self.skip : self.skip + self.top]]
        return ({"@odata.count": len(found)} if self.counts else {}) | {"value": shown}

    def _shown(self, row: Document, hidden: set[str]) -> Document:
        wanted = self.select or frozenset(row)
        return {name: value for name, value in row.items() if name in wanted and name not in hidden}


def parse_query(given: Sequence[tuple[str, str]], fields: Sequence[str], expandable: Sequence[str] = ()) -> Query:
    """A checked query. Raises Invalid that names the option at fault."""
    said: dict[str, str] = {}
    for name, value in given:
        option = name if name.startswith("$") else f"${name}"
        if option not in _OPTIONS:
            raise Invalid(f"There is no option {name[:40]!r}. {nearest_names(option, _OPTIONS)}", parameter=name[:40])
        if len(value) > MOST_CHARACTERS or option in said:
            raise Invalid(f"{option} is said once, in at most {MOST_CHARACTERS} characters.", parameter=option)
        said[option] = value.strip()
    names = {field.lower(): field for field in fields}
    test, only = _filter(said.get("$filter", ""), names)
    return Query(
        test,
        _order(said.get("$orderby", ""), names),
        _whole(said, "$top", MOST_ROWS),
        _whole(said, "$skip", 0),
        _flag(said, "$count"),
        _names(said, "$expand", {name.lower(): name for name in expandable}),
        _names(said, "$select", names),
        only,
    )


def _filter(text: str, fields: Mapping[str, str]) -> tuple[Test, int | None]:
    if not text:
        return (lambda _: True), None
    reader = _Reader(text, fields)
    test = reader.any_of()
    reader.end()
    return test, reader.only_id()


class _Reader:
    """Recursive descent over the words of one filter."""

    def __init__(self, text: str, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self._takes("or"):
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._takes("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Invalid(f"$filter is nested more than {_DEEPEST} times.", parameter="$filter")
        try:
            if self._takes("not"):
                inner = self._one()
                return lambda row: not inner(row)
            if self._takes("("):
                inner = self.any_of()
                self._needs(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        kind, word = self._next("a field")
        if kind == "word" and word in _FUNCTIONS and self._takes("("):
            return self._function(_FUNCTIONS[word])
        field = self._field(kind, word)
        _, operator = self._next("eq, ne, gt, ge, lt or le")
        if operator not in _COMPARE:
            raise Invalid(
                f"{str(operator)[:20]!r} compares nothing: use eq, ne, gt, ge, lt or le.", parameter="$filter"
            )
        value = self._value()
        return lambda row: _compared(_COMPARE[operator], row.get(field), value)

    def _function(self, function: Callable[[str, str], bool]) -> Test:
        field = self._field(*self._next("a field"))
        self._needs(",")
        value = self._value()
        self._needs(")")
        if not isinstance(value, str):
            raise Invalid("contains, startswith and endswith take a field and a text in quotes.", parameter="$filter")
        return lambda row: isinstance(row.get(field), str) and function(row[field], value)

    def _field(self, kind: str, word: Any) -> str:
        if kind != "word" or str(word).lower() not in self._fields:
            known = nearest_names(str(word), self._fields.values())
            raise Invalid(f"There is no field {str(word)[:40]!r} here. {known}", parameter="$filter")
        return self._fields[word.lower()]

    def _value(self) -> Any:
        kind, value = self._next("a value")
        if kind == "word":
            if value not in _CONSTANTS:
                return value  # dates stand without quotes
            return _CONSTANTS[value]
        if kind == "mark":
            raise Invalid(f"A value is missing before {value!r}.", parameter="$filter")
        return value

    def _next(self, wanted: str) -> tuple[str, Any]:
        if self._at >= len(self._tokens):
            raise Invalid(f"$filter ends where {wanted} should be.", parameter="$filter")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, word: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at] in (("word", word), ("mark", word))
        self._at += taken
        return taken

    def _needs(self, mark: str) -> None:
        if not self._takes(mark):
            raise Invalid(f"$filter lacks a {mark!r}.", parameter="$filter")

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise Invalid(f"$filter goes on with {str(self._tokens[self._at][1])[:40]!r}.", parameter="$filter")

    def only_id(self) -> int | None:
        plain = [one for one in self._tokens if one[0] != "mark"]
        if (
            len(plain) == 3
            and str(plain[0][1]).lower() == "id"
            and plain[1][1] == "eq"
            and isinstance(plain[2][1], int)
        ):
            return plain[2][1]
        return None


def _tokens(text: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise Invalid(f"$filter cannot be read at {text[at:].strip()[:20]!r}.", parameter="$filter")
        kind = str(match.lastgroup)
        found.append((kind, _read(kind, match[kind])))
        at = match.end()
    return found


def _read(kind: str, text: str) -> Any:
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return float(text) if "." in text else int(text)
    return text


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    try:
        return compare(left, right)
    except TypeError:  # of different kinds, or null: neither more nor less
        return False


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def _order(text: str, fields: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
    made = []
    for part in text.split(",") if text else ():
        name, _, way = part.strip().partition(" ")
        if name.lower() not in fields or way.strip() not in ("", "asc", "desc"):
            raise Invalid(
                f"{part.strip()[:40]!r} orders nothing: write a field, then asc or desc. "
                f"{nearest_names(name, fields.values())}",
                parameter="$orderby",
            )
        made.append((fields[name.lower()], way.strip() == "desc"))
    return tuple(made)


def _whole(said: Mapping[str, str], name: str, usual: int) -> int:
    text = said.get(name, str(usual))
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Invalid(f"{name} is a whole number from 0, not {text[:20]!r}.", parameter=name)
    return min(int(text), MOST_ROWS) if name == "$top" else int(text)


def _flag(said: Mapping[str, str], name: str) -> bool:
    text = said.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid(f"{name} is true or false, not {text[:20]!r}.", parameter=name)
    return text == "true"


def _names(said: Mapping[str, str], option: str, known: Mapping[str, str]) -> frozenset[str]:
    names = [name.strip() for name in said.get(option, "").split(",") if name.strip()]
    for name in names:
        if name.lower() not in known:
            raise Invalid(f"There is no {name[:40]!r} here. {nearest_names(name, known.values())}", parameter=option)
    return frozenset(known[name.lower()] for name in names)
