"""The request language of the climate and atmosphere data stores: long names, product types, lists of days.

`naming` gives variables their long names, `offers` says which values go together, `asking` turns a request into MARS
words. Dialects that take such requests (CDS and ADS, the WEkEO broker) share it.
"""

from terrella.extraction.cds.asking import Asked, asked
from terrella.extraction.cds.offers import Offer, combinations, offers, picks_of, valid_values

__all__ = ["Asked", "Offer", "asked", "combinations", "offers", "picks_of", "valid_values"]
