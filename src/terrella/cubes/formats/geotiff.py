"""GeoTIFF and JPEG 2000: one part a file, one array a band, read block by block through GDAL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np

from terrella.cubes.documents.xml_documents import parse_xml
from terrella.cubes.images.bands import Band, bands_of
from terrella.cubes.images.gdal import TIFF, BandSource, ImageFile, check_complete, chunk_shape, driver_of
from terrella.cubes.images.times import Taken, taken
from terrella.errors import TerrellaError, Unreadable
from terrella.grids import raster_grid
from terrella.model.scan import ArrayScan, Axis, FileScan, Part
from terrella.storage.files import is_remote, local_path, read_range, read_whole, sha256, state

if TYPE_CHECKING:
    from terrella.contracts.formats import ChunkSource
    from terrella.contracts.grids import Grid

_MEDIA_TYPES = {
    "GTiff": "image/tiff; application=geotiff",
    "COG": "image/tiff; application=geotiff; profile=cloud-optimized",
    "JP2OpenJPEG": "image/jp2",
}
_GLOBAL = {
    "title": "title",
    "longname": "title",
    "imagedescription": "description",
    "summary": "description",
    "institution": "institution",
    "license": "license",
    "licence": "license",
    "copyright": "attribution",
    "reference": "references",
    "references": "references",
    "history": "history",
    "source": "source",
    "comment": "comment",
    "project": "project",
    "platform": "platform",
    "platformid": "platform",
    "platformshortname": "platform",
    "processinglevel": "processing:level",
    "identifierproductdoi": "sci:doi",
    "productversion": "version",
    "algorithmversion": "version",
}
_WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".j2w", ".wld")
_MOST_TAG_CHARACTERS = 2000
_GEOGRAPHIC = "EPSG:4326"
_NO_CRS = "no CRS stated: taken as longitude/latitude"


class GeoTiff:
    """Single raster files."""

    name = "geotiff"
    title = "GeoTIFF and COG, JPEG 2000"

    def claims(self, href: str, head: bytes) -> bool:  # noqa: ARG002 -- the first bytes say it all
        return driver_of(head) is not None

    def scan(self, href: str) -> Iterable[FileScan]:
        now = state(href)
        raster = ImageFile(href, driver_of(read_range(href, 0, min(16, now.size))) or TIFF)
        with raster.open() as dataset:
            check_complete(raster, dataset)
            tags = _tags(dataset)
            part, facts, notes = _part(dataset, href, tags)
            kind = "COG" if dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG" else raster.driver
        attrs = _global_facts(tags) | facts
        size, modified = now.size, now.modified
        return [
            FileScan(
                href, self.name, _MEDIA_TYPES[kind], size, modified, sha256(href), (part,), attrs=attrs, notes=notes
            )
        ]

    def source(self, array: ArrayScan, href: str) -> ChunkSource:
        return BandSource(ImageFile(href, array.codec["driver"]), int(array.codec["band"]), array)


def _part(dataset: Any, href: str, tags: dict[str, str]) -> tuple[Part, dict[str, Any], tuple[str, ...]]:
    stem = PurePosixPath(unquote(urlsplit(href).path) if is_remote(href) else href).stem
    grid, notes = _grid(dataset, href)
    bands, more = bands_of(dataset, stem, tags)
    if not bands:
        raise Unreadable(f"None of its bands can be read: {'; '.join(more)}.")
    when = taken(tags, stem)
    notes = [
        *notes,
        *more,
        *([f"time is from the {when.source}"] if when and when.source not in {"metadata", "MARS keys"} else []),
    ]
    if dataset.subdatasets:
        notes.append(f"it has {len(dataset.subdatasets)} pages: the first is read")
    axes = () if when is None else (time_axis(when.start.timestamp()),)
    arrays = tuple(_array(dataset, band, grid, axes) for band in bands)
    facts = {"bands": [band.facts for band in bands], "gsd": float(f"{grid.resolution():.6g}"), **_span(when)}
    return Part(grid.to_json(), axes, arrays), facts, tuple(notes)


def time_axis(seconds: float) -> Axis:
    """One instant, from seconds since 1970 UTC."""
    values = np.array([round(seconds * 1000)], dtype=np.int64)
    return Axis("time", "time", values, calendar="proleptic_gregorian", attrs={"standard_name": "time"})


def _array(dataset: Any, band: Band, grid: Grid, axes: tuple[Axis, ...]) -> ArrayScan:
    dims = (*(axis.name for axis in axes), *grid.dims)
    leading = (1,) * len(axes)
    codec = {"format": "geotiff", "band": band.number, "driver": dataset.driver}
    shape, chunks = (*leading, dataset.height, dataset.width), (*leading, *chunk_shape(dataset))
    return ArrayScan(band.name, dims, shape, chunks, band.dtype, codec, None, band.packing, band.attrs)


def _span(when: Taken | None) -> dict[str, str]:
    if when is None:
        return {}
    ends = {"start_datetime": when.start, "end_datetime": when.end} if when.end else {"datetime": when.start}
    return {key: at.isoformat().replace("+00:00", "Z") for key, at in ends.items()}


def _grid(dataset: Any, href: str) -> tuple[Grid, list[str]]:
    """Raises Unreadable for a raster that does not say where on the Earth it lies."""
    transform = dataset.transform
    if transform.is_identity:
        transform = _world_file(href, type(transform))
    if transform is None:
        points = "ground control points or RPCs only" if dataset.gcps[0] or dataset.rpcs else "none at all"
        raise Unreadable(f"It has no georeferencing that is read ({points}): it needs an affine transform and a CRS.")
    notes = []
    crs = dataset.crs.to_wkt() if dataset.crs else _GEOGRAPHIC
    if not dataset.crs:
        if not _looks_geographic(transform, dataset.height, dataset.width):
            raise Unreadable("It has no georeferencing that is read: a transform but no CRS, and it is not in degrees.")
        notes.append(_NO_CRS)
    elif (code := dataset.crs.to_epsg(confidence_threshold=100)) is not None:
        crs = f"EPSG:{code}"
    return raster_grid(crs, tuple(transform)[:6], dataset.height, dataset.width), notes


def _looks_geographic(transform: Any, height: int, width: int) -> bool:
    """Half a pixel may stand out over a pole."""
    a, b, c, d, e, f = tuple(transform)[:6]
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (0, width) for y in (0, height)]
    return all(-360 <= x <= 360 and -91 <= y <= 91 for x, y in corners)


def _world_file(href: str, affine: Any) -> Any:
    """Six numbers beside the raster (centre of the first pixel), which GDAL is not allowed to look for itself."""
    path = local_path(href)
    for ending in _WORLD_FILES if path else ():
        beside = path.with_suffix(ending) if path else None
        if beside and beside.is_file():
            try:
                a, d, b, e, c, f = (float(number) for number in read_whole(str(beside), most=4096).split()[:6])
            except (ValueError, TerrellaError) as error:
                raise Unreadable(f"Its world file {beside.name} is broken.") from error
            return affine(a, b, c - a / 2 - b / 2, d, e, f - d / 2 - e / 2)
    return None


def _tags(dataset: Any) -> dict[str, str]:
    """Tags of the file, with those of GDAL's imagery domain and those that some writers nest in one XML tag."""
    tags = {key: value for key, value in dataset.tags().items() if len(value) <= _MOST_TAG_CHARACTERS}
    tags |= dataset.tags(ns="IMAGERY")
    if "<GDALMetadata>" not in tags.get("GDAL_METADATA", ""):
        return tags
    try:
        root = parse_xml(tags.pop("GDAL_METADATA").encode())
    except Unreadable:
        return tags
    for item in root:
        name = item.get("name", "")
        tags.setdefault(name, (item.text or "").strip())
        if item.get("unit"):
            tags.setdefault(f"{name} unit", item.get("unit", ""))
    return tags


def _global_facts(tags: dict[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for key, value in tags.items():
        plain = re.sub(r"[^a-z0-9]", "", key.removeprefix("NC_GLOBAL#").removeprefix("TIFFTAG_").casefold())
        if plain in _GLOBAL and value.strip():
            facts.setdefault(_GLOBAL[plain], value.strip())
    instruments = [tags[key] for key in ("INSTRUMENTNAME", "NC_GLOBAL#instrument_type", "INSTRUMENT") if tags.get(key)]
    return facts | ({"instruments": instruments[:1]} if instruments else {})
