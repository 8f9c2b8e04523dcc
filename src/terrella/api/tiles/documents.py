"""What is said about tiles: tilesets, tile matrix sets, TileJSON, links."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import numpy as np
import orjson

from terrella.encodings.calendars import iso
from terrella.encodings.palettes import names
from terrella.encodings.valuetiles import FORMAT
from terrella.errors import NotFound
from terrella.grids.matrices import CRS84, MATRIX_SETS, SIDE
from terrella.model.ids import collection_id as checked_id
from terrella.model.space import Extent

if TYPE_CHECKING:
    from fastapi import Request

    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.extraction.scaling import Legend
    from terrella.grids.matrices import MatrixSet
    from terrella.model.caller import Caller
    from terrella.model.scan import Axis
    from terrella.model.stac import Document
    from terrella.site.site import Site

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_CONFORMS = "http://www.opengis.net/spec/"
CONFORMANCE = [
    *(f"{_CONFORMS}ogcapi-common-1/1.0/conf/{one}" for one in ("core", "landing-page", "json", "oas30")),
    f"{_CONFORMS}ogcapi-common-2/1.0/conf/collections",
    *(
        f"{_CONFORMS}ogcapi-tiles-1/1.0/conf/{one}"
        for one in ("core", "tileset", "tilesets-list", "geodata-tilesets", "geodata-selection", "png")
    ),
    f"{_CONFORMS}tms/2.0/conf/tilematrixset",
    f"{_CONFORMS}tms/2.0/conf/json-tilematrixset",
    *(
        f"{_CONFORMS}ogcapi-maps-1/1.0/conf/{one}"
        for one in ("core", "collection-map", "spatial-subsetting", "datetime", "scaling", "tilesets", "png")
    ),
]
MOST_LISTED = 2000
"""Values of an axis that are listed one by one even where they are evenly spaced."""
_WORLD = Extent(-180.0, -90.0, 180.0, 90.0)


def token(version: str, overviews: str = "") -> str:
    """What stands for a version of the data, and of its overviews, in addresses: its tiles' bytes are never others."""
    return f"{FORMAT}.{version}{'.' + overviews if overviews else ''}"


def root_of(request: Request) -> str:
    """Address of the dialect as the client sees it."""
    return str(request.base_url).rstrip("/") + "/tiles"


def document_of(site: Site, caller: Caller, collection: str) -> Document:
    """A collection's document, for those that can be drawn. Raises NotFound."""
    document: Document = orjson.loads(site.catalog.collection(caller, checked_id(collection)))
    if not can_be_drawn(site, caller, document):
        raise NotFound(
            f"{collection!r} holds files that form no cube, and no images: there are no maps of it. Find them as "
            f"items, under /stac/collections/{collection}/items.",
            parameter="collectionId",
        )
    return document


def can_be_drawn(site: Site, caller: Caller, document: Document) -> bool:
    """Whether it has a cube, or images."""
    return bool(document.get("cube:variables")) or bool(site.extractor.variables(caller, document["id"]))


def extent_of(document: Document) -> Extent:
    """The box of a collection; the Earth where it says none."""
    boxes = document.get("extent", {}).get("spatial", {}).get("bbox") or []
    if not boxes or len(boxes[0]) not in {4, 6}:
        return _WORLD
    west, south, east, north = boxes[0] if len(boxes[0]) == 4 else [boxes[0][place] for place in (0, 1, 3, 4)]
    return Extent.of(west, south, east, north)


# --- our own tileset -------------------------------------------------------------------------------------------------


def tileset(document: Document, root: str, variables: list[Document], **more: Any) -> Document:
    """All that a client needs to ask for tiles and to draw them."""
    extent = extent_of(document)
    return {
        "id": document["id"],
        "title": document.get("title") or document["id"],
        "attribution": document.get("attribution", ""),
        "license": document.get("license", ""),
        "bounds": extent.bbox(),
        "tileSize": SIDE,
        "border": 1,
        "matrixSets": list(MATRIX_SETS),
        "palettes": list(names()),
        "variables": variables,
        "links": [
            {"rel": "self", "type": "application/json", "href": f"{root}/{_quoted(document['id'])}"},
            {
                "rel": "collection",
                "type": "application/json",
                "href": f"{root}/collections/{_quoted(document['id'])}",
            },
        ],
    } | more


