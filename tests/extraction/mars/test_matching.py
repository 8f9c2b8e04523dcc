"""Which variables a request means. The documents are written by hand as the catalogue writes them."""

from __future__ import annotations

from typing import Any

import pytest

from terrella.errors import Invalid
from terrella.extraction.mars import matched, parse_request


def document(name: str, **variables: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "cube:variables": {key: {"type": "data", "dimensions": []} | one for key, one in variables.items()},
    }


def of(cls: str, stream: str, kind: str, levtype: str, param: str, **more: str) -> dict[str, Any]:
    words = {"class": cls, "stream": stream, "type": kind, "levtype": levtype, "param": param} | more
    return {f"mars:{key}": value for key, value in words.items()}


ERA5 = document("era5", **{"2t": of("ea", "oper", "an", "sfc", "167"), "msl": of("ea", "oper", "an", "sfc", "151")})
LEVELS = document("era5-levels", t=of("ea", "oper", "an", "pl", "130"))
ENSEMBLE = document("ens", t=of("od", "enfo", "cf/pf", "pl", "130"), **{"2t": of("od", "enfo", "cf/pf", "sfc", "167")})
TWIN = document("twin", **{"2t": of("d1", "clte", "fc", "sfc", "2t", dataset="climate-dt", model="icon")})
PLAIN = document("plain", tas={"standard_name": "air_temperature", "mars:param": "167"})
ALL = [ERA5, LEVELS, ENSEMBLE, TWIN, PLAIN]


def ask(**words: Any) -> dict[str, tuple[str, ...]]:
    return matched(parse_request({"class" if key == "cls" else key: value for key, value in words.items()}), ALL)


@pytest.mark.parametrize("param", ["2t", 167, "167", "167.128", "2T", "t2m", "tas"])
def test_every_name_of_one_parameter(param: object) -> None:
    assert ask(cls="ea", param=param) == {"era5": ("2t",)}
    assert ask(cls="d1", param=param) == {"twin": ("2t",)}


def test_keys_choose_the_collection() -> None:
    assert ask(cls="ea", levtype="pl") == {"era5-levels": ("t",)}
    assert ask(cls="od", type="pf", param="t/2t") == {"ens": ("t", "2t")}
    assert ask(cls="d1", dataset="climate-dt", model="ICON") == {"twin": ("2t",)}
    assert ask(cls="ea", param="msl/t") == {"era5": ("msl",), "era5-levels": ("t",)}


def test_what_says_nothing_of_a_key_yields_to_what_does() -> None:
    assert "plain" not in ask(cls="ea", param="2t")
    assert matched(parse_request({"class": "ea", "param": "2t"}), [PLAIN]) == {"plain": ("tas",)}


def test_lists_and_all() -> None:
    assert set(ask(cls="ea/d1", param=167)) == {"era5", "twin"}
    assert set(ask(cls="ALL", param=167)) == {"era5", "ens", "twin"}


def test_what_is_not_there_names_what_is() -> None:
    with pytest.raises(Invalid, match="d1, ea, od"):
        ask(cls="xx")
    with pytest.raises(Invalid, match="enfo"):
        ask(cls="od", stream="oper")
    with pytest.raises(Invalid, match="msl"):
        ask(cls="ea", param="mls")
    with pytest.raises(Invalid, match="no cube"):
        matched(parse_request({}), [{"id": "scenes"}])
