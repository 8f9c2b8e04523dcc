"""Several sources answer as one: in one order, nothing twice, nothing lost, and saying who did not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrella.catalog.catalog import Catalog
from terrella.errors import Invalid, NotFound, ProviderUnavailable, Unsupported
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Page, Search, SortKey
from terrella.model.stac import Document
from terrella.providers.lake import Lake
from terrella.testing import brute_force
from terrella.testing.catalog import names, plain_collection, plain_item
from terrella.testing.catalog_strategies import COLLECTIONS, searches, unique_items


class Slow(Lake):
    """Answers only when told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.go = threading.Event()

    def search(self, caller: object, query: Search) -> Page:
        self.go.wait(5)
        return super().search(caller, query)


class Broken(Lake):
    """A source with a fault."""

    def search(self, caller: object, query: Search) -> Page:
        raise OSError("the cable is out")

    def collection(self, caller: object, collection: str) -> bytes:
        raise OSError("the cable is out")


@pytest.fixture
def lakes(tmp_path: Path) -> Iterator[list[Lake]]:
    made = [Lake(tmp_path / str(n)) for n in range(3)]
    for lake in made:
        for name in COLLECTIONS:
            lake.put_collection(OPERATOR, plain_collection(name))
    yield made
    for lake in made:
        lake.close()


@pytest.fixture
def catalog(lakes: list[Lake]) -> Iterator[Catalog]:
    made = Catalog({f"lake{n}": lake for n, lake in enumerate(lakes)})
    yield made
    made.close()


def _walk(catalog: Catalog, query: Search) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for _ in range(200):
        page = catalog.search(OPERATOR, query)
        found += names(page.documents)
        if page.next is None:
            return found
        query = replace(query, token=page.next)
    raise AssertionError("pages without end")


