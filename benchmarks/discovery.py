"""Discovery over many collections: how long an answer with all facets takes inside the process, as JSON.

python -m benchmarks.discovery --collections 10000
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from terrella.api.discover.documents import document
from terrella.catalog.catalog import Catalog
from terrella.catalog.discovering import Discovery
from terrella.model import parameters
from terrella.model.caller import OPERATOR
from terrella.model.discovery import Discovering
from terrella.model.space import Extent
from terrella.providers.lake import Lake

Row = dict[str, Any]
BAR_MS = 100
_WORDS = ("temperature", "ocean", "monthly", "hourly", "analysis", "forecast", "ice", "wind", "river", "vegetation")
_REGIONS = ("Global", "European", "Arctic", "Alpine", "Tropical", "Antarctic")


def fill(lake: Lake, count: int, *, seed: int = 1) -> float:
    """Synthetic collections of about 4 kB each; returns how many a second."""
    rng = random.Random(seed)
    named = [one for one in parameters.all_parameters() if one.cf_standard_name]
    made = [_collection(number, rng, named) for number in range(count)]
    began = time.perf_counter()
    for one in made:
        lake.put_collection(OPERATOR, one)
    return count / (time.perf_counter() - began)


def _collection(number: int, rng: random.Random, named: list[parameters.Parameter]) -> Row:
    variables = {
        one.short_name: {
            "type": "data",
            "dimensions": ["time", "lat", "lon"],
            "unit": one.units,
            "standard_name": one.cf_standard_name,
            "description": one.name,
        }
        for one in rng.sample(named, rng.randint(1, 12))
    }
    west, south, first = rng.uniform(-180, 150), rng.uniform(-90, 60), rng.randint(1950, 2010)
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": f"collection-{number:05d}",
        "title": f"{rng.choice(_REGIONS)} {next(iter(variables.values()))['description']}, {number}",
        "description": " ".join(rng.choices(_WORDS, k=4)) + ". " + " ".join(rng.choices(_REGIONS, k=60)),
        "license": rng.choice(["CC-BY-4.0", "CC0-1.0", "OGL-UK-3.0", "other"]),
        "providers": [{"name": f"Institute {rng.randint(1, 200)}"}],
        "keywords": list(variables),
        "extent": {
            "spatial": {"bbox": [[west, south, west + 30, south + 30]]},
            "temporal": {"interval": [[f"{first}-01-01T00:00:00Z", f"{first + rng.randint(1, 15)}-01-01T00:00:00Z"]]},
        },
        "cube:dimensions": {"time": {"type": "temporal", "values": [f"2001-{n % 12 + 1:02d}-01" for n in range(90)]}},
        "cube:variables": variables,
        "terrella:grid": {"kind": "regular", "resolution_m": rng.choice([10, 300, 5_000, 25_000, 100_000])},
        "updated": f"20{rng.randint(10, 26)}-01-01T00:00:00Z",
        "links": [],
    }


def questions(rng: random.Random) -> dict[str, Any]:
    """Makes of each shape of question a new one at each call."""
    west, south = (lambda: rng.uniform(-180, 150)), (lambda: rng.uniform(-80, 50))

    def box() -> Extent:
        left, low = west(), south()
        return Extent.of(left, low, left + 20, low + 20)

    return {
        "everything, all facets": Discovering,
        "one word": lambda: Discovering(text=(rng.choice(_WORDS),)),
        "one word, two facets": lambda: Discovering(
            text=(rng.choice(_WORDS),), facets={"theme": ("ocean", "ice"), "license": ("CC-BY-4.0",)}
        ),
        "box and two facets": lambda: Discovering(
            bbox=box(), facets={"resolution": ("1km-10km",), "theme": (rng.choice(["ocean", "atmosphere"]),)}
        ),
        "newest first": lambda: Discovering(sort="-updated", facets={"theme": ("atmosphere",)}),
    }


def run(collections: int = 10_000, *, repeats: int = 100) -> list[Row]:
    """Rows with `p50_ms` and `p99_ms`; the bar is for the 99th percentile, answers as JSON included."""
    with tempfile.TemporaryDirectory() as folder, Lake(Path(folder)) as lake:
        rows: list[Row] = [{"what": f"put {collections:,} collections", "per_second": round(fill(lake, collections))}]
        discovery = Discovery(Catalog({"lake": lake}), ())
        began = time.perf_counter()
        discovery.discover(OPERATOR, Discovering())
        rows.append({"what": "the first answer", "s": round(time.perf_counter() - began, 2)})
        for what, make in questions(random.Random(3)).items():
            spent = []
            for _ in range(repeats):
                asked = make()
                began = time.perf_counter()
                orjson.dumps(document(discovery.discover(OPERATOR, asked), "http://127.0.0.1"))
                spent.append((time.perf_counter() - began) * 1000)
            last = statistics.quantiles(spent, n=100)[-1]
            median = statistics.median(spent)
            rows.append({"what": what, "p50_ms": round(median, 1), "p99_ms": round(last, 1), "bar_ms": BAR_MS})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collections", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=100)
    given = parser.parse_args()
    for row in run(given.collections, repeats=given.repeats):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
