"""The answer to discovery as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from terrella.grids.framing import framed
from terrella.model.discovery import ACCESS
from terrella.model.space import GLOBE, Extent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from terrella.catalog.cards import Card, CardVariable
    from terrella.catalog.discovering import Discovered, Found
    from terrella.model.discovery import Counted
    from terrella.model.search import Outcome

THUMBNAIL = (360, 180)
"""Width and height of a thumbnail on a card, pixels."""


def document(found: Discovered, root: str) -> dict[str, Any]:
    """The whole answer; `root` is the address of the site."""
    made: dict[str, Any] = {
        "matched": found.matched,
        "returned": len(found.page),
        "collections": [card(one, root) for one in found.page],
        "next": found.next,
        "span": list(found.span),
        "partial": any(one.state != "ok" for one, _ in found.sources),
        "sources": [_source(one, count) for one, count in found.sources],
    }
    if found.facets:
        made["facets"] = {name: _facet(values, name, found.left_out) for name, values in found.facets.items()}
    return made


def card(found: Found, root: str) -> dict[str, Any]:
    """What is shown of one collection."""
    one = found.card
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "bbox": None if one.bbox is None else list(one.bbox),
        "interval": list(one.interval),
        "variables": [_variable(variable) for variable in one.variables],
        "resolution_m": one.resolution,
        "grid": one.grid or None,
        "license": one.licence,
        "providers": list(one.providers),
        "keywords": list(one.keywords),
        "themes": [{"id": name, "title": title} for name, title in one.themes.items()],
        "items": found.items,
        "has": [name for name, there in (("cube", one.has_cube), ("images", one.has_images)) if there],
        "access": {"state": found.access, "title": ACCESS[found.access], "in_part": found.is_part},
        "provider": found.provider,
        "updated": one.updated or None,
        "thumbnail": thumbnail(one, root) if found.access == "open" else None,
        "links": links(one, root),
    }


def thumbnail(one: Card, root: str) -> dict[str, Any] | None:
    """Where its picture is, and which box that shows; None where there is nothing to draw."""
    if not (one.has_cube or one.has_images):
        return None
    extent = Extent.of(*one.bbox) if one.bbox else GLOBE
    width, height = THUMBNAIL
    words = urlencode({"width": width, "height": height, "mark": one.mark})
    href = f"{root}/tiles/{quote(one.id, safe='')}/thumbnail?{words}"
    return {"href": href, "bbox": list(framed(extent, width, height)), "width": width, "height": height}


def links(one: Card, root: str) -> dict[str, str]:
    """Where each interface has it; only those that can do something with it."""
    name = quote(one.id, safe="")
    made = {"stac": f"{root}/stac/collections/{name}", "connect": f"{root}/connect?{urlencode({'collection': one.id})}"}
    if one.has_cube or one.has_images:
        made |= {"ogc": f"{root}/ogc/collections/{name}", "tiles": f"{root}/tiles/{name}"}
    if one.has_cube:
        made["zarr"] = f"{root}/zarr/{name}"
    return made


def _variable(one: CardVariable) -> dict[str, str]:
    return {"name": one.name, "title": one.title, "units": one.units, "id": one.key}


def _facet(values: Sequence[Counted], name: str, left_out: Mapping[str, int]) -> dict[str, Any]:
    told = [
        {"value": one.value, "title": one.title, "count": one.count, **({"chosen": True} if one.is_chosen else {})}
        for one in values
    ]
    return {"values": told, "more": left_out.get(name, 0)}


def _source(one: Outcome, count: int) -> dict[str, Any]:
    made = {"provider": one.provider, "state": one.state, "matched": count, "seconds": round(one.seconds, 4)}
    return made | ({"message": one.message} if one.message else {})
