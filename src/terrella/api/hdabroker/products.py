"""Whole products: named in a token, served as they lie, fetched by a job where they lie elsewhere."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from terrella.api.archives import Entry, serve_archive
from terrella.api.files import serve_file
from terrella.errors import NotFound
from terrella.model.order import Order
from terrella.site.ordering import products

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from terrella.model.caller import Caller
    from terrella.model.order import Product
    from terrella.site import Site

_MARK = "item."
"""How the download id of a product begins; all else are ids of jobs."""


def download_id(collection: str, item: str) -> str:
    """Says which item; whoever asks for it is asked for their rights each time."""
    return _MARK + base64.urlsafe_b64encode(orjson.dumps([collection, item])).decode().rstrip("=")


def named_in(name: str) -> tuple[str, str] | None:
    """Collection and item of a download id; None for a job's. Raises NotFound for one that is not of this site."""
    if not name.startswith(_MARK):
        return None
    text = name.removeprefix(_MARK)
    try:
        collection, item = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise NotFound("There is no such download.") from None
    return str(collection), str(item)


def order_of(collection: str, item: str) -> Order:
    return Order(collection, items=(item,))


def chosen(site: Site, caller: Caller, collection: str, item: str) -> Product:
    """The files of an item. Raises NotFound, Denied."""
    return products(site, caller, order_of(collection, item))[0]


def is_here(product: Product) -> bool:
    """Whether all files lie at this site."""
    return all(Path(part.href).is_absolute() for part in product.parts)


def serve(request: Request, product: Product) -> Response:
    """The file, or an archive of the files; whole or by range."""
    if len(product.parts) == 1:
        (part,) = product.parts
        return serve_file(request, Path(part.href), name=part.name.rpartition("/")[2], sha256=part.sha256)
    entries = [Entry.of(part.name, Path(part.href)) for part in product.parts]
    return serve_archive(request, entries, f"{product.item}.zip")
