"""The catalogue with many items: how long a search takes inside the process, by the shape of the question.

    python -m benchmarks.catalog --items 1000000

Items are skewed as archives are: a few collections hold most, and most lie over a few hundred places. They come in
random order of time, the worst for loading: with a million, each batch touches nearly every page of the indexes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from terrella.model.caller import OPERATOR
from terrella.model.search import Search, SortKey
from terrella.model.space import Extent
from terrella.model.time import parse_interval
from terrella.providers.lake import Lake

Row = dict[str, Any]
COLLECTIONS = [f"collection-{n:02d}" for n in range(20)]
_BATCH = 25_000
_WORDS = (
    "surface",
    "sea",
    "ice",
    "vegetation",
    "moisture",
    "radar",
    "land",
    "ocean",
    "cloud",
    "aerosol",
    "snow",
    "flood",
    "urban",
)


def documents(count: int, *, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Synthetic items of about 0.8 kB over eleven years."""
    rng = random.Random(seed)
    places = [(rng.uniform(-175, 175), rng.triangular(-75, 75, 35)) for _ in range(300)]
    shares = [1 / (n + 1) for n in range(len(COLLECTIONS))]
    for number in range(count):
        yield _document(number, rng, places, shares)


def _document(number: int, rng: random.Random, places: list[tuple[float, float]], shares: list[float]) -> Row:
    collection = rng.choices(COLLECTIONS, shares)[0]
    if rng.random() < 0.7:
        lon, lat = rng.choice(places)
        lon, lat = lon + rng.gauss(0, 3), max(-85.0, min(85.0, lat + rng.gauss(0, 3)))
    else:
        lon, lat = rng.uniform(-179, 179), rng.uniform(-85, 85)
    seconds = rng.randrange(11 * 365 * 86_400)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_420_070_400 + seconds))
    size, tilt = rng.uniform(0.2, 1.0), rng.uniform(0, 0.2)
    ring = [
        [lon - size, lat - size],
        [lon + size, lat - size + tilt],
        [lon + size - tilt, lat + size],
        [lon - size - tilt, lat + size - tilt],
        [lon - size, lat - size],
    ]
    name = f"S{number % 3}_{collection}_{at.replace('-', '').replace(':', '')}_{number:07d}"
    words = rng.sample(_WORDS, 3)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [lon - size - tilt, lat - size, lon + size, lat + size],
        "properties": {
            "datetime": at,
            "created": at,
            "title": f"{words[0].title()} {words[1]} {words[2]} of {at[:10]}",
            "platform": f"satellite-{number % 5}",
            "instruments": ["msi"],
            "eo:cloud_cover": round(rng.uniform(0, 100), 2),
            "proj:code": f"EPSG:{32601 + number % 60}",
            "view:off_nadir": round(rng.uniform(0, 30), 1),
        },
        "links": [{"rel": "collection", "href": f"../{collection}.json", "type": "application/json"}],
        "assets": {"data": {"href": f"s3://archive/{collection}/{name}.tif", "type": "image/tiff", "roles": ["data"]}},
    }


def load(lake: Lake, count: int) -> float:
    """Fill a lake; returns items a second, without the time that making them takes."""
    spent = 0.0
    for name in COLLECTIONS:
        lake.put_collection(OPERATOR, {"type": "Collection", "id": name, "title": name})
    batch: list[dict[str, Any]] = []
    for item in documents(count):
        batch.append(item)
        if len(batch) == _BATCH:
            spent += _put(lake, batch)
            batch = []
    spent += _put(lake, batch)
    return count / spent


def _put(lake: Lake, batch: list[dict[str, Any]]) -> float:
    began = time.perf_counter()
    lake.put_items(OPERATOR, batch)
    return time.perf_counter() - began


