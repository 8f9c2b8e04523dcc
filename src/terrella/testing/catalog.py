"""What every provider that searches and registers must do.

    class TestLake(CatalogSuite):
        provider = "terrella.providers.lake:Lake"

The provider is made with a folder as its only argument, in several processes at once for some of the tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrella.contracts.providers import Lists
from terrella.errors import Invalid, NotFound
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Search, SortKey
from terrella.model.space import Extent
from terrella.testing import brute_force
from terrella.testing.catalog_strategies import COLLECTIONS, searches, unique_items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terrella.contracts.providers import Registers, Searches
    from terrella.model.stac import Document

    class Catalogue(Searches, Registers):
        """What is tested."""

        def close(self) -> None: ...


_SEARCHING = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_ROUNDS = 3
_WRITERS = 2


def plain_item(name: str, collection: str = "plain", /, **properties: Any) -> Document:
    """An ordinary item: a box somewhere in Europe, in 2020 unless told otherwise."""
    ring = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"datetime": "2020-01-01T00:00:00Z", **properties},
        "links": [],
        "assets": {},
    }


def plain_collection(name: str, **members: Any) -> Document:
    """A collection of the whole Earth and all times."""
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": name,
        "description": name,
        "license": "other",
        "extent": extent,
        "links": [],
        **members,
    }


def names(documents: tuple[bytes, ...]) -> list[tuple[str, str]]:
    """Collection and id of each document."""
    return [(found["collection"], found["id"]) for found in map(orjson.loads, documents)]


class CatalogSuite:
    """Subclass, and say what makes the provider."""

    provider: ClassVar[str]
    """'module:Class'."""

    def make(self, folder: Path) -> Catalogue:
        module, _, name = self.provider.partition(":")
        made: Catalogue = getattr(import_module(module), name)(folder)
        return made

    @contextmanager
    def opened(self) -> Iterator[Catalogue]:
        """A fresh provider that has `COLLECTIONS` and no items."""
        with tempfile.TemporaryDirectory() as folder:
            provider = self.make(Path(folder))
            try:
                for name in COLLECTIONS:
                    provider.put_collection(OPERATOR, plain_collection(name))
                yield provider
            finally:
                provider.close()

    # --- searching -------------------------------------------------------------------------------------------------

    def test_search_finds_what_brute_force_finds(self) -> None:
        @_SEARCHING
        @given(items=unique_items(12), queries=st.lists(searches, min_size=1, max_size=6))
        def check(items: list[Document], queries: list[Search]) -> None:
            _refill(provider, items)
            for query in queries:
                wanted = _keys(brute_force.found(items, query))
                assert walk(provider, query) == wanted
                assert provider.count(OPERATOR, query) == len(wanted)
                page = provider.search(OPERATOR, replace(query, limit=100))
                assert page.matched in {None, len(wanted)}

        with self.opened() as provider:
            check()

    def test_values_of_mixed_types_sort_with_nulls_last(self) -> None:
        @_SEARCHING
        @given(items=unique_items(12), descending=st.booleans())
        def check(items: list[Document], *, descending: bool) -> None:
            items = [*items, plain_item("z", **{"test:mixed": "z"})]
            query = Search(sortby=(SortKey("test:mixed", descending),), limit=2)
            _refill(provider, items)
            assert walk(provider, query) == _keys(brute_force.found(items, query))

        with self.opened() as provider:
            check()

    def test_pages_give_every_item_once_while_others_come(self) -> None:
        @_SEARCHING
        @given(items=unique_items(8), extra=unique_items(8), sorts=searches)
        def check(items: list[Document], extra: list[Document], sorts: Search) -> None:
            there = _keys(brute_force.ordered(items, sorts.sortby))
            more = [item for item in extra if (item["collection"], item["id"]) not in there]
            _refill(provider, items)
            got, query = [], Search(sortby=sorts.sortby, limit=2)
            while True:
                page = provider.search(OPERATOR, query)
                got += names(page.documents)
                if page.next is None:
                    break
                provider.put_items(OPERATOR, [more.pop()] if more else [])
                query = replace(query, token=page.next)
            assert [name for name in got if name in there] == there
            assert len(got) == len(set(got))

        with self.opened() as provider:
            check()

    def test_documents_come_back_as_they_were_put(self) -> None:
        item = plain_item("ünïcode ✓", note='a "quoted" text\n', nested={"a": [1, {"b": None}]}, big=2**63 - 1)
        with self.opened() as provider:
            provider.put_items(OPERATOR, [item])
            assert orjson.loads(provider.item(OPERATOR, "plain", "ünïcode ✓")) == item
            assert orjson.loads(provider.search(OPERATOR, Search()).documents[0]) == item

    def test_thousands_of_ids(self) -> None:
        wanted = tuple(f"i{n}" for n in range(5000))
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("i7"), plain_item("i7", "Küste"), plain_item("j7")])
            assert walk(provider, Search(ids=wanted)) == [("Küste", "i7"), ("plain", "i7")]

    def test_a_box_over_the_antimeridian_finds_an_item_once(self) -> None:
        item = plain_item("across")
        east = [[[170, 0], [180, 0], [180, 5], [170, 5], [170, 0]]]
        west = [[[-180, 0], [-170, 0], [-170, 5], [-180, 5], [-180, 0]]]
        item["geometry"] = {"type": "MultiPolygon", "coordinates": [east, west]}
        with self.opened() as provider:
            provider.put_items(OPERATOR, [item])
            for box, there in (((175, 0, -175, 1), 1), ((-180, -90, 180, 90), 1), ((-160, 0, 160, 5), 0)):
                assert len(walk(provider, Search(bbox=Extent(*map(float, box))))) == there

    # --- what is refused -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("token", ["x", "", "W10", "WzEsMiwzXQ", "a" * 10_000, "ü", "bnVsbA", "e30", "W251bGxd"])
    def test_a_token_that_is_none_is_invalid(self, token: str) -> None:
        with self.opened() as provider, pytest.raises(Invalid, match="token"):
            provider.search(OPERATOR, Search(token=token or "!"))

    def test_a_token_of_another_order_is_invalid(self) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a"), plain_item("b")])
            token = provider.search(OPERATOR, Search(limit=1)).next
            with pytest.raises(Invalid, match="token"):
                provider.search(OPERATOR, Search(limit=1, token=token, sortby=(SortKey("id"),)))

    @pytest.mark.parametrize(
        "node",
        [
            {"op": "=", "args": [{"property": "eo:cloud_covr"}, 1]},
            {"op": "=", "args": [{"property": "x' or 1=1 --"}, 1]},
            {"op": "=", "args": [{"property": '$."a"'}, 1]},
            {"op": "<", "args": [{"property": "eo:cloud_cover"}, "ten"]},
            {"op": "like", "args": [{"property": "eo:cloud_cover"}, "1%"]},
            {"op": "=", "args": [{"property": "datetime"}, 7]},
            {"op": "=", "args": [{"property": "datetime"}, "yesterday"]},
            {"op": "=", "args": [{"property": "eo:cloud_cover"}]},
            {"op": "=", "args": [{"property": ["a"]}, 1]},
            {"op": "=", "args": [{"property": "eo:cloud_cover"}, float("nan")]},
            {"op": "=", "args": [{"property": "eo:cloud_cover"}, {"a": 1}]},
            {"op": "drop table", "args": []},
            {"op": "and", "args": []},
            {"op": "and", "args": 7},
            {"op": ["and"], "args": []},
            {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point"}]},
            {"op": "s_intersects", "args": [{"property": "eo:cloud_cover"}, {"type": "Point", "coordinates": [0, 0]}]},
            {"op": "s_within", "args": [{"property": "geometry"}, {"bbox": [0, 1]}]},
            {"op": "t_after", "args": [{"property": "datetime"}, {"interval": ["x", "y"]}]},
            {"op": "t_after", "args": [{"property": "datetime"}, {"interval": ["2020-01-01"]}]},
            {"op": "in", "args": [{"property": "eo:cloud_cover"}, 3]},
            {"op": "a_contains", "args": [{"property": "eo:cloud_cover"}, [3]]},
            {"property": "eo:cloud_cover"},
            {},
            [],
            "text",
            7,
        ],
    )
    def test_a_filter_that_cannot_be_is_invalid(self, node: Any) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a", **{"eo:cloud_cover": 1})])
            for whole in (node, {"op": "not", "args": [node]}):
                with pytest.raises(Invalid):
                    provider.search(OPERATOR, Search(filter=whole))

    @pytest.mark.parametrize("text", ["\ud800", "\0", "'", "%", "x" * 100_000])
    def test_texts_that_no_client_should_send(self, text: str) -> None:
        node = {"op": "or", "args": [{"op": op, "args": [{"property": "id"}, text]} for op in ("=", "like")]}
        queries = [
            Search(ids=(text,)),
            Search(ids=(text, "a")),
            Search(collections=(text,)),
            Search(text=(f"a {text}",)),
            Search(filter=node),
            Search(filter={"op": "=", "args": [{"property": text}, 1]}),
            Search(sortby=(SortKey(text),)),
            Search(sortby=(SortKey("id"),) * 2000),
            Search(token=text),
            Search(limit=-1),
        ]
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a")])
            for query in queries:
                with suppress(Invalid):
                    provider.search(OPERATOR, query)
            with pytest.raises((Invalid, NotFound)):
                provider.item(OPERATOR, text, text)
            with pytest.raises((Invalid, NotFound)):
                provider.collection(OPERATOR, text)
            assert provider.remove_items(OPERATOR, "plain", [text]) == 0

    def test_unknown_properties_are_named_with_the_nearest(self) -> None:
        node = {"op": "=", "args": [{"property": "eo:cloud_covr"}, 1]}
        with self.opened() as provider:
            for query in (Search(filter=node), Search(sortby=(SortKey("eo:cloud_covr"),))):
                with pytest.raises(Invalid, match="eo:cloud_cover'"):
                    provider.search(OPERATOR, query)

    def test_deep_and_wide_filters(self) -> None:
        node: Document = {"op": "=", "args": [{"property": "id"}, "a"]}
        wide = {"op": "or", "args": [node] * 2000}
        for _ in range(40):
            node = {"op": "not", "args": [node]}
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a")])
            assert len(walk(provider, Search(filter=node))) == 1
            assert len(walk(provider, Search(filter=wide))) == 1
            for _ in range(100_000):
                node = {"op": "not", "args": [node]}
            with pytest.raises(Invalid, match="50 deep"):
                provider.search(OPERATOR, Search(filter=node))

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"id": ""}, "'id'"),
            ({"id": 7}, "'id'"),
            ({"properties": None}, "'properties'"),
            ({"properties": {"datetime": None}}, "datetime"),
            ({"properties": {"datetime": "tomorrow"}}, "tomorrow"),
            ({"properties": {"datetime": 2020}}, "2020"),
            ({"geometry": {"type": "Point", "coordinates": ["a", 1]}}, "geometry"),
            ({"geometry": {"type": "Point", "coordinates": [float("nan"), 1]}}, "geometry"),
            ({"geometry": {"type": "Pyramid", "coordinates": []}}, "geometry"),
        ],
    )
    def test_items_that_cannot_be_are_refused_with_all_of_their_batch(self, change: Document, why: str) -> None:
        with self.opened() as provider:
            with pytest.raises(Invalid, match=why):
                provider.put_items(OPERATOR, [plain_item("good"), {**plain_item("bad"), **change}])
            assert provider.count(OPERATOR, Search()) == 0

    # --- registering -----------------------------------------------------------------------------------------------

    def test_putting_again_replaces(self) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a", platform="old"), plain_item("b")])
            moved = plain_item("a", platform="new", title="Seaside")
            moved["geometry"] = {"type": "Point", "coordinates": [0.0, 0.0]}
            assert provider.put_items(OPERATOR, [moved]) == 1
            assert provider.count(OPERATOR, Search()) == 2
            assert walk(provider, Search(bbox=Extent(9.0, 49.0, 12.0, 52.0))) == [("plain", "b")]
            assert walk(provider, Search(bbox=Extent(-1.0, -1.0, 1.0, 1.0))) == [("plain", "a")]
            assert walk(provider, Search(text=("seaside",))) == [("plain", "a")]
            assert walk(provider, Search(text=("old",))) == []

    def test_new_and_old_items_in_one_batch(self) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a"), plain_item("b")])
            assert (
                provider.put_items(OPERATOR, [plain_item("c"), plain_item("b"), plain_item("d"), plain_item("c")]) == 3
            )
            assert walk(provider, Search()) == [("plain", name) for name in "abcd"]

    def test_items_of_an_unknown_collection_are_refused_with_all_of_their_batch(self) -> None:
        with self.opened() as provider:
            with pytest.raises(NotFound, match="'plain'"):
                provider.put_items(OPERATOR, [plain_item("a"), plain_item("b", "plane")])
            assert provider.count(OPERATOR, Search()) == 0

    def test_taking_away(self) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a"), plain_item("b"), plain_item("a", "Küste")])
            assert provider.remove_items(OPERATOR, "plain", ["a", "nothing"]) == 1
            assert walk(provider, Search(text=("küste",))) == [("Küste", "a")]
            provider.remove_collection(OPERATOR, "Küste")
            assert walk(provider, Search()) == [("plain", "b")]
            assert walk(provider, Search(bbox=Extent(9.0, 49.0, 12.0, 52.0))) == [("plain", "b")]
            with pytest.raises(NotFound):
                provider.item(OPERATOR, "plain", "a")
            with pytest.raises(NotFound):
                provider.collection(OPERATOR, "Küste")
            with pytest.raises(NotFound):
                provider.remove_collection(OPERATOR, "Küste")

    def test_replacing_a_collection_keeps_its_items(self) -> None:
        with self.opened() as provider:
            provider.put_items(OPERATOR, [plain_item("a")])
            provider.put_collection(OPERATOR, plain_collection("plain", title="Newer"))
            assert orjson.loads(provider.collection(OPERATOR, "plain"))["title"] == "Newer"
            assert walk(provider, Search(collections=("plain",))) == [("plain", "a")]

    def test_collections_are_searched(self) -> None:
        box = {"spatial": {"bbox": [[170, -10, -170, 10]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}}
        with self.opened() as provider:
            provider.put_collection(OPERATOR, plain_collection("fiji", title="Reefs", extent=box))

            def ids(**parts: Any) -> list[str]:
                page = provider.collections(OPERATOR, CollectionSearch(limit=100, **parts))
                return [orjson.loads(document)["id"] for document in page.documents]

            assert ids() == sorted([*COLLECTIONS, "fiji"])
            assert "fiji" not in ids(bbox=Extent(0.0, 0.0, 1.0, 1.0))
            assert "fiji" in ids(bbox=Extent(175.0, 0.0, 176.0, 1.0))
            assert ids(text=("reef",)) == ["fiji"]
            assert ids(filter={"op": "=", "args": [{"property": "title"}, "Reefs"]}) == ["fiji"]
            assert ids(sortby=(SortKey("id", descending=True),)) == sorted([*COLLECTIONS, "fiji"], reverse=True)

    def test_a_list_names_what_a_search_finds_and_its_stamp_tells_of_changes(self) -> None:
        with self.opened() as provider:
            if not isinstance(provider, Lists):
                pytest.skip("It cannot list collections by id.")
            provider.put_collection(OPERATOR, plain_collection("reefs", title="Reefs"))
            for parts in ({}, {"text": ("reef",)}, {"bbox": Extent(0.0, 0.0, 1.0, 1.0)}):
                query = CollectionSearch(limit=100, **parts)
                page = provider.collections(OPERATOR, query)
                found = provider.matching(OPERATOR, query)
                assert {name for name, _ in found.found} == {orjson.loads(one)["id"] for one in page.documents}
            items = dict(found.found)
            for name in COLLECTIONS:
                assert items[name] == provider.count(OPERATOR, Search(collections=(name,)))
            before = provider.matching(OPERATOR, CollectionSearch()).stamp
            assert provider.matching(OPERATOR, CollectionSearch(text=("reef",))).stamp == before
            provider.put_collection(OPERATOR, plain_collection("reefs", title="Corals"))
            assert provider.matching(OPERATOR, CollectionSearch()).stamp != before

    # --- writing together ------------------------------------------------------------------------------------------

    def test_two_writers_and_several_threads(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            writers = [self.make(Path(folder)) for _ in range(_WRITERS)]
            writers[0].put_collection(OPERATOR, plain_collection("plain"))
            errors: list[BaseException] = []

            def work(writer: Catalogue, number: int) -> None:
                try:
                    for n in range(25):
                        writer.put_items(OPERATOR, [plain_item(f"{number}-{n}"), plain_item(f"shared-{n}")])
                except BaseException as error:  # noqa: BLE001 -- shown below
                    errors.append(error)

            threads = [threading.Thread(target=work, args=(writers[n % _WRITERS], n)) for n in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            counts = [writer.count(OPERATOR, Search(bbox=Extent(9.0, 49.0, 12.0, 52.0))) for writer in writers]
            for writer in writers:
                writer.close()
            assert not errors
            assert counts == [6 * 25 + 25] * _WRITERS

    def test_no_acknowledged_item_is_lost_when_writers_are_killed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with_collection = self.make(Path(folder))
            with_collection.put_collection(OPERATOR, plain_collection("plain"))
            with_collection.close()
            told = self._killed(Path(folder))
            provider = self.make(Path(folder))
            try:
                there = {name for _, name in walk(provider, Search(limit=1000))}
                by_place = {name for _, name in walk(provider, Search(bbox=Extent(9.0, 49.0, 12.0, 52.0), limit=1000))}
            finally:
                provider.close()
            assert len(told) > _ROUNDS
            assert told <= there
            assert by_place == there

    def _killed(self, folder: Path) -> set[str]:
        """What writers said that they had kept, before they were killed, two at a time."""
        command = [sys.executable, "-c", _WRITER, self.provider, str(folder), orjson.dumps(plain_item("")).decode()]
        pipe = subprocess.PIPE
        writers = [
            subprocess.Popen([*command, str(n)], stdin=pipe, stdout=pipe, text=True)  # noqa: S603 -- ours
            for n in range(_ROUNDS * _WRITERS)
        ]
        said: list[str] = []
        for at in range(0, len(writers), _WRITERS):
            together = writers[at : at + _WRITERS]
            for writer in together:
                assert writer.stdin is not None
                assert writer.stdout is not None
                assert writer.stdout.readline() == "ready\n"
                print("go", file=writer.stdin, flush=True)
            time.sleep(0.1)
            for writer in together:
                writer.kill()
                said.append(writer.communicate()[0])
        return {line for text in said for line in text.split("\n")[:-1]}


_WRITER = """
import json, sys
from importlib import import_module
from pathlib import Path
from terrella.model.caller import OPERATOR
module, _, name = sys.argv[1].partition(":")
provider = getattr(import_module(module), name)(Path(sys.argv[2]))
item = json.loads(sys.argv[3])
print("ready", flush=True)
input()
for n in range(10**9):
    item["id"] = f"{sys.argv[4]}-{n}"
    provider.put_items(OPERATOR, [item])
    print(item["id"], flush=True)
"""


def _refill(provider: Catalogue, items: list[Document]) -> None:
    """Take everything out, and put these in."""
    for name in COLLECTIONS:
        provider.remove_collection(OPERATOR, name)
        provider.put_collection(OPERATOR, plain_collection(name))
    assert provider.put_items(OPERATOR, items) == len(items)


def _keys(items: list[Document]) -> list[tuple[str, str]]:
    return [(item["collection"], item["id"]) for item in items]


def walk(provider: Searches, query: Search) -> list[tuple[str, str]]:
    """All pages forward, and from the last one all the way back, which must give the same."""
    pages: list[list[tuple[str, str]]] = []
    back: list[list[tuple[str, str]]] = []
    page = provider.search(OPERATOR, query)
    pages.append(names(page.documents))
    while page.next is not None:
        page = provider.search(OPERATOR, replace(query, token=page.next))
        pages.append(names(page.documents))
    while page.prev is not None:
        page = provider.search(OPERATOR, replace(query, token=page.prev))
        back.insert(0, names(page.documents))
    assert [name for part in back for name in part] == [name for part in pages[: len(back)] for name in part]
    return [name for part in pages for name in part]
