"""Which files belong to an item, and who may have them: the one place that decides it for every way out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson

from terrella.access.rules import is_open, readers, wanted
from terrella.errors import Denied, NotFound
from terrella.model.caller import OPERATOR

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site


def collection_of(site: Site, name: str) -> Document:
    """A collection's whole document, to try rules on: never to be shown. {} where there is none."""
    try:
        found: Document = orjson.loads(site.catalog.collection(OPERATOR, name))
    except NotFound:
        return {}
    return found


def check_item(site: Site, caller: Caller, item: Document) -> None:
    """Raises Denied, with the roles that it takes, unless a caller may read an item that they found."""
    if caller.reads is None:
        return
    collection = collection_of(site, str(item["collection"]))
    if is_open(caller.reads, collection, item):
        return
    roles = readers(site.settings.access.rules, collection, item)
    text = f"You may know of {item['id']!r:.80}, but not read it. {wanted(roles)}"
    raise Denied(text, details={"roles": list(roles)})


def is_local(href: Any) -> bool:
    """Whether an href is a file of this machine."""
    return isinstance(href, str) and (href.startswith(("/", "\\")) or href[:5].lower() == "file:")


def located(site: Site, collection: str, item: str, href: str) -> Path:
    """The file or folder, if it was added to the site as this item: nothing else of this machine is given away.

    Raises NotFound.
    """
    path = unquote(urlsplit(href).path) if href[:5].lower() == "file:" else href
    real = os.path.realpath(path)
    root = site.lake.root(collection, item, os.path.normpath(path))
    if root is None or not _is_within(real, os.path.realpath(root)):
        raise NotFound("This file was not added to the site, so it is not served.", parameter="asset_key")
    return Path(real)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
