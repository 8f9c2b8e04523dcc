import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import MemoryFormat
from terrella.contracts.cubes import CubeVariable, Piece
from terrella.cubes.placing import Layout, Places
from terrella.cubes.selecting import Wanted, as_slice, is_run, size_of
from terrella.errors import Internal


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_matches_say_where_each_wanted_index_is(data):
    length = data.draw(st.integers(1, 12))
    chosen = data.draw(st.one_of(st.none(), st.permutations(range(length)).map(lambda one: one[: max(1, length // 2)])))
    positions = None if chosen is None else np.array(chosen, dtype=np.int64)
    wanted = np.array(data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=9)), dtype=np.int64)
    match = Places(positions, length).match(Wanted(wanted, length))
    own = np.arange(length) if positions is None else positions
    found = np.full(wanted.size, -1)
    if match is not None:
        out, local = match
        assert size_of(out) == size_of(local)
        found[out] = np.arange(own.size)[local]
    for place, index in enumerate(wanted):
        assert (found[place] == -1) == (index not in own)
        if found[place] >= 0:
            assert own[found[place]] == index


def test_indices_are_checked():
    with pytest.raises(IndexError, match=r"outside 0\.\.4"):
        Wanted(np.array([5]), 5)
    with pytest.raises(IndexError):
        Wanted(np.array([-1]), 5)
    assert Wanted(slice(None, None, 2), 5).array.tolist() == [0, 2, 4]
    assert Wanted(np.array([2, 3, 4]), 5).start == 2


def test_runs_become_slices():
    assert as_slice(np.array([3, 4, 5])) == slice(3, 6)
    assert not is_run(np.array([3, 5, 4]))
    assert size_of(slice(2, 5)) == 3


def layout(*placed, shape=(4, 2, 2)):
    fmt, pieces = MemoryFormat(), []
    for number, (times, rows) in enumerate(placed):
        values = np.zeros((len(times), len(rows), 2), "f4")
        scan = fmt.put(f"/{number}", "t", ("time", "lat", "lon"), values, values.shape)
        pieces.append(Piece(f"/{number}", "memory", "i", scan, (np.array(times), np.array(rows), None)))
    return Layout(CubeVariable("t", ("time", "lat", "lon"), shape, "<f4", {}, tuple(pieces)), 2)


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ([([0], [0, 1])], False),
        ([([0], [0, 1]), ([1], [0, 1])], False),
        ([([0, 1], [0, 1]), ([1, 2], [0, 1])], True),
        ([([0, 1], [0]), ([0, 1], [1])], False),
        ([([0, 2], [0, 1]), ([1, 3], [0, 1])], False),
        ([([0], [0]), ([0], [0, 1])], True),
        ([([0], [0]), ([1], [0, 1])], False),
    ],
)
def test_overlaps_are_seen(placed, expected):
    assert layout(*placed).overlaps is expected


def test_pieces_that_do_not_fit_are_our_fault_and_said():
    fmt = MemoryFormat()
    scan = fmt.put("/a", "t", ("number", "lat", "lon"), np.zeros((3, 2, 2), "f4"), (1, 2, 2))
    piece = Piece("/a", "memory", "i", scan, (None, None))
    with pytest.raises(Internal, match="dimensions"):
        Layout(CubeVariable("t", ("lat", "lon"), (2, 2), "<f4", {}, (piece,)), 2)
    with pytest.raises(Internal, match="other places"):
        Layout(
            CubeVariable(
                "t", ("number", "lat", "lon"), (4, 2, 2), "<f4", {}, (Piece("/a", "memory", "i", scan, (None,) * 3),)
            ),
            2,
        )
