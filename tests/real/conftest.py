"""One site with every file of the real test data in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from terrella.site import Site
from terrella.site.adding import Added

FOLDERS = ("grib", "netcdf-climate", "destine-healpix", "imagery", "landcover-dem")


@pytest.fixture(scope="session")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Added]]:
    with Site.open(tmp_path_factory.mktemp("real") / "home") as site:
        yield site, site.add(*(test_data / folder for folder in FOLDERS))


@pytest.fixture(scope="session")
def site(real: tuple[Site, Added]) -> Site:
    return real[0]


@pytest.fixture(scope="session")
def report(real: tuple[Site, Added]) -> Added:
    return real[1]


def wants_pages() -> bool:
    """Whether generated pages are to be written anew."""
    return os.environ.get("WRITE_PAGES") == "1"
