"""Requests in the words of the data stores against a site: what a collection offers, what a request of it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import TooLarge
from terrella.extraction.cds import asked, offers
from terrella.model.ids import collection_id
from terrella.site.mars.retrieving import checked, inputs_of, priced, understood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terrella.extraction.cds import Offer
    from terrella.model.caller import Caller
    from terrella.model.extraction import Plan
    from terrella.model.stac import Document
    from terrella.site.site import Site


@dataclass(frozen=True, slots=True)
class Price:
    """What a request would read and answer, and why it would be refused; '' where it would not."""

    plan: Plan
    refusal: str


def offered(site: Site, caller: Caller, collection: str) -> tuple[Document, list[Offer]]:
    """A collection's document, and what its cube offers: nothing where it has none. Raises NotFound, Denied."""
    document: Document = orjson.loads(site.catalog.collection(caller, collection_id(collection)))
    if "cube:variables" not in document:
        return document, []
    index, _ = site.catalog.open(caller, collection)
    return document, offers(document, index)


def job_inputs(site: Site, caller: Caller, collection: str, given: Mapping[str, Any]) -> tuple[Document, Plan]:
    """Inputs of the `retrieve` job that answers a request, and its price; what cannot be answered is refused here.

    Raises Invalid with what is wrong and what there is, TooLarge, NotFound, Denied, Unsupported.
    """
    wish = asked(*offered(site, caller, collection), given)
    plan = checked(site, caller, understood(site, caller, wish.words, collection))
    inputs = inputs_of(wish.words, collection, zipped="always" if wish.is_zipped else "several")
    return inputs | {"asked": dict(given)}, plan


def price(site: Site, caller: Caller, collection: str, given: Mapping[str, Any]) -> Price:
    """What a request would cost. Raises as `job_inputs`, but not for what is only too large."""
    wish = asked(*offered(site, caller, collection), given)
    retrieval = understood(site, caller, wish.words, collection)
    plan = priced(site, caller, retrieval)
    try:
        checked(site, caller, retrieval)
    except TooLarge as error:
        return Price(plan, error.message)
    return Price(plan, "")
