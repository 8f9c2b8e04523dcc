"""Assets as callers may see them: files of the site get addresses, and who may not read an item sees none.

Where files lie on the server is shown to those who administer it, and to nobody else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from terrella.access.rules import is_open, readers
from terrella.api.caller import caller_of
from terrella.api.files import serve_file
from terrella.errors import Invalid, NotFound, Unsupported, nearest_names
from terrella.model.caller import ADMINISTER
from terrella.site.assets import check_item, collection_of, is_local, located

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site import Site

__all__ = ["Assets", "check_item", "check_sent", "elsewhere", "is_local", "located", "restored", "router"]

LOCAL = re.compile(rb'"href":\s*"(?:/|file:|[^"]*\\)', re.IGNORECASE)
"""In a document's bytes: the href of a local file, or one that is written unusually."""
ACCESS = "terrella:access"
"""Member of documents whose assets are left out: to whom they are open."""


class Assets:
    """What one caller is shown of the assets of many documents."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._caller = caller_of(request)
        self._base = str(request.base_url).rstrip("/") + "/stac/collections"
        self._collections: dict[str, Document | None] = {}
        self.sees_files = self._caller.may(ADMINISTER)

    @property
    def is_restricted(self) -> bool:
        """Whether there may be items that the caller finds and must not read."""
        return self._caller.reads is not None

    def of_item(self, item: Document) -> Document:
        """An item with the assets that are for this caller; changes it."""
        name = str(item.get("collection", ""))
        if self.is_restricted and not is_open(self._caller.reads, self._collection(name), item):
            return self._closed(item, name)
        return self.addressed(item, name, str(item.get("id", "")))

    def of_collection(self, collection: Document) -> Document:
        """A collection with the assets that are for this caller; changes it."""
        if self.is_restricted and not is_open(self._caller.reads, collection):
            return self._closed(collection, str(collection["id"])) if collection.get("assets") else collection
        return self.addressed(collection, str(collection["id"]), "")

    def addressed(self, document: Document, collection: str, item: str) -> Document:
        """Local files of a document, or of a part of it, as addresses here."""
        found = document.get("assets")
        assets: Document = found if isinstance(found, dict) else {}
        for key, asset in list(assets.items()):
            if isinstance(asset, dict):
                self._drop_alternates(asset)
                if is_local(asset.get("href")):
                    self._place(assets, key, collection, item)
        if isinstance(document.get("links"), list):
            document["links"] = self.links(document["links"])
        return document

    def links(self, links: list[Any]) -> list[Any]:
        """Those that lead somewhere for this caller: not to files of the server."""
        if self.sees_files:
            return links
        return [one for one in links if not (isinstance(one, dict) and is_local(one.get("href")))]

    def shown_bytes(self, item: bytes) -> bytes:
        """A stored item, without links, for this caller."""
        if not self.is_restricted and LOCAL.search(item) is None:
            return item
        return orjson.dumps(self.of_item(orjson.loads(item)))

    def _place(self, assets: Document, key: str, collection: str, item: str) -> None:
        """A local file's address; files of collections have none: administrators see where they lie, nobody else."""
        href = str(assets[key]["href"])
        if item:
            assets[key]["href"] = f"{self._base}/{quote(collection, safe='')}/{_below(item, key)}"
        elif self.sees_files:
            assets[key]["href"] = "file://" + quote(href) if href.startswith("/") else href
        else:
            del assets[key]

    def _drop_alternates(self, asset: Document) -> None:
        """Other places of the same file, where they are of this machine."""
        others = asset.get("alternate")
        if isinstance(others, dict) and not self.sees_files:
            kept = {n: one for n, one in others.items() if not (isinstance(one, dict) and is_local(one.get("href")))}
            asset["alternate"] = kept

    @property
    def _site(self) -> Site:
        site: Site = self._request.app.state.site
        return site

    def _closed(self, document: Document, collection: str) -> Document:
        about = self._collection(collection)
        item = document if document.get("type") == "Feature" else None
        document["assets"] = {}
        document[ACCESS] = {"read": False, "roles": list(readers(self._site.settings.access.rules, about, item))}
        return document

    def _collection(self, name: str) -> Document:
        """As the rules see it. It is asked for by nobody, for what is worked out from it stays here."""
        if name not in self._collections:
            self._collections[name] = collection_of(self._site, name)
        return self._collections[name] or {}


