"""What is planned for real files is what is read of them, and a few cells are the same as in the whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memory_format import ORIGIN
from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.contracts.loading import load
from terrella.cubes.caching import ReadTally
from terrella.cubes.cubes import Cubes
from terrella.cubes.selecting import Selection
from terrella.errors import TerrellaError
from terrella.model.scan import FileScan

LARGEST = 1_000_000


def indexes(scan: FileScan) -> Iterator[CubeIndex]:
    """A cube of each array that is not too large."""
    for part in scan.parts:
        for array in part.arrays[:2]:
            if np.prod(array.shape) <= LARGEST and np.dtype(array.dtype).kind in "iuf":
                piece = Piece(scan.href, scan.format, "a", array, (None,) * len(array.dims))
                variable = CubeVariable(array.name, array.dims, array.shape, "<f8", {}, (piece,))
                yield CubeIndex(part.grid, part.axes, (variable,))


def scanned(folder: Path) -> Iterator[FileScan]:
    formats = [load("formats", name)() for name in ("grib", "hdf5", "netcdf3")]
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.stat().st_size < 40_000_000):
        with path.open("rb") as file:
            head = file.read(1024)
        for form in formats:
            if form.claims(str(path), head):
                try:
                    yield from form.scan(str(path))
                except TerrellaError:
                    continue


@pytest.mark.parametrize("folder", ["grib", "netcdf-climate", "destine-healpix"])
def test_bytes_planned_are_bytes_read(test_data, folder, monkeypatch):
    read_now = 0
    real = os.pread

    def counting(file: int, size: int, offset: int) -> bytes:
        nonlocal read_now
        read_now += size
        return real(file, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    seen = 0
    for scan in scanned(test_data / folder):
        for index in indexes(scan):
            seen += 1
            cubes = Cubes(threads=2)
            cube = cubes.open(index, ORIGIN)
            (variable,) = index.variables
            size = cube.grid.size
            rng = np.random.default_rng(seen)
            whole = cubes.read(cubes.cut(cube, {variable.name: Selection()}))[variable.name]
            flat = whole.reshape(*whole.shape[: whole.ndim - len(cube.grid.shape)], size)
            for cells in (np.array([size // 3]), rng.integers(0, size, 4), np.arange(size)[:: max(1, size // 60)]):
                cubes.forget()
                cuts = cubes.cut(cube, {variable.name: Selection(cells=cells)})
                said, tally = cubes.plan(cuts).bytes_read, ReadTally()
                read_now = 0
                found = cubes.read(cuts, tally)[variable.name]
                np.testing.assert_array_equal(found, flat[..., cells])
                assert said == tally.bytes_read
                assert read_now in {said, 0}, "0: through the library that knows the packing"
            cubes.close()
    if folder != "destine-healpix":
        assert seen > 5
