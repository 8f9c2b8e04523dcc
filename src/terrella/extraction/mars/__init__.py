"""The MARS request language: keys and values as meteorologists write them, turned into extractions.

`asking` reads a request, `matching` finds which variables of which collections it means, `placing` finds where along
their axes. Dialects that speak MARS words (Polytope, Destination Earth, CDS) share it.
"""

from terrella.extraction.mars.asking import MarsRequest, parse_request
from terrella.extraction.mars.matching import Identity, identities, matched
from terrella.extraction.mars.placing import placed
from terrella.extraction.mars.times import today

__all__ = ["Identity", "MarsRequest", "identities", "matched", "parse_request", "placed", "today"]
