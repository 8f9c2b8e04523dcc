"""Build `src/terrella/extraction/data/countries.json.gz` from Natural Earth's countries at 1:50m (public domain).

Takes `countries-50m.json` and `countries-110m.json` of world-atlas 2 as its arguments: TopoJSON with names and ISO
3166-1 numeric codes. Arcs are undone into polygons with three decimals, about a hundred metres, finer than the scale.
Antarctica is that of 1:110m: the other file has lost its coast. Writes a list of ``[name, code, multi-polygon
coordinates]``.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src/terrella/extraction/data/countries.json.gz"


def arcs_of(topology: dict[str, Any]) -> list[list[list[float]]]:
    """Arcs as places: differences are added up, then scaled (TopoJSON 1.0, 2.1.3)."""
    (scale_x, scale_y), (shift_x, shift_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    made = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            line.append([x * scale_x + shift_x, y * scale_y + shift_y])
        made.append(line)
    return made


def ring_of(numbers: list[int], arcs: list[list[list[float]]]) -> list[list[float]]:
    """Arcs one after the other; ``~n`` is arc n backwards; the end of one is the start of the next."""
    ring: list[list[float]] = []
    for number in numbers:
        line = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring.extend(line[1:] if ring else line)
    return ring


def coordinates_of(geometry: dict[str, Any], arcs: list[list[list[float]]]) -> list[Any]:
    """Multi-polygon coordinates in -180..180: rings on the sphere are unrolled, closed over a pole and cut."""
    import numpy as np
    import shapely

    from terrella.grids.outlines import ring_polygon

    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    made = []
    for rings in polygons:
        shell, *holes = [ring_polygon(*np.array(ring_of(ring, arcs)).T) for ring in rings]
        made.append(shapely.difference(shell, shapely.union_all(holes)) if holes else shell)
    joined = shapely.set_precision(shapely.union_all(made), 1e-3)
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon"]
    return [[_rounded(ring) for ring in (part.exterior, *part.interiors)] for part in parts]


def _rounded(ring: Any) -> list[list[float]]:
    return [[round(x, 3), round(y, 3)] for x, y in ring.coords]


def countries_of(path: str) -> dict[str, list[Any]]:
    """``[name, code, coordinates]`` by name."""
    topology = json.loads(Path(path).read_text())
    arcs = arcs_of(topology)
    found = topology["objects"]["countries"]["geometries"]
    return {
        one["properties"]["name"]: [one["properties"]["name"], str(one.get("id") or ""), coordinates_of(one, arcs)]
        for one in found
    }


def main() -> None:
    fine, coarse = sys.argv[1:]
    found = countries_of(fine)
    found["Antarctica"] = countries_of(coarse)["Antarctica"]
    rows = [found[name] for name in sorted(found)]
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{TARGET.name}: {len(rows)} countries, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
