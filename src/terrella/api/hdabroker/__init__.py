"""The dialect of the WEkEO and EDEN broker: datasets, search by pages, orders by a token; the client hda speaks it."""

from terrella.api.hdabroker.dialect import router
from terrella.api.hdabroker.errors import ERRORS

__all__ = ["ERRORS", "router"]
