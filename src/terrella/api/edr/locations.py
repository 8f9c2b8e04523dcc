"""Named places of a collection: cells of point data, by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.errors import NotFound
from terrella.grids import grid_from_json
from terrella.model.space import LonLat

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.grids import Grid
    from terrella.model.space import Extent

MOST_PLACES = 100_000
"""More cells than that are a mesh, not stations."""


def locations_document(index: CubeIndex, box: Extent | None, limit: int, collection: str) -> dict[str, Any]:
    """The places as GeoJSON, at most `limit`; an empty collection of features for grids."""
    grid = _places(index)
    if grid is None:
        return _collection([], 0)
    cells = np.arange(grid.size) if box is None else grid.in_extent(box)
    lon, lat = grid.centres(cells[:limit])
    made = [
        {
            "type": "Feature",
            "id": str(cell),
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"edrqueryendpoint": f"collections/{collection}/locations/{cell}", "label": f"place {cell}"},
        }
        for cell, place in zip(cells[:limit].tolist(), np.round(np.column_stack([lon, lat]), 10).tolist(), strict=True)
    ]
    return _collection(made, int(cells.size))


def _collection(made: list[dict[str, Any]], matched: int) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": made,
        "numberMatched": matched,
        "numberReturned": len(made),
    }


def location_places(index: CubeIndex, name: str) -> tuple[LonLat, ...]:
    """Where a named place lies. Raises NotFound."""
    grid = _places(index)
    if grid is None:
        raise NotFound(
            "This collection is a grid and names no places: ask with /position?coords=POINT(lon lat).",
            parameter="locationId",
        )
    if not (name.isascii() and name.isdigit() and len(name) < 10 and int(name) < grid.size):
        raise NotFound(
            f"There is no place {name[:60]!r}: they are numbered from 0 to {grid.size - 1}, listed under /locations.",
            parameter="locationId",
        )
    lon, lat = grid.centres(np.array([int(name)]))
    return (LonLat(float(lon[0]), float(lat[0])),)


def _places(index: CubeIndex) -> Grid | None:
    if index.grid.get("kind") != "points":
        return None
    grid = grid_from_json(index.grid)
    return grid if grid.size <= MOST_PLACES else None
