"""An encoding: what was extracted, as bytes in a format that people's tools read.

Entry-point group: `terrella.encodings`; the value is a class, called without arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.model.extraction import Extracted


@runtime_checkable
class Encoding(Protocol):
    """Writes answers in one format. Must be safe to use from several threads at once."""

    name: str
    """Stable word, also the value of `f=`: 'covjson', 'netcdf', ..."""
    title: str
    """For people: 'CoverageJSON'."""
    media_type: str
    """As it stands in Content-Type."""
    suffix: str
    """Of a file, with its dot: '.nc'."""

    def accepts(self, extracted: Extracted) -> str | None:
        """None where it can write this answer; otherwise one sentence for the user that says why not."""
        ...

    def encode(self, extracted: Extracted) -> bytes:
        """The whole answer, with its receipt, licence and attribution wherever the format has a place for them."""
        ...


@runtime_checkable
class SupportsFiles(Protocol):
    """An encoding that can write a large answer to a file without holding all of it in memory besides."""

    def write(self, extracted: Extracted, path: Path) -> None:
        """The same values and words as `encode` gives."""
        ...


def write_answer(encoding: Encoding, extracted: Extracted, path: Path) -> None:
    """Write an answer to a file, which is new."""
    if isinstance(encoding, SupportsFiles):
        encoding.write(extracted, path)
    else:
        path.write_bytes(encoding.encode(extracted))
