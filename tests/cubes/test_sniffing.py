"""Formats by their first bytes, without the libraries of the other formats."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from terrella.contracts.loading import load_all
from terrella.cubes.sniffing import KnownFormats


def of_all(href: str, head: bytes) -> list[str]:
    """Every format that claims a file."""
    return [name for name, made in load_all("formats").items() if made().claims(href, head)]


def test_real_files_are_taken_by_a_format_that_claims_them(test_data: Path) -> None:
    known, seen = KnownFormats(), set()
    for path in sorted(test_data.rglob("*")):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        with path.open("rb") as file:
            head = file.read(1024)
        found, claims = known.claiming(str(path), head), of_all(str(path), head)
        assert found in claims if claims else found is None, path
        seen.add(found)
    assert {"geotiff", "grib", "hdf5", "netcdf3", "stac", "table", "safe"} <= seen


@pytest.mark.parametrize(
    ("inside", "name"), [("zarr.json", "zarr"), (".zgroup", "zarr"), ("note.txt", None), ("a.grib", None)]
)
def test_folders(tmp_path: Path, inside: str, name: str | None) -> None:
    place = tmp_path / "x.grib"
    place.mkdir()
    (place / inside).write_text("{}")
    assert KnownFormats().claiming(str(place), b"") == name


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("bulletin.bin", b"\x01\r\r\n123\r\r\nHHXA01 EGRR 010000\r\r\nGRIB\0\0\x54\x01" + bytes(99)),
        ("ending.grb2", bytes(99)),
        ("user_block.h5", bytes(512) + b"\x89HDF\r\n\x1a\n"),
    ],
)
def test_marks_that_are_not_at_the_start(name: str, head: bytes) -> None:
    assert [KnownFormats().claiming(name, head)] == of_all(name, head)


def test_what_nothing_claims_lists_all_titles() -> None:
    known = KnownFormats()
    assert known.claiming("notes.txt", b"hello") is None
    assert known.titles() == sorted(made().title for made in load_all("formats").values())


def test_sniffing_loads_no_library_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(b"CDF\x01" + bytes(60))
    (tmp_path / "b.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(60))
    (tmp_path / "c.tif").write_bytes(b"II*\0" + bytes(60))
    (tmp_path / "folder").mkdir()
    code = """
import json, sys
from terrella.cubes.scanning import find
found = [one.format for one in find([sys.argv[1]])]
heavy = {"h5py", "eccodes", "rasterio", "icechunk", "zarr", "pyarrow", "netCDF4"} & set(sys.modules)
print(json.dumps([sorted(found), sorted(heavy)]))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["geotiff", "hdf5", "netcdf3"], []]
