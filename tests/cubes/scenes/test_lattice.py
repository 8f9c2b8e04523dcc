"""Windows of a lattice by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.scenes.lattice import Lattice, Window, checked_crs, extent_bounds, raster_bounds
from terrella.errors import Invalid
from terrella.grids import grid_from_json
from terrella.model.space import Extent

whole = st.integers(-50, 50)
windows = st.builds(Window, whole, whole, st.integers(0, 30), st.integers(0, 30))


def cells(window: Window) -> set[tuple[int, int]]:
    rows, columns = range(window.row, window.row + window.rows), range(window.column, window.column + window.columns)
    return {(row, column) for row in rows for column in columns}


@given(windows, windows)
@settings(derandomize=True, deadline=None)
def test_what_two_windows_share(one: Window, other: Window) -> None:
    met = one.meet(other)
    shared = cells(one) & cells(other)
    assert met.is_empty == (not shared)
    if shared:
        assert cells(met) == shared
        assert cells(one) | cells(other) <= cells(Window.around([one, other]))


@given(st.floats(0.5, 7), st.floats(-20, 20), st.floats(-20, 20), st.floats(0.01, 30), st.floats(0.01, 30))
@settings(derandomize=True, deadline=None)
def test_the_window_of_a_box_holds_it(size: float, x: float, y: float, wide: float, high: float) -> None:
    lattice = Lattice("EPSG:32632", size, size, 3.0, -5.0)
    window = lattice.window((x, y, x + wide, y + high))
    a, _, c, _, e, f = lattice.transform(window)
    near = 1e-5 * size
    assert c <= x + near
    assert c + a * window.columns >= x + wide - near
    assert f >= y + high - near
    assert f + e * window.rows <= y + near
    assert window.columns <= math.ceil(wide / size) + 1
    assert window.rows <= math.ceil(high / size) + 1


def test_a_box_on_the_lines_takes_no_more_cells() -> None:
    window = Lattice("EPSG:32632", 0.1, 0.1, 0.0, 0.0).window((0.3, -0.6, 0.7, -0.2))
    assert window == Window(2, 3, 4, 4)


def test_grids_of_windows() -> None:
    window = Window(-3, 4, 5, 6)
    projected = grid_from_json(Lattice("EPSG:32632", 10.0, 20.0, 0.0, 0.0).grid(window))
    assert (projected.kind, projected.shape, projected.transform) == ("projected", (5, 6), (10, 0, 40, 0, -20, 60))
    regular = grid_from_json(Lattice("EPSG:4326", 0.5, 0.25, 0.0, 0.0).grid(window))
    assert regular.kind == "regular"
    assert regular.coordinates()["lat"][0] == 0.625


def test_reference_systems() -> None:
    extent = Extent(-71.0, -34.0, -70.0, -33.0)
    assert checked_crs("utm", extent) == "EPSG:32719"
    assert checked_crs("UTM", Extent(179.5, 1.0, -179.5, 2.0)) == "EPSG:32601"
    assert checked_crs("epsg:3035", extent) == "EPSG:3035"
    for wrong in ("EPSG:4978", "EPSG:5703", "nowhere", ""):
        with pytest.raises(Invalid):
            checked_crs(wrong, extent)


def test_boxes_over_the_antimeridian() -> None:
    extent = Extent(179.0, 50.0, -178.0, 52.0)
    assert extent_bounds(extent, "EPSG:4326") == (179.0, 50.0, 182.0, 52.0)
    left, _, right, _ = extent_bounds(extent, "EPSG:32660")
    assert 0 < right - left < 300_000
    transform = (1000.0, 0.0, 600000.0, 0.0, -1000.0, 5700000.0)
    box = raster_bounds(transform, 100, 200, "EPSG:32660", "EPSG:4326")
    assert box is not None
    assert 0 < box[2] - box[0] < 4


def test_places_that_a_system_does_not_show() -> None:
    with pytest.raises(Invalid, match="too fine"):
        Lattice("EPSG:32632", 1e-200, 1.0, 0.0, 0.0).window((0.0, 0.0, 1.0, 1.0))
    assert np.isfinite(extent_bounds(Extent(-180.0, -90.0, 180.0, 90.0), "EPSG:3035")).all()
