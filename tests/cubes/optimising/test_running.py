"""Whole runs: what stock xarray reads back, how runs go on and start anew, and which copy readers take."""

from datetime import timedelta

import numpy as np
import pytest

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.contracts.cubes import CubeIndex, CubeVariable, Origin, Piece
from terrella.cubes.optimising.choosing import cheapest
from terrella.cubes.optimising.records import OptimisedCopies
from terrella.cubes.selecting import Selection
from terrella.errors import Invalid
from terrella.grids import HealpixGrid

TINY = 24 * 3000
"""Bytes: tiles of at most 3000 values."""


@pytest.mark.parametrize("group", ["series", "maps"])
def test_stock_xarray_reads_within_the_bound(lab, weather, group) -> None:
    values = weather(30, 19, 36)
    values[3] = np.nan
    report = lab.optimise(lab.cube(values), "t=0.1%", memory=TINY)
    read = lab.read(group)
    bound = read.t.attrs["max_absolute_error"]
    assert bound == pytest.approx(0.001 * (np.nanmax(values) - np.nanmin(values)))
    np.testing.assert_array_equal(np.isnan(read.t.values), np.isnan(values))
    worst = np.nanmax(np.abs(read.t.values - values.astype("f8")))
    assert worst <= bound
    (told,) = (one for one in report.arrays if one.layout == group)
    assert worst <= told.max_error <= bound
    assert told.mean_error == pytest.approx(np.nanmean(np.abs(read.t.values - values.astype("f8"))))
    np.testing.assert_array_equal(read.time.values, np.arange("1970-01-01T00", "1970-01-02T06", dtype="M8[h]"))
    np.testing.assert_allclose(read.lat.values, 90 - 10 * np.arange(19))


def test_without_a_bound_every_bit_is_kept(lab, weather) -> None:
    values = weather(5, 7, 9)
    values[1, 2, 3:6] = [np.inf, -np.inf, -0.0]
    lab.optimise(lab.cube(values))
    for group in ("series", "maps"):
        read = lab.read(group).t
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read.values.view("u4"), values.view("u4"))
        assert read.attrs["max_absolute_error"] == 0


def test_whole_numbers_stay_whole_numbers(lab) -> None:
    values = np.arange(3 * 4 * 5, dtype="<i4").reshape(3, 4, 5) * 1_000_003
    index = one_piece(lab.memory, values, ("time", "lat", "lon"), (1, 4, 5), regular(4, 5), [hours(3)])
    (one,) = index.variables
    whole = CubeVariable(one.name, one.dims, one.shape, "<i4", {}, one.pieces)
    cube = lab.cubes.open(CubeIndex(index.grid, index.axes, (whole,)), Origin("lake", "test", "whole"))
    with pytest.raises(Invalid, match="whole numbers"):
        lab.optimise(cube, "t=1")
    lab.optimise(cube)
    assert lab.read("maps").t.dtype == np.int32
    np.testing.assert_array_equal(lab.read("maps").t.values, values)
    (copy, *_) = OptimisedCopies(lab.home).of(cube)
    read = lab.cubes.read(lab.cubes.cut(copy, {"t": Selection()}))["t"]
    np.testing.assert_array_equal(read, values)


def test_infinite_values_have_no_bound(lab, weather) -> None:
    values = weather(3, 4, 5)
    values[2, 2, 2] = np.inf
    with pytest.raises(Invalid, match="infinite"):
        lab.optimise(lab.cube(values), "t=0.1")


def test_a_bound_for_what_is_not_written_is_refused(lab, weather) -> None:
    with pytest.raises(Invalid, match="only t will be written"):
        lab.optimise(lab.cube(weather(2, 3, 4)), "u=0.1")
    with pytest.raises(Invalid, match="series, maps, both"):
        lab.optimise(lab.cube(weather(2, 3, 4)), purpose="films")


def test_variables_that_are_all_missing_or_constant(lab) -> None:
    lab.optimise(lab.cube(np.full((2, 3, 4), np.nan, dtype="f4")), "t=1%")
    assert np.isnan(lab.read("maps").t.values).all()
    cube = lab.cubes.open(
        one_piece(
            lab.memory, np.full((2, 3, 4), 7.3, "f4"), ("time", "lat", "lon"), (1, 3, 4), regular(3, 4), [hours(2)]
        ),
        Origin("lake", "test", "2"),
    )
    lab.optimise(cube, "t=0.5")
    assert np.abs(lab.read("series").t.values - np.float32(7.3)).max() <= 0.5


