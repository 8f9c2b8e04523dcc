"""Files on a web server, and many readers at once."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

from terrella.cubes.formats.hdf5 import Hdf5
from terrella.cubes.formats.netcdf3 import NetCdf3
from terrella.storage.files import read_range

DATA = np.arange(6 * 40 * 50, dtype="i4").reshape(6, 40, 50)


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves byte ranges, which Python's own handler does not."""

    protocol_version = "HTTP/1.1"
    folder = Path()

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        body = (self.folder / self.path.lstrip("/")).read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)?", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
            part = body[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        else:
            part = body
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if with_body:
            self.wfile.write(part)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    handler = type("Here", (_Ranges,), {"folder": tmp_path})
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def write(path: Path, kind: str) -> None:
    with netCDF4.Dataset(path, "w", format=kind) as dataset:
        for name, values, unit in (
            ("lat", np.linspace(0, 39, 40), "degrees_north"),
            ("lon", np.linspace(0, 49, 50), "degrees_east"),
        ):
            dataset.createDimension(name, values.size)
            made = dataset.createVariable(name, "f8", (name,))
            made.units = unit
            made[:] = values
        dataset.createDimension("level", 6)
        dataset.createVariable("t", "i4", ("level", "lat", "lon"), compression="zlib" if kind == "NETCDF4" else None)[
            :
        ] = DATA


@pytest.mark.parametrize(("kind", "reader"), [("NETCDF3_CLASSIC", NetCdf3()), ("NETCDF4", Hdf5())])
def test_over_http(tmp_path: Path, server: str, kind: str, reader, arrays) -> None:
    write(tmp_path / "a.nc", kind)
    href = f"{server}/a.nc"
    assert reader.claims(href, read_range(href, 0, 600))
    (scanned,) = reader.scan(href)
    (local,) = reader.scan(str(tmp_path / "a.nc"))
    assert scanned.checksum == local.checksum
    (_, array) = arrays(scanned)["t"]
    chunk = reader.source(array, href).load((0, 0, 0))
    np.testing.assert_array_equal(chunk, DATA[tuple(slice(0, size) for size in chunk.shape)])


def test_many_threads_read_the_same(tmp_path: Path, arrays) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["lat"], file["lon"] = np.linspace(0, 39, 40), np.linspace(0, 49, 50)
        file.create_dataset("ours", data=DATA, chunks=(1, 16, 16), compression="gzip", shuffle=True)
        file.create_dataset("theirs", data=DATA, chunks=(1, 16, 16), compression="lzf")
    named = arrays(next(iter(Hdf5().scan(str(path)))))
    for name in ("ours", "theirs"):
        (_, array) = named[name]
        source = Hdf5().source(array, str(path))
        places = [(n % 6, n % 3, n % 4) for n in range(240)]
        with ThreadPoolExecutor(8) as pool:
            for (level, row, column), chunk in zip(places, pool.map(source.load, places), strict=True):
                expected = DATA[level, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
                np.testing.assert_array_equal(chunk[0, : expected.shape[0], : expected.shape[1]], expected)