def test_pages_over_three_sources_give_what_one_would(catalog: Catalog, lakes: list[Lake]) -> None:
    @settings(
        derandomize=True,
        deadline=None,
        max_examples=40,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(items=unique_items(12), where=st.lists(st.integers(1, 7), min_size=12, max_size=12), query=searches)
    def check(items: list[Document], where: list[int], query: Search) -> None:
        for n, lake in enumerate(lakes):
            for name in COLLECTIONS:
                lake.remove_collection(OPERATOR, name)
                lake.put_collection(OPERATOR, plain_collection(name))
            lake.put_items(OPERATOR, [item for item, bits in zip(items, where, strict=False) if bits >> n & 1])
        wanted = [(item["collection"], item["id"]) for item in brute_force.found(items, query)]
        # A source of which no item has a property cannot be asked for it: those that have it answer.
        if query.filter is None:
            assert _walk(catalog, query) == wanted

    check()


def test_an_item_that_two_have_is_shown_once_as_the_first_has_it(catalog: Catalog, lakes: list[Lake]) -> None:
    for n, lake in enumerate(lakes):
        lake.put_items(OPERATOR, [plain_item("a", source=n)])
    page = catalog.search(OPERATOR, Search())
    assert [orjson.loads(one)["properties"]["source"] for one in page.documents] == [0]
    assert [(one.provider, one.state) for one in page.outcomes] == [(f"lake{n}", "ok") for n in range(3)]


def test_new_items_between_pages_never_repeat_or_hide_others(catalog: Catalog, lakes: list[Lake]) -> None:
    for n in range(30):
        lakes[n % 3].put_items(OPERATOR, [plain_item(f"i{n:02d}", datetime=f"2020-01-{n + 1:02d}T00:00:00Z")])
    query, found, number = Search(limit=4), [], 0
    while True:
        page = catalog.search(OPERATOR, query)
        found += names(page.documents)
        if page.next is None:
            break
        query = replace(query, token=page.next)
        lakes[number % 3].put_items(OPERATOR, [plain_item(f"new{number}", datetime="2021-01-01T00:00:00Z")])
        number += 1
    assert found == [("plain", f"i{n:02d}") for n in reversed(range(30))]


def test_a_late_or_broken_source_makes_the_answer_partial(tmp_path: Path, lakes: list[Lake]) -> None:
    lakes[0].put_items(OPERATOR, [plain_item("a")])
    slow, broken = Slow(tmp_path / "slow"), Broken(tmp_path / "broken")
    catalog = Catalog({"good": lakes[0], "slow": slow, "broken": broken}, deadline=0.2)
    began = time.monotonic()
    page = catalog.search(OPERATOR, Search())
    assert time.monotonic() - began < 3
    assert names(page.documents) == [("plain", "a")]
    assert [(one.provider, one.state) for one in page.outcomes] == [
        ("good", "ok"),
        ("slow", "late"),
        ("broken", "failed"),
    ]
    assert "the cable is out" in page.outcomes[2].message
    assert orjson.loads(catalog.collection(OPERATOR, "plain"))["id"] == "plain"
    with pytest.raises(ProviderUnavailable, match="cable"):
        catalog.collection(OPERATOR, "nowhere")
    slow.go.set()
    catalog.close()
    slow.close()
    broken.close()


def test_when_nobody_answers_it_fails(tmp_path: Path) -> None:
    broken = [Broken(tmp_path / str(n)) for n in range(2)]
    catalog = Catalog({"one": broken[0], "two": broken[1]})
    with pytest.raises(ProviderUnavailable, match="cable"):
        catalog.search(OPERATOR, Search())
    catalog.close()
    for one in broken:
        one.close()


def test_what_is_wrong_with_the_question_is_said(catalog: Catalog) -> None:
    with pytest.raises(Invalid, match="nonsense"):
        catalog.search(OPERATOR, Search(sortby=(SortKey("nonsense"),)))
    for token in ("x", "!", "W10", "bnVsbA", "WzEse31d"):
        with pytest.raises(Invalid, match="token"):
            catalog.search(OPERATOR, Search(token=token))


def test_other_questions_over_several_sources(catalog: Catalog, lakes: list[Lake]) -> None:
    lakes[0].put_items(OPERATOR, [plain_item("a", **{"eo:cloud_cover": 1})])
    lakes[1].put_items(OPERATOR, [plain_item("b", gsd=10)])
    lakes[1].put_collection(OPERATOR, plain_collection("only-here"))
    assert catalog.count(OPERATOR, Search()) == 2
    assert orjson.loads(catalog.item(OPERATOR, "plain", "b"))["id"] == "b"
    assert orjson.loads(catalog.collection(OPERATOR, "only-here"))["id"] == "only-here"
    with pytest.raises(NotFound, match="'only-here'"):
        catalog.collection(OPERATOR, "only-her")
    assert {"eo:cloud_cover", "gsd"} <= catalog.queryables(OPERATOR, [])["properties"].keys()
    total, earliest, frequency = catalog.aggregate(
        OPERATOR, Search(), ["total_count", "datetime_min", "collection_frequency"]
    )
    assert (total.value, earliest.value) == (2, "2020-01-01T00:00:00Z")
    assert frequency.buckets == ({"key": "plain", "data_type": "string", "frequency": 2},)
    page = catalog.collections(OPERATOR, CollectionSearch(limit=3))
    more = catalog.collections(OPERATOR, CollectionSearch(limit=3, token=page.next))
    found = [orjson.loads(one)["id"] for one in (*page.documents, *more.documents)]
    assert found == sorted([*COLLECTIONS, "only-here"])


def test_what_is_written_goes_to_the_first_that_takes_it(catalog: Catalog, lakes: list[Lake]) -> None:
    catalog.put_collection(OPERATOR, plain_collection("new"))
    assert catalog.put_items(OPERATOR, [plain_item("a", "new")]) == 1
    assert lakes[0].count(OPERATOR, Search()) == 1
    assert catalog.remove_items(OPERATOR, "new", ["a"]) == 1
    catalog.remove_collection(OPERATOR, "new")
    with pytest.raises(Unsupported, match="takes new items"):
        Catalog({}).put_collection(OPERATOR, plain_collection("new"))


def test_one_source_is_passed_through(lakes: list[Lake]) -> None:
    lakes[0].put_items(OPERATOR, [plain_item("a"), plain_item("b")])
    catalog = Catalog({"lake": lakes[0]})
    assert catalog.search(OPERATOR, Search(limit=1)) == lakes[0].search(OPERATOR, Search(limit=1))
    assert catalog.item(OPERATOR, "plain", "a") == lakes[0].item(OPERATOR, "plain", "a")
    assert catalog.count(OPERATOR, Search()) == 2
    assert catalog.queryables(OPERATOR, ["plain"]) == lakes[0].queryables(OPERATOR, ["plain"])
    assert len(catalog.collections(OPERATOR, CollectionSearch()).documents) == len(COLLECTIONS)
    assert catalog._threads is None
