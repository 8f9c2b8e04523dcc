"""STAC documents of files and cubes: items from scans, collections from cube indexes. STAC 1.1, nothing read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from terrella.catalog.dimensions import cube_dimensions, cube_variables
from terrella.catalog.periods import Period, period_of
from terrella.grids import grid_from_json
from terrella.model.credit import bare_doi
from terrella.model.stac import REGIONS, STAC_VERSION
from terrella.model.stated import KEPT_WITH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from terrella.contracts.cubes import Bundle, Member
    from terrella.contracts.grids import Grid
    from terrella.model.scan import FileScan
    from terrella.model.stac import Document
    from terrella.model.stated import StatedGrid

EXTENSIONS = {
    "datacube": "https://stac-extensions.github.io/datacube/v2.2.0/schema.json",
    "projection": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "file": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "version": "https://stac-extensions.github.io/version/v1.2.0/schema.json",
    "raster": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "forecast": "https://stac-extensions.github.io/forecast/v0.2.0/schema.json",
    "scientific": "https://stac-extensions.github.io/scientific/v1.0.0/schema.json",
    "eo": "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
}

_COUNTED = re.compile(r"; from \d+ files?\.$")
_TEXTS = ("title", "source", "references", "comment", "history", "summary", "doi", "citation", "acknowledgement")
_COMMON = ("platform", "constellation", "instruments", "mission", "gsd")
_SPDX = {
    "cc by 4.0": "CC-BY-4.0",
    "cc-by-4.0": "CC-BY-4.0",
    "creativecommons.org/licenses/by/4.0": "CC-BY-4.0",
    "cc0": "CC0-1.0",
    "public domain": "CC-PDDC",
    "open government licence": "OGL-UK-3.0",
    "apache-2.0": "Apache-2.0",
    "bsd-3": "BSD-3-Clause",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says about a collection; empty fields are worked out from the files."""

    title: str = ""
    description: str = ""
    licence: str = ""
    attribution: str = ""
    citation: str = ""
    doi: str = ""
    keywords: tuple[str, ...] = ()
    grid: StatedGrid | None = None
    """On which its images are answered where a request says nothing."""


def software() -> dict[str, str]:
    return {"terrella": version("terrella")}


def item_document(bundle: Bundle, member: Member, wishes: Wishes, *, number: int, now: str) -> Document:
    """The item of one file. `number` is its version, counted from 1; `now` an RFC 3339 time."""
    scan = member.scan
    grids = [grid_from_json(part.grid) for part in scan.parts]
    period = Period.around(period_of(part.axes) for part in scan.parts)
    extent = _bbox(grids)
    properties: Document = {
        **period.properties(fallback=now),
        "title": f"{wishes.title or _title(bundle, scan)}: {member.item}",
        "keywords": _keywords([member]),
        "created": now,
        "updated": now,
        "version": str(number),
        "processing:software": software(),
        **_projection(grids),
        **_said(scan),
        "cube:dimensions": _merged(
            cube_dimensions(part.axes, grid) for part, grid in zip(scan.parts, grids, strict=True)
        ),
        "cube:variables": _merged(cube_variables(part.arrays, part.axes) for part in scan.parts),
    }
    used = ["datacube", "projection", "file", "processing", "version"]
    used += ["eo"] if "eo:cloud_cover" in properties else []
    used += ["forecast"] if "forecast:reference_datetime" in properties else []
    asset = _asset(scan)
    used += (
        ["raster"] if any("raster:scale" in band or "raster:offset" in band for band in asset.get("bands", ())) else []
    )
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EXTENSIONS[name] for name in used],
        "id": member.item,
        "collection": bundle.collection,
        "bbox": extent,
        "geometry": scan.attrs.get("footprint") or _footprint(grids),
        "properties": properties,
        "assets": {"data": asset},
        "links": [],
    }


def collection_document(
    bundle: Bundle, items: list[Document], wishes: Wishes, *, now: str, before: Document | None
) -> Document:
    """The collection of a bundle; what the user said before stays unless said anew."""
    old = before or {}
    first = bundle.members[0].scan
    title = wishes.title or old.get("title") or _title(bundle, first)
    document: Document = {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EXTENSIONS["datacube"], EXTENSIONS["processing"], EXTENSIONS["version"]],
        "id": bundle.collection,
        "title": title,
        "description": wishes.description or _said_description(old) or _description(bundle, first),
        "license": licence(wishes.licence or str(old.get("license", "")) or str(first.attrs.get("license", ""))),
        "keywords": list(wishes.keywords) or old.get("keywords") or _keywords(bundle.members),
        "extent": {"spatial": {"bbox": [_around(items)]}, "temporal": {"interval": [_interval(items)]}},
        "summaries": _summaries(items),
        "providers": old.get("providers") or _providers(first),
        "created": old.get("created", now),
        "updated": now,
        "version": _next_version(old),
        "links": old.get("links", []),
        "item_assets": {"data": {key: items[0]["assets"]["data"][key] for key in ("type", "roles")}},
    }
    if cited := _citation(first, wishes, old):
        document |= cited | {"stac_extensions": [*document["stac_extensions"], EXTENSIONS["scientific"]]}
    if attribution := wishes.attribution or old.get("attribution", "") or str(first.attrs.get("attribution", "")):
        document["attribution"] = attribution
    document |= usual_grid(wishes, old)
    if bundle.index is not None:
        grid = grid_from_json(bundle.index.grid)
        document["cube:dimensions"] = cube_dimensions(bundle.index.axes, grid)
        document["cube:variables"] = cube_variables(bundle.index.variables, bundle.index.axes)
        document["terrella:grid"] = grid_facts(grid)
    return document


