"""Downloads of this dialect: a file of an item, or the whole of it; by range, checksummed, never compressed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from terrella.api.archives import Entry, entries_below, serve_archive
from terrella.api.assets import check_item, elsewhere, is_local, located
from terrella.api.caller import caller_of
from terrella.api.files import serve_file
from terrella.api.hda.addresses import BACKEND
from terrella.api.hda.documents import WHOLE, local_files
from terrella.errors import NotFound, nearest_names

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from terrella.model.stac import Document
    from terrella.site import Site

_SHA256 = "1220"
"""How a multihash of SHA-256 begins."""


def download(site: Site, request: Request, backend: str, collection: str, item: str, asset: str) -> Response:
    """An asset by its name here, or `downloadLink`. Raises NotFound, Denied, Unsupported."""
    if backend != BACKEND:
        raise NotFound(f"There is no provider {backend!r:.60} here: there is {BACKEND}.", parameter="provider")
    caller = caller_of(request)
    document: Document = orjson.loads(site.catalog.item(caller, collection, item))
    check_item(site, caller, document)
    files = {shown: (key, href) for key, (shown, href) in local_files(document).items()}
    assets = document.get("assets") or {}
    if asset == WHOLE:
        return _whole(site, request, document, files)
    key, href = files.get(asset) or (asset, str((assets.get(asset) or {}).get("href", "")))
    if not href:
        known = nearest_names(asset, [WHOLE, *files, *assets])
        raise NotFound(f"The item has no asset {asset!r:.80}. {known}", parameter="asset_key")
    if not is_local(href):
        return elsewhere(href)
    return _file(request, document, key, located(site, collection, item, href))


def _whole(site: Site, request: Request, document: Document, files: dict[str, tuple[str, str]]) -> Response:
    collection, item = str(document["collection"]), str(document["id"])
    if not files:
        for asset in (document.get("assets") or {}).values():
            if "data" in (asset.get("roles") or ()):
                return elsewhere(str(asset["href"]))
        raise NotFound("This item has no files.", parameter="asset_key")
    places = {shown: located(site, collection, item, href) for shown, (_, href) in files.items()}
    if len(places) == 1:
        ((_, path),) = places.items()
        key = next(iter(files.values()))[0]
        return _file(request, document, key, path, _product_name(item, path))
    entries: list[Entry] = []
    for shown, path in places.items():
        entries += entries_below(path) if path.is_dir() else [Entry.of(shown, path)]
    return serve_archive(request, entries, f"{item}.zip")


def _product_name(item: str, path: Path) -> str:
    """Another name than the file has: clients that fetch all assets of an item save them side by side."""
    made = f"{item}{path.suffix}"
    return made if made != path.name else f"{item}-product{path.suffix}"


def _file(request: Request, document: Document, key: str, path: Path, name: str = "") -> Response:
    if path.is_dir():
        return serve_archive(request, entries_below(path), f"{name or path.name}.zip")
    asset = (document.get("assets") or {}).get(key) or {}
    kind = str(asset.get("type") or "application/octet-stream")
    return serve_file(request, path, media_type=kind, name=name or path.name, sha256=_checksum(asset, path))


def _checksum(asset: Document, path: Path) -> str:
    """As it was when the file was added; nothing where the file has another size since."""
    said = str(asset.get("file:checksum", ""))
    try:
        same = path.stat().st_size == asset.get("file:size")
    except OSError:
        return ""
    return said.removeprefix(_SHA256) if same and said.startswith(_SHA256) and len(said) == len(_SHA256) + 64 else ""
