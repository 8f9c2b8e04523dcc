# ruff: noqa: S608 -- fragments are ours, what users give is bound
"""The tables, and every fragment of SQL that another database would spell differently.

Rows, keyset order and the choice of plan are the same for every back end; what follows is SQLite's. Times are
microseconds since 1970 (UTC), boxes degrees; `west > east` means across the antimeridian. Documents lie apart from
what is searched, so that a search touches few pages until it knows its answers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.model.space import Extent

_DAY = 86_400_000_000.0

MIGRATIONS = (
    """
create table collections (
    number integer primary key,
    id text not null unique,
    items integer not null default 0,
    lead integer not null default 0, -- longest time by which an item begins before the time that it sorts by
    lag integer not null default 0,  -- ... and ends after it
    t_start integer not null,
    t_end integer not null,
    west real, south real, east real, north real,
    doc text not null
);

create table items (
    number integer primary key,
    collection text not null references collections (id),
    id text not null,
    t integer not null,
    t_start integer not null,
    t_end integer not null,
    west real, south real, east real, north real,
    cloud, -- eo:cloud_cover, of whatever type it came in
    unique (id, collection)
);

create index items_by_time on items
    (t desc, id, collection, t_start, t_end, west, south, east, north, cloud);

create index items_by_collection on items
    (collection, t desc, id, t_start, t_end, west, south, east, north, cloud);

create table documents (
    number integer primary key,
    shape blob, -- WKB, where the geometry is more than its box
    doc text not null
);

-- One row, or two where an item crosses the antimeridian: box = 2 * number, or that + 1. Times in days.
create virtual table boxes using rtree (box, west, east, south, north, first, last);

create table properties (
    collection text not null references collections (id),
    name text not null,
    facts text not null,
    primary key (name, collection)
) without rowid;

create view item_words as
    select d.number as number,
        (d.doc ->> '$.id') || ' ' || i.collection
        || ' ' || coalesce(d.doc ->> '$.properties.title', '')
        || ' ' || coalesce(d.doc ->> '$.properties.description', '')
        || ' ' || coalesce(d.doc ->> '$.properties.keywords', '')
        || ' ' || coalesce(d.doc ->> '$.properties.platform', '')
        || ' ' || coalesce(d.doc ->> '$.properties.constellation', '')
        || ' ' || coalesce(d.doc ->> '$.properties.instruments', '')
        || ' ' || coalesce(d.doc ->> '$.properties.mission', '')
        || ' ' || coalesce((select group_concat(value ->> '$.name', ' ')
                            from json_each(d.doc, '$.properties.providers')), '') as words
    from documents d join items i on i.number = d.number;

create virtual table item_text using fts5 (
    words, content = 'item_words', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2'
);

create view collection_words as
    select number,
        id
        || ' ' || coalesce(doc ->> '$.title', '')
        || ' ' || coalesce(doc ->> '$.description', '')
        || ' ' || coalesce(doc ->> '$.keywords', '')
        || ' ' || coalesce((select group_concat(value ->> '$.name', ' ') from json_each(doc, '$.providers')), '')
        as words
    from collections;

create virtual table collection_text using fts5 (
    words, content = 'collection_words', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2'
);
""",
    """
create table sources (
    href text primary key,
    format text not null,
    modified text not null,
    is_missing integer not null default 0,
    scan blob not null
);

create table members (
    collection text not null references collections (id) on delete cascade,
    href text not null,
    item text not null,
    version integer not null,
    primary key (collection, href)
) without rowid;

create index members_by_href on members (href);

create table cubes (
    collection text primary key references collections (id) on delete cascade,
    key text not null,
    version text not null,
    block blob
);
""",
    """
-- Counted up by every write to collections, and to items: what was worked out before is then out of date.
create table changes (
    collections integer not null,
    items integer not null
);

insert into changes values (0, 0);

alter table collections add column changed integer not null default 0; -- counted up by every write to its items
""",
)


@dataclass(frozen=True, slots=True)
class Sql:
    """A fragment and its bound values. `dear` when it needs the document, which lies apart."""

    text: str
    values: tuple[Any, ...] = ()
    dear: bool = False


ALWAYS = Sql("1")
NEVER = Sql("0")


def joined(word: str, parts: Iterable[Sql]) -> Sql:
    """Fragments with a word ('and', 'or', ',') between them, in parentheses; of one, that one."""
    all_parts = list(parts)
    if len(all_parts) == 1:
        return all_parts[0]
    text = f" {word} ".join(part.text for part in all_parts)
    values = tuple(value for part in all_parts for value in part.values)
    return Sql(f"({text})", values, any(part.dear for part in all_parts))


def one_of(expression: str, wanted: Iterable[str]) -> Sql:
    """Membership in a list of any length: one bound value."""
    names = list(wanted)
    if len(names) == 1:
        return Sql(f"{expression} = ?", (names[0],))
    return Sql(f"{expression} in (select value from json_each(?))", (json.dumps(names),))


def property_path(names: Iterable[str]) -> str:
    """Path to a member of a document, to be bound as a value."""
    return "$" + "".join(f'."{name}"' for name in names)


def property_paths(name: str) -> tuple[str, ...]:
    """Where a property of an item may lie: a dot is part of its name, or leads into an object."""
    whole = property_path(["properties", name])
    return (whole, property_path(["properties", *name.split(".")])) if "." in name else (whole,)


def boxes_hit(extents: Iterable[Extent], t_start: int, t_end: int) -> Sql:
    """Rows (number) of items whose box may meet one of the boxes, and whose time may meet the times.

    Numbers in the tree have 32 bits, rounded outwards: this finds too many, never too few.
    """
    one = (
        "select box >> 1 as number from boxes where west <= ? and east >= ? and south <= ? and north >= ? "
        "and first <= ? and last >= ?"
    )
    days = (t_end / _DAY, t_start / _DAY)
    parts = [Sql(one, (box.east, box.west, box.north, box.south, *days)) for box in extents]
    return Sql(" union all ".join(part.text for part in parts), sum((part.values for part in parts), ()))


def box_rows(number: int, boxes: Iterable[Extent], t_start: int, t_end: int) -> list[tuple[Any, ...]]:
    """Rows of the tree for an item's one or two boxes."""
    days = (t_start / _DAY, t_end / _DAY)
    return [(2 * number + part, box.west, box.east, box.south, box.north, *days) for part, box in enumerate(boxes)]


