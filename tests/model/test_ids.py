"""Ids: what may be one, and how text becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.model.ids import collection_id, distinct, slug


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=300))
def test_a_slug_is_always_an_id(text: str) -> None:
    assert collection_id(slug(text))


@pytest.mark.parametrize("text", ["", "../x", "a/b", "a b", ".hidden", "a..b", "x" * 300, "\x00", "%2e%2e"])
def test_path_tricks_are_no_ids(text: str) -> None:
    with pytest.raises(Invalid):
        collection_id(text)


def test_names_are_told_apart() -> None:
    assert distinct("a", {"a", "a-2"}) == "a-3"
    assert distinct("a", set()) == "a"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Malmö Düsseldorf", "malmo-dusseldorf"),
        ("Łódź", "lodz"),
        ("Île-de-France é", "ile-de-france-e"),
        ("Straße Ærø Þór", "strasse-aero-thor"),
        ("2 m temperature", "2-m-temperature"),
        ("T₂ ﬁeld", "t2-field"),
        ("tas_Amon.v2", "tas_amon.v2"),
        ("ZÜRICH", "zurich"),
        ("\u2026", "data"),
    ],
)
def test_latin_letters_lose_their_marks(text: str, made: str) -> None:
    assert slug(text) == made


def test_names_in_other_scripts_stay_apart() -> None:
    names = ["気温", "降水量", "Температура", "Давление", "θερμοκρασία", "Nordsee 気温", "Nordsee 降水量", "حرارة"]
    made = [slug(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(one.startswith("nordsee-") for one in made[5:7])
    assert slug("é") == slug("e\u0301") == "e"  # one letter, written in two ways
    assert slug("Й") == slug("И\u0306")


def test_long_names_stay_apart() -> None:
    one, other = slug("x" * 200 + "1"), slug("x" * 200 + "2")
    assert one != other
    assert len(one) == len(other) == 120


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1), unique=True))
def test_different_words_of_another_script_have_different_ids(words: list[str]) -> None:
    assert len({slug(word) for word in words}) == len(words)
