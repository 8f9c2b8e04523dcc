"""Icechunk repositories written by icechunk and xarray."""

from __future__ import annotations

from pathlib import Path

import icechunk
import numpy as np
import pytest
import xarray as xr
from icechunk.xarray import to_icechunk

from terrella.cubes.formats.icechunk import Icechunk
from terrella.cubes.formats.zarr import Zarr

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def written(path: Path, value: float) -> icechunk.Repository:
    storage = icechunk.local_filesystem_storage(str(path))
    repository = icechunk.Repository.open_or_create(storage)
    session = repository.writable_session("main")
    dataset = xr.Dataset(
        {"t": (("time", "lat", "lon"), np.full((2, 3, 4), value))},
        {
            "time": ("time", [0, 1], {"units": "days since 2000-01-01", "standard_name": "time"}),
            "lat": ("lat", [1.0, 2.0, 3.0], {"units": "degrees_north"}),
            "lon": ("lon", [5.0, 6.0, 7.0, 8.0], {"units": "degrees_east"}),
        },
    )
    to_icechunk(dataset, session, mode="w")
    session.commit(f"value {value}")
    return repository


def test_newest_snapshot_of_main(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "repo"
    written(path, 1.0)
    assert Icechunk().claims(str(path), b"")
    assert not Zarr().claims(str(path), b"")
    first = scan(path)
    (part, array) = arrays(first)["t"]
    assert part.axes[0].name == "time"
    assert (values(path, array) == 1.0).all()
    source = Icechunk().source(array, str(path))
    assert source.stored((0, 0, 0)) > 0
    assert source.load((0, 0, 0)) is not None


def test_an_old_scan_keeps_its_snapshot(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "repo"
    written(path, 1.0)
    old = scan(path)
    written(path, 2.0)
    new = scan(path)
    assert old.modified != new.modified
    assert (values(path, arrays(old)["t"][1]) == 1.0).all()
    assert (values(path, arrays(new)["t"][1]) == 2.0).all()
