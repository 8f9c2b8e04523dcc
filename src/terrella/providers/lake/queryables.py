"""What to filter by: a JSON Schema made from what was seen in items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.providers.lake import properties
from terrella.providers.lake.properties import Facts
from terrella.providers.lake.registering import no_collection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.stac import Document
    from terrella.providers.lake.sight import Look, Sight
    from terrella.storage.database import Database

_ALWAYS: dict[str, Any] = {
    "id": {"description": "Item id", "type": "string"},
    "collection": {"description": "Collection id", "type": "string"},
    "geometry": {"description": "Where it is", "$ref": "https://geojson.org/schema/Geometry.json"},
    "datetime": {"description": "When it is", "type": "string", "format": "date-time"},
}
_TIMES = frozenset({"created", "updated", "start_datetime", "end_datetime", "published", "expires"})


def queryables(database: Database, look: Look, collections: Sequence[str]) -> Document:
    """Properties seen in items of all these collections (of none: in any item) that may be found. Raises NotFound."""
    with database.reading() as connection:
        sight = look(connection)
        for name in collections:
            if not sight.holds(name):
                raise no_collection(name, sight.names())
        found = _known(sight, collections)
    wanted = len(set(collections))
    made = {name: _schema(name, facts) for name, facts in sorted(found.items()) if len(facts) >= wanted}
    title = f"Queryables of {collections[0]}" if len(collections) == 1 else "Queryables"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "title": title,
        "properties": {**made, **_ALWAYS},
        "additionalProperties": False,
    }


def _known(sight: Sight, collections: Sequence[str]) -> dict[str, list[Facts]]:
    """Facts by name, one entry a collection. Of one that is open in part only the names: the rest may be of items
    that are hidden.
    """
    if sight.is_all:
        return properties.known(sight.connection, collections)
    names = dict.fromkeys(collections or sight.names())
    whole = [name for name in names if sight.is_whole(name)]
    found = properties.known(sight.connection, whole) if whole else {}
    for collection in names.keys() - set(whole):
        for name in sight.names_in(collection):
            found.setdefault(name, []).append(Facts(values=None))
    return found


def _schema(name: str, facts: list[Facts]) -> Document:
    made: Document = {"title": name.replace("_", " ").replace(":", ": ").strip().capitalize()}
    if name in _TIMES:
        return {**made, "type": "string", "format": "date-time"}
    if not all(one.types for one in facts):
        return made
    whole = facts[0]
    for more in facts[1:]:
        whole.join(more)
    types = sorted(whole.types)
    made["type"] = types[0] if len(types) == 1 else types
    if types == ["string"] and whole.values:
        made["enum"] = sorted(whole.values)
    if types == ["number"]:
        made["minimum"], made["maximum"] = whole.low, whole.high
    return made
