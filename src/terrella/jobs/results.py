"""Files of jobs. An attempt writes in a folder of its own, which becomes the result in one rename.

Result folders are named after the attempt, and the row of the job names the one that counts: a slow attempt that was
taken over can never touch what the other has published.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from terrella.errors import Internal
from terrella.model.job import Output

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BLOCK = 1 << 20
MEDIA_TYPES = {
    ".nc": "application/x-netcdf",
    ".grib": "application/x-grib",
    ".grib2": "application/x-grib",
    ".covjson": "application/prs.coverage+json",
    ".geojson": "application/geo+json",
    ".parquet": "application/vnd.apache.parquet",
    ".tif": "image/tiff; application=geotiff",
    ".zip": "application/zip",
    ".json": "application/json",
    ".csv": "text/csv",
}


class Results:
    """The folder of all files of jobs: `work` holds what is being made, `results` what is done."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.results = folder / "results"

    def prepare(self, job: str, attempt: int) -> Path:
        """An empty folder for one attempt; what earlier ones left is thrown away."""
        self.work.mkdir(parents=True, exist_ok=True)
        for old in self.work.glob(f"{job}.*") if attempt > 1 else ():
            if old.name != f"{job}.{attempt}":
                shutil.rmtree(old, ignore_errors=True)
        made = self.work / f"{job}.{attempt}"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        return made

    def publish(self, folder: Path) -> str:
        """Move an attempt's folder to the results once all of it is on disk; its name there."""
        self.results.mkdir(parents=True, exist_ok=True)
        for file in files_in(folder):
            _sync(file)
        _sync(folder)
        folder.rename(self.results / folder.name)
        _sync(self.results)
        return folder.name

    def discard(self, name: str) -> None:
        """Delete what an attempt made."""
        for place in (self.work, self.results):
            shutil.rmtree(place / name, ignore_errors=True)

    def path(self, place: str, output: str) -> Path | None:
        """Where a file of a result lies, None where there is no such file."""
        found = self.results / place / output
        return found if found.is_file() else None

    def touched(self, name: str) -> float:
        """When anything in a folder last changed, in seconds since 1970."""
        times = [0.0]
        for place in (self.work / name, self.results / name):
            with suppress(OSError):
                times += [one.stat().st_mtime for one in (place, *place.rglob("*"))]
        return max(times)

    def names(self) -> list[str]:
        """Of every folder, of work and of results."""
        return [one.name for place in (self.work, self.results) if place.is_dir() for one in place.iterdir()]


def files_in(folder: Path) -> list[Path]:
    """Every file, by name. Raises Internal for a link or a folder, which would not be delivered."""
    found = sorted(folder.iterdir())
    for one in found:
        if one.is_symlink() or not one.is_file():
            raise Internal(f"The task left {one.name!r:.80}, which is no file.")
    return found


def outputs_of(folder: Path, said: Iterable[Output] | None) -> tuple[Output, ...]:
    """What lies in a folder, measured; `said` gives titles and media types where the task knows better."""
    known = {one.name: one for one in said or ()}
    made = []
    for file in files_in(folder):
        told = known.get(file.name)
        kind = told.media_type if told and told.media_type else media_type(file.name)
        made.append(Output(file.name, kind, file.stat().st_size, digest(file), told.title if told else ""))
    missing = sorted(known.keys() - {one.name for one in made})
    if missing:
        raise Internal(f"The task promised {missing[0]!r:.80} and did not write it.")
    order = {name: place for place, name in enumerate(known)}
    return tuple(sorted(made, key=lambda one: (order.get(one.name, len(order)), one.name)))


def media_type(name: str) -> str:
    """By the ending of a file name."""
    ending = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    return MEDIA_TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def digest(path: Path) -> str:
    """SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
