"""Extraction: a shape goes in, values come out. One typed request for every dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from terrella.model.credit import NO_CREDIT, Credit
from terrella.model.reduction import USUAL_CELLS, CellChoice, Reduce
from terrella.model.stated import StatedGrid

if TYPE_CHECKING:
    import xarray as xr

    from terrella.model.ids import CollectionId, ItemId
    from terrella.model.space import Extent, LonLat
    from terrella.model.stac import Document
    from terrella.model.time import Instant, Interval


@dataclass(frozen=True, slots=True)
class Points:
    """Nearest cell of each place, on the sphere."""

    places: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True)
class Circle:
    """Cells whose centre lies within `radius` metres of the centre, on the sphere."""

    centre: LonLat
    radius: float


@dataclass(frozen=True, slots=True)
class Box:
    """Cells whose centre lies in the box, edges included."""

    extent: Extent


@dataclass(frozen=True, slots=True)
class Area:
    """Cells whose centre lies in a polygon or multi-polygon: GeoJSON geometry, longitude first, holes respected."""

    geometry: Document


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Nearest cell along a line of vertices, each with its own height and time where given."""

    places: tuple[LonLat, ...]
    heights: tuple[float, ...] = ()
    times: tuple[Instant, ...] = ()


@dataclass(frozen=True, slots=True)
class Corridor:
    """Cells within `width`/2 metres of a line, and within `height`/2 of its height where it has one."""

    path: Trajectory
    width: float
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Cells whose centre lies in the outer box, but not inside the inner one; the edges of both belong to it."""

    outer: Extent
    inner: Extent


@dataclass(frozen=True, slots=True)
class Region:
    """Cells whose centre lies in a country, by its English name or its ISO 3166-1 number ('France', '250')."""

    name: str


@dataclass(frozen=True, slots=True)
class Pixel:
    """Cells whose centre lies in a HEALPix pixel; `nside` is a power of 2."""

    nside: int
    number: int
    order: Literal["nested", "ring"] = "nested"


@dataclass(frozen=True, slots=True)
class Everything:
    """All cells."""


Shape = Points | Circle | Box | Area | Trajectory | Corridor | Frame | Region | Pixel | Everything


@dataclass(frozen=True, slots=True)
class Span:
    """Values of an axis from `low` to `high`, both included; None is open."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Extraction:
    """What to cut out of which collection's cube."""

    collection: CollectionId
    shape: Shape
    variables: tuple[str, ...] = ()
    """Names, or any name that the parameter table knows for one ('2t', '167', 'air_temperature'); empty means all."""
    interval: Interval | None = None
    """Valid times wanted; an instant means that very time; where there is none, an error names the nearest."""
    vertical: tuple[float, ...] | Span | None = None
    """Levels wanted, in the units of the vertical axis."""
    select: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Other axes by name: {'number': (0, 1), 'step': (6.0,)}; steps in hours."""
    items: tuple[ItemId, ...] = ()
    """Only these items of the collection; empty means its whole cube."""
    longitudes: tuple[float, float] = (-180.0, 180.0)
    """Range in which longitudes are answered: (-180, 180) or (0, 360)."""
    reduce: tuple[Reduce, ...] = ()
    """What is made of the values before they are answered, one after the other."""
    cells: CellChoice = USUAL_CELLS
    """Which cells the shape takes."""
    grid: StatedGrid | None = None
    """The grid on which images are answered; None: their own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an extraction will read, known before a byte of it is read. Bytes are stored (compressed) bytes."""

    cells: int
    values: int
    """Numbers in the answer, over all variables."""
    chunks: int
    """Chunks, messages or blocks to read."""
    bytes_read: int
    bytes_out: int
    """Of the answer as plain arrays; encodings differ."""
    memory: int
    """Peak, in bytes."""
    seconds: float = field(default=0.0, compare=False)
    """Expected time, by what such work took before on this site; of an estimate with that of planning it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a result came from."""

    request: str
    """sha256 of the canonical request."""
    collection: str
    version: str
    """Of the collection's data: changes whenever its cube does."""
    items: tuple[str, ...]
    bytes_read: int
    software: str
    licence: str = ""
    attribution: str = ""
    item_versions: tuple[str, ...] = ()
    """One for each of `items`, as the catalogue counts them; '' for one that is not counted."""
    credit: Credit = NO_CREDIT


@dataclass(frozen=True, eq=False)
class Extracted:
    """Values with their coordinates. `dataset` has dims of the axes that are left, then of space:

    `point` for places, `cell` for a set of cells, the grid's own dims for a box of a rectangular grid, `vertex` for
    a trajectory; with coordinates `longitude` and `latitude` in degrees along them (grids of latitude and longitude
    carry `lat` and `lon` instead). Missing is NaN. Where space was reduced, `longitude` and `latitude` are single
    numbers: the middle of the cells.
    """

    dataset: xr.Dataset
    request: Extraction
    plan: Plan
    receipt: Receipt
