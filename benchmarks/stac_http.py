"""STAC search over HTTP: Terrella beside stac-fastapi-pgstac on the same items, four clients.

    python -m benchmarks.stac_http --items 500000

Each server is one process (uvicorn, one worker, httptools and uvloop) on loopback; pgstac's PostgreSQL has processes of
its own besides. Both are asked the same questions in the same order, in rounds that alternate, and first whether they
give the same answers.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from benchmarks import postgres
from benchmarks.catalog import COLLECTIONS, documents
from benchmarks.serving import CLIENTS, HOST, Rate, fire, free_port, get, module_command, running
from benchmarks.stac_questions import filled, questions

Row = dict[str, Any]
BAR = 2.0
_COMPARED = 20
_BATCH = 20_000
_PREFIX = {"terrella": "/stac", "pgstac": ""}


# --- the servers ---


def serve_terrella(port: int, home: str) -> None:
    import pyproj  # noqa: F401 -- before ecCodes

    from terrella.api.app import create_app
    from terrella.api.server import serve
    from terrella.site.site import Site

    serve(lambda: create_app(Site.open(home)), HOST, port)


def serve_pgstac(port: int) -> None:
    import uvicorn

    uvicorn.run(
        "stac_fastapi.pgstac.app:create_app",
        factory=True,
        host=HOST,
        port=port,
        http="httptools",
        loop="uvloop",
        log_level="warning",
        access_log=False,
    )


@contextmanager
def terrella(home: Path) -> Iterator[int]:
    """Terrella over a home; gives the port."""
    port = free_port()
    command = module_command("benchmarks.stac_http", "--serve", "terrella", "--folder", home, "--port", port)
    with running(command, port, path="/health"):
        yield port


@contextmanager
def pgstac(address: dict[str, str]) -> Iterator[int]:
    """stac-fastapi-pgstac over a database, with the setting that was fastest here; gives the port."""
    port = free_port()
    command = module_command("benchmarks.stac_http", "--serve", "pgstac", "--port", port)
    with running(command, port, path="/_mgmt/ping", USE_API_HYDRATE="true", **address):
        yield port


# --- measuring ---


@dataclass
class Bench:
    """What is asked of whom, and what was found."""

    asked: dict[str, list[str]]
    seconds: float
    found: dict[str, dict[str, list[Rate]]] = field(default_factory=dict)
    answers: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def measure(self, who: str, port: int, number: int) -> None:
        """One round of all questions: first a short one to warm up, which is not counted."""
        for what, paths in self.asked.items():
            ours = [_PREFIX[who] + path for path in paths]
            if not number:
                compared = [names(*get(port, path)) for path in ours[:_COMPARED]]
                self.answers.setdefault(what, {})[who] = compared
            fire(port, ours, self.seconds / 3)
            self.found.setdefault(what, {}).setdefault(who, []).append(fire(port, ours, self.seconds))

    def rows(self, items: int) -> list[Row]:
        return [self._row(what, items) for what in self.asked]

    def _row(self, what: str, items: int) -> Row:
        of = {who: mean(rates) for who, rates in self.found[what].items()}
        row: Row = {
            "what": f"STAC over HTTP, {items:,} items, {CLIENTS} clients: {what}",
            "terrella_per_s": round(of["terrella"].per_second, 1),
            "terrella_p99_ms": round(of["terrella"].p99_ms, 1),
        }
        if "pgstac" in of:
            ours, theirs = self.answers[what]["terrella"], self.answers[what]["pgstac"]
            row |= {
                "pgstac_per_s": round(of["pgstac"].per_second, 1),
                "pgstac_p99_ms": round(of["pgstac"].p99_ms, 1),
                "ratio": round(of["terrella"].per_second / of["pgstac"].per_second, 2),
                "bar": BAR,
                "same_answers": f"{sum(a == b for a, b in zip(ours, theirs, strict=True))}/{len(ours)}",
            }
        return row


def names(status: int, body: bytes) -> list[str]:
    """Ids in an answer, in order."""
    if status != 200:
        raise RuntimeError(f"{status}: {body[:300].decode(errors='replace')}")
    document = orjson.loads(body)
    return [one["id"] for one in document.get("features", [document])]


def mean(rates: list[Rate]) -> Rate:
    """The mean of rounds."""
    means = [statistics.mean(getattr(one, name) for one in rates) for name in ("per_second", "p50_ms", "p99_ms")]
    return Rate(*means)


def run(items: int = 500_000, *, seconds: float = 6, rounds: int = 2, folder: Path | None = None) -> list[Row]:
    """Rows: requests a second of both and their ratio, by the shape of the question; how fast each was filled."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        home = folder or Path(scratch) / "home"
        speed = filled(home, items)
        bench = Bench(questions(home, random.Random(11)), seconds)
        loading: Row = {"what": f"filling the catalogue with {items:,} items"}
        if speed:
            loading["terrella_per_s"] = round(speed)
        address, why = _prepared(items, stack)
        if address:
            loading |= {"pgstac_per_s": round(items / address.seconds), "note": "PostgreSQL without fsync"}
            if speed:
                loading["ratio"] = round(speed * address.seconds / items, 2)
        for number in range(rounds):
            with terrella(home) as port:
                bench.measure("terrella", port, number)
            if address:
                with pgstac(address.environment) as port:
                    bench.measure("pgstac", port, number)
    rows = [loading, *bench.rows(items)]
    return rows if address else [*rows, {"what": "stac-fastapi-pgstac on the same items", "not_measured": why}]


@dataclass(frozen=True)
class Prepared:
    """A pgstac that holds the items, and how long loading took."""

    environment: dict[str, str]
    seconds: float


def _prepared(items: int, stack: ExitStack) -> tuple[Prepared | None, str]:
    """pgstac filled with the items, or why there is none."""
    missing = [name for name in ("pypgstac", "stac_fastapi.pgstac") if find_spec(name) is None]
    if missing:
        return None, f"{' and '.join(missing)} not installed (scripts/setup bench)"
    try:
        address = stack.enter_context(postgres.cluster())
        collections = [_collection(name) for name in COLLECTIONS]
        return Prepared(address, postgres.load(address, collections, _batches(items))), ""
    except (postgres.Absent, RuntimeError, OSError) as error:
        return None, str(error)


def _batches(items: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for item in documents(items):
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _collection(name: str) -> Row:
    """A collection as pgstac wants it."""
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2015-01-01T00:00:00Z", None]]}}
    about = {"title": name, "description": name, "license": "other", "links": [], "extent": extent}
    return {"type": "Collection", "stac_version": "1.1.0", "id": name, **about}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=["terrella", "pgstac"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it again when it is there")
    given = parser.parse_args()
    if given.serve == "terrella":
        serve_terrella(given.port, str(given.folder))
    elif given.serve == "pgstac":
        serve_pgstac(given.port)
    else:
        for row in run(given.items, seconds=given.seconds, rounds=given.rounds, folder=given.folder):
            print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
