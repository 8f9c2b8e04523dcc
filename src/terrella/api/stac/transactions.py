"""The transaction extension: create, change and delete items and collections, where the site's settings allow it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attr
import orjson
import stac_pydantic
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError
from stac_fastapi.extensions.transaction.transaction import TransactionConformanceClasses
from stac_fastapi.types.extension import ApiExtension
from starlette.requests import Request
from starlette.responses import Response

from terrella.api.assets import check_item, check_sent, places_in, restored
from terrella.api.caller import writer_of
from terrella.api.searching.parsing import geometry_of
from terrella.api.stac.documents import answer
from terrella.api.stac.extensions import add, router
from terrella.api.stac.links import GEOJSON, Addresses, kept
from terrella.api.stac.parameters import (
    NewCollection,
    NewItem,
    OneCollection,
    OneItem,
    PatchedCollection,
    PatchedItem,
    WholeCollection,
    WholeItem,
)
from terrella.api.stac.patching import nothing_secret, patched
from terrella.errors import Conflict, Invalid, NotFound
from terrella.model.caller import ADMINISTER, Caller
from terrella.model.ids import collection_id as checked_collection_id
from terrella.model.stac import STAC_VERSION, Document
from terrella.site.announcing import ITEMS_ADDED

Announcing = Callable[..., AbstractContextManager[Any]]


def _to_nobody(event: str, **subject: Any) -> AbstractContextManager[Any]:  # noqa: ARG001 -- what is told
    return nullcontext()


@attr.s
class Transactions(ApiExtension):
    """Routes that change the catalogue."""

    catalog: Any = attr.ib(kw_only=True)
    """Both `Searches` and `Registers`."""
    announcing: Announcing = attr.ib(kw_only=True, default=_to_nobody)
    """Around a change: tells whoever waits for it."""
    conformance_classes: list[str] = attr.ib(factory=lambda: [str(word) for word in TransactionConformanceClasses])

    def register(self, app: FastAPI) -> None:
        """POST, PUT, PATCH and DELETE of items and collections."""
        routes = router(app)
        all_, one = "/collections", "/collections/{collection_id}"
        items, item = one + "/items", one + "/items/{item_id}"
        geo: dict[str, Any] = {"kind": GEOJSON}
        add(routes, items, self.create_item, NewItem, "Create items", methods=["POST"], status_code=201, **geo)
        add(routes, item, self.replace_item, WholeItem, "Replace an item", methods=["PUT"], **geo)
        add(routes, item, self.patch_item, PatchedItem, "Change an item", methods=["PATCH"], **geo)
        add(routes, item, self.delete_item, OneItem, "Delete an item", methods=["DELETE"], status_code=204)
        add(
            routes,
            all_,
            self.create_collection,
            NewCollection,
            "Create a collection",
            methods=["POST"],
            status_code=201,
        )
        add(routes, one, self.replace_collection, WholeCollection, "Replace a collection", methods=["PUT"])
        add(routes, one, self.patch_collection, PatchedCollection, "Change a collection", methods=["PATCH"])
        add(
            routes,
            one,
            self.delete_collection,
            OneCollection,
            "Delete a collection",
            methods=["DELETE"],
            status_code=204,
        )
        app.include_router(routes, tags=["STAC transactions"])

    def create_item(self, request: Request, collection_id: str, document: Document) -> Response:
        """One item, or a FeatureCollection of which all are created or none."""
        caller = writer_of(request)
        self.catalog.collection(caller, collection_id)
        many = document.get("type") == "FeatureCollection"
        features = document.get("features") if many else [document]
        if not isinstance(features, list):
            raise Invalid("The features of a FeatureCollection are a list.", parameter="features")
        items = [checked_item(one, collection_id) for one in features]
        for item in items:
            check_sent(item, caller)
            self._must_be_new(caller, collection_id, item["id"])
        with self.announcing(ITEMS_ADDED, collections=[collection_id]):
            self.catalog.put_items(caller, items)
        at = Addresses(request)
        if many:
            return answer({"type": "FeatureCollection", "features": [at.item(one) for one in items]}, GEOJSON, 201)
        made = at.item(items[0])
        return answer(made, GEOJSON, 201, {"Location": made["links"][0]["href"]})

    def replace_item(self, request: Request, collection_id: str, item_id: str, document: Document) -> Response:
        """The whole document."""
        caller = writer_of(request)
        old = self._readable(request, caller, collection_id, item_id)
        made = restored(checked_item(document, collection_id, item_id), old)
        return self._store_item(request, caller, made, old)

    def patch_item(
        self, request: Request, collection_id: str, item_id: str, patch: Document | list[Document]
    ) -> Response:
        """Parts of the document."""
        caller = writer_of(request)
        old = self._readable(request, caller, collection_id, item_id)
        return self._store_item(
            request, caller, checked_item(_patched(caller, old, patch), collection_id, item_id), old
        )

    def delete_item(self, request: Request, collection_id: str, item_id: str) -> Response:
        """204."""
        caller = writer_of(request)
        self._readable(request, caller, collection_id, item_id)
        self.catalog.remove_items(caller, collection_id, [item_id])
        return Response(status_code=204)

    def create_collection(self, request: Request, document: Document) -> Response:
        """201, or 409 where there is one."""
        caller, collection = writer_of(request), checked_collection(document)
        check_sent(collection, caller)
        try:
            self.catalog.collection(caller, collection["id"])
        except NotFound:
            self.catalog.put_collection(caller, collection)
        else:
            raise Conflict(f"There is a collection {collection['id']!r:.80} already: PUT replaces it.", parameter="id")
        made = Addresses(request).collection(collection)
        return answer(made, status=201, headers={"Location": made["links"][0]["href"]})

    def replace_collection(self, request: Request, collection_id: str, document: Document) -> Response:
        """The whole document; items stay."""
        caller = writer_of(request)
        old = orjson.loads(self.catalog.collection(caller, collection_id))
        return self._store_collection(request, caller, checked_collection(document, collection_id), old)

    def patch_collection(self, request: Request, collection_id: str, patch: Document | list[Document]) -> Response:
        """Parts of the document."""
        caller = writer_of(request)
        old = orjson.loads(self.catalog.collection(caller, collection_id))
        return self._store_collection(
            request, caller, checked_collection(_patched(caller, old, patch), collection_id), old
        )

    def delete_collection(self, request: Request, collection_id: str) -> Response:
        """204; its items go with it."""
        self.catalog.remove_collection(writer_of(request), collection_id)
        return Response(status_code=204)

    def _readable(self, request: Request, caller: Caller, collection: str, item: str) -> Document:
        """An item that is there, and open to this caller: else what they send back would lack what they cannot see."""
        found: Document = orjson.loads(self.catalog.item(caller, collection, item))
        check_item(request.app.state.site, caller, found)
        return found

    def _must_be_new(self, caller: Caller, collection: str, item: str) -> None:
        try:
            self.catalog.item(caller, collection, item)
        except NotFound:
            return
        raise Conflict(f"There is an item {item!r:.80} in {collection!r:.80} already: PUT replaces it.", parameter="id")

    def _store_item(self, request: Request, caller: Caller, item: Document, old: Document) -> Response:
        check_sent(item, caller, old)
        with self.announcing(ITEMS_ADDED, collections=[item["collection"]]):
            self.catalog.put_items(caller, [item])
        return answer(Addresses(request).item(item), GEOJSON)

    def _store_collection(self, request: Request, caller: Caller, collection: Document, old: Document) -> Response:
        check_sent(collection, caller, old)
        self.catalog.put_collection(caller, collection)
        return answer(Addresses(request).collection(collection))


def _patched(caller: Caller, old: Document, patch: Document | list[Document]) -> Document:
    """Places of files are not shown to editors, so a patch is no way to see them."""
    if caller.may(ADMINISTER):
        return patched(old, patch)
    places = places_in(old)
    return patched(old, patch, (lambda value: _has(value, places)) if places else nothing_secret)


def _has(value: Any, texts: set[str]) -> bool:
    if isinstance(value, dict | list):
        return any(_has(one, texts) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and value in texts


def checked_item(document: Any, collection: str, item: str | None = None) -> Document:
    """An item fit to be stored in a collection, without links that the API makes. Raises Invalid."""
    if not isinstance(document, dict) or document.get("type") != "Feature":
        raise Invalid("An item is a JSON object of type Feature.", parameter="type")
    made = {"stac_version": STAC_VERSION, "assets": {}, **document, "links": []}
    _same(made.setdefault("collection", collection), collection, "collection")
    _same(made.get("id"), item, "id")
    _check(stac_pydantic.Item, made)
    if made.get("geometry") is not None:
        geometry_of(made["geometry"], "geometry")
    return {**made, "links": _kept(document)}


def checked_collection(document: Document, collection: str | None = None) -> Document:
    """A collection fit to be stored, without links that the API makes. Raises Invalid."""
    made = {"type": "Collection", "stac_version": STAC_VERSION, **document, "links": []}
    _same(made.get("id"), collection, "id")
    checked_collection_id(str(made.get("id", "")))
    _check(stac_pydantic.Collection, made)
    return {**made, "links": _kept(document)}


def _kept(document: Document) -> list[Document]:
    links = document.get("links") or []
    if not isinstance(links, list) or not all(
        isinstance(one, dict) and "href" in one and "rel" in one for one in links
    ):
        raise Invalid("links is a list of objects with href and rel.", parameter="links")
    return kept(document)


def _same(given: Any, wanted: str | None, member: str) -> None:
    if wanted is not None and given != wanted:
        raise Invalid(f"The address says {wanted!r:.80}, the document {given!r:.80}.", parameter=member)


def _check(model: type[BaseModel], document: Document) -> None:
    try:
        model.model_validate(document)
        orjson.dumps(document)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"]) or "document"
        raise Invalid(f"{name}: {first['msg']}.", parameter=name) from None
    except TypeError as error:
        raise Invalid(f"The document cannot be stored: {error}.") from None
