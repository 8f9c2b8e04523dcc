"""Single cells and chunks of files as they are: what is read of them near and far, and what is noticed when they break."""

from __future__ import annotations

import functools
import http.server
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import netCDF4
import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash
import pytest

# isort: split
import eccodes

from memory_format import ORIGIN
from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.contracts.loading import load
from terrella.cubes.caching import ReadTally
from terrella.cubes.cubes import Cubes
from terrella.cubes.selecting import Selection
from terrella.errors import TerrellaError, Unreadable

HOURS, ROWS, COLS = 96, 60, 80
VALUES = np.random.default_rng(4).normal(280, 10, (HOURS, ROWS, COLS)).astype("f4")


def grib(path: Path, packing: str = "grid_simple") -> Path:
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    keys = {"Ni": COLS, "Nj": ROWS, "iDirectionIncrementInDegrees": 0.5, "jDirectionIncrementInDegrees": 0.5}
    keys |= {"latitudeOfFirstGridPointInDegrees": 60, "latitudeOfLastGridPointInDegrees": 30.5}
    keys |= {"longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": 39.5}
    for key, value in {**keys, "shortName": "2t", "packingType": packing, "bitsPerValue": 16}.items():
        eccodes.codes_set(handle, key, value)
    with path.open("wb") as file:
        for hour in range(HOURS):
            eccodes.codes_set(handle, "dataDate", 20240101 + hour // 24)
            eccodes.codes_set(handle, "dataTime", hour % 24 * 100)
            eccodes.codes_set_values(handle, VALUES[hour].astype(float).ravel())
            eccodes.codes_write(handle, file)
    eccodes.codes_release(handle)
    return path


def netcdf(path: Path, kind: str = "NETCDF4", **how: object) -> Path:
    with netCDF4.Dataset(path, "w", format=kind) as file:
        for name, size in (("time", None), ("lat", ROWS), ("lon", COLS)):
            file.createDimension(name, size if kind != "NETCDF4" or "contiguous" not in how else size or HOURS)
        made = {name: file.createVariable(name, "f8", (name,)) for name in ("time", "lat", "lon")}
        made["time"].units, made["time"][:] = "hours since 2024-01-01", np.arange(HOURS)
        made["lat"].units, made["lat"][:] = "degrees_north", 60 - 0.5 * np.arange(ROWS)
        made["lon"].units, made["lon"][:] = "degrees_east", 0.5 * np.arange(COLS)
        other = file.createVariable("other", "i2", ("time", "lat", "lon"))
        array = file.createVariable("t", "f4", ("time", "lat", "lon"), **how)
        array[:], other[:] = VALUES, 1
    return path


MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "grib": ("grib", grib),
    "grib ccsds": ("grib", functools.partial(grib, packing="grid_ccsds")),
    "netcdf3": ("netcdf3", functools.partial(netcdf, kind="NETCDF3_64BIT_OFFSET")),
    "contiguous": ("hdf5", functools.partial(netcdf, contiguous=True)),
    "chunked": ("hdf5", functools.partial(netcdf, chunksizes=(1, ROWS, COLS))),
    "deflated": ("hdf5", functools.partial(netcdf, chunksizes=(4, 30, 40), zlib=True, shuffle=True)),
    "checked": ("hdf5", functools.partial(netcdf, chunksizes=(4, 30, 40), fletcher32=True)),
}
PACKED = {"grib ccsds", "deflated", "checked"}


def index_of(href: str, form: str) -> CubeIndex:
    (scan,) = load("formats", form)().scan(href)
    (part,) = scan.parts
    arrays = [array for array in part.arrays if array.name != "other"]
    variables = tuple(
        CubeVariable(one.name, one.dims, one.shape, "<f8", {}, (Piece(href, form, "a", one, (None,) * len(one.dims)),))
        for one in arrays
    )
    return CubeIndex(part.grid, part.axes, variables)


def read(index: CubeIndex, selection: Selection, cubes: Cubes | None = None) -> tuple[np.ndarray, int, int]:
    """Values, bytes that the plan said, bytes that the tally counted."""
    cubes = cubes or Cubes(threads=2)
    try:
        cuts = cubes.cut(cubes.open(index, ORIGIN), {index.variables[0].name: selection})
        tally = ReadTally()
        said = cubes.plan(cuts).bytes_read
        return cubes.read(cuts, tally)[index.variables[0].name], said, tally.bytes_read
    finally:
        cubes.close()


SELECTIONS = {
    "point": Selection(cells=np.array([1234])),
    "points": Selection({"time": np.array([3, 40, 41])}, cells=np.array([0, 4799, 81])),
    "small box": Selection({"time": slice(10, 20)}, lines=(slice(4, 7), slice(30, 33))),
    "rows": Selection(lines=(slice(10, 12), slice(0, COLS))),
    "all": Selection(),
}


