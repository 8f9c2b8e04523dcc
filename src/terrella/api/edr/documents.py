"""STAC collections with a cube as EDR describes collections: extents, parameters, queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from terrella.api.edr.crs import CRS84, EPSG4326, WKT
from terrella.api.edr.shapes import HEIGHT_UNITS, METRES
from terrella.encodings.parameters import parameter
from terrella.model.space import Extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from terrella.contracts.encodings import Encoding
    from terrella.model.stac import Document

CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/core",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/json",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/edr-geojson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/covjson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.2/conf/core",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.2/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.2/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.2/conf/covjson",
]

GREGORIAN = 'TIMECRS["DateTime",TDATUM["Gregorian Calendar"],CS[TemporalDateTime,1],AXIS["Time (T)",future]]'

QUERIES: dict[str, str] = {
    "position": "Values at places: the nearest cell of each",
    "radius": "Values of the cells within a distance of a place",
    "area": "Values of the cells whose centre lies in a polygon",
    "cube": "Values of the cells whose centre lies in a box",
    "trajectory": "Values along a line, at the times and heights of its vertices",
    "corridor": "Values of the cells beside a line",
}
_TEMPLATES = {"cube": "bbox={bbox}", "items": "", "locations": ""}
_DURATION = re.compile(r"interval:\s*(?P<n>\d+)\s*(?P<unit>hour|minute|day|month|year|second)s?")
_LETTERS = {"hour": "PT{}H", "minute": "PT{}M", "second": "PT{}S", "day": "P{}D", "month": "P{}M", "year": "P{}Y"}
MOST_LISTED = 1000


def has_cube(document: Document) -> bool:
    """Whether values can be cut out of a collection."""
    return bool(document.get("cube:dimensions")) and bool(document.get("cube:variables"))


def axes_of(document: Document) -> dict[str, Document]:
    """Axes beside place, time and level, by name: members, steps, bands ..."""
    return {
        name: dimension
        for name, dimension in document.get("cube:dimensions", {}).items()
        if dimension.get("type") not in {"spatial", "cell"} and name != "time"
    }


def extent_of(document: Document) -> Extent | None:
    """The box that a collection covers; None where it does not say."""
    boxes = document.get("extent", {}).get("spatial", {}).get("bbox") or []
    if not boxes or len(boxes[0]) not in {4, 6}:
        return None
    west, south, east, north = boxes[0] if len(boxes[0]) == 4 else [boxes[0][place] for place in (0, 1, 3, 4)]
    return Extent.of(west, south, east, north)


def vertical_of(document: Document) -> tuple[str, Document] | None:
    """The first vertical axis; None where there is none."""
    for name, dimension in document.get("cube:dimensions", {}).items():
        if dimension.get("axis") == "z":
            return name, dimension
    return None


def edr_collection(document: Document, root: str, formats: Mapping[str, Encoding]) -> Document:
    """One EDR collection; `root` is the address of the EDR API without a slash at its end."""
    here = f"{root}/collections/{document['id']}"
    names = [encoding.title for encoding in formats.values()]
    made: Document = {
        "id": document["id"],
        "title": document.get("title") or document["id"],
        "description": document.get("description", ""),
        "keywords": document.get("keywords", []),
        "license": document.get("license", ""),
        "links": _links(document, here, root),
        "extent": _extent(document),
        "data_queries": _data_queries(here, names),
        "crs": [CRS84],
        "output_formats": names,
        "parameter_names": edr_parameters(document.get("cube:variables", {})),
    }
    for key in ("providers", "sci:citation", "sci:doi"):
        if document.get(key):
            made[key] = document[key]
    return made


def edr_parameters(variables: Mapping[str, Document]) -> Document:
    """`cube:variables` as EDR parameters; labels are plain text there, not one for each language."""
    return {name: _parameter(name, variable) for name, variable in variables.items()}


def _parameter(name: str, variable: Document) -> Document:
    attrs = variable | {"units": variable.get("unit", ""), "long_name": variable.get("description", "")}
    made: Document = {"id": name} | parameter(name, attrs)
    made.pop("categoryEncoding", None)
    made = _flat(made)
    made["label"] = made["observedProperty"]["label"]
    if methods := variable.get("cell_methods"):
        made["measurementType"] = _measurement(str(methods))
    return made


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return value["en"] if value.keys() == {"en"} else {key: _flat(one) for key, one in value.items()}
    return [_flat(one) for one in value] if isinstance(value, list) else value


def _measurement(methods: str) -> Document:
    """CF cell_methods, 'time: mean (interval: 1 hour)', as method and duration."""
    found = re.search(r"time:\s*(\w+)", methods)
    made = {"method": found[1] if found else methods}
    if period := _DURATION.search(methods):
        made["duration"] = _LETTERS[period["unit"]].format(period["n"])
    return made


def _links(document: Document, here: str, root: str) -> list[Document]:
    made = [
        {"rel": "self", "href": here, "type": "application/json", "title": "This collection"},
        {"rel": "data", "href": f"{here}/position", "type": "application/prs.coverage+json", "title": "Values"},
        {"rel": "items", "href": f"{here}/items", "type": "application/geo+json", "title": "The files behind it"},
        {"rel": "collection", "href": here, "type": "application/json", "title": "This collection"},
        {"rel": "root", "href": f"{root}/", "type": "application/json", "title": "OGC API EDR"},
    ]
    kept = [link for link in document.get("links", []) if link.get("rel") in {"license", "cite-as", "via", "about"}]
    return made + kept


def _extent(document: Document) -> Document:
    given = document.get("extent", {})
    made: Document = {"spatial": {"bbox": given.get("spatial", {}).get("bbox", []), "crs": WKT}}
    dimensions = document.get("cube:dimensions", {})
    temporal = _temporal(given, dimensions)
    if temporal:
        made["temporal"] = temporal
    if vertical := vertical_of(document):
        made["vertical"] = _vertical(*vertical)
    custom = [_custom(name, dimension) for name, dimension in axes_of(document).items()]
    if custom:
        made["custom"] = custom
    return made


def _temporal(given: Document, dimensions: Mapping[str, Document]) -> Document | None:
    time = dimensions.get("time", {})
    interval = given.get("temporal", {}).get("interval") or []
    if time.get("extent"):
        interval = [time["extent"]]
    if not interval or interval[0] == [None, None]:
        return None
    calendar = time.get("terrella:calendar")
    made: Document = {"interval": interval, "trs": f"{calendar} calendar (CF)" if calendar else GREGORIAN}
    if values := time.get("values"):
        made["values"] = values[:MOST_LISTED]
    elif time.get("step") and time.get("extent"):
        low, high = time["extent"]
        made["values"] = [f"R/{low}/{time['step']}", high]
    return made


def _vertical(name: str, dimension: Document) -> Document:
    values = dimension.get("values") or []
    low, high = dimension.get("extent") or [min(values), max(values)]
    unit = dimension.get("unit", "")
    return {
        "interval": [[_text(low), _text(high)]],
        "values": [_text(value) for value in values[:MOST_LISTED]] or [f"{_text(low)}/{_text(high)}"],
        "vrs": f'VERTCRS["{name}",VDATUM["{name}"],CS[vertical,1],AXIS["{name}",unspecified]]'
        + (f" in {unit}" if unit else ""),
    }


def _custom(name: str, dimension: Document) -> Document:
    values = [_text(value) for value in dimension.get("values", [])]
    extent = dimension.get("extent") or ([values[0], values[-1]] if values else [None, None])
    return {
        "id": name,
        "interval": [[_text(end) if end is not None else None for end in extent]],
        "values": values[:MOST_LISTED],
        "reference": dimension.get("description") or name,
        **({"unit": dimension["unit"]} if dimension.get("unit") else {}),
    }


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _data_queries(here: str, formats: list[str]) -> Document:
    made = {name: {"link": _query_link(here, name, title, formats)} for name, title in QUERIES.items()}
    made["locations"] = {"link": _plain_link(here, "locations", "Places and regions by name")}
    made["items"] = {"link": _plain_link(here, "items", "The files behind this collection")}
    return made


def _query_link(here: str, name: str, title: str, formats: list[str]) -> Document:
    variables: Document = {
        "title": title,
        "query_type": name,
        "output_formats": formats,
        "default_output_format": formats[0],
        "crs_details": [{"crs": CRS84, "wkt": WKT}, {"crs": EPSG4326, "wkt": "EPSG:4326, latitude first"}],
    }
    if name == "radius":
        variables["within_units"] = list(METRES)
    if name == "corridor":
        variables |= {"width_units": list(METRES), "height_units": HEIGHT_UNITS}
    return {"href": f"{here}/{name}", "rel": "data", "title": title, "variables": variables}


def _plain_link(here: str, name: str, title: str) -> Document:
    variables = {
        "title": title,
        "query_type": name,
        "output_formats": ["GeoJSON"],
        "default_output_format": "GeoJSON",
    }
    return {"href": f"{here}/{name}", "rel": "data", "title": title, "variables": variables}


def collections_page(found: Iterable[Document], links: list[Document]) -> Document:
    """The body of /collections."""
    listed = list(found)
    return {"links": links, "collections": listed, "numberReturned": len(listed)}
