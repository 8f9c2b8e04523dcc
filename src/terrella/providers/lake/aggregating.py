"""Aggregations of the STAC API extension over what matches: counts, ends, and frequencies."""

# ruff: noqa: S608 -- fragments are ours, what users give is bound
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, nearest_names
from terrella.model.search import Aggregation
from terrella.providers.lake import times
from terrella.providers.lake.fields import COMMON, ItemFields
from terrella.providers.lake.schema import Sql, joined
from terrella.providers.lake.searching import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from terrella.model.search import Search
    from terrella.model.stac import Document
    from terrella.providers.lake.planning import Plan
    from terrella.providers.lake.sight import Look, Sight
    from terrella.storage.database import Database

    type Answer = Callable[[Sight, Plan, str], Aggregation]

_MOST_BUCKETS = 1000
_CLOUD_STEP = 10
_GEOHASH_LENGTH = 3
_COLUMNS, _ROWS = 256, 128
"""Of the grid of geohashes of three digits: 8 bits of longitude, 7 of latitude."""
_FREQUENCY = "_frequency"


def aggregate(database: Database, look: Look, query: Search, names: Sequence[str]) -> tuple[Aggregation, ...]:
    """Each by its name. Raises Invalid for an unknown one, with those there are."""
    with database.reading() as connection:
        sight = look(connection)
        answers = [(name, _answer(sight, name)) for name in names]
        asked, _, plan = prepared(sight, query)
        if asked.empty:
            answers = [(name, _COUNTED.get(name, answer)) for name, answer in answers]
        return tuple(answer(sight, plan, name) for name, answer in answers)


def _answer(sight: Sight, name: str) -> Answer:
    if name in _ANSWERS:
        return _ANSWERS[name]
    wanted = name.removesuffix(_FREQUENCY)
    there = {*sight.property_names(), *COMMON}
    if name.endswith(_FREQUENCY) and wanted in there:
        return _property_frequency
    known = {*_ANSWERS, *(there_name + _FREQUENCY for there_name in there)}
    raise Invalid(f"There is no aggregation {name!r:.80}. {nearest_names(name, known)}", parameter="aggregations")


def _total(sight: Sight, plan: Plan, name: str) -> Aggregation:
    return Aggregation(name, "integer", _single(sight, plan, "count(*)"))


def _earliest(sight: Sight, plan: Plan, name: str) -> Aggregation:
    return _time(name, _single(sight, plan, "min(i.t)"))


def _latest(sight: Sight, plan: Plan, name: str) -> Aggregation:
    return _time(name, _single(sight, plan, "max(i.t)"))


def _time(name: str, at: int | None) -> Aggregation:
    return Aggregation(name, "datetime", None if at is None else times.as_text(at))


def _by_collection(sight: Sight, plan: Plan, name: str) -> Aggregation:
    return _terms(name, _grouped(sight, plan, Sql("i.collection")))


def _by_month(sight: Sight, plan: Plan, name: str) -> Aggregation:
    month = Sql("strftime('%Y-%m-01T00:00:00Z', floor(i.t / 1000000.0), 'unixepoch')")
    buckets = [
        {"key": key, "data_type": "datetime", "frequency": count} for key, count in sorted(_grouped(sight, plan, month))
    ]
    return Aggregation(name, "frequency_distribution", buckets=tuple(buckets))


def _by_cloud(sight: Sight, plan: Plan, name: str) -> Aggregation:
    step = Sql(f"cast(min(i.cloud / {_CLOUD_STEP}, 9) as integer)")
    rows = _grouped(sight, plan, step, Sql("typeof(i.cloud) in ('integer', 'real')"))
    buckets = [_range(key * _CLOUD_STEP, count) for key, count in sorted(rows)]
    return Aggregation(name, "frequency_distribution", buckets=tuple(buckets))


def _range(low: int, count: int) -> Document:
    high = low + _CLOUD_STEP
    return {"key": f"{low}-{high}", "data_type": "numeric", "frequency": count, "from": low, "to": high}


