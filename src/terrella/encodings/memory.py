"""What writing an answer takes in memory besides the answer, measured for each format."""

from __future__ import annotations

_AT_WORK: dict[str, tuple[int, int]] = {
    "covjson": (110, 20),
    "csv": (0, 110),
    "geojson": (0, 1900),
    "geotiff": (0, 12),
    "netcdf": (16, 8),
    "parquet": (0, 70),
}
"""By the name of the format: bytes for each cell of the answer (its place, twice as text), and for each number in it
(text in a buffer that doubles, rows of a table with all coordinates, objects of Python)."""
_UNKNOWN = (100, 30)


def memory(name: str, cells: int, values: int) -> int:
    """Bytes at work while an answer of so many cells and numbers is written in the format of this name."""
    each_cell, each_value = _AT_WORK.get(name, _UNKNOWN)
    return each_cell * min(cells, values) + each_value * values
