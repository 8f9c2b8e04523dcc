"""STAC documents of strangers: checked, brought to STAC 1.1, their addresses made absolute."""

from __future__ import annotations

import math
import os.path
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from terrella.errors import Invalid, Unreadable
from terrella.model.stac import STAC_VERSION, Document
from terrella.model.time import parse_instant
from terrella.storage.files import is_remote

_READ_VERSIONS = re.compile(r"(?:0\.9|1\.[01])(?:\.\d+)?(?:-[\w.]+)?")
_STRUCTURE = {"self", "root", "parent", "child", "item", "items", "collection"}
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_MOST_ID = 1024


def checked_item(document: Any) -> Document:
    """An item that can be catalogued. Raises Unreadable that names what is wrong."""
    name = _checked_identity(document, "item", "Feature")
    geometry, bbox, properties = document.get("geometry"), document.get("bbox"), document.get("properties")
    if geometry is not None:
        check_geometry(geometry, name)
    if bbox is not None or geometry is not None:
        _check_bbox(bbox, name)
    if not isinstance(properties, dict):
        raise Unreadable(f"{name}: 'properties' must be an object.")
    _check_times(properties, name)
    _check_assets(document.setdefault("assets", {}), name)
    document["links"] = _usable_links(document.get("links", []), name)
    collection = document.get("collection")
    if collection is not None and not (isinstance(collection, str) and collection):
        raise Unreadable(f"{name}: 'collection' must be a text.")
    document["stac_version"] = STAC_VERSION
    return dict(document)


def checked_collection(document: Any) -> Document:
    """A collection that can be catalogued. Raises Unreadable that names what is wrong."""
    name = _checked_identity(document, "collection", "Collection")
    extent = document.get("extent")
    if not isinstance(extent, dict):
        raise Unreadable(f"{name}: 'extent' is missing.")
    _check_extent(extent, name)
    _check_assets(document.get("assets", {}), name)
    document["links"] = _usable_links(document.get("links", []), name)
    document.setdefault("description", document.get("title") or document["id"])
    document.setdefault("license", "other")
    document["stac_version"] = STAC_VERSION
    return dict(document)


def checked_catalog(document: Any) -> Document:
    """A catalogue whose links can be followed. Raises Unreadable."""
    name = _checked_identity(document, "catalog", "Catalog")
    document["links"] = _usable_links(document.get("links", []), name)
    return dict(document)


def _checked_identity(document: Any, word: str, kind: str) -> str:
    """Its name for messages."""
    if not isinstance(document, dict):
        raise Unreadable(f"A STAC {word} is an object, not {type(document).__name__}.")
    found, version = document.get("id"), document.get("stac_version", STAC_VERSION)
    if not isinstance(found, str) or not found.strip() or len(found) > _MOST_ID or not found.isprintable():
        raise Unreadable(f"A STAC {word} has no usable 'id': {str(found)[:60]!r}.")
    name = f"{word} {found[:80]!r}"
    if document.get("type") != kind:
        raise Unreadable(f"{name}: 'type' is {str(document.get('type'))[:40]!r}, not {kind!r}.")
    if not isinstance(version, str) or not _READ_VERSIONS.fullmatch(version):
        raise Unreadable(f"{name}: STAC {str(version)[:20]} is not read; 0.9, 1.0 and 1.1 are.")
    return name


