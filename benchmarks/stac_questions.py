"""A lake of synthetic items, and what is asked of it over HTTP: paths below a STAC API's root."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from benchmarks.catalog import COLLECTIONS, load
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.model.time import parse_interval
from terrella.providers.lake import Lake

Row = dict[str, Any]
QUESTIONS = 300
"""Different ones of a shape."""


def filled(home: Path, items: int) -> float | None:
    """Fill a home unless it is; returns items a second."""
    with Lake(home) as lake:
        return None if lake.count(OPERATOR, Search()) >= items else load(lake, items)


def sample(home: Path, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Collections and ids of items from all over the years."""
    found: list[tuple[str, str]] = []
    with Lake(home) as lake:
        while len(found) < count:
            before = f"{rng.randrange(2016, 2026)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}T12:00:00Z"
            page = lake.search(OPERATOR, Search(interval=parse_interval(f"../{before}"), limit=10))
            found += [(item["collection"], item["id"]) for item in map(orjson.loads, page.documents)]
    return found[:count]


def search(**parameters: object) -> str:
    """The path of a search by GET."""
    return f"/search?{urlencode(parameters)}"


def box(rng: random.Random, width: float) -> str:
    """A random box of so many degrees on the globe."""
    height = min(width, 85.0)
    west, south = rng.uniform(-180, 180 - width), rng.uniform(-85, 85 - height)
    return f"{west:.4f},{south:.4f},{west + width:.4f},{south + height:.4f}"


def years(rng: random.Random, count: int) -> str:
    """A random interval of so many whole years."""
    first = rng.randrange(2015, 2026 - count + 1)
    return f"{first}-01-01T00:00:00Z/{first + count - 1}-12-31T23:59:59Z"


def clouds(most: float) -> Row:
    """Parameters of a filter by cloud cover."""
    return {"filter": f"eo:cloud_cover < {most:g}", "filter-lang": "cql2-text"}


def questions(home: Path, rng: random.Random) -> dict[str, list[str]]:
    """Paths by the shape of the question, without the prefix that each server has."""
    known = sample(home, QUESTIONS, rng)
    every = range(QUESTIONS)
    return {
        "10 degree box, 10 items": [search(bbox=box(rng, 10), limit=10) for _ in every],
        "10 degree box, 1 year, one collection": [
            search(bbox=box(rng, 10), datetime=years(rng, 1), collections=rng.choice(COLLECTIONS), limit=10)
            for _ in every
        ],
        "cloud cover below a limit (CQL2)": [search(limit=10, **clouds(rng.uniform(1, 50))) for _ in every],
        "10 degree box, cloud cover (CQL2)": [
            search(bbox=box(rng, 10), limit=10, **clouds(rng.uniform(1, 50))) for _ in every
        ],
        "newest 100": [search(limit=100)],
        "one item by id": [item_path(*one) for one in known],
    }


def item_path(collection: str, name: str) -> str:
    return f"/collections/{collection}/items/{quote(name)}"
