"""Free text: what is found, and that nothing of the user's is taken as syntax of the index."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import CollectionSearch, Search
from terrella.providers.lake import Lake
from terrella.providers.lake.text import expression
from terrella.testing.catalog import names, plain_item

TITLES = {
    "a": "Sea ice concentration of the Arctic",
    "b": "Ice sheets and the sea level",
    "c": "Température de l'océan",
    "d": "Soil moisture, daily",
}


@pytest.fixture
def titled(lake: Lake) -> Lake:
    items = [plain_item(name, title=title) for name, title in TITLES.items()]
    items.append(plain_item("S2A_MSIL2A_20240101", providers=[{"name": "ESA"}], keywords=["optical", "Küste"]))
    lake.put_items(OPERATOR, items)
    return lake


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (("sea ice",), "ab"),
        (('"sea ice"',), "a"),
        (("sea AND level",), "b"),
        (("concentration OR moisture",), "ad"),
        (("concentration, moisture",), "ad"),
        (("concentration", "moisture"), "ad"),
        (("ice -sheets",), "a"),
        (("ice NOT sheets",), "a"),
        (("+ice +arctic",), "a"),
        (("(level OR arctic) ice",), "ab"),
        (("ice (level OR (arctic)) sea",), "ab"),
        (("SHEET",), "b"),
        (("temperature ocean",), "c"),
        (("moisture,",), "d"),
        (("msil2a",), "S"),
        (("S2A_MSIL2A_20240101",), "S"),
        (("esa",), "S"),
        (("kuste",), "S"),
        (("nothing-like-it",), ""),
        (("and",), "b"),
        (("near",), ""),
        (("ice)", "(moisture"), "abd"),
        (('"sea ice',), "a"),
    ],
)
def test_what_is_found(titled: Lake, terms: tuple[str, ...], wanted: str) -> None:
    page = titled.search(OPERATOR, Search(text=terms, limit=100))
    assert "".join(sorted(name[0] for _, name in names(page.documents))) == "".join(sorted(wanted))


@pytest.mark.parametrize("terms", [("",), ("   ",), ("***",), ('""',), ("-ice",), ("(" * 30 + "a",), ("a " * 200,)])
def test_what_says_nothing_is_invalid(terms: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as caught:
        expression(terms)
    assert caught.value.parameter == "q"


def test_no_text_is_an_error_of_the_database(titled: Lake) -> None:
    awkward = st.text(alphabet="ab \"'()*:^-+,{}\\ANDORT.\0ü雪", max_size=20)

    @settings(derandomize=True, deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
    @given(terms=st.lists(awkward, min_size=1, max_size=3).map(tuple))
    def check(terms: tuple[str, ...]) -> None:
        try:
            titled.search(OPERATOR, Search(text=terms))
            titled.collections(OPERATOR, CollectionSearch(text=terms))
        except Invalid:
            pass

    check()