def _citation(scan: FileScan, wishes: Wishes, old: Document) -> Document:
    """What to cite, in the words of the scientific extension: as the user says, else as the file does."""
    doi = wishes.doi or old.get("sci:doi") or bare_doi(str(scan.attrs.get("doi") or scan.attrs.get("DOI") or ""))
    citation = wishes.citation or old.get("sci:citation") or str(scan.attrs.get("citation") or "").strip()[:2000]
    return {key: value for key, value in (("sci:doi", bare_doi(str(doi))), ("sci:citation", citation)) if value}


def usual_grid(wishes: Wishes, old: Document) -> Document:
    """The property that keeps a collection's usual grid: as the user says, else as it was."""
    said = wishes.grid.document() if wishes.grid is not None else old.get(KEPT_WITH)
    return {} if said is None else {KEPT_WITH: said}


def _next_version(old: Document) -> str:
    said = str(old.get("version", "0"))
    return str(int(said) + 1) if said.isdecimal() else "1"


def _said_description(old: Document) -> str:
    """The description that a collection has, unless it is one of ours, which counts its files."""
    text = str(old.get("description") or "")
    return "" if _COUNTED.search(text) else text


def licence(said: str) -> str:
    """An SPDX identifier where the words mean one, else 'other' as STAC wants it."""
    if not said:
        return "other"
    folded = said.casefold()
    if said in _SPDX.values() or said == "other":
        return said
    return next((spdx for words, spdx in _SPDX.items() if words in folded), "other")


def grid_facts(grid: Grid) -> Document:
    """What people and programs want to know of a grid, without its tables."""
    scalars = {
        key: value
        for key, value in grid.to_json().items()
        if isinstance(value, int | float | bool) or key in ("kind", "order")
    }
    return {
        **scalars,
        "kind": grid.kind,
        "shape": list(grid.shape),
        "cells": grid.size,
        "resolution_m": round(grid.resolution(), 3),
    }


def _said(scan: FileScan) -> Document:
    found = {key: scan.attrs[key] for key in (*_COMMON, *_TEXTS) if scan.attrs.get(key) and key != "title"}
    found |= {key: value for key, value in scan.attrs.items() if ":" in key and not key.startswith(("_", "proj:"))}
    if "instruments" in found and isinstance(found["instruments"], str):
        found["instruments"] = [found["instruments"]]
    return found


def _asset(scan: FileScan) -> Document:
    asset: Document = {
        "href": scan.href,
        "type": scan.media_type,
        "title": scan.href.rstrip("/").rpartition("/")[2],
        "roles": ["data"],
        "file:size": scan.size,
        "file:checksum": scan.checksum,
        "bands": [_band(array) for part in scan.parts for array in part.arrays],
    }
    return asset


def _band(array: Any) -> Document:
    band: Document = {"name": array.name, "data_type": _data_type(array.dtype)}
    if description := array.attrs.get("long_name") or array.attrs.get("standard_name"):
        band["description"] = str(description)
    if unit := array.attrs.get("units"):
        band["unit"] = str(unit)
    if array.packing.missing:
        band["nodata"] = _number(array.packing.missing[0])
    if array.packing.scale != 1:
        band["raster:scale"] = array.packing.scale
    if array.packing.offset != 0:
        band["raster:offset"] = array.packing.offset
    return band


def _number(value: float) -> float | str:
    """JSON knows no NaN; STAC has words for it."""
    if value != value:  # noqa: PLR0124 -- NaN
        return "nan"
    return {float("inf"): "inf", float("-inf"): "-inf"}.get(value, value)


_DATA_TYPES = {"i": "int", "u": "uint", "f": "float", "c": "cfloat"}


def _data_type(dtype: str) -> str:
    kind, size = dtype.lstrip("<>=|")[0], dtype.lstrip("<>=|")[1:]
    return f"{_DATA_TYPES[kind]}{int(size) * 8}" if kind in _DATA_TYPES and size.isdigit() else "other"


def _bbox(grids: Sequence[Grid]) -> list[float]:
    return _joined([grid.extent().bbox() for grid in grids])


def _around(items: list[Document]) -> list[float]:
    return _joined([item["bbox"] for item in items if item.get("bbox")] or [[-180.0, -90.0, 180.0, 90.0]])


