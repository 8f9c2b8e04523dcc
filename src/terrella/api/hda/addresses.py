"""Absolute addresses of this dialect, below the one that a request came in by, and its links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from terrella.api.assets import Assets

if TYPE_CHECKING:
    from starlette.requests import Request

    from terrella.model.stac import Document

PREFIX = "/stac/v2"
BACKEND = "lake"
"""What this site is called where others would name the provider that holds the data."""
JSON, GEOJSON, SCHEMA = "application/json", "application/geo+json", "application/schema+json"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_OURS = frozenset({"self", "root", "parent", "collection", "items", "item", "queryables", QUERYABLES, "retrieve"})


def link(rel: str, href: str, kind: str = JSON, **more: Any) -> Document:
    """One link object."""
    return {"rel": rel, "href": href, "type": kind, **more}


class Addresses:
    """Of one request."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site = str(request.base_url).rstrip("/")
        self.root = self.site + PREFIX
        self.asked = f"{self.site}{request.url.path.removeprefix(request.scope.get('root_path', ''))}"
        self.query = request.url.query
        self.assets = Assets(request)

    @property
    def itself(self) -> str:
        """The very address that was asked."""
        return f"{self.asked}?{self.query}" if self.query else self.asked

    def to(self, *steps: str) -> str:
        """The address of a path below this API, each step escaped."""
        return "/".join((self.root, *(quote(step, safe="") for step in steps)))

    def data(self, collection: str, item: str, asset: str) -> str:
        """Where an asset is downloaded."""
        return "/".join((self.site, "data", BACKEND, *(quote(step, safe="") for step in (collection, item, asset))))

    def with_parameters(self, parameters: list[tuple[str, str]]) -> str:
        """The path that was asked with other parameters."""
        return f"{self.asked}?{urlencode(parameters)}"

    def of_item(self, collection: str, item: str) -> list[Document]:
        """Links of an item."""
        here = self.to("collections", collection)
        return [
            link("self", f"{here}/items/{quote(item, safe='')}", GEOJSON),
            link("parent", here),
            link("collection", here),
            link("root", self.root),
        ]


def kept(document: Document) -> list[Document]:
    """Links that a stored document brings along, without those that the API makes."""
    links = document.get("links")
    if not isinstance(links, list):
        return []
    return [one for one in links if isinstance(one, dict) and one.get("rel") not in _OURS]
