"""Which way each kind of question takes, and that no way reads the whole table where it need not."""

from __future__ import annotations

import pytest

from terrella.model.caller import OPERATOR
from terrella.model.search import Search, SortKey
from terrella.model.space import Extent
from terrella.model.time import parse_interval
from terrella.providers.lake import Lake, planning
from terrella.providers.lake.conditions import conditions_of
from terrella.providers.lake.fields import ItemFields
from terrella.providers.lake.paging import order_by
from terrella.providers.lake.planning import Plan, plan_of, scope_of
from terrella.providers.lake.schema import Sql
from terrella.providers.lake.sight import Memory, Sight
from terrella.providers.lake.sorting import NEWEST_FIRST

BOX = Extent(-1.0, -1.0, 35.0, 1.0)


def _plan(lake: Lake, query: Search) -> tuple[Plan, str]:
    """The plan, and what SQLite says that it does."""
    with lake._database.reading() as connection:
        sight = Sight.of(connection, None, Memory())
        asked = conditions_of(sight, query, ItemFields(sight))
        plan = plan_of(connection, asked, scope_of(connection, asked.collections))
        first = plan.first(Sql("i.number as number, i.t as k0"), order_by(NEWEST_FIRST), 10)
        steps = connection.execute(f"explain query plan {first.text}", first.values).fetchall()
    return plan, "\n".join(step[3] for step in steps)


def test_few_are_gathered_from_the_tree(filled: Lake) -> None:
    plan, steps = _plan(filled, Search(bbox=BOX))
    assert plan.most == 4
    assert "boxes VIRTUAL TABLE INDEX" in steps
    assert "SEARCH i USING INTEGER PRIMARY KEY" in steps


def test_many_are_walked_along_time_without_sorting(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_FEW", 3)
    plan, steps = _plan(filled, Search(bbox=BOX))
    assert plan.walks
    assert "items_by_time" in steps
    assert "TEMP B-TREE" not in steps
    one = _plan(filled, Search(bbox=BOX, collections=("plain",)))[1]
    assert "items_by_collection (collection=?)" in one
    assert "TEMP B-TREE" not in one


def test_times_bound_the_walk(filled: Lake) -> None:
    steps = _plan(filled, Search(interval=parse_interval("2020-02-01/2020-03-01")))[1]
    assert "items_by_time (t>? AND t<?)" in steps


def test_ids_are_looked_up(filled: Lake) -> None:
    plan, steps = _plan(filled, Search(ids=("i1", "i2"), bbox=BOX))
    assert "sqlite_autoindex_items_1 (id=?" in steps
    assert plan.most == 8
    by_filter = _plan(filled, Search(filter={"op": "=", "args": [{"property": "id"}, "i1"]}))[1]
    assert "sqlite_autoindex_items_1 (id=?" in by_filter


def test_rare_words_are_gathered_and_frequent_ones_walked_by(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "item_text VIRTUAL TABLE INDEX" in _plan(filled, Search(text=("satellite",)))[1]
    monkeypatch.setattr(planning, "_FEW", 0)
    listed = _plan(filled, Search(text=("satellite",)))
    assert listed[0].walks
    assert "LIST SUBQUERY" in listed[1]
    monkeypatch.setattr(planning, "_SCANNED", 0)
    assert "CORRELATED SCALAR SUBQUERY" in _plan(filled, Search(text=("satellite",)))[1]


def test_matched_is_told_where_it_is_cheap(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled.search(OPERATOR, Search(limit=2)).matched == 10
    first = filled.search(OPERATOR, Search(limit=2, bbox=BOX))
    assert first.matched == 4
    filled.remove_items(OPERATOR, "plain", ["i0"])
    second = filled.search(OPERATOR, Search(limit=2, bbox=BOX, token=first.next))
    assert second.matched == 4, "as the first page counted"
    monkeypatch.setattr("terrella.providers.lake.searching._COUNTED", 1)
    monkeypatch.setattr("terrella.providers.lake.searching._COUNTED_DEAR", 1)
    assert filled.search(OPERATOR, Search(limit=1, bbox=BOX)).matched is None
    assert filled.search(OPERATOR, Search(limit=50, bbox=BOX)).matched == 3
    assert filled.count(OPERATOR, Search(bbox=BOX)) == 3


def test_pages_have_limits(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrella.providers.lake.searching.MOST", 3)
    page = filled.search(OPERATOR, Search(limit=10_000_000, sortby=(SortKey("id"),)))
    assert len(page.documents) == 3
    assert page.next is not None