def _joined(boxes: list[list[float]]) -> list[float]:
    """One box around several; the narrowest that holds them, which may cross the antimeridian."""
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    west, east = _joined_longitudes([(box[0], box[2]) for box in boxes])
    return [west, south, east, north]


def _joined_longitudes(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """The smallest arc of longitudes that holds all spans: everything but the widest gap between them."""
    starts = sorted((west, east if east >= west else east + 360) for west, east in spans)
    reach, gaps = starts[0][1], []
    for west, east in starts[1:]:
        gaps.append((west - reach, reach, west))
        reach = max(reach, east)
    gaps.append((starts[0][0] + 360 - reach, reach, starts[0][0] + 360))
    width, reach, west = max(gaps, key=lambda gap: gap[0])
    if width <= 0:
        return -180.0, 180.0
    start = west - 360 if west >= 180 else west
    end = reach - 360 if reach > 180 else reach
    return start, end


def _footprint(grids: Sequence[Grid]) -> Document:
    if len(grids) == 1:
        return grids[0].footprint()
    from shapely import unary_union
    from shapely.geometry import mapping, shape

    return dict(mapping(unary_union([shape(grid.footprint()).buffer(0) for grid in grids])))


def _projection(grids: Sequence[Grid]) -> Document:
    """Projection extension v2 of the first grid."""
    grid = grids[0]
    found: Document = {"proj:shape": list(grid.shape)} if len(grid.shape) == 2 else {}
    if grid.crs.startswith("EPSG:"):
        found["proj:code"] = grid.crs
    elif grid.crs:
        found["proj:code"] = None
        found["proj:wkt2"] = grid.crs
    transform = getattr(grid, "transform", None)
    if transform is not None:
        found["proj:transform"] = [float(number) for number in tuple(transform)[:6]]
    return found


def _merged(parts: Iterable[Document]) -> Document:
    found: Document = {}
    for part in parts:
        found |= {key: value for key, value in part.items() if key not in found}
    return found


def _title(bundle: Bundle, scan: FileScan) -> str:
    said = str(scan.attrs.get("title", "")).strip()
    return said if 3 <= len(said) <= 120 else bundle.collection.replace("-", " ").replace("_", " ")


def _description(bundle: Bundle, scan: FileScan) -> str:
    said = str(scan.attrs.get("summary") or scan.attrs.get("comment") or "").strip()
    if said:
        return said[:2000]
    names = sorted(
        {_long_name(array) for member in bundle.members for part in member.scan.parts for array in part.arrays}
    )
    files = len(bundle.members)
    what = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"{what}; from {files} file{'s' if files != 1 else ''}."


def _long_name(array: Any) -> str:
    return str(array.attrs.get("long_name") or array.attrs.get("standard_name") or array.name)


def _keywords(members: Iterable[Member]) -> list[str]:
    """Standard names, and names of variables: what people search for."""
    arrays = [array for member in members for part in member.scan.parts for array in part.arrays]
    words = {str(array.attrs["standard_name"]) for array in arrays if array.attrs.get("standard_name")}
    return sorted(words | {array.name for array in arrays})[:40]


def _providers(scan: FileScan) -> list[Document]:
    institution = str(scan.attrs.get("institution") or scan.attrs.get("creator_name") or "").strip()
    return [{"name": institution[:200], "roles": ["producer"]}] if institution else []


def _interval(items: list[Document]) -> list[str | None]:
    """RFC 3339 texts of one width compare like times."""
    dated = [item["properties"] for item in items if not item["properties"].get("terrella:undated")]
    starts = [one.get("start_datetime") or one["datetime"] for one in dated]
    ends = [one.get("end_datetime") or one["datetime"] for one in dated]
    return [min(starts), max(ends)] if dated else [None, None]


def _summaries(items: list[Document]) -> Document:
    """What values the properties of the items have, where they are few."""
    found: dict[str, list[Any]] = {}
    for key in ("platform", "constellation", "proj:code"):
        values = sorted({str(item["properties"][key]) for item in items if item["properties"].get(key)})
        if values and len(values) <= 50:
            found[key] = values
    return found


def minimal_collection(name: str, items: list[Document], wishes: Wishes, *, now: str) -> Document:
    """A collection for STAC items that came without one; of named regions it says so, that they are found."""
    said = {"attribution": wishes.attribution, "sci:citation": wishes.citation, "sci:doi": bare_doi(wishes.doi)}
    asset = items[0].get("assets", {}).get("data", {}) if items else {}
    regions = {"item_assets": {"data": {key: asset.get(key) for key in ("type", "roles")}}}
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": name,
        "title": wishes.title or name,
        "description": wishes.description or f"Items of {name}.",
        "license": licence(wishes.licence),
        **{key: value for key, value in said.items() if value},
        **(regions if REGIONS in (asset.get("roles") or ()) else {}),
        "extent": {"spatial": {"bbox": [_around(items)]}, "temporal": {"interval": [_interval(items)]}},
        "created": now,
        "updated": now,
        "links": [],
    }
