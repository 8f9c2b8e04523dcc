"""HDF5 and NetCDF-4: h5py tells where chunks lie, reading them needs only their bytes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import h5py
import numpy as np

from terrella.contracts.formats import ChunkSource
from terrella.cubes.cf.dimensions import guessed
from terrella.cubes.cf.layout import (
    MOST_CHUNKS,
    arranged,
    cut,
    cut_shape,
    grid_of,
    run_table,
    stored_index,
    stored_sizes,
)
from terrella.cubes.cf.packing import NETCDF_FILL
from terrella.cubes.cf.roles import role
from terrella.cubes.cf.runs import PlainSource, TableSource
from terrella.cubes.cf.scanned import About, scanned
from terrella.cubes.cf.tree import Layout, LeftOut, Tree, Variable
from terrella.cubes.hdf.attributes import attributes
from terrella.cubes.hdf.dimensions import Dimensions, plain_name
from terrella.cubes.hdf.filters import Undo, pipeline, unavailable
from terrella.errors import NotFound, Unreadable
from terrella.model.scan import ArrayScan, ChunkTable, FileScan
from terrella.storage.files import local_path, open_file, sha256, state

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DEEPEST = 32


class Hdf5:
    """NetCDF-4 files, and plain HDF5 whose arrays have coordinates."""

    name = "hdf5"
    title = "NetCDF 4 and HDF5"

    def claims(self, href: str, head: bytes) -> bool:  # noqa: ARG002 -- the contract
        return head.startswith(_SIGNATURE) or head[512:520] == _SIGNATURE

    def scan(self, href: str) -> Iterable[FileScan]:
        """Raises Unreadable for a file that the HDF5 library cannot open."""
        now = state(href)
        with _opened(href) as file:
            try:
                walk = _Walk(file)
                tree = walk.tree()
                media = "application/netcdf" if walk.is_netcdf else "application/x-hdf5"
                about = About(href, self.name, media, now, sha256(href))
                return [scanned(about, tree, _layout)]
            except (OSError, RuntimeError) as error:
                raise Unreadable(f"The file is damaged: {' '.join(str(error).split())[:200]}.") from error

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        if "open" in array.codec:
            return _LibrarySource(array, href)
        if not array.codec.get("filters"):
            return PlainSource(array, href)
        size = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
        return TableSource(array, href, Undo(array.codec, size))


def _opened(href: str) -> h5py.File:
    path = local_path(href)
    try:
        return h5py.File(path if path is not None else open_file(href), "r")
    except FileNotFoundError as error:
        raise NotFound("The file is not there any more.") from error
    except OSError as error:
        reason = str(error).split("(", 1)[-1].rstrip(")")
        raise Unreadable(f"HDF5 cannot open it: {reason}.") from error


class _Walk:
    """Makes the tree of a file: first all scales are noted, then variables get their dimensions."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self.is_netcdf = h5py.h5a.exists(file.id, b"_NCProperties")
        self._dimensions = Dimensions()
        self._sizes: dict[int, str] = {}

    def tree(self) -> Tree:
        gathered = self._gathered(self._file, "", 0, set())
        self.is_netcdf = self.is_netcdf or self._dimensions.are_netcdf
        return self._finished(gathered, {})

    def _gathered(self, group: h5py.Group, name: str, depth: int, seen: set[int]) -> _Group:
        """Datasets of a group and of those inside; links that lead back are not followed."""
        found = _Group(group, name, [], [])
        seen.add(_address(group))
        for key in group:
            thing = group.get(key) if group.get(key, getclass=True, getlink=True) is h5py.HardLink else None
            if isinstance(thing, h5py.Dataset) and thing.shape is not None and self._dimensions.note_scale(thing):
                found.datasets.append(thing)
            elif isinstance(thing, h5py.Group) and depth < _DEEPEST and _address(thing) not in seen:
                path = f"{name}/{key}" if name else key
                found.groups.append(self._gathered(thing, path, depth + 1, seen))
        return found

    def _finished(self, group: _Group, around: dict[int, list[str]]) -> Tree:
        lines = {size: list(names) for size, names in around.items()}
        known = [(one, attributes(one)) for one in group.datasets]
        for dataset, attrs in known:
            if len(dataset.shape) == 1 and not h5py.h5ds.is_scale(dataset.id):
                name = plain_name(dataset.name)
                probe = Variable(name, (name,), dataset.shape, _dtype(dataset), attrs, lambda: np.empty(0))
                if role(probe):
                    lines.setdefault(int(dataset.shape[0]), []).append(name)
        variables = [self._variable(dataset, attrs, lines) for dataset, attrs in known]
        inner = tuple(self._finished(one, lines) for one in group.groups)
        return Tree({one.name: one for one in variables}, attributes(group.group), group.name, inner)

    def _variable(self, dataset: h5py.Dataset, attrs: dict[str, Any], lines: dict[int, list[str]]) -> Variable:
        name = plain_name(dataset.name)
        shape = tuple(int(size) for size in dataset.shape)
        named = self._dimensions.of(dataset)
        if len(shape) == 1 and named == [None] and name in lines.get(shape[0], []):
            named = [name if len(lines[shape[0]]) == 1 else None]
        dims = guessed(named, shape, lines, self._phony)
        full = self._full_shape(dataset, dims, shape)
        dtype = _dtype(dataset)
        unwritten = _unwritten(dataset, dtype, is_netcdf=self.is_netcdf)
        return Variable(name, dims, full, dtype, attrs, lambda: _whole(dataset, full), dataset, unwritten)

    def _phony(self, size: int) -> str:
        """One name for each size, as the NetCDF library does."""
        return self._sizes.setdefault(size, f"phony_dim_{len(self._sizes)}")

    def _full_shape(self, dataset: h5py.Dataset, dims: tuple[str, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
        """Unlimited dimensions are as long as their longest variable."""
        if not self.is_netcdf or dataset.maxshape is None or None not in dataset.maxshape or dataset.chunks is None:
            return shape
        sizes = self._dimensions.sizes
        places = zip(dims, shape, dataset.maxshape, strict=True)
        return tuple(max(size, sizes.get(dim, 0)) if most is None else size for dim, size, most in places)


class _Group:
    """A group on the way to becoming a tree."""

    def __init__(self, group: h5py.Group, name: str, datasets: list[h5py.Dataset], groups: list[_Group]) -> None:
        self.group = group
        self.name = name
        self.datasets = datasets
        self.groups = groups


def _address(thing: h5py.Group) -> int:
    return int(h5py.h5o.get_info(thing.id).addr)


def _dtype(dataset: h5py.Dataset) -> np.dtype[Any] | None:
    """Numbers and text; None for compounds, references, sequences."""
    try:
        dtype = dataset.dtype
    except (TypeError, ValueError):
        return None
    if h5py.check_string_dtype(dtype) is not None:
        return np.dtype(object) if dtype.kind == "O" else np.dtype(dtype.str)
    return np.dtype(dtype.str) if dtype.kind in "biufS" else None


def _unwritten(dataset: h5py.Dataset, dtype: np.dtype[Any] | None, *, is_netcdf: bool) -> float | None:
    """NetCDF's default fill of floats; in plain HDF5 the fill value, where somebody chose one."""
    if dtype is None or dtype.kind not in "iuf" or dtype.itemsize > 8:
        return None
    if is_netcdf:
        return NETCDF_FILL.get(dtype.str[1:]) if dtype.kind == "f" else None
    plist = dataset.id.get_create_plist()
    chosen = plist.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED and dataset.fillvalue
    return float(chosen) if chosen else None


def _whole(dataset: h5py.Dataset, shape: tuple[int, ...]) -> np.ndarray:
    _refuse_elsewhere(dataset)
    values = np.asarray(dataset[()])
    if values.shape == shape or values.dtype.kind not in "iuf":
        return values
    pads = [(0, size - have) for size, have in zip(shape, values.shape, strict=True)]
    return np.pad(values, pads, constant_values=dataset.fillvalue)


def _refuse_elsewhere(dataset: h5py.Dataset) -> None:
    """A file may name any other file as the place of its values; following that is not safe. Raises LeftOut."""
    if dataset.external is not None or dataset.is_virtual:
        raise LeftOut("its values lie in other files, which are not followed")


def _layout(variable: Variable) -> Layout:
    """Where the chunks of a dataset lie."""
    dataset: h5py.Dataset = variable.handle
    _refuse_elsewhere(dataset)
    plist = dataset.id.get_create_plist()
    if missing := unavailable(plist):
        raise LeftOut(f"its compression ({missing}) needs a plug-in of HDF5 that is not installed")
    kind = plist.get_layout()
    if kind == h5py.h5d.CHUNKED:
        return _chunked(variable, dataset, plist)
    size = dataset.dtype.itemsize
    chunks = cut(variable.shape, size)
    if kind == h5py.h5d.CONTIGUOUS:
        offset = dataset.id.get_offset()
        table = run_table(variable.shape, chunks, size, offset or 0)
        if offset is None:
            table = ChunkTable(table.offsets, np.zeros_like(table.lengths))
        return Layout(chunks, {"cut": True}, table)
    return Layout(chunks, {"open": dataset.name}, None)


def _chunked(variable: Variable, dataset: h5py.Dataset, plist: h5py.h5p.PropDCID) -> Layout:
    chunks = tuple(int(size) for size in dataset.chunks)
    grid = grid_of(variable.shape, chunks)
    count = int(np.prod(grid, dtype=np.float64))
    if count > MOST_CHUNKS:
        raise LeftOut(f"it has {count:,} chunks; at most {MOST_CHUNKS:,} are indexed")
    offsets, lengths = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    masks: dict[str, int] = {}
    strides = [int(np.prod(grid[place + 1 :], dtype=np.int64)) for place in range(len(grid))]

    def note(info: Any) -> None:
        number = sum(at // size * step for at, size, step in zip(info.chunk_offset, chunks, strides, strict=True))
        offsets[number], lengths[number] = info.byte_offset, info.size
        if info.filter_mask:
            masks[str(number)] = int(info.filter_mask)

    dataset.id.chunk_iter(note)
    table = ChunkTable(offsets, lengths)
    filters = pipeline(plist)
    if filters is None:
        return Layout(chunks, {"open": dataset.name}, table)
    codec: dict[str, Any] = {"filters": filters} if filters else {}
    return Layout(chunks, codec | ({"masks": masks} if masks else {}), table)


class _LibrarySource:
    """Reads through h5py: filters that we do not know, and compact arrays. One reader at a time."""

    def __init__(self, array: ArrayScan, href: str) -> None:
        self._array = array
        self._href = href
        self._codec = array.codec
        self._shape = stored_sizes(array.shape, array.codec)
        self._chunks = stored_sizes(array.chunks, array.codec)
        self._grid = grid_of(array.shape, array.chunks)

    def stored(self, index: tuple[int, ...]) -> int:
        if self._array.table is not None:
            return int(self._array.table.lengths[np.ravel_multi_index(index, self._grid)])
        shape = cut_shape(stored_index(index, self._codec), self._shape, self._chunks)
        return int(np.prod(shape, dtype=np.int64)) * np.dtype(self._array.dtype).itemsize

    def load(self, index: tuple[int, ...]) -> np.ndarray | None:
        if self.stored(index) == 0:
            return None
        at = stored_index(index, self._codec)
        where = tuple(slice(one * size, (one + 1) * size) for one, size in zip(at, self._chunks, strict=True))
        with _library:
            dataset = _kept_open(self._href, state(self._href).modified)[self._codec["open"]]
            chunk = np.asarray(dataset[where])
        if chunk.dtype.kind == "b":
            chunk = chunk.astype(np.uint8)
        return arranged(
            chunk.view(chunk.dtype.str.replace(chunk.dtype.kind, np.dtype(self._array.dtype).kind)), self._codec
        )


_library = threading.Lock()
_OpenFile = Callable[[str, str], h5py.File]


@lru_cache(maxsize=16)
def _kept_open(href: str, modified: str) -> h5py.File:  # noqa: ARG001 -- a changed file is opened anew
    return _opened(href)
