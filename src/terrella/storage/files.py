"""One door to bytes that lie elsewhere: local paths, `https://` and `s3://` addresses, whole or by range.

Local reads use `pread` on a small pool of kept-open files; remote ones go through obstore. Everything that
reads a referenced file comes through here, so that bytes can be counted and a fake is small.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from terrella.errors import NotFound, Unreadable, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REMOTE_SCHEMES = ("http", "https", "s3")
_KEPT_OPEN = 128
_BLOCK = 1 << 20
REMOTE_GAP = 1 << 16
"""Bytes between two ranges of a remote file that are rather fetched along and thrown away: they come in a few

milliseconds, when another request takes tens of them.
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """Enough to see whether a file changed: `modified` is mtime in ns for local files, the ETag for remote ones."""

    size: int
    modified: str


def is_remote(href: str) -> bool:
    """Whether an address has a scheme that we fetch. Raises Unsupported for any other scheme but file."""
    if href.startswith("/"):
        return False
    scheme = urlsplit(href).scheme.lower()
    if scheme in REMOTE_SCHEMES:
        return True
    if len(scheme) > 1 and "://" in href and scheme != "file":
        raise Unsupported(f"Addresses start with {', '.join(s + '://' for s in REMOTE_SCHEMES)}, not {scheme}://.")
    return False


def local_path(href: str) -> Path | None:
    """The path of a local file or folder, None for a remote address."""
    if is_remote(href):
        return None
    return Path(href.removeprefix("file://"))


def state(href: str) -> FileState:
    """Size and version of a file. Raises NotFound."""
    path = local_path(href)
    if path is None:
        store, key = _store(href)
        import obstore

        try:
            meta = obstore.head(store, key)
        except Exception as error:  # obstore has an exception class per cause and store
            raise NotFound(f"Cannot reach it: {_first_line(error)}") from error
        return FileState(meta["size"], str(meta.get("e_tag") or meta["last_modified"]))
    try:
        stat = path.stat()
    except OSError as error:
        raise NotFound(f"No such file ({error.strerror}).") from error
    return FileState(stat.st_size, str(stat.st_mtime_ns))


def is_there(href: str) -> bool:
    """Whether a file or folder can be reached now."""
    path = local_path(href)
    if path is not None:
        return path.exists()
    try:
        state(href)
    except NotFound:
        return False
    return True


def read_range(href: str, offset: int, length: int) -> bytes:
    """Exactly `length` bytes from `offset`. Raises Unreadable where the file has fewer, NotFound where it is gone."""
    if length <= 0:
        return b""
    path = local_path(href)
    found = _read_local(path, offset, length) if path else _read_remote(href, offset, length)
    if len(found) != length:
        raise Unreadable(f"The file ends before byte {offset + length}: it was cut off or changed since it was added.")
    return found


