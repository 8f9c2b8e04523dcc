"""The dialect of the climate and atmosphere data stores (CDS, ADS): long names, jobs, one file as the answer."""

from terrella.api.cds.dialect import router
from terrella.api.cds.errors import ERRORS

__all__ = ["ERRORS", "router"]
