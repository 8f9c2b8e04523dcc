"""A cube: a lazy dataset, where its cells lie, and where it came from. We stand beside xarray, never around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from terrella.model.credit import NO_CREDIT, Credit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import xarray as xr

    from terrella.contracts.grids import Grid
    from terrella.model.scan import ArrayScan, Axis, FileScan


@dataclass(frozen=True, eq=False)
class Piece:
    """One file's array and where it goes in the cube's array.

    `positions[d]` are, for dimension d of the cube's array, the indices (int64, one for each index of the piece along
    that dimension); None where the piece spans the dimension as it is. A dimension that the piece lacks has
    one position.
    """

    href: str
    format: str
    item: str
    array: ArrayScan
    positions: tuple[np.ndarray | None, ...]
    modified: str = ""
    """Of the file when it was scanned, as `FileScan.modified`: other bytes must not be read by this index."""


@dataclass(frozen=True, eq=False)
class CubeVariable:
    """One variable of the cube: dims of axes, then of space; pieces that fill it. What no piece fills is missing."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    """Of values after packing: '<f4', '<f8' or, where nothing can be missing and nothing is packed, an integer."""
    attrs: dict[str, Any]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, eq=False)
class CubeIndex:
    """Everything needed to open a cube without touching its files: the packed block index, unpacked."""

    grid: dict[str, Any]
    axes: tuple[Axis, ...]
    variables: tuple[CubeVariable, ...]
    attrs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a cube came from."""

    provider: str
    collection: str
    version: str
    items: tuple[str, ...] = ()
    licence: str = ""
    attribution: str = ""
    item_versions: tuple[str, ...] = ()
    """One for each of `items`; empty where none are counted."""
    credit: Credit = NO_CREDIT


@dataclass(frozen=True, eq=False)
class Cube:
    """`dataset` is lazy: making it reads nothing, and indexing reads only the chunks that are needed."""

    dataset: xr.Dataset
    grid: Grid
    origin: Origin
    axes: tuple[Axis, ...]
    variables: Mapping[str, CubeVariable]


@dataclass(frozen=True, eq=False)
class Member:
    """A file in a bundle; `scan` holds only the parts that belong there, or the STAC documents that it brings."""

    item: str
    scan: FileScan


@dataclass(frozen=True, eq=False)
class Bundle:
    """Files that become one collection."""

    collection: str
    key: str
    """Equal for all files that belong to this collection, now or added later; empty for STAC documents."""
    members: tuple[Member, ...]
    index: CubeIndex | None
    why: str = ""
    """Why there is no cube."""
