# ruff: noqa: S608 -- fragments are ours, what users give is bound
"""Items in order, a page at a time, as the bytes that were stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, NotFound
from terrella.model.search import Page
from terrella.providers.lake import schema
from terrella.providers.lake.conditions import conditions_of
from terrella.providers.lake.fields import ItemFields
from terrella.providers.lake.paging import Place, Term, beyond, from_first, order_by, place_of, token
from terrella.providers.lake.planning import Plan, Scope, count_up_to, plan_of, scope_of
from terrella.providers.lake.registering import no_collection
from terrella.providers.lake.schema import Sql
from terrella.providers.lake.sorting import terms_of

if TYPE_CHECKING:
    import sqlite3

    from terrella.model.search import Search
    from terrella.providers.lake.conditions import Conditions
    from terrella.providers.lake.sight import Look, Sight
    from terrella.storage.database import Database

MOST = 10_000
"""Most documents on one page: a larger limit gets this many."""
_COUNTED = 10_000
_COUNTED_DEAR = 1_000
"""Up to so many rows are looked at just to say how many match; fewer when their documents must be read for it."""


def search(database: Database, look: Look, query: Search) -> Page:
    """One page. `matched` is given where it costs little: few candidates, no conditions, or all on this page."""
    if query.limit < 1:
        raise Invalid(f"limit is at least 1, not {query.limit}.", parameter="limit")
    with database.reading() as connection:
        sight = look(connection)
        fields = ItemFields(sight)
        asked = conditions_of(sight, query, fields)
        terms = terms_of(query.sortby, fields.value)
        order = order_by(terms)
        place = place_of(query.token, order, len(terms)) if query.token else None
        scope = scope_of(connection, asked.collections)
        plan = plan_of(connection, asked, scope)
        limit = min(query.limit, MOST)
        rows = _rows(connection, plan, terms, place, limit + 1)
        matched = _matched(connection, asked, plan, scope, place, None if len(rows) > limit else len(rows))
    return page_of(rows, limit, order, place, matched)


def count(database: Database, look: Look, query: Search) -> int:
    """How many match, exactly, however long it takes (up to the database's limit)."""
    with database.reading() as connection:
        asked, scope, plan = prepared(look(connection), query)
        return scope.items if asked.empty else _count(connection, plan)


def prepared(sight: Sight, query: Search) -> tuple[Conditions, Scope, Plan]:
    """What is asked, of what, and how it is found."""
    asked = conditions_of(sight, query, ItemFields(sight))
    scope = scope_of(sight.connection, asked.collections)
    return asked, scope, plan_of(sight.connection, asked, scope)


def _rows(
    connection: sqlite3.Connection, plan: Plan, terms: tuple[Term, ...], place: Place | None, limit: int
) -> list[tuple[Any, ...]]:
    """Rows (document, then the terms' values) from a place on; backward they come in reverse."""
    if place is not None and place.backward:
        terms = tuple(term.reversed() for term in terms)
    names = [f"k{n}" for n in range(len(terms))]
    listed = ", ".join(f"{term.expression.text} as {name}" for term, name in zip(terms, names, strict=True))
    columns = Sql(
        f"i.number as number, {listed}",
        tuple(value for term in terms for value in term.expression.values),
        any(term.expression.dear for term in terms),
    )
    further = () if place is None else (from_first(terms[0], place.values[0]), beyond(terms, place.values))
    first = plan.first(columns, order_by(terms), limit, *further)
    again = order_by(tuple(replace(term, expression=Sql(n)) for term, n in zip(terms, names, strict=True)))
    return connection.execute(
        f"select {schema.document_text()}, {', '.join(names)} from ({first.text}) k "
        f"cross join documents d on d.number = k.number order by {again.text}",
        first.values,
    ).fetchall()


def page_of(rows: list[tuple[Any, ...]], limit: int, order: Sql, place: Place | None, matched: int | None) -> Page:
    """A page of rows (document, values of the terms), one more than the limit where there are more."""
    more = len(rows) > limit
    rows = rows[:limit]
    backward = place is not None and place.backward
    if backward:
        rows.reverse()
    if not rows:
        return Page((), matched=matched)
    ahead = backward or more
    behind = more if backward else place is not None
    return Page(
        tuple(row[0] for row in rows),
        next=token(Place(tuple(rows[-1][1:]), matched=matched), order) if ahead else None,
        prev=token(Place(tuple(rows[0][1:]), backward=True, matched=matched), order) if behind else None,
        matched=matched,
    )


def _matched(
    connection: sqlite3.Connection, asked: Conditions, plan: Plan, scope: Scope, place: Place | None, whole: int | None
) -> int | None:
    """How many match, where that is cheap; `whole` is the length of a page that has them all."""
    if place is not None:
        return place.matched
    if whole is not None:
        return whole
    if asked.empty:
        return scope.items
    dear = any(condition.dear for condition in plan.conditions)
    if plan.most is not None and plan.most <= (_COUNTED_DEAR if dear else _COUNTED):
        return _count(connection, plan)
    if asked.only_times:
        number = count_up_to(connection, plan.rows(Sql("1")), _COUNTED)
        return number if number <= _COUNTED else None
    return None


def _count(connection: sqlite3.Connection, plan: Plan) -> int:
    counted = plan.rows(Sql("count(*)"))
    found: int = connection.execute(counted.text, counted.values).fetchone()[0]
    return found


def item(database: Database, look: Look, collection: str, name: str) -> bytes:
    """One item's document. Raises NotFound, for a hidden one as for one that is not there."""
    with database.reading() as connection:
        sight = look(connection)
        if not sight.is_all and not sight.holds(collection):
            raise no_collection(collection, sight.names())
        condition = None if sight.is_all else sight.condition([collection])
        shown = condition or schema.ALWAYS
        row = connection.execute(
            f"select {schema.document_text()} from items i cross join documents d on d.number = i.number "
            f"where i.collection = ? and i.id = ? and {shown.text}",
            (collection, name, *shown.values),
        ).fetchone()
        if row is None:
            if not sight.holds(collection):
                raise no_collection(collection, sight.names())
            raise NotFound(f"No item {name!r:.80} in collection {collection!r:.80}.", parameter="item")
        document: bytes = row[0]
        return document
