"""Sentinel-2 products in SAFE layout, as a zip file or a folder: one part a resolution, one array a band."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from terrella.contracts.formats import ChunkSource
from terrella.cubes.documents.xml_documents import MOST_BYTES, parse_xml
from terrella.cubes.images.archives import Archive, archive_at, is_safe_name
from terrella.cubes.images.gdal import JPEG2000, BandSource, ImageFile, chunk_shape
from terrella.cubes.images.sentinel2 import BANDS, Product, product_of
from terrella.errors import TerrellaError, Unreadable, Unsupported
from terrella.grids import raster_grid
from terrella.model.scan import ArrayScan, Axis, FileScan, Part
from terrella.storage.files import FileState, folder_state, is_remote, sha256, state

_METADATA = re.compile(r"(?:[^/]+/)?MTD_MSIL(?:1C|2A)\.xml")
_IMAGE = re.compile(r"(?:[^/]+/)?GRANULE/[^/]+/IMG_DATA/(?:R\d+m/)?[^/]*_([A-Z0-9]{3})(?:_\d+m)?\.jp2")
_READ = (*BANDS, "AOT", "WVP", "SCL")


class Safe:
    """Sentinel-2 products, level 1C and 2A."""

    name = "safe"
    title = "Sentinel-2 SAFE (zip or folder)"

    def claims(self, href: str, head: bytes) -> bool:
        if is_remote(href):
            return head.startswith(b"PK\x03\x04") and "_MSIL" in href.rsplit("/", 1)[-1]
        if Path(href).is_dir():
            return any(_METADATA.fullmatch(inner.name) for inner in Path(href).glob("MTD_MSIL*.xml"))
        if not head.startswith(b"PK\x03\x04"):
            return False
        try:
            return any(_METADATA.fullmatch(name) for name in archive_at(href).members)
        except TerrellaError:
            return "_MSIL" in Path(href).name  # so that the reason is told

    def scan(self, href: str) -> Iterable[FileScan]:
        if is_remote(href):
            raise Unsupported("SAFE products are read from local files only; fetch it first.")
        archive = archive_at(href)
        product = _product(archive)
        images = _images(archive)
        parts, bands, notes = _parts(archive, product, images)
        attrs = product.facts | {"bands": bands, "gsd": min(band["gsd"] for band in bands)}
        now, checksum = _fingerprint(href, archive)
        kind = "application/zip" if archive.is_zip else "application/x-directory"
        return [FileScan(href, self.name, kind, now.size, now.modified, checksum, parts, attrs=attrs, notes=notes)]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        member = str(array.codec["member"])
        if not is_safe_name(member):
            raise Unreadable("The name of a band leads out of its product.")
        image = _image(href, member, is_zip=bool(array.codec["zip"]), stored=int(array.codec["stored"]))
        return BandSource(image, 1, array)


def _fingerprint(href: str, archive: Archive) -> tuple[FileState, str]:
    return (state(href), sha256(href)) if archive.is_zip else folder_state(Path(href))


def _product(archive: Archive) -> Product:
    name = next((name for name in archive.members if _METADATA.fullmatch(name)), None)
    if name is None:
        raise Unreadable("It has no MTD_MSIL1C.xml or MTD_MSIL2A.xml: it is no Sentinel-2 product that is read.")
    return product_of(parse_xml(archive.read(name, most=MOST_BYTES)))


def _images(archive: Archive) -> dict[str, str]:
    """Band by member, of the bands that are there. Raises Unreadable when there are none."""
    found = {name: match[1] for name in archive.members if (match := _IMAGE.fullmatch(name))}
    if not any(band in _READ for band in found.values()):
        raise Unreadable("The product holds no image of a band (GRANULE/*/IMG_DATA/*.jp2).")
    return found


def _image(href: str, member: str, *, is_zip: bool, stored: int) -> ImageFile:
    return ImageFile(href, JPEG2000, member, stored) if is_zip else ImageFile(str(Path(href, member)), JPEG2000)


def _parts(
    archive: Archive, product: Product, images: dict[str, str]
) -> tuple[tuple[Part, ...], list[dict[str, Any]], tuple[str, ...]]:
    """A part for each resolution; facts of the bands; notes on what is left out."""
    axis = _time(product)
    arrays: dict[str, list[ArrayScan]] = defaultdict(list)
    grids: dict[str, dict[str, Any]] = {}
    bands: dict[str, dict[str, Any]] = {}
    for member, band in sorted(images.items()):
        if band not in _READ:
            continue
        grid, label, array = _band(archive, member, band, product)
        if grids.setdefault(label, grid) != grid:
            raise Unreadable(f"Its bands at {label} do not lie on one grid: products of several tiles are not read.")
        arrays[label].append(array)
        facts = product.spectral.get(band, {"name": band}) | {"gsd": int(label[1:])}
        bands[band] = min(bands.get(band, facts), facts, key=lambda one: int(one["gsd"]))
    parts = tuple(Part(grids[label], (axis,), tuple(arrays[label]), label) for label in sorted(arrays))
    left_out = sorted({band for band in images.values() if band not in _READ})
    notes = (f"pictures are left out: {', '.join(left_out)}",) if left_out else ()
    return parts, list(bands.values()), notes


def _band(archive: Archive, member: str, band: str, product: Product) -> tuple[dict[str, Any], str, ArrayScan]:
    """(grid, label, array)."""
    stored = archive.stored[member]
    with _image(archive.href, member, is_zip=archive.is_zip, stored=stored).open() as dataset:
        if dataset.count != 1 or dataset.crs is None or dataset.dtypes[0] not in {"uint8", "uint16"}:
            raise Unreadable(f"{member} is no band of Sentinel-2.")
        code = dataset.crs.to_epsg()
        crs = f"EPSG:{code}" if code else dataset.crs.to_wkt()
        grid = raster_grid(crs, tuple(dataset.transform)[:6], dataset.height, dataset.width)
        shape, chunks = (1, dataset.height, dataset.width), (1, *chunk_shape(dataset))
        dtype, label = np.dtype(dataset.dtypes[0]).newbyteorder("<").str, f"r{round(dataset.transform.a)}"
    codec = {"format": "safe", "member": member, "zip": archive.is_zip, "stored": stored}
    attrs, packing = product.attrs(band), product.packing(band)
    return (
        grid.to_json(),
        label,
        ArrayScan(band, ("time", *grid.dims), shape, chunks, dtype, codec, None, packing, attrs),
    )


def _time(product: Product) -> Axis:
    values = np.array([round(product.start.timestamp() * 1000)], dtype=np.int64)
    return Axis("time", "time", values, calendar="proleptic_gregorian", attrs={"standard_name": "time"})
