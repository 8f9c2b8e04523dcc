"""Reductions inside the request against numpy and xarray on the whole array."""

import json
import warnings

import cftime
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.cubes.assembling import assemble
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid, TooLarge
from terrella.extraction import streaming
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Box, Circle, Everything, Extraction, Points, Trajectory
from terrella.model.ids import CollectionId
from terrella.model.reduction import Reduce, parse_reduce, parse_reductions
from terrella.model.scan import Axis, Part
from terrella.model.space import Extent, LonLat
from terrella.model.time import parse_instant, parse_interval

GRID = regular(13, 24, dlat=-15.0, dlon=15.0)
LEVELS = np.array([1000.0, 850.0, 500.0])
COUNT = 60
DIMS = ("number", "time", "pressure", "lat", "lon")


class Held:
    def __init__(self, index):
        self.index = index

    def open(self, caller, collection):
        return self.index, ORIGIN


def site_of(index, fmt, limits=None, cache=1 << 29):
    return Extractor(Held(index), Cubes(formats={"memory": fmt}, threads=2, cache_bytes=cache), limits or Limits())


def make(*, calendar="standard", chunks=(2, 7, 2, 5, 10), limits=None, step=31, gaps=0.2, cache=1 << 29):
    rng = np.random.default_rng(7)
    values = (280 + 10 * rng.normal(size=(4, COUNT, 3, 13, 24))).astype("f4")
    values[rng.random(values.shape) < gaps] = np.nan
    values[:, :, :, 3, 4] = np.nan
    fmt = MemoryFormat()
    axes = [
        Axis("number", "number", np.arange(4)),
        hours(COUNT, step=step, calendar=calendar),
        Axis("pressure", "vertical", LEVELS, "hPa"),
    ]
    attrs = {"units": "K", "standard_name": "air_temperature", "long_name": "temperature"}
    index = one_piece(fmt, values, DIMS, chunks, GRID, axes, attrs=attrs)
    return values, site_of(index, fmt, limits, cache), fmt


VALUES, SITE, FORMAT = make()
LAT, LON = np.linspace(90, -90, 13), np.arange(24) * 15.0


def ask(*reduce, shape=None, site=SITE, **more):
    made = tuple(one if isinstance(one, Reduce) else parse_reduce(one) for one in reduce)
    return site.extract(OPERATOR, Extraction(CollectionId("test"), shape or Everything(), reduce=made, **more))


def areas():
    """Of the boxes half a step around the centres: exact integrals."""
    south, north = np.radians(np.clip(LAT - 7.5, -90, 90)), np.radians(np.clip(LAT + 7.5, -90, 90))
    return np.repeat((np.sin(north) - np.sin(south))[:, None], 24, axis=1)


def truth(calendar="standard", step=31, values=None):
    time = xr.date_range(
        "1970-01-01", periods=COUNT, freq=f"{step}h", calendar=calendar, use_cftime=calendar != "standard"
    )
    return xr.DataArray(
        (VALUES if values is None else values).astype("f8"),
        dims=DIMS,
        coords={"number": np.arange(4), "time": time, "pressure": LEVELS, "lat": LAT, "lon": LON},
    )


def xarray_says(data, reduce):
    """One reduction, the xarray way."""
    dims = {"space": ["lat", "lon"], "level": "pressure"}.get(reduce.over, reduce.over)
    skip = {"skipna": reduce.skipna}
    if reduce.every == "month":
        grouped = data.resample(time="MS")
        return getattr(grouped, reduce.how)(**skip)
    how = reduce.how
    if how == "count":
        return data.count(dims)
    if how == "exceedance":
        return (data > reduce.amount).where(data.notnull()).mean(dims, **skip)
    if how == "quantile":
        return data.quantile(reduce.amount, dims, **skip).drop_vars("quantile")
    if how == "sum":
        return data.sum(dims, min_count=1) if reduce.skipna else data.sum(dims, skipna=False)
    if reduce.over == "space" and how in ("mean", "std") and reduce.weights != "equal":
        return getattr(data.weighted(xr.DataArray(areas(), dims=("lat", "lon"))), how)(dims, **skip)
    return getattr(data, how)(dims, **skip)


