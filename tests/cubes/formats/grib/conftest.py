"""Messages made by ecCodes, to be scanned and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes
import numpy as np
import pytest

from terrella.cubes.formats.grib import Grib
from terrella.model.scan import ArrayScan, FileScan

Maker = Callable[..., bytes]


def make_message(sample: str = "regular_ll_sfc_grib2", values: Any = None, **keys: Any) -> bytes:
    """A message from one of ecCodes' samples with keys set in the order given."""
    handle = eccodes.codes_grib_new_from_samples(sample)
    try:
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        if values is not None:
            eccodes.codes_set_values(handle, np.asarray(values, dtype=float).ravel())
        return eccodes.codes_get_message(handle)
    finally:
        eccodes.codes_release(handle)


def small(edition: int = 2, values: Any = None, **keys: Any) -> bytes:
    """An operational analysis of ECMWF on 3 rows of 4 points, 30 degrees apart, unless keys say otherwise."""
    grid = {
        "Ni": 4,
        "Nj": 3,
        "latitudeOfFirstGridPointInDegrees": 60,
        "latitudeOfLastGridPointInDegrees": 0,
        "longitudeOfFirstGridPointInDegrees": 0,
        "longitudeOfLastGridPointInDegrees": 90,
        "iDirectionIncrementInDegrees": 30,
        "jDirectionIncrementInDegrees": 30,
    }
    numbers = np.arange(12.0) if values is None else values
    local = {"setLocalDefinition": 1, "localDefinitionNumber": 1, "typeOfProcessedData": 0} if edition == 2 else {}
    mars = {"marsClass": "od", "marsType": "an", "marsStream": "oper", "experimentVersionNumber": "0001"}
    return make_message(f"regular_ll_pl_grib{edition}", numbers, **{**local, **mars, **grid, **keys})


@pytest.fixture
def scanned(tmp_path: Path) -> Callable[..., FileScan]:
    """Writes messages to a file and scans it."""

    def scan(*messages: bytes, name: str = "made.grib") -> FileScan:
        path = tmp_path / name
        path.write_bytes(b"".join(messages))
        (found,) = Grib().scan(str(path))
        return found

    return scan


def only_array(scan: FileScan) -> ArrayScan:
    (part,) = scan.parts
    (array,) = part.arrays
    return array


def loaded(scan: FileScan, array: ArrayScan, index: tuple[int, ...]) -> np.ndarray | None:
    """The chunk at a position along the axes."""
    grid_dims = len(array.dims) - len(index)
    return Grib().source(array, scan.href).load(index + (0,) * grid_dims)
