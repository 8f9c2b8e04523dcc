"""The landing page, what it conforms to, and the list of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.api.hda.addresses import GEOJSON, QUERYABLES, SCHEMA, link
from terrella.model.ids import slug

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.api.hda.addresses import Addresses
    from terrella.model.stac import Document
    from terrella.settings import Settings

STAC_VERSION = "1.0.0"
"""What clients of this dialect look for on the landing page."""
_STAC, _CQL2 = "https://api.stacspec.org/v1.0.0", "http://www.opengis.net/spec/cql2/1.0/conf"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
CONFORMANCE = [
    f"{_STAC}/core",
    f"{_STAC}/collections",
    f"{_STAC}/ogcapi-features",
    f"{_STAC}/item-search",
    f"{_STAC}/item-search#query",
    f"{_STAC}/item-search#sort",
    f"{_STAC}/item-search#filter",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text",
    f"{_FEATURES}/core",
    f"{_FEATURES}/geojson",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    f"{_CQL2}/cql2-text",
    f"{_CQL2}/cql2-json",
    f"{_CQL2}/basic-cql2",
]


def landing(at: Addresses, settings: Settings, children: Iterable[Document]) -> Document:
    """GET /stac/v2."""
    links = [
        link("self", at.root, title="This document"),
        link("root", at.root),
        link("conformance", at.to("conformance")),
        link("data", at.to("collections"), title="Collections"),
        link("search", at.to("search"), GEOJSON, method="GET", title="Search items"),
        link("search", at.to("search"), GEOJSON, method="POST", title="Search items, or what may be ordered"),
        link(QUERYABLES, at.to("queryables"), SCHEMA, title="Properties to filter by"),
        link("service-desc", f"{at.site}/api", "application/vnd.oai.openapi+json;version=3.1"),
        link("service-doc", f"{at.site}/api.html", "text/html"),
    ]
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": slug(settings.title),
        "title": settings.title,
        "description": settings.description,
        "conformsTo": CONFORMANCE,
        "links": [*links, *(link("child", at.to("collections", one["id"]), title=_title(one)) for one in children)],
    }


def _title(collection: Document) -> str:
    return str(collection.get("title") or collection["id"])


_SERVICES = (
    ("stac", "STAC API", "Items and collections: search, filter, aggregate.", "/stac", "catalogue search filter"),
    ("hda", "Harmonised Data Access", "Search, order and download, as eodag does.", "/stac/v2", "eodag order"),
    ("edr", "OGC API EDR", "Values at points, along lines, in areas.", "/ogc", "extraction position area cube"),
    ("polytope", "Polytope", "Features cut out of fields named in MARS words.", "/api/v1", "extraction mars earthkit"),
    ("zarr", "Zarr", "Any cube as a lazy Zarr store.", "/zarr", "xarray cube"),
)


def services(at: Addresses, text: str | None) -> Document:
    """GET /services: those of this site in which all the words occur."""
    words = (text or "").casefold().replace('"', " ").split()
    found = [
        {"id": name, "title": title, "description": about, "keywords": keywords.split(), "url": f"{at.site}{path}"}
        for name, title, about, path, keywords in _SERVICES
        if all(word in f"{name} {title} {about} {keywords}".casefold() for word in words)
    ]
    return {"services": found, "numberMatched": len(found), "links": [link("self", at.itself), link("root", at.root)]}