def questions(lake: Lake, rng: random.Random) -> dict[str, Callable[[], object]]:
    """One call for each shape of question, with new random values each time."""

    def box(width: float) -> Extent:
        west, south = rng.uniform(-180, 180), rng.uniform(-80, 80 - width / 2 if width < 90 else 0)
        return Extent.of(west, south, west + width, min(90.0, south + width))

    def years(count: int) -> Any:
        first = rng.randrange(2015, 2026 - count + 1)
        return parse_interval(f"{first}-01-01T00:00:00Z/{first + count - 1}-12-31T23:59:59Z")

    def cloud(most: int) -> Row:
        return {"op": "<", "args": [{"property": "eo:cloud_cover"}, most]}

    def ask(**parts: Any) -> object:
        return lake.search(OPERATOR, Search(limit=100, **parts))

    def collection() -> str:
        return rng.choice(COLLECTIONS)

    tokens, known = _deep(lake)
    view = {"op": ">", "args": [{"property": "view:off_nadir"}, 25]}
    triangle = lambda b: {  # noqa: E731
        "type": "Polygon",
        "coordinates": [[[b.west, b.south], [b.west + 5, b.south], [b.west, b.south + 5], [b.west, b.south]]],
    }
    return {
        "2 degrees, 1 year, cloud < 30": lambda: ask(bbox=box(2), interval=years(1), filter=cloud(30)),
        "20 degrees, 1 year, cloud < 30": lambda: ask(bbox=box(20), interval=years(1), filter=cloud(30)),
        "20 degrees, 1 year, one collection": lambda: ask(
            bbox=box(20), interval=years(1), filter=cloud(30), collections=(collection(),)
        ),
        "90 degrees, 10 years, cloud < 30": lambda: ask(bbox=box(90), interval=years(10), filter=cloud(30)),
        "90 degrees, 10 years, cloud < 1": lambda: ask(bbox=box(90), interval=years(10), filter=cloud(1)),
        "5 degree triangle, all years": lambda: ask(intersects=triangle(box(5))),
        "20 degrees, 1 year, any property": lambda: ask(bbox=box(20), interval=years(1), filter=view),
        "20 degrees, 1 year, by cloud": lambda: ask(
            bbox=box(20), interval=years(1), sortby=(SortKey("eo:cloud_cover"),)
        ),
        "two words": lambda: ask(text=(f"{rng.choice(_WORDS)} AND {rng.choice(_WORDS)}",)),
        "newest 100": ask,
        "newest 100 of one collection": lambda: ask(collections=(collection(),)),
        "newest 100 of three collections": lambda: ask(collections=(collection(), collection(), collection())),
        "deep page": lambda: ask(token=rng.choice(tokens)),
        "by id": lambda: lake.item(OPERATOR, *rng.choice(known)),
        "100 by id": lambda: ask(ids=tuple(name for _, name in rng.sample(known, 100))),
    }


def _deep(lake: Lake) -> tuple[list[str], list[tuple[str, str]]]:
    """Tokens of pages up to 20,000 items deep, and collection and id of items on the way."""
    tokens: list[str] = []
    known: list[tuple[str, str]] = []
    page = lake.search(OPERATOR, Search(limit=1000))
    while page.next is not None and len(tokens) < 20:
        tokens.append(page.next)
        known += [(item["collection"], item["id"]) for item in map(orjson.loads, page.documents)]
        page = lake.search(OPERATOR, Search(limit=1000, token=page.next))
    return tokens, known


def timed(call: Callable[[], object], repeats: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds, caches warm."""
    for _ in range(3):
        call()
    spent = []
    for _ in range(repeats):
        began = clock()
        call()
        spent.append((clock() - began) * 1000)
    return statistics.median(spent), statistics.quantiles(spent, n=100)[-1]


def run(
    items: int = 100_000,
    *,
    repeats: int = 200,
    folder: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Row]:
    """Rows with `what`, `p50_ms` and `p99_ms`; the first says how fast loading was (`per_second`)."""
    with tempfile.TemporaryDirectory() as scratch, Lake(folder or Path(scratch)) as lake:
        rows: list[Row] = []
        if lake.count(OPERATOR, Search()) < items:
            rows.append({"what": f"load {items:,} items", "per_second": round(load(lake, items))})
        for what, call in questions(lake, random.Random(3)).items():
            median, last = timed(call, repeats, clock)
            rows.append({"what": what, "p50_ms": round(median, 2), "p99_ms": round(last, 2)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it again when it is there")
    parser.add_argument("--cpu", action="store_true", help="processor time, for a machine that is busy with other work")
    given = parser.parse_args()
    clock = time.thread_time if given.cpu else time.perf_counter
    for row in run(given.items, repeats=given.repeats, folder=given.folder, clock=clock):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
