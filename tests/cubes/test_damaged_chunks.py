"""A chunk that is damaged behind our back is refused by the name of its file, never answered with wrong numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, ZstdCodec

from terrella.cubes.scanning import Scanners
from terrella.errors import Unreadable
from terrella.model.caller import OPERATOR
from terrella.site import Site

VALUES = (280 + np.cumsum(np.random.default_rng(0).normal(size=(4, 64, 128)), axis=-1)).astype("f4")
LINES = {
    "time": (np.arange(4.0), "hours since 2024-01-01"),
    "lat": (np.linspace(80, -80, 64), "degrees_north"),
    "lon": (np.arange(128) * 2.0, "degrees_east"),
}


def netcdf(path: Path, **how: Any) -> None:
    with netCDF4.Dataset(path, "w") as file:
        for dim, (values, units) in LINES.items():
            file.createDimension(dim, values.size)
            line = file.createVariable(dim, "f8", (dim,))
            line.units = units
            line[:] = values
        data = file.createVariable("t", "f4", tuple(LINES), chunksizes=(1, 32, 64), **how)
        data.units = "K"
        data[:] = VALUES


def zarr3(path: Path, *codecs: Any) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=3)
    more: Any = {"attributes": {"units": "K"}, "dimension_names": tuple(LINES), "compressors": codecs or None}
    group.create_array("t", shape=VALUES.shape, chunks=(1, 32, 64), dtype="f4", **more)[:] = VALUES
    for dim, (values, units) in LINES.items():
        made = {"dimension_names": (dim,), "attributes": {"units": units}}
        group.create_array(dim, shape=values.shape, dtype="f8", **made)[:] = values


def healpix(path: Path, *codecs: Any) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=3)
    about = {"units": "K", "grid_mapping": "crs"}
    more: Any = {"attributes": about, "dimension_names": ("time", "cell"), "compressors": codecs or None}
    values = VALUES.reshape(2, -1)[:, : 12 * 32 * 32]
    group.create_array("t", shape=values.shape, chunks=(1, 4096), dtype="f4", **more)[:] = values
    times: Any = {"dimension_names": ("time",), "attributes": {"units": LINES["time"][1]}}
    group.create_array("time", shape=(2,), dtype="i4", **times)[:] = [0, 1]
    mapping = {"grid_mapping_name": "healpix", "refinement_level": 5, "indexing_scheme": "nested"}
    group.create_array("crs", shape=(), dtype="i4", attributes=mapping)


CHECKED: dict[str, Callable[[Path], None]] = {
    "deflated.nc": lambda path: netcdf(path, zlib=True, shuffle=True),
    "fletcher.nc": lambda path: netcdf(path, fletcher32=True),
    "both.nc": lambda path: netcdf(path, zlib=True, fletcher32=True),
    "gzip.zarr": lambda path: zarr3(path, GzipCodec()),
    "crc.zarr": lambda path: zarr3(path, ZstdCodec(), Crc32cCodec()),
    "zstd.zarr": lambda path: zarr3(path, ZstdCodec(checksum=True)),
    "healpix.zarr": lambda path: healpix(path, ZstdCodec(checksum=True)),
}
CUT: dict[str, Callable[[Path], None]] = {
    "raw.zarr": zarr3,
    "zstd.zarr": lambda path: zarr3(path, ZstdCodec()),
    "blosc.zarr": lambda path: zarr3(path, BloscCodec()),
    "healpix.zarr": healpix,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site.open(tmp_path_factory.mktemp("damage") / "home") as made:
        made.scanners = Scanners(processes=1)
        yield made


def added(site: Site, folder: Path, name: str, make: Callable[[Path], None], test: str) -> tuple[str, np.ndarray]:
    make(folder / name)
    collection = f"{test}-{name.replace('.', '-')}"
    assert not site.add(folder / name, collection=collection).failures
    return collection, site.extract(collection).t.values


def chunk(site: Site, collection: str, path: Path) -> tuple[Path, int, int]:
    """The file that holds a chunk in the middle, with the first and the last byte of it."""
    if path.is_dir():
        files = sorted(one for one in (path / "t" / "c").rglob("*") if one.is_file())
        file = files[len(files) // 2]
        return file, 0, file.stat().st_size
    (piece,) = site.catalog.open(OPERATOR, collection)[0].variables[0].pieces
    table: Any = piece.array.table
    middle = table.lengths.size // 2
    first = int(table.offsets[middle])
    return path, first, first + int(table.lengths[middle])


def rewrite(path: Path, data: bytes) -> None:
    """Other bytes in a file that looks untouched."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", CHECKED)
def test_changed_bytes_are_refused(site: Site, tmp_path: Path, name: str) -> None:
    collection, values = added(site, tmp_path, name, CHECKED[name], "changed")
    file, first, last = chunk(site, collection, tmp_path / name)
    whole = file.read_bytes()
    for seed in range(8):
        data, dice = bytearray(whole), np.random.default_rng(seed)
        for place in dice.integers(first + (last - first) // 8, last, size=dice.integers(1, 4)):
            data[place] ^= int(dice.integers(1, 256))
        rewrite(file, bytes(data))
        site.cubes.forget()
        with pytest.raises(Unreadable, match=name):
            site.extract(collection)
    rewrite(file, whole)
    np.testing.assert_array_equal(site.extract(collection).t.values, values)


@pytest.mark.parametrize("name", CUT)
def test_chunks_that_are_cut_short_are_refused(site: Site, tmp_path: Path, name: str) -> None:
    collection, _ = added(site, tmp_path, name, CUT[name], "cut")
    file, _, last = chunk(site, collection, tmp_path / name)
    for kept in (0, last // 2, last - 1):
        rewrite(file, file.read_bytes()[:kept])
        site.cubes.forget()
        with pytest.raises(Unreadable, match=name):
            site.extract(collection)


def test_a_file_that_was_written_again_is_refused(site: Site, tmp_path: Path) -> None:
    collection, _ = added(site, tmp_path, "plain.nc", netcdf, "again")
    path, first, _ = chunk(site, collection, tmp_path / "plain.nc")
    data = bytearray(path.read_bytes())
    data[first + 100] ^= 1
    path.write_bytes(data)
    site.cubes.forget()
    with pytest.raises(Unreadable, match=r"plain\.nc"):
        site.extract(collection)
