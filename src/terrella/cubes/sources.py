"""Pieces as something to read from, and formats by name."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from weakref import WeakKeyDictionary

from terrella.contracts.cubes import Piece
from terrella.contracts.formats import ChunkSource, Format, SupportsKeeping
from terrella.contracts.loading import load
from terrella.errors import Unreadable
from terrella.storage.files import is_remote, state


@dataclass(frozen=True, eq=False)
class Source:
    """A piece as something to read from, and the number that stands for it in the cache."""

    number: int
    chunks: ChunkSource
    is_far: bool = False
    """Whether its bytes come over the network, so that waiting takes longer than decoding."""


class Sources:
    """Opens each piece once. Safe for threads. `formats` come before the plug-ins of `terrella.formats`.

    In `folder` formats may keep what they learn of files.
    """

    def __init__(self, formats: Mapping[str, Format] | None = None, folder: Path | None = None) -> None:
        self._formats = dict(formats or {})
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: WeakKeyDictionary[Piece, Source] = WeakKeyDictionary()
        self._numbers = itertools.count()

    def of(self, piece: Piece) -> Source:
        """Raises Unreadable where the file is another than the one that was scanned."""
        _check(piece)
        found = self._opened.get(piece)
        if found is None:
            made = self._format(piece.format).source(piece.array, piece.href)
            with self._lock:
                source = Source(next(self._numbers), made, is_remote(piece.href))
                found = self._opened.setdefault(piece, source)
        return found

    def _format(self, name: str) -> Format:
        with self._lock:
            if name not in self._formats:
                made = load("formats", name)()
                if self._folder is not None and isinstance(made, SupportsKeeping):
                    made.keep_in(self._folder / name)
                self._formats[name] = made
            return self._formats[name]


def _check(piece: Piece) -> None:
    """Offsets of one file mean nothing in another, and yet may give numbers.

    Local files only: folders have states of many files, and a look at a remote one takes as long as reading it.
    """
    if not piece.modified.isdigit() or is_remote(piece.href):
        return
    if state(piece.href).modified != piece.modified:
        # no path: whoever asks over HTTP need not know where files lie
        name = PurePosixPath(piece.href).name
        raise Unreadable(f"{name}: it changed since it was added; add it again.")
