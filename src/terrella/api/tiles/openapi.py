"""How the routes describe themselves in OpenAPI."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def _path(name: str, description: str, example: str) -> Json:
    schema = {"type": "string", "minLength": 1}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _query(name: str, description: str, example: str, **schema: Any) -> Json:
    said = {"type": "string"} | schema
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": said,
        "example": example,
    }


_COLLECTION = _path("collection_id", "Id of a collection with a cube or with images.", "t2m")
_SET = _path("tile_matrix_set_id", "WorldCRS84Quad or WebMercatorQuad.", "WorldCRS84Quad")
_VERSION = _path("version", "As `version` of the tileset says.", "1.0123456789abcdef")
_PLACE = [
    _SET,
    _path("tile_matrix", "Zoom, from 0.", "0"),
    _path("tile_row", "From the north.", "0"),
    _path("tile_col", "From the west.", "0"),
]
_SHOWN = [
    _query("variable", "By any of its names; the first where it is left out. Of images also an expression.", "t2m"),
    _query("datetime", "One time of the data; the last where it is left out.", "2024-01-01T00:00:00Z"),
    _query("z", "One level, in the units of the axis; also called `level`. The first where it is left out.", "850"),
]
_COLOURS = [
    _query("palette", "A palette; with `_r` behind its name the other way round.", "viridis"),
    _query("range", "Values of the first and the last colour.", "250,310"),
]
_F = _query(
    "f", "`png` (usual) or `values`.", "png", enum=["png", "values", "image/png", "application/vnd.terrella.values"]
)
_MAP = [
    _query("bbox", "west,south,east,north in degrees; the collection's where it is left out.", "-10,35,30,60"),
    _query("width", "Pixels, at most 2048.", "800"),
    _query("height", "Pixels, at most 2048.", "600"),
    _query("transparent", "`false` for white where nothing is.", "true", enum=["true", "false"]),
    _query("f", "`png`.", "png", enum=["png", "image/png"]),
]
_BLOCK = [
    _query("depth", "The axis of the third dimension; time, else the first with several steps.", "time"),
    _query("bbox", "west,south,east,north in degrees; the collection's where it is left out.", "-10,35,30,60"),
    _query("width", "Columns; as many as the grid has where it is left out.", "360"),
    _query("height", "Rows, likewise.", "180"),
    _query("steps", "At most so many steps of the axis, evenly strided; 256 where it is left out.", "100"),
    _query("f", "`block`, or `json` for what it would hold, and read.", "json", enum=["block", "json"]),
]
_PROBLEM: Json = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_BYTES: Json = {"schema": {"type": "string", "format": "binary"}}


def _wrong(description: str) -> Json:
    return {"description": description, "content": _PROBLEM}


_WRONG: dict[int | str, Json] = {
    304: {"description": "You have it already."},
    400: _wrong("A parameter is wrong, or names nothing that is here."),
    404: _wrong("There is no such collection, tile matrix set or tile."),
    413: _wrong("The map would read more than the site's limits."),
    422: _wrong("A file behind the map is broken or gone."),
    501: _wrong("The collection holds neither a cube nor images."),
}
_OK_JSON: dict[int | str, Json] = {
    200: {"description": "As asked.", "content": {"application/json": {"schema": {"type": "object"}}}}
}
_OK_MAP: dict[int | str, Json] = {
    200: {
        "description": "PNG, or values: little-endian uint16, 258 x 258, each row as differences; 0 is no data.",
        "content": {"image/png": _BYTES, "application/vnd.terrella.values": _BYTES},
    }
}


def _said(summary: str, parameters: list[Json], *, is_map: bool = False, **more: Json) -> Json:
    others: dict[int | str, Json] = {int(key[1:]): value for key, value in more.items()}
    responses = (_OK_MAP if is_map else _OK_JSON) | _WRONG | others
    return {"summary": summary, "responses": responses, "openapi_extra": {"parameters": parameters}}


JSON = _said("About the maps of this site", [_query("f", "`json`.", "json", enum=["json", "application/json"])])
MATRIX_SET = _said("A tile matrix set", [_SET])
COLLECTION = _said("A collection's maps, as OGC API has them", [_COLLECTION])
OGC_TILESET = _said("A tileset, as OGC API - Tiles has it", [_COLLECTION, _SET, *_SHOWN, *_COLOURS])
TILESET = _said("All that is needed to draw a collection: variables, axes, scales, ranges", [_COLLECTION, _SHOWN[0]])
TILEJSON = _said("TileJSON 3.0 of coloured tiles in Web Mercator", [_COLLECTION, *_SHOWN, *_COLOURS])
TILE = _said("A map tile", [_COLLECTION, *_PLACE, *_SHOWN, *_COLOURS, _F], is_map=True)
KEPT_TILE = _said(
    "A map tile of one version of the data, which never changes",
    [_COLLECTION, _VERSION, *_PLACE, *_SHOWN, *_COLOURS, _F],
    is_map=True,
    _409=_wrong("The data are of another version by now."),
)
MAP = _said("A map of any box and size", [_COLLECTION, *_SHOWN, *_COLOURS, *_MAP], is_map=True)
THUMBNAIL = _said(
    "A small picture of all of a collection, at its last time",
    [
        _COLLECTION,
        *_SHOWN,
        *_COLOURS,
        _query("width", "Pixels, at most 1024; 360 where it is left out.", "360"),
        _query("height", "Pixels, at most 1024; half the width where it is left out.", "180"),
        _query("mark", "As the address on a card has it: such an answer may be kept for ever.", "0123456789abcdef"),
        _query("f", "`png`.", "png", enum=["png", "image/png"]),
    ],
    _200={"description": "PNG, transparent where nothing is.", "content": {"image/png": _BYTES}},
)
BLOCK = _said(
    "A block of one variable: longitude, latitude, and the steps of one more axis",
    [
        _COLLECTION,
        _SHOWN[0],
        _query(
            "datetime", "The times of a block along time (an interval; all where it is left out), else one.", "../.."
        ),
        _SHOWN[2],
        *_BLOCK,
    ],
    _200={
        "description": "Length of a JSON description (little-endian uint32), the description, then its numbers: "
        "little-endian uint16, each row as differences; 0 is no data.",
        "content": {"application/vnd.terrella.block": _BYTES, "application/json": {"schema": {"type": "object"}}},
    },
)
