"""Searches: files by their properties, page by page; or, in MARS words, the one feature that may be ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from shapely.geometry import box, shape

from terrella.api.hda.addresses import BACKEND, GEOJSON, JSON, link
from terrella.api.hda.documents import collection_document, item_document
from terrella.api.hda.orders import dated, order_document, order_of, orderable
from terrella.api.searching.parsing import collection_search_of
from terrella.errors import Invalid, NotFound, Unsupported
from terrella.model.search import CollectionSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terrella.api.hda.addresses import Addresses
    from terrella.api.hda.asking import Asked
    from terrella.model.caller import Caller
    from terrella.model.search import Page, Search
    from terrella.model.stac import Document
    from terrella.site import Site

_A_PAGE = 1000
_MOST_TOGETHER = 20
"""Collections that one order may be looked for in."""


# --- items ------------------------------------------------------------------------------------------------------------


def found(site: Site, caller: Caller, asked: Asked, at: Addresses, next_link: Callable[[str], Document]) -> Document:
    """A FeatureCollection. `next_link` makes a link from the token of a page. Raises Invalid."""
    collections = [named(site, caller, name) for name in asked.search.collections]
    if not asked.is_here:
        return _features([], at, 0)
    if asked.words:
        return _orderables(site, caller, asked, collections, at)
    page = site.catalog.search(caller, asked.search)
    features = [item_document(orjson.loads(one), at) for one in page.documents]
    features += _orders(site, caller, asked, collections, at)
    links = [next_link(page.next)] if page.next else []
    return _features(features, at, page.matched, links)


def named(site: Site, caller: Caller, name: str) -> Document:
    """A collection that a search names. Raises Invalid where there is none."""
    try:
        document: Document = orjson.loads(site.catalog.collection(caller, name))
    except NotFound as error:
        raise Invalid(error.message, parameter="collections") from None
    return document


def _features(
    features: list[Document], at: Addresses, matched: int | None = None, links: list[Document] | None = None
) -> Document:
    body: Document = {
        "type": "FeatureCollection",
        "features": features,
        "links": [link("self", at.itself, GEOJSON), link("root", at.root), *(links or [])],
        "numberReturned": len(features),
    }
    return body if matched is None else {**body, "numberMatched": max(matched, len(features))}


def _orderables(site: Site, caller: Caller, asked: Asked, collections: list[Document], at: Addresses) -> Document:
    """One feature a collection that answers. Raises what is wrong with the request where none does."""
    if not collections:
        raise Invalid("Say which collections, when you ask in words of MARS (ecmwf:...).", parameter="collections")
    if len(collections) > _MOST_TOGETHER:
        raise Invalid(f"At most {_MOST_TOGETHER} collections are asked in words of MARS.", parameter="collections")
    if asked.search.filter is not None:
        text = "Words of MARS (ecmwf:...) ask for what may be ordered, which has no other properties: leave those out."
        raise Invalid(text, parameter="query")
    made: list[Document] = []
    wrong: list[Invalid | Unsupported | NotFound] = []
    for collection in collections:
        try:
            words = dated(asked.words, asked.datetime, collection)
            made.append(orderable(site, caller, collection, words, at))
        except (Invalid, Unsupported, NotFound) as error:
            wrong.append(error)
    if not made:
        raise wrong[0]
    made = [one for one in made if _meets(one, asked.search)]
    return _features(made, at, len(made))


def _meets(feature: Document, search: Search) -> bool:
    """Whether it is one of the ids asked for, and lies where was asked for: whole fields lie all over their grid."""
    if search.ids and feature["id"] not in search.ids:
        return False
    place = shape(feature["geometry"])
    parts = [part.bbox() for part in search.bbox.parts()] if search.bbox is not None else []
    if parts and not any(place.intersects(box(west, south, east, north)) for west, south, east, north in parts):
        return False
    return search.intersects is None or bool(place.intersects(shape(search.intersects)))


def _orders(site: Site, caller: Caller, asked: Asked, collections: list[Document], at: Addresses) -> Iterator[Document]:
    """Of the ids asked for, those of the caller's own orders."""
    for collection in collections if len(asked.search.ids) <= _MOST_TOGETHER else ():
        for name in asked.search.ids:
            try:
                job = site.jobs.get(caller, name)
                order_of(job, str(collection["id"]))
            except NotFound:
                continue
            yield order_document(job, caller, collection, at)


# --- collections ------------------------------------------------------------------------------------------------------


def found_collections(site: Site, caller: Caller, given: dict[str, Any], at: Addresses, title: str) -> Document:
    """The answer of /collections. Raises Invalid."""
    given, is_here = _without_backend(given)
    producer = str(given.pop("provider", BACKEND))
    query = collection_search_of(given, limit=_A_PAGE)
    if not is_here:
        return _collections([], at, 0)
    if producer.casefold() == BACKEND:
        page = site.catalog.collections(caller, query)
        documents = [collection_document(orjson.loads(one), at, title) for one in page.documents]
        others = [(name, value) for name, value in at.request.query_params.multi_items() if name != "token"]
        links = [link("next", at.with_parameters([*others, ("token", page.next)]))] if page.next else []
        return _collections(documents, at, page.matched, links)
    mine = [one for one in every_collection(site, caller, query) if _is_of(one, producer)]
    return _collections([collection_document(one, at, title) for one in mine], at, len(mine))


def _collections(
    documents: list[Document], at: Addresses, matched: int | None, links: list[Document] | None = None
) -> Document:
    body: Document = {
        "collections": documents,
        "links": [link("self", at.itself, JSON), link("root", at.root), *(links or [])],
        "numberReturned": len(documents),
    }
    return body if matched is None else {**body, "numberMatched": matched}


def _without_backend(given: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Without a condition on the backend, which every collection here has; and whether that is what was asked for."""
    try:
        query = orjson.loads(given.get("query") or b"{}")
    except orjson.JSONDecodeError:
        return given, True  # said properly by whoever reads it
    if not isinstance(query, dict) or "federation:backends" not in query:
        return given, True
    condition = query.pop("federation:backends")
    wanted = list(condition.values()) if isinstance(condition, dict) else []
    flat = [one for value in wanted for one in (value if isinstance(value, list) else [value])]
    return {**given, "query": orjson.dumps(query).decode() if query else None}, BACKEND in flat


def _is_of(collection: Document, producer: str) -> bool:
    names = [str(one.get("name", "")) for one in collection.get("providers") or () if isinstance(one, dict)]
    return producer.casefold() in (name.casefold() for name in names)


def every_collection(site: Site, caller: Caller, query: CollectionSearch | None = None) -> Iterator[Document]:
    """All that match, in the catalogue's order."""
    asked = replace(query or CollectionSearch(), limit=_A_PAGE)
    while True:
        page: Page = site.catalog.collections(caller, asked)
        yield from map(orjson.loads, page.documents)
        if page.next is None:
            return
        asked = replace(asked, token=page.next)
