"""Whole arrays through a format's chunks, for comparison with other libraries."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from terrella.cubes.formats.hdf5 import Hdf5
from terrella.cubes.formats.icechunk import Icechunk
from terrella.cubes.formats.netcdf3 import NetCdf3
from terrella.cubes.formats.zarr import Zarr
from terrella.model.scan import ArrayScan, FileScan, Part

FORMATS = (Hdf5(), Icechunk(), NetCdf3(), Zarr())


def format_of(path: Path) -> Any:
    head = b"" if path.is_dir() else path.read_bytes()[:1024]
    return next(one for one in FORMATS if one.claims(str(path), head))


def stored(path: Path, array: ArrayScan) -> np.ndarray:
    """Stored numbers as float64 (integers exactly), NaN for what is not stored."""
    source = format_of(path).source(array, str(path))
    made = np.full(array.shape, np.nan)
    counts = [-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True)]
    for index in itertools.product(*map(range, counts)):
        chunk = source.load(index)
        where = tuple(
            slice(at * size, min((at + 1) * size, length))
            for at, size, length in zip(index, array.chunks, array.shape, strict=True)
        )
        if chunk is None:
            assert source.stored(index) == 0
            continue
        assert chunk.dtype == np.dtype(array.dtype), array.name
        made[where] = chunk[tuple(slice(0, one.stop - one.start) for one in where)]
    return made


def unpacked(numbers: np.ndarray, array: ArrayScan) -> np.ndarray:
    """As the contract of `Packing` says, in float64."""
    pack = array.packing
    gone = np.isin(numbers, np.array(pack.missing, dtype=np.float64))
    if pack.valid_min is not None:
        gone |= numbers < pack.valid_min
    if pack.valid_max is not None:
        gone |= numbers > pack.valid_max
    return np.where(gone, np.nan, numbers * pack.scale + pack.offset)


@pytest.fixture
def scan() -> Callable[[Path], FileScan]:
    def scanned(path: Path) -> FileScan:
        return next(iter(format_of(path).scan(str(path))))

    return scanned


@pytest.fixture
def values() -> Callable[[Path, ArrayScan], np.ndarray]:
    def read(path: Path, array: ArrayScan) -> np.ndarray:
        return unpacked(stored(path, array), array)

    return read


@pytest.fixture
def arrays() -> Callable[[FileScan], dict[str, tuple[Part, ArrayScan]]]:
    def by_name(scanned: FileScan) -> dict[str, tuple[Part, ArrayScan]]:
        return {array.name: (part, array) for part in scanned.parts for array in part.arrays}

    return by_name
