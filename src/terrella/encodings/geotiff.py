"""Cloud-optimised GeoTIFF, for answers on a regular grid: one band for each variable, time, level and member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.layout import DEGREES, Layout, layouts
from terrella.encodings.receipts import receipt_text, reference

if TYPE_CHECKING:
    from terrella.model.extraction import Extracted

MOST_BANDS = 4096
_UNEVEN = 1e-3
"""Of a cell: coordinates stored as float32 wobble that much."""


class GeoTiff:
    """Writes a cloud-optimised GeoTIFF, north up, longitudes ascending."""

    name = "geotiff"
    title = "GeoTIFF"
    media_type = "image/tiff; application=geotiff; profile=cloud-optimized"
    suffix = ".tif"

    def accepts(self, extracted: Extracted) -> str | None:
        if not extracted.dataset.data_vars:
            return "There is no variable to write."
        groups = layouts(extracted.dataset)
        if any(layout.kind != "grid" for layout in groups):
            return "GeoTIFF holds grids of rows and columns: ask with /cube, or for another format."
        if 0 in extracted.dataset.sizes.values():
            return "GeoTIFF cannot be empty."
        bands = sum(_bands_of(layout) * len(layout.names) for layout in groups)
        if bands > MOST_BANDS:
            return (
                f"It would have {bands:,} bands; at most {MOST_BANDS:,} are written. Ask for fewer times or variables."
            )
        if any(extracted.dataset[name].dtype.kind not in "fiub" for name in extracted.dataset.data_vars):
            return "GeoTIFF holds numbers only."
        return _uneven(groups[0])

    def encode(self, extracted: Extracted) -> bytes:
        import pyproj  # noqa: F401 -- before rasterio: both bundle libproj
        import rasterio
        from rasterio.io import MemoryFile
        from rasterio.shutil import copy

        groups = layouts(extracted.dataset)
        x, y, order = _north_up(groups[0])
        dtype = _dtype(extracted)
        bands = [band for layout in groups for band in _bands(layout)]
        profile: dict[str, Any] = {
            "driver": "GTiff",
            "width": x.size,
            "height": y.size,
            "count": len(bands),
            "dtype": dtype,
            "crs": _crs(groups[0].crs),
            "transform": _transform(x, y),
            "nodata": np.nan if dtype.kind == "f" else None,
            "bigtiff": "IF_SAFER",
        }
        with rasterio.Env(GDAL_NUM_THREADS="1"), MemoryFile() as plain, MemoryFile(ext=".tif") as made:
            with plain.open(**profile) as target:
                for number, (name, said, values) in enumerate(bands, 1):
                    target.write(values[order].astype(dtype, copy=False), number)
                    target.set_band_description(number, said)
                    target.set_band_unit(number, str(extracted.dataset[name].attrs.get("units", "")))
                target.update_tags(**_tags(extracted))
            with plain.open() as source:
                copy(source, made.name, driver="COG", compress="DEFLATE", overviews="NONE")
            return bytes(made.getbuffer())


def _bands_of(layout: Layout) -> int:
    times = 1 if layout.moments is None else layout.moments.shape[1]
    return len(layout.labels) * times * (1 if layout.heights is None else layout.heights.size)


def _bands(layout: Layout) -> list[tuple[str, str, np.ndarray]]:
    """Variable, description and values ``(y, x)`` of each band, times last to vary slowest."""
    made: list[tuple[str, str, np.ndarray]] = []
    for name in layout.names:
        array = layout.values(name)
        made += [(name, _said(layout, name, index), array[index]) for index in np.ndindex(array.shape[:3])]
    return made


def _said(layout: Layout, name: str, index: tuple[int, ...]) -> str:
    """'t2m 2019-03-01T00:00:00Z number=3 pressure=850'."""
    other, level, time = index
    words = [name]
    if layout.times is not None:
        words.append(layout.times[other][time])
    words += [f"{axis}={value}" for axis, value in layout.labels[other].items()]
    if layout.heights is not None:
        words.append(f"{layout.vertical}={layout.heights[level]:g}")
    return " ".join(words)


def _uneven(layout: Layout) -> str | None:
    for values in (_unwrapped(layout), layout.y):
        steps = np.diff(values.astype("f8"))
        if steps.size and np.abs(steps - steps.mean()).max() > _UNEVEN * abs(steps.mean()):
            return "GeoTIFF needs evenly spaced rows and columns, which this grid has not. Ask for another format."
    if layout.x.size == 1 and layout.y.size == 1:
        return "One cell does not say how large it is: a GeoTIFF needs two rows or columns."
    return None


def _unwrapped(layout: Layout) -> np.ndarray:
    """Columns that ascend, also where longitudes jump at the antimeridian."""
    x = layout.x.astype("f8")
    if layout.crs != DEGREES:
        return x
    turns = np.concatenate([[0], np.cumsum(np.diff(x) < 0)]) if (np.diff(x) > 0).any() else 0
    return np.asarray(x + 360.0 * turns)


def _north_up(layout: Layout) -> tuple[np.ndarray, np.ndarray, tuple[slice, slice]]:
    x, y = _unwrapped(layout), layout.y.astype("f8")
    rows = slice(None, None, -1) if y.size > 1 and y[0] < y[-1] else slice(None)
    columns = slice(None, None, -1) if x.size > 1 and x[0] > x[-1] else slice(None)
    return x[columns], y[rows], (rows, columns)


def _transform(x: np.ndarray, y: np.ndarray) -> Any:
    from rasterio.transform import from_origin

    width = float(x[-1] - x[0]) / (x.size - 1) if x.size > 1 else 0.0
    height = float(y[0] - y[-1]) / (y.size - 1) if y.size > 1 else 0.0
    width, height = width or height, height or width  # a single row is as high as its cells are wide
    return from_origin(x[0] - width / 2, y[0] + height / 2, width, height)


def _dtype(extracted: Extracted) -> np.dtype[Any]:
    joined = np.result_type(*(variable.dtype for variable in extracted.dataset.data_vars.values()))
    if joined.kind == "b":
        return np.dtype("u1")
    if joined.kind == "f" and joined.itemsize < 4:
        return np.dtype("f4")
    return joined.newbyteorder("=")


def _crs(crs: str) -> Any:
    import rasterio

    return rasterio.CRS.from_epsg(4326) if crs == DEGREES else rasterio.CRS.from_user_input(crs)


def _tags(extracted: Extracted) -> dict[str, str]:
    receipt = extracted.receipt
    return {
        "TERRELLA_RECEIPT": receipt_text(extracted),
        "LICENCE": receipt.licence,
        "ATTRIBUTION": receipt.attribution,
        "CITATION": reference(receipt),
        "TIFFTAG_SOFTWARE": receipt.software,
        "TIFFTAG_COPYRIGHT": receipt.attribution or receipt.licence,
        "AREA_OR_POINT": "Area",
    }
