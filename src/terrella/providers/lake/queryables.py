"""What to filter by: a JSON Schema made from what was seen in items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.providers.lake import properties
from terrella.providers.lake.registering import no_collection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.providers.lake.properties import Facts
    from terrella.storage.database import Database

_ALWAYS: dict[str, Any] = {
    "id": {"description": "Item id", "type": "string"},
    "collection": {"description": "Collection id", "type": "string"},
    "geometry": {"description": "Where it is", "$ref": "https://geojson.org/schema/Geometry.json"},
    "datetime": {"description": "When it is", "type": "string", "format": "date-time"},
}
_TIMES = frozenset({"created", "updated", "start_datetime", "end_datetime", "published", "expires"})


def queryables(database: Database, caller: Caller, collections: Sequence[str]) -> Document:
    """Properties seen in items of all these collections (of none: in any item). Raises NotFound."""
    del caller
    with database.reading() as connection:
        there = {name for (name,) in connection.execute("select id from collections")}
        for name in collections:
            if name not in there:
                raise no_collection(name, there)
        found = properties.known(connection, collections)
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


def _schema(name: str, facts: list[Facts]) -> Document:
    whole = facts[0]
    for more in facts[1:]:
        whole.join(more)
    types = sorted(whole.types)
    made: Document = {"title": name.replace("_", " ").replace(":", ": ").strip().capitalize()}
    if name in _TIMES:
        return {**made, "type": "string", "format": "date-time"}
    made["type"] = types[0] if len(types) == 1 else types
    if types == ["string"] and whole.values:
        made["enum"] = sorted(whole.values)
    if types == ["number"]:
        made["minimum"], made["maximum"] = whole.low, whole.high
    return made
