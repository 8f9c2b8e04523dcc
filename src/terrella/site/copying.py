"""Copies of added files under the site's home, for users who ask. Named by content, so that none comes twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from terrella.cubes.scanning import Candidate
from terrella.errors import TerrellaError
from terrella.model.scan import Failure
from terrella.storage.files import folder_state, local_path, open_file, sha256, state

COPIES = Path("objects", "data")


def copied(candidate: Candidate, home: Path) -> Candidate | Failure:
    """The candidate as a copy in ``home/objects/data``; a failure where it cannot be copied."""
    try:
        target = _copy(candidate.href, home / COPIES)
    except (OSError, TerrellaError) as error:
        return Failure(candidate.href, f"It cannot be copied: {error}")
    now = folder_state(target)[0] if target.is_dir() else state(str(target))
    return replace(candidate, href=str(target), state=now)


def _copy(href: str, folder: Path) -> Path:
    place = local_path(href)
    if place is not None and place.is_dir():
        return _copy_folder(place, folder)
    target = folder / sha256(href)[4:20] / href.rpartition("/")[2]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # written beside it and renamed, so that a copy is whole or not there
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file, open_file(href) as source:
            shutil.copyfileobj(source, file, 1 << 20)
        Path(file.name).replace(target)
    return target


def _copy_folder(place: Path, folder: Path) -> Path:
    target = folder / folder_state(place)[1][4:20] / place.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(f"{target}.{os.getpid()}.part")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(place, draft)
        draft.replace(target)
    return target
