"""Where optimised copies lie in a site's home."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("objects", "optimised")


def folder_of(home: Path, collection: str) -> Path:
    """The repository of a collection's copy."""
    return home / FOLDER / collection


def record_of(folder: Path) -> Path:
    """What readers need of it."""
    return Path(f"{folder}.json")


def lock_of(folder: Path) -> Path:
    return Path(f"{folder}.lock")
