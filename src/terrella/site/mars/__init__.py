"""Requests in MARS words against a site. `retrieving` is the door."""

from terrella.site.mars.retrieving import Retrieval, priced, understood
from terrella.site.mars.writing import retrieved

__all__ = ["Retrieval", "priced", "retrieved", "understood"]
