"""What a collection offers in MARS words, narrowed by what is picked already: for forms, queryables, constraints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from terrella.errors import NotFound, Unsupported
from terrella.extraction.mars.asking import parse_request
from terrella.extraction.mars.choosing import choices, facets
from terrella.model.ids import collection_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from terrella.contracts.cubes import CubeIndex
    from terrella.extraction.mars.choosing import Facets
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site


@dataclass(frozen=True, slots=True)
class Offer:
    """`values` that each key may take, as text, none empty; `titles` of parameters."""

    values: dict[str, list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


def offered(site: Site, caller: Caller, collection: str, given: Mapping[str, Any]) -> Offer:
    """What can be picked in a collection beside `given`. No data are read.

    Raises NotFound; Invalid for a key that there is not, and for a pick that nothing has.
    """
    document = orjson.loads(site.catalog.collection(caller, collection_id(collection)))
    if "cube:variables" not in document:
        return Offer()
    return _offer(facets(document, _index(site, caller, collection)), given, document.get("cube:dimensions", {}))


def offered_anywhere(documents: Sequence[Document], given: Mapping[str, Any]) -> Offer:
    """What any of these collections has, by their documents alone: no axes."""
    known = [one for document in documents for one in facets(document, None)]
    return _offer(known, given, {name for document in documents for name in document.get("cube:dimensions", {})})


def _index(site: Site, caller: Caller, collection: str) -> CubeIndex | None:
    """None where the caller may know of it, but not read it: then its document has to do."""
    try:
        return site.catalog.open(caller, collection)[0]
    except (NotFound, Unsupported):
        return None


def _offer(known: list[Facets], given: Mapping[str, Any], axes: Any) -> Offer:
    request = parse_request(given, also=axes)
    if not known:
        return Offer()
    titles = {value: one.title for one in known for value in one.words["param"]}
    return Offer(choices(known, {**request.what, **request.where}), titles)
