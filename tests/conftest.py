"""What every test may ask for."""

from __future__ import annotations

import os
import sqlite3  # noqa: F401 -- before ecCodes, which brings an old SQLite
from pathlib import Path

import pyproj  # noqa: F401 -- before ecCodes: both bundle libproj
import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real test data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("TERRELLA_TEST_DATA", REPOSITORY / ".." / "shared" / "data"))
    if not folder.is_absolute():
        folder = REPOSITORY / folder
    if not folder.is_dir():
        pytest.skip(f"no test data: set TERRELLA_TEST_DATA (looked in {folder})")
    return folder.resolve()
