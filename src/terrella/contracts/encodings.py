"""An encoding: what was extracted, as bytes in a format that people's tools read.

Entry-point group: `terrella.encodings`; the value is a class, called without arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
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