def read_ranges(href: str, offsets: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
    """Several ranges of one file. Of a remote file ranges with small gaps come in one request, several at once.

    Raises Unreadable where the file ends before one of them, NotFound where it is gone.
    """
    if not offsets:
        return []
    path = local_path(href)
    found = _files.preads(path, offsets, lengths) if path else _read_remote_ranges(href, offsets, lengths)
    for data, offset, length in zip(found, offsets, lengths, strict=True):
        if len(data) != length:
            raise Unreadable(f"The file ends before byte {offset + length}: it was cut off or changed since then.")
    return found


def read_whole(href: str, *, most: int | None = None) -> bytes:
    """All bytes. Raises Unreadable above `most` bytes."""
    size = state(href).size
    if most is not None and size > most:
        raise Unreadable(f"It has {size:,} bytes; at most {most:,} are read of this kind.")
    return read_range(href, 0, size)


def read_object(href: str) -> bytes | None:
    """All bytes in one request; None where there is no such object. Raises Unreadable where that cannot be told."""
    path = local_path(href)
    if path is not None:
        return path.read_bytes() if path.is_file() else None
    store, key = _store(href)
    import obstore

    try:
        return bytes(obstore.get(store, key).bytes())
    except FileNotFoundError:  # obstore's NotFoundError is one
        return None
    except Exception as error:  # obstore has an exception class per cause and store
        raise Unreadable(f"Cannot read it: {_first_line(error)}") from error


def list_folder(href: str) -> list[str]:
    """Names of the folders directly in a remote folder. Raises Unreadable where the server does not list (https)."""
    store, key = _store(href)
    import obstore

    prefix = key.rstrip("/")
    try:
        found = obstore.list_with_delimiter(store, f"{prefix}/" if prefix else None)
    except Exception as error:  # obstore has an exception class per cause and store
        raise Unreadable(f"Its folders cannot be listed: {_first_line(error)}") from error
    return sorted(str(one).rstrip("/").rsplit("/", 1)[-1] for one in found["common_prefixes"])


def list_objects(href: str) -> list[str]:
    """Addresses of every object below an ``s3://`` prefix, by name. Raises Unreadable."""
    store, key = _store(href)
    import obstore

    base = "/".join(href.split("/", 3)[:3])
    prefix = key.rstrip("/")
    try:
        found = [str(one["path"]) for page in obstore.list(store, f"{prefix}/" if prefix else None) for one in page]
    except Exception as error:  # obstore has an exception class per cause and store
        raise Unreadable(f"It cannot be listed: {_first_line(error)}") from error
    return [f"{base}/{path}" for path in sorted(found)]


def open_file(href: str) -> IO[bytes]:
    """A seekable binary file, local or remote, for libraries that want one."""
    path = local_path(href)
    if path is not None:
        return path.open("rb")
    store, key = _store(href)
    import obstore

    return cast("IO[bytes]", io.BufferedReader(_Raw(obstore.open_reader(store, key)), _BLOCK))


def sha256(href: str) -> str:
    """Multihash in hex of the content, as the STAC file extension wants it ('1220' + digest)."""
    digest = hashlib.sha256()
    with open_file(href) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return "1220" + digest.hexdigest()


def folder_state(path: Path) -> tuple[FileState, str]:
    """State and checksum (of the listing: names, sizes, times) of a folder that is one dataset, e.g. Zarr."""
    digest = hashlib.sha256()
    size, newest = 0, 0
    for file, stat in _walk(path):
        size += stat.st_size
        newest = max(newest, stat.st_mtime_ns)
        digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return FileState(size, f"{newest}-{size}"), "1220" + digest.hexdigest()


def _walk(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    for root, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(root, name)
            yield str(file.relative_to(path)), file.stat()


class _Descriptor:
    """An open file that closes itself when the last reader lets go of it."""

    def __init__(self, path: str) -> None:
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


class _OpenFiles:
    """File descriptors kept open, least recently used closed first; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Descriptor] = OrderedDict()

    def pread(self, path: str, length: int, offset: int) -> bytes:
        file = self._get(path)  # held here until the read is done
        return os.pread(file.number, length, offset)

    def preads(self, path: Path, offsets: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
        """Several ranges of a local file, which is looked up once. Raises NotFound."""
        try:
            file = self._get(str(path))
            return [os.pread(file.number, *one) for one in zip(lengths, offsets, strict=True)]
        except OSError as error:
            raise NotFound(f"{path.name}: the file is not there any more ({error.strerror}).") from error

    def _get(self, path: str) -> _Descriptor:
        with self._lock:
            file = self._open.pop(path, None)
            if file is None or _replaced(file.number, path):
                file = _Descriptor(path)
            self._open[path] = file
            while len(self._open) > self._most:
                self._open.popitem(last=False)
            return file


def _replaced(number: int, path: str) -> bool:
    """Whether the path names another file now (written anew beside it and renamed)."""
    try:
        return os.stat(path).st_ino != os.fstat(number).st_ino  # noqa: PTH116 -- on the hot path
    except OSError:
        return True


_files = _OpenFiles(_KEPT_OPEN)


def _read_local(path: Path, offset: int, length: int) -> bytes:
    try:
        return _files.pread(str(path), length, offset)
    except OSError as error:
        raise NotFound(f"{path.name}: the file is not there any more ({error.strerror}).") from error


def _read_remote(href: str, offset: int, length: int) -> bytes:
    import obstore

    store, key = _store(href)
    try:
        return bytes(obstore.get_range(store, key, start=offset, length=length))
    except Exception as error:  # obstore has an exception class per cause and store
        raise Unreadable(f"Cannot read it: {_first_line(error)}") from error


def _read_remote_ranges(href: str, offsets: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
    """Ranges near each other come as one. obstore can do that too, but ends the process where a file is too short."""
    import obstore

    fetched = _coalesced(offsets, lengths)
    starts = [start for start, _ in fetched]
    store, key = _store(href)
    try:
        found = obstore.get_ranges(store, key, starts=starts, ends=[end for _, end in fetched], coalesce=0)
    except Exception as error:  # obstore has an exception class per cause and store
        raise Unreadable(f"Cannot read it: {_first_line(error)}") from error
    runs = [memoryview(bytes(one)) for one in found]
    made = []
    for offset, length in zip(offsets, lengths, strict=True):
        which = bisect_right(starts, offset) - 1
        begin = offset - starts[which]
        made.append(bytes(runs[which][begin : begin + length]))
    return made


def _coalesced(offsets: Sequence[int], lengths: Sequence[int]) -> list[tuple[int, int]]:
    """(start, end) of rising runs that hold all ranges, further than REMOTE_GAP from each other."""
    runs: list[tuple[int, int]] = []
    for start, length in sorted(zip(offsets, lengths, strict=True)):
        if runs and start <= runs[-1][1] + REMOTE_GAP:
            runs[-1] = (runs[-1][0], max(runs[-1][1], start + length))
        else:
            runs.append((start, start + length))
    return runs


def _store(href: str) -> tuple[Any, str]:
    parts = urlsplit(href)
    base = f"{parts.scheme}://{parts.netloc}"
    key = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return _store_at(base), key


@lru_cache(maxsize=64)
def _store_at(base: str) -> Any:
    from obstore.store import from_url

    options = {"allow_http": True} if base.startswith("http:") else {}
    return from_url(base, client_options=cast("Any", options)) if options else from_url(base)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]


class _Raw(io.RawIOBase):
    """obstore's reader as Python's raw file interface."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        got = bytes(self._reader.read(len(buffer)))
        buffer[: len(got)] = got
        return len(got)