def _assets(document: Document) -> dict[str, Document]:
    found = document.get("assets")
    return {k: one for k, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _below(item: str, key: str) -> str:
    return f"items/{quote(item, safe='')}/assets/{quote(key, safe='')}"


def restored(new: Document, old: Document) -> Document:
    """A document that was fetched, changed and sent back, with the hrefs that its assets really have; changes it."""
    was, now = old.get("assets"), new.get("assets")
    if not isinstance(was, dict) or not isinstance(now, dict):
        return new
    end = f"/{_below(str(old.get('id', '')), '')}"
    for key, asset in now.items():
        before = was.get(key)
        if isinstance(asset, dict) and isinstance(before, dict) and is_local(before.get("href")):
            href = str(asset.get("href", ""))
            if href.endswith(end + quote(key, safe="")) or href == "file://" + quote(str(before["href"])):
                asset["href"] = before["href"]
    return new


def router(site: Site) -> APIRouter:
    """GET and HEAD /stac/collections/{collection_id}/items/{item_id}/assets/{asset_key}."""
    made = APIRouter()

    def asset(request: Request, collection_id: str, item_id: str, asset_key: str) -> Response:
        """The file of an asset, whole or by range; elsewhere if it lies elsewhere."""
        caller = caller_of(request)
        item = orjson.loads(site.catalog.item(caller, collection_id, item_id))
        check_item(site, caller, item)
        found = (item.get("assets") or {}).get(asset_key)
        if not isinstance(found, dict) or not isinstance(found.get("href"), str):
            known = nearest_names(asset_key, item.get("assets") or {})
            raise NotFound(f"The item has no asset {asset_key!r:.80}. {known}", parameter="asset_key")
        if not is_local(found["href"]):
            return elsewhere(found["href"])
        path = _served(site, collection_id, item_id, found["href"])
        return serve_file(request, path, media_type=str(found.get("type") or "application/octet-stream"))

    about: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file.", "content": {"application/octet-stream": {}}},
        206: {"description": "A part of it."},
        304: {"description": "You have it already."},
        307: {"description": "It lies elsewhere."},
        416: {"description": "No byte of that range is in the file."},
    }
    made.add_api_route(
        "/stac/collections/{collection_id}/items/{item_id}/assets/{asset_key}",
        asset,
        methods=["GET"],
        summary="Download an asset",
        tags=["STAC"],
        response_class=Response,
        responses=about,
    )
    return made


def check_sent(document: Document, caller: Caller, old: Document | None = None) -> None:
    """Raises Invalid for a document from outside that names files of this machine which the old one did not name:
    those are added by its operator.
    """
    if caller.may(ADMINISTER):
        return
    if new := places_in(document) - places_in(old or {}):
        named = next((key for key, asset in _assets(document).items() if places_in(asset) & new), "")
        raise Invalid(
            f"{f'The asset {named!r:.80}' if named else 'A link'} names a file of this server: give an address "
            "(https://, s3://), or have the file added by whoever runs the site.",
            parameter="assets" if named else "links",
        )


def places_in(value: Any) -> set[str]:
    """Every href in a document, however deep, that is a file of this machine."""
    if isinstance(value, list):
        return set().union(*map(places_in, value))
    if not isinstance(value, dict):
        return set()
    here = {value["href"]} if is_local(value.get("href")) else set()
    return here.union(*map(places_in, value.values()))


def elsewhere(href: str) -> Response:
    """Sends the client to an address. Raises Unsupported for what is no web address."""
    if urlsplit(href).scheme not in {"http", "https"}:
        raise Unsupported(f"This asset lies in a store of its own: open {href!r:.200} there.", parameter="asset_key")
    return RedirectResponse(href, 307)


def _served(site: Site, collection: str, item: str, href: str) -> Path:
    """The file of an asset. Raises NotFound, Unsupported for a folder."""
    path = located(site, collection, item, href)
    if path.is_dir():
        raise Unsupported("This asset is a folder of many files: cut values out of it under /ogc or /zarr.")
    return path