@st.composite
def chains(draw):
    overs = draw(st.permutations(["space", "time", "level", "number"]))[: draw(st.integers(1, 4))]
    chain = []
    for over in overs:
        how = draw(st.sampled_from(["mean", "sum", "min", "max", "std", "median", "quantile", "exceedance", "count"]))
        amount = {"quantile": 0.75, "exceedance": 281.0}.get(how)
        weights = (
            "equal"
            if over == "space" and (how in ("median", "quantile", "exceedance") or draw(st.booleans()))
            else None
        )
        skipna = how == "count" or draw(st.booleans())
        chain.append(
            Reduce(
                over, how, None, amount, weights=weights if how not in ("min", "max", "count") else None, skipna=skipna
            )
        )
    return tuple(chain)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(chains(), st.sampled_from([4_000_000, 20_000, 3_000, 100]))
def test_any_chain_is_what_xarray_says_in_blocks_of_any_size(chain, block):
    expected = truth()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for reduce in chain:
            expected = xarray_says(expected, reduce)
    before = streaming.BLOCK
    streaming.BLOCK = block
    try:
        found = ask(*chain).dataset.t
    finally:
        streaming.BLOCK = before
    if "lon" in found.dims:
        found = found.assign_coords(lon=found.lon % 360).sortby("lon").sortby("lat", ascending=False)
    assert found.dims == expected.dims
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("how", ["mean", "sum", "min", "max", "std", "count", "median"])
@pytest.mark.parametrize("calendar", ["standard", "360_day", "noleap"])
@pytest.mark.parametrize("block", [4_000_000, 3_000])
def test_months_are_those_of_the_calendar(how, calendar, block, monkeypatch):
    monkeypatch.setattr(streaming, "BLOCK", block)
    _, site, _ = make(calendar=calendar)
    found = ask(f"{how}:time:month", site=site, shape=Points((LonLat(0, 0),))).dataset
    here = truth(calendar)[:, :, :, 6, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(here.resample(time="MS"), how)(**({"min_count": 1} if how == "sum" else {}))
    np.testing.assert_allclose(
        found.t.values[..., 0], expected.transpose("number", "time", "pressure").values, rtol=1e-6
    )
    assert found.time.values.tolist() == expected.time.values.tolist()
    assert found.time.attrs["bounds"] == "time_bounds"
    assert found.time_bounds.values[:, 0].tolist() == found.time.values.tolist()
    assert found.time_bounds.values[:-1, 1].tolist() == found.time.values[1:].tolist()


def test_a_climatology_puts_years_together():
    _, site, _ = make(step=24 * 13)
    found = ask("mean:time:climatology-month", "mean:space", site=site).dataset
    data = truth(step=24 * 13).groupby("time.month").mean(skipna=True)
    expected = data.weighted(xr.DataArray(areas(), dims=("lat", "lon"))).mean(["lat", "lon"])
    np.testing.assert_allclose(found.t.values, expected.transpose("number", "month", "pressure").values, rtol=1e-6)
    assert found.time.attrs["climatology"] == "time_bounds"
    assert found.t.attrs["cell_methods"] == "time: mean within years time: mean over years area: mean"
    assert found.time.dt.month.values.tolist() == list(range(1, 13))


def test_maxima_of_daily_means():
    found = ask("mean:time:day", "max:time", site=make(step=7)[1], shape=Points((LonLat(15, 30),))).dataset
    expected = truth(step=7)[:, :, :, 4, 1].resample(time="D").mean().max("time")
    np.testing.assert_allclose(found.t.values[..., 0], expected.values, rtol=1e-6)
    first, last = found.time_bounds.values
    assert str(found.time.values)[:13] == "1970-01-01T00"
    assert (str(first)[:10], str(last)[:10]) == ("1970-01-01", "1970-01-19")


def test_members_exceed_a_threshold():
    found = ask("exceedance(285):number", shape=Points((LonLat(0, 0), LonLat(45, 15)))).dataset
    here = VALUES[..., [6, 5], [0, 3]]
    there = ~np.isnan(here)
    with np.errstate(invalid="ignore"):
        expected = np.where(there.any(axis=0), (here > 285).sum(axis=0) / there.sum(axis=0), np.nan)
    np.testing.assert_allclose(found.t.values, expected)
    assert found.t.attrs["long_name"] == "share of temperature above 285 K"
    assert found.t.attrs["units"] == "1"
    assert "standard_name" not in found.t.attrs


def test_the_result_says_how_it_was_weighed():
    found = ask("mean:space", "max:time").dataset
    assert found.t.attrs["cell_methods"] == "area: mean time: maximum"
    assert found.attrs["weights_over_space"] == "area of each cell on the sphere in m2"
    assert found.attrs["reduced"] == "mean:space, max:time"
    assert found.t.dims == ("number", "pressure")
    assert (found.longitude.ndim, found.latitude.ndim, found.time.ndim) == (0, 0, 0)
    points = ask("mean:space", shape=Points((LonLat(0, 0), LonLat(30, 15)))).dataset
    assert points.attrs["weights_over_space"] == "equal: places have no area"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.nanmean(VALUES[..., [6, 5], [0, 2]], axis=-1)
    np.testing.assert_allclose(points.t.values, expected, rtol=1e-6)


def test_sums_weigh_only_when_asked():
    found = ask("sum:space:area", "mean:time", "mean:number", "mean:level")
    metres = 6_371_008.7714**2 * np.radians(15) * areas()
    data = np.nan_to_num(VALUES.astype("f8") * metres).sum(axis=(-1, -2))
    np.testing.assert_allclose(float(found.dataset.t), data.mean(), rtol=1e-6)
    assert found.dataset.t.attrs["units"] == "K m2"


def test_a_box_and_a_circle_reduce_their_own_cells():
    found = ask("mean:space", shape=Box(Extent.of(170, -31, -149, 46))).dataset
    rows, cols = slice(3, 9), [12, 13, 14]
    weights = np.where(np.isnan(VALUES), 0, np.broadcast_to(areas(), VALUES.shape))[..., rows, :][..., cols]
    expected = (np.nan_to_num(VALUES[..., rows, :][..., cols]).astype("f8") * weights).sum((-1, -2)) / weights.sum(
        (-1, -2)
    )
    np.testing.assert_allclose(found.t.values, expected, rtol=1e-6)
    assert float(found.longitude) in (-165.0, 195.0)
    circle = ask("count:space", shape=Circle(LonLat(0, 90), 3e6)).dataset
    assert circle.t.dtype.kind == "i"
    np.testing.assert_array_equal(circle.t.values, (~np.isnan(VALUES[..., :2, :])).sum(axis=(-1, -2)))


def test_a_path_with_its_own_clock_reduces_along_itself():
    path = Trajectory(
        (LonLat(0, 0), LonLat(15, 0), LonLat(30, 15)),
        times=tuple(
            map(parse_instant, ("1970-01-01T00Z".replace("Z", ":00Z"), "1970-01-02T07:00Z", "1970-01-05T04:00Z"))
        ),
    )
    found = ask("max:space", "mean:number", shape=path).dataset
    here = np.stack([VALUES[:, 0, :, 6, 0], VALUES[:, 1, :, 6, 1], VALUES[:, 3, :, 5, 2]], axis=-1).astype("f8")
    np.testing.assert_allclose(found.t.values, np.nanmean(np.nanmax(here, axis=-1), axis=0), rtol=1e-6)
    with pytest.raises(Invalid, match="goes along with the vertices"):
        ask("mean:time", shape=path)


def runs():
    fmt, scans = MemoryFormat(), []
    for run in (0, 12):
        steps = Axis("step", "step", np.arange(4, dtype=np.int64) * 6 * 3_600_000)
        values = (run * 100 + np.arange(4) * 6)[None, :, None, None] + np.zeros((1, 4, 13, 24))
        scan = fmt.put(f"/{run}", "t", ("reference_time", "step", "lat", "lon"), values.astype("f4"), (1, 1, 13, 24))
        part = Part(GRID, (hours(1, start=run, name="reference_time"), steps), (scan,))
        scans.append((str(run), part, f"/{run}", "memory"))
    return site_of(assemble(scans), fmt)


@pytest.mark.parametrize("block", [4_000_000, 100])
def test_runs_and_steps_outside_of_the_interval_do_not_count(block, monkeypatch):
    monkeypatch.setattr(streaming, "BLOCK", block)
    site = runs()
    interval = parse_interval("1970-01-01T12:00Z/1970-01-01T18:00Z")
    over_steps = ask("mean:step", "mean:space", site=site, interval=interval).dataset
    np.testing.assert_allclose(over_steps.t.values, [15, 1203])
    assert "time" not in over_steps.coords
    over_runs = ask("sum:reference_time", shape=Points((LonLat(0, 0),)), site=site, interval=interval).dataset
    np.testing.assert_array_equal(over_runs.t.values[:, 0], [1200, 1206, 12, 18])
    with pytest.raises(Invalid, match="over reference_time or over step"):
        ask("mean:time", site=site)


def test_variables_without_the_axis_stay():
    fmt = MemoryFormat()
    variables = []
    for name, dims, shape in (("t", ("time", "lat", "lon"), (COUNT, 13, 24)), ("lsm", ("lat", "lon"), (13, 24))):
        scan = fmt.put(f"/{name}", name, dims, np.ones(shape, "f4"), shape)
        piece = Piece(f"/{name}", "memory", "a", scan, (None,) * len(dims))
        variables.append(CubeVariable(name, dims, shape, "<f4", {}, (piece,)))
    site = site_of(CubeIndex(GRID, (hours(COUNT),), tuple(variables)), fmt)
    found = ask("max:time", site=site).dataset
    assert found.t.dims == found.lsm.dims == ("lat", "lon")
    assert "cell_methods" not in found.lsm.attrs
    np.testing.assert_allclose(ask("mean:space", site=site).dataset.lsm.values, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mode:space", "no reducer 'mode'. There are: mean, sum"),
        ("mean", "is no reduction: write HOW:OVER"),
        ("quantile(1.5):number", r"lies in 0\.\.1"),
        ("quantile:number", r"lies in 0\.\.1"),
        ("quantile(x):number", "no number in its brackets"),
        ("exceedance:number", "needs a threshold"),
        ("exceedance(nan):number", "needs a threshold"),
        ("exceedance(3,beside):number", "above or below"),
        ("mean(3):number", "takes no number"),
        ("mean:time:fortnight", "no period 'fortnight'. There are: hour, day"),
        ("mean:time:area", "weights over 'time' mean nothing"),
        ("max:space:area", "change nothing"),
        ("count:space:strict", "cannot be strict"),
        ("mean:time:day:month", "what is 'month'"),
        ("mean:", "says over what"),
    ],
)
def test_reductions_that_mean_nothing_are_named(text, says):
    with pytest.raises(Invalid, match=says) as caught:
        parse_reduce(text)
    assert caught.value.parameter == "reduce"


