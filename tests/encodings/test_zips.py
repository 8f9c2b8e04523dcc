"""Archives are read back by Python's zipfile and, where it is installed, by Info-ZIP."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.encodings import zips
from terrella.encodings.zips import Member, Zip, safe_name, write_zip, zip_size
from terrella.errors import Internal, Unreadable

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\x00"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.dictionaries(NAMES, st.binary(max_size=3000), max_size=6))
def test_zipfile_reads_what_was_written_and_its_size_was_foretold(files: dict[str, bytes]) -> None:
    out = io.BytesIO()
    archive = Zip(out)
    for name, content in files.items():
        made = archive.add(name, len(content), [content[:7], content[7:]])
        assert made.sha256 == hashlib.sha256(content).hexdigest()
    size = archive.close()
    assert size == len(out.getvalue()) == zip_size((name, len(content)) for name, content in files.items())
    with zipfile.ZipFile(out) as read:
        assert read.testzip() is None
        assert {info.filename: read.read(info) for info in read.infolist()} == files
        assert {info.compress_type for info in read.infolist()} <= {zipfile.ZIP_STORED}


def test_large_archives_use_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "_MOST_32", 1000)  # as if a member of 1000 bytes had 4 GiB
    out, content = io.BytesIO(), bytes(2000)
    archive = Zip(out)
    archive.add("large", 2000, [content])
    archive.add("small", 3, [b"abc"])
    archive.close()
    raw = out.getvalue()
    assert b"PK\x06\x06" in raw
    monkeypatch.undo()
    fixed = raw.replace((1000).to_bytes(4, "little"), b"\xff\xff\xff\xff")
    with zipfile.ZipFile(io.BytesIO(fixed)) as read:
        assert read.read("large") == content
        assert read.read("small") == b"abc"


def test_many_members_use_zip64() -> None:
    out = io.BytesIO()
    archive = Zip(out)
    for number in range(65_600):
        archive.add(str(number), 0, [])
    assert archive.close() == zip_size((str(number), 0) for number in range(65_600))
    with zipfile.ZipFile(out) as read:
        assert len(read.namelist()) == 65_600


def test_a_broken_off_archive_goes_on_after_its_last_whole_member(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.zip", tmp_path / "broken.zip"
    contents = {"a": b"x" * 5000, "b/ü": b"y" * 10, "c": b"z" * 3000}
    with whole.open("wb") as file:
        archive = Zip(file)
        kept = [archive.add(name, len(content), [content]).as_json() for name, content in contents.items()]
        archive.close()
    broken.write_bytes(whole.read_bytes()[: kept[2]["offset"] + 100])
    with broken.open("r+b") as file:
        again = Zip(file)
        assert again.adopt(Member.of_json(one) for one in kept[:2])
        assert not again.adopt([Member.of_json(kept[2])])  # it was cut off
        again.add("c", 3000, [contents["c"]])
        again.close()
    assert broken.read_bytes() == whole.read_bytes()


def test_a_member_of_another_size_is_taken_out_again() -> None:
    out = io.BytesIO()
    archive = Zip(out)
    archive.add("a", 1, [b"a"])
    for blocks in ([b"12"], [b"1234"]):
        with pytest.raises(Unreadable, match="another size"):
            archive.add("b", 3, blocks)
    archive.add("b", 3, [b"123"])
    archive.close()
    with zipfile.ZipFile(out) as read:
        assert read.testzip() is None
        assert read.namelist() == ["a", "b"]


def test_files_become_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    told: list[Member] = []
    files = [(f"item/{name}", tmp_path / name) for name in ("one", "two")]
    write_zip(tmp_path / "first.zip", files, told.append)
    (tmp_path / "one").touch()
    write_zip(tmp_path / "second.zip", files)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert [one.name for one in told] == ["item/one", "item/two"]
    if unzip := shutil.which("unzip"):
        done = subprocess.run([unzip, "-t", str(tmp_path / "first.zip")], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up", "a/../../b"])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(Internal):
        Zip(io.BytesIO()).add(name, 0, [])


def test_a_name_is_there_once() -> None:
    archive = Zip(io.BytesIO())
    archive.add("a", 0, [])
    with pytest.raises(Internal):
        archive.add("a", 0, [])


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=300))
def test_safe_names_are_plain_names(text: str) -> None:
    made = safe_name(text)
    assert made
    assert made not in (".", "..")
    assert "/" not in made
    assert "\\" not in made
    assert "\0" not in made
