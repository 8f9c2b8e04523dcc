"""Catalogues of others over HTTP: STAC APIs, read page by page, and static catalogues, read link by link."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from terrella.cubes.documents.stac_documents import type_of
from terrella.errors import Invalid, NotFound, Unreadable
from terrella.storage.web import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terrella.errors import TerrellaError
    from terrella.model.stac import Document
    from terrella.storage.web import Web

_MOST_PAGES = 1_000_000
_MOST_DOCUMENTS = 1_000_000
_TOGETHER = 50
"""Items of a static catalogue that are taken in together."""


type Failed = tuple[str, TerrellaError]


@dataclass(frozen=True, slots=True)
class Page:
    """Some items as they came, each with its address ('' where it has none of its own), and where the next are."""

    items: list[tuple[Any, str]]
    base: str
    """Address that relative links begin at, for items without their own."""
    cursor: Any = None
    failures: list[Failed] = field(default_factory=list)
    """Addresses that could not be read, and why."""


class Source(Protocol):
    """Whatever has collections of items."""

    def collections(self) -> Iterator[tuple[Document, str]]:
        """Documents of collections, and the address of each."""
        ...

    def pages(self, collection: str, cursor: Any, since: str, seen: Callable[[list[str]], set[str]]) -> Iterator[Page]:
        """Items of a collection, from `cursor` on; only those changed after `since`, where given.

        `seen` says which addresses need not be read again. Raises ProviderUnavailable; NotFound for a cursor.
        """
        ...

    def can_say_what_is_new(self) -> bool:
        """Whether `since` is understood."""
        ...


def open_source(web: Web, address: str, *, page: int, only: tuple[str, ...] = ()) -> Source:
    """What lies at an address. Raises Unreadable for what is no STAC, ProviderUnavailable.

    A whole answer is looked at, so that a page of a site, a root of an API or any catalogue may be named.
    """
    document, base = web.json(address)
    kind = type_of(document)
    if isinstance(document, dict) and (document.get("conformsTo") or _link(document, "data", base)):
        return StacApi(web, base, document, page, only)
    if kind in ("Catalog", "Collection", "Feature", "FeatureCollection"):
        return StacTree(web, base, document)
    raise Unreadable(f"{shown(address)} is neither a STAC API nor a STAC catalogue.")


class StacApi:
    """A STAC API: /collections, and the items of each."""

    def __init__(self, web: Web, base: str, landing: Document, page: int, only: tuple[str, ...]) -> None:
        self._web = web
        self._base = base.rstrip("/") + "/"
        self._landing = landing
        self._page = page
        self._only = only
        self._items: dict[str, str] = {}

    def can_say_what_is_new(self) -> bool:
        said = " ".join(str(one) for one in self._landing.get("conformsTo") or ())
        return "cql2-text" in said and "features-filter" in said

    def collections(self) -> Iterator[tuple[Document, str]]:
        if self._only:
            for name in self._only:
                document, here = self._web.json(urljoin(self._base, f"collections/{quote(name, safe='')}"))
                yield self._noted(document, here)
            return
        start = _link(self._landing, "data", self._base) or urljoin(self._base, "collections")
        for document, here in _followed(self._web, {"href": start}):
            for one in _listed(document, "collections"):
                if isinstance(one, dict) and isinstance(one.get("id"), str):
                    yield self._noted(one, here)

    def _noted(self, document: Any, here: str) -> tuple[Document, str]:
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            raise Unreadable(f"{shown(here)} is no collection.")
        usual = urljoin(self._base, f"collections/{quote(document['id'], safe='')}/items")
        self._items[document["id"]] = _link(document, "items", here) or usual
        return document, here

    def pages(
        self,
        collection: str,
        cursor: Any,
        since: str,
        seen: Callable[[list[str]], set[str]],  # noqa: ARG002 -- pages are read whole
    ) -> Iterator[Page]:
        asked = {"limit": str(self._page)}
        if since:
            asked |= {"filter": f"updated >= TIMESTAMP('{since}')", "filter-lang": "cql2-text"}
        start = cursor or {"href": _with(self._items[collection], asked)}
        for document, here in _followed(self._web, start):
            items = [(one, _link(one, "self", here) or "") for one in _listed(document, "features")]
            yield Page(items, here, _next(document, here, {}))


class StacTree:
    """A static catalogue: collections and items linked from a root."""

    def __init__(self, web: Web, base: str, root: Document) -> None:
        self._web = web
        self._base = base
        self._root = root
        self._items: dict[str, list[str]] = {}
        self._loose: dict[str, list[tuple[Any, str]]] = {}
        self._failures: dict[str, list[Failed]] = {}

    def can_say_what_is_new(self) -> bool:
        return False

    def collections(self) -> Iterator[tuple[Document, str]]:
        """Walks over the catalogue, and notes addresses of items on the way."""
        kind = type_of(self._root)
        if kind in ("Feature", "FeatureCollection"):
            yield from self._of_items()
            return
        waiting: deque[tuple[str, str]] = deque([(self._base, "")])
        visited: set[str] = set()
        while waiting:
            address, owner = waiting.popleft()
            if address in visited:
                continue
            visited.add(address)
            if len(visited) > _MOST_DOCUMENTS:
                raise Invalid(f"This catalogue has more than {_MOST_DOCUMENTS:,} documents.")
            document, here = self._read(address, owner)
            if document is None:
                continue
            if type_of(document) == "Collection" and isinstance(document.get("id"), str):
                owner = document["id"]
                self._items.setdefault(owner, [])
                yield document, here
            for rel, href in _links(document, here):
                if rel in ("child", "collection") and href not in visited:
                    waiting.append((href, owner))
                elif rel == "item":
                    self._items.setdefault(owner, []).append(href)
        if self._items.get(""):
            yield _nameless(self._root), self._base

    def _read(self, address: str, owner: str) -> tuple[Document | None, str]:
        if address == self._base:
            return self._root, self._base
        try:
            document, here = self._web.json(address)
        except (NotFound, Unreadable, Invalid) as error:
            self._failures.setdefault(owner, []).append((address, error))
            return None, address
        return (document, here) if isinstance(document, dict) else (None, here)

    def _of_items(self) -> Iterator[tuple[Document, str]]:
        found = [self._root] if type_of(self._root) == "Feature" else list(_listed(self._root, "features"))
        for one in found:
            name = one.get("collection") if isinstance(one, dict) else ""
            self._loose.setdefault(name if isinstance(name, str) else "", []).append((one, self._base))
        for name in sorted(self._loose):
            yield _nameless(self._root) | ({"id": name} if name else {}), self._base

    def pages(self, collection: str, cursor: Any, since: str, seen: Callable[[list[str]], set[str]]) -> Iterator[Page]:
        del cursor, since
        name = collection if collection in self._items or collection in self._loose else ""
        failures = self._failures.get(name, [])
        if name in self._loose:
            yield Page(self._loose[name], self._base, None, failures)
            return
        addresses = list(dict.fromkeys(self._items.get(name, [])))
        for start in range(0, max(1, len(addresses)), _TOGETHER):
            some = addresses[start : start + _TOGETHER]
            done = seen(some)
            yield self._page([one for one in some if one not in done], failures)
            failures = []

    def _page(self, addresses: list[str], failures: list[Failed]) -> Page:
        items, failed = [], list(failures)
        for address in addresses:
            try:
                items.append((self._web.json(address)[0], address))
            except (NotFound, Unreadable, Invalid) as error:
                failed.append((address, error))
        return Page(items, self._base, None, failed)


# --- links -----------------------------------------------------------------------------------------------------------


def _followed(web: Web, start: Document) -> Iterator[tuple[Any, str]]:
    """A page and those after it. Raises Unreadable where they go in a circle."""
    asked: Any = start
    seen: set[str] = set()
    for _ in range(_MOST_PAGES):
        mark = str(asked)
        if mark in seen:
            raise Unreadable(f"The pages of {shown(asked['href'])} go in a circle.")
        seen.add(mark)
        document, here = web.json(asked["href"], body=asked.get("body"))
        yield document, here
        asked = _next(document, here, asked.get("body") or {})
        if asked is None:
            return


def _next(document: Any, base: str, body: Document) -> Document | None:
    """How to ask for the next page."""
    for link in _objects(document):
        if link.get("rel") != "next" or not isinstance(link.get("href"), str):
            continue
        href = urljoin(base, link["href"])
        if str(link.get("method", "GET")).upper() != "POST":
            return {"href": href}
        given = link.get("body")
        own = given if isinstance(given, dict) else {}
        return {"href": href, "body": {**body, **own} if link.get("merge") else own}
    return None


def _link(document: Any, rel: str, base: str) -> str | None:
    return next((href for kind, href in _links(document, base) if kind == rel), None)


def _links(document: Any, base: str) -> Iterator[tuple[str, str]]:
    for link in _objects(document):
        if isinstance(link.get("href"), str) and isinstance(link.get("rel"), str):
            yield link["rel"], urljoin(base, link["href"])


def _objects(document: Any) -> list[Document]:
    found = document.get("links") if isinstance(document, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _listed(document: Any, name: str) -> list[Any]:
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Unreadable(f"A page of the source has no list of {name}.")
    return found


def _with(address: str, more: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | more
    return urlunsplit(parts._replace(query=urlencode(query)))


def _nameless(root: Document) -> Document:
    """A collection for items that belong to none."""
    from terrella.model.ids import slug

    name = slug(str(root.get("title") or root.get("id") or "harvested"))
    return {
        "type": "Collection",
        "id": name,
        "description": str(root.get("description") or "Items of a catalogue without collections."),
        "license": "other",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
    }
