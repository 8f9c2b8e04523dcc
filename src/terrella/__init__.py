"""Terrella: Destination Earth that you can install."""

from __future__ import annotations

import sqlite3  # noqa: F401 -- before ecCodes, which brings an SQLite of 2018 that would take its place
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terrella.site import Site

__all__ = ["Site"]


def __getattr__(name: str) -> Any:
    """`terrella.Site`, loaded when first asked for: the shell's `--help` must not wait for numpy."""
    if name == "Site":
        from terrella.site import Site

        return Site
    raise AttributeError(f"module 'terrella' has no attribute {name!r}")
