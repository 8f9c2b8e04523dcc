"""Files inside a zip file or a folder that is one product, by names that cannot lead out of it."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from terrella.errors import Unreadable
from terrella.storage.files import is_remote, open_file, read_whole, state

_MOST_MEMBERS = 20_000
_MOST_DIRECTORY = 16 << 20
_MOST_MEMBER = 8 << 30
_MOST_RATIO = 1000
_TAIL = 22 + (1 << 16)


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file or a folder. `members` are relative names with `/` and their sizes unpacked, `stored` as they lie."""

    href: str
    is_zip: bool
    members: dict[str, int]
    stored: dict[str, int]

    def read(self, member: str, *, most: int) -> bytes:
        """One whole member. Raises Unreadable above `most` bytes or when it is broken."""
        if self.members[member] > most:
            raise Unreadable(f"{member} has {self.members[member]:,} bytes; at most {most:,} are read.")
        if not self.is_zip:
            return read_whole(str(Path(self.href, member)), most=most)
        try:
            with open_file(self.href) as file, zipfile.ZipFile(file) as archive, archive.open(member) as content:
                found = content.read(most + 1)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
            raise Unreadable(f"{member} in it is broken: {error}.") from error
        if len(found) > most:
            raise Unreadable(f"{member} unpacks to more than the {most:,} bytes that are read.")
        return found


def archive_at(href: str) -> Archive:
    """What lies in a zip file or folder. Raises Unreadable for one that is broken, or made to do harm."""
    if not is_remote(href) and Path(href).is_dir():
        files = _files_of(Path(href))
        return Archive(href, is_zip=False, members=files, stored=files)
    found = _members_of(href)
    sizes = {one.filename: one.file_size for one in found}
    return Archive(href, is_zip=True, members=sizes, stored={one.filename: one.compress_size for one in found})


def is_safe_name(name: str) -> bool:
    """Whether a member's name stays inside: no `..`, no root, no drive, nothing that GDAL would read as syntax."""
    path = PurePosixPath(name)
    return bool(name) and not (path.is_absolute() or ".." in path.parts or set(name) & set("\\{}\0:|"))


def _files_of(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, folders, names in folder.walk(follow_symlinks=False):
        folders.sort()
        for name in sorted(names):
            file = place / name
            if not file.is_symlink() and is_safe_name(inner := file.relative_to(folder).as_posix()):
                found[inner] = file.stat().st_size
        if len(found) > _MOST_MEMBERS:
            raise Unreadable(f"It holds more than {_MOST_MEMBERS:,} files.")
    return found


def _members_of(href: str) -> list[zipfile.ZipInfo]:
    try:
        with open_file(href) as file:
            file.seek(max(0, state(href).size - _TAIL))
            _check_directory(file.read(_TAIL))
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                return [one for one in archive.infolist() if _is_plain(one)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"The zip file is broken: {error}.") from error


def _check_directory(tail: bytes) -> None:
    """Before zipfile reads all of a directory into memory. Sizes: APPNOTE 4.3.16."""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise Unreadable("The zip file is broken: its directory is missing, it may be cut off.")
    entries, size = int.from_bytes(tail[at + 10 : at + 12], "little"), int.from_bytes(tail[at + 12 : at + 16], "little")
    if entries > _MOST_MEMBERS or size > _MOST_DIRECTORY:
        raise Unreadable(f"The zip file holds more than {_MOST_MEMBERS:,} files.")


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Whether it is a file to read. Raises Unreadable for names that lead out, links and bombs."""
    if not is_safe_name(member.filename):
        raise Unreadable(f"A name in the zip file leads out of it or is no plain name: {member.filename!r:.80}.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Unreadable(f"The zip file holds a link: {member.filename!r:.80}.")
    if member.file_size > _MOST_MEMBER or member.file_size > _MOST_RATIO * max(member.compress_size, 1024):
        raise Unreadable(f"{member.filename!r:.80} in the zip file unpacks to {member.file_size:,} bytes.")
    return not member.is_dir()