@pytest.mark.parametrize(
    ("reduce", "more", "says"),
    [
        (("mean:member",), {}, "no 'member' to reduce over here.*'number'"),
        (("mean:space", "max:space"), {}, "space is reduced twice"),
        (("mean:time", "max:time:day"), {}, "time is reduced twice"),
        (("mean:number:day",), {}, "number has no periods"),
        (("mean:space:day",), {}, "space has no periods"),
        (("mean:time:climatology-month", "mean:time:season"), {}, "no periods any more"),
        (("mean:space:area",), {"shape": Points((LonLat(0, 0),))}, "no areas to weigh by"),
    ],
)
def test_what_is_wrong_with_a_reduction_here(reduce, more, says):
    with pytest.raises(Invalid, match=says) as caught:
        ask(*reduce, **more)
    assert caught.value.parameter == "reduce"


@pytest.mark.parametrize(
    "text", ["mean:space", "quantile(0.9):number", "exceedance(273.15,below):time:month:strict", "sum:space:area"]
)
def test_reductions_are_written_as_they_are_read(text):
    assert str(parse_reduce(text)) == text
    assert parse_reductions(f"{text},mean:time") == (parse_reduce(text), Reduce("time"))


def test_limits_are_for_the_answer_and_for_what_is_read():
    _, site, fmt = make(limits=Limits(values=800, cells=100))
    assert ask("mean:space", site=site).plan.values == 4 * COUNT * 3
    with pytest.raises(TooLarge, match="numbers in one answer") as caught:
        ask("mean:time", site=site)
    assert caught.value.details["suggestion"]
    json.dumps(caught.value.details)
    _, site, fmt = make(limits=Limits(bytes_read=1000))
    with pytest.raises(TooLarge, match="bytes read"):
        ask("mean:space", site=site)
    assert fmt.files[("/data/one", "t")].loads == []