def check_geometry(geometry: Any, name: str) -> None:
    """GeoJSON with finite numbers on the Earth."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        for inner in geometry["geometries"]:
            if isinstance(inner, dict) and inner.get("type") == "GeometryCollection":
                raise Unreadable(f"{name}: 'geometry' nests collections.")
            check_geometry(inner, name)
        return
    if kind not in _DEPTH:
        raise Unreadable(f"{name}: 'geometry' is no GeoJSON geometry ({str(kind)[:40]!r}).")
    _check_coordinates(geometry.get("coordinates"), _DEPTH[kind], name)


def _check_coordinates(found: Any, depth: int, name: str) -> None:
    if not isinstance(found, list) or not found:
        raise Unreadable(f"{name}: 'geometry' has broken coordinates.")
    if depth:
        for inner in found:
            _check_coordinates(inner, depth - 1, name)
        return
    if len(found) < 2 or not all(_is_number(one) for one in found):
        raise Unreadable(f"{name}: 'geometry' has a position that is no pair of numbers: {str(found)[:60]}.")
    if abs(found[0]) > 540 or abs(found[1]) > 90.5:
        raise Unreadable(f"{name}: 'geometry' has a position that is not on the Earth: {str(found[:2])[:60]}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_bbox(bbox: Any, name: str) -> None:
    """A missing one is left to whoever catalogues it."""
    if bbox is None:
        return
    if not isinstance(bbox, list) or len(bbox) not in {4, 6} or not all(_is_number(one) for one in bbox):
        raise Unreadable(f"{name}: 'bbox' must be 4 or 6 numbers.")
    if bbox[1] > bbox[len(bbox) // 2 + 1]:
        raise Unreadable(f"{name}: 'bbox' has its south above its north.")


def _check_times(properties: Document, name: str) -> None:
    """A datetime, or null with start and end."""
    at = properties.get("datetime")
    ends = [properties.get("start_datetime"), properties.get("end_datetime")]
    if at is None and not all(isinstance(one, str) for one in ends):
        raise Unreadable(f"{name}: 'datetime' is missing, and there are no start_datetime and end_datetime.")
    for key in ("datetime", "start_datetime", "end_datetime"):
        value = properties.get(key)
        if value is not None:
            _check_time(value, key, name)


def _check_time(value: Any, key: str, name: str) -> None:
    try:
        parse_instant(value if isinstance(value, str) else str(value))
    except Invalid as error:
        raise Unreadable(f"{name}: {key!r}: {error.message}") from None


def _check_extent(extent: Document, name: str) -> None:
    spatial, temporal = extent.get("spatial"), extent.get("temporal")
    boxes = spatial.get("bbox") if isinstance(spatial, dict) else None
    spans = temporal.get("interval") if isinstance(temporal, dict) else None
    if not isinstance(boxes, list) or not boxes or not isinstance(spans, list) or not spans:
        raise Unreadable(f"{name}: 'extent' needs spatial.bbox and temporal.interval.")
    for box in boxes:
        _check_bbox(box if box is not None else [], name)
    for span in spans:
        if not isinstance(span, list) or len(span) != 2:
            raise Unreadable(f"{name}: 'extent.temporal.interval' needs pairs of times.")
        for end in span:
            if end is not None:
                _check_time(end, "extent.temporal", name)


def _check_assets(assets: Any, name: str) -> None:
    if not isinstance(assets, dict):
        raise Unreadable(f"{name}: 'assets' must be an object.")
    for key, asset in assets.items():
        if not isinstance(asset, dict) or not isinstance(asset.get("href"), str):
            raise Unreadable(f"{name}: asset {key[:60]!r} has no 'href'.")


def _usable_links(links: Any, name: str) -> list[Document]:
    """Those with `href` and `rel`: catalogues in the wild have others, and they lead nowhere."""
    if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
        raise Unreadable(f"{name}: 'links' must be a list of objects.")
    return [link for link in links if isinstance(link.get("href"), str) and isinstance(link.get("rel"), str)]


def type_of(document: Any) -> str | None:
    """Its `type`, also of collections and catalogues from before STAC 1.0, which had none."""
    if not isinstance(document, dict):
        return None
    found = document.get("type")
    if found is None and isinstance(document.get("stac_version"), str) and isinstance(document.get("links"), list):
        found = document["type"] = "Collection" if isinstance(document.get("extent"), dict) else "Catalog"
    return found if isinstance(found, str) else None


def absolute(href: str, base: str) -> str:
    """An address as seen from the document at `base` (a path or URL), with local ones as plain paths."""
    if urlsplit(href).scheme in {"http", "https", "s3", "gs", "abfs", "az", "ftp"} or is_remote(base):
        return urljoin(base, href) if not urlsplit(href).scheme else href
    plain = unquote(href.removeprefix("file://")) if "%" in href or href.startswith("file://") else href
    if urlsplit(plain).scheme and "://" in plain:
        return plain
    # normpath does not ask the file system, which would follow links
    return os.path.normpath(Path(base).parent / plain)


def with_absolute_addresses(document: Document, base: str) -> Document:
    """A copy: assets absolute; links that tell of structure gone (the catalogue writes its own), others absolute."""
    made = dict(document)
    links = [link for link in document["links"] if link["rel"] not in _STRUCTURE]
    made["links"] = [link | {"href": absolute(link["href"], base)} for link in links]
    if "assets" in document:
        made["assets"] = {
            key: asset | {"href": absolute(asset["href"], base)}
            for key, asset in document["assets"].items()
            if not (is_remote(base) and asset["href"].startswith("file:"))
        }
    return made
