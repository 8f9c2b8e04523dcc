"""A format whose files are arrays in memory, and cubes cut at random into such files, to test reading by itself."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

import numpy as np

from terrella.contracts.cubes import CubeIndex, CubeVariable, Origin, Piece
from terrella.model.scan import ArrayScan, Axis, ChunkTable, Packing

ORIGIN = Origin("lake", "test", "1")


@dataclass
class MemorySource:
    array: np.ndarray
    chunks: tuple[int, ...]
    padded: bool
    absent: frozenset = frozenset()
    loads: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    broken: bool = False

    def stored(self, index):
        return 0 if index in self.absent else 100 + sum(index)

    def load(self, index):
        with self.lock:
            self.loads.append(index)
        if self.broken:
            raise ValueError("bad checksum")
        if index in self.absent:
            return None
        where = tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, self.chunks, strict=True))
        part = self.array[where]
        if self.padded:
            pad = [(0, c - s) for c, s in zip(self.chunks, part.shape, strict=True)]
            part = np.pad(part, pad, constant_values=77)
        return part.copy()


class MemoryFormat:
    """`files` maps (href, array name) to a source."""

    name = "memory"
    title = "arrays in memory"

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], MemorySource] = {}

    def claims(self, href, head):
        return False

    def scan(self, href):
        return ()

    def source(self, array, href):
        return self.files[(href, array.name)]

    def put(self, href, name, dims, values, chunks, *, packing=None, attrs=None, table=True, padded=False, absent=()):
        """A file's array; returns its scan. `values` are stored numbers."""
        source = MemorySource(values, chunks, padded, frozenset(absent))
        self.files[(href, name)] = source
        counts = [max(1, -(-s // c)) for s, c in zip(values.shape, chunks, strict=True)]
        lengths = np.array([source.stored(index) for index in itertools.product(*map(range, counts))], dtype=np.int64)
        made = ChunkTable(np.cumsum(lengths) - lengths, lengths) if table else None
        return ArrayScan(
            name,
            dims,
            values.shape,
            chunks,
            values.dtype.str,
            {},
            made,
            packing or Packing(),
            attrs or {},
        )


def regular(nlat, nlon, *, lat0=90.0, dlat=None, lon0=0.0, dlon=None, crs="EPSG:4326"):
    """JSON of a latitude/longitude grid, global unless told otherwise."""
    dlat = -180.0 / max(nlat - 1, 1) if dlat is None else dlat
    dlon = 360.0 / nlon if dlon is None else dlon
    return {
        "kind": "regular",
        "lat0": lat0,
        "dlat": float(dlat),
        "nlat": nlat,
        "lon0": lon0,
        "dlon": float(dlon),
        "nlon": nlon,
        "crs": crs,
    }


def hours(count, *, start=0, step=1, calendar="standard", name="time"):
    values = (start + np.arange(count, dtype=np.int64) * step) * 3_600_000
    return Axis(name, name, values, "", calendar)


def one_piece(fmt, values, dims, chunks, grid, axes, *, name="t", item="a", **more):
    """An index of one variable in one file."""
    scan = fmt.put("/data/one", name, dims, values, chunks, **more)
    dtype = "<f8" if values.dtype.itemsize > 4 else "<f4"
    piece = Piece("/data/one", "memory", item, scan, (None,) * values.ndim)
    variable = CubeVariable(name, dims, values.shape, dtype, dict(scan.attrs), (piece,))
    return CubeIndex(grid, tuple(axes), (variable,))
