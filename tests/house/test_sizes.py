"""The house stays tidy: sizes of files and functions, annotations, and rooms that do not import each other."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

import terrella
from house.measure import Sizes, measure


@pytest.fixture(scope="module")
def sizes() -> Sizes:
    found = measure(Path(terrella.__file__).parent)
    print("\n" + found.row())
    return found


def test_files_are_short(sizes: Sizes) -> None:
    assert median(sizes.files.values()) <= 200, sizes.row()
    assert {name: count for name, count in sizes.files.items() if count > 700} == {}


def test_functions_are_short(sizes: Sizes) -> None:
    lengths = sorted(sizes.functions.values())
    assert median(lengths) <= 8, sizes.row()
    assert lengths[int(len(lengths) * 0.95)] <= 40, sizes.row()
    assert {name: count for name, count in sizes.functions.items() if count > 100} == {}


def test_all_returns_are_annotated(sizes: Sizes) -> None:
    assert sizes.unannotated == []


def test_no_two_rooms_import_each_other(sizes: Sizes) -> None:
    assert sizes.two_way == []
