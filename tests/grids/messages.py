"""GRIB messages through ecCodes itself, as an independent witness."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: both bundle libproj

import eccodes  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Message:
    """The first message of a file."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def get(self, key: str) -> Any:
        return eccodes.codes_get(self.handle, key)

    def array(self, key: str) -> np.ndarray:
        return eccodes.codes_get_array(self.handle, key)

    def nearest(self, lon: float, lat: float) -> tuple[int, float, float] | None:
        """(index, lat, lon) by codes_grib_find_nearest; None beyond the outermost centres."""
        try:
            found = eccodes.codes_grib_find_nearest(self.handle, lat, lon)[0]
        except eccodes.OutOfAreaError:
            return None
        return found.index, found.lat, found.lon

    def with_nside(self, nside: int) -> Message:
        """The same HEALPix field, empty, in another resolution."""
        clone = Message(eccodes.codes_clone(self.handle))
        eccodes.codes_set(clone.handle, "Nside", nside)
        eccodes.codes_set_values(clone.handle, np.zeros(12 * nside**2))
        return clone


@contextmanager
def first_message(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        handle = eccodes.codes_grib_new_from_file(file)
        try:
            yield Message(handle)
        finally:
            eccodes.codes_release(handle)


@contextmanager
def sample_message(name: str, keys: dict[str, float], count: int) -> Iterator[Message]:
    """One of ecCodes' own samples with other keys and `count` zeros."""
    handle = eccodes.codes_grib_new_from_samples(name)
    try:
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        eccodes.codes_set_values(handle, np.zeros(count))
        yield Message(handle)
    finally:
        eccodes.codes_release(handle)


def assert_same_nearest(grid: Any, message: Message, count: int = 40) -> None:
    """Our cell is ecCodes' own, or nearer than that (its search is of four neighbours only)."""
    lon, lat = grid.centres()
    draws = np.random.default_rng(7)
    cells = draws.integers(0, grid.size, count)
    step = np.degrees(grid.resolution() / 6_371_000)
    lons = lon[cells] + draws.uniform(-0.4, 0.4, count) * step
    lats = np.clip(lat[cells] + draws.uniform(-0.4, 0.4, count) * step, -88.0, 88.0)
    ours = grid.nearest(lons, lats)
    inside = np.flatnonzero(ours >= 0)
    assert inside.size > count // 2
    same, asked = 0, 0
    for k in inside:
        theirs = message.nearest(lons[k] % 360.0, lats[k])
        if theirs is None:
            continue
        index, their_lat, their_lon = theirs
        asked += 1
        mine = angle(lons[k], lats[k], lon[ours[k]], lat[ours[k]])
        assert mine <= angle(lons[k], lats[k], their_lon, their_lat) + 1e-7
        same += index == ours[k]
    assert asked > 5
    assert same >= 0.9 * asked


def angle(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Degrees of great circle, by vectors."""
    a, b = (
        np.array([np.cos(p) * np.cos(m), np.cos(p) * np.sin(m), np.sin(p)])
        for m, p in (np.radians([lon, lat]), np.radians([other_lon, other_lat]))
    )
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
