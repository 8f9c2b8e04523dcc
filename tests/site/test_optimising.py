"""Optimising a collection of a site: two processes, kill -9 in the middle, new files, words of users."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import icechunk
import numpy as np
import pytest
import xarray as xr

from site_files import write_netcdf
from terrella.contracts.cubes import Cube
from terrella.cubes.optimising.records import OptimisedCopies
from terrella.cubes.optimising.repository import only_writer
from terrella.errors import Conflict, Invalid
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.optimising import optimise

SMALL = 24 * 600
"""Bytes of memory: tiles of five fields."""

HALFWAY = """
import sys, time
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.optimising import optimise

def tell(step):
    if (step.kind, step.text, step.done) == ("writing", "maps/t2m", 3):
        print("halfway", flush=True)
        time.sleep(1000)

with Site.open(sys.argv[1]) as site:
    cube = site.extractor.cube(OPERATOR, "a")
    optimise(site.cubes, cube, site.settings.home, max_errors=["t2m=0.5"], memory=24 * 600, commit_seconds=0, tell=tell)
"""


def cube_of(site: Site, collection: str) -> Cube:
    return site.extractor.cube(OPERATOR, collection)


def run(site: Site, collection: str = "a", **more: Any) -> Any:
    return optimise(site.cubes, cube_of(site, collection), site.settings.home, **more)


def test_it_goes_with_its_collection(site: Site, data: Path) -> None:
    for name in ("a", "b"):
        write_netcdf(data / f"{name}.nc")
        site.add(str(data / f"{name}.nc"), collection=name)
        run(site, name)
    folder = site.settings.home / "objects" / "optimised"
    assert {one.name for one in folder.iterdir()} >= {"a", "a.json", "b", "b.json"}
    site.remove("a")
    assert {one.name.split(".")[0] for one in folder.iterdir()} == {"b"}
    assert np.isfinite(site.extract("b", point=(3, 45))["t2m"]).any()


def test_what_is_being_optimised_is_not_removed(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    site.add(str(data / "a.nc"), collection="a")
    run(site)
    with only_writer(site.settings.home / "objects" / "optimised" / "a"), pytest.raises(Conflict):
        site.remove("a")
    assert np.isfinite(site.extract("a", point=(3, 45))["t2m"]).any()
    site.remove("a")


def read(site: Site, group: str, collection: str = "a") -> xr.Dataset:
    place = site.settings.home / "objects" / "optimised" / collection
    store = icechunk.Repository.open(icechunk.local_filesystem_storage(str(place))).readonly_session("main").store
    return xr.open_zarr(store, group=group, consolidated=False)


@contextmanager
def halfway(home: Path) -> Iterator[int]:
    """Another process that optimises the same collection and has come to the middle; killed at the end."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", HALFWAY, str(home)], stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "halfway\n"
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_two_processes_and_a_kill_in_the_middle(site: Site, data: Path, tmp_path: Path) -> None:
    values = write_netcdf(data / "a.nc", hours=range(40))
    site.add(data)
    more: dict[str, Any] = {"max_errors": ["t2m=0.5"], "memory": SMALL, "commit_seconds": 0}
    with halfway(site.settings.home) as process, pytest.raises(Conflict, match=f"Another process \\({process}\\)"):
        run(site, **more)
    steps: list[Any] = []
    report = run(site, tell=steps.append, **more)
    assert (steps[0].kind, steps[0].text, steps[0].done) == ("writing", "maps/t2m", 3)
    assert all(one.max_error <= 0.5 for one in report.arrays)
    resumed = {group: read(site, group).load() for group in ("series", "maps")}
    np.testing.assert_allclose(resumed["maps"].t2m.values, values, atol=0.5, rtol=0)
    (site.settings.home / "objects" / "optimised").rename(tmp_path / "before")
    undisturbed = run(site, **more)
    for group, expected in resumed.items():
        xr.testing.assert_identical(read(site, group).load(), expected)
    assert [one.mean_error for one in undisturbed.arrays] == [one.mean_error for one in report.arrays]


def test_new_files_make_the_copy_stale(site: Site, data: Path) -> None:
    write_netcdf(data / "a_01.nc", hours=range(4))
    site.add(data, collection="a")
    run(site, max_errors={"air_temperature": "0.1%"})
    assert len(OptimisedCopies(site.settings.home).of(cube_of(site, "a"))) == 2
    write_netcdf(data / "a_02.nc", hours=range(4, 8))
    site.add(data, collection="a")
    assert OptimisedCopies(site.settings.home).of(cube_of(site, "a")) == ()
    assert run(site).written == ("series/t2m", "maps/t2m")
    assert read(site, "maps").t2m.shape == (8, 10, 12)
    np.testing.assert_array_equal(read(site, "series").t2m.values, cube_of(site, "a").dataset.t2m.values)


def test_wrong_words_are_named(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    site.add(data)
    for more, said in (
        ({"purpose": "films"}, "series, maps, both"),
        ({"variables": ["sst"]}, "sst"),
        ({"max_errors": ["sst=1"]}, "sst"),
        ({"max_errors": ["t2m"]}, "VARIABLE=VALUE"),
    ):
        with pytest.raises(Invalid, match=said):
            run(site, **more)


def test_readers_take_the_copy_that_reads_less(site: Site, data: Path) -> None:
    """A lossless copy answers in the cube's place; one with an error never does so by itself."""
    write_netcdf(data / "a.nc", hours=range(200))
    site.add(data / "a.nc")
    before = site.cut("a", point=(3.2, 45.9))
    run(site, purpose="series", max_errors=["t2m=100"])
    assert site.estimate("a", point=(3.2, 45.9)).chunks == before.plan.chunks
    run(site, purpose="series")
    after = site.cut("a", point=(3.2, 45.9))
    assert after.plan.chunks < before.plan.chunks
    np.testing.assert_array_equal(after.dataset["t2m"].values, before.dataset["t2m"].values)
    assert after.receipt.items == before.receipt.items == ("a",)
    mean = site.extract("a", point=(3.2, 45.9), mean="time")["t2m"].values
    assert float(mean.ravel()[0]) == pytest.approx(float(before.dataset["t2m"].mean()))
