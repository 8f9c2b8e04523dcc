"""STAC over HTTP with many items: how long one client waits, by the shape of the question.

    python -m benchmarks.stac_million --items 1000000

Every answer is timed at the client, on a connection that stays open, one after the other; caches are warm.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks.catalog import COLLECTIONS
from benchmarks.serving import by_threads, get
from benchmarks.stac_http import terrella
from benchmarks.stac_questions import QUESTIONS, box, clouds, filled, item_path, sample, search, years

Row = dict[str, Any]
_PAGES = 20
_BAR_MS = 100.0
_BARS_MS = {"newest 100": 5.0, "one item by id": 2.0}


def paths(home: Path, rng: random.Random) -> dict[str, list[str]]:
    """Paths by the shape of the question."""

    def ask(**parameters: object) -> str:
        return "/stac" + search(limit=100, **parameters)

    def many(make: Any) -> list[str]:
        return [make() for _ in range(QUESTIONS)]

    few = clouds(30)
    return {
        "2 degrees, 1 year, cloud < 30": many(lambda: ask(bbox=box(rng, 2), datetime=years(rng, 1), **few)),
        "20 degrees, 1 year, cloud < 30": many(lambda: ask(bbox=box(rng, 20), datetime=years(rng, 1), **few)),
        "20 degrees, 1 year, cloud < 30, one collection": many(
            lambda: ask(bbox=box(rng, 20), datetime=years(rng, 1), collections=rng.choice(COLLECTIONS), **few)
        ),
        "90 degrees, 10 years, cloud < 30": many(lambda: ask(bbox=box(rng, 90), datetime=years(rng, 10), **few)),
        "90 degrees, 10 years, cloud < 1": many(lambda: ask(bbox=box(rng, 90), datetime=years(rng, 10), **clouds(1))),
        "newest 100": [ask()],
        "newest 100 of one collection": [ask(collections=name) for name in COLLECTIONS],
        "one item by id": ["/stac" + item_path(*one) for one in sample(home, QUESTIONS, rng)],
    }


def deep_pages(port: int) -> Iterator[str]:
    """Paths of pages of 100 that lie up to 20,000 items deep."""
    path = "/stac" + search(limit=1000)
    for _ in range(_PAGES):
        document = orjson.loads(get(port, path)[1])
        following = next((one["href"] for one in document["links"] if one["rel"] == "next"), None)
        if following is None:
            return
        parts = urlsplit(following)
        path = f"{parts.path}?{parts.query}"
        yield path.replace("limit=1000", "limit=100")


def run(items: int = 1_000_000, *, seconds: float = 6, folder: Path | None = None) -> list[Row]:
    """Rows: median and 99th percentile of every shape, and the bar for the latter."""
    with tempfile.TemporaryDirectory() as scratch:
        home = folder or Path(scratch) / "home"
        filled(home, items)
        asked = paths(home, random.Random(5))
        with terrella(home) as port:
            asked["page up to 20,000 items deep"] = list(deep_pages(port))
            return [_row(what, port, ours, seconds, items) for what, ours in asked.items()]


def _row(what: str, port: int, ours: list[str], seconds: float, items: int) -> Row:
    by_threads(port, ours, seconds / 3, 1)
    rate = by_threads(port, ours, seconds, 1)
    return {
        "what": f"STAC over HTTP, {items:,} items, one client: {what}",
        "terrella_p50_ms": round(rate.p50_ms, 2),
        "terrella_p99_ms": round(rate.p99_ms, 2),
        "bar_ms": _BARS_MS.get(what, _BAR_MS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it again when it is there")
    given = parser.parse_args()
    for row in run(given.items, seconds=given.seconds, folder=given.folder):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
