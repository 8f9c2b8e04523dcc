# ruff: noqa: S608 -- fragments are ours, what rules name is bound
"""Collections as those see them who may find only some of their items: nothing in them comes from the hidden ones.

What describes a collection as a whole was often worked out from all of its items (summaries, extents, variables, how
many files there are). So only what its owner wrote about it is kept, and the extent is that of the open items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from terrella.model.microseconds import FOREVER, LONG_AGO
from terrella.providers.lake import schema, times
from terrella.providers.lake.schema import Sql, joined, one_of

if TYPE_CHECKING:
    from terrella.model.stac import Document
    from terrella.providers.lake.sight import Sight

_OWNED = (
    "type",
    "stac_version",
    "id",
    "title",
    "description",
    "license",
    "attribution",
    "providers",
    "sci:doi",
    "sci:citation",
    "created",
)
_LINKS = frozenset({"license", "about", "cite-as", "describedby", "documentation"})
_COUNTED = re.compile(r"; from \d+ files?\.$")
"""How descriptions end that say from how many files a collection was made."""


_MOST_ITEMS = 300_000
"""Looking through so many takes seconds (20 us each): with more, the extent is that of the Earth and of all times."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where and when open items are; None where there is none."""

    t_start: int | None
    t_end: int | None
    box: tuple[float, float, float, float] | None


def shown_collection(sight: Sight, collection: str) -> bytes:
    """The document of a collection that may be found."""
    row = sight.connection.execute(
        "select number, cast(doc as blob) from collections where id = ?", (collection,)
    ).fetchone()
    if sight.is_whole(collection):
        found: bytes = row[1]
        return found
    made: bytes = _part(sight, collection, *row)[-1]
    return made


def shown_collections(sight: Sight) -> Sql:
    """Rows of the collections that may be found, as a source named c."""
    if sight.is_all:
        return Sql("collections c")
    names = sight.names()
    parts = [name for name in names if not sight.is_whole(name)]
    hidden = set(parts)
    inside = one_of("id", [name for name in names if name not in hidden])
    stored = "select number, id, t_start, t_end, west, south, east, north, doc from collections where " + inside.text
    if not parts:
        return Sql(f"({stored}) c", inside.values)
    columns = ", ".join(f"value ->> '$[{place}]'" for place in range(9))
    return Sql(f"({stored} union all select {columns} from json_each(?)) c", (*inside.values, _rows(sight, parts)))


def _rows(sight: Sight, names: list[str]) -> str:
    where = one_of("id", names)
    found = sight.connection.execute(
        f"select id, number, cast(doc as blob) from collections where {where.text}", where.values
    ).fetchall()
    rows = [_part(sight, *row) for row in found]
    return orjson.dumps([[*row[:-1], row[-1].decode()] for row in rows]).decode()


def _part(sight: Sight, collection: str, number: int, document: bytes) -> tuple[Any, ...]:
    """A row of a collection that is open in part, its document last."""

    def make() -> tuple[Any, ...]:
        reach = _reach(sight, collection)
        start = LONG_AGO if reach.t_start is None else reach.t_start
        end = FOREVER if reach.t_end is None else reach.t_end
        box = reach.box or (None,) * 4
        return number, collection, start, end, *box, orjson.dumps(_document(orjson.loads(document), reach))

    return sight.once("shown", make, collection)


def _document(document: Document, reach: _Reach) -> Document:
    made = {name: document[name] for name in _OWNED if name in document}
    if isinstance(made.get("description"), str):
        made["description"] = _COUNTED.sub(".", made["description"])
    links = document.get("links")
    kept = [one for one in links if isinstance(one, dict) and one.get("rel") in _LINKS] if links else []
    interval = [_text(reach.t_start, LONG_AGO), _text(reach.t_end, FOREVER)]
    box = list(reach.box or (-180.0, -90.0, 180.0, 90.0))
    extent = {"spatial": {"bbox": [box]}, "temporal": {"interval": [interval]}}
    return {**made, "extent": extent, "links": kept}


def _text(at: int | None, unbounded: int) -> str | None:
    return None if at is None or at == unbounded else times.as_text(at)


def _reach(sight: Sight, collection: str) -> _Reach:
    """A box that crosses the antimeridian makes the whole circle of it; of very many items nothing is worked out."""
    items = sight.connection.execute("select items from collections where id = ?", (collection,)).fetchone()[0]
    if items > _MOST_ITEMS:
        return _Reach(None, None, None)
    where = joined("and", [Sql("i.collection = ?", (collection,)), sight.condition([collection]) or schema.ALWAYS])
    row = sight.connection.execute(
        "select min(i.t_start), max(i.t_end), min(case when i.west > i.east then -180.0 else i.west end), "
        "min(i.south), max(case when i.west > i.east then 180.0 else i.east end), max(i.north) "
        f"from items i{schema.DOCUMENTS} where {where.text}",
        where.values,
    ).fetchone()
    box = None if row[2] is None else (row[2], row[3], row[4], row[5])
    return _Reach(row[0], row[1], box)
