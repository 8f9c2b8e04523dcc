"""Names that filters and sort keys may use, and what SQL gives their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from terrella.errors import Invalid, nearest_names
from terrella.providers.lake.schema import Sql, property_path, property_paths, property_value

if TYPE_CHECKING:
    from terrella.providers.lake.sight import Sight

COMMON: dict[str, frozenset[str]] = {
    "title": frozenset({"string"}),
    "description": frozenset({"string"}),
    "keywords": frozenset({"array"}),
    "created": frozenset({"string"}),
    "updated": frozenset({"string"}),
    "start_datetime": frozenset({"string"}),
    "end_datetime": frozenset({"string"}),
    "license": frozenset({"string"}),
    "platform": frozenset({"string"}),
    "constellation": frozenset({"string"}),
    "mission": frozenset({"string"}),
    "instruments": frozenset({"array"}),
    "gsd": frozenset({"number"}),
    "eo:cloud_cover": frozenset({"number"}),
}
"""Common metadata of STAC (and cloud cover, which every client's examples use): known before any item has them."""

INSTANT = frozenset({"instant"})
STRING = frozenset({"string"})
GEOMETRY = frozenset({"geometry"})


@dataclass(frozen=True, slots=True)
class Field:
    """What a name stands for. `types` are JSON's, or 'instant' or 'geometry'; empty when anything may occur."""

    value: Sql
    types: frozenset[str] = frozenset()
    span: tuple[Sql, Sql] | None = None
    """First and last microsecond, where it is a time."""


class Fields(Protocol):
    """Finds fields by name."""

    def field(self, name: str) -> Field:
        """Raises Invalid for a name that nothing has, with the nearest that there are."""
        ...


_ITEM_COLUMNS = {
    "id": Field(Sql("i.id"), STRING),
    "collection": Field(Sql("i.collection"), STRING),
    "geometry": Field(Sql("i.west"), GEOMETRY),
    "datetime": Field(Sql("i.t"), INSTANT, (Sql("i.t_start"), Sql("i.t_end"))),
}


class ItemFields:
    """Of items: columns, and properties that some item has which may be found."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def field(self, name: str) -> Field:
        name = name.removeprefix("properties.")
        column = _ITEM_COLUMNS.get(name)
        if column is not None:
            return column
        seen = self._sight.property_types(name)
        if (seen is None and name not in COMMON) or '"' in name:
            known = {*self._sight.property_names(), *COMMON, *_ITEM_COLUMNS}
            raise _unknown(name, known - {name})
        types = frozenset() if seen is not None and not seen else COMMON.get(name, frozenset()) | (seen or set())
        if name == "eo:cloud_cover":
            return Field(Sql("i.cloud"), types)
        return Field(self._value(name), types)

    def value(self, name: str) -> Sql:
        """To sort by. Raises Invalid."""
        return _sortable(self, name)

    def _value(self, name: str) -> Sql:
        """A dot is part of a name, or leads into an object: 'a.b' is tried as one name first."""
        whole, *others = map(property_value, property_paths(name))
        if not others:
            return whole
        inner = others[0]
        return Sql(f"coalesce({whole.text}, {inner.text})", (*whole.values, *inner.values), dear=True)


def _unknown(name: str, known: set[str]) -> Invalid:
    return Invalid(f"No item has a property {name!r:.80}. {nearest_names(name, known)}", parameter="filter")


def _sortable(fields: Fields, name: str) -> Sql:
    try:
        field = fields.field(name)
    except Invalid as error:
        raise Invalid(error.message, parameter="sortby") from None
    if field.types == GEOMETRY:
        raise Invalid("There is no order of geometries to sort by.", parameter="sortby")
    return field.value


_COLLECTION_COLUMNS = {
    "id": Field(Sql("c.id"), STRING),
    "collection": Field(Sql("c.id"), STRING),
    "geometry": Field(Sql("c.west"), GEOMETRY),
    "datetime": Field(Sql("c.t_start"), INSTANT, (Sql("c.t_start"), Sql("c.t_end"))),
}
_COLLECTION_MEMBERS = {
    "title": STRING,
    "description": STRING,
    "license": STRING,
    "type": STRING,
    "keywords": frozenset({"array"}),
    "created": STRING,
    "updated": STRING,
}


class CollectionFields:
    """Of collections: columns, and members of the document, or of its summaries or item assets by their path."""

    def field(self, name: str) -> Field:
        name = name.removeprefix("properties.")
        if name in _COLLECTION_COLUMNS:
            return _COLLECTION_COLUMNS[name]
        path = name.split(".")
        if '"' in name or (path[0] not in _COLLECTION_MEMBERS and path[0] != "summaries" and ":" not in path[0]):
            known = {*_COLLECTION_COLUMNS, *_COLLECTION_MEMBERS, "summaries.platform"}
            raise Invalid(
                f"Collections have no property {name!r:.80}. {nearest_names(name, known)}", parameter="filter"
            )
        return Field(Sql("(c.doc ->> ?)", (property_path(path),)), _COLLECTION_MEMBERS.get(name, frozenset()))

    def value(self, name: str) -> Sql:
        """To sort by. Raises Invalid."""
        return _sortable(self, name)
