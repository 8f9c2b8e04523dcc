"""Several ranges of one file at once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import NotFound, Unreadable
from terrella.storage import files
from terrella.storage.files import REMOTE_GAP

RANGES = st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 300_000)), min_size=1, max_size=20)


@settings(derandomize=True, deadline=None)
@given(RANGES)
def test_near_ranges_become_one_and_none_is_lost(ranges):
    offsets, lengths = zip(*ranges, strict=True)
    runs = files._coalesced(offsets, lengths)
    for offset, length in ranges:
        assert any(start <= offset and offset + length <= end for start, end in runs)
    for (_, end), (start, _) in pairwise(runs):
        assert start > end + REMOTE_GAP
    held = set().union(*(range(o, o + n, 1000) for o, n in ranges))
    for start, end in runs:
        assert any(start == offset for offset in offsets)
        assert any(offset + length == end for offset, length in ranges)
        assert any(start <= one < end for one in held)


def test_ranges_of_a_local_file_in_any_order(tmp_path):
    content = bytes(range(256)) * 40
    path = tmp_path / "a"
    path.write_bytes(content)
    found = files.read_ranges(str(path), [9000, 0, 5, 0], [10, 3, 300, 1])
    assert found == [content[9000:9010], content[:3], content[5:305], content[:1]]
    assert files.read_ranges(str(path), [], []) == []
    with pytest.raises(Unreadable, match="ends before byte 10250"):
        files.read_ranges(str(path), [0, 10230], [10, 20])
    path.unlink()
    with pytest.raises(NotFound):
        files.read_ranges(str(tmp_path / "none"), [0], [1])
