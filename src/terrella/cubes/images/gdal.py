"""Rasters through GDAL, opened so that nothing but the named file is read, and read block by block from any thread."""

from __future__ import annotations

import atexit
import contextvars
import math
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj  # noqa: F401 -- before rasterio: both bundle libproj
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from terrella.cubes.images.remote import RemoteImage
from terrella.errors import Unreadable, Unsupported
from terrella.storage.files import is_remote, local_path, read_range, state

if TYPE_CHECKING:
    from terrella.contracts.formats import Index
    from terrella.model.scan import ArrayScan

TIFF = "GTiff"
JPEG2000 = "JP2OpenJPEG"
_TIFF_HEADS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_CODE_STREAM = b"\xff\x4f\xff\x51"
_JP2_HEADS = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", _CODE_STREAM)
_KEPT_OPEN = 64
_THIN = 1 << 16
MOST_BLOCK_BYTES = 512 << 20
"""A block larger than this, decoded, is taken for a bomb."""
_GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no side files: neither .aux.xml nor .ovr nor .msk
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",  # GDAL itself never fetches anything
    "GDAL_HTTP_MAX_RETRY": "0",
}
one_by_one = threading.Lock()
"""Held where rasterio, or we, change the filters of warnings for a moment: they are the whole process's."""


def driver_of(head: bytes) -> str | None:
    """The GDAL driver for a file that starts so; None for what is neither TIFF nor JPEG 2000."""
    if head.startswith(_TIFF_HEADS):
        return TIFF
    return JPEG2000 if head.startswith(_JP2_HEADS) else None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Where an image lies: a file, or a member of a zip file (`member` is a name that the caller has checked)."""

    href: str
    driver: str
    member: str = ""
    member_bytes: int = 0
    """Stored bytes of the member."""
    level: int | None = None
    """The overview to open in place of the image itself; 0 is the finest."""

    def version(self) -> str:
        """Changes when the file does; of remote ones, nothing is asked again and again."""
        if is_remote(self.href):
            return ""
        now = state(self.href)
        return f"{now.modified}-{now.size}"

    def stored(self) -> int:
        """Bytes of the whole image as it is stored."""
        return self.member_bytes or state(self.href).size

    def open(self) -> Any:
        """An open rasterio dataset. Raises Unreadable."""
        try:
            with one_by_one, warnings.catch_warnings(), rasterio.Env(**_GDAL):
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                return self._open()
        except (RasterioError, OSError, ValueError) as error:
            raise Unreadable(f"GDAL cannot open it: {_one_line(error)}") from error

    def _open(self) -> Any:
        path = local_path(self.href)
        options = {} if self.level is None else {"overview_level": self.level}
        if path is None:
            if self.member:
                raise Unsupported("Images in a remote zip file are not read; fetch it first.")
            return rasterio.open(self.href, driver=self.driver, opener=self._fetched, **options)
        if not path.is_file() or str(path.absolute()).startswith("/vsi"):
            raise Unreadable("It is no plain file.")
        if self.member:
            return rasterio.open(f"/vsizip/{{{path.absolute()}}}/{self.member}", driver=self.driver, **options)
        return rasterio.open(path.absolute(), driver=self.driver, **options)

    def _fetched(self, _path: str, _mode: str = "rb", **_: Any) -> RemoteImage:
        return RemoteImage(self.href)


class _Opened:
    """An open dataset with the context in which rasterio keeps the files of remote ones, whatever thread comes."""

    def __init__(self, image: ImageFile) -> None:
        self._context = contextvars.copy_context()
        self._dataset = self._context.run(image.open)

    def run[T](self, act: Callable[[Any], T]) -> T:
        return self._context.run(act, self._dataset)

    def close(self) -> None:
        self._context.run(self._dataset.close)


class _OpenImages:
    """Idle datasets kept open; a dataset is lent to one thread at a time, because GDAL's are not safe to share."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[tuple[ImageFile, str], _Opened]] = OrderedDict()

    def use[T](self, image: ImageFile, act: Callable[[Any], T]) -> T:
        """What `act` makes of the image's dataset. A dataset that failed is not used again."""
        key = (image, image.version())
        opened = self._take(key) or _Opened(image)
        try:
            made = opened.run(act)
        except BaseException:
            opened.close()
            raise
        self._keep(key, opened)
        return made

    def _take(self, key: tuple[ImageFile, str]) -> _Opened | None:
        with self._lock:
            for number, (other, opened) in self._idle.items():
                if other == key:
                    del self._idle[number]
                    return opened
        return None

    def _keep(self, key: tuple[ImageFile, str], opened: _Opened) -> None:
        with self._lock:
            self._idle[id(opened)] = (key, opened)
            spare = [self._idle.popitem(last=False)[1][1] for _ in range(len(self._idle) - self._most)]
        for old in spare:
            old.close()

    def close(self) -> None:
        with self._lock:
            spare = [opened for _, opened in self._idle.values()]
            self._idle.clear()
        for opened in spare:
            with suppress(Exception):
                opened.close()


