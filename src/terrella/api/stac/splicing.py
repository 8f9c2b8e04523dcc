"""Items with their links, made from the stored bytes: most of a document is neither parsed nor written again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from terrella.api.stac.links import kept

if TYPE_CHECKING:
    from terrella.api.stac.links import Addresses
    from terrella.model.stac import Document

_HEAD = re.compile(
    rb'\{"type":"Feature",(?:"stac_version":"[^"\\]*",)?(?:"stac_extensions":\[[^\]]*\],)?'
    rb'"id":"([\w.~-]+)",(?:"collection":"([^"\\]+)",)?'
)
"""How items begin here, the collection there or further on; other ids are left to the slow way, which escapes them."""
_NOT_PLAIN = re.compile(rb'"href"(?!:"(?!(?i:file:))[^/\\"])')
"""The href of a local file, or one that is not written as usual, wherever it is."""
_LINKS, _ASSETS = b',"links":', b',"assets":'


def item_with_links(document: bytes, addresses: Addresses) -> bytes:
    """As `Addresses.item` of the parsed document, written again."""
    made = None if addresses.assets.is_restricted else _spliced(document, addresses)
    return made or orjson.dumps(addresses.item(orjson.loads(document)))


def _spliced(document: bytes, addresses: Addresses) -> bytes | None:
    """None for documents that are not of the usual form."""
    head = _HEAD.match(document)
    start = document.rfind(_LINKS)
    if head is None or start < 0:
        return None
    file = _NOT_PLAIN.search(document)
    if file is not None:
        start = min(start, document.rfind(_ASSETS))
        if not 0 <= start < file.start():
            return None
    tail = _members(document, start)
    if tail is None:
        return None
    collection = head[2] or _text(tail.get("collection"))
    if not collection:
        return None
    links = head[1].join(addresses.item_links(collection))
    links = b"[%b]" % b",".join([links, *map(orjson.dumps, addresses.assets.links(kept(tail)))])
    if file is not None:
        tail["links"] = orjson.Fragment(links)
        tail = addresses.assets.addressed(tail, collection.decode(), head[1].decode())
        return document[: start + 1] + orjson.dumps(tail)[1:]
    return _exchanged(document, start, tail, links)


def _text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else b""


def _members(document: bytes, start: int) -> Document | None:
    """Members of the document from a comma on, links among them; None where the comma lies deeper inside.

    In valid JSON these bytes stand before a name, never in a text; and what follows closes just one object only where
    that name is a member of the document itself.
    """
    try:
        tail = orjson.loads(b"{" + document[start + 1 :])
    except orjson.JSONDecodeError:
        return None
    return tail if isinstance(tail.get("links"), list) else None


def _exchanged(document: bytes, start: int, tail: Document, links: bytes) -> bytes:
    """The document with other links, which stand first in its tail."""
    begin, old = start + len(_LINKS), orjson.dumps(tail["links"])
    if document.startswith(old, begin):
        return document[:begin] + links + document[begin + len(old) :]
    tail["links"] = orjson.Fragment(links)
    return document[: start + 1] + orjson.dumps(tail)[1:]
