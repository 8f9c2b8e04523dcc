"""HDF5 images that say nothing of when they were made: the same answer has the same bytes."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from numcodecs.jenkins import jenkins_lookup3

if TYPE_CHECKING:
    from pathlib import Path

_HAS_TIMES, _HAS_PHASES, _WIDTH = 0x20, 0x10, 0x03
"""Flags of an object header, version 2."""


def without_times(image: bytes) -> bytes:
    """The image with the four times of its root group set to 0, and its checksum put right.

    The NetCDF library leaves times out of all else that it writes. HDF5 File Format Specification 3.0: superblocks of
    version 2 and 3 (II.A) give the root group's address at byte 36; object headers of version 2 are in IV.A.1.b.
    Unchanged where the image is of another kind.
    """
    start, header = _root(image)
    return image[:start] + header + image[start + len(header) :] if header else image


def strip_times(path: Path) -> None:
    """The same in a file, in its place."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as image:
        start, header = _root(image)
        image[start : start + len(header)] = header


def _root(image: bytes | mmap.mmap) -> tuple[int, bytes]:
    """Where the root group's header lies, and what shall stand there; nothing where the image is of another kind."""
    if image[:8] != b"\x89HDF\r\n\x1a\n" or image[8] not in {2, 3} or image[9] != 8:
        return 0, b""
    start = int.from_bytes(image[36:44], "little")
    flags = image[start + 5] if image[start : start + 5] == b"OHDR\x02" else 0
    if not flags & _HAS_TIMES:
        return 0, b""
    width = 1 << (flags & _WIDTH)
    size_at = start + 22 + (4 if flags & _HAS_PHASES else 0)
    end = size_at + width + int.from_bytes(image[size_at : size_at + width], "little")
    if int.from_bytes(image[end : end + 4], "little") != jenkins_lookup3(image[start:end]):
        return 0, b""
    header = image[start : start + 6] + bytes(16) + image[start + 22 : end]
    checksum = int(jenkins_lookup3(header)).to_bytes(4, "little")
    return start, header + checksum
