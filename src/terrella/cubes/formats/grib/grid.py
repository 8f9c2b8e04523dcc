"""The grid of a field, out of its grid definition section."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pyproj

# isort: split
import eccodes

from terrella.cubes.formats.grib.keys import integer, number, text
from terrella.errors import TerrellaError, Unsupported
from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    ProjectedGrid,
    ReducedGaussianGrid,
    RotatedGrid,
    gaussian_latitudes,
    regular_or_rectilinear,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Cells(Protocol):
    """What of a grid goes into a scan."""

    @property
    def dims(self) -> tuple[str, ...]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def to_json(self) -> dict[str, Any]: ...


_AGREE = 0.01
"""Degrees by which places that we work out may differ from ecCodes' own, which are rounded as coded."""


_MOST = (1_000_000, 4_000_000_000)
"""Rows or columns, and cells, that a grid may have: enough for 40 m around the equator. A damaged count is larger."""


_MOST_PLACES = 50_000_000
_MOST_GAUSSIAN = 10_000
"""Rows between pole and equator, 1 km apart: ecCodes works for minutes on damaged numbers above."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """A grid as a part wants it, and how messages order its values (`terrella.cubes.formats.grib.source.arranged`)."""

    document: dict[str, Any]
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    order: dict[str, Any] = field(default_factory=dict)


def lattice(handle: int) -> Lattice:
    """Raises Unsupported for kinds of grid that have no cells on the Earth, or none that we can place."""
    kind = text(handle, "gridType") or "unknown"
    make = _KINDS.get(kind)
    if make is None:
        raise Unsupported(_refusal(kind, handle))
    try:
        _check_size(handle)
        grid = make(handle)
    except Unsupported:
        raise
    except (TerrellaError, eccodes.CodesInternalError, pyproj.exceptions.ProjError, ValueError, IndexError) as error:
        raise Unsupported(f"its {kind} grid is not one that we can place: {error}") from error
    return Lattice(grid.to_json(), grid.dims, grid.shape, _order(handle) if len(grid.shape) == 2 else {})


def _refusal(kind: str, handle: int) -> str:
    if kind == "sh":
        return "spectral coefficients (sh) have no cells; transform them to a grid first"
    if kind == "unstructured_grid":
        name = text(handle, "uuidOfHGrid")
        return f"an unstructured grid (uuid {name}) keeps its coordinates in another file"
    known = ", ".join(sorted(_KINDS))
    return f"grids of type {kind!r} are not read; those that are: {known}"


def _order(handle: int) -> dict[str, Any]:
    keys = {"columns": "jPointsAreConsecutive", "turning": "alternativeRowScanning"}
    return {name: True for name, key in keys.items() if integer(handle, key)}


def _check_size(handle: int) -> None:
    """Rows times columns must be what the field says to hold, before anything as large is made."""
    if (integer(handle, "N") or 0) > _MOST_GAUSSIAN:
        raise Unsupported(f"a Gaussian grid of a number above {_MOST_GAUSSIAN} is not read")
    rows, columns = integer(handle, "Nj"), integer(handle, "Ni")
    if rows is None or columns is None:
        return  # reduced grids have rows of many lengths, others none
    said = {integer(handle, key) for key in ("numberOfDataPoints", "numberOfValues", "numberOfCodedValues")}
    if rows * columns not in said:
        raise Unsupported(f"its grid of {rows} x {columns} points does not fit the number of its values")


def _need(handle: int, key: str) -> float:
    found = number(handle, key)
    if found is None:
        raise Unsupported(f"its grid lacks {key}")
    return found


def _count(handle: int, key: str) -> int:
    found = integer(handle, key)
    if not found or found < 1:
        raise Unsupported(f"its grid lacks {key}")
    if found > _MOST[key == "numberOfDataPoints"]:
        raise Unsupported(f"its grid says {found} for {key}, which is more than any grid has")
    return found


def _longitudes(handle: int) -> np.ndarray:
    count = _count(handle, "Ni")
    first, last = (
        _need(handle, "longitudeOfFirstGridPointInDegrees"),
        _need(handle, "longitudeOfLastGridPointInDegrees"),
    )
    if integer(handle, "iScansNegatively"):
        last -= 360.0 * (last > first)
    else:
        last += 360.0 * (last < first)
    if count > 1 and first == last:
        raise Unsupported("its grid begins and ends on one meridian")
    return np.linspace(first, last, count)


def _latitudes(handle: int) -> np.ndarray:
    first, last = _need(handle, "latitudeOfFirstGridPointInDegrees"), _need(handle, "latitudeOfLastGridPointInDegrees")
    return np.linspace(first, last, _count(handle, "Nj"))


def _regular_ll(handle: int) -> Cells:
    return regular_or_rectilinear(_latitudes(handle), _longitudes(handle))


def _regular_gg(handle: int) -> Cells:
    return regular_or_rectilinear(_gaussian_rows(handle), _longitudes(handle))


def _gaussian_rows(handle: int) -> np.ndarray:
    """Rows of the full Gaussian grid, from the one nearest to the first latitude on."""
    rows = np.asarray(gaussian_latitudes(_count(handle, "N")))
    if integer(handle, "jScansPositively"):
        rows = rows[::-1]
    start = int(np.abs(rows - _need(handle, "latitudeOfFirstGridPointInDegrees")).argmin())
    chosen = rows[start : start + _count(handle, "Nj")]
    if chosen.size != _count(handle, "Nj"):
        raise Unsupported("its Gaussian grid has more rows than its number says")
    return chosen


def _reduced_gg(handle: int) -> Cells:
    pl = np.asarray(eccodes.codes_get_array(handle, "pl"), dtype=np.int64)
    n = _count(handle, "N")
    whole = pl.size == 2 * n and pl.min() > 0 and pl.sum() == _count(handle, "numberOfDataPoints")
    plain = not integer(handle, "jScansPositively") and not _need(handle, "longitudeOfFirstGridPointInDegrees")
    return ReducedGaussianGrid(n, pl) if whole and plain else _points(handle)


def _points(handle: int) -> Cells:
    lon, lat = _places(handle)
    return PointsGrid(lon, lat)


def _places(handle: int) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of all cells as ecCodes works them out, in the order of the values."""
    if eccodes.codes_get_size(handle, "latitudes") > _MOST_PLACES:
        raise Unsupported(f"a grid of more than {_MOST_PLACES} points that follow no rule is not read")
    return (
        np.asarray(eccodes.codes_get_array(handle, "longitudes"), dtype=np.float64),
        np.asarray(eccodes.codes_get_array(handle, "latitudes"), dtype=np.float64),
    )


