"""One band of one raster of a scene: where its file is, where it lies, what its numbers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np

from terrella.cubes.images.bands import Band, bands_of
from terrella.cubes.images.gdal import JPEG2000, ImageFile, chunk_shape, driver_of, using
from terrella.cubes.scenes.lattice import Affine
from terrella.errors import Unreadable
from terrella.grids import crs_text, grid_from_json
from terrella.model.scan import ArrayScan, FileScan, Packing
from terrella.storage.files import is_remote, read_range, state

if TYPE_CHECKING:
    from terrella.model.stac import Document

FORMATS = ("geotiff", "safe")
"""Names of the formats whose files are rasters that GDAL opens."""
_HEADERS = 4096


@dataclass(frozen=True, eq=False)
class RasterBand:
    """`names` are all that it goes by, folded; `dtype` is of its values: a float that holds them exactly."""

    name: str
    names: frozenset[str]
    item: str
    image: ImageFile
    number: int
    crs: str
    transform: Affine
    height: int
    width: int
    dtype: str
    packing: Packing
    attrs: dict[str, Any]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a pixel in the units of its CRS."""
        a, b, _, d, e, _ = self.transform
        return float(np.hypot(a, d)), float(np.hypot(b, e))

    def is_called(self, name: str) -> bool:
        return name.strip().casefold() in self.names


@dataclass(frozen=True, eq=False)
class _Header:
    """What opening a raster tells."""

    crs: str
    transform: Affine
    height: int
    width: int
    bands: tuple[Band, ...]


def scanned_bands(scan: FileScan, item: str) -> list[RasterBand]:
    """Bands of a file that was scanned when it was added; all its resolutions, whichever collection it is in."""
    said = {str(one.get("name")): one for one in scan.attrs.get("bands", ()) if isinstance(one, dict)}
    found = []
    for part in scan.parts if scan.format in FORMATS else ():
        grid = grid_from_json(part.grid)
        placed = _placed(grid)
        if placed is not None:
            crs, transform = placed
            found += [_scanned(scan, item, one, crs, transform, said.get(one.name, {})) for one in part.arrays]
    return found


def _placed(grid: Any) -> tuple[str, Affine] | None:
    transform = getattr(grid, "transform", None)
    if transform is not None:
        return grid.crs, transform
    if grid.kind == "regular":
        rows, columns = grid.coordinates()["lat"], grid.coordinates()["lon"]
        dy, dx = (float(line[1] - line[0]) if line.size > 1 else 0.0 for line in (rows, columns))
        dx, dy = dx or abs(dy), dy or -abs(dx)
        return grid.crs, (dx, 0.0, float(columns[0]) - dx / 2, 0.0, dy, float(rows[0]) - dy / 2)
    return None


def _scanned(
    scan: FileScan, item: str, array: ArrayScan, crs: str, transform: Affine, said: Mapping[str, Any]
) -> RasterBand:
    words = _names(array.name, said)
    height, width = array.shape[-2:]
    image, number = _image_of(scan.href, array)
    dtype = value_dtype(array.dtype)
    return RasterBand(
        array.name, words, item, image, number, crs, transform, height, width, dtype, array.packing, array.attrs
    )


def _image_of(href: str, array: ArrayScan) -> tuple[ImageFile, int]:
    codec = array.codec
    if codec.get("format") != "safe":
        return ImageFile(href, codec["driver"]), int(codec["band"])
    if codec["zip"]:
        return ImageFile(href, JPEG2000, codec["member"], int(codec["stored"])), 1
    return ImageFile(str(Path(href, codec["member"])), JPEG2000), 1


def asset_bands(item: Document, key: str, asset: Document) -> list[RasterBand]:
    """Bands of a raster that a STAC document names; the file is opened to see where it lies (once a version).

    Of nodata, scale and offset the file's own word goes first. Raises Unreadable, NotFound.
    """
    href = str(asset["href"])
    image = image_at(href)
    header = _header(image, image.version(), _stem(href))
    described = said_bands(asset)
    found = []
    for place, band in enumerate(header.bands):
        said = described[place] if place < len(described) else {}
        name = _display_name(key, band, said, alone=len(header.bands) == 1)
        words = _names(name, said, band.facts, *([{"name": key}] if len(header.bands) == 1 else []))
        found.append(
            RasterBand(
                name,
                words | _conventional(name, said, item),
                str(item["id"]),
                image,
                band.number,
                header.crs,
                header.transform,
                header.height,
                header.width,
                value_dtype(band.dtype),
                _packing(band.packing, said),
                band.attrs,
            )
        )
    return found


