"""Requests in MARS words against a site. `retrieving` is the door."""

from terrella.site.mars.retrieving import Retrieval, priced, retrieved, understood

__all__ = ["Retrieval", "priced", "retrieved", "understood"]
