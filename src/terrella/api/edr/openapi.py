"""How the routes describe themselves in OpenAPI: every parameter, its type, an example, every status."""

from __future__ import annotations

from typing import Any

from fastapi.openapi.utils import get_openapi

from terrella.api.edr.locations import GEOMETRIES
from terrella.api.edr.shapes import HEIGHT_UNITS, METRES
from terrella.extraction.cell_ids import SYSTEMS
from terrella.model.stated import GROUPINGS, METHODS

Json = dict[str, Any]
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"


def _query(name: str, description: str, schema: Json, *, example: Any, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
        "example": example,
    }


_TEXT: Json = {"type": "string", "minLength": 1}
_POSITIVE: Json = {"type": "number", "exclusiveMinimum": 0}


def _wkt(kinds: tuple[str, ...], example: str, said: str, *, required: bool = True) -> Json:
    words = "|".join("".join(f"[{letter}{letter.lower()}]" for letter in kind) for kind in kinds)
    form = rf"^\s*(({words})\s*([Zz]?[Mm]?)\s*\(.+\)|\{{.+\}})\s*$"
    schema = {"type": "string", "pattern": form, "maxLength": 1_000_000}
    return _query("coords", f"{said} WKT, or a GeoJSON geometry.", schema, example=example, required=required)


def _length(name: str, said: str, example: float, *, required: bool = True) -> Json:
    return _query(name, said, _POSITIVE, example=example, required=required)


def _unit(name: str, units: list[str], example: str, *, required: bool = True) -> Json:
    return _query(name, "Its unit.", {"type": "string", "enum": units}, example=example, required=required)


