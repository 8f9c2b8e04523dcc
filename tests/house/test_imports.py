"""What importing costs, and in which order: light where users wait, safe where native libraries clash."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "xarray", "pandas", "zarr", "rasterio", "eccodes", "pyproj", "shapely", "fastapi", "pyarrow")


def loaded(code: str) -> set[str]:
    """Top-level modules loaded after running some code in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(m for m in sys.modules if '.' not in m))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import terrella",
        "import terrella.model.space, terrella.model.time, terrella.model.search, terrella.model.scan, terrella.model.extraction",
        "import terrella.model.parameters",
        "import terrella.errors",
        "import terrella.cli",
    ],
)
def test_vocabulary_and_shell_are_light(code: str) -> None:
    assert loaded(code) & set(HEAVY) == set()


def test_help_loads_no_numpy() -> None:
    code = "import sys; sys.argv=['terrella', '--help']\nfrom terrella.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded(code) & set(HEAVY) == set()


def test_sqlite_before_eccodes() -> None:
    """It brings an SQLite of its own, which takes the place of one that is imported later."""
    code = "import terrella.cubes.formats.grib, sqlite3; assert sqlite3.sqlite_version_info >= (3, 38)"
    assert "sqlite3" in loaded(code)


@pytest.mark.parametrize("module", ["terrella.site", "terrella.cubes.worker", "terrella.cubes.formats.grib"])
def test_pyproj_before_eccodes(module: str) -> None:
    """Both bundle libproj; with ecCodes first the interpreter aborts at its end."""
    code = (
        f"import {module}\nimport eccodes, pyproj\n"
        "pyproj.Transformer.from_crs(4326, 32633).transform(52, 13)\n"
        "eccodes.codes_release(eccodes.codes_grib_new_from_samples('GRIB2'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
