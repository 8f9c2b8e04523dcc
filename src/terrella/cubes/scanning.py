"""What lies in a place: find the files, tell their formats, scan them in processes of their own."""

from __future__ import annotations

import glob
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from terrella.cubes.sniffing import KnownFormats
from terrella.cubes.worker import receive, send
from terrella.errors import NotFound, TerrellaError, Unsupported
from terrella.model.scan import Failure, FileScan
from terrella.settings import FILE_NAME as SETTINGS
from terrella.storage.files import folder_state, is_remote, local_path, read_range, state

if TYPE_CHECKING:
    from typing import IO

    from terrella.storage.files import FileState

HEAD_BYTES = 1024

_SIDECARS = (
    ".md",
    ".rst",
    ".idx",
    ".aux.xml",
    ".tfw",
    ".prj",
    ".sha256",
    ".md5",
    ".py",
    ".ipynb",
    ".lock",
    ".part",
    ".tmp",
)
_OF_SITES = (SETTINGS, "catalog.sqlite", "objects", "writing.lock", "cache", "reading.json")
"""What a site keeps in its home; a home below a folder that is added is passed over."""
_SIDECAR_NAMES = ("readme", "license", "licence", "copying", "provenance", "changelog", "thumbs.db")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may hold data: a file, or a folder that is one dataset."""

    href: str
    format: str
    state: FileState


def find(paths: Iterable[str]) -> Iterator[Candidate | Failure]:
    """Every dataset that the paths name: files, folders (searched through), globs, and http(s):// or s3:// addresses.

    What is of no known format is a Failure that lists what is read; notes that lie beside data (README, .idx, ...)
    and hidden files are passed over when a folder is searched.
    """
    known = KnownFormats()
    seen: set[str] = set()
    for path in paths:
        for found in _find_one(path, known):
            if found.href not in seen:
                seen.add(found.href)
                yield found


def _find_one(path: str, known: KnownFormats) -> Iterator[Candidate | Failure]:
    try:
        place = local_path(path)
        if place is None:
            yield _candidate(path, known)
            return
        places = _places(path, place)
    except Unsupported as error:
        yield Failure(path, error.message)
        return
    except (OSError, ValueError) as error:  # a name too long, a null byte
        yield Failure(printable(path), f"No such file or folder ({getattr(error, 'strerror', error)}).")
        return
    if not places:
        yield Failure(path, "Nothing matches this pattern." if glob.has_magic(path) else "No such file or folder.")
    for one in places:
        yield from _local(one, known, named=True)


def _places(path: str, place: Path) -> list[Path]:
    """What a local path or pattern names, and is there."""
    if not path:
        return []
    place = place.expanduser()
    if place.exists() or place.is_symlink():
        return [normal(place)]
    if glob.has_magic(path):
        return [normal(Path(match)) for match in sorted(glob.glob(str(place), recursive=True))]  # noqa: PTH207
    return []


def printable(path: str) -> str:
    """A path that can be printed and kept: bytes that are no UTF-8 become a mark."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def normal(place: Path) -> Path:
    """Absolute and without `..`; symbolic links stay, because archives move behind them."""
    return Path(os.path.abspath(place.expanduser()))  # noqa: PTH100 -- Path.resolve follows links


def _local(
    place: Path, known: KnownFormats, *, named: bool, above: tuple[Path, ...] = ()
) -> Iterator[Candidate | Failure]:
    """`above` are the folders, links followed, that this one lies in: a link to one of them is a circle."""
    if printable(str(place)) != str(place):
        yield Failure(printable(str(place)), "Its name is no UTF-8, which addresses must be: rename it.")
        return
    try:
        if not place.is_dir():
            if named or not _is_sidecar(place):
                yield _candidate(str(place), known)
            return
        found = known.claiming(str(place), b"")
        if found is not None:
            yield Candidate(str(place), found, folder_state(place)[0])
            return
        real = place.resolve()
        inside = [] if real in above else sorted(place.iterdir())
    except OSError as error:
        yield Failure(str(place), f"It cannot be read ({error.strerror}{_of(error, place)}).")
        return
    is_site = (place / SETTINGS).is_file()
    for inner in inside:
        if not (inner.name.startswith(".") or (is_site and (not named or inner.name.startswith(_OF_SITES)))):
            yield from _local(inner, known, named=False, above=(*above, real))


