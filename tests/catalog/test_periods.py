"""Times with bounds: a monthly mean counts for its month, wherever in it or at its end the file has put the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import orjson
import pytest
import xarray as xr

from terrella.catalog.periods import period_of
from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.scan import Axis
from terrella.site import Site

UNITS = "hours since 1999-12-01"
BOX = {"bbox": (-5, -5, 40, 40)}


def months(calendar: str, count: int = 14) -> np.ndarray:
    """Starts of months from January 2000, hours."""
    dates = [cftime.datetime(2000 + month // 12, month % 12 + 1, 1, calendar=calendar) for month in range(count)]
    return np.array([cftime.date2num(date, UNITS, calendar) for date in dates], dtype=float)


def written(
    path: Path, times: np.ndarray, bounds: np.ndarray | None, calendar: str = "standard", **methods: str
) -> str:
    """A file of variables that count their times: 0, 1, 2 ..."""
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in (("lat", 3), ("lon", 4)):
            file.createDimension(dim, size)
            file.createVariable(dim, "f8", (dim,))[:] = np.arange(size) * 10.0
            file[dim].units = "degrees_north" if dim == "lat" else "degrees_east"
        file.createDimension("time", times.size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar, time.standard_name = UNITS, calendar, "time"
        time[:] = times
        if bounds is not None:
            file.createDimension("bnds", 2)
            time.bounds = "time_bnds"
            file.createVariable("time_bnds", "f8", ("time", "bnds"))[:] = bounds
        for name, method in methods.items():
            variable = file.createVariable(name, "f4", ("time", "lat", "lon"))
            variable.units = "K"
            if method:
                variable.cell_methods = method
            variable[:] = np.arange(times.size)[:, None, None] + np.zeros((3, 4))
    return path.stem


def stamped(where: str, edges: np.ndarray) -> np.ndarray:
    return {"start": edges[:-1], "middle": (edges[:-1] + edges[1:]) / 2, "end": edges[1:]}[where]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("bounds")
    for calendar in ("standard", "noleap", "360_day"):
        edges = months(calendar)
        cells = np.stack([edges[:-1], edges[1:]], axis=1)
        for where in ("start", "middle", "end"):
            times = stamped(where, edges)
            written(folder / f"{where}_{calendar}.nc", times, cells, calendar, mean="time: mean", said="")
    edges = months("standard")
    cells = np.stack([edges[:-1], edges[1:]], axis=1)
    written(folder / "unbounded.nc", edges[1:], None, mean="time: mean")
    written(folder / "instants.nc", edges[1:], cells, now="time: point")
    written(folder / "mixed.nc", edges[1:], cells, mean="area: time: mean", now="area: time: point")
    written(folder / "nonsense.nc", edges[1:], np.zeros_like(cells), mean="time: mean")
    days = np.arange(0, 24 * 60, 24.0) + edges[0]
    written(folder / "daily.nc", days + 24, np.stack([days, days + 24], axis=1), total="time: sum")
    with Site.open(folder / "home", reading={"scanners": 1}) as opened:
        for path in sorted(folder.glob("*.nc")):
            opened.add(path, collection=path.stem)
        yield opened


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_a_monthly_mean_counts_for_its_month(site: Site, where: str, calendar: str) -> None:
    found = site.extract(f"{where}_{calendar}", **BOX, reduce="mean:time:month,mean:space")
    starts = [(at.year, at.month, at.day) for at in cftime_of(found["time"].values)]
    assert starts == [(2000 + month // 12, month % 12 + 1, 1) for month in range(13)]
    assert rounded(found["mean"]) == rounded(found["said"]) == list(range(13))
    years = site.extract(f"{where}_{calendar}", **BOX, reduce="sum:time:year,mean:space")
    assert rounded(years["mean"]) == [sum(range(12)), 12]


def rounded(values: xr.DataArray) -> list[float]:
    """Weights over space leave the last bit open."""
    return np.round(values.values, 6).tolist()


def cftime_of(times: np.ndarray) -> list[cftime.datetime]:
    if times.dtype.kind != "M":
        return list(times)
    days = times.astype("M8[D]").tolist()
    return [cftime.datetime(day.year, day.month, day.day) for day in days]


@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_documents_cover_the_months(site: Site, where: str) -> None:
    name = f"{where}_standard"
    end = "2001-02-01T00:00:00Z" if where == "end" else "2001-01-31T23:59:59Z"
    collection = orjson.loads(site.catalog.collection(OPERATOR, name))
    assert collection["extent"]["temporal"]["interval"] == [["2000-01-01T00:00:00Z", end]]
    assert collection["cube:dimensions"]["time"]["extent"] == ["2000-01-01T00:00:00Z", end]
    item = orjson.loads(site.catalog.item(OPERATOR, name, name))
    assert item["properties"]["start_datetime"] == "2000-01-01T00:00:00Z"


def test_without_bounds_times_are_taken_as_they_are(site: Site) -> None:
    for name in ("unbounded", "nonsense"):
        found = site.extract(name, **BOX, reduce="mean:time:month,mean:space")
        assert str(found["time"].values[0])[:7] == "2000-02"


def test_instants_stay_where_they_are(site: Site) -> None:
    found = site.extract("instants", **BOX, reduce="mean:time:month,mean:space")
    assert str(found["time"].values[0])[:7] == "2000-02"


def test_variables_that_fall_apart_are_asked_for_one_by_one(site: Site) -> None:
    with pytest.raises(Invalid, match="now are those of an instant"):
        site.extract("mixed", **BOX, reduce="mean:time:month,mean:space")
    for name, first in (("mean", "2000-01"), ("now", "2000-02")):
        found = site.extract("mixed", **BOX, variables=[name], reduce="mean:time:month,mean:space")
        assert str(found["time"].values[0])[:7] == first


def test_daily_sums_stamped_at_the_end_of_the_day(site: Site) -> None:
    found = site.extract("daily", **BOX, reduce="count:time:month,mean:space")
    assert rounded(found["total"]) == [31, 29]
    whole = site.extract("daily", **BOX, reduce="sum:time,mean:space")
    ends = whole["time_bounds"].values.astype("M8[s]").astype(str).tolist()
    assert ends == ["2000-01-01T00:00:00", "2000-03-01T00:00:00"]


def test_a_part_of_the_times_keeps_its_bounds(site: Site) -> None:
    found = site.extract(
        "end_standard", **BOX, time="2000-03-01T00:00:00Z/2000-04-01T00:00:00Z", reduce="mean:time:month,mean:space"
    )
    assert [str(one)[:7] for one in found["time"].values] == ["2000-02", "2000-03"]


def test_a_day_that_is_told_alone_is_covered(tmp_path: Path) -> None:
    noon = Axis("time", "time", np.array([43_200_000]), "", "standard", {}, np.array([[0, 86_400_000]]))
    found = period_of([noon])
    assert (found.start, found.end) == ("1970-01-01T00:00:00Z", "1970-01-01T23:59:59Z")
