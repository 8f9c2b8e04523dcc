"""What jobs do: they say how far they are while they read, stop when they are cancelled, and write what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from site_files import write_netcdf
from terrella.contracts.jobs import Dismissed
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.tasks import EXTRACT, extract, extract_inputs, is_small, submit_or_perform


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tasks")
    write_netcdf(folder / "t2m.nc", hours=range(24))
    with Site.open(folder / "home", reading={"scanners": 1, "cache_bytes": 0}) as made:
        made.add(folder / "t2m.nc")
        made.scanners.close()
        yield made


class Work:
    """A `terrella.contracts.jobs.Work` that is cancelled at a certain progress."""

    def __init__(self, folder: Path, inputs: dict[str, Any], cancelled_at: float = 2.0) -> None:
        self.job, self.caller, self.inputs, self.folder = "job", OPERATOR, inputs, folder
        self.told: list[float] = []
        self._cancelled_at = cancelled_at

    def progress(self, done: float, message: str = "") -> None:
        self.told.append(done)
        if done >= self._cancelled_at:
            raise Dismissed

    def log(self, text: str, level: str = "info") -> None:
        pass


def test_an_extraction_says_how_far_its_reading_is(site: Site, tmp_path: Path) -> None:
    work = Work(tmp_path, extract_inputs("t2m", "netcdf", name="x.nc"))
    (output,) = extract(site, work)  # type: ignore[arg-type]
    assert output.name == "x.nc"
    reading = [done for done in work.told if 0.05 < done <= 0.7]
    assert len(reading) >= 24, "one for each chunk"
    assert work.told == sorted(work.told)
    with xr.open_dataset(tmp_path / "x.nc") as found:
        np.testing.assert_array_equal(found["t2m"].values, site.extract("t2m")["t2m"].values)
    again = tmp_path / "again"
    again.mkdir()
    extract(site, Work(again, work.inputs))  # type: ignore[arg-type]
    assert (again / "x.nc").read_bytes() == (tmp_path / "x.nc").read_bytes()


def test_it_stops_in_the_midst_of_reading(site: Site, tmp_path: Path) -> None:
    work = Work(tmp_path, extract_inputs("t2m", "netcdf"), cancelled_at=0.3)
    with pytest.raises(Dismissed):
        extract(site, work)  # type: ignore[arg-type]
    assert max(work.told) < 0.5
    assert list(tmp_path.iterdir()) == []


def test_reductions_say_how_far_they_are_too(site: Site, tmp_path: Path) -> None:
    work = Work(tmp_path, extract_inputs("t2m", "csv", reduce="mean:time"), cancelled_at=0.3)
    with pytest.raises(Dismissed):
        extract(site, work)  # type: ignore[arg-type]


def test_small_ones_are_done_at_once_and_others_wait(site: Site) -> None:
    inputs, plan = extract_inputs("t2m", "csv", point=(3, 45)), site.estimate("t2m", point=(3, 45))
    assert is_small(site, plan)
    assert submit_or_perform(site, OPERATOR, EXTRACT, inputs, plan).state == "successful"
    for wanted in ({"at_once_seconds": 0}, {"at_once_bytes": 10}):
        with Site.open(site.settings.home, jobs=wanted) as other:
            assert submit_or_perform(other, OPERATOR, EXTRACT, inputs, plan).state == "accepted"
