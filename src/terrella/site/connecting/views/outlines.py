"""Lines that leave out the cells whose centre lies outside of a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from terrella.errors import Unsupported
from terrella.site.connecting.views.shapes import Asked
from terrella.site.connecting.writing import text

if TYPE_CHECKING:
    from terrella.site.connecting.views.meaning import Meant

MOST_WRITTEN = 60_000
"""Characters of an outline that are written out."""


def masked(view: Meant, imports: set[str]) -> list[str]:
    """Lines after `values`; `imports` gets what they need. Raises Unsupported for an outline that is too long."""
    kind, cells = view.question.shape.kind, view.prepared.cells
    if kind == Asked.BOX:
        return [] if cells.lines is not None and cells.hidden is None else _in_box(view)
    if kind == Asked.AREA:
        return [*_written(view, imports), *_in_area(view, imports)]
    if kind == Asked.REGION:
        return [*_fetched(view, imports), *_in_area(view, imports)]
    return []


def _centres(view: Meant) -> list[str]:
    """Lines that give `lat` and `lon` of each cell."""
    own = view.prepared.cube.grid.coordinates()
    if {"lat", "lon"} <= own.keys():
        return ['lat, lon = xr.broadcast(values["lat"], values["lon"])']
    return ['lat, lon = values["latitude"].compute(), values["longitude"].compute()']


def _in_box(view: Meant) -> list[str]:
    west, south, east, north = view.question.shape.words["bbox"]
    drop = ", drop=True" if view.prepared.cells.lines is None else ""
    return [
        *_centres(view),
        f"inside = (lat >= {south!r}) & (lat <= {north!r}) & ((lon - {west!r}) % 360 <= {(east - west) % 360!r})",
        f"values = values.where(inside{drop})",
    ]


def _written(view: Meant, imports: set[str]) -> list[str]:
    imports.add("import shapely")
    outline = orjson.dumps(view.question.shape.geometry).decode()
    if len(outline) > MOST_WRITTEN:
        raise Unsupported("This outline is too long to write out: ask EDR.")
    return [f"area = shapely.from_geojson({text(outline)})"]


def _fetched(view: Meant, imports: set[str]) -> list[str]:
    """The outline of a region, from where the site lists them."""
    imports |= {"import requests", "import shapely"}
    name = str(view.question.shape.words["region"])
    place = view.region
    assert place is not None
    shown = f', headers={{"Authorization": "Bearer {view.at.needed}"}}' if view.at.needed else ""
    asked = {"q": place.title, "source": place.source, "geometry": "full", "limit": "100"}
    return [
        f'places = "{view.at.base}/ogc/collections/{view.question.collection}/locations"  # {_remark(name)}',
        f"listed = requests.get(places, {orjson.dumps(asked).decode()}{shown}).json()",
        f'region = next(one for one in listed["features"] if one["id"] == {text(place.name)})',
        'area = shapely.from_geojson(json.dumps(region["geometry"]))',
    ]


def _remark(name: str) -> str:
    return " ".join(name.split())


def _in_area(view: Meant, imports: set[str]) -> list[str]:
    if view.question.shape.kind == Asked.REGION:
        imports.add("import json")
    west = _west(view)
    drop = ", drop=True" if len(view.prepared.cube.grid.shape) == 1 else ""
    return [
        *_centres(view),
        f"inside = shapely.intersects_xy(area, (lon.values - {west}) % 360 + {west}, lat.values)",
        f"values = values.where(xr.DataArray(inside, dims=lat.dims){drop})",
    ]


def _west(view: Meant) -> str:
    """Where longitudes begin, so that they meet those of the outline."""
    import shapely.geometry

    if view.question.shape.kind == Asked.REGION:
        return "-180"
    west, _, east, _ = shapely.geometry.shape(view.question.shape.geometry).bounds
    return "-180" if west >= -180 and east <= 180 else repr(float(west))
