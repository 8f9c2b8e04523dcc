"""Deleting what was optimised of a collection that goes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from terrella.cubes.optimising.places import folder_of, lock_of, record_of

if TYPE_CHECKING:
    from pathlib import Path


def forget(home: Path, collection: str) -> None:
    """Delete a collection's copies, if there are any. Raises Conflict while another process writes them."""
    folder = folder_of(home, collection)
    if not (folder.exists() or record_of(folder).exists()):
        return
    from terrella.cubes.optimising.repository import only_writer

    with only_writer(folder):
        record_of(folder).unlink(missing_ok=True)  # first: without it nobody reads there
        shutil.rmtree(folder, ignore_errors=True)
        lock_of(folder).unlink(missing_ok=True)
