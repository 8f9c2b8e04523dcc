"""STAC from files: catalogues with what they link to, collections, items, lists of items, NDJSON and GeoParquet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from terrella.contracts.formats import ChunkSource
from terrella.cubes.documents.json_documents import is_lines, kind_of, read_json, read_json_lines
from terrella.cubes.documents.stac_documents import (
    absolute,
    checked_catalog,
    checked_collection,
    checked_item,
    type_of,
    with_absolute_addresses,
)
from terrella.cubes.documents.stac_parquet import is_stac_parquet, items_in_parquet
from terrella.errors import NotFound, TerrellaError, Unreadable, Unsupported
from terrella.model.scan import ArrayScan, FileScan
from terrella.model.stac import Document
from terrella.storage.files import is_remote, read_range, sha256, state

_MOST_DOCUMENT = 256 << 20
_MOST_FOLLOWED = 200_000
_MOST_NOTES = 20


class Stac:
    """Static STAC. Everything that is called JSON and that no other format wants comes here to be refused by name."""

    name = "stac"
    title = "static STAC (JSON, NDJSON, GeoParquet)"

    def claims(self, href: str, head: bytes) -> bool:
        if Path(href).name == "zarr.json":
            return False
        return is_stac_parquet(href, head) or kind_of(href, head) in {"stac", "zarr", "other"}

    def scan(self, href: str) -> Iterable[FileScan]:
        if read_range(href, 0, min(4, state(href).size)) == b"PAR1":
            items = [_item(document, href) for document in items_in_parquet(href)]
            return [_scanned(href, "application/vnd.apache.parquet", items=items)]
        if is_lines(href):
            return [_several(list(read_json_lines(href)), href, "application/x-ndjson")]
        document = read_json(href, most=_MOST_DOCUMENT)
        if isinstance(document, list):
            return [_several(document, href, "application/json")]
        return _one(document, href)

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        raise Unsupported(f"STAC documents hold no arrays ({array.name!r} in {href}).")


def _one(document: Any, href: str) -> Iterable[FileScan]:
    """Whatever a JSON object turns out to be. Raises Unreadable that says what it is instead of STAC."""
    kind = type_of(document)
    if kind == "Feature":
        return [_scanned(href, "application/geo+json", items=[_item(document, href, _collection_beside(href))])]
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        return [_several(document["features"], href, "application/geo+json")]
    if kind in {"Collection", "Catalog"}:
        return _Walk(href).scans(document)
    if isinstance(document, dict) and isinstance(document.get("collections"), list):
        return [_several(document["collections"], href, "application/json")]
    raise Unreadable(_what_else(document))


def _what_else(document: Any) -> str:
    if not isinstance(document, dict):
        return "It is JSON, but no STAC: its top is no object."
    if any(key.startswith("zarr") for key in document) or {"attributes", "members"} <= set(document):
        return "It is the metadata of a Zarr hierarchy as JSON, without its data; it is no STAC."
    if type_of(document) in {"Coverage", "CoverageCollection"}:
        return "It is CoverageJSON, not STAC."
    if "coordinates" in document:
        return f"It is a GeoJSON {str(document.get('type'))[:40]} alone, with neither time nor name; it is no STAC."
    found = f"an object with {', '.join(repr(key) for key in list(document)[:6])}" if document else "an empty object"
    return f"It is JSON, but no STAC that is read (Catalog, Collection, Feature, FeatureCollection): {found[:200]}."


def _several(documents: list[Any], href: str, media_type: str) -> FileScan:
    """Items and collections in a list or line by line; one that is broken is named by its place."""
    if not documents or type_of(documents[0]) not in {"Feature", "Collection"}:
        raise Unreadable("It is JSON, but no STAC: a list of something else than items and collections.")
    items, collections = [], []
    for number, document in enumerate(documents, 1):
        try:
            if type_of(document) == "Collection":
                collections.append(_collection(document, href))
            else:
                items.append(_item(document, href))
        except Unreadable as error:
            raise Unreadable(f"Document {number}: {error.message}") from None
    return _scanned(href, media_type, items=items, collections=collections)


def _item(document: Any, href: str, collection: str | None = None) -> Document:
    made = with_absolute_addresses(checked_item(document), href)
    if collection and not made.get("collection"):
        made["collection"] = collection
    return made


def _collection(document: Any, href: str) -> Document:
    return with_absolute_addresses(checked_collection(document), href)


def _scanned(
    href: str,
    media_type: str,
    *,
    items: Iterable[Document] = (),
    collections: Iterable[Document] = (),
    attrs: dict[str, Any] | None = None,
    notes: Iterable[str] = (),
) -> FileScan:
    now = state(href)
    return FileScan(
        href,
        Stac.name,
        media_type,
        now.size,
        now.modified,
        sha256(href),
        items=tuple(items),
        collections=tuple(collections),
        attrs=attrs or {},
        notes=tuple(notes),
    )


def _collection_beside(href: str) -> str | None:
    """Id of a collection.json here or one folder up that links to this item, for items that do not name theirs."""
    for folder in (".", ".."):
        place = absolute(f"{folder}/collection.json", href)
        try:
            found = read_json(place, most=16 << 20)
            links = checked_collection(found)["links"]
        except (TerrellaError, OSError):
            continue
        if any(link["rel"] == "item" and absolute(link["href"], place) == href for link in links):
            return str(found["id"])
    return None


class _Walk:
    """Follows the links of a catalogue, breadth first, and never out of the folder (or the host) of its root."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._seen = {root}
        self._waiting: deque[tuple[str, str | None]] = deque()
        self.notes: list[str] = []

    def scans(self, document: Document) -> Iterator[FileScan]:
        """What the root links to, then the root itself with notes on what was not followed."""
        collections, attrs = self._node(document, self._root)
        while self._waiting:
            href, collection = self._waiting.popleft()
            try:
                yield self._scan(href, collection)
            except TerrellaError as error:
                reason = "no such file" if isinstance(error, NotFound) else error.message
                self.notes.append(f"left out {self._shown(href)}: {reason}")
        yield _scanned(
            self._root, "application/json", collections=collections, attrs=attrs, notes=_shortened(self.notes)
        )

    def _scan(self, href: str, collection: str | None) -> FileScan:
        document = read_json(href, most=_MOST_DOCUMENT)
        if type_of(document) == "Feature":
            return _scanned(href, "application/geo+json", items=[_item(document, href, collection)])
        collections, attrs = self._node(document, href)
        return _scanned(href, "application/json", collections=collections, attrs=attrs)

    def _node(self, document: Any, href: str) -> tuple[list[Document], dict[str, Any]]:
        """A catalogue or collection: what it is, its links noted for later."""
        is_collection = type_of(document) == "Collection"
        found = checked_collection(document) if is_collection else checked_catalog(document)
        for link in found["links"]:
            if link["rel"] in {"child", "item"}:
                self._add(absolute(link["href"], href), found["id"] if is_collection else None)
        if is_collection:
            return [with_absolute_addresses(found, href)], {}
        return [], {key: found[key] for key in ("id", "title", "description") if key in found}

    def _add(self, href: str, collection: str | None) -> None:
        if href in self._seen:
            return
        self._seen.add(href)
        if len(self._seen) > _MOST_FOLLOWED:
            raise Unreadable(f"The catalogue links to more than {_MOST_FOLLOWED:,} documents; add parts of it.")
        if self._is_inside(href):
            self._waiting.append((href, collection))
        else:
            self.notes.append(f"not followed, as it leads out of the catalogue: {href[:200]}")

    def _is_inside(self, href: str) -> bool:
        """Remote roots: same host. Local ones: below the root's folder, links of the file system resolved."""
        if is_remote(self._root):
            return urlsplit(href)[:2] == urlsplit(self._root)[:2]
        if "://" in href:
            return False
        return Path(href).resolve().is_relative_to(Path(self._root).parent.resolve())

    def _shown(self, href: str) -> str:
        return href.removeprefix(self._root.rsplit("/", 1)[0] + "/")


def _shortened(notes: list[str]) -> list[str]:
    hidden = len(notes) - _MOST_NOTES
    return notes if hidden <= 0 else [*notes[:_MOST_NOTES], f"and {hidden} more like these"]
