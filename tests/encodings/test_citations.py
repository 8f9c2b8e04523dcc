"""Citations: each format is read back by rules written here, whatever letters stand in the data's own words."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from terrella.encodings.citations import Cited, bibtex, csl, ris, sentence
from terrella.model.credit import Credit
from terrella.model.extraction import Receipt

HASH = "ab12" * 16
DAY = date(2026, 11, 21)


def receipt(**more: Any) -> Receipt:
    plain = {"request": HASH, "collection": "era5", "version": "v7", "items": (), "bytes_read": 1, "software": "t 1"}
    return Receipt(**(plain | more))  # type: ignore[arg-type]


FULL = Cited(
    receipt(
        licence="CC-BY-4.0",
        attribution="Contains modified Copernicus information.",
        credit=Credit(
            "Hersbach, H. et al. (2018): ERA5 hourly data on single levels",
            "10.24381/cds.adbb2d47",
            "https://doi.org/10.24381/cds.adbb2d47",
            "https://example.com/licence",
            ("ECMWF", "Copernicus {C3S} & co"),
        ),
    ),
    "ERA5: 100% of {it}",
    "https://site.example/ogc/collections/era5/position?coords=POINT(1 2)",
    "Site_1",
    DAY,
)
BARE = Cited(receipt(), "Fields", "https://site.example/x?a=1&b=2", "A site", DAY)


def parsed_bibtex(text: str) -> tuple[str, str, dict[str, str]]:
    """Kind, key and fields of one entry, by BibTeX's rules: braces balance, fields are in braces, commas divide."""
    head = re.fullmatch(r"@(\w+)\{([A-Za-z0-9-]+),\n(.*)\n\}\n", text, re.DOTALL)
    assert head, text
    fields: dict[str, str] = {}
    rest = head[3]
    while rest:
        found = re.match(r"\s*(\w+) = \{", rest)
        assert found, rest
        depth, at = 1, found.end()
        while depth:
            if rest[at] == "\\":
                at += 1
            else:
                depth += (rest[at] == "{") - (rest[at] == "}")
            at += 1
        fields[found[1]] = rest[found.end() : at - 1]
        rest = rest[at:].removeprefix(",")
    return head[1], head[2], fields


def untex(text: str) -> str:
    """What TeX shows of it."""
    for mark, shown in ((r"\textbackslash{}", "\0"), (r"\textasciitilde{}", "~"), (r"\textasciicircum{}", "^")):
        text = text.replace(mark, shown)
    assert not re.search(r"(?<!\\)[&%$#_]", text)
    return re.sub(r"\\([{}&%$#_])", r"\1", text.removeprefix("{").removesuffix("}")).replace("\0", "\\")


def parsed_ris(text: str) -> list[tuple[str, str]]:
    rows = []
    for line in text.removesuffix("\r\n").split("\r\n"):
        found = re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line)
        assert found, line
        rows.append((found[1], found[2]))
    return rows


def test_bibtex_says_all() -> None:
    kind, key, fields = parsed_bibtex(bibtex(FULL))
    assert (kind, key) == ("misc", f"era5-{HASH[:8]}")
    assert untex(fields["title"]) == "ERA5: 100% of {it}"
    assert [untex(one) for one in fields["author"].split(" and ")] == ["ECMWF", "Copernicus {C3S} & co"]
    assert (fields["year"], fields["urldate"]) == ("2018", "2026-11-21")
    assert (fields["doi"], fields["version"]) == ("10.24381/cds.adbb2d47", "v7")
    assert fields["url"] == "https://doi.org/10.24381/cds.adbb2d47"
    assert untex(fields["howpublished"]) == "Site_1"
    assert HASH in fields["note"]
    assert "https://example.com/licence" in untex(fields["note"])


def test_what_is_not_known_is_left_out() -> None:
    _, _, fields = parsed_bibtex(bibtex(BARE))
    assert not {"author", "year", "doi"} & fields.keys()
    assert fields["url"] == "https://site.example/x?a=1&b=2"
    assert {"DOI", "author", "issued", "license"}.isdisjoint(csl(BARE)[0])
    assert {"AU", "PY", "DO"}.isdisjoint(tag for tag, _ in parsed_ris(ris(BARE)))


def test_the_sentence() -> None:
    said = sentence(FULL)
    assert said.startswith("Hersbach, H. et al. (2018): ERA5 hourly data on single levels. https://doi.org/10.24381/")
    assert "Version v7, accessed 2026-11-21 at Site_1. Licence: CC-BY-4.0." in said
    assert said.endswith(f"Request sha256:{HASH}.")
    assert sentence(BARE).startswith("Fields. https://site.example/x?a=1&b=2. Version v7,")


def test_csl_has_names_that_csl_knows() -> None:
    (item,) = csl(FULL)
    known = {"id", "type", "title", "author", "issued", "accessed", "version", "DOI", "URL", "publisher", "license"}
    assert item.keys() <= known | {"note"}  # variables of CSL 1.0.2
    assert item["type"] == "dataset"
    assert item["author"][0] == {"literal": "ECMWF"}
    assert item["issued"] == {"date-parts": [[2018]]}
    assert item["accessed"] == {"date-parts": [[2026, 11, 21]]}
    assert item["DOI"] == "10.24381/cds.adbb2d47"


def test_ris_begins_and_ends_as_it_must() -> None:
    rows = parsed_ris(ris(FULL))
    assert rows[0] == ("TY", "DATA")
    assert rows[-1] == ("ER", "")
    assert ("Y2", "2026/11/21") in rows
    assert [text for tag, text in rows if tag == "AU"] == ["ECMWF", "Copernicus {C3S} & co"]


WORDS = some.text(max_size=60)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(title=WORDS, citation=WORDS, author=WORDS, licence=WORDS, collection=WORDS, address=WORDS)
def test_no_words_break_a_format(
    title: str, citation: str, author: str, licence: str, collection: str, address: str
) -> None:
    made = receipt(collection=collection, licence=licence, credit=Credit(citation, providers=(author,)))
    cited = Cited(made, title, address, title, DAY)
    _, key, fields = parsed_bibtex(bibtex(cited))
    assert key.endswith(HASH[:8])
    plain = " ".join("".join(one if one.isprintable() else " " for one in title).split())
    assert untex(fields["title"]) == plain
    for tag, text in parsed_ris(ris(cited)):
        assert text.isprintable(), tag
    assert csl(cited)[0]["title"] == plain if plain else "title" not in csl(cited)[0]
    assert "\n" not in sentence(cited)


@pytest.mark.parametrize("text", ["1066 was long ago", "no year", "pages 12345"])
def test_only_years_of_our_time_are_years(text: str) -> None:
    assert Cited(receipt(credit=Credit(text)), "T", "https://x", "S", DAY).year == ""
