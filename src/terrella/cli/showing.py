"""`terrella list`, `show`, `remove`, `settings`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
import typer

from terrella.cli.console import console, number, print_json, shortened, size, table
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from terrella.model.stac import Document


def list_collections(home: Path, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found = site.collections()
        counts = {one["id"]: site.catalog.count(OPERATOR, Search(collections=(one["id"],))) for one in found}
    if as_json:
        print_json([one | {"terrella:items": counts[one["id"]]} for one in found])
        return
    if not found:
        console().print("Nothing here yet. Add data: terrella add FOLDER")
        return
    shown = table("collection", "items", "from", "to", "where", "variables")
    for one in found:
        start, end = one["extent"]["temporal"]["interval"][0]
        shown.add_row(one["id"], str(counts[one["id"]]), _day(start), _day(end), _where(one), _variables(one))
    console().print(shown)


def _day(text: str | None) -> str:
    return text[:10] if text else "–"


def _where(document: Document) -> str:
    box = document["extent"]["spatial"]["bbox"][0]
    if box[0] <= -180 and box[2] >= 180 and box[1] <= -89 and box[3] >= 89:
        return "globe"
    return ",".join(f"{degrees:.6g}" for degrees in box)


def _variables(document: Document) -> str:
    return shortened(document.get("cube:variables", {}), 5) or "–"


def show(home: Path, collection: str, item: str | None, *, as_json: bool) -> None:
    with Site.open(home) as site:
        if item is not None:
            print_json(orjson.loads(site.catalog.item(OPERATOR, collection, item)))
            return
        document = orjson.loads(site.catalog.collection(OPERATOR, collection))
        count = site.catalog.count(OPERATOR, Search(collections=(collection,)))
        items = list(site.search(Search(collections=(collection,), limit=5), most=5))
    if as_json:
        print_json(document | {"terrella:items": count})
    else:
        _print_collection(document, count, items)


def _print_collection(document: Document, count: int, items: list[Document]) -> None:
    out = console()
    start, end = document["extent"]["temporal"]["interval"][0]
    out.print(document["title"], style="bold", markup=False)
    out.print(document["description"], markup=False)
    out.print(f"{_where(document)}, {_day(start)} to {_day(end)}, licence {document['license']}", markup=False)
    if grid := document.get("terrella:grid"):
        out.print(f"Grid: {grid['kind']}, {number(grid['cells'])} cells of about {grid['resolution_m'] / 1000:.4g} km")
    _print_cube(document)
    out.print(f"\n{count} item{'s' if count != 1 else ''}, newest first:")
    for one in items:
        when = one["properties"].get("start_datetime") or one["properties"]["datetime"]
        bytes_of = sum(asset.get("file:size", 0) for asset in one["assets"].values())
        out.print(f"  {one['id']}  {_day(when)}  {size(bytes_of)}", markup=False)


def _print_cube(document: Document) -> None:
    if not document.get("cube:variables"):
        return
    dimensions, variables = table("dimension", "type", "values"), table("variable", "unit", "dimensions", "what")
    for name, one in document["cube:dimensions"].items():
        dimensions.add_row(name, one["type"], _range(one))
    for name, one in document["cube:variables"].items():
        variables.add_row(name, one.get("unit", ""), " ".join(one["dimensions"]), one.get("description", ""))
    out = console()
    out.print()
    out.print(dimensions)
    out.print()
    out.print(variables)


def _range(dimension: Document) -> str:
    values = dimension.get("values")
    if values and len(values) <= 6:
        return ", ".join(str(value) for value in values)
    if not dimension.get("extent") and not values:
        return ""
    low, high = dimension.get("extent") or [values[0], values[-1]] if values else dimension["extent"]
    count = f" ({len(values)})" if values else ""
    step = f" by {dimension['step']}" if dimension.get("step") else ""
    return f"{low} to {high}{step}{count}"


def remove(home: Path, collection: str, items: list[str], *, yes: bool) -> None:
    with Site.open(home) as site:
        if not yes and sys.stdin.isatty():
            what = f"{len(items)} items of {collection}" if items else f"{collection} with all its items"
            typer.confirm(f"Take {what} out of the catalogue (files stay)?", abort=True)
        count = site.remove(collection, items)
    console().print(f"{count} item{'s' if count != 1 else ''} of {collection} removed; the files are where they were.")


def settings(home: Path, *, as_json: bool) -> None:
    with Site.open(home) as site:
        found = site.settings
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    shown = table("setting", "value", "what it is")
    for name, value, meaning in _settings(found, ""):
        shown.add_row(name, value, meaning)
    console().print(shown)


def _settings(part: BaseModel, prefix: str) -> list[tuple[str, str, str]]:
    from pydantic import BaseModel

    rows: list[tuple[str, str, str]] = []
    for name, field in type(part).model_fields.items():
        value: Any = getattr(part, name)
        if isinstance(value, BaseModel):
            rows.extend(_settings(value, f"{prefix}{name}."))
        else:
            rows.append((prefix + name, str(value), field.description or ""))
    return rows
