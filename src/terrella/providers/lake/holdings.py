# ruff: noqa: S608 -- fragments are ours, what users give is bound
"""Collections: one, or those that match, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.contracts.providers import Matches
from terrella.errors import Invalid
from terrella.providers.lake import schema, text, times
from terrella.providers.lake.fields import CollectionFields
from terrella.providers.lake.filters import Filter
from terrella.providers.lake.paging import Term, beyond, order_by, place_of
from terrella.providers.lake.registering import no_collection
from terrella.providers.lake.schema import Sql, joined
from terrella.providers.lake.searching import MOST, page_of
from terrella.providers.lake.shown import shown_collection, shown_collections
from terrella.providers.lake.sorting import check_keys

if TYPE_CHECKING:
    from terrella.model.search import CollectionSearch, Page
    from terrella.providers.lake.sight import Look, Sight
    from terrella.storage.database import Database

_ID = Term(Sql("c.id"))


def collection(database: Database, look: Look, name: str) -> bytes:
    """One document. Raises NotFound with the nearest names that may be found."""
    with database.reading() as connection:
        sight = look(connection)
        if not sight.holds(name):
            raise no_collection(name, sight.names())
        return shown_collection(sight, name)


def collections(database: Database, look: Look, query: CollectionSearch) -> Page:
    """One page, by id unless told otherwise. Raises Invalid."""
    if query.limit < 1:
        raise Invalid(f"limit is at least 1, not {query.limit}.", parameter="limit")
    where = joined("and", [*_conditions(query), schema.ALWAYS])
    terms = _terms(query)
    order = order_by(terms)
    place = place_of(query.token, order, len(terms)) if query.token else None
    way = tuple(term.reversed() for term in terms) if place is not None and place.backward else terms
    after = schema.ALWAYS if place is None else beyond(way, place.values)
    columns = [term.expression for term in terms]
    ordered = order_by(way)
    limit = min(query.limit, MOST)
    with database.reading() as connection:
        source = shown_collections(look(connection))
        values = (*source.values, *where.values)
        matched = connection.execute(f"select count(*) from {source.text} where {where.text}", values)
        total: int = matched.fetchone()[0]
        rows: list[tuple[Any, ...]] = connection.execute(
            f"select cast(c.doc as blob), {', '.join(column.text for column in columns)} "
            f"from {source.text} where {where.text} and {after.text} order by {ordered.text} limit ?",
            (
                *(value for column in columns for value in column.values),
                *values,
                *after.values,
                *ordered.values,
                limit + 1,
            ),
        ).fetchall()
    return page_of(rows, limit, order, place, total)


def matching(database: Database, look: Look, query: CollectionSearch) -> Matches:
    """All that match, by id and number of items; of those open in part only whether they have any."""
    where = joined("and", [*_conditions(query), schema.ALWAYS])
    with database.reading() as connection:
        sight = look(connection)
        source = shown_collections(sight)
        rows: list[tuple[str, int | None]] = connection.execute(
            f"select c.id, s.items from {source.text} join collections s on s.number = c.number where {where.text}",
            (*source.values, *where.values),
        ).fetchall()
        if not sight.is_all:
            rows = [row if sight.is_whole(row[0]) else (row[0], _some(sight, row[0])) for row in rows]
        return Matches(sight.stamp(), tuple(rows))


def _some(sight: Sight, collection: str) -> int | None:
    return None if sight.some(collection, schema.ALWAYS) else 0


def _conditions(query: CollectionSearch) -> list[Sql]:
    made: list[Sql] = []
    if query.bbox is not None:
        made.append(schema.boxes_meet("c", query.bbox.parts()))
    if query.interval is not None:
        start, end = times.bounds(query.interval)
        made.append(Sql("c.t_start <= ? and c.t_end >= ?", (end, start)))
    if query.text:
        hits = schema.text_hits("collection_text", text.expression(query.text))
        made.append(Sql(f"c.number in ({hits.text})", hits.values))
    if query.filter is not None:
        maker = Filter(CollectionFields())
        made.extend(maker.condition(part) for part in maker.conjuncts(query.filter))
    return made


def _terms(query: CollectionSearch) -> tuple[Term, ...]:
    check_keys(query.sortby)
    fields = CollectionFields()
    made: list[Term] = []
    for key in query.sortby:
        value = fields.value(key.field)
        made.append(Term(Sql(f"({value.text} is null)", value.values)))
        made.append(Term(value, key.descending))
    return (*made, _ID)