_open = _OpenImages(_KEPT_OPEN)
atexit.register(_open.close)


def using[T](image: ImageFile, act: Callable[[Any], T]) -> T:
    """What `act` makes of the image's open dataset, which it must not keep. Raises Unreadable if it does not open."""
    return _open.use(image, act)


def chunk_shape(dataset: Any) -> tuple[int, int]:
    """Rows and columns of one chunk: a block; of thin strips as many as make 64 KiB. Raises Unreadable for bombs."""
    rows, columns = (int(side) for side in dataset.block_shapes[0])
    held = dataset.count if dataset.interleaving is not None and dataset.interleaving.name == "pixel" else 1
    size = rows * columns * np.dtype(dataset.dtypes[0]).itemsize
    if size * held > MOST_BLOCK_BYTES:
        raise Unreadable(f"One block of it holds {size * held:,} bytes; at most {MOST_BLOCK_BYTES:,} are read at once.")
    if columns >= dataset.width and size < _THIN:
        rows *= max(1, _THIN // max(size, 1))
    return min(rows, dataset.height), min(columns, dataset.width)


def check_complete(image: ImageFile, dataset: Any) -> None:
    """Raises Unreadable where the file ends before what it announces."""
    size = state(image.href).size
    if image.driver == TIFF:
        _check_blocks(dataset, size)
    else:
        _check_boxes(image.href, size)


def _check_blocks(dataset: Any, size: int) -> None:
    """Where the blocks of a TIFF lie; of very many, some 4096 are looked at."""
    rows, columns = (int(side) for side in dataset.block_shapes[0])
    down, across = math.ceil(dataset.height / rows), math.ceil(dataset.width / columns)
    total = down * across
    for block in range(total - 1, -1, -max(1, total // 4096)):
        y, x = divmod(block, across)
        offset, length = (_block_tag(dataset, what, x, y, dataset.count) for what in ("OFFSET", "SIZE"))
        if length and offset + length > size:
            raise Unreadable(f"The file is cut off: a block of it would end at byte {offset + length:,} of {size:,}.")


def _block_tag(dataset: Any, what: str, x: int, y: int, band: int) -> int:
    return int(dataset.get_tag_item(f"BLOCK_{what}_{x}_{y}", "TIFF", bidx=band) or 0)


def _check_boxes(href: str, size: int) -> None:
    """Walks the boxes of a JP2 file (ISO/IEC 15444-1, annex I); its code stream ends with the marker EOC."""
    at = 0
    while at < size - 8:
        head = read_range(href, at, min(16, size - at))
        length = int.from_bytes(head[:4], "big")
        if head[:4] == _CODE_STREAM or length == 0:
            break  # a bare code stream, or the last box: it runs to the end of the file
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8 or at + length > size:
            raise Unreadable(f"The file is cut off: a part of it would end at byte {at + length:,} of {size:,}.")
        at += length
    if at < size and read_range(href, size - 2, 2) != b"\xff\xd9":
        raise Unreadable("The file is cut off: its code stream has no end.")


class BandSource:
    """One band of an image, by chunks. Safe for threads."""

    def __init__(self, image: ImageFile, band: int, array: ArrayScan) -> None:
        self._image = image
        self._band = band
        self._array = array

    def _window(self, index: Index) -> tuple[int, int, int, int]:
        """(first row, first column, rows, columns)."""
        (height, width), (rows, columns) = self._array.shape[-2:], self._array.chunks[-2:]
        row, column = index[-2] * rows, index[-1] * columns
        return row, column, min(rows, height - row), min(columns, width - column)

    def stored(self, index: Index) -> int:
        """Bytes of the blocks in the file; with pixel interleaving these hold all bands. JPEG 2000: its share."""
        row, column, rows, columns = self._window(index)
        if self._image.driver != TIFF:
            return max(1, round(self._image.stored() * rows * columns / math.prod(self._array.shape[-2:])))
        return _open.use(self._image, lambda dataset: self._stored(dataset, row, column, rows))

    def _stored(self, dataset: Any, row: int, column: int, rows: int) -> int:
        high, wide = dataset.block_shapes[self._band - 1]
        held = range(row // high, math.ceil((row + rows) / high))
        found = sum(_block_tag(dataset, "SIZE", column // wide, y, self._band) for y in held)
        # an absent block means the nodata value or, where there is none, a very real 0
        return found or (0 if dataset.nodatavals[self._band - 1] is not None else 16 * len(held))

    def load(self, index: Index) -> np.ndarray | None:
        """The chunk, cut at the edge. Raises Unreadable where the file is broken there."""
        row, column, rows, columns = self._window(index)
        window = Window(column, row, columns, rows)
        try:
            values = _open.use(self._image, lambda dataset: dataset.read(self._band, window=window))
        except (RasterioError, OSError, ValueError) as error:
            raise Unreadable(f"A block of it is broken: {_one_line(error)}") from error
        leading = (1,) * (len(self._array.shape) - 2)
        return np.asarray(values, dtype=self._array.dtype).reshape(leading + values.shape)


def _one_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    return " ".join(str(cause).split())[:200]