@pytest.mark.parametrize("memory", [24 * 1000, 256 << 20], ids=["small tiles", "one tile"])
def test_overviews_are_means_within_the_bound(lab, weather, memory) -> None:
    values = weather(2, 25, 40, missing=0.3)
    cube = lab.cube(values)
    lab.optimise(cube, "t=0.25", purpose="maps", memory=memory, least_cells=100)
    areas = np.broadcast_to(cube.grid.areas().reshape(25, 40), values.shape)
    for level in (1, 2):
        read = lab.read(f"maps/{level}").t
        step = 2**level
        assert read.shape == (2, -(-25 // step), -(-40 // step))
        for place in np.ndindex(*read.shape):
            block = (place[0], *(slice(i * step, (i + 1) * step) for i in place[1:]))
            there = ~np.isnan(values[block])
            expected = np.average(values[block][there], weights=areas[block][there]) if there.any() else np.nan
            assert read.values[place] == pytest.approx(expected, abs=0.25, nan_ok=True)
        assert read.attrs["overview_method"].startswith("area-weighted")


def test_large_fields_are_made_in_parts(lab, weather, monkeypatch) -> None:
    monkeypatch.setattr("terrella.cubes.optimising.tiling._MAP_VALUES", 500)
    monkeypatch.setattr("terrella.cubes.optimising.tiling.MAP_SIDE", 16)
    monkeypatch.setattr("terrella.cubes.optimising.planning.MAP_SIDE", 16)
    values = weather(2, 40, 50)
    parts = lab.optimise(lab.cube(values), purpose="maps", memory=24 * 600, least_cells=100)
    assert parts.arrays[0].chunks == (1, 16, 16)
    found = [lab.read(f"maps/{level}").t.values for level in (1, 2)]
    np.testing.assert_array_equal(lab.read("maps").t.values, values)
    whole = lab.cubes.open(
        one_piece(lab.memory, values, ("time", "lat", "lon"), (1, 40, 50), regular(40, 50), [hours(2)]),
        Origin("lake", "test", "again"),
    )
    lab.optimise(whole, purpose="maps", least_cells=100)
    for level, expected in zip((1, 2), found, strict=True):
        np.testing.assert_array_equal(lab.read(f"maps/{level}").t.values, expected)


@pytest.mark.parametrize("order", ["ring", "nested"])
def test_healpix_overviews_are_nested(lab, weather, order) -> None:
    grid = HealpixGrid(8, order)
    values = weather(3, grid.size)
    lab.optimise(lab.cube(values, grid=grid.to_json()), purpose="maps", least_cells=100)
    read = lab.read("maps/1")
    assert read.crs.attrs == {"grid_mapping_name": "healpix", "healpix_nside": 4, "healpix_order": "nested"}
    lon, lat = grid.centres()
    import astropy_healpix as ah
    from astropy import units

    parents = ah.HEALPix(nside=4, order="nested").lonlat_to_healpix(lon * units.deg, lat * units.deg)
    means = [np.nanmean(values[0][parents == cell].astype("f8")) for cell in range(192)]
    np.testing.assert_allclose(read.t.values[0], means, rtol=1e-6)


def test_classes_are_not_averaged(lab) -> None:
    values = np.random.default_rng(0).integers(0, 5, (2, 8, 10)).astype("f4")
    lab.optimise(lab.cube(values, attrs={"flag_values": [0, 1, 2, 3, 4]}), purpose="maps", least_cells=20)
    np.testing.assert_array_equal(lab.read("maps/1").t.values, values[:, ::2, ::2])


def test_a_stopped_run_goes_on_and_gives_the_same(lab, weather) -> None:
    values = weather(20, 19, 36)
    cube, seen = lab.cube(values), []

    def tell(step) -> None:
        seen.append(step)
        if step.kind == "writing" and step.done == 2:
            raise KeyboardInterrupt

    more = {"memory": TINY, "commit_seconds": 0.0}
    with pytest.raises(KeyboardInterrupt):
        lab.optimise(cube, "t=0.1", tell=tell, **more)
    assert OptimisedCopies(lab.home).of(cube) == ()
    steps = []
    report = lab.optimise(cube, "t=0.1", tell=steps.append, **more)
    assert (steps[0].kind, steps[0].done) == ("writing", 2)
    assert report.arrays[0].mean_error == pytest.approx(report.arrays[1].mean_error, rel=1e-9)
    np.testing.assert_allclose(lab.read("series").t.values, values, atol=0.1)
    assert lab.optimise(cube, "t=0.1", **more).written == ()


def test_what_another_run_left_half_made_is_never_seen(lab, weather) -> None:
    values = weather(20, 19, 36)
    cube = lab.cube(values)

    def stop(step) -> None:
        if (step.kind, step.text, step.done) == ("writing", "maps/t", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.optimise(cube, tell=stop, memory=TINY, commit_seconds=0.0, least_cells=300)
    assert lab.optimise(cube, purpose="series", memory=TINY).written == ()
    np.testing.assert_array_equal(lab.read("series").t.values, values)
    assert "t" not in lab.read("maps")
    assert "t" not in lab.read("maps/1")


def test_a_kill_before_publishing_loses_nothing(lab, weather) -> None:
    cube = lab.cube(weather(2, 5, 6))

    def stop(step) -> None:
        if step.kind == "publishing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.optimise(cube, tell=stop)
    assert OptimisedCopies(lab.home).of(cube) == ()
    assert lab.optimise(cube).written == ()
    assert len(OptimisedCopies(lab.home).of(cube)) == 2


def test_other_wishes_are_added_and_new_data_start_anew(lab, weather, monkeypatch) -> None:
    monkeypatch.setattr("terrella.cubes.optimising.repository._KEPT", timedelta(0))  # what is replaced goes at once
    values = weather(4, 10, 12)
    cube = lab.cube(values)
    assert lab.optimise(cube, "t=0.1", purpose="maps").written == ("maps/t",)
    assert lab.optimise(cube, "t=0.1", purpose="both").written == ("series/t",)
    assert lab.optimise(cube, "t=0.5", purpose="maps").written == ("maps/t",)
    assert lab.read("maps").t.attrs["max_absolute_error"] == 0.5
    assert len(OptimisedCopies(lab.home).of(cube)) == 2
    index = one_piece(lab.memory, values + 1, ("time", "lat", "lon"), (1, 10, 12), regular(10, 12), [hours(4)])
    changed = lab.cubes.open(index, Origin("lake", "test", "2"))
    assert OptimisedCopies(lab.home).of(changed) == ()
    assert lab.optimise(changed, purpose="maps").written == ("maps/t",)
    np.testing.assert_array_equal(lab.read("maps").t.values, values + 1)
    assert len(OptimisedCopies(lab.home).of(changed)) == 1
    assert OptimisedCopies(lab.home).of(cube) == ()


def test_readers_take_the_copy_that_costs_least(lab, weather) -> None:
    values = weather(48, 19, 36, missing=0)
    cube = lab.cube(values, chunks=(8, 19, 36))
    lab.optimise(cube, "t=0.1")
    by_path = {one.variables["t"].pieces[0].array.codec["path"]: one for one in OptimisedCopies(lab.home).of(cube)}
    assert by_path.keys() == {"series/t", "maps/t"}
    copies = [cube, *by_path.values()]
    wanted = {
        "series/t": Selection(cells=np.array([5])),
        "maps/t": Selection({"time": slice(3, 4)}),
    }
    for one in copies:
        assert one.grid == cube.grid
        read = lab.cubes.read(lab.cubes.cut(one, {"t": Selection()}))["t"]
        assert read.dtype == values.dtype
        assert np.abs(read.astype("f8") - values).max() <= 0.1
    # the sizes that the format in memory states are small: compare the copies alone
    for path, selection in wanted.items():
        chosen = cheapest(lab.cubes, [by_path[path], *by_path.values()], {"t": selection})
        assert chosen.variables["t"].pieces[0].array.codec["path"] == path
        other = cheapest(lab.cubes, list(by_path.values()), {"t": selection})
        assert lab.cubes.plan(lab.cubes.cut(other, {"t": selection})) == lab.cubes.plan(
            lab.cubes.cut(chosen, {"t": selection})
        )
    assert cheapest(lab.cubes, [cube], wanted) is cube


def test_a_variable_that_a_copy_lacks_comes_from_the_original(lab, weather) -> None:
    memory: MemoryFormat = lab.memory
    pieces = []
    for name in ("t", "u"):
        (one,) = one_piece(
            memory, weather(4, 5, 6), ("time", "lat", "lon"), (1, 5, 6), regular(5, 6), [hours(4)], name=name
        ).variables
        pieces.append(one)
    cube = lab.cubes.open(CubeIndex(regular(5, 6), (hours(4),), tuple(pieces)), ORIGIN)
    lab.optimise(cube, variables=["u"])
    copies = OptimisedCopies(lab.home).of(cube)
    assert [list(one.variables) for one in copies] == [["u"], ["u"]]
    chosen = cheapest(lab.cubes, [cube, *copies], {"t": Selection(), "u": Selection()})
    assert chosen.variables["t"] is cube.variables["t"]
    assert isinstance(chosen.variables["u"].pieces[0], Piece)
