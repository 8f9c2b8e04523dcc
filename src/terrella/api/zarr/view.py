"""A cube as Zarr arrays: what each is called, how it is cut into chunks, and what fills a chunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.api.zarr.chunking import chunk_shape, natural_chunks
from terrella.api.zarr.coordinates import Coordinate, coordinates_of, mapping_of
from terrella.cubes.selecting import Selection
from terrella.encodings.zarr import array_document, group_document
from terrella.errors import TooLarge
from terrella.model.extraction import Plan
from terrella.model.ids import distinct

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.cubes.caching import ReadTally
    from terrella.cubes.cubes import Cubes
    from terrella.extraction.limits import Limits

Window = tuple[slice, ...]
"""What a chunk covers, one slice with both ends for each dimension."""
Fill = Callable[[Window, "ReadTally"], "np.ndarray | None"]
"""The numbers of a window; None where nothing is stored of it."""

_ENCODED = {"_FillValue", "missing_value", "scale_factor", "add_offset", "valid_min", "valid_max", "valid_range"} | {
    *("actual_range", "_Unsigned", "coordinates", "grid_mapping", "dtype", "bounds")
}
"""Attributes that speak of stored numbers or of variables that are not here."""
_UNSAFE = re.compile(r"[/\\?#%\x00-\x1f\x7f]")


@dataclass(frozen=True, eq=False)
class ViewArray:
    """One array of the view."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype
    attrs: Mapping[str, Any]
    fill: Fill

    @cached_property
    def document(self) -> dict[str, Any]:
        """Its `zarr.json`."""
        return array_document(self.shape, self.chunks, self.dtype, self.dims, self.attrs)


class View:
    """The arrays of a cube by name, and the metadata of the group that they form."""

    def __init__(self, cube: Cube, cubes: Cubes, limits: Limits) -> None:
        self._cube = cube
        self._cubes = cubes
        self._limits = limits
        self.version = cube.origin.version
        coordinates = coordinates_of(cube)
        self.arrays = {one.name: _coordinate(one) for one in coordinates}
        for variable in cube.variables.values():
            name = distinct(node_name(variable.name), self.arrays)
            self.arrays[name] = self._variable(name, variable, coordinates)
        self._auxiliary = sorted(one.name for one in coordinates if one.dims != (one.name,))

    @cached_property
    def group(self) -> bytes:
        """The `zarr.json` of the group."""
        origin = self._cube.origin
        attrs = dict(self._cube.dataset.attrs) | {
            "Conventions": "CF-1.11",
            "terrella_collection": origin.collection,
            "terrella_version": origin.version,
        }
        if self._auxiliary:
            attrs["coordinates"] = " ".join(self._auxiliary)
        return orjson.dumps(group_document(attrs, {name: one.document for name, one in self.arrays.items()}))

    def _variable(self, name: str, variable: CubeVariable, coordinates: list[Coordinate]) -> ViewArray:
        nothing = Selection(dict.fromkeys(variable.dims[:1], slice(0, 0)))
        layout = self._cubes.cut(self._cube, {variable.name: nothing})[variable.name].layout
        dtype, spatial = np.dtype(variable.dtype), len(self._cube.grid.shape)
        time = variable.dims.index("time") if "time" in variable.dims else None
        chunks = chunk_shape(variable.shape, natural_chunks(layout), dtype.itemsize, spatial=spatial, time=time)
        attrs = {key: value for key, value in variable.attrs.items() if key not in _ENCODED}
        beside = [one.name for one in coordinates if one.dims != (one.name,) and set(one.dims) <= set(variable.dims)]
        mapping = mapping_of(self._cube.grid)
        if mapping is not None:
            attrs["grid_mapping"] = mapping.name
            beside.remove(mapping.name)
        if beside:
            attrs["coordinates"] = " ".join(sorted(beside))
        fill = partial(self._values, variable)
        return ViewArray(name, variable.dims, variable.shape, chunks, dtype, attrs, fill)

    def _values(self, variable: CubeVariable, window: Window, tally: ReadTally) -> np.ndarray | None:
        """Raises TooLarge before anything is read; Unreadable for a broken file."""
        axes = len(variable.dims) - len(self._cube.grid.shape)
        selection = Selection(dict(zip(variable.dims[:axes], window[:axes], strict=True)), lines=window[axes:])
        cuts = self._cubes.cut(self._cube, {variable.name: selection})
        cost = self._cubes.plan(cuts)
        if not cost.chunks:
            return None
        cells = int(np.prod([one.stop - one.start for one in window[axes:]], dtype=np.int64))
        memory = cost.bytes_out + cost.chunks * cost.largest
        _refuse(Plan(cells, cost.values, cost.chunks, cost.bytes_read, cost.bytes_out, memory), self._limits)
        values = self._cubes.read(cuts, tally)[variable.name]
        if not cost.bytes_read and values.dtype.kind == "f" and bool(np.isnan(values).all()):
            return None
        return values


def node_name(name: str) -> str:
    """A variable's name as the name of a Zarr node and part of an address."""
    made = _UNSAFE.sub("_", name)
    if made.startswith("__"):
        made = f"_{made.lstrip('_')}"
    return made if made.strip(".") else "_" * max(1, len(made))


def _coordinate(one: Coordinate) -> ViewArray:
    chunks = chunk_shape(one.shape, one.shape, max(1, one.dtype.itemsize), spatial=len(one.shape))

    def fill(window: Window, _: ReadTally) -> np.ndarray:
        return one.take(window)

    return ViewArray(one.name, one.dims, one.shape, chunks, one.dtype, one.attrs, fill)


def _refuse(plan: Plan, limits: Limits) -> None:
    excess = limits.excess(plan)
    if not excess:
        return
    worst = max(excess, key=lambda name: excess[name])
    raise TooLarge(
        f"This chunk would be over limits.{worst}: {getattr(plan, worst):,}, where {getattr(limits, worst):,} are "
        "allowed. Cut out less through /ogc, or raise the limit in the site's settings.",
        details={
            "estimate": {"values": plan.values, "bytes_read": plan.bytes_read, "cells": plan.cells},
            "limit": {name: getattr(limits, name) for name in ("values", "bytes_read", "cells")},
        },
    )
