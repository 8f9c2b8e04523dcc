"""Which of a cube's variables a name means: its own, its GRIB or CF identity, any name of the same parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from terrella.errors import Invalid, nearest_names
from terrella.model.parameters import find

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.model.parameters import Parameter

_IDENTITIES = ("mars:shortName", "grib:shortName", "mars:param", "grib:paramId", "mars:paramId")
PARAMETER = "parameter-name"
_POINT = re.compile(r"\btime\s*:\s*(?:\w+\s*:\s*)*point\b")


def resolve(cube: Cube, names: Sequence[str]) -> tuple[CubeVariable, ...]:
    """The variables that are meant, each once, in the order asked; all of the cube's where no name is given.

    Raises Invalid for a name that means none, with the nearest names, or several, with these.
    """
    if not names:
        return tuple(cube.variables.values())
    return tuple(dict.fromkeys(_one(cube, name) for name in names))


def _one(cube: Cube, name: str) -> CubeVariable:
    if name in cube.variables:
        return cube.variables[name]
    folded = name.strip().casefold()
    for meant in (_spelled(cube, folded), _said(cube, folded), _parameter(cube, name)):
        if len(meant) == 1:
            return meant[0]
        if meant:
            which = ", ".join(repr(one.name) for one in meant)
            raise Invalid(f"{name!r:.60} means several variables here: {which}. Name one.", parameter=PARAMETER)
    known = {*cube.variables}
    raise Invalid(f"There is no variable {name!r:.60} here. {nearest_names(name[:60], known)}", parameter=PARAMETER)


def _spelled(cube: Cube, folded: str) -> list[CubeVariable]:
    return [one for one in cube.variables.values() if one.name.casefold() == folded]


def _said(cube: Cube, folded: str) -> list[CubeVariable]:
    """Variables whose own attributes say this name; identity before standard name before title."""
    for keys in (_IDENTITIES, ("standard_name",), ("long_name",)):
        found = [one for one in cube.variables.values() if folded in _attributes(one, keys)]
        if found:
            return found
    return []


def _attributes(variable: CubeVariable, keys: Iterable[str]) -> set[str]:
    return {str(variable.attrs[key]).casefold() for key in keys if key in variable.attrs}


def _parameter(cube: Cube, name: str) -> list[CubeVariable]:
    """Variables that are one of the parameters of this name; the first parameter that is here decides."""
    for parameter in find(name):
        found = [one for one in cube.variables.values() if _is(one, parameter)]
        if found:
            return found
    return []


def _is(variable: CubeVariable, parameter: Parameter) -> bool:
    said = _attributes(variable, _IDENTITIES)
    if said:
        return bool(said & {parameter.short_name.casefold(), str(parameter.id)})
    words = {word.casefold() for word in (parameter.short_name, parameter.cf_var_name, *parameter.aliases) if word}
    if variable.name.casefold() in words:
        return True
    standard = str(variable.attrs.get("standard_name", ""))
    return bool(standard) and standard == parameter.cf_standard_name


def is_of_an_instant(variable: CubeVariable) -> bool:
    """Whether its cell_methods say so (CF 7.3)."""
    return bool(_POINT.search(str(variable.attrs.get("cell_methods", ""))))
