"""Variables as CoverageJSON and EDR describe them: observed property, unit, categories."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.model.parameters import canonical_units

if TYPE_CHECKING:
    from collections.abc import Mapping

UCUM = "http://www.opengis.net/def/uom/UCUM/"
STANDARD_NAMES = "http://vocab.nerc.ac.uk/standard_name/"

# Word of a unit -> UCUM symbol, where they differ (https://ucum.org/ucum, tables 1 to 5).
_SYMBOLS = {
    "degC": "Cel",
    "degree": "deg",
    "degrees_north": "deg",
    "degrees_east": "deg",
    "degree_north": "deg",
    "degree_east": "deg",
    "day": "d",
    "days": "d",
    "hour": "h",
    "hours": "h",
    "minutes": "min",
    "minute": "min",
    "psu": "1",
    "radian": "rad",
    "radians": "rad",
    "joule": "J",
    "watt": "W",
    "gram": "g",
    "grams": "g",
    "knot": "[kn_i]",
    "unitless": "1",
}
_SAME = frozenset(
    {
        "K",
        "m",
        "km",
        "cm",
        "mm",
        "um",
        "nm",
        "s",
        "min",
        "h",
        "d",
        "g",
        "kg",
        "mg",
        "ug",
        "Pa",
        "hPa",
        "kPa",
        "bar",
        "%",
    }
    | {"J", "kJ", "MJ", "W", "kW", "mW", "N", "mol", "Hz", "sr", "rad", "V", "A", "L", "dB", "1", "%"}
)
_FACTOR = re.compile(r"(?P<word>[A-Za-z_°%]+|1)(?P<power>[+-]?\d+)?")


def ucum(units: str) -> str | None:
    """A unit as udunits or ecCodes write it ('m s**-1', 'kg m-2 s-1', 'W/m2') as a UCUM symbol; None where unsure."""
    made = []
    for factor in canonical_units(units).split(" "):
        found = _FACTOR.fullmatch(factor)
        word = found["word"] if found else ""
        if found is None or (word not in _SYMBOLS and word not in _SAME):
            return None
        made.append(_SYMBOLS.get(word, word) + (found["power"] or ""))
    return ".".join(made)


def parameter(name: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """A variable, by its CF attributes, as a CoverageJSON Parameter."""
    made: dict[str, Any] = {"type": "Parameter", "observedProperty": observed_property(name, attrs)}
    description = str(attrs.get("comment") or attrs.get("long_name") or "").strip()
    if description:
        made["description"] = {"en": description}
    if codes := categories(attrs):
        made["observedProperty"]["categories"] = [
            {"id": str(code), "label": {"en": meaning}} for code, meaning in codes.items()
        ]
        made["categoryEncoding"] = {str(code): code for code in codes}
    elif found := unit(str(attrs.get("units", ""))):
        made["unit"] = found
    return made


def observed_property(name: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What is measured: the CF standard name where there is one."""
    standard = str(attrs.get("standard_name", "")).split(" ")[0]
    label = str(attrs.get("long_name") or standard.replace("_", " ") or name).strip() or name
    return ({"id": f"{STANDARD_NAMES}{standard}/"} if standard else {}) | {"label": {"en": label}}


def unit(units: str) -> dict[str, Any] | None:
    """A unit with its own text as label and its UCUM symbol where we know it."""
    text = units.strip()
    if not text:
        return None
    symbol = ucum(text)
    return {"label": {"en": text}} | ({"symbol": {"value": symbol, "type": UCUM}} if symbol else {})


def categories(attrs: Mapping[str, Any]) -> dict[int, str]:
    """CF flags: integer value to meaning; empty where the variable has none or its values are no integers."""
    if "flag_values" not in attrs or "flag_meanings" not in attrs:
        return {}
    given, said = attrs["flag_values"], attrs["flag_meanings"]
    values = np.atleast_1d(np.asarray(given.replace(",", " ").split() if isinstance(given, str) else given))
    meanings = said.split() if isinstance(said, str) else [str(one) for one in said]
    try:
        numbers = [float(str(value).rstrip("bBsSlLuU")) for value in values.tolist()]
    except ValueError:
        return {}
    if len(numbers) != len(meanings) or any(number != int(number) for number in numbers):
        return {}
    return {int(number): meaning.replace("_", " ") for number, meaning in zip(numbers, meanings, strict=True)}
