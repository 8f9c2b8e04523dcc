"""Seeing that a one-dimensional array of cells is HEALPix: by what it says, or by where its cells are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from terrella.cubes.cf.attributes import number, text
from terrella.cubes.cf.scope import Scope
from terrella.cubes.cf.tree import Variable
from terrella.grids import HealpixGrid

Order = Literal["ring", "nested"]

_CLOSE = 0.02
"""Part of a pixel's width by which centres may be off: float32 coordinates are."""
_DIMS = {"cell", "cells", "pix", "pixel", "ncells", "values", "healpix", "i", "hp", "cell_ids", "ipix", "npix"}


@dataclass(frozen=True, eq=False)
class Pixels:
    """HEALPix cells along a dimension; `ids` None for all of them in order."""

    nside: int
    order: Order
    ids: np.ndarray | None = None


def nside_of(count: int) -> int | None:
    """The nside of a whole sphere of `count` pixels; None where there is none."""
    nside = math.isqrt(count // 12) if count % 12 == 0 else 0
    return nside if nside and 12 * nside * nside == count else None


def recognised(lon: np.ndarray, lat: np.ndarray) -> Pixels | None:
    """The order in which these are the centres of a whole sphere of pixels; None where they are not."""
    nside = nside_of(lon.size)
    if nside is None or not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    allowed = _CLOSE * math.degrees(math.sqrt(4 * math.pi / lon.size))
    probe = np.unique(np.linspace(0, lon.size - 1, min(lon.size, 997)).astype(np.int64))
    orders: tuple[Order, ...] = ("ring",) if nside & (nside - 1) else ("nested", "ring")
    for order in orders:
        for chosen in (probe, np.arange(lon.size)):
            there_lon, there_lat = HealpixGrid(nside, order).centres(chosen)
            east = np.abs((there_lon - lon[chosen] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(there_lat))
            if max(east.max(), np.abs(there_lat - lat[chosen]).max()) > allowed:
                break
        else:
            return Pixels(nside, order)
    return None


def declared(scope: Scope, variable: Variable) -> tuple[str, Pixels] | None:
    """(dimension, pixels) where the grid mapping, cell ids (xdggs) or the group (DGGS convention) say HEALPix."""
    said = _said(scope, variable)
    if said is None:
        return None
    nside, order, ids = said
    dims = [dim for dim in variable.dims if ids is not None and ids.dims == (dim,)]
    sizes = dict(zip(variable.dims, variable.shape, strict=True))
    if not dims:
        dims = [dim for dim in variable.dims if nside and sizes[dim] == 12 * nside * nside]
        dims = dims or [dim for dim in variable.dims if dim.casefold() in _DIMS and nside_of(sizes[dim])]
    if not dims:
        return None
    nside = nside or nside_of(sizes[dims[0]]) or 0
    numbers = scope.values(ids.name) if ids is not None and ids.dims == (dims[0],) else None
    if nside < 1 or (numbers is None and sizes[dims[0]] != 12 * nside * nside):
        return None
    if numbers is not None and numbers.size == 12 * nside * nside and bool((np.diff(numbers) == 1).all()):
        numbers = None
    return dims[0], Pixels(nside, order, numbers)


def _said(scope: Scope, variable: Variable) -> tuple[int, Order, Variable | None] | None:
    """(nside or 0, order, the variable of cell numbers)."""
    ids = next((one for one in scope.variables.values() if _is_ids(one)), None)
    mapping = scope.mapping(variable)
    sources: list[dict[str, Any]] = []
    if ids is not None and text(ids.attrs.get("grid_name")).casefold() == "healpix":
        sources.append(ids.attrs)
    if mapping is not None and (
        text(mapping.attrs.get("grid_mapping_name")).casefold() == "healpix" or "healpix_nside" in mapping.attrs
    ):
        sources.append(mapping.attrs)
    dggs = scope.tree.attrs.get("dggs")
    if isinstance(dggs, dict) and text(dggs.get("name", dggs.get("grid_name"))).casefold() == "healpix":
        sources.append(dggs)
        ids = scope.variables.get(text(dggs.get("coordinate")), ids)
    if not sources:
        return None
    merged = {key: value for source in reversed(sources) for key, value in source.items()}
    return _nside(merged), _order(merged), ids


def _is_ids(variable: Variable) -> bool:
    name = variable.name.rsplit("/", 1)[-1].casefold()
    is_integer = variable.dtype is not None and variable.dtype.kind in "iu"
    return is_integer and len(variable.dims) == 1 and name in {"cell_ids", "cell", "healpix_index", "ipix", "cells"}


def _nside(attrs: dict[str, Any]) -> int:
    for key in ("healpix_nside", "nside"):
        if found := number(attrs.get(key)):
            return int(found)
    for key in ("refinement_level", "level", "depth", "resolution", "healpix_level"):
        found = number(attrs.get(key))
        if found is not None and 0 <= found <= 29:
            return 1 << int(found)
    return 0


def _order(attrs: dict[str, Any]) -> Order:
    for key in ("healpix_order", "indexing_scheme", "order", "ordering", "scheme"):
        said = text(attrs.get(key)).casefold()
        if said:
            return "nested" if said.startswith("nest") else "ring"
    return "nested" if attrs.get("nest") is True else "ring"