@pytest.mark.parametrize("block", [4_000_000, 5_000])
@pytest.mark.parametrize("reduce", ["mean:space", "mean:time", "median:number", "median:time"])
def test_the_plan_is_known_before_and_true_after(reduce, block, monkeypatch):
    monkeypatch.setattr(streaming, "BLOCK", block)
    _, site, fmt = make()
    request = Extraction(CollectionId("test"), Everything(), reduce=(parse_reduce(reduce),))
    plan = site.plan(OPERATOR, request)
    source = fmt.files[("/data/one", "t")]
    assert source.loads == []
    found = site.extract(OPERATOR, request)
    assert found.plan == plan
    assert plan.values == found.dataset.t.size
    assert plan.bytes_out == found.dataset.t.nbytes
    assert plan.chunks == len(source.loads)
    assert plan.bytes_read == found.receipt.bytes_read


def test_a_median_over_time_of_maps_reads_them_again_rather_than_hold_all(monkeypatch):
    monkeypatch.setattr(streaming, "BLOCK", 3_000)
    monkeypatch.setattr(streaming, "MOST_HELD", 10_000)
    _, site, fmt = make(chunks=(1, 1, 1, 13, 24), cache=0)
    reduce, select = (parse_reduce("median:time"),), {"number": (1,)}
    request = Extraction(CollectionId("test"), Everything(), reduce=reduce, select=select, vertical=(500.0,))
    found = site.extract(OPERATOR, request)
    assert len(fmt.files[("/data/one", "t")].loads) == found.plan.chunks == COUNT * 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.roll(np.nanmedian(VALUES[1, :, 2].astype("f8"), axis=0), 12, axis=-1)
    np.testing.assert_allclose(found.dataset.t.values[0, 0], expected, rtol=1e-6)
    monkeypatch.setattr(streaming, "MOST_HELD", 10)
    with pytest.raises(TooLarge, match="would hold"):
        site.extract(OPERATOR, request)


def test_equal_requests_have_equal_receipts():
    one, same, other = ask("mean:space"), ask("mean:space"), ask("max:space")
    assert one.receipt.request == same.receipt.request != other.receipt.request
    xr.testing.assert_identical(one.dataset, same.dataset)


def test_30_february_belongs_to_its_month():
    _, site, _ = make(calendar="360_day", step=24)
    found = ask("count:time:month", "sum:number", "sum:level", "sum:space", site=site).dataset
    assert found.time.values.tolist() == [cftime.Datetime360Day(1970, 1, 1), cftime.Datetime360Day(1970, 2, 1)]
    values = (~np.isnan(VALUES)).sum(axis=(0, 2, 3, 4))
    assert found.t.values.tolist() == [values[:30].sum(), values[30:].sum()]
