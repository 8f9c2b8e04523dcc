"""Items of a catalogue as scenes: which of their assets are rasters, and what these hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrella.cubes.scenes.indexing import Scene
from terrella.cubes.scenes.rasters import RasterBand, asset_bands, said_bands, scanned_bands
from terrella.errors import NotFound, Unreadable, Unsupported
from terrella.model.space import wrap180
from terrella.storage.files import is_remote, local_path

if TYPE_CHECKING:
    from terrella.model.scan import FileScan
    from terrella.model.stac import Document

_ENDINGS = (".tif", ".tiff", ".jp2", ".j2k")
_TYPES = ("image/tiff", "image/jp2", "image/vnd.stac.geotiff")
_SAFE = ("application/zip", "application/x-directory")
"""Of assets that hold rasters in a folder of their own."""
_NO_DATA = {"thumbnail", "overview", "metadata"}
"""Roles of assets that are pictures of the data, not the data."""


def scenes_of(
    items: Sequence[Document], scans: Mapping[str, FileScan], added: Callable[[], Iterable[str]]
) -> list[Scene]:
    """`scans` of files that were scanned when they were added, by href; `added` gives all hrefs that ever were.

    Raises Unsupported where no item has a raster, with the reason why the first one is not read.
    """
    allowed = _Allowed(added)
    found, reasons = [], []
    for item in items:
        bands: list[RasterBand] = []
        for key, asset in item["assets"].items():
            try:
                bands += _bands(item, key, asset, scans, allowed)
            except (Unreadable, NotFound, Unsupported) as error:
                reasons.append(f"{item['id']}: {error.message}")
        if bands:
            found.append(Scene(str(item["id"]), tuple(bands), taken(item), _middle(item)))
    if not found:
        why = f" {reasons[0]}" if reasons else ""
        raise Unsupported(
            f"No item there has a raster that can be read onto a grid (GeoTIFF, COG, JPEG 2000, SAFE).{why}",
            parameter="collection",
        )
    return found


def band_facts(items: Iterable[Document]) -> dict[str, Document]:
    """What documents say of bands, by the name that each goes by first: no file is opened for it."""
    found: dict[str, Document] = {}
    for item in items:
        for key, asset in item["assets"].items():
            if _is_raster(asset) or str(asset.get("type")) in _SAFE:
                for name, said in _named(key, said_bands(asset)):
                    found.setdefault(name, said)
    return found


def _named(key: str, said: list[dict[str, Any]]) -> Iterator[tuple[str, Document]]:
    if len(said) < 2:
        said = said or [{}]
        yield str(said[0].get("name") or key), said[0]
        return
    for one in said:
        if one.get("name"):
            yield str(one["name"]), one


def _bands(
    item: Document, key: str, asset: Document, scans: Mapping[str, FileScan], allowed: _Allowed
) -> list[RasterBand]:
    scan = scans.get(str(asset["href"]))
    if scan is not None and scan.parts:
        return scanned_bands(scan, str(item["id"]))
    if not _is_raster(asset):
        return []
    allowed.check(str(asset["href"]))
    return asset_bands(item, key, asset)


def _is_raster(asset: Document) -> bool:
    if _NO_DATA & set(asset.get("roles") or ()):
        return False
    kind = str(asset.get("type") or "").casefold()
    path = str(asset["href"]).split("?", 1)[0].casefold()
    return kind.startswith(_TYPES) if kind else path.endswith(_ENDINGS)


class _Allowed:
    """Local files that documents may name: those beside or below files that the operator added."""

    def __init__(self, added: Callable[[], Iterable[str]]) -> None:
        self._added = added
        self._folders: set[Path] | None = None

    def check(self, href: str) -> None:
        """Raises Unsupported."""
        path = local_path(href)
        if path is None:
            return
        if self._folders is None:
            known = (one for one in self._added() if not is_remote(one))
            self._folders = {Path(one.removeprefix("file://")).resolve().parent for one in known}
        if not self._folders & set(path.resolve().parents):
            raise Unsupported(f"{path.name} does not lie beside the files that were added: add it, or its folder.")


def taken(item: Document) -> datetime | None:
    """When; None where nobody knows."""
    properties = item["properties"]
    said = properties.get("datetime") or properties.get("start_datetime")
    if not said or properties.get("terrella:undated"):
        return None
    return datetime.fromisoformat(str(said))


def _middle(item: Document) -> float:
    box = item.get("bbox") or [0.0, 0.0, 0.0, 0.0]
    west, east = float(box[0]), float(box[len(box) // 2])
    return wrap180(west + (east - west) % 360.0 / 2)
