"""The STAC API under /stac: finding items and collections, on stac-fastapi."""

from __future__ import annotations

from terrella.api.stac.mounting import ERRORS, mount

__all__ = ["ERRORS", "mount"]
