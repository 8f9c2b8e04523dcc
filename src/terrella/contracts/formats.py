"""A file format: scan a file into parts with chunk positions, and later read single chunks of it.

Entry-point group: `terrella.formats`; the value is a class, called without arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np

    from terrella.model.scan import ArrayScan, FileScan
    from terrella.model.space import Extent

Index = tuple[int, ...]
"""Position of a chunk in the chunk grid."""


@runtime_checkable
class ChunkSource(Protocol):
    """One array as it lies in one file. Must be safe to use from several threads at once."""

    def stored(self, index: Index) -> int:
        """Bytes that reading this chunk touches; 0 when it is not stored (all missing)."""
        ...

    def load(self, index: Index) -> np.ndarray | None:
        """The decoded chunk before packing, with the array's dims in order; None when it is not stored.

        A chunk at the end of a dimension may come whole (padded) or cut to the array's shape.
        Raises Unreadable when the file no longer holds it.
        """
        ...


@runtime_checkable
class SupportsCells(Protocol):
    """A ChunkSource that can give single cells of its chunks without reading and decoding all of each."""

    def cells_stored(self, indices: np.ndarray, cells: np.ndarray) -> int | None:
        """Bytes that `load_cells` would read, exactly; None where these chunks have to be loaded whole.

        `indices` has one row for each chunk: its position in the chunk grid, int64. `cells` are flat positions, int64,
        in a whole chunk (C order over the array's `chunks`, also where the last one is cut short), the same for all.
        """
        ...

    def load_cells(self, indices: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Stored numbers before packing, one row for each chunk, equal bit for bit to what `load` has there.

        With them which chunks are stored (bool, one for each); None where all are. Raises Unreadable as `load`.
        """
        ...


@runtime_checkable
class SupportsPlaces(Protocol):
    """A ChunkSource whose chunks are each one range of bytes of its file, so that many are fetched together."""

    def place(self, index: Index) -> tuple[int, int] | None:
        """Offset and length in the file; None when the chunk is not stored."""
        ...

    def decode(self, index: Index, data: bytes) -> np.ndarray:
        """The chunk in these bytes, as `load` gives it. Raises Unreadable."""
        ...


@runtime_checkable
class SupportsMessages(Protocol):
    """A ChunkSource whose chunks are messages that can be handed out as they are (GRIB)."""

    def message(self, index: Index, area: Extent | None = None) -> bytes | None:
        """The message as it is stored; with `area` one of only the cells in there. None when it is not stored.

        Raises Unsupported for a grid that cannot be cropped, Unreadable.
        """
        ...


@runtime_checkable
class SupportsKeeping(Protocol):
    """A Format that learns of files while it reads them, and may keep that between runs."""

    def keep_in(self, folder: Path) -> None:
        """Keep it in this folder, which may not be there yet; several processes may use it together."""
        ...


class Format(Protocol):
    """Reads one family of files."""

    name: str
    """Stable word, stored in the index: 'netcdf', 'grib', 'geotiff', 'zarr' ..."""
    title: str
    """For people, in the list of what is read: 'NetCDF 3 and 4, HDF5'."""

    def claims(self, href: str, head: bytes) -> bool:
        """Whether this is such a file, by its first 1024 bytes (empty for a folder) and its name."""
        ...

    def scan(self, href: str) -> Iterable[FileScan]:
        """Describe the file; called in a worker process. One scan for nearly all; static STAC may give several.

        Raises Unreadable with one line for the user (no path in it).
        """
        ...

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        """Open one array of a scanned file for reading. Cheap; may keep the file open."""
        ...
