"""Where the cells of an array lie on the Earth: one frozen class a kind of grid, all with the same questions."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from terrella.errors import Invalid, Unsupported, nearest_names
from terrella.grids.curvilinear import CurvilinearGrid
from terrella.grids.gaussian import ReducedGaussianGrid, gaussian_latitudes, octahedral_pl
from terrella.grids.healpix import HealpixGrid
from terrella.grids.points import PointsGrid
from terrella.grids.projected import ProjectedGrid, crs_text, raster_grid  # first: pyproj must come before ecCodes
from terrella.grids.rectilinear import RectilinearGrid, regular_or_rectilinear
from terrella.grids.regular import RegularGrid
from terrella.grids.rotated import RotatedGrid
from terrella.grids.tables import canonical, grid_key

AnyGrid = (
    RegularGrid
    | RectilinearGrid
    | ProjectedGrid
    | RotatedGrid
    | HealpixGrid
    | ReducedGaussianGrid
    | CurvilinearGrid
    | PointsGrid
)

KINDS: dict[str, type[AnyGrid]] = {
    grid.kind: grid
    for grid in (
        RegularGrid,
        RectilinearGrid,
        ProjectedGrid,
        RotatedGrid,
        HealpixGrid,
        ReducedGaussianGrid,
        CurvilinearGrid,
        PointsGrid,
    )
}


def grid_from_json(document: dict[str, Any]) -> AnyGrid:
    """The grid that `to_json` wrote; the same JSON gives the same object while it is in use.

    Raises Unsupported for a kind that we do not know, Invalid for JSON that is not a grid.
    """
    return _grid(canonical(document))


@lru_cache(maxsize=64)
def _grid(text: str) -> AnyGrid:
    document = json.loads(text)
    kind = document.get("kind")
    if kind not in KINDS:
        raise Unsupported(f"No grid is of kind {kind!r}. {nearest_names(str(kind), KINDS)}")
    try:
        return KINDS[kind].from_json(document)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"That is no {kind} grid: {error}.", parameter="grid") from error


__all__ = [
    "KINDS",
    "AnyGrid",
    "CurvilinearGrid",
    "HealpixGrid",
    "PointsGrid",
    "ProjectedGrid",
    "RectilinearGrid",
    "ReducedGaussianGrid",
    "RegularGrid",
    "RotatedGrid",
    "crs_text",
    "gaussian_latitudes",
    "grid_from_json",
    "grid_key",
    "octahedral_pl",
    "raster_grid",
    "regular_or_rectilinear",
]
