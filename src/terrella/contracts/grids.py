"""A grid: where the cells of an array lie on the Earth. Pure mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from shapely.geometry.base import BaseGeometry

    from terrella.model.space import Extent
    from terrella.model.stac import Document


@runtime_checkable
class Grid(Protocol):
    """Cells are numbered flat, in C order over `shape`, from 0: the order in which the array stores them."""

    @property
    def kind(self) -> str:
        """'regular', 'rectilinear', 'projected', 'rotated', 'healpix', 'reduced_gaussian', 'curvilinear', 'points'."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """(ny, nx) or (ncells,)."""
        ...

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of these dimensions in arrays: ('lat', 'lon'), ('y', 'x') or ('cell',)."""
        ...

    @property
    def crs(self) -> str:
        """Of the grid's own coordinates: 'EPSG:4326', 'EPSG:32633', or WKT2."""
        ...

    @property
    def size(self) -> int:
        """Number of cells."""
        ...

    def centres(self, cells: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(lon, lat) of cell centres in degrees, float64, lon in [-180, 180); all cells when None."""
        ...

    def nearest(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Cell nearest on the sphere to each place (degrees, any longitude range), int64.

        -1 where the place lies outside the area that the grid covers (further from the nearest centre than its
        cells reach). Ties go to the lower cell number.
        """
        ...

    def within(self, geometry: BaseGeometry) -> np.ndarray:
        """Cells whose centre lies in a polygon or multi-polygon (lon/lat degrees, planar edges, boundary included).

        The geometry may run over the antimeridian either as longitudes beyond +-180 or as parts on both sides.
        Sorted int64.
        """
        ...

    def in_extent(self, extent: Extent) -> np.ndarray:
        """Cells whose centre lies in a box, edges included. Sorted int64."""
        ...

    def in_circle(self, lon: float, lat: float, radius: float) -> np.ndarray:
        """Cells whose centre lies within `radius` metres of the place, on the sphere. Sorted int64."""
        ...

    def areas(self, cells: np.ndarray | None = None) -> np.ndarray:
        """Area of cells in square metres on the sphere, float64."""
        ...

    def extent(self) -> Extent:
        """The smallest box that holds all cells (their edges, where the grid knows them)."""
        ...

    def footprint(self) -> Document:
        """GeoJSON geometry of what the grid covers, split at the antimeridian (RFC 7946)."""
        ...

    def resolution(self) -> float:
        """Typical distance between neighbouring centres, in metres."""
        ...

    def coordinates(self) -> dict[str, np.ndarray]:
        """The grid's own one-dimensional coordinates by dim, e.g. {'lat': ..., 'lon': ...}; {} when it has none."""
        ...

    def to_json(self) -> dict[str, Any]:
        """As JSON: `kind` and its parameters; equal grids give equal JSON. Large tables go in as base64 of zstd."""
        ...
