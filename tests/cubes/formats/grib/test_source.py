"""Reading fields back: threads, missing values, files that changed, and files elsewhere."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from terrella.contracts.formats import ChunkSource
from terrella.cubes.formats.grib import Grib
from terrella.errors import TerrellaError, Unreadable

from .conftest import loaded, make_message, only_array, small


def test_missing_values_are_nan_and_zero_is_not_missing(scanned):
    values = np.arange(12.0)
    values[[2, 7]] = 9999
    found = scanned(small(bitmapPresent=1, missingValue=9999, values=values))
    chunk = loaded(found, only_array(found), (0, 0)).ravel()
    assert np.flatnonzero(np.isnan(chunk)).tolist() == [2, 7]
    assert chunk[0] == 0


def test_a_value_that_equals_the_usual_code_for_missing_stays(scanned):
    found = scanned(small(values=np.full(12, 9999.0)))
    assert (loaded(found, only_array(found), (0, 0)) == 9999).all()


def test_all_missing(scanned):
    found = scanned(small(bitmapPresent=1, missingValue=9999, values=np.full(12, 9999.0)))
    assert np.isnan(loaded(found, only_array(found), (0, 0))).all()


@pytest.mark.parametrize("packing", ["grid_simple", "grid_ccsds", "grid_jpeg", "grid_second_order", "grid_ieee"])
def test_packings(scanned, packing):
    values = np.random.default_rng(2).normal(280, 10, 64 * 64)
    keys = {"Ni": 64, "Nj": 64, "packingType": packing}
    if packing != "grid_ieee":
        keys["bitsPerValue"] = 16
    found = scanned(make_message("regular_ll_pl_grib2", values, **keys))
    np.testing.assert_allclose(loaded(found, only_array(found), (0, 0)).ravel(), values, atol=0.01)


def test_many_threads_read_the_same_numbers(scanned):
    rng = np.random.default_rng(4)
    messages = [
        make_message("regular_ll_pl_grib2", rng.normal(size=496), packingType="grid_ccsds", dataDate=20200101 + day)
        for day in range(28)
    ]
    found = scanned(*messages)
    array = only_array(found)
    source = Grib().source(array, found.href)
    assert isinstance(source, ChunkSource)
    indices = [(day, 0, 0, 0) for day in range(28)]
    alone = [source.load(index) for index in indices]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for one, other in zip(alone, pool.map(source.load, indices), strict=True):
                np.testing.assert_array_equal(one, other)


def test_stored_is_the_length_of_the_message(scanned):
    one = small()
    found = scanned(one)
    assert Grib().source(only_array(found), found.href).stored((0, 0, 0, 0)) == len(one)


def test_a_file_that_changed_is_noticed(scanned):
    found = scanned(small(), b"x" * 10, small(dataDate=20200102))
    array = only_array(found)
    Path(found.href).write_bytes(b"nothing" * 1000)
    with pytest.raises(Unreadable, match="no GRIB message where there was one"):
        loaded(found, array, (0, 0))
    Path(found.href).write_bytes(small()[:-10])
    with pytest.raises(Unreadable, match="ends before"):
        loaded(found, array, (1, 0))
    Path(found.href).write_bytes(small()[:100] + b"\xff" * (len(small()) - 104) + b"7777")
    with pytest.raises(TerrellaError):
        loaded(found, array, (0, 0))


class Ranges(BaseHTTPRequestHandler):
    """Serves one body, whole or by range, as object stores do."""

    def __init__(self, body: bytes, *args: object) -> None:
        self.body = body
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.answer(200, self.body, send=False)

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        if not wanted:
            self.answer(200, self.body)
            return
        first, last = wanted.removeprefix("bytes=").split("-")
        end = min(int(last) + 1 if last else len(self.body), len(self.body))
        self.answer(206, self.body[int(first) : end], span=f"bytes {first}-{end - 1}/{len(self.body)}")

    def answer(self, status: int, body: bytes, *, span: str = "", send: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT")
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_files_on_a_web_server(tmp_path):
    body = small(values=np.arange(12.0)) + small(dataDate=20200102, values=np.arange(12.0) + 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, body)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            href = f"http://127.0.0.1:{server.server_port}/made.grib"
            (found,) = Grib().scan(href)
            local = tmp_path / "made.grib"
            local.write_bytes(body)
            (same,) = Grib().scan(str(local))
            assert (found.checksum, found.size) == (same.checksum, same.size)
            array = only_array(found)
            for at in (0, 1):
                np.testing.assert_array_equal(loaded(found, array, (at, 0)), loaded(same, only_array(same), (at, 0)))
        finally:
            server.shutdown()
            thread.join()


def test_reading_and_projecting_in_one_process_ends_well(scanned):
    """Two libraries bring their own libproj: in the wrong order of imports the process dies when it ends."""
    found = scanned(small())
    code = (
        "from terrella.cubes.formats.grib import Grib\n"
        f"(scan,) = Grib().scan({found.href!r})\n"
        f"Grib().source(scan.parts[0].arrays[0], {found.href!r}).load((0, 0, 0, 0))\n"
        "import pyproj\n"
        "pyproj.Transformer.from_crs(4326, 32633).transform(50, 15)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("href", "head", "claimed"),
    [
        ("a.bin", small()[:1024], True),
        ("a.bin", b"\x01\r\r\nHTXA50\r\r\n" + small(1)[:200], True),
        ("a.grib2", b"", True),
        ("https://host/a.GRB?token=1", b"", True),
        ("a.txt", b"GRIB is a format", False),
        ("a.nc", b"\x89HDF\r\n", False),
    ],
)
def test_what_is_claimed(href, head, claimed):
    assert Grib().claims(href, head) is claimed
