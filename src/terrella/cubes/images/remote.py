"""A remote image as a file that GDAL reads: only the parts that it asks for go over the line."""

from __future__ import annotations

import io
from collections import OrderedDict

from terrella.storage.files import read_range, state

_PART = 1 << 14
"""Bytes of a part: what is asked for is rounded to these."""
_HEAD = 1 << 16
"""Bytes fetched from the start of a file at once: the header of most images."""
_KEPT = 256
"""Parts kept: 4 MiB of a file."""


class RemoteImage(io.RawIOBase):
    """Seekable, read only; used by one thread at a time. Raises Unreadable where the file is shorter than it was."""

    def __init__(self, href: str) -> None:
        super().__init__()
        self._href = href
        self._size = state(href).size
        self._place = 0
        self._parts: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end of the file."""
        end = self._size if size < 0 else min(self._size, self._place + size)
        if end <= self._place:
            return b""
        first, last = self._place // _PART, (end - 1) // _PART
        self._fetch(first, last)
        whole = b"".join(self._parts[number] for number in range(first, last + 1))
        found = whole[self._place - first * _PART : end - first * _PART]
        self._place = end
        self._forget(last - first + 1)
        return found

    def readall(self) -> bytes:
        return self.read()

    def _fetch(self, first: int, last: int) -> None:
        """Parts from `first` to `last`: those that are not here, neighbours in one request."""
        if first == 0 and 0 not in self._parts:
            last = max(last, min(_HEAD, self._size - 1) // _PART)
        missing = [number for number in range(first, last + 1) if number not in self._parts]
        while missing:
            start = stop = missing.pop(0)
            while missing and missing[0] == stop + 1:
                stop = missing.pop(0)
            offset = start * _PART
            got = read_range(self._href, offset, min(self._size, (stop + 1) * _PART) - offset)
            for number in range(start, stop + 1):
                self._parts[number] = got[(number - start) * _PART : (number - start + 1) * _PART]

    def _forget(self, needed: int) -> None:
        while len(self._parts) > max(_KEPT, needed):
            self._parts.popitem(last=False)