def boxes_meet(table: str, extents: Iterable[Extent]) -> Sql:
    """Whether a row's box, exactly, meets one of the boxes (none of which crosses the antimeridian)."""
    one = (
        f"({table}.south <= ? and {table}.north >= ? and case when {table}.west <= {table}.east "
        f"then {table}.west <= ? and {table}.east >= ? else {table}.west <= ? or {table}.east >= ? end)"
    )
    return joined("or", [Sql(one, (e.north, e.south, e.east, e.west, e.east, e.west)) for e in extents])


def box_within(table: str, extent: Extent) -> Sql:
    """Whether a row's box lies in a box."""
    return Sql(
        f"({table}.west <= {table}.east and {table}.west >= ? and {table}.east <= ? "
        f"and {table}.south >= ? and {table}.north <= ?)",
        (extent.west, extent.east, extent.south, extent.north),
    )


def text_hits(table: str, words: str) -> Sql:
    """Rows (number) whose words match an expression of the full-text index, made by `text.py`."""
    return Sql(f"select rowid as number from {table} where {table} match ?", (words,))


def text_meets(table: str, number: str, words: str) -> Sql:
    """Whether one row's words match: for walking in another order."""
    return Sql(f"exists (select 1 from {table} where rowid = {number} and {table} match ?)", (words,), dear=True)


def shape_relates(operator: str, wkb: bytes) -> Sql:
    """How an item's exact geometry relates to a shape: NULL where it has none."""
    return Sql("relates(?, ?, i.west, i.south, i.east, i.north, d.shape)", (operator, wkb), dear=True)


def shape_meets(operator: str, wkb: bytes, parts: tuple[Extent, ...]) -> Sql:
    """Whether an item's exact geometry meets a box, when it is known that its box does."""
    inside = joined("or", [box_within("i", part) for part in parts])
    relates = shape_relates(operator, wkb)
    return Sql(f"(d.shape is null or {inside.text} or {relates.text})", (*inside.values, *relates.values), dear=True)


def property_value(path: str) -> Sql:
    """A member of an item's document: text, number, 1 and 0 for true and false, JSON text of lists and objects."""
    return Sql("(d.doc ->> ?)", (path,), dear=True)


def document_text() -> str:
    """A document's bytes as they were stored."""
    return "cast(d.doc as blob)"


def limited_count(rows: Sql, most: int) -> Sql:
    """How many rows a query has, counted no further than `most`."""
    return Sql(f"select count(*) from (select 1 from ({rows.text}) limit ?)", (*rows.values, most))


DOCUMENTS = " cross join documents d on d.number = i.number"
BY_ID = "indexed by sqlite_autoindex_items_1"
BY_TIME = "indexed by items_by_time"
BY_COLLECTION = "indexed by items_by_collection"


def like(value: Sql, pattern: str) -> Sql:
    """CQL2's LIKE, in which case counts: % any characters, _ one, a backslash before those takes them as they are."""
    made, escaped = [], False
    for character in pattern:
        if escaped or character not in "%_\\":
            made.append(f"[{character}]" if character in "*?[" else character)
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            made.append("*" if character == "%" else "?")
    return Sql(f"({value.text} glob ?)", (*value.values, "".join(made)), value.dear)


def among(value: Sql, wanted: Iterable[Any]) -> Sql:
    """Membership in a list of constants of any length."""
    text = json.dumps(list(wanted))
    return Sql(f"({value.text} in (select value from json_each(?)))", (*value.values, text), value.dear)


_KINDS = {
    "text": "when 'text' then d.doc ->> ?",
    "number": "when 'integer' then d.doc ->> ? when 'real' then d.doc ->> ?",
    "boolean": "when 'true' then 1 when 'false' then 0",
    "array": "when 'array' then d.doc -> ?",
}


def json_value(kind: str, *paths: str) -> Sql:
    """A member of an item's document where it is of a kind ('text', 'number', 'boolean'), else NULL.

    Of several paths the first counts at which there is anything but null.
    """
    path, *others = paths
    cases = _KINDS[kind]
    one = Sql(f"(case json_type(d.doc, ?) {cases} end)", (path,) * (1 + cases.count("?")), dear=True)
    if not others:
        return one
    absent, rest = json_absent(path), json_value(kind, *others)
    text = f"(case when {absent.text} then {rest.text} else {one.text} end)"
    return Sql(text, (*absent.values, *rest.values, *one.values), dear=True)


def json_array(*paths: str) -> Sql:
    """A member of an item's document as JSON text where it is a list, else NULL."""
    return json_value("array", *paths)


def json_absent(*paths: str) -> Sql:
    """Whether there is nothing, or null, at all of these paths: never NULL."""
    one = "coalesce(json_type(d.doc, ?), 'null') = 'null'"
    return Sql(f"({' and '.join([one] * len(paths))})", paths, dear=True)
