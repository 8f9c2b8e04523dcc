# ruff: noqa: S608 -- fragments are ours, what users give is bound
"""How to find what a search asks for: the plan is chosen here, by counting, and not left to the database.

A box that few items touch is answered from the tree of boxes; one that many touch by walking along time, newest
first, until the page is full. Counting the few costs a millisecond and saves seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from terrella.providers.lake import schema
from terrella.providers.lake.schema import Sql, joined, one_of

if TYPE_CHECKING:
    import sqlite3

    from terrella.providers.lake.conditions import Conditions

_FEW = 10_000
"""So many rows are gathered and sorted (about 3 us each); with more, walking along time finds a page sooner."""
_SCANNED = 250
"""Times the root of all items: with fewer hits of a text, listing them (0.13 us each) beats asking for each row that
is walked by (80 us each, a hundred pages deep), as measured with a million items."""
ITEM_WORDS = "item_text"


@dataclass(frozen=True, slots=True)
class Scope:
    """The collections asked: how many items they have, and how far those reach around their time."""

    items: int
    lead: int
    lag: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Where rows come from and what must hold of them. `most` bounds how many are looked at, None unknown."""

    source: Sql
    conditions: tuple[Sql, ...]
    most: int | None
    walks: bool = False
    """Whether rows come in order of time."""

    def rows(self, columns: Sql, *further: Sql) -> Sql:
        """SELECT of some columns of what matches, in no order."""
        every = sorted([*self.conditions, *further], key=lambda one: one.dear)
        where = joined("and", every or [schema.ALWAYS])
        join = schema.DOCUMENTS if columns.dear or where.dear else ""
        text = f"select {columns.text} from {self.source.text}{join} where {where.text}"
        return Sql(text, (*columns.values, *self.source.values, *where.values))

    def first(self, columns: Sql, order: Sql, limit: int, *further: Sql) -> Sql:
        """SELECT of the first rows in some order, from number and some more columns.

        Where the order needs no document, rows are put in order first and dear conditions tried from the top, until
        there are enough.
        """
        dear = [one for one in (*self.conditions, *further) if one.dear]
        if columns.dear or self.walks or not dear:
            rows = self.rows(columns, *further)
            return Sql(f"{rows.text} order by {order.text} limit ?", (*rows.values, *order.values, limit))
        cheap = replace(self, conditions=tuple(one for one in self.conditions if not one.dear))
        rows = cheap.rows(columns, *(one for one in further if not one.dear))
        where = joined("and", dear)
        return Sql(
            f"select k.* from ({rows.text} order by {order.text} limit -1) k "
            f"cross join items i on i.number = k.number{schema.DOCUMENTS} where {where.text} limit ?",
            (*rows.values, *order.values, *where.values, limit),
        )


def scope_of(connection: sqlite3.Connection, collections: tuple[str, ...]) -> Scope:
    """Of these collections; of all when none is named."""
    where = one_of("id", collections) if collections else schema.ALWAYS
    row = connection.execute(
        "select coalesce(sum(items), 0), coalesce(max(lead), 0), coalesce(max(lag), 0) "
        f"from collections where {where.text}",
        where.values,
    ).fetchone()
    return Scope(*row)


def plan_of(connection: sqlite3.Connection, asked: Conditions, scope: Scope) -> Plan:
    """The cheapest way to what is asked."""
    lookups: dict[str, tuple[int, Sql]] = {}
    conditions = _conditions(asked)
    if asked.words is not None:
        hits = schema.text_hits(ITEM_WORDS, asked.words)
        most = int(_SCANNED * scope.items**0.5)
        count = count_up_to(connection, hits, max(most, _FEW))
        lookups["text"] = (count, hits)
        if count <= most:
            conditions.append(Sql(f"i.number in ({hits.text})", hits.values))
        else:
            conditions.append(schema.text_meets(ITEM_WORDS, "i.number", asked.words))
    if asked.ids is not None:
        found = one_of("i.id", asked.ids)
        most = len(asked.ids) * 4  # one id may be in several collections
        return Plan(Sql(f"items i {schema.BY_ID}"), (found, *conditions, *asked.exact), most)
    if asked.boxes is not None:
        hits = schema.boxes_hit(asked.boxes, asked.t_start, asked.t_end)
        lookups["boxes"] = (count_up_to(connection, hits, _FEW), hits)
    count, hits = min(lookups.values(), key=lambda one: one[0], default=(_FEW + 1, schema.ALWAYS))
    if count > _FEW:
        return _walk(asked, scope, conditions)
    source = Sql(
        f"(select distinct number from ({hits.text})) h cross join items i on i.number = h.number", hits.values
    )
    return Plan(source, (*conditions, *asked.exact), count)


def count_up_to(connection: sqlite3.Connection, hits: Sql, most: int) -> int:
    """How many rows a look-up finds; one more than `most` when there are more."""
    count = schema.limited_count(hits, most + 1)
    found: int = connection.execute(count.text, count.values).fetchone()[0]
    return found


def _walk(asked: Conditions, scope: Scope, conditions: list[Sql]) -> Plan:
    """Along time, in one collection's index or in that of all."""
    gathers = bool(asked.collections) and scope.items <= _FEW
    index = schema.BY_COLLECTION if len(asked.collections) == 1 or gathers else schema.BY_TIME
    if asked.timed:
        conditions.insert(0, Sql("i.t between ? and ?", (asked.t_start - scope.lag, asked.t_end + scope.lead)))
    return Plan(Sql(f"items i {index}"), (*conditions, *asked.exact), scope.items, walks=True)


def _conditions(asked: Conditions) -> list[Sql]:
    """All but look-ups and exact shapes."""
    made: list[Sql] = []
    if asked.collections:
        made.append(one_of("i.collection", asked.collections))
    if asked.timed:
        made.append(Sql("i.t_start <= ? and i.t_end >= ?", (asked.t_end, asked.t_start)))
    return [*made, *asked.rest]
