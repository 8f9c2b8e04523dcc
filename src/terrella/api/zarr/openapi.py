"""How the routes describe themselves in OpenAPI."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_COLLECTION: Json = {
    "name": "collection_id",
    "in": "path",
    "required": True,
    "description": "Id of a collection with a cube.",
    "schema": {"type": "string", "minLength": 1},
    "example": "t2m",
}
_KEY: Json = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "Key in the Zarr hierarchy: zarr.json, t2m/zarr.json, or a chunk as t2m/c/0/0/0; with @version/ "
    "before it only while the data are still those of that version. Of images, ~WORDS~/ before it states what to show: "
    "~crs=EPSG:3035;resolution=20;variables=red,ndvi=(nir-red)/(nir+red);bbox=11,46,12,47;datetime=2023-06~/zarr.json.",
    "schema": {"type": "string", "minLength": 1},
    "example": "zarr.json",
}
_RANGE: Json = {
    "name": "Range",
    "in": "header",
    "required": False,
    "description": "One range of bytes, e.g. bytes=0-99; anything else is answered whole.",
    "schema": {"type": "string"},
    "example": "bytes=0-99",
}
_BYTES: Json = {"schema": {"type": "string", "format": "binary"}}
_BODIES: Json = {"application/json": {"schema": {"type": "object"}}, "application/octet-stream": _BYTES}
_PROBLEM: Json = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _wrong(description: str) -> Json:
    return {"description": description, "content": _PROBLEM}


_ANSWERS: dict[int | str, Json] = {
    200: {"description": "The whole of it.", "content": _BODIES},
    206: {"description": "The range asked for.", "content": _BODIES},
    304: {"description": "You have it already."},
    400: _wrong("The id of the collection is none, or the stated grid is wrong."),
    404: _wrong("There is no such collection, variable or chunk, or the chunk is all missing."),
    409: _wrong("The data are of another version than @version says."),
    413: _wrong("The chunk is over the site's limits."),
    416: _wrong("The range lies outside of it."),
    422: _wrong("A file behind the chunk is broken or gone."),
    501: _wrong("The items of the collection form no cube, or images of several grids of which none is stated."),
}
GROUP: Json = {
    "summary": "A collection's cube as a Zarr v3 group: its consolidated metadata",
    "description": 'Open it with `xr.open_zarr("https://.../zarr/{collection_id}")`.',
    "responses": _ANSWERS,
    "openapi_extra": {"parameters": [_COLLECTION, _RANGE]},
}
KEY: Json = {
    "summary": "One key of the Zarr v3 group: metadata or a chunk",
    "description": "Chunks are made when asked for, out of whatever files the collection has.",
    "responses": _ANSWERS,
    "openapi_extra": {"parameters": [_COLLECTION, _KEY, _RANGE]},
}
