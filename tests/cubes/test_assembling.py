"""Parts of many files into one cube: positions, united axes, tiles, names; against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, regular
from terrella.cubes.assembling import assemble, cube_key
from terrella.cubes.cubes import Cubes
from terrella.errors import Unsupported
from terrella.model.scan import Axis, Packing, Part

GRID = regular(3, 4, dlat=-1.0)


def file(fmt, href, values, axes, *, grid=GRID, name="t", label="", **more):
    """One file with one variable, as `assemble` takes it."""
    space = ("y", "x") if grid["kind"] == "projected" else ("lat", "lon")
    dims = (*(axis.name for axis in axes), *space)
    scan = fmt.put(href, name, dims, values, values.shape, **more)
    return (href.strip("/"), Part(grid, tuple(axes), (scan,), label), href, "memory")


def pressure(*values):
    return Axis("pressure", "vertical", np.array(values, dtype=float), "hPa")


def utm(x0, y0, nx, ny, step=10.0):
    return {
        "kind": "projected",
        "crs": "EPSG:32633",
        "x": {"first": x0, "step": step, "count": nx},
        "y": {"first": y0, "step": -step, "count": ny},
    }


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data())
def test_files_along_time_and_level_in_any_order_become_one_cube(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    nt, levels = 6, [1000.0, 850.0, 500.0]
    whole = rng.normal(size=(nt, 3, 3, 4)).astype("f4")
    fmt, scans = MemoryFormat(), []
    cuts = sorted(data.draw(st.sets(st.integers(1, nt - 1), max_size=3)))
    for n, times in enumerate(np.split(np.arange(nt), cuts)):
        for level in range(3):
            values = whole[times][:, [level]]
            axis = Axis("time", "time", times * 3_600_000, "", "standard")
            scans.append(file(fmt, f"/f{n}-{level}", values, [axis, pressure(levels[level])]))
    data.draw(st.randoms(use_true_random=False)).shuffle(scans)
    assert len({cube_key(part) for _, part, _, _ in scans}) == 1
    index = assemble(scans)
    cube = Cubes(formats={"memory": fmt}).open(index, ORIGIN)
    found = cube.dataset.t.sel(pressure=levels)
    np.testing.assert_array_equal(found.values, whole)
    assert (np.diff(cube.axes[0].values) > 0).all()


def test_levels_keep_the_direction_that_files_have():
    fmt = MemoryFormat()
    one = file(fmt, "/a", np.zeros((2, 3, 4), "f4"), [pressure(1000, 500)])
    other = file(fmt, "/b", np.zeros((2, 3, 4), "f4"), [pressure(850, 250)])
    assert assemble([one, other]).axes[0].values.tolist() == [1000, 850, 500, 250]


def test_the_later_item_wins_where_it_has_a_value():
    fmt = MemoryFormat()
    first = np.arange(24, dtype="f4").reshape(2, 3, 4)
    second = first + 100
    second[0, 0, 0] = np.nan
    scans = [file(fmt, "/a", first, [hours(2)]), file(fmt, "/b", second[:1], [hours(1)])]
    cube = Cubes(formats={"memory": fmt}).open(assemble(scans), ORIGIN)
    expected = first.copy()
    expected[0] = np.where(np.isnan(second[0]), first[0], second[0])
    np.testing.assert_array_equal(cube.dataset.t.values, expected)


def test_a_later_item_in_the_very_place_replaces_the_earlier():
    fmt = MemoryFormat()
    scans = [file(fmt, f"/{n}", np.full((1, 3, 4), n, "f4"), [hours(1)]) for n in range(3)]
    (variable,) = assemble(scans).variables
    assert [piece.item for piece in variable.pieces] == ["2"]


def test_one_name_on_several_kinds_of_level_is_told_apart():
    fmt = MemoryFormat()
    model = Axis("model_level", "vertical", np.array([1, 2]))
    scans = [
        file(fmt, "/m", np.zeros((2, 3, 4), "f4"), [model]),
        file(fmt, "/p", np.zeros((1, 3, 4), "f4"), [pressure(500)]),
        file(fmt, "/q", np.zeros((1, 3, 4), "f4"), [pressure(500)], label="other"),
    ]
    for order in (scans, scans[::-1]):
        made = {one.name: one.dims for one in assemble(order).variables}
        assert made == {
            "t": ("pressure", "lat", "lon"),
            "t_model_level": ("model_level", "lat", "lon"),
            "t_pressure": ("pressure", "lat", "lon"),
        }


def test_heights_that_never_meet_are_separate_axes():
    fmt = MemoryFormat()
    two, ten = (Axis("height", "vertical", np.array([h]), "m") for h in (2.0, 10.0))
    index = assemble(
        [
            file(fmt, "/t", np.zeros((1, 3, 4), "f4"), [two], name="2t"),
            file(fmt, "/u", np.zeros((1, 3, 4), "f4"), [ten], name="10u"),
        ]
    )
    assert {one.name: one.dims[0] for one in index.variables} == {"2t": "height", "10u": "height_10"}
    cube = Cubes(formats={"memory": fmt}).open(index, ORIGIN)
    assert cube.dataset["10u"].values.shape == (1, 3, 4)


def test_calendars_are_never_mixed():
    fmt = MemoryFormat()
    one = file(fmt, "/a", np.zeros((1, 3, 4), "f4"), [hours(1)])
    other = file(fmt, "/b", np.zeros((1, 3, 4), "f4"), [hours(1, start=9, calendar="360_day")])
    same = file(fmt, "/c", np.zeros((1, 3, 4), "f4"), [hours(1, start=9, calendar="proleptic_gregorian")])
    assert cube_key(one[1]) != cube_key(other[1])
    assert cube_key(one[1]) == cube_key(same[1])
    with pytest.raises(Unsupported, match="360_day"):
        assemble([one, other])


def test_tiles_become_a_mosaic():
    fmt = MemoryFormat()
    whole = np.random.default_rng(1).normal(size=(1, 20, 30)).astype("f4")
    scans = []
    for i, j, ny, nx in ((0, 0, 12, 10), (0, 10, 12, 20), (12, 10, 8, 20)):
        grid = utm(500_005.0 + j * 10, 5_000_000.0 - i * 10, nx, ny)
        scans.append(file(fmt, f"/{i}-{j}", whole[:, i : i + ny, j : j + nx], [hours(1)], grid=grid))
    assert len({cube_key(part) for _, part, _, _ in scans}) == 1
    index = assemble(scans)
    assert index.grid == utm(500_005.0, 5_000_000.0, 30, 20)
    whole[:, 12:, :10] = np.nan
    cube = Cubes(formats={"memory": fmt}).open(index, ORIGIN)
    np.testing.assert_array_equal(cube.dataset.t.values, whole)
    np.testing.assert_array_equal(cube.dataset.t[0, 11:14, 5:25:3].values, whole[0, 11:14, 5:25:3])


def test_tiles_far_apart_or_out_of_line_form_no_cube():
    fmt = MemoryFormat()
    here = file(fmt, "/a", np.zeros((1, 10, 10), "f4"), [hours(1)], grid=utm(0.0, 0.0, 10, 10))
    far = file(fmt, "/b", np.zeros((1, 10, 10), "f4"), [hours(1)], grid=utm(9000.0, 0.0, 10, 10))
    with pytest.raises(Unsupported, match="too far apart"):
        assemble([here, far])
    askew = file(fmt, "/c", np.zeros((1, 10, 10), "f4"), [hours(1)], grid=utm(104.0, 0.0, 10, 10))
    assert cube_key(here[1]) != cube_key(askew[1])
    with pytest.raises(Unsupported, match="different grids"):
        assemble([here, askew])


def test_regional_model_grids_are_no_tiles():
    fmt = MemoryFormat()
    one = file(fmt, "/a", np.zeros((3, 4), "f4"), [], grid=regular(3, 4, dlat=-0.25, dlon=0.25))
    other = file(fmt, "/b", np.zeros((3, 4), "f4"), [], grid=regular(3, 4, dlat=-0.25, dlon=0.25, lon0=1.0))
    assert cube_key(one[1]) != cube_key(other[1])


@pytest.mark.parametrize(
    ("dtype", "packing", "expected"),
    [
        ("i2", Packing(scale=0.1), "<f4"),
        ("i4", Packing(missing=(-1.0,)), "<f8"),
        ("u1", Packing(missing=(255.0,)), "<f4"),
        ("u1", Packing(), "|u1"),
        (">i4", Packing(), "<i4"),
        (">f4", Packing(missing=(1e20,)), "<f4"),
        ("f8", Packing(), "<f8"),
    ],
)
def test_values_have_the_smallest_type_that_holds_them(dtype, packing, expected):
    fmt = MemoryFormat()
    scan = file(fmt, "/a", np.zeros((3, 4), dtype), [], packing=packing)
    assert assemble([scan]).variables[0].dtype == expected


def test_text_is_left_out_and_nothing_is_no_cube():
    fmt = MemoryFormat()
    text = file(fmt, "/a", np.full((3, 4), "x"), [])
    with pytest.raises(Unsupported, match="numbers"):
        assemble([text])
    with pytest.raises(Unsupported):
        assemble([])


def forecast(fmt, href, run, steps):
    reference = hours(1, start=run, name="reference_time")
    step = Axis("step", "step", np.array(steps, dtype=np.int64) * 3_600_000)
    values = np.add.outer(np.array([run * 100.0]), np.array(steps))[..., None, None] + np.zeros((3, 4))
    return file(fmt, href, values.astype("f4"), [reference, step])


def test_one_run_has_valid_times():
    fmt = MemoryFormat()
    cube = Cubes(formats={"memory": fmt}).open(assemble([forecast(fmt, "/a", 12, [0, 6, 12])]), ORIGIN)
    assert cube.dataset.t.dims == ("time", "lat", "lon")
    assert cube.dataset.time.values.astype("M8[h]").astype(int).tolist() == [12, 18, 24]
    assert cube.dataset.reference_time.values.astype("M8[h]").astype(int) == 12
    assert cube.dataset.t[:, 0, 0].values.tolist() == [1200, 1206, 1212]
    assert [axis.name for axis in cube.axes] == ["time"]


def test_one_step_of_many_runs_has_valid_times():
    fmt = MemoryFormat()
    scans = [forecast(fmt, f"/{run}", run, [6]) for run in (24, 12, 0)]
    cube = Cubes(formats={"memory": fmt}).open(assemble(scans), ORIGIN)
    assert cube.dataset.time.values.astype("M8[h]").astype(int).tolist() == [6, 18, 30]
    assert cube.dataset.t[:, 0, 0].values.tolist() == [6, 1206, 2406]
    assert cube.dataset.step.values == np.timedelta64(6, "h")


def test_runs_with_steps_keep_both_and_say_valid_times():
    fmt = MemoryFormat()
    scans = [forecast(fmt, f"/{run}", run, [0, 6]) for run in (12, 0)]
    cube = Cubes(formats={"memory": fmt}).open(assemble(scans), ORIGIN)
    assert cube.dataset.t.dims == ("reference_time", "step", "lat", "lon")
    assert cube.dataset.valid_time.values.astype("M8[h]").astype(int).tolist() == [[0, 6], [12, 18]]
    assert cube.dataset.t[..., 0, 0].values.tolist() == [[0, 6], [1200, 1206]]


def test_odd_calendars_are_kept():
    fmt = MemoryFormat()
    axis = Axis("time", "time", np.array([59 * 86_400_000]), "", "360_day")
    cube = Cubes(formats={"memory": fmt}).open(assemble([file(fmt, "/a", np.zeros((1, 3, 4), "f4"), [axis])]), ORIGIN)
    (date,) = cube.dataset.time.values
    assert (date.month, date.day, date.calendar) == (2, 30, "360_day")
