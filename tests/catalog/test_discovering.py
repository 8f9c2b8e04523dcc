"""Discovery against brute force: every count, every page, every order, for callers who may see all or some."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from terrella.access.rules import grants_of
from terrella.catalog.cards import Card, card_of
from terrella.catalog.catalog import Catalog
from terrella.catalog.discovering import Discovery
from terrella.errors import Invalid, ProviderUnavailable
from terrella.model.caller import OPERATOR, Caller
from terrella.model.discovery import FACETS, Discovering
from terrella.model.search import CollectionSearch, Page
from terrella.model.space import Extent
from terrella.providers.lake import Lake
from terrella.settings import Rule

RULES = [
    Rule(name="open", collections="license IN ('CC-BY-4.0', 'CC0-1.0')"),
    Rule(name="members", roles=("user",), collections="license = 'OGL-UK-3.0'"),
    Rule(name="known", allow="find", collections="NOT license = 'secret'"),
    Rule(name="experts", roles=("expert",)),
]
_VARIABLES = ["air_temperature", "sea_surface_temperature", "sea_ice_thickness", "runoff_flux", "eastward_wind"]


def document(number: int, rng: random.Random) -> dict[str, Any]:
    names = rng.sample(_VARIABLES, rng.randint(0, 3))
    west, south, year = rng.uniform(-180, 150), rng.uniform(-90, 60), rng.randint(1950, 2020)
    made: dict[str, Any] = {
        "type": "Collection",
        "id": f"c{number:03d}",
        "title": f"{rng.choice(['Global', 'Arctic', 'Alpine'])} set {rng.randint(0, 9)}",
        "description": rng.choice(["monthly means", "hourly ice analysis", "forecast of wind"]),
        "license": rng.choice(["CC-BY-4.0", "CC0-1.0", "OGL-UK-3.0", "proprietary", "secret"]),
        "providers": [{"name": f"Institute, {rng.randint(0, 5)}"}],
        "extent": {
            "spatial": {"bbox": [[west, south, west + 30, south + 30]]},
            "temporal": {"interval": [[f"{year}-01-01T00:00:00Z", f"{year + 3}-01-01T00:00:00Z"]]},
        },
        "links": [],
    }
    if names:
        made["cube:variables"] = {name[:4]: {"type": "data", "standard_name": name} for name in names}
        made["terrella:grid"] = {"kind": "regular", "resolution_m": rng.choice([30, 500, 5_000, 25_000, 90_000])}
    return made


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    rng = random.Random(4)
    with Lake(tmp_path_factory.mktemp("lake")) as made:
        for number in range(150):
            made.put_collection(OPERATOR, document(number, rng))
        properties = {"datetime": "2020-01-01T00:00:00Z"}
        item = {"type": "Feature", "properties": properties, "geometry": None, "assets": {}, "links": []}
        for number in range(0, 150, 3):
            made.put_items(OPERATOR, [item | {"id": "a", "collection": f"c{number:03d}"}])
        yield made


@pytest.fixture(scope="module")
def discovery(lake: Lake) -> Discovery:
    return Discovery(Catalog({"lake": lake}, rules=RULES), RULES)


def caller_with(*roles: str, anonymous: bool = False) -> Caller:
    finds, reads = grants_of(RULES, roles)
    return Caller("anonymous" if anonymous else "somebody", frozenset(roles), finds=finds, reads=reads)


CALLERS = {
    "operator": OPERATOR,
    "anonymous": caller_with("anonymous", anonymous=True),
    "user": caller_with("user"),
    "expert": caller_with("user", "expert"),
}


def brute(lake: Lake, who: str, asked: Discovering) -> tuple[list[Card], dict[str, dict[str, int]]]:
    """Cards that match, and the counts of every facet, one document at a time."""
    caller = CALLERS[who]
    query = CollectionSearch(asked.bbox, asked.interval, text=asked.text, limit=1000)
    page = lake.collections(caller, query)
    cards = [card_of(text)[0] for text in page.documents]

    def values(card: Card, facet: str) -> list[str]:
        number = int(card.id[1:])
        can_be = {"expert": "open", "operator": "open"}.get(who)
        mine = {"CC-BY-4.0", "CC0-1.0"} | ({"OGL-UK-3.0"} if who == "user" else set())
        later = "account" if card.licence == "OGL-UK-3.0" and who == "anonymous" else "request"
        return {
            "theme": list(card.themes),
            "variable": [one.key for one in card.variables],
            "provider": list(card.providers),
            "license": [card.licence],
            "resolution": [card.resolution_class] if card.resolution_class else [],
            "access": [can_be or ("open" if card.licence in mine else later)],
            "has": (["cube"] if card.has_cube else []) + (["items"] if number % 3 == 0 else []),
        }[facet]

    def meets(card: Card, but: str = "") -> bool:
        return all(
            set(values(card, facet)) & set(wanted) for facet, wanted in asked.facets.items() if wanted and facet != but
        )

    counts: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    for facet in FACETS:
        for card in cards:
            for value in values(card, facet) if meets(card, facet) else ():
                counts[facet][value] = counts[facet].get(value, 0) + 1
    return [card for card in cards if meets(card)], counts


QUESTIONS = [
    Discovering(),
    Discovering(text=("ice",)),
    Discovering(bbox=Extent(170, -50, -170, 50)),
    Discovering(facets={"theme": ("ocean", "ice")}),
    Discovering(facets={"theme": ("ocean",), "license": ("CC-BY-4.0", "OGL-UK-3.0"), "has": ("items",)}),
    Discovering(facets={"access": ("account", "request"), "resolution": ("1km-10km", "under-100m")}),
    Discovering(text=("arctic",), facets={"provider": ("Institute, 3",), "variable": ("air_temperature",)}),
]


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("asked", QUESTIONS)
def test_matches_and_counts_are_those_of_one_by_one(
    lake: Lake, discovery: Discovery, who: str, asked: Discovering
) -> None:
    cards, counts = brute(lake, who, asked)
    found = discovery.discover(CALLERS[who], replace(asked, limit=200))
    assert found.matched == len(cards)
    assert {one.card.id for one in found.page} == {card.id for card in cards}
    for facet in FACETS:
        told = {one.value: one.count for one in found.facets[facet] if one.count}
        assert told == counts[facet], facet
    assert not found.left_out
    chosen = {facet: {one.value for one in values if one.is_chosen} for facet, values in found.facets.items()}
    assert all(chosen[facet] == set(values) for facet, values in asked.facets.items())


@pytest.mark.parametrize("sort", ["", "-title", "begin", "-end", "resolution", "-resolution", "items"])
@pytest.mark.parametrize("text", [(), ("arctic",)])
def test_pages_hold_everything_once_in_order(discovery: Discovery, sort: str, text: tuple[str, ...]) -> None:
    asked = Discovering(text=text, sort=sort, limit=7)
    ids: list[str] = []
    while True:
        found = discovery.discover(OPERATOR, asked)
        ids += [one.card.id for one in found.page]
        if found.next is None:
            break
        asked = replace(asked, token=found.next)
        assert len(found.page) == 7
    whole = discovery.discover(OPERATOR, Discovering(text=text, sort=sort, limit=200))
    assert ids == [one.card.id for one in whole.page]
    assert len(ids) == len(set(ids)) == whole.matched
    if sort.endswith("resolution"):
        told = [one.card.resolution for one in whole.page]
        known = [one for one in told if one is not None]
        assert known == sorted(known, reverse=sort.startswith("-"))
        assert all(one is None for one in told[len(known) :])


def test_a_word_in_the_title_comes_first(discovery: Discovery) -> None:
    found = discovery.discover(OPERATOR, Discovering(text=("ice OR arctic",), limit=200))
    is_titled = ["arctic" in one.card.title.casefold() for one in found.page]
    assert True in is_titled
    assert False in is_titled
    assert is_titled == sorted(is_titled, reverse=True)


def test_a_page_after_a_change_goes_on_behind_the_last_one_given(tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        rng = random.Random(1)
        for number in range(6):
            lake.put_collection(OPERATOR, document(number, rng) | {"title": f"t{number}"})
        discovery = Discovery(Catalog({"lake": lake}), ())
        first = discovery.discover(OPERATOR, Discovering(limit=3))
        assert [one.card.title for one in first.page] == ["t0", "t1", "t2"]
        lake.remove_collection(OPERATOR, "c000")
        lake.put_collection(OPERATOR, document(9, rng) | {"title": "t25"})
        second = discovery.discover(OPERATOR, Discovering(limit=3, token=first.next))
        assert [one.card.title for one in second.page] == ["t25", "t3", "t4"]


def test_names_that_everybody_knows_stand_for_standard_names(discovery: Discovery) -> None:
    by_name = discovery.discover(OPERATOR, Discovering(facets={"variable": ("10u",)}))
    by_standard_name = discovery.discover(OPERATOR, Discovering(facets={"variable": ("eastward_wind",)}))
    assert by_name.matched == by_standard_name.matched > 0


class Elsewhere:
    """A source that cannot list by id, and one that fails."""

    def __init__(self, name: str, documents: list[dict[str, Any]], *, fails: bool = False) -> None:
        self.name, self._documents, self._fails = name, documents, fails

    def collections(self, caller: Caller, query: CollectionSearch) -> Page:
        if self._fails:
            raise ProviderUnavailable("elsewhere is down for the night.")
        return Page(tuple(orjson.dumps(one) for one in self._documents), matched=len(self._documents))

    search = collection = item = count = queryables = aggregate = collections


def test_several_sources_answer_together_and_say_how_they_did(lake: Lake) -> None:
    rng = random.Random(9)
    others = [document(number, rng) for number in (149, 900, 901)]
    sources = {"lake": lake, "far": Elsewhere("far", others), "down": Elsewhere("down", [], fails=True)}
    catalog = Catalog(sources)
    try:
        found = Discovery(catalog, ()).discover(OPERATOR, Discovering(limit=200))
    finally:
        catalog.close()
    assert found.matched == 152
    assert sum(one.count for one in found.facets["license"]) == 152
    by_id = {one.card.id: one.provider for one in found.page}
    assert (by_id["c149"], by_id["c900"]) == ("lake", "far")
    titles = [one.card.title.casefold() for one in found.page]
    assert titles == sorted(titles)
    said = {one.provider: (one.state, count) for one, count in found.sources}
    assert said == {"lake": ("ok", 150), "far": ("ok", 2), "down": ("failed", 0)}
    assert "down for the night" in next(one.message for one, _ in found.sources if one.provider == "down")


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        (Discovering(facets={"resolution": ("fine",)}), "resolution"),
        (Discovering(facets={"access": ("open", "mine")}), "access"),
        (Discovering(token="nonsense"), "token"),
        (Discovering(text=("-ice",)), "q"),
    ],
)
def test_what_cannot_be_is_refused(discovery: Discovery, asked: Discovering, parameter: str) -> None:
    with pytest.raises(Invalid) as caught:
        discovery.discover(OPERATOR, asked)
    assert caught.value.parameter == parameter


def test_a_token_of_another_search_is_refused(discovery: Discovery) -> None:
    first = discovery.discover(OPERATOR, Discovering(limit=5))
    with pytest.raises(Invalid, match="not one of this search"):
        discovery.discover(OPERATOR, Discovering(limit=5, text=("ice",), token=first.next))
