"""A file of polygons as what the catalogue keeps of it: one STAC item, whose asset is the file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import shapely

from terrella.cubes.vectors.features import Features
from terrella.cubes.vectors.reading import MEDIA_TYPES, kind, read_features
from terrella.grids.outlines import boxes
from terrella.model.scan import FileScan
from terrella.model.space import Extent
from terrella.model.stac import REGIONS, STAC_VERSION
from terrella.storage.files import is_remote, sha256, state

if TYPE_CHECKING:
    from terrella.model.stac import Document
    from terrella.storage.files import FileState

_FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"


def scan_features(href: str, name: str) -> FileScan:
    """`name` is of the format that claimed it. Raises Unreadable where it holds no polygons."""
    found, now = read_features(href), state(href)
    media_type = MEDIA_TYPES[kind(href)]
    checksum = sha256(href)
    item = _item(href, found, _moment(href, now))
    item["assets"]["data"] |= {"type": media_type, "file:size": now.size, "file:checksum": checksum}
    return FileScan(href, name, media_type, now.size, now.modified, checksum, items=(item,))


def _item(href: str, found: Features, at: str) -> Document:
    title = href.rstrip("/").rpartition("/")[2]
    west, south, east, north = shapely.total_bounds(found.outlines).tolist()
    around = Extent(west, south, east, north)
    stem = title.partition(".")[0] or title
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_FILE],
        "id": stem,
        "bbox": around.bbox(),
        "geometry": boxes(around),
        "properties": {
            "datetime": at,
            "terrella:undated": True,
            "title": title,
            "description": f"Named regions, {len(found.ids):,} of them: {', '.join(found.titles[:8])}.",
            "terrella:regions": len(found.ids),
        },
        "assets": {"data": {"href": href, "title": title, "roles": ["data", REGIONS]}},
        "links": [],
    }


def _moment(href: str, now: FileState) -> str:
    """When the file was written; outlines have no time of their own."""
    at = 0.0 if is_remote(href) or not now.modified.isdecimal() else int(now.modified) / 1e9
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
