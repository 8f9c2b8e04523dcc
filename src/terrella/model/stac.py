"""STAC documents are plain JSON objects: the standard is the type. These names say which object is meant."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
"""A JSON object: a STAC Item, Collection or Catalog, a GeoJSON geometry ..."""

STAC_VERSION = "1.1.0"

REGIONS = "regions"
"""Role of an asset that is a file of named outlines: what values can be cut out by."""
