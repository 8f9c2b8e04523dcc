"""A file read in parts is the file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.images import remote
from terrella.cubes.images.remote import RemoteImage


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("remote") / "a.bin"
    made.write_bytes(np.random.default_rng(1).bytes(300_001))
    return made


SEEKS = st.one_of(
    st.tuples(st.integers(0, 310_000), st.just(io.SEEK_SET)),
    st.tuples(st.integers(-5000, 5000), st.just(io.SEEK_CUR)),
    st.tuples(st.integers(-300_001, 100), st.just(io.SEEK_END)),
)


@given(st.lists(st.tuples(SEEKS, st.integers(-1, 70_000)), max_size=12))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_like_a_file(path: Path, steps: list[tuple[tuple[int, int], int]]) -> None:
    ours = RemoteImage(str(path))
    with path.open("rb") as file:
        for (offset, whence), size in steps:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: file.tell(), io.SEEK_END: 300_001}[whence]
            file.seek(max(0, base + offset))
            assert ours.seek(offset, whence) == file.tell() == ours.tell()
            assert ours.read(size) == file.read(size)


def test_parts_are_fetched_once_and_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_KEPT", 6)
    ours = RemoteImage(str(path))
    assert (ours.readable(), ours.seekable()) == (True, True)
    whole = path.read_bytes()
    for _ in range(2):
        for place in range(0, 300_001, 9_999):
            ours.seek(place)
            assert ours.read(100) == whole[place : place + 100]
            assert len(ours._parts) <= 6
    ours.seek(0)
    assert ours.readall() == whole
