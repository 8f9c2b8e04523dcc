from __future__ import annotations

import numpy as np
import pytest

from terrella.cubes.picking import _alike, _listed, _run


def group(out: object, inside: object) -> tuple[int, object, object]:
    return (0, out, inside)


@pytest.mark.parametrize(
    "outs",
    [
        [slice(3, 4)],
        [slice(3, 4), slice(4, 6), slice(6, 7)],
        [slice(0, 1), slice(2, 3)],
        [slice(4, 6), slice(2, 4)],
        [slice(0, 2), np.array([2, 3])],
        [np.array([5]), slice(6, 7)],
        [np.array([1, 9]), np.array([4])],
    ],
)
def test_where_values_go_is_what_all_chunks_say(outs: list[object]) -> None:
    groups = [group(out, slice(0, 1)) for out in outs]
    wanted = np.concatenate([np.arange(out.start, out.stop) if isinstance(out, slice) else out for out in outs])
    found = _run(groups) or _listed(groups)  # type: ignore[arg-type]
    assert np.array_equal(np.arange(100)[found], wanted)


def test_chunks_of_which_the_same_is_wanted_are_found_also_when_others_lie_between() -> None:
    same, other, cells = slice(0, 1), slice(1, 2), np.array([3, 5])
    groups = [
        group(slice(n, n + 1), one) for n, one in enumerate([same, same, other, slice(0, 1), cells, cells.copy()])
    ]
    found = [[one[1].start for one in alike] for alike in _alike(groups)]  # type: ignore[arg-type]
    assert found == [[0, 1, 3], [2], [4, 5]]
