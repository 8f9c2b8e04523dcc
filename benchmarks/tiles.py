"""Map tiles: Terrella, xpublish-tiles and titiler.xarray on one Zarr, each its own server, four clients.

    python -m benchmarks.tiles

The Zarr is that of `benchmarks.edr`: 0.25 degrees, hourly, chunks 24 x 180 x 180. Asked for are zoom 5 tiles of Web
Mercator, 256 pixels, at several times, coloured as PNG by all; Terrella's tiles of values (zstd) are set beside the
others' PNG, as they have nothing else. Rounds alternate between the servers. The others live in build/tile-peers:

    python -m venv build/tile-peers && build/tile-peers/bin/pip install xpublish-tiles titiler.xarray
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.edr import write_zarr
from benchmarks.serving import HOST, Rate, fire, free_port, get, module_command, running

Row = dict[str, Any]
PEERS = Path(__file__).resolve().parents[1] / "build" / "tile-peers" / "bin" / "python"
BARS = {"values": 5.0, "png": 1.5}
_NAMES = ("xpublish-tiles", "titiler.xarray")
_ZOOM, _TILES = 5, 48
"""Different tiles that are asked for, each at a time of its own."""


def serve_terrella(home: str, port: int) -> None:
    import pyproj  # noqa: F401 -- before ecCodes

    from terrella.api.app import create_app
    from terrella.api.server import serve
    from terrella.site.site import Site

    serve(lambda: create_app(Site.open(home)), HOST, port)


def paths(kind: str, data: Path) -> list[str]:
    """Addresses of the same tiles, as each server has them."""
    rng = random.Random(7)
    found = []
    for number in range(_TILES):
        row, column = rng.randrange(6, 26), rng.randrange(32)
        time = f"2024-01-0{2 + number % 2}T{number % 24:02d}:00:00"
        found.append(_path(kind, data, row, column, time))
    return found


def _path(kind: str, data: Path, row: int, column: int, time: str) -> str:
    place = f"WebMercatorQuad/{_ZOOM}/{row}/{column}"
    if kind in BARS:
        colours = "&palette=viridis&range=220,300" if kind == "png" else ""
        return f"/tiles/bench/{place}?variable=t2m&datetime={time}Z&f={kind}{colours}"
    if kind == "xpublish-tiles":
        drawn = f"style={quote('raster/viridis', safe='')}&colorscalerange=220,300&width=256&height=256&f=image/png"
        return f"/tiles/{place}?variables=t2m&time={quote(time)}&{drawn}"
    drawn = "rescale=220,300&colormap_name=viridis"
    sel = quote(f"time={time}")
    return f"/tiles/WebMercatorQuad/{_ZOOM}/{column}/{row}.png?url={quote(str(data))}&variable=t2m&sel={sel}&{drawn}"


def run(seconds: float = 8, rounds: int = 2, folder: Path | None = None) -> list[Row]:
    """Rows: tiles a second of Terrella and of a peer, and their ratio."""
    with tempfile.TemporaryDirectory() as scratch:
        home, data = _prepared(folder or Path(scratch))
        servers: dict[str, tuple[list[str], Sequence[str]]] = {
            kind: (module_command("benchmarks.tiles", "--serve", home), (kind,)) for kind in BARS
        }
        if PEERS.exists():
            script = Path(__file__).with_name("tile_peers.py")
            servers |= {name: ([str(PEERS), str(script), name, str(data)], (name,)) for name in _NAMES}
        found: dict[str, list[Rate]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, (command, _kind) in servers.items():
                found[name].append(_measured(name, command, paths(name, data), seconds))
    return [_row(kind, peer, found) for kind in BARS for peer in _NAMES]


def _measured(name: str, command: list[str], asked: list[str], seconds: float) -> Rate:
    port = free_port()
    words = [*command, "--port", str(port)] if name in BARS else [*command, str(port)]
    with running(words, port, path=asked[0]):
        for path in asked:  # warm up: every chunk was read, every pixel was placed
            status, body = get(port, path)
            if status != 200:
                raise RuntimeError(f"{name}: {status} for {path}: {body[:300].decode(errors='replace')}")
        return fire(port, asked, seconds, headers={"Accept-Encoding": "zstd, gzip"})


def _row(kind: str, peer: str, found: dict[str, list[Rate]]) -> Row:
    what = f"tiles of {'values' if kind == 'values' else 'PNG'}, zoom {_ZOOM}, beside {peer}'s PNG"
    if peer not in found:
        return {"what": what, "not_measured": "there is no build/tile-peers (see benchmarks/tiles.py)"}
    own, other = (statistics.mean(one.per_second for one in found[name]) for name in (kind, peer))
    return {
        "what": what,
        "terrella_per_s": round(own, 1),
        f"{peer}_per_s": round(other, 1),
        "ratio": round(own / other, 2),
        "bar": BARS[kind],
        "terrella_p50_ms": round(statistics.mean(one.p50_ms for one in found[kind]), 1),
        f"{peer}_p50_ms": round(statistics.mean(one.p50_ms for one in found[peer]), 1),
    }


def _prepared(place: Path) -> tuple[Path, Path]:
    from terrella.site.site import Site

    data, home = place / "bench.zarr", place / "home"
    if not data.exists():
        write_zarr(data)
    with Site.open(home) as site:
        report = site.add(data, collection="bench")
        if report.failures:
            raise RuntimeError(str(report.failures))
    return home, data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", metavar="HOME")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the Zarr here, and use it again when it is there")
    given = parser.parse_args()
    if given.serve:
        serve_terrella(given.serve, given.port)
        return
    for row in run(given.seconds, given.rounds, given.folder):
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
