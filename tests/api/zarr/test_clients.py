"""Other readers of Zarr: zarr-python by obstore and by fsspec, GDAL, and zarrita in node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr

pytestmark = pytest.mark.server


def test_zarr_python_by_obstore(server: Any, truth: Any) -> None:
    group = zarr.open_group(server.store("packed"), mode="r")
    assert {"t2m", "mask", "time", "lat", "lon", "spatial_ref"} <= set(group.array_keys())
    array = group["t2m"]
    assert array.metadata.dimension_names == ("time", "lat", "lon")
    np.testing.assert_allclose(array[:], truth("packed", "t2m"), rtol=1e-7)
    alone = zarr.open_array(server.store("packed"), path="t2m", mode="r")
    assert alone.metadata == array.metadata


def test_without_consolidated_metadata(server: Any, truth: Any) -> None:
    group = zarr.open_group(server.store("packed"), mode="r", use_consolidated=False)
    np.testing.assert_array_equal(group["mask"][:], truth("packed", "mask"))


def test_xarray_by_fsspec(server: Any, truth: Any) -> None:
    pytest.importorskip("aiohttp", reason="fsspec reads HTTP with aiohttp")
    found = xr.open_zarr(f"{server.address}/zarr/packed", chunks=None)
    np.testing.assert_allclose(found["t2m"].values, truth("packed", "t2m"), rtol=1e-7)


_GDAL = """
import sys, numpy, rasterio
with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(sys.argv[1]) as found:
    numpy.savez(sys.argv[2], values=found.read(1), crs=found.crs.to_epsg(), transform=tuple(found.transform))
"""


def test_gdal(server: Any, files: Path, tmp_path: Path) -> None:
    address = f'ZARR:"/vsicurl/{server.address}/zarr/projected":/projected'
    command = [sys.executable, "-c", _GDAL, address, str(tmp_path / "found.npz")]
    subprocess.run(command, timeout=60, check=True)  # alone: GDAL's libraries and those of ecCodes clash
    found = np.load(tmp_path / "found.npz")
    with rasterio.open(files / "projected.tif") as file:
        np.testing.assert_array_equal(found["values"], file.read(1, masked=True).astype("f4").filled(np.nan))
        assert int(found["crs"]) == file.crs.to_epsg()
        assert tuple(found["transform"]) == tuple(file.transform)


_SCRIPT = """
import * as zarr from "zarrita";
const [address, name] = process.argv.slice(-2);
const consolidated = zarr.withConsolidatedMetadata ?? zarr.withConsolidated;
const store = await consolidated(new zarr.FetchStore(address));
const array = await zarr.open(zarr.root(store).resolve(name), {kind: "array"});
const found = await zarr.get(array);
console.log(JSON.stringify({shape: found.shape, names: array.dimensionNames ?? null,
  values: Array.from(found.data, (v) => (typeof v === "bigint" ? Number(v) : Number.isNaN(v) ? null : v))}));
"""


@pytest.fixture
def zarrita() -> tuple[str, Path]:
    """node, and a folder where zarrita is installed: ZARRITA_HOME."""
    node, home = shutil.which("node"), os.environ.get("ZARRITA_HOME", "")
    if node is None or not (Path(home) / "node_modules" / "zarrita").is_dir():
        pytest.skip("no zarrita: set ZARRITA_HOME to a folder with node_modules/zarrita, and have node on the path")
    return node, Path(home)


def test_zarrita(server: Any, truth: Any, zarrita: tuple[str, Path]) -> None:
    node, home = zarrita

    def read(name: str) -> tuple[list[int], np.ndarray]:
        command = [node, "--input-type=module", "-e", _SCRIPT, "--", f"{server.address}/zarr/packed", name]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=True)
        answer = json.loads(done.stdout)
        return answer["shape"], np.array(answer["values"], dtype="f8").reshape(answer["shape"])

    shape, values = read("t2m")
    assert shape == [50, 31, 60]
    np.testing.assert_allclose(values, truth("packed", "t2m"), rtol=1e-6)
    _, seconds = read("time")
    np.testing.assert_array_equal(seconds, 1704067200 + 3600 * np.arange(50))