def _healpix(handle: int) -> Cells:
    nested = text(handle, "orderingConvention").startswith("nest")
    order: Literal["ring", "nested"] = "nested" if nested else "ring"
    nside, first = _count(handle, "Nside"), _need(handle, "longitudeOfFirstGridPointInDegrees")
    if nside > 1 and abs(first - 45.0) > 1e-6:
        raise Unsupported(f"its HEALPix grid is turned: it begins at longitude {first:g}, not 45")
    return HealpixGrid(nside, order)


def _rotated_ll(handle: int) -> Cells:
    """Rotated latitudes and longitudes under the southern pole of rotation."""
    return RotatedGrid.from_south_pole(
        _need(handle, "longitudeOfSouthernPoleInDegrees"),
        _need(handle, "latitudeOfSouthernPoleInDegrees"),
        _latitudes(handle),
        _longitudes(handle),
        number(handle, "angleOfRotationInDegrees") or 0.0,
    )


def _projected(handle: int) -> Cells:
    """Plane coordinates from the first point on; curvilinear where ecCodes knows another projection than PROJ."""
    crs = pyproj.CRS.from_user_input(text(handle, "projString"))
    to_plane = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    x0, y0 = to_plane.transform(
        _need(handle, "longitudeOfFirstGridPointInDegrees"), _need(handle, "latitudeOfFirstGridPointInDegrees")
    )
    x = _spacing(handle, "Di", "Dx") * np.arange(_count(handle, "Nx"))
    y = _spacing(handle, "Dj", "Dy") * np.arange(_count(handle, "Ny"))
    if not _agrees(handle, crs, x0 + x, y0 + y):
        return _curvilinear(handle)
    return ProjectedGrid.from_coordinates(
        crs, x0 + x * _sign(handle, "iScansNegatively", -1), y0 + y * _sign(handle, "jScansPositively", 1)
    )


def _agrees(handle: int, crs: pyproj.CRS, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether ecCodes puts the corners there too.

    It places points eastward and northward from the first one whatever the scanning mode, and turns the values
    instead; the standard (flag table 3.4) means the first point to be the one that comes first, and so do we.
    Where it places nothing (polar stereographic on an ellipsoid), PROJ has the word.
    """
    try:
        lon, lat = _places(handle)
    except eccodes.CodesInternalError:
        return True
    to_sphere = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    ours_lon, ours_lat = to_sphere.transform(x[[0, -1, 0, -1]], y[[0, 0, -1, -1]])
    corners = [0, x.size - 1, (y.size - 1) * x.size, y.size * x.size - 1]
    aside = (np.asarray(ours_lon) - lon[corners] + 180.0) % 360.0 - 180.0
    off = np.hypot(aside * np.cos(np.radians(lat[corners])), np.asarray(ours_lat) - lat[corners])
    return bool((off < _AGREE).all())


def _spacing(handle: int, *names: str) -> float:
    found = next((value for name in names if (value := number(handle, f"{name}InMetres"))), None)
    if not found:
        raise Unsupported("its grid lacks the distance between points")
    return found


def _sign(handle: int, key: str, when_set: int) -> int:
    return when_set if integer(handle, key) else -when_set


def _curvilinear(handle: int) -> Cells:
    if integer(handle, "iScansNegatively") or not integer(handle, "jScansPositively"):
        raise Unsupported(
            "its projection is one that PROJ places elsewhere, and it is not scanned eastward and northward"
        )
    lon, lat = _places(handle)
    shape = (_count(handle, "Ny"), _count(handle, "Nx"))
    return CurvilinearGrid(lon.reshape(shape), lat.reshape(shape))


_KINDS: dict[str, Callable[[int], Cells]] = {
    "regular_ll": _regular_ll,
    "rotated_ll": _rotated_ll,
    "regular_gg": _regular_gg,
    "reduced_gg": _reduced_gg,
    "reduced_ll": _points,
    "reduced_rotated_gg": _points,
    "rotated_gg": _points,
    "healpix": _healpix,
    "lambert": _projected,
    "lambert_azimuthal_equal_area": _projected,
    "polar_stereographic": _projected,
    "mercator": _projected,
    "transverse_mercator": _projected,
    "space_view": _points,
}
