"""The source behind a variable of scenes: blocks of the stated grid, out of one raster, or of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.cubes.images.gdal import ImageFile
from terrella.cubes.scenes.expressions import Expression, parse_expression
from terrella.cubes.scenes.rasters import RasterBand
from terrella.cubes.scenes.warping import Block, Raster, read, stored
from terrella.errors import TerrellaError
from terrella.model.scan import ArrayScan, FileScan, Packing

if TYPE_CHECKING:
    from terrella.contracts.formats import ChunkSource, Index

NAME = "scene"


class SceneFormat:
    """Never claims a file: arrays of this format are made by `terrella.cubes.scenes.indexing`."""

    name = NAME
    title = "Rasters read onto a stated grid"

    def claims(self, href: str, head: bytes) -> bool:  # noqa: ARG002 -- of any file
        return False

    def scan(self, href: str) -> Iterable[FileScan]:  # noqa: ARG002
        return ()

    def source(self, array: ArrayScan, href: str) -> ChunkSource:  # noqa: ARG002 -- the codec names all files
        return SceneSource(array)


def codec_of(
    bands: Mapping[str, RasterBand], expression: Expression | None, crs: str, transform: Iterable[float], method: str
) -> dict[str, Any]:
    """What `SceneSource` needs: bands by the names that the expression has for them, and where the array lies."""
    return {
        "format": NAME,
        "crs": crs,
        "transform": [float(one) for one in transform],
        "resampling": method,
        "expression": expression.text if expression else "",
        "bands": {name: _written(band, method) for name, band in bands.items()},
    }


def _written(band: RasterBand, method: str) -> dict[str, Any]:
    image, packing = band.image, band.packing
    return {
        "href": image.href,
        "driver": image.driver,
        "member": image.member,
        "stored": image.member_bytes,
        "band": band.number,
        "crs": band.crs,
        "transform": list(band.transform),
        "shape": [band.height, band.width],
        "dtype": band.dtype,
        "packing": [packing.scale, packing.offset, list(packing.missing), packing.valid_min, packing.valid_max],
        "resampling": "nearest" if "flag_values" in band.attrs and method not in ("nearest", "mode") else method,
    }


def _raster(written: Mapping[str, Any]) -> Raster:
    image = ImageFile(written["href"], written["driver"], written["member"], written["stored"])
    scale, offset, missing, low, high = written["packing"]
    height, width = written["shape"]
    packing = Packing(scale, offset, tuple(missing), low, high)
    transform = tuple(written["transform"])
    return Raster(image, written["band"], written["crs"], transform, height, width, written["dtype"], packing)


class SceneSource:
    """Safe for threads."""

    def __init__(self, array: ArrayScan) -> None:
        codec = array.codec
        self._array = array
        self._crs = str(codec["crs"])
        self._transform = tuple(codec["transform"])
        self._rasters = {name: _raster(written) for name, written in codec["bands"].items()}
        self._methods = {name: str(written["resampling"]) for name, written in codec["bands"].items()}
        self._expression = parse_expression(codec["expression"]) if codec["expression"] else None

    def _block(self, index: Index) -> Block:
        (height, width), (rows, columns) = self._array.shape[-2:], self._array.chunks[-2:]
        row, column = index[-2] * rows, index[-1] * columns
        a, b, c, d, e, f = self._transform
        return Block(
            self._crs, (a, b, c + a * column, d, e, f + e * row), min(rows, height - row), min(columns, width - column)
        )

    def stored(self, index: Index) -> int:
        """Bytes of the blocks of the rasters' files that lie under it; 0 where none does."""
        block = self._block(index)
        return sum(stored(raster, block, self._methods[name]) for name, raster in self._rasters.items())

    def load(self, index: Index) -> np.ndarray | None:
        """Values, unpacked, NaN where there are none; None where one of the rasters lies elsewhere altogether."""
        block = self._block(index)
        values = {}
        for name, raster in self._rasters.items():
            found = _named(raster, block, self._methods[name])
            if found is None:
                return None
            values[name] = found
        made = self._expression.of(values) if self._expression else next(iter(values.values()))
        leading = (1,) * (len(self._array.shape) - 2)
        return made.astype(self._array.dtype, copy=False).reshape(leading + made.shape)


def _named(raster: Raster, block: Block, method: str) -> np.ndarray | None:
    try:
        return read(raster, block, method)
    except TerrellaError as error:
        name = PurePosixPath(raster.image.member or raster.image.href).name
        raise type(error)(f"{name}: {error.message}", details=error.details) from error
