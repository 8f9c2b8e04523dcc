import json

import numpy as np
import pytest

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.cubes.calibrating import Calibration, Work, kind, together
from terrella.cubes.cubes import Cubes
from terrella.cubes.selecting import Selection


def reads(rng, count, start, each, per_byte):
    """Reads of a machine with these speeds, a little unsteady."""
    for _ in range(count):
        work = Work(int(rng.integers(1, 2000)), int(10 ** rng.uniform(4, 9)))
        yield work, (start + each * work.chunks + per_byte * work.nbytes) * rng.uniform(0.9, 1.1)


@pytest.mark.parametrize("speeds", [(1e-3, 1e-4, 1e-9), (0.2, 2e-2, 1e-7), (0, 0, 3e-10), (5e-4, 7e-6, 0)])
def test_it_learns_how_fast_a_machine_is(speeds):
    rng = np.random.default_rng(0)
    calibration = Calibration()
    for work, seconds in reads(rng, 60, *speeds):
        calibration.learn({"grib": work}, seconds)
    for work, seconds in reads(rng, 200, *speeds):
        assert 1 < calibration.seconds({"grib": work}) / seconds < 2.2


def test_on_an_unsteady_machine_it_says_neither_much_too_little_nor_too_much():
    rng = np.random.default_rng(3)
    calibration = Calibration()
    ratios = []
    for number, (work, steady) in enumerate(reads(rng, 300, 1e-3, 1e-4, 1e-9)):
        seconds = steady * float(np.exp(rng.normal(0, 0.35)))
        if number > 30:
            ratios.append(calibration.seconds({"grib": work}) / seconds)
        calibration.learn({"grib": work}, seconds)
    assert np.mean([0.8 < ratio < 3 for ratio in ratios]) > 0.9


def test_it_follows_a_machine_that_becomes_slower():
    rng = np.random.default_rng(0)
    calibration = Calibration()
    for speeds in ((1e-3, 1e-4, 1e-9), (1e-2, 1e-3, 1e-8)):
        for work, seconds in reads(rng, 150, *speeds):
            calibration.learn({"zarr": work}, seconds)
    for work, seconds in reads(rng, 100, 1e-2, 1e-3, 1e-8):
        assert 1 < calibration.seconds({"zarr": work}) / seconds < 2.2


def test_before_anything_is_known_it_guesses_and_far_is_slower():
    calibration = Calibration()
    near, far = ({kind("zarr", is_far=is_far, is_single=False): Work(10, 1 << 20)} for is_far in (False, True))
    assert 0 < calibration.seconds(near) < calibration.seconds(far)
    assert calibration.seconds({}) == 0


def test_kinds_that_are_read_together_share_the_time():
    calibration = Calibration()
    works = {"grib": Work(100, 10**8), "zarr cells": Work(5, 100)}
    for _ in range(50):
        calibration.learn(works, 2.0)
    assert calibration.seconds(works) == pytest.approx(2 * 1.5, rel=0.1)
    assert together(works, {"grib": Work(1, 1)})["grib"] == Work(101, 10**8 + 1)


def test_it_is_kept_in_a_file(tmp_path):
    calibration = Calibration()
    calibration.learn({"grib": Work(3, 1000)}, 0.5)
    calibration.save(tmp_path / "pace.json")
    again = Calibration.load(tmp_path / "pace.json")
    assert again.to_json() == calibration.to_json()
    assert again.seconds({"grib": Work(3, 1000)}) == calibration.seconds({"grib": Work(3, 1000)})


@pytest.mark.parametrize("text", ["", "[]", '{"grib": 3}', '{"grib": [[1, 2], [3, 4]]}', '{"grib": [[1, 2, NaN]]}'])
def test_a_broken_file_is_no_reason_to_stop(tmp_path, text):
    (tmp_path / "pace.json").write_text(text)
    assert Calibration.load(tmp_path / "pace.json").to_json() == {}
    assert Calibration.load(tmp_path / "none.json").to_json() == {}


def test_reading_teaches_but_not_where_chunks_were_in_memory():
    fmt = MemoryFormat()
    values = np.zeros((10, 6, 8), "f4")
    index = one_piece(fmt, values, ("time", "lat", "lon"), (4, 3, 4), regular(6, 8), [hours(10)])
    cubes = Cubes(formats={"memory": fmt})
    cuts = cubes.cut(cubes.open(index, ORIGIN), {"t": Selection()})
    assert cubes.seconds(cubes.plan(cuts)) > 0
    for _ in range(20):
        cubes.forget()
        cubes.read(cuts)
    known = json.dumps(cubes.calibration.to_json())
    assert '"memory"' in known
    assert cubes.seconds(cubes.plan(cuts)) < 0.1
    cubes.read(cuts)
    assert json.dumps(cubes.calibration.to_json()) == known
    other = Cubes(formats={"memory": fmt})
    other.calibration = cubes.calibration
    assert other.seconds(other.plan(cuts)) == cubes.seconds(cubes.plan(cuts))
    cubes.close()
    other.close()
