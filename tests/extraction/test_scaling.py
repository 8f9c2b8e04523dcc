"""Scales of variables: the same for all tiles, exact where the data are, with room where they were only sampled."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from terrella.encodings.valuetiles import Scaling
from terrella.extraction.scaling import legend
from terrella.model.caller import OPERATOR
from terrella.site import Site


def write(path: Path, name: str, values: np.ndarray, **attrs) -> Path:
    """(time, lat, lon) on 1 degree."""
    with netCDF4.Dataset(path, "w") as file:
        for dim, size, units in (
            ("time", values.shape[0], "hours since 2024-01-01"),
            ("lat", values.shape[1], "degrees_north"),
            ("lon", values.shape[2], "degrees_east"),
        ):
            file.createDimension(dim, size)
            line = file.createVariable(dim, "f8", (dim,))
            line.units = units
            line[:] = np.arange(size)
        made = file.createVariable(name, values.dtype, ("time", "lat", "lon"), fill_value=attrs.pop("_FillValue", None))
        made.set_auto_maskandscale(False)
        made.setncatts(attrs)
        made[:] = values
    return path


@pytest.fixture
def legend_of(tmp_path):
    sites = []

    def found(values, name="x", **attrs):
        site = Site.open(tmp_path / f"site{len(sites)}")
        sites.append(site)
        site.add(write(tmp_path / f"f{len(sites)}.nc", name, values, **attrs), collection="c")
        cube = site.extractor.cube(OPERATOR, "c")
        return legend(site.cubes, cube, cube.variables[name])

    yield found
    for site in sites:
        site.close()


RANDOM = np.random.default_rng(3)


def test_packed_numbers_keep_their_scale(legend_of) -> None:
    stored = RANDOM.integers(-32767, 32767, (2, 5, 6)).astype("i2")
    made = legend_of(stored, scale_factor=0.01, add_offset=280.0, _FillValue=np.int16(-32768))
    assert made.is_exact
    assert made.scaling == Scaling.stepped(-32767 * 0.01 + 280.0, 0.01)
    numbers, outside = made.scaling.numbers(stored * 0.01 + 280.0)
    assert outside == 0
    assert (numbers == stored.astype(int) + 32768).all()


def test_bytes_and_classes(legend_of) -> None:
    made = legend_of(RANDOM.integers(0, 256, (1, 5, 6)).astype("u1"))
    assert (made.is_exact, made.scaling.scale, made.scaling.offset) == (True, 1.0, -1.0)
    classes = legend_of(
        np.ones((1, 4, 4), dtype="f4"), flag_values=np.array([1, 2, 9], dtype="f4"), flag_meanings="a b c"
    )
    assert (classes.is_exact, classes.scaling.values(np.array([1])).tolist()) == (True, [1.0])


def test_room_beside_what_was_seen(legend_of) -> None:
    values = (250 + 50 * RANDOM.random((40, 20, 30))).astype("f4")
    made = legend_of(values)
    low, high = made.scaling.values(np.array([1, 65535]))
    assert low < values.min() - 40
    assert high > values.max() + 40
    assert made.scaling.scale < 0.005
    assert values.min() <= made.low < made.high <= values.max()


def test_amounts_begin_at_zero(legend_of) -> None:
    values = RANDOM.exponential(1.0, (5, 20, 30)).astype("f4")
    values[values < 0.5] = 0
    made = legend_of(values)
    assert made.scaling.values(np.array([1]))[0] == pytest.approx(0, abs=1e-12)
    assert made.scaling.values(np.array([65535]))[0] > 3.5 * values.max()


def test_both_ways_from_zero(legend_of) -> None:
    values = RANDOM.normal(0, 1, (2, 20, 30)).astype("f4")
    made = legend_of(values, long_name="temperature anomaly")
    assert (made.palette, made.low) == ("diverging", -made.high)


def test_values_that_are_only_somewhere(legend_of) -> None:
    """Nothing in the steps that are looked at first."""
    values = np.full((50, 4, 4), np.nan, dtype="f4")
    values[17] = 5.0
    values[18] = 6.0
    made = legend_of(values)
    assert made.low is not None
    assert made.scaling.numbers(values[[17, 18]])[1] == 0


def test_nothing_at_all_and_infinities(legend_of) -> None:
    made = legend_of(np.full((1, 4, 4), np.nan, dtype="f4"))
    assert (made.low, made.high, made.is_exact) == (None, None, False)
    wide = legend_of((1.7e308 * np.linspace(-1, 1, 16)).reshape(1, 4, 4))
    assert np.isfinite([wide.scaling.scale, wide.scaling.offset, wide.low, wide.high]).all()
    assert legend_of(np.where(np.eye(4, dtype=bool), np.inf, 3.0).astype("f4")[None]).high is not None


def test_whole_numbers_stay_whole(legend_of) -> None:
    made = legend_of(RANDOM.integers(-2000, 9000, (1, 9, 9)).astype("i4"))
    assert (made.is_exact, made.scaling.scale) == (True, 1.0)


def test_the_same_every_time(legend_of) -> None:
    values = RANDOM.normal(5, 2, (3, 80, 300)).astype("f4")
    assert legend_of(values) == legend_of(values)
