"""What one file turned out to hold: the result of scanning it, small enough to send between processes.

A file holds *parts*: sets of arrays on one grid. Parts of many files that agree become one cube; an array keeps, for
each of its chunks, where its bytes lie, so that later reading touches only those. The vocabulary of chunks is
Zarr's: an array is cut into a regular grid of equal chunks, the last along each dimension may be short.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    from terrella.model.stac import Document

AxisKind = Literal["time", "reference_time", "step", "vertical", "number", "band", "other"]


@dataclass(frozen=True, eq=False)
class Axis:
    """A non-spatial dimension with its coordinate values, in the order in which the arrays have them.

    Names are fixed for the kinds that Terrella knows: `time` (valid time), `reference_time`, `step`, `number`
    (ensemble member), `band`; vertical and other axes keep the name that their file gives them
    (for GRIB: `pressure`, `height`, `model_level`, ...).

    Values: `time` and `reference_time` are int64 milliseconds since 1970-01-01T00:00:00 *in `calendar`*;
    `step` int64 milliseconds; anything else int64, float64 or str.
    """

    name: str
    kind: AxisKind
    values: np.ndarray
    units: str = ""
    calendar: str = ""
    """CF name, for time axes only: 'standard', 'proleptic_gregorian', '360_day', 'noleap', ..."""
    attrs: dict[str, Any] = field(default_factory=dict)
    """CF attributes worth keeping: standard_name, long_name, positive, ..."""
    bounds: np.ndarray | None = None
    """Where the cell of each value begins and ends (n, 2), low first, in the units of `values`: a month, a layer."""

    @property
    def middles(self) -> np.ndarray:
        """What says best where each value belongs: the middle of its cell, or the value itself where it has none."""
        if self.bounds is None:
            return self.values
        low, high = self.bounds.T
        half = (high - low) // 2 if self.bounds.dtype.kind == "i" else (high - low) / 2
        middles: np.ndarray = low + half
        return middles

    @property
    def limits(self) -> tuple[Any, Any]:
        """The least and the greatest place that the values, or their cells, reach."""
        if self.bounds is None:
            return self.values.min(), self.values.max()
        return min(self.values.min(), self.bounds.min()), max(self.values.max(), self.bounds.max())


@dataclass(frozen=True, slots=True)
class Packing:
    """How stored numbers become values: ``value = stored * scale + offset``; `missing` are stored numbers.

    `valid_min` and `valid_max` are stored numbers too: CF says that what lies outside is missing.
    """

    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[float, ...] = ()
    valid_min: float | None = None
    valid_max: float | None = None

    @property
    def is_plain(self) -> bool:
        return self == Packing()


@dataclass(frozen=True, eq=False)
class ChunkTable:
    """Where each chunk lies in the file, C order over the chunk grid; length 0 means: not stored, all missing.

    `offsets` and `lengths` are int64, one entry a chunk.
    """

    offsets: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, eq=False)
class ArrayScan:
    """One variable of one file."""

    name: str
    dims: tuple[str, ...]
    """Axis names first, in any order the file has; then the spatial dims of the grid, in the grid's order.

    A file that stores them otherwise says so in `codec` and its source transposes.
    """
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: str
    """Of a decoded chunk before `packing`, as numpy writes it, e.g. '<i2', '<f4'."""
    codec: dict[str, Any]
    """What the format needs to decode a chunk: JSON, understood by that format alone."""
    table: ChunkTable | None = None
    """None when the format finds its own chunks (Zarr, Icechunk, rasters)."""
    packing: Packing = Packing()
    attrs: dict[str, Any] = field(default_factory=dict)
    """CF attributes: units, standard_name, long_name, cell_methods, flag_values, flag_meanings ...

    GRIB keys stay under their MARS names with the prefix `mars:` or `grib:`.
    """


@dataclass(frozen=True, eq=False)
class Part:
    """Arrays of one file on one grid, which may join parts of other files in one cube."""

    grid: dict[str, Any]
    """As `Grid.to_json` writes it; `terrella.grids.grid_from_json` reads it."""
    axes: tuple[Axis, ...]
    """Every non-spatial dimension used by `arrays`; an array need not use all."""
    arrays: tuple[ArrayScan, ...]
    label: str = ""
    """Tells parts of one file apart, and keeps unlike things of many files apart ('pl', 'sfc', 'oper-fc-pl')."""


@dataclass(frozen=True, eq=False)
class FileScan:
    """One file (or folder, for Zarr and SAFE), read from outside in, no field decoded."""

    href: str
    """Absolute path or URL."""
    format: str
    """Name of the format that read it: 'netcdf', 'grib', ..."""
    media_type: str
    size: int
    """Bytes; of a folder, all of its files."""
    modified: str
    """Modification time in ns of a local file, ETag of a remote one: same text, same file."""
    checksum: str
    """Multihash in hex (sha2-256: '1220' + 64 digits), as the STAC file extension wants. Folders: of the listing."""
    parts: tuple[Part, ...] = ()
    collections: tuple[Document, ...] = ()
    """Whole STAC collections that the file itself is or brings."""
    items: tuple[Document, ...] = ()
    """Whole STAC items that the file itself is or brings (static STAC, SAFE)."""
    attrs: dict[str, Any] = field(default_factory=dict)
    """Global facts: title, institution, source, license, history, references, comment, platform, instruments ..."""
    notes: tuple[str, ...] = ()
    """What was left out and why, one line each; shown to the user."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be added, in one line."""

    href: str
    reason: str
