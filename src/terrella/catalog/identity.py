"""Which parameter of ECMWF's table a CF variable is: the short name and number that a GRIB field of it bears.

Only what the file says counts. A standard name that stands for a field at 2 m as well as for one on levels needs the
height, be it a coordinate or part of the variable's own name or title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from terrella.model import parameters

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeVariable
    from terrella.model.parameters import Parameter
    from terrella.model.scan import ArrayScan, Axis

_SAID = ("grib:shortName", "grib:paramId", "mars:param", "mars:shortName", "mars:paramId")
_OVER_TIME = re.compile(r"\btime\s*:\s*(?:\w+\s*:\s*)*(\w+)")
_KEEPING = frozenset({"", "mean", "sum", "maximum", "minimum", "mid_range", "median"})
"""Cell methods whose result is a value of the quantity itself."""
_AVERAGES = frozenset({"mean", "median", "mid_range"})
"""A mean over a month is archived as the quantity itself; parameters of means are of one length of time."""
_SHORT = 2
"""Names of so few letters are used for anything: they need a title or a standard name that agrees."""


def identity(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> dict[str, str]:
    """`grib:shortName` and `mars:param`; {} where the variable has them already, or may be several parameters."""
    if any(key in variable.attrs for key in _SAID) or _is_derived(variable):
        return {}
    found = _by_name(variable, axes) or _by_title(variable, axes) or _by_standard_name(variable, axes)
    return {"grib:shortName": found.short_name, "mars:param": str(found.id)} if found else {}


def _is_derived(variable: ArrayScan | CubeVariable) -> bool:
    """Whether it is no value of the quantity, but its spread or a difference from usual."""
    is_anomaly = any("anomal" in _text(variable, key).casefold() for key in ("long_name", "standard_name"))
    return is_anomaly or _method(variable) not in _KEEPING


def _by_name(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> Parameter | None:
    """Names of everyday use: 't2m', 'tas', '2t'."""
    name = variable.name.rsplit("/", 1)[-1]
    for one in parameters.find(name):
        is_named = name in (one.short_name, one.cf_var_name, *one.aliases)
        if is_named and _is_confirmed(one, variable, name) and _fits(one, variable, axes):
            return one
    return None


def _is_confirmed(one: Parameter, variable: ArrayScan | CubeVariable, name: str) -> bool:
    """Whether anything but the name says so."""
    attrs = variable.attrs
    if str(attrs.get("code", "")) == str(one.id):
        return True
    if _text(variable, "standard_name"):
        return _text(variable, "standard_name") == one.cf_standard_name
    if len(name) <= _SHORT and not name[0].isdigit():
        return _text(variable, "long_name").casefold() == one.name.casefold()
    return bool(_text(variable, "units"))


def _by_title(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> Parameter | None:
    """Titles of ECMWF's table: '2 metre temperature'."""
    title = _text(variable, "long_name").casefold()
    named = [one for one in parameters.find(title) if one.name.casefold() == title] if title else []
    standard = _text(variable, "standard_name")
    agreeing = [one for one in named if standard in ("", one.cf_standard_name)]
    return next((one for one in agreeing if _text(variable, "units") and _fits(one, variable, axes)), None)


def _by_standard_name(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> Parameter | None:
    standard, units = _text(variable, "standard_name"), _text(variable, "units")
    if not standard or not units:
        return None
    height, method = _height(variable, axes), _method(variable)
    found = parameters.for_cf(standard, units, height=height) if method in _AVERAGES else None
    found = found or parameters.for_cf(standard, units, height=height, method=method)
    if found is None or (found.height is None and height is None and _needs_height(standard, variable, axes)):
        return None
    return found


def _needs_height(standard: str, variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> bool:
    """Whether the name is that of a field near the ground too, and no axis says that this one lies on levels."""
    is_near_ground = any(
        one.height is not None for one in parameters.find(standard) if one.cf_standard_name == standard
    )
    return is_near_ground and not _levels(variable, axes)


def _fits(one: Parameter, variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> bool:
    """Whether units, height and method, where the variable tells them, are those of the parameter."""
    units, height, method = _text(variable, "units"), _height(variable, axes), _method(variable)
    if units and not parameters.measures_same(one.units, units):
        return False
    if one.height is not None and _levels(variable, axes) and height is None:
        return False
    if height is not None and height != one.height:
        return False
    extremes = {"maximum", "minimum"}
    return not method or method == one.method or not ({method, one.method} & extremes)


def _levels(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> list[Axis]:
    return [axis for axis in axes if axis.kind == "vertical" and axis.name in variable.dims]


def _height(variable: ArrayScan | CubeVariable, axes: Sequence[Axis]) -> float | None:
    """The one height above ground of a variable, in metres."""
    said = variable.attrs.get("height")
    if isinstance(said, int | float):
        return float(said)
    for axis in _levels(variable, axes):
        is_height = axis.attrs.get("standard_name", "") == "height" or axis.name.split("_")[0] == "height"
        if is_height and axis.values.size == 1 and parameters.canonical_units(axis.units) == "m":
            return float(axis.values[0])
    return None


def _method(variable: ArrayScan | CubeVariable) -> str:
    """What its cell_methods say of time: 'mean', 'maximum' ..."""
    found = _OVER_TIME.search(_text(variable, "cell_methods"))
    return found[1] if found and found[1] != "point" else ""


def _text(variable: ArrayScan | CubeVariable, key: str) -> str:
    return str(variable.attrs.get(key, "")).strip()
