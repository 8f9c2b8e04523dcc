"""The browser's reader decodes what we write. Needs node, and ZARRITA_HOME: a folder where `npm install zarrita` ran."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import icechunk
import numpy as np
import pytest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from memory_format import ORIGIN
from terrella.cubes.optimising.places import folder_of


@pytest.fixture
def zarrita() -> str:
    home = os.environ.get("ZARRITA_HOME", "")
    if not shutil.which("node") or not Path(home, "node_modules", "zarrita").is_dir():
        pytest.skip("needs node, and ZARRITA_HOME set to a folder where `npm install zarrita` ran")
    return home


def copied(repository: Path, target: Path) -> None:
    """The keys of `main` as files: what a server of this store would send."""
    storage = icechunk.local_filesystem_storage(str(repository))
    store = icechunk.Repository.open(storage).readonly_session("main").store

    async def keys() -> list[str]:
        return [key async for key in store.list()]

    for key in sync(keys()):
        file = target / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sync(store.get(key, default_buffer_prototype())).to_bytes())


@pytest.mark.parametrize("errors", [("t=0.05",), ("t=0.0001",), ()], ids=["16 bits", "32 bits", "lossless"])
def test_zarrita_decodes_within_the_bound(lab, weather, tmp_path, zarrita, errors) -> None:
    values = weather(6, 19, 36)
    values[2] = np.nan
    lab.optimise(lab.cube(values), *errors, least_cells=300)
    copied(folder_of(lab.home, ORIGIN.collection), tmp_path / "zarr")
    paths = ["/series/t", "/maps/t", "/maps/1/t"]
    (tmp_path / "node_modules").symlink_to(Path(zarrita, "node_modules").resolve())
    script = shutil.copy(Path(__file__).with_name("decode.mjs"), tmp_path)
    ran = subprocess.run(
        ["node", str(script), str(tmp_path / "zarr"), *paths],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    bound = float(errors[0].partition("=")[2]) if errors else 0.0
    for path in paths[:2]:
        read = np.array(found[path]["values"], dtype="f8").reshape(found[path]["shape"])
        np.testing.assert_array_equal(np.isnan(read), np.isnan(values))
        assert np.nanmax(np.abs(read - values)) <= bound
    assert found["/maps/1/t"]["shape"] == [6, 10, 18]
