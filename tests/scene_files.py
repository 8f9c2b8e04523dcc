"""Small scenes for tests: GeoTIFFs in several UTM zones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import rasterio
from rasterio.transform import Affine


def write_scene(
    path: Path,
    values: dict[str, np.ndarray],
    *,
    crs: str = "EPSG:32632",
    corner: tuple[float, float] = (700000.0, 5200000.0),
    size: float = 10.0,
    taken: str = "2023:06:01 10:30:00",
    nodata: float | None = 0,
    scale: float = 1.0,
    offset: float = 0.0,
    overviews: tuple[int, ...] = (),
    block: int = 64,
) -> Path:
    """One file with a named band for each array, north up."""
    first = next(iter(values.values()))
    profile = {
        "driver": "GTiff",
        "height": first.shape[0],
        "width": first.shape[1],
        "count": len(values),
        "dtype": first.dtype.name,
        "crs": crs,
        "transform": Affine(size, 0, corner[0], 0, -size, corner[1]),
        "nodata": nodata,
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "compress": "deflate",
        "interleave": "band",
    }
    with rasterio.open(path, "w", **profile) as file:
        for number, (name, array) in enumerate(values.items(), 1):
            file.write(array, number)
            file.set_band_description(number, name)
        file.update_tags(TIFFTAG_DATETIME=taken)
        if (scale, offset) != (1.0, 0.0):
            file.scales, file.offsets = [scale] * len(values), [offset] * len(values)
        if overviews:
            file.build_overviews(list(overviews), rasterio.enums.Resampling.average)
    return path


def lonlat(crs: str, x: float, y: float) -> tuple[float, float]:
    return pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x, y)


def numbers(seed: int, shape: tuple[int, int], *, low: int = 1, high: int = 10000, holes: float = 0.0) -> np.ndarray:
    """uint16 noise, some of it 0 (missing)."""
    random = np.random.default_rng(seed)
    made = random.integers(low, high, shape).astype("u2")
    made[random.random(shape) < holes] = 0
    return made
