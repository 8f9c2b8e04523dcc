"""Map tiles: values as 16-bit numbers for clients that colour them, coloured PNG for all others.

OGC API - Tiles and - Maps, with TileJSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import Response

from terrella.api.tiles import openapi
from terrella.api.tiles.cubing import Blocked
from terrella.api.tiles.describing import Described
from terrella.api.tiles.dialect import Tiles
from terrella.api.tiles.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.site.site import Site

_SET = "{tile_matrix_set_id}"
_TILE = f"{_SET}/{{tile_matrix}}/{{tile_row}}/{{tile_col}}"


def router(site: Site) -> APIRouter:
    """The routes of the dialect, to be mounted under /tiles."""
    tiles, described = Tiles(site), Described(site)
    routes = APIRouter(default_response_class=Response)
    _ogc(routes, described)
    standard = "/collections/{collection_id}/map"
    _add(routes, f"{standard}/tiles/{_TILE}", tiles.tile, "ogc_map_tile", openapi.TILE)
    _add(routes, standard, tiles.map, "ogc_map", openapi.MAP)
    _add(routes, "/{collection_id}", described.tileset, "tileset", openapi.TILESET)
    _add(routes, "/{collection_id}/tilejson.json", described.tilejson, "tilejson", openapi.TILEJSON)
    _add(routes, "/{collection_id}/cube", Blocked(site).cube, "cube", openapi.BLOCK)
    _add(routes, "/{collection_id}/thumbnail", Thumbnails(site).thumbnail, "thumbnail", openapi.THUMBNAIL)
    _add(routes, f"/{{collection_id}}/{_SET}", described.ogc_tileset, "tileset_of", openapi.OGC_TILESET)
    _add(routes, f"/{{collection_id}}/{_TILE}", tiles.tile, "tile", openapi.TILE)
    _add(routes, f"/{{collection_id}}/v/{{version}}/{_TILE}", tiles.tile_of_version, "kept_tile", openapi.KEPT_TILE)
    return routes


def _ogc(routes: APIRouter, described: Described) -> None:
    """What OGC API clients look for first."""
    base = "/collections/{collection_id}"
    _add(routes, "/", described.landing, "tiles_landing", openapi.JSON)
    _add(routes, "/conformance", described.conformance, "tiles_conformance", openapi.JSON)
    _add(routes, "/tileMatrixSets", described.matrix_sets, "tile_matrix_sets", openapi.JSON)
    _add(routes, f"/tileMatrixSets/{_SET}", described.matrix_set, "tile_matrix_set", openapi.MATRIX_SET)
    _add(routes, "/palettes", described.palettes, "palettes", openapi.JSON)
    _add(routes, "/collections", described.collections, "tiles_collections", openapi.JSON)
    _add(routes, base, described.collection, "tiles_collection", openapi.COLLECTION)
    _add(routes, f"{base}/map/tiles", described.ogc_tilesets, "ogc_tilesets", openapi.COLLECTION)
    _add(routes, f"{base}/map/tiles/{_SET}", described.ogc_tileset, "ogc_tileset", openapi.OGC_TILESET)


def _add(routes: APIRouter, path: str, handler: Callable[..., Any], name: str, said: dict[str, Any]) -> None:
    routes.add_api_route(
        path, handler, name=name, operation_id=name, tags=["Map tiles"], response_model=None, methods=["GET"], **said
    )
