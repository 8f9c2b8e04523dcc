"""The one table of parameters: GRIB/MARS ids and short names, CF standard names, and the names of everyday use.

`data/parameters.tsv.gz` is built by `scripts/build_parameters.py` from ecCodes' definitions, and read when first
asked for.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of ECMWF's database; `units` as CF writes them ('m s-1'), '' where it has none to speak of."""

    id: int
    short_name: str
    name: str
    units: str
    cf_standard_name: str = ""
    cf_var_name: str = ""
    """Name of the variable in NetCDF files made by CF tools, e.g. 't2m' for '2t'."""
    height: float | None = None
    """Metres above ground, where that is part of the parameter: 2 for '2t'."""
    method: str = ""
    """What was done over time, where that is part of the parameter: 'maximum', 'minimum', 'mean', 'sum'."""
    aliases: tuple[str, ...] = ()
    """Other names in wide use, mostly CMIP's: 'tas' for '2t'."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every word that names it, without repetition, the most usual first."""
        all_names = (self.short_name, str(self.id), self.cf_var_name, *self.aliases, self.cf_standard_name, self.name)
        return tuple(dict.fromkeys(name for name in all_names if name))


@cache
def _table() -> dict[int, Parameter]:
    packed = files("terrella.model").joinpath("data/parameters.tsv.gz").read_bytes()
    rows = gzip.decompress(packed).decode().splitlines()[1:]
    return {parameter.id: parameter for parameter in map(_parameter, rows)}


def _parameter(row: str) -> Parameter:
    identity, short, name, units, standard, variable, height, method, aliases = row.split("\t")
    return Parameter(
        int(identity),
        short,
        name,
        canonical_units(units),
        standard,
        variable,
        float(height) if height else None,
        method,
        tuple(aliases.split()),
    )


# How one may name a parameter, in the order in which they are tried.
_WAYS: tuple[Callable[[Parameter], Iterable[str]], ...] = (
    lambda p: (p.short_name,),
    lambda p: (p.cf_var_name,),
    lambda p: p.aliases,
    lambda p: (p.cf_standard_name,),
    lambda p: (p.name,),
)


@cache
def _index(way: int, folded: bool) -> dict[str, tuple[Parameter, ...]]:  # noqa: FBT001 -- private, cached by it
    found: dict[str, list[Parameter]] = {}
    for parameter in _table().values():
        for name in _WAYS[way](parameter):
            if name:
                found.setdefault(name.casefold() if folded else name, []).append(parameter)
    return {name: tuple(parameters) for name, parameters in found.items()}


def all_parameters() -> tuple[Parameter, ...]:
    """The whole table, by id."""
    return tuple(_table().values())


def by_id(identity: int) -> Parameter | None:
    """The parameter of a GRIB `paramId`."""
    return _table().get(identity)


def find(name: str | int) -> tuple[Parameter, ...]:
    """Parameters of a name: id (167, '167', 'param=167', '128.167', '167.128'), short name, CF or everyday name, title.

    The first of these ways that knows the name decides, spelled exactly before spelled in another case; () where none
    does. One name may mean several: 'air_temperature' is 't' as well as '2t'.
    """
    text = str(name).strip()
    identity = _identity(text)
    if identity is not None:
        return tuple(filter(None, [by_id(identity)]))
    for folded in (False, True):
        key = text.casefold() if folded else text
        for way in range(len(_WAYS)):
            if key in (index := _index(way, folded)):
                return index[key]
    return ()


def _identity(text: str) -> int | None:
    """MARS writes a parameter as 167, 167.128 (number.table) or 228028, 28.228."""
    found = re.fullmatch(r"(?:param\s*=\s*)?(\d{1,9})(?:\.(\d{1,3}))?", text)
    if not found:
        return None
    number, table = int(found[1]), int(found[2] or 128)
    return number if table == 128 else table * 1000 + number