def _of(error: OSError, place: Path) -> str:
    named = str(error.filename or "")
    return f": {Path(named).name}" if named and named != str(place) else ""


def _is_sidecar(place: Path) -> bool:
    name = place.name.casefold()
    return name.endswith(_SIDECARS) or name.split(".", 1)[0] in _SIDECAR_NAMES


def _candidate(href: str, known: KnownFormats) -> Candidate | Failure:
    try:
        if is_remote(href) and (found := known.claiming(href, b"")) is not None:
            # a remote Zarr store has no bytes at its own address
            return Candidate(href, found, _remote_state(href))
        now = state(href)
        if now.size == 0:
            return Failure(href, "The file is empty.")
        head = read_range(href, 0, min(HEAD_BYTES, now.size))
    except TerrellaError as error:
        return Failure(href, error.message)
    found = known.claiming(href, head)
    if found is None:
        return Failure(href, f"Not a format that is read. Read are: {'; '.join(known.titles())}.")
    return Candidate(href, found, now)


def _remote_state(href: str) -> FileState:
    from terrella.storage.files import FileState

    try:
        return state(href)
    except NotFound:
        return FileState(0, "unknown")


class _Scanner:
    """One scanning process; started when first needed, and again after a crash."""

    def __init__(self, seconds: float, memory: int) -> None:
        self._seconds = seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def scan(self, candidate: Candidate) -> list[FileScan] | Failure:
        process = self._running()
        timer = threading.Timer(self._seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            send(cast("IO[bytes]", process.stdin), (candidate.href, candidate.format))
            kind, value = receive(cast("IO[bytes]", process.stdout))
        except (EOFError, BrokenPipeError):
            return Failure(candidate.href, self._epitaph(process, timed_out=not timer.is_alive()))
        finally:
            timer.cancel()
        return value if kind == "scans" else Failure(candidate.href, value)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", "terrella.cubes.worker", str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"GDAL_HTTP_MAX_RETRY": "0", "OMP_NUM_THREADS": "1"},
            )
        return self._process

    def _epitaph(self, process: subprocess.Popen[bytes], *, timed_out: bool) -> str:
        code = process.wait()
        if timed_out:
            return f"Scanning it took longer than {self._seconds:g} s (reading.scan_seconds)."
        return f"The library that reads this format crashed on it ({'signal' if code < 0 else 'exit'} {abs(code)})."

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast("IO[bytes]", pipe).close()
        self._process.wait()
        self._process = None


class Scanners:
    """A few scanning processes, started when first needed and kept until `close`. One `scan` at a time."""

    def __init__(self, *, processes: int = 0, seconds: float = 300, memory: int = 0) -> None:
        self._all = [_Scanner(seconds, memory) for _ in range(processes or os.cpu_count() or 1)]

    def scan(self, candidates: Sequence[Candidate]) -> Generator[list[FileScan] | Failure]:
        """Scan files side by side; results come as they are ready, in no order. Closing the iterator stops all."""
        todo: queue.SimpleQueue[Candidate] = queue.SimpleQueue()
        for candidate in candidates:
            todo.put(candidate)
        done: queue.SimpleQueue[list[FileScan] | Failure] = queue.SimpleQueue()
        busy = self._all[: len(candidates)]
        threads = [threading.Thread(target=_drain, args=(one, todo, done), daemon=True) for one in busy]
        for thread in threads:
            thread.start()
        is_done = False
        try:
            for _ in candidates:
                yield done.get()
            is_done = True
        finally:
            with suppress(queue.Empty):
                while True:
                    todo.get_nowait()
            if not is_done:
                self.close()
            for thread in threads:
                thread.join()

    def close(self) -> None:
        """End the processes; what they work on is given up. They start again when needed."""
        for one in self._all:
            one.close()


def _drain(scanner: _Scanner, todo: queue.SimpleQueue[Candidate], done: queue.SimpleQueue[Any]) -> None:
    while True:
        try:
            candidate = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put(scanner.scan(candidate))
        except Exception as error:  # noqa: BLE001 -- whatever happens, this file gets its answer
            done.put(Failure(candidate.href, f"{type(error).__name__}: {error}"))
