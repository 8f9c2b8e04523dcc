"""Archives that are streamed, read by Python's zipfile and by unzip."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

import terrella  # noqa: F401 -- first in every process
from terrella.api.archives import Entry, archive, archive_size, entries_below
from terrella.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scene.SAFE"
    (place / "MEASURE" / "größer").mkdir(parents=True)
    (place / "manifest.xml").write_bytes(b"<x/>")
    (place / "MEASURE" / "größer" / "data.bin").write_bytes(bytes(range(256)) * 9000)
    (place / "empty").write_bytes(b"")
    for at, path in enumerate(sorted(place.rglob("*"))):
        os.utime(path, (1.7e9 + at, 1.7e9 + at))
    return place


def test_zipfile_reads_what_was_written(folder: Path) -> None:
    entries = entries_below(folder)
    whole = b"".join(archive(entries))
    assert len(whole) == archive_size(entries)
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        assert found.testzip() is None
        assert found.namelist() == ["scene.SAFE/empty", "scene.SAFE/manifest.xml", "scene.SAFE/MEASURE/größer/data.bin"]
        for name in found.namelist():
            assert found.read(name) == (folder.parent / name).read_bytes()
        assert found.infolist()[0].date_time[:4] == (2023, 11, 14, 22)
    assert b"".join(archive(entries_below(folder))) == whole


def test_unzip_reads_it_too(folder: Path, tmp_path: Path) -> None:
    if not (unzip := shutil.which("unzip")):
        pytest.skip("there is no unzip")
    path = tmp_path / "all.zip"
    path.write_bytes(b"".join(archive(entries_below(folder))))
    assert subprocess.run([unzip, "-tq", str(path)], capture_output=True, check=False).returncode == 0


def test_no_link_leads_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert all("link" not in one.name for one in entries_below(folder))


def test_files_that_changed(folder: Path, tmp_path: Path) -> None:
    entries = entries_below(folder)
    (folder / "manifest.xml").write_bytes(b"<")
    with pytest.raises(OSError, match="shorter"):
        b"".join(archive(entries))
    with pytest.raises(NotFound):
        Entry.of("gone", tmp_path / "gone")


def test_nothing_is_an_archive_too() -> None:
    whole = b"".join(archive([]))
    assert len(whole) == archive_size([])
    assert zipfile.ZipFile(io.BytesIO(whole)).namelist() == []
