"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import postgres
from benchmarks.serving import client_name

_OURS = ("terrella", "numpy", "xarray", "h5py", "eccodes", "zarr", "uvicorn", "fastapi", "stac-fastapi.api")
_PEERS = (
    "polytope-python",
    "xpublish",
    "xpublish-edr",
    "pygeoapi",
    "stac-fastapi.pgstac",
    "pypgstac",
    "cfgrib",
    "virtualizarr",
    "zarrs",
)


def facts() -> list[tuple[str, str]]:
    """Names and values, in the order to show them."""
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{_memory() / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("load before", f"{os.getloadavg()[0]:.1f} processes wanted a core in the minute before"),
        ("Python, SQLite", f"{platform.python_version()}, {sqlite3.sqlite_version}"),
        ("packages", _versions(_OURS)),
        ("others", f"{_versions(_PEERS)}; {_postgres()}"),
        ("HTTP client for STAC", client_name()),
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_version(name)}" for name in names)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _postgres() -> str:
    try:
        return postgres.version()
    except postgres.Absent as error:
        return str(error)