SHARED: list[Json] = [
    _query(
        "parameter-name",
        "Variables, as a comma list; also by GRIB id or short name or CF standard name. All where left out. Of images, "
        "names of bands, and expressions of these such as ndvi=(nir-red)/(nir+red), its + written as %2B.",
        _TEXT,
        example="2t",
    ),
    _query("parameter_names", "The same as parameter-name, as some clients write it.", _TEXT, example="2t"),
    _query(
        "datetime",
        "An instant, a date (the whole of it), or start/end with .. for open; UTC.",
        {"type": "string", "minLength": 4},
        example="2019-03-01T00:00:00Z/2019-03-02T00:00:00Z",
    ),
    _query(
        "z",
        "Levels in the units of the vertical axis: one, a comma list, low/high (open with ..), or Rn/low/step.",
        _TEXT,
        example="850",
    ),
    _query(
        "reduce",
        "What is made of the values before they are answered, one after the other: a comma list of HOW:OVER[:EVERY]. "
        "HOW is mean, sum, min, max, std, count, median, quantile(q) or exceedance(threshold[,below]); OVER is space, "
        "time, level, number or another axis; EVERY is hour, day, dekad, month, season, year or climatology-month "
        "(-hour, -day, -dekad, -season). Means over space are weighted by area (':equal': not); what is missing is "
        "left out (':strict': not).",
        _TEXT,
        example="mean:space",
    ),
    _query(
        "cells",
        "Which cells count. Of places: nearest (usual), bilinear, idw or idw(k). Of areas and boxes: centre (usual), "
        "touched, overlap (by the share of each cell inside).",
        _TEXT,
        example="nearest",
    ),
    _query(
        "crs",
        "System of the coordinates in the request: CRS84 (longitude, latitude; the default), EPSG:4326 (latitude, "
        "longitude) or EPSG:<code>, in the order of its axes. Answers are in CRS84.",
        _TEXT,
        example="CRS84",
    ),
    _query(
        "grid-crs",
        "Images only: reference system of the grid that they are answered on, e.g. EPSG:3035, or utm. "
        "Their own where left out.",
        _TEXT,
        example="EPSG:3035",
    ),
    _query(
        "resolution",
        "Images only: size of that grid's cells, or two for x and y, in units of its reference system.",
        {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*(,\s*{_NUMBER}\s*)?$"},
        example="20",
    ),
    _query(
        "anchor",
        "Images only: x,y of a corner of one of its cells.",
        {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*,\s*{_NUMBER}\s*$"},
        example="0,0",
    ),
    _query(
        "resampling",
        "Images only: how pixels become cells.",
        {"type": "string", "enum": list(METHODS)},
        example="nearest",
    ),
    _query(
        "group",
        "Images only: solar_day shows scenes of one overpass at one time, time leaves each instant its own.",
        {"type": "string", "enum": list(GROUPINGS)},
        example="solar_day",
    ),
    _query(
        "f",
        "Format of the answer; without it the Accept header decides.",
        {"type": "string", "enum": ["covjson", "geojson", "netcdf", "parquet", "csv", "geotiff"]},
        example="covjson",
    ),
]

_LINES = ("LINESTRING", "MULTILINESTRING")
_LINE = "Line of places; M are seconds since 1970-01-01T00:00:00Z, Z are levels."

OWN: dict[str, list[Json]] = {
    "position": [_wkt(("POINT", "MULTIPOINT"), "POINT(0.1 51.5)", "Place or places, longitude first.")],
    "radius": [
        _wkt(("POINT",), "POINT(0.1 51.5)", "Place, longitude first."),
        _length("within", "Distance.", 50),
        _unit("within-units", list(METRES), "km"),
    ],
    "area": [
        _wkt(
            ("POLYGON", "MULTIPOLYGON"),
            "POLYGON((-1 51,1 51,1 52,-1 52,-1 51))",
            "Polygon or multi-polygon with holes, also across the antimeridian (longitudes beyond 180). Needed unless "
            "region, cell or frame is given.",
            required=False,
        ),
        _query(
            "region",
            "Instead of coords: a country by its English name or ISO 3166-1 number, or COLLECTION:NAME of a collection "
            "of regions, as /locations lists them.",
            {"type": "string", "minLength": 1, "maxLength": 200},
            example="France",
        ),
        _query(
            "cell",
            "Instead of coords: a cell as SYSTEM:ID. Systems are " + ", ".join(SYSTEMS) + ".",
            {"type": "string", "pattern": f"^({'|'.join(SYSTEMS)}):.+$"},
            example="mgrs:33UUU",
        ),
        _query(
            "frame",
            "Instead of coords: west,south,east,north of the outer box, then of the inner one; the ring between.",
            {"type": "string", "pattern": rf"^{_NUMBER}(,{_NUMBER}){{7}}$"},
            example="-5,40,15,55,0,45,10,50",
        ),
    ],
    "cube": [
        _query(
            "bbox",
            "west,south,east,north or west,south,low,east,north,high; west > east crosses the antimeridian.",
            {"type": "string", "pattern": rf"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$"},
            example="-1,51,1,52",
            required=True,
        )
    ],
    "trajectory": [_wkt(_LINES, "LINESTRING(-1 51,0 51.5,1 52)", _LINE)],
    "corridor": [
        _wkt(_LINES, "LINESTRING(-1 51,0 51.5,1 52)", _LINE),
        _length("corridor-width", "Full width.", 50),
        _unit("width-units", list(METRES), "km"),
        _length("corridor-height", "Full height, for lines with Z.", 100, required=False),
        _unit("height-units", HEIGHT_UNITS, "m", required=False),
    ],
    "location": [],
}

_NOT_OF_STATISTICS = ("f", "coords")
STATISTICS: list[Json] = [
    _query(
        "coords",
        "Places or polygons, longitude first, also across the antimeridian. WKT, or a GeoJSON geometry. All cells "
        "where no shape is given.",
        {"type": "string", "maxLength": 1_000_000, "pattern": r"^\s*([A-Za-z]+\s*[Zz]?\s*\(.+\)|\{.+\})\s*$"},
        example="POLYGON((-1 51,1 51,1 52,-1 52,-1 51))",
    ),
    _query(
        "bbox",
        "Instead of coords: west,south,east,north; west > east crosses the antimeridian.",
        {"type": "string", "pattern": rf"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$"},
        example="-1,51,1,52",
    ),
    _length("within", "With coords of one place: all cells within this distance.", 50, required=False),
    _unit("within-units", list(METRES), "km", required=False),
    _query("bins", "Bins of the histograms.", {"type": "integer", "minimum": 1, "maximum": 1000}, example=32),
    _query(
        "range",
        "LOW,HIGH of the histograms; from the least value to the greatest where it is left out.",
        {"type": "string", "pattern": rf"^{_NUMBER},{_NUMBER}$"},
        example="250,310",
    ),
    *(one for one in (*OWN["area"], *SHARED) if one["name"] not in _NOT_OF_STATISTICS),
    _query("f", "Format of the answer.", {"type": "string", "enum": ["json"]}, example="json"),
]

LISTING: list[Json] = [
    _query("q", "Only regions with this text in their name or id.", _TEXT, example="Bay"),
    _query("source", "Only regions of this source: countries, or a collection of regions.", _TEXT, example="countries"),
    _query(
        "geometry",
        "How outlines of regions are written: simplified to a tenth of a degree, in full, or as boxes.",
        {"type": "string", "enum": list(GEOMETRIES)},
        example="simplified",
    ),
]

LIMIT = _query("limit", "Most entries on one page.", {"type": "integer", "minimum": 1, "maximum": 1000}, example=10)
TOKEN = _query("token", "Where the page starts, from a link with rel=next.", _TEXT, example=None)
del TOKEN["example"]
BBOX = _query(
    "bbox",
    "Only what meets this box: west,south,east,north in CRS84.",
    {"type": "string", "pattern": rf"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$"},
    example="-10,40,10,60",
)
DATETIME = _query(
    "datetime", "Only what meets this time: an instant or start/end.", {"type": "string"}, example="2019-03-01/.."
)
F_JSON = _query("f", "Format of the answer.", {"type": "string", "enum": ["json"]}, example="json")
F_CITE = _query(
    "f",
    "Which form; json has all.",
    {"type": "string", "enum": ["json", "text", "bibtex", "ris", "csl"]},
    example="bibtex",
)
F_GEOJSON = _query("f", "Format of the answer.", {"type": "string", "enum": ["json", "geojson"]}, example="geojson")

PROBLEM: Json = {
    "application/problem+json": {
        "schema": {
            "type": "object",
            "required": ["status", "code", "detail"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "code": {"type": "string"},
                "description": {"type": "string"},
                "parameter": {"type": "string", "description": "The parameter at fault."},
                "details": {"type": "object"},
            },
        }
    }
}

_MEANINGS = {
    400: "The request is wrong; the text says what is allowed.",
    404: "There is no such thing.",
    406: "Accept names no format that is written here.",
    413: "Too large: the text says by how much, and what would pass.",
    422: "A file behind the collection is broken.",
    501: "Not possible with this collection.",
}


def problems(*statuses: int) -> dict[int | str, Json]:
    """Documented error answers."""
    return {status: {"description": _MEANINGS[status], "content": PROBLEM} for status in statuses}


def data_responses() -> dict[int | str, Json]:
    """Answers of a data query."""
    headers = {
        "Terrella-Bytes-Read": {"description": "Stored bytes that were read.", "schema": {"type": "integer"}},
        "Terrella-Plan": {"description": "Cells, values and chunks of the plan.", "schema": {"type": "string"}},
        "Link": {
            "description": "The collection; what to cite (cite-as) and the licence (license), where it says so.",
            "schema": {"type": "string"},
        },
        "ETag": {"description": "Of the data's version, the request and the format.", "schema": {"type": "string"}},
    }
    content: Json = {
        "application/prs.coverage+json": {"schema": {"type": "object", "required": ["type"]}},
        "application/geo+json": {"schema": {"type": "object", "required": ["type", "features"]}},
        "application/netcdf": {},
        "application/vnd.apache.parquet": {},
        "text/csv": {"schema": {"type": "string"}},
        "image/tiff": {},
    }
    ok = {"description": "The values.", "content": content, "headers": headers}
    return {200: ok, 304: {"description": "Nothing changed."}, **problems(400, 404, 406, 413, 422, 501)}


def statistics_responses() -> dict[int | str, Json]:
    """Answers of statistics."""
    numbers: Json = {"type": ["number", "null"]}
    names = ("mean", "std", "min", "max", "p5", "p25", "median", "p75", "p95")
    entry: Json = {
        "type": "object",
        "required": ["count", "missing", *names, "histogram"],
        "properties": {"count": {"type": "integer"}, "missing": {"type": "integer"}, **dict.fromkeys(names, numbers)},
    }
    variable = {"type": "object", "properties": {"statistics": {"type": "array", "items": entry}}}
    body: Json = {
        "type": "object",
        "required": ["collection", "cells", "cell_count", "weights", "variables", "receipt"],
        "properties": {"variables": {"type": "array", "items": variable}},
    }
    ok = {
        "description": "Of each variable, at each step of its axes.",
        "content": {"application/json": {"schema": body}},
    }
    return {200: ok, 304: {"description": "Nothing changed."}, **problems(400, 404, 413, 422, 501)}


def body_of(parameters: list[Json]) -> Json:
    """The same parameters as a form or a JSON object."""
    properties = {one["name"]: one["schema"] | {"description": one["description"]} for one in parameters}
    needed = [one["name"] for one in parameters if one["required"]]
    schema: Json = {"type": "object", "properties": properties}
    if needed:
        schema["required"] = needed
    example = {one["name"]: one["example"] for one in parameters if one["required"]}
    content = {"schema": schema, "example": example}
    return {"required": True, "content": {"application/x-www-form-urlencoded": content, "application/json": content}}


def description(routes: list[Any], *, title: str, version: str, root: str) -> Json:
    """OpenAPI 3.0 of this dialect alone: some clients, OWSLib among them, read no later version."""
    found = get_openapi(title=title, version=version, openapi_version="3.0.3", routes=routes, servers=[{"url": root}])
    made: Json = _in_version_3_0(found)
    return made


def _in_version_3_0(value: Any) -> Any:
    """Exclusive bounds were flags beside the bound before 3.1."""
    if isinstance(value, list):
        return [_in_version_3_0(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _in_version_3_0(one) for key, one in value.items()}
    if isinstance(bound := made.get("exclusiveMinimum"), int | float) and not isinstance(bound, bool):
        made |= {"minimum": bound, "exclusiveMinimum": True}
    return made