def _by_geohash(sight: Sight, plan: Plan, name: str) -> Aggregation:
    """By the cell of the middle of each box: counted by cell numbers first, which are then few enough to be named."""
    west = "case when i.west <= i.east then (i.west + i.east) / 2 else (i.west + i.east + 360) / 2 end"
    column = f"cast(({west} + 180) / 360 * {_COLUMNS} as integer) % {_COLUMNS}"
    row = f"min(cast(((i.south + i.north) / 2 + 90) / 180 * {_ROWS} as integer), {_ROWS - 1})"
    cells = _grouped(sight, plan, Sql(f"({column}) * {_ROWS} + {row}"), Sql("i.west is not null"))
    return _terms(name, [(geohash(*_middle(*divmod(cell, _ROWS)), _GEOHASH_LENGTH), count) for cell, count in cells])


def _middle(column: int, row: int) -> tuple[float, float]:
    return (column + 0.5) / _COLUMNS * 360 - 180, (row + 0.5) / _ROWS * 180 - 90


def _by_collection_counted(sight: Sight, plan: Plan, name: str) -> Aggregation:
    """Of whole collections: as they are counted already."""
    wanted = [one for one in plan.conditions if one.text.startswith("i.collection")]
    where = joined("and", [*wanted, Sql("i.items > 0")])
    rows = sight.connection.execute(
        f"select collection, items from (select id as collection, items from collections) i where {where.text} "
        "order by items desc, collection limit ?",
        (*where.values, _MOST_BUCKETS),
    )
    return _terms(name, rows.fetchall())


def _property_frequency(sight: Sight, plan: Plan, name: str) -> Aggregation:
    value = ItemFields(sight).value(name.removesuffix(_FREQUENCY))
    return _terms(name, _grouped(sight, plan, value))


def _grouped(sight: Sight, plan: Plan, key: Sql, *further: Sql) -> list[tuple[Any, int]]:
    """Values with how often each occurs, the most frequent first, without null."""
    rows = plan.rows(Sql(f"{key.text} as key", key.values, key.dear), *further)
    found = sight.connection.execute(
        f"select key, count(*) as n from ({rows.text}) where key is not null group by key order by n desc, key limit ?",
        (*rows.values, _MOST_BUCKETS),
    )
    return found.fetchall()


def _terms(name: str, rows: Iterable[tuple[Any, int]]) -> Aggregation:
    buckets = [
        {"key": key, "data_type": "string" if isinstance(key, str) else "numeric", "frequency": n} for key, n in rows
    ]
    return Aggregation(name, "frequency_distribution", buckets=tuple(buckets))


def _single(sight: Sight, plan: Plan, expression: str) -> Any:
    rows = plan.rows(Sql(expression))
    return sight.connection.execute(rows.text, rows.values).fetchone()[0]


_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"


def geohash(lon: float, lat: float, length: int) -> str:
    """The geohash cell of a place (Niemeyer 2008): bits of lon and lat by turns, five a digit."""
    bounds = [[-180.0, 180.0], [-90.0, 90.0]]
    place = ((lon + 180.0) % 360.0 - 180.0, lat)
    made, bits = "", 0
    for turn in range(5 * length):
        axis = turn % 2
        middle = sum(bounds[axis]) / 2
        upper = place[axis] >= middle
        bounds[axis][0 if upper else 1] = middle
        bits = bits * 2 + upper
        if turn % 5 == 4:
            made, bits = made + _DIGITS[bits], 0
    return made


_ANSWERS: dict[str, Answer] = {
    "total_count": _total,
    "datetime_min": _earliest,
    "datetime_max": _latest,
    "collection_frequency": _by_collection,
    "datetime_frequency": _by_month,
    "cloud_cover_frequency": _by_cloud,
    "centroid_geohash_grid_frequency": _by_geohash,
}
_COUNTED: dict[str, Answer] = {"collection_frequency": _by_collection_counted}