def overviews_entry(found: tuple[str, dict[str, int]] | None) -> Document:
    """How the overviews of a variable were made, and the greatest zoom of each matrix set at which one is shown."""
    return {} if found is None else {"overviews": {"method": found[0], "zooms": found[1]}}


def variable_entry(variable: CubeVariable, legend: Legend | None, dims: list[str]) -> Document:
    """One variable of a tileset."""
    attrs = variable.attrs
    said: Document = {
        "name": variable.name,
        "title": str(attrs.get("long_name") or attrs.get("standard_name") or variable.name),
    }
    said |= {"units": str(attrs.get("units", "")), "axes": dims}
    if legend is None:
        return said
    coded = {"dtype": "uint16", "nodata": 0, "scale": legend.scaling.scale, "offset": legend.scaling.offset}
    span = None if legend.low is None or legend.high is None else [legend.low, legend.high]
    more = {"exact": legend.is_exact, "range": span, "palette": legend.palette}
    return said | coded | more | classes(variable)


def band_entry(name: str, said: Document, legend: Legend | None) -> Document:
    """One band of images."""
    made: Document = {"name": name, "title": said.get("description") or name, "units": said.get("unit", "")}
    made["axes"] = ["time"]
    if legend is None:
        return made
    span = None if legend.low is None or legend.high is None else [legend.low, legend.high]
    coded = {"dtype": "uint16", "nodata": 0, "scale": legend.scaling.scale, "offset": legend.scaling.offset}
    return made | coded | {"exact": legend.is_exact, "range": span, "palette": legend.palette}


def classes(variable: CubeVariable) -> Document:
    """Of classes, their numbers and names (CF 3.5)."""
    if "flag_values" not in variable.attrs or "flag_meanings" not in variable.attrs:
        return {}
    values = np.atleast_1d(np.asarray(variable.attrs["flag_values"])).tolist()
    meanings = str(variable.attrs["flag_meanings"]).split()
    return {"classes": [{"value": one, "name": name} for one, name in zip(values, meanings, strict=False)]}


def axis_entry(axis: Axis) -> Document:
    """One axis: its values as requests name them. `step` (ms of time, else units) where they are evenly spaced."""
    values = axis.values
    made: Document = {"name": axis.name, "kind": axis.kind, "count": int(values.size), "units": axis.units}
    even = _step(axis)
    if even is not None:
        made["step"] = even
    if values.size <= MOST_LISTED or even is None:
        made["values"] = words(axis, values)
    made["first"], made["last"] = words(axis, values[[0, -1]])
    return made


def _step(axis: Axis) -> float | int | None:
    values = axis.values
    if values.dtype.kind not in "iuf" or values.size < 2 or axis.calendar not in _PLAIN:
        return None
    steps = np.diff(values)
    same = (steps == steps[0]).all() if values.dtype.kind in "iu" else np.allclose(steps, steps[0], rtol=1e-9, atol=0)
    if not same:
        return None
    step: float | int = steps[0].item()
    return step / 3_600_000 if axis.kind == "step" else step


_PLAIN = ("", "standard", "gregorian", "proleptic_gregorian")


def words(axis: Axis, values: np.ndarray) -> list[Any]:
    """Values of an axis as requests name them."""
    if axis.kind in ("time", "reference_time"):
        return list(iso(values, axis.calendar))
    if axis.kind == "step":
        return [value / 3_600_000 for value in values.tolist()]
    return [str(value) if isinstance(value, str) or not math.isfinite(value) else value for value in values.tolist()]


def own_templates(root: str, collection: str, version: str) -> Document:
    """Addresses to fill in; of a version (not '') for ever."""
    kept = f"/v/{version}" if version else ""
    base = f"{root}/{_quoted(collection)}{kept}"
    path = "{tileMatrix}/{tileRow}/{tileCol}"
    return {
        "values": f"{base}/{CRS84.id}/{path}?f=values&variable={{variable}}",
        "png": f"{base}/{{tileMatrixSet}}/{path}?f=png&variable={{variable}}",
    }


