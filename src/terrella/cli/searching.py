"""`terrella search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.cli.console import console, print_json, table
from terrella.cli.numbers import numbers
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.model.time import parse_interval
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.model.stac import Document


def search(
    home: Path,
    text: list[str],
    collections: list[str],
    bbox: str | None,
    time: str | None,
    query: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    asked = Search(
        collections=tuple(collections),
        bbox=Extent.of(*numbers(bbox, 4, "bbox")) if bbox else None,
        interval=parse_interval(time, parameter="time") if time else None,
        filter=_filter(query) if query else None,
        text=(" AND ".join(text),) if text else (),
        limit=min(limit, 1000),
    )
    with Site.open(home) as site:
        for name in collections:
            site.catalog.collection(OPERATOR, name)
        found = list(site.search(asked, most=limit))
    if as_json:
        print_json({"type": "FeatureCollection", "features": found})
    else:
        _print(found)


def _filter(text: str) -> Document:
    import cql2

    from terrella.errors import Invalid

    try:
        parsed: Document = cql2.parse_text(text).to_json()
    except Exception as error:
        raise Invalid(f'The filter is no CQL2 text: {error}. Try: "eo:cloud_cover" < 10', parameter="filter") from error
    return parsed


def _print(found: list[Document]) -> None:
    if not found:
        console().print("Nothing matches.")
        return
    shown = table("collection", "item", "from", "to")
    for one in found:
        at = one["properties"]
        start, end = at.get("start_datetime") or at["datetime"], at.get("end_datetime") or at["datetime"]
        shown.add_row(one["collection"], one["id"], start or "–", "" if end == start else end or "–")
    console().print(shown)
