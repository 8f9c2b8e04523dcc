"""Links of STAC documents: stored ones have none to the API; answers add them, from the address they were asked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson

from terrella.api.assets import Assets
from terrella.model.stac import Document

if TYPE_CHECKING:
    from starlette.requests import Request

PREFIX = "/stac"
JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"

_OURS = frozenset({"self", "root", "parent", "collection", "items", "item", "queryables", QUERYABLES, "aggregate"})


def link(rel: str, href: str, kind: str = JSON, **more: Any) -> Document:
    """One link object."""
    return {"rel": rel, "href": href, "type": kind, **more}


class Addresses:
    """Absolute addresses below the one that a request came in by."""

    def __init__(self, request: Request) -> None:
        self.site = str(request.base_url).rstrip("/")
        self.root = self.site + PREFIX
        self.asked = f"{self.site}{request.url.path.removeprefix(request.scope.get('root_path', ''))}"
        self.query = request.url.query
        self.assets = Assets(request)
        self._collections: dict[str, str] = {}  # a page has many items of few collections
        self._item_links: dict[bytes, tuple[bytes, bytes]] = {}

    def to(self, *steps: str) -> str:
        """The address of a path below the STAC API, each step escaped."""
        return "/".join((self.root, *(quote(step, safe="") for step in steps)))

    @property
    def itself(self) -> str:
        """The very address that was asked."""
        return f"{self.asked}?{self.query}" if self.query else self.asked

    def with_parameters(self, parameters: list[tuple[str, str]]) -> str:
        """The path that was asked with other parameters."""
        return f"{self.asked}?{urlencode(parameters)}" if parameters else self.asked

    def item(self, item: Document) -> Document:
        """An item with its links; changes it."""
        name = str(item.get("collection", ""))
        collection = self._collections.get(name) or self._collections.setdefault(name, self.to("collections", name))
        item["links"] = [*self._of_item(collection, quote(str(item["id"]), safe="")), *kept(item)]
        return self.assets.of_item(item)

    def item_links(self, collection: bytes) -> tuple[bytes, bytes]:
        """Links of any item of a collection as JSON without the brackets: what comes before the item's id, and after.

        The id is to be put in between as it stands in addresses.
        """
        made = self._item_links.get(collection)
        if made is None:
            own, *others = self._of_item(self.to("collections", collection.decode()), "")
            before = len(orjson.dumps({"rel": own["rel"], "href": own["href"]})) - len('"}')
            whole = orjson.dumps([own, *others])[1:-1]
            made = self._item_links[collection] = whole[:before], whole[before:]
        return made

    def _of_item(self, collection: str, name: str) -> list[Document]:
        """Those that the API makes; `collection` is an address, `name` the item's id as it stands in one."""
        return [
            link("self", f"{collection}/items/{name}", GEOJSON),
            link("parent", collection),
            link("collection", collection),
            link("root", self.root),
        ]

    def collection(self, collection: Document) -> Document:
        """A collection with its links; changes it."""
        here = self.to("collections", collection["id"])
        collection["links"] = [
            link("self", here),
            link("parent", self.root),
            link("root", self.root),
            link("items", f"{here}/items", GEOJSON, title="Items"),
            link("child", f"{here}/browse", title="All items, page by page"),
            link(QUERYABLES, f"{here}/queryables", SCHEMA, title="Properties to filter by"),
            link("aggregations", f"{here}/aggregations", title="Aggregations that there are"),
            link("aggregate", f"{here}/aggregate", title="Counts and ranges over items"),
            *kept(collection),
        ]
        return self.assets.of_collection(collection)


def kept(document: Document) -> list[Document]:
    """Links that a stored document brings along, without those that the API makes."""
    links = document.get("links")
    if not isinstance(links, list):
        return []
    return [one for one in links if isinstance(one, dict) and one.get("rel") not in _OURS]