def for_cf(standard_name: str, units: str = "", *, height: float | None = None, method: str = "") -> Parameter | None:
    """The parameter of a CF variable; None where the table has none, or none that its units fit.

    `height` is the variable's single height above ground in metres, if it has one, `method` what its cell_methods do
    over time ('maximum', ...). A parameter tied to a height or a method is only given to a variable that has it.
    """
    known = _index(3, False).get(standard_name, ())
    fitting = [each for each in known if not units or measures_same(each.units, units)]
    exact = [each for each in fitting if each.height == height and each.method == method]
    bare = [each for each in fitting if each.height is None and each.method == ("sum" if method == "sum" else "")]
    unspecific = [each for each in fitting if each.height is None and each.method in {"", "sum"}]
    for choice in (exact, bare if height is None else [], unspecific if height is None and not method else []):
        if choice:
            return min(choice, key=lambda each: (not each.aliases, each.id))
    return None


def measures_same(one: str, other: str) -> bool:
    """Whether units measure the same thing, as far as the parameters that we know need it."""
    ours, theirs = canonical_units(one), canonical_units(other)
    return ours == theirs or any({ours, theirs} <= group for group in _SAME_QUANTITY)


_SAME_QUANTITY: tuple[frozenset[str], ...] = (
    frozenset({"K", "degC"}),
    frozenset({"Pa", "hPa"}),
    frozenset({"1", "%"}),
    frozenset({"m", "mm", "cm", "km"}),
    frozenset({"degree", "degrees"}),
    frozenset({"kg kg-1", "1", "g kg-1"}),
    frozenset({"m2 s-2", "J kg-1"}),
    frozenset({"m", "gpm"}),
    frozenset({"m s-1", "knot", "km h-1"}),
)

_SPELLINGS = {
    "(0 - 1)": "1",
    "(0-1)": "1",
    "dimensionless": "1",
    "numeric": "1",
    "proportion": "1",
    "fraction": "1",
    "~": "",
    "percent": "%",
    "kelvin": "K",
    "degk": "K",
    "celsius": "degC",
    "c": "degC",
    "°c": "degC",
    "deg c": "degC",
    "degrees c": "degC",
    "degree_c": "degC",
    "degrees_c": "degC",
    "deg_c": "degC",
    "degree_celsius": "degC",
    "degrees_celsius": "degC",
    "degree true": "degree",
    "degrees": "degree",
    "deg": "degree",
    "deg true": "degree",
    "millibar": "hPa",
    "mb": "hPa",
    "mbar": "hPa",
    "pascal": "Pa",
    "meter": "m",
    "metre": "m",
    "meters": "m",
    "metres": "m",
    "knots": "knot",
    "kt": "knot",
    "m of water equivalent": "m",
    "seconds": "s",
    "second": "s",
}


_FACTOR = r"(?:[A-Za-z_%°µ]+(?:(?:\*\*|\^)?[+-]?\d+)?|1)"
_PRODUCT = re.compile(rf"{_FACTOR}(?:(?:\s*[./*]\s*|\s+){_FACTOR})*")


@cache
def canonical_units(text: str) -> str:
    """Units in one spelling: 'm s**-1', 'm/s', 'm.s^-1' and 'm s-1' are all 'm s-1'. What is no product stays."""
    plain = " ".join(text.split())
    if plain.casefold() in _SPELLINGS:
        return _SPELLINGS[plain.casefold()]
    if plain.casefold().startswith(("(code table", "code table")):
        return ""
    slashed = plain.replace(" per ", "/")
    if not _PRODUCT.fullmatch(slashed) or re.search(r"\bsince\b", plain):
        return plain
    numerator, *denominators = re.split(r"\s*/\s*", slashed)
    factors = _factors(numerator)
    for each in denominators:
        (name, power), *rest = _factors(each)
        factors += [(name, -power), *rest]
    return " ".join(_written(factor) for factor in factors if factor[0] != "1") or "1" * bool(plain)


def _factors(text: str) -> list[tuple[str, int]]:
    """('m', 1), ('s', -1) of 'm s-1'."""
    parts = re.findall(r"([A-Za-z_%°µ]+|1)(?:\*\*|\^)?([+-]?\d+)?", text)
    return [(name, int(power or 1)) for name, power in parts]


def _written(factor: tuple[str, int]) -> str:
    name, power = factor
    known = _SPELLINGS.get(name.casefold(), name) if len(name) > 1 else name
    return known if power == 1 else f"{known}{power}"
