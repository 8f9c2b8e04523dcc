"""The variables that one group sees: its own, and the coordinates of the groups around it."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from terrella.cubes.cf.attributes import text
from terrella.cubes.cf.packing import coordinate
from terrella.cubes.cf.roles import role
from terrella.cubes.cf.tree import Tree, Variable
from terrella.model.scan import Axis

_BOUNDS = ("bounds", "climatology", "climatology_bounds")
_PLACES = ("latitude", "longitude", "grid_latitude", "grid_longitude")


class Scope:
    """One group's variables with their roles; values of coordinates are read once."""

    def __init__(self, tree: Tree, around: dict[str, Variable]) -> None:
        self.tree = tree
        self.own = tree.variables
        self.variables = {**around, **tree.variables}
        self._roles: dict[str, str] = {}
        self._values: dict[str, np.ndarray] = {}
        self.axes: dict[tuple[str, int, str], Axis] = {}
        """Axes made so far, by dimension, size and what the variable lists as coordinates."""

    def role(self, name: str) -> str:
        if name not in self._roles:
            self._roles[name] = role(self.variables[name])
        return self._roles[name]

    def values(self, name: str) -> np.ndarray:
        """Unpacked values of a coordinate, see `packing.coordinate`."""
        if name not in self._values:
            self._values[name] = coordinate(self.variables[name])
        return self._values[name]

    def listed(self, variable: Variable) -> list[str]:
        """Names in its `coordinates` attribute that exist here."""
        words = f"{text(variable.attrs.get('coordinates'))} {text(self.tree.attrs.get('coordinates'))}".split()
        return [word for word in dict.fromkeys(words) if word in self.variables and word != variable.name]

    def along(self, dim: str) -> Variable | None:
        """The coordinate variable of a dimension: one-dimensional and of its name."""
        found = self.variables.get(dim)
        return found if found is not None and found.dims == (dim,) else None

    @cached_property
    def supporting(self) -> frozenset[str]:
        """Names of variables that explain others and are no data: coordinates, bounds, grid mappings, terms."""
        named: set[str] = set()
        for name, variable in self.variables.items():
            for key in _BOUNDS:
                named.add(text(variable.attrs.get(key)))
            named.update(self.listed(variable))
            named.update(_mapping_names(text(variable.attrs.get("grid_mapping"))))
            named.update(word for word in text(variable.attrs.get("formula_terms")).split() if not word.endswith(":"))
            if variable.dims == (name,) or self._is_coordinate(name, variable):
                named.add(name)
        return frozenset(named & self.variables.keys())

    def _is_coordinate(self, name: str, variable: Variable) -> bool:
        meaning = self.role(name)
        if meaning in _PLACES:
            return True
        if {"grid_mapping_name", "crs_wkt", "spatial_ref"} & variable.attrs.keys():
            return True
        if name.rsplit("/", 1)[-1].casefold().endswith(("_bnds", "_bounds")):
            return True
        standard = text(variable.attrs.get("standard_name"))
        is_clock = standard in {"time", "forecast_reference_time", "forecast_period"}
        return is_clock or (meaning == "time" and len(variable.dims) == 0)

    @cached_property
    def ragged(self) -> frozenset[str]:
        """Dimensions along which series of several stations or casts follow one another (CF 9.3.3, 9.3.4)."""
        found: set[str] = set()
        for variable in self.variables.values():
            if text(variable.attrs.get("instance_dimension")) and variable.dims:
                found.add(variable.dims[0])
            if sample := text(variable.attrs.get("sample_dimension")):
                found.add(sample)
        return frozenset(found)

    def mapping(self, variable: Variable) -> Variable | None:
        """The grid mapping of a variable: what it names, else the only one that there is."""
        for name in _mapping_names(text(variable.attrs.get("grid_mapping"))):
            if name in self.variables:
                return self.variables[name]
        found = [one for one in self.variables.values() if _is_mapping(one)]
        return found[0] if len(found) == 1 else None


def _mapping_names(value: str) -> list[str]:
    """'crs' or the extended 'crs: x y crs2: lat lon' (CF 5.6)."""
    if ":" not in value:
        return [value] if value else []
    return re.findall(r"([^\s:]+):", value)


_MAPPING_ATTRS = {"grid_mapping_name", "crs_wkt", "spatial_ref", "proj4", "proj4text", "healpix_nside", "epsg_code"}


def _is_mapping(variable: Variable) -> bool:
    return variable.size <= 1 and bool(_MAPPING_ATTRS & variable.attrs.keys())
