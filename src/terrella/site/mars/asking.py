"""Requests in MARS words against a site: which collections answer, and what to cut out of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from terrella.extraction.mars import identities, matched, parse_request, placed
from terrella.model.extraction import Extraction
from terrella.model.ids import collection_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from terrella.contracts.cubes import CubeIndex
    from terrella.extraction.mars import MarsRequest
    from terrella.model.caller import Caller
    from terrella.model.extraction import Shape
    from terrella.model.stac import Document
    from terrella.site.site import Site


def asked_documents(site: Site, caller: Caller, collection: str | None) -> list[Document]:
    """Documents of collections that may answer: the named one, or all that have a cube. Raises NotFound."""
    if collection is not None:
        return [orjson.loads(site.catalog.collection(caller, collection_id(collection)))]
    return [document for document in site.collections(caller=caller) if "cube:variables" in document]


def parse_for(given: Mapping[str, Any], documents: list[Document]) -> MarsRequest:
    """The request read, axes that these collections have beyond MARS's own being keys too. Raises Invalid."""
    also = {name for document in documents for name in document.get("cube:dimensions", {})}
    return parse_request(given, also=also)


def mars_extractions(
    site: Site,
    caller: Caller,
    request: MarsRequest,
    documents: list[Document],
    shape: Shape,
    *,
    base: date | None = None,
    **rest: Any,
) -> list[Extraction]:
    """What to cut, one extraction for each set of variables that share their axes, in the order of the parameters.

    `rest` are further fields of every Extraction; `base` is the day that relative dates count from (today, UTC).
    Raises Invalid for what is not there, with what is; NotFound.
    """
    dims = {(one.collection, one.variable): one.dims for document in documents for one in identities(document)}
    made: list[Extraction] = []
    for collection, variables in matched(request, documents).items():
        index, _ = site.catalog.open(caller, collection)
        groups: dict[tuple[str, ...], list[str]] = {}
        for variable in variables:
            groups.setdefault(dims[collection, variable], []).append(variable)
        for names, together in groups.items():
            extraction = Extraction(collection_id(collection), shape, tuple(together), **rest)
            made.append(placed(_fitting(request, names, groups, index), extraction, _axes(index, names), base=base))
    return made


def _axes(index: CubeIndex, dims: tuple[str, ...]) -> list[Any]:
    return [axis for axis in index.axes if axis.name in dims]


def _fitting(
    request: MarsRequest, dims: tuple[str, ...], groups: dict[tuple[str, ...], list[str]], index: CubeIndex
) -> MarsRequest:
    """The request for variables with these axes: levels are no matter of those that have none, where others have."""
    upright = {axis.name for axis in index.axes if axis.kind == "vertical"}
    if upright & set(dims) or not any(upright & set(other) for other in groups):
        return request
    return request.without("levelist")
