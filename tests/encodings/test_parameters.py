from __future__ import annotations

import pytest

from terrella.encodings.parameters import categories, parameter, ucum


@pytest.mark.parametrize(
    ("units", "symbol"),
    [
        ("K", "K"),
        ("m s**-1", "m.s-1"),
        ("m s-1", "m.s-1"),
        ("m/s", "m.s-1"),
        ("kg m**-2 s**-1", "kg.m-2.s-1"),
        ("W m-2", "W.m-2"),
        ("degC", "Cel"),
        ("%", "%"),
        ("1", "1"),
        ("hPa", "hPa"),
        ("days since 1970-01-01", None),
        ("furlongs", None),
        ("", None),
    ],
)
def test_units(units: str, symbol: str | None) -> None:
    assert ucum(units) == symbol


@pytest.mark.parametrize(
    ("values", "meanings", "found"),
    [
        ([0, 1], "sea land", {0: "sea", 1: "land"}),
        ("0b, 1b", "sea dry_land", {0: "sea", 1: "dry land"}),
        ([0.5, 1], "a b", {}),
        ([1], "a b", {}),
        (["x"], "a", {}),
    ],
)
def test_flags(values, meanings, found) -> None:
    assert categories({"flag_values": values, "flag_meanings": meanings}) == found


def test_a_bare_variable_has_a_label() -> None:
    assert parameter("tas", {}) == {"type": "Parameter", "observedProperty": {"label": {"en": "tas"}}}
