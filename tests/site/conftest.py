"""Sites and folders for tests of the whole road."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from terrella.cubes.scanning import Scanners
from terrella.site import Site


@pytest.fixture(scope="session")
def scanners() -> Iterator[Scanners]:
    """One scanning process for all tests: starting one takes longer than most tests."""
    made = Scanners(processes=1)
    yield made
    made.close()


@pytest.fixture
def site(tmp_path: Path, scanners: Scanners) -> Iterator[Site]:
    opened = Site.open(tmp_path / "home")
    opened.scanners = scanners
    yield opened
    opened.scanners = Scanners(processes=1)
    opened.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder
