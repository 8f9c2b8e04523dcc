"""A GRIB message of some rows and columns of another: everything but the grid and the values stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes

from terrella.errors import Invalid, Unreadable, Unsupported

if TYPE_CHECKING:
    from terrella.model.space import Extent

_CLOSE = 1e-6
"""Degrees: messages round theirs."""


def cropped(message: bytes, area: Extent) -> bytes:
    """The cells whose centre lies in the area, edges included, repacked as the message is packed.

    Raises Invalid where no cell does, Unsupported for a grid that is not regular in latitude and longitude.
    """
    try:
        handle = eccodes.codes_new_from_message(message)
        try:
            return _cropped(handle, area)
        finally:
            eccodes.codes_release(handle)
    except eccodes.CodesInternalError as error:
        raise Unreadable(f"ecCodes cannot crop a message: {error}.") from error


def _cropped(handle: int, area: Extent) -> bytes:
    kind = eccodes.codes_get_string(handle, "gridType")
    scanning = [eccodes.codes_get_long(handle, key) for key in ("jPointsAreConsecutive", "alternativeRowScanning")]
    if kind != "regular_ll" or any(scanning):
        raise Unsupported(
            f"An area can be cut out of regular latitudes and longitudes, not of {kind}.", parameter="area"
        )
    lat = eccodes.codes_get_array(handle, "distinctLatitudes")
    lon = eccodes.codes_get_array(handle, "distinctLongitudes")
    if not eccodes.codes_get_long(handle, "jScansPositively"):
        lat = lat[::-1] if lat[0] < lat[-1] else lat
    rows = np.flatnonzero((lat >= area.south - _CLOSE) & (lat <= area.north + _CLOSE))
    columns = _columns(lon, area)
    if not rows.size or not columns.size:
        raise Invalid("No cell of these fields lies in that area.", parameter="area")
    values = eccodes.codes_get_values(handle).reshape(lat.size, lon.size)[np.ix_(rows, columns)]
    turned = _turned(lon[columns], area)
    for key, value in (
        ("Ni", columns.size),
        ("Nj", rows.size),
        ("latitudeOfFirstGridPointInDegrees", lat[rows[0]]),
        ("latitudeOfLastGridPointInDegrees", lat[rows[-1]]),
        ("longitudeOfFirstGridPointInDegrees", turned[0]),
        ("longitudeOfLastGridPointInDegrees", turned[-1]),
    ):
        eccodes.codes_set(handle, key, int(value) if key in ("Ni", "Nj") else float(value))
    eccodes.codes_set_values(handle, np.ascontiguousarray(values).ravel())
    found: bytes = eccodes.codes_get_message(handle)
    return found


def _columns(lon: np.ndarray, area: Extent) -> np.ndarray:
    """Of the area, from west to east, also across the first column."""
    east_of = (lon - area.west + _CLOSE) % 360.0
    inside = np.flatnonzero(east_of <= area.width + 2 * _CLOSE)
    return inside[np.argsort(east_of[inside], kind="stable")]


def _turned(lon: np.ndarray, area: Extent) -> np.ndarray:
    """Longitudes that grow from west to east, in 0..360 where they can."""
    start = lon[0] % 360.0
    del area
    return np.asarray(start + (lon - lon[0]) % 360.0)