def image_at(href: str) -> ImageFile:
    """Raises Unreadable for what is neither TIFF nor JPEG 2000, NotFound for what is not there."""
    driver = driver_of(read_range(href, 0, min(16, state(href).size)))
    if driver is None:
        raise Unreadable(f"{PurePosixPath(href).name}: it is neither a TIFF nor a JPEG 2000 file.")
    return ImageFile(href, driver)


@lru_cache(maxsize=_HEADERS)
def _header(image: ImageFile, version: str, stem: str) -> _Header:
    del version  # a new one is opened again
    return using(image, lambda dataset: _read_header(dataset, stem))


def _read_header(dataset: Any, stem: str) -> _Header:
    chunk_shape(dataset)  # refuses bombs
    if dataset.crs is None or dataset.transform.is_identity:
        raise Unreadable(f"{stem}: it does not say where on the Earth it lies.")
    code = dataset.crs.to_epsg(confidence_threshold=100)
    crs = crs_text(f"EPSG:{code}" if code is not None else dataset.crs.to_wkt())
    bands, _ = bands_of(dataset, stem, dataset.tags())
    a, b, c, d, e, f = (float(one) for one in tuple(dataset.transform)[:6])
    return _Header(crs, (a, b, c, d, e, f), dataset.height, dataset.width, tuple(bands))


def _stem(href: str) -> str:
    return PurePosixPath(unquote(urlsplit(href).path) if is_remote(href) else href).stem


def said_bands(asset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What STAC says of an asset's bands: `bands` of 1.1, or `eo:bands` and `raster:bands` of before, together."""
    lists = [asset.get(key) for key in ("raster:bands", "eo:bands", "bands")]
    usable = [[one if isinstance(one, dict) else {} for one in part] for part in lists if isinstance(part, list)]
    made: list[dict[str, Any]] = [{} for _ in range(max((len(part) for part in usable), default=0))]
    for part in usable:
        for place, one in enumerate(part):
            made[place] |= {key: value for key, value in one.items() if value is not None}
    return made


def _display_name(key: str, band: Band, said: Mapping[str, Any], *, alone: bool) -> str:
    given = str(said.get("name") or "")
    return given or (key if alone else band.name)


def _names(name: str, *facts: Mapping[str, Any]) -> frozenset[str]:
    words = [name, *(one.get(key) for one in facts for key in ("name", "common_name", "eo:common_name"))]
    return frozenset(str(word).strip().casefold() for word in words if word)


_SENTINEL2 = {
    "b01": "coastal",
    "b02": "blue",
    "b03": "green",
    "b04": "red",
    "b05": "rededge071",
    "b06": "rededge075",
    "b07": "rededge078",
    "b08": "nir",
    "b8a": "nir08",
    "b09": "nir09",
    "b10": "cirrus",
    "b11": "swir16",
    "b12": "swir22",
}
"""Common names of the bands of Sentinel-2 as the STAC extension eo v1.1 has them."""


def _conventional(name: str, said: Mapping[str, Any], item: Mapping[str, Any]) -> frozenset[str]:
    """The common name of a band of Sentinel-2, where an item of that constellation leaves it out."""
    properties = item.get("properties") or {}
    who = f"{properties.get('constellation', '')} {properties.get('platform', '')}".casefold()
    if said.get("common_name") or said.get("eo:common_name") or "sentinel-2" not in who:
        return frozenset()
    return frozenset(filter(None, [_SENTINEL2.get(name.casefold()[:3])]))


def _packing(own: Packing, said: Mapping[str, Any]) -> Packing:
    nodata = said.get("nodata")
    missing = own.missing
    if not missing and nodata is not None and str(nodata).casefold() not in ("nan", "inf", "-inf"):
        missing = (float(nodata),)
    if (own.scale, own.offset) != (1.0, 0.0):
        return Packing(own.scale, own.offset, missing, own.valid_min, own.valid_max)
    scale, offset = (said.get(f"raster:{key}", said.get(key)) for key in ("scale", "offset"))
    return Packing(float(scale or 1.0), float(offset or 0.0), missing, own.valid_min, own.valid_max)


def value_dtype(stored: str) -> str:
    """The float that holds all numbers of a type: '<f4' up to 16 bits and for float32, else '<f8'."""
    kind = np.dtype(stored)
    return "<f4" if kind.itemsize <= 2 or (kind.kind == "f" and kind.itemsize <= 4) else "<f8"


def all_names(bands: Iterable[RasterBand]) -> list[str]:
    """Every name that some band goes by: its own as it is written, then the others."""
    found = dict.fromkeys(one.name for one in bands)
    folded = {name.casefold() for name in found}
    more = {word for one in bands for word in one.names if word not in folded}
    return [*found, *sorted(more)]
