"""An image of a site to make examples of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from terrella.model.search import Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site


@dataclass(frozen=True, slots=True)
class Scene:
    """An item with an asset that GDAL reads: its projected image, as STAC says it."""

    collection: str
    item: str
    asset: str
    band: str
    """As odc-stac calls it: the asset, and of several bands the first."""
    path: str
    """Of the bytes, below the address of the site."""
    bbox: tuple[float, float, float, float]


def first_scene(site: Site, caller: Caller, documents: Sequence[Document]) -> Scene | None:
    """The first item with a projected GeoTIFF, of at most a few items of each collection."""
    reader = caller.reading()
    for document in documents:
        page = site.catalog.search(reader, Search(collections=(document["id"],), limit=3))
        for content in page.documents:
            found = _scene_of(orjson.loads(content))
            if found is not None:
                return found
    return None


def _scene_of(item: Document) -> Scene | None:
    about = item.get("properties", {})
    for name, asset in item.get("assets", {}).items():
        code = asset.get("proj:code") or about.get("proj:code")
        placed = asset.get("proj:transform") or about.get("proj:transform")
        if "tiff" not in str(asset.get("type", "")) or not code or not placed or len(item.get("bbox") or ()) != 4:
            continue
        bands = asset.get("bands") or []
        band = str(bands[0].get("name") or name) if len(bands) == 1 else name
        path = f"/stac/collections/{item['collection']}/items/{item['id']}/assets/{name}"
        west, south, east, north = item["bbox"]
        return Scene(str(item["collection"]), str(item["id"]), name, band, path, (west, south, east, north))
    return None