@pytest.mark.parametrize("selection", list(SELECTIONS))
@pytest.mark.parametrize("maker", list(MAKERS))
def test_bytes_are_as_the_plan_says_and_values_those_of_the_file(tmp_path, monkeypatch, maker, selection):
    form, make = MAKERS[maker]
    path = make(tmp_path / "file.bin")
    index = index_of(str(path), form)
    cells = SELECTIONS[selection]
    length = 0
    real = os.pread

    def counting(file: int, size: int, offset: int) -> bytes:
        nonlocal length
        length += size
        return real(file, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    found, said, counted = read(index, cells)
    assert said == counted == length
    expected = VALUES[cells.axes.get("time", slice(None))]
    if cells.cells is not None:
        expected = expected.reshape(len(expected), -1)[:, cells.cells]
    elif cells.lines is not None:
        expected = expected[:, cells.lines[0], cells.lines[1]]
    np.testing.assert_allclose(found, expected, atol=0.002 if form == "grib" else 0)
    if selection == "point" and maker not in PACKED:
        assert counted < path.stat().st_size / 100


class Counting(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, whole or by range; `asked` are the ranges."""

    def __init__(self, *args: object, asked: list[int], directory: str) -> None:
        self.asked = asked
        super().__init__(*args, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        first, last = (int(one) for one in self.headers["Range"].removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        self.asked.append(len(part))
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """Address of a server of tmp_path, and the sizes of the ranges that it was asked for."""
    asked: list[int] = []
    handler = functools.partial(Counting, asked=asked, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def moved(index: CubeIndex, href: str) -> CubeIndex:
    """The same cube of a file elsewhere."""
    variables = []
    for one in index.variables:
        pieces = tuple(Piece(href, each.format, each.item, each.array, each.positions) for each in one.pieces)
        variables.append(CubeVariable(one.name, one.dims, one.shape, one.dtype, one.attrs, pieces))
    return CubeIndex(index.grid, index.axes, tuple(variables))


@pytest.mark.parametrize("maker", list(MAKERS))
@pytest.mark.parametrize("selection", ["point", "all"])
def test_many_small_ranges_of_a_far_file_come_in_few_requests(tmp_path, far, maker, selection):
    address, asked = far
    form, make = MAKERS[maker]
    near = index_of(str(make(tmp_path / "file.bin")), form)
    expected, said, _ = read(near, SELECTIONS[selection])
    found, _, counted = read(moved(near, f"{address}/file.bin"), SELECTIONS[selection])
    np.testing.assert_array_equal(found, expected)
    assert counted == said
    assert len(asked) <= 20 < HOURS


@pytest.mark.parametrize("maker", ["grib ccsds", "deflated", "checked"])
def test_a_far_file_that_became_shorter_is_an_error(tmp_path, far, maker):
    address, _ = far
    form, make = MAKERS[maker]
    path = make(tmp_path / "file.bin")
    index = moved(index_of(str(path), form), f"{address}/file.bin")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreadable, match=r"^file.bin: "):
        read(index, Selection())


@pytest.mark.parametrize("maker", ["deflated", "checked", "grib ccsds", "grib"])
def test_flipped_bytes_are_an_error_that_names_the_file(tmp_path, maker):
    """Where a chunk carries its own check or structure; GRIB has none but the heads of its sections."""
    form, make = MAKERS[maker]
    path = make(tmp_path / "file.bin")
    index = index_of(str(path), form)
    table = index.variables[0].pieces[0].array.table
    assert table is not None
    data = bytearray(path.read_bytes())
    at = int(table.offsets[5]) + (0 if form == "grib" else int(table.lengths[5]) // 2)
    for place in range(at, at + 24):
        data[place] ^= 0x5A
    path.write_bytes(bytes(data))
    with pytest.raises(TerrellaError, match=r"^file.bin: ") as caught:
        read(index, Selection())
    assert isinstance(caught.value, Unreadable)
    assert re.search(r"decode|damaged|message|changed|bytes", caught.value.message)


@pytest.mark.parametrize("maker", list(MAKERS))
@pytest.mark.parametrize("selection", ["point", "all"])
def test_a_file_that_is_shorter_or_gone_is_an_error(tmp_path, maker, selection):
    form, make = MAKERS[maker]
    path = make(tmp_path / "file.bin")
    index = index_of(str(path), form)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreadable, match=r"^file.bin: "):
        read(index, SELECTIONS[selection])
    path.unlink()
    with pytest.raises(TerrellaError, match=r"file.bin: "):
        read(index, SELECTIONS[selection])