def zooms(matrices: MatrixSet, cube: Cube | None) -> tuple[int, int]:
    """The least and the greatest zoom that show something new."""
    if cube is None:
        return 0, matrices.zooms - 1
    return 0, matrices.zoom_for(cube.grid.resolution())


# --- TileJSON and OGC ------------------------------------------------------------------------------------------------


def tilejson(document: Document, template: str, most: int, variable: str) -> Document:
    """TileJSON 3.0.0 of WebMercatorQuad, coloured."""
    extent = extent_of(document)
    made: Document = {
        "tilejson": "3.0.0",
        "name": f"{document.get('title') or document['id']}: {variable}",
        "attribution": document.get("attribution", ""),
        "scheme": "xyz",
        "tiles": [template],
        "minzoom": 0,
        "maxzoom": most,
        "bounds": extent.bbox() if extent.west <= extent.east else [-180.0, extent.south, 180.0, extent.north],
    }
    return made


def ogc_collection(document: Document, root: str) -> Document:
    """A collection as OGC API - Common has it, with its maps and tilesets."""
    here, extent = f"{root}/collections/{_quoted(document['id'])}", extent_of(document)
    interval = document.get("extent", {}).get("temporal", {}).get("interval") or [[None, None]]
    return {
        "id": document["id"],
        "title": document.get("title") or document["id"],
        "description": document.get("description", ""),
        "attribution": document.get("attribution", ""),
        "dataType": "map",
        "crs": [CRS84.crs_uri],
        "extent": {"spatial": {"bbox": [extent.bbox()]}, "temporal": {"interval": interval}},
        "links": [
            link("self", here, "application/json"),
            link(f"{REL}map", f"{here}/map?f=png", "image/png"),
            link(f"{REL}tilesets-map", f"{here}/map/tiles", "application/json"),
            link("describedby", f"{root}/{_quoted(document['id'])}", "application/json"),
        ],
    }


def ogc_tileset(document: Document, root: str, matrices: MatrixSet, query: str, most: int | None = None) -> Document:
    """Tileset metadata (OGC API - Tiles 1.0, 17-083r4); with `most`, whole."""
    here = f"{root}/collections/{_quoted(document['id'])}/map/tiles/{matrices.id}"
    extent = extent_of(document)
    kept = f"?{query}" if query else ""
    made: Document = {
        "title": f"{document.get('title') or document['id']}: {matrices.title}",
        "dataType": "map",
        "crs": matrices.crs_uri,
        "tileMatrixSetURI": matrices.uri,
        "links": [
            link("self", f"{here}{kept}", "application/json"),
            link(f"{REL}tiling-scheme", f"{root}/tileMatrixSets/{matrices.id}", "application/json"),
        ],
    }
    if most is None:
        return made
    png = urlencode({"f": "png"}) + (f"&{query}" if query else "")
    item = link("item", f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}?{png}", "image/png")
    made["links"].append(item | {"templated": True})
    made["boundingBox"] = {
        "lowerLeft": [extent.west, extent.south],
        "upperRight": [extent.east, extent.north],
        "crs": CRS84.crs_uri,
    }
    made["tileMatrixSetLimits"] = [_limits(matrices, zoom) for zoom in range(most + 1)]
    made["centerPoint"] = {"coordinates": _centre(extent), "crs": CRS84.crs_uri, "tileMatrix": "0"}
    return made


def _limits(matrices: MatrixSet, zoom: int) -> Document:
    rows, columns = matrices.counts(zoom)
    return {
        "tileMatrix": str(zoom),
        "minTileRow": 0,
        "maxTileRow": rows - 1,
        "minTileCol": 0,
        "maxTileCol": columns - 1,
    }


def _centre(extent: Extent) -> list[float]:
    return [(extent.west + extent.width / 2 + 180) % 360 - 180, (extent.south + extent.north) / 2]


def link(rel: str, href: str, kind: str) -> Document:
    return {"rel": rel, "href": href, "type": kind}


def _quoted(text: str) -> str:
    return quote(str(text), safe="")
