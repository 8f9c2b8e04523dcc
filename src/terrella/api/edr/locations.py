"""Named places of a collection: the stations of point data by their number, and regions by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from terrella.api.edr.shapes import Asked
from terrella.errors import Invalid, NotFound
from terrella.grids import grid_from_json
from terrella.grids.outlines import boxes
from terrella.model.extraction import Points
from terrella.model.space import LonLat

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeIndex
    from terrella.contracts.grids import Grid
    from terrella.extraction.gazetteer import Gazetteer, Place, Places
    from terrella.model.caller import Caller
    from terrella.model.space import Extent

MOST_PLACES = 100_000
"""More cells than that are a mesh, not stations."""
MOST_REGIONS = 1000


def stations(index: CubeIndex | None) -> Grid | None:
    """The places of point data; None for grids, meshes and scenes."""
    if index is None or index.grid.get("kind") != "points":
        return None
    grid = grid_from_json(index.grid)
    return grid if grid.size <= MOST_PLACES else None


def stations_document(grid: Grid, box: Extent | None, start: int, limit: int, here: str) -> tuple[dict[str, Any], int]:
    """One page of stations as GeoJSON, and how many there are; `here` is the address of the list."""
    cells = np.arange(grid.size) if box is None else grid.in_extent(box)
    some = cells[start : start + limit]
    lon, lat = grid.centres(some)
    made = [
        _feature(str(cell), {"type": "Point", "coordinates": place}, here, {"label": f"place {cell}"})
        for cell, place in zip(some.tolist(), np.round(np.column_stack([lon, lat]), 10).tolist(), strict=True)
    ]
    return _collection(made, int(cells.size)), int(cells.size)


def regions_document(found: Places, here: str, geometry: str) -> dict[str, Any]:
    """One page of regions as GeoJSON, their outlines simplified, whole or as boxes."""
    return _collection([_region(place, here, geometry) for place in found.places], found.matched)


GEOMETRIES = ("simplified", "full", "box")
"""How outlines are written in a list."""


def _region(place: Place, here: str, geometry: str) -> dict[str, Any]:
    if geometry == "box":
        outline = boxes(place.extent)
    else:
        outline = place.sketch() if geometry == "simplified" else place.document()
    properties = {"label": place.title, "name": place.title, "source": place.source}
    return _feature(place.name, outline, here, properties | ({"iso_3166_1": place.code} if place.code else {}))


def _feature(name: str, geometry: dict[str, Any], here: str, properties: dict[str, Any]) -> dict[str, Any]:
    end = f"{here}/{quote(name, safe=':')}"
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": {"edrqueryendpoint": end} | properties}


def _collection(made: list[dict[str, Any]], matched: int) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": made,
        "numberMatched": matched,
        "numberReturned": len(made),
    }


def located(index: CubeIndex | None, name: str, gazetteer: Gazetteer, caller: Caller) -> Asked:
    """What asking for a named place means: a station's cell, else a region. Raises NotFound."""
    grid = stations(index)
    if grid is not None and name.isascii() and name.isdigit() and len(name) < 10 and int(name) < grid.size:
        lon, lat = grid.centres(np.array([int(name)]))
        return Asked(Points((LonLat(float(lon[0]), float(lat[0])),)))
    try:
        return Asked(gazetteer.place(caller, name).shape)
    except Invalid as error:
        places = f"Stations are numbered from 0 to {grid.size - 1}. " if grid is not None else ""
        raise NotFound(f"{places}{error.message} They are listed under /locations.", parameter="locationId") from None
