"""The Polytope dialect (ECMWF): features cut out of data named in MARS words."""

from terrella.api.polytope.dialect import router
from terrella.api.polytope.errors import ERRORS

__all__ = ["ERRORS", "router"]
