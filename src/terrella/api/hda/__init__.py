"""The Destination Earth dialect (Harmonised Data Access, version 2): one search, orders, downloads; eodag speaks it."""

from terrella.api.hda.dialect import ERRORS, router

__all__ = ["ERRORS", "router"]
