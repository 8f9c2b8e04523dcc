"""How the values of a variable become 16-bit numbers, alike in all tiles of one version of the data.

Ranges come from how the data are stored (packed, as classes), else from cells sampled over the axes and the grid,
with room on both sides. The same data give the same scaling in every process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from terrella.cubes.selecting import Selection
from terrella.encodings.valuetiles import CODES, Scaling

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube, CubeVariable
    from terrella.cubes.cubes import Cubes

_STEPS, _MORE_STEPS = 6, 48
"""Places along the axes that are sampled; more where the first hold nothing."""
_LINES = 256
"""Rows and columns, or the square of it in single cells, of one sample."""
_MOST_BYTES = 64 << 20
"""Decoded bytes of one sample; where the cells of a field lie in more, some parts of it are looked at instead."""
_PARTS, _PART = 3, 128
"""Parts along each side, and their length."""
USUAL_PALETTE = "viridis"
_BOTH_WAYS = ("anomal", "eastward", "northward", "upward", "tendency", "difference", "departure")
_NEAR = 1e-3
"""Of a stored number: floats that hold it are as near."""
_LARGEST = 8e307
"""Half of what float64 holds, so that differences do too."""
_ROOM, _ROOM_ABOVE_ZERO = 1.0, 3.0
"""Room beside the range that was seen, as a share of it: on each side, or above for amounts that start at 0."""


@dataclass(frozen=True, slots=True)
class Legend:
    """How a variable is written and drawn. `low` and `high` are the suggested range of colours, None of no values."""

    scaling: Scaling
    is_exact: bool
    """Whether every value that is stored has a number of its own."""
    low: float | None
    high: float | None
    palette: str = USUAL_PALETTE


def legend(cubes: Cubes, cube: Cube, variable: CubeVariable) -> Legend:
    """Of one variable of a cube. Reads a few samples."""
    seen = _seen(cubes, cube, variable)
    exact = _packed(variable) or _flags(variable) or _of_images(variable, seen)
    if not seen.size:
        return Legend(exact or Scaling.between(0.0, 1.0), exact is not None, None, None)
    low, high, palette = _coloured(variable, seen)
    scaling, is_exact = (exact, True) if exact is not None else _ranged(variable, seen)
    return Legend(scaling, is_exact, low, high, palette)


def suggested(variable: CubeVariable, values: np.ndarray) -> tuple[float, float, str]:
    """A range of colours and a palette for values that were read: as `legend` has them for all of a variable."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    seen = np.clip(finite.astype(np.float64), -_LARGEST, _LARGEST)
    return _coloured(variable, seen) if seen.size else (0.0, 1.0, USUAL_PALETTE)


def _coloured(variable: CubeVariable, seen: np.ndarray) -> tuple[float, float, str]:
    low, high = _suggested(seen)
    if low < 0 < high and _goes_both_ways(variable):
        return -max(-low, high), max(-low, high), "diverging"
    return low, high, USUAL_PALETTE


def _goes_both_ways(variable: CubeVariable) -> bool:
    """Whether it is an amount of which 0 is the middle."""
    said = f"{variable.attrs.get('standard_name', '')} {variable.attrs.get('long_name', '')} {variable.name}".casefold()
    return any(word in said for word in _BOTH_WAYS)


def _packed(variable: CubeVariable) -> Scaling | None:
    """Of data that are stored as whole numbers of up to 16 bits, all alike: these very numbers."""
    ways = {(piece.array.dtype, piece.array.packing) for piece in variable.pieces}
    if len(ways) != 1:
        return None
    stored, packing = ways.pop()
    kind = np.dtype(stored)
    if kind.kind not in "iub" or kind.itemsize > 2 or not math.isfinite(packing.scale) or packing.scale == 0:
        return None
    low, high = (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))
    while low in packing.missing:
        low += 1
    while high in packing.missing:
        high -= 1
    ends = sorted((low * packing.scale + packing.offset, high * packing.scale + packing.offset))
    if high - low >= CODES:
        return None
    return Scaling.stepped(ends[0], abs(packing.scale))


def _of_images(variable: CubeVariable, seen: np.ndarray) -> Scaling | None:
    """Of images: the whole numbers that their files hold, with or without sign, where what was seen is such numbers."""
    codec = variable.pieces[0].array.codec if variable.pieces else {}
    bands = list(codec.get("bands", {}).values()) if isinstance(codec.get("bands"), dict) else []
    if len(bands) != 1 or codec.get("expression") or not seen.size:
        return None
    scale, offset = map(float, bands[0]["packing"][:2])
    if not (math.isfinite(scale) and scale > 0):
        return None
    numbers = (seen - offset) / scale
    if np.abs(numbers - np.rint(numbers)).max() > _NEAR:
        return None
    for first in (0, -(CODES // 2)):
        if numbers.min() >= first - _NEAR and numbers.max() < first + CODES - 0.5:
            return Scaling.stepped(first * scale + offset, scale)
    return None


def _flags(variable: CubeVariable) -> Scaling | None:
    """Of classes: whole numbers from the least on."""
    flags = np.atleast_1d(np.asarray(variable.attrs.get("flag_values", ()), dtype=object))
    try:
        numbers = [int(one) for one in flags]
    except (TypeError, ValueError):
        return None
    if not numbers or max(numbers) - min(numbers) >= CODES:
        return None
    return Scaling.stepped(float(min(numbers)), 1.0)


def _ranged(variable: CubeVariable, seen: np.ndarray) -> tuple[Scaling, bool]:
    low, high = float(seen.min()), float(seen.max())
    width = min(high - low, _LARGEST)
    if low >= 0 and low <= 0.05 * width:
        low, high = 0.0, min(high + _ROOM_ABOVE_ZERO * width, _LARGEST)
    else:
        low, high = max(low - _ROOM * width, -_LARGEST), min(high + _ROOM * width, _LARGEST)
    if np.dtype(variable.dtype).kind in "iu" and high - low < CODES:
        return Scaling.stepped(math.floor(low), 1.0), True
    return Scaling.between(low, high), False


def _suggested(seen: np.ndarray) -> tuple[float, float]:
    """From the 2nd to the 98th percentile of what was seen; around the value where there is one."""
    low, high = np.percentile(seen, [2, 98], method="nearest").tolist()  # between them would overflow
    if not low < high:
        low, high = float(seen.min()), float(seen.max())
    if not low < high:
        room = abs(low) * 0.01 or 1.0
        low, high = low - room, high + room
    return low, high


def _seen(cubes: Cubes, cube: Cube, variable: CubeVariable) -> np.ndarray:
    """Finite values of a few fields, float64."""
    lines, cells = _sampled_cells(cube)
    axes = variable.dims[: len(variable.dims) - len(cube.grid.shape)]
    sizes = dict(zip(axes, variable.shape, strict=False))
    found: list[np.ndarray] = []
    done: set[tuple[int, ...]] = set()
    for count in (_STEPS, _MORE_STEPS):
        for steps in _steps(sizes, count):
            key = tuple(int(one[0]) for one in steps.values())
            if key in done:
                continue
            done.add(key)
            cuts = cubes.cut(cube, {variable.name: Selection(steps, lines=lines, cells=cells)})
            cost = cubes.plan(cuts)
            if cost.chunks > 1 and cost.chunks * cost.largest > _MOST_BYTES:
                cuts = cubes.cut(cube, {variable.name: Selection(steps, cells=_parts(cube.grid.shape))})
            values = cubes.read(cuts)[variable.name].astype(np.float64).ravel()
            found.append(values[np.isfinite(values)])
        if any(one.size for one in found):
            break
    return np.clip(np.concatenate(found), -_LARGEST, _LARGEST) if found else np.empty(0)


def _steps(sizes: dict[str, int], count: int) -> Iterator[dict[str, np.ndarray]]:
    """Places along all axes together, from the first to the last."""
    for number in range(count):
        share = number / (count - 1)
        yield {name: np.array([round(share * (size - 1))]) for name, size in sizes.items()}


def _parts(shape: tuple[int, ...]) -> np.ndarray:
    """Cells of a few squares, or runs, of neighbours."""
    if len(shape) == 1:
        return np.concatenate([start + np.arange(_PART**2) for start in _starts(shape[0], _PART**2)])
    rows, columns = (np.concatenate([at + np.arange(_PART) for at in _starts(size, _PART)]) for size in shape)
    return np.ravel_multi_index(np.ix_(rows, columns), shape).ravel()


def _starts(size: int, length: int) -> list[int]:
    if size <= _PARTS * length:
        return list(range(0, size - length + 1, length)) or [0]
    return [round((number + 0.5) / _PARTS * size - length / 2) for number in range(_PARTS)]


def _sampled_cells(cube: Cube) -> tuple[tuple[np.ndarray, ...] | None, np.ndarray | None]:
    shape = cube.grid.shape
    if len(shape) == 2:
        return tuple(np.arange(0, size, -(-size // _LINES)) for size in shape), None
    return None, np.arange(0, shape[0], -(-shape[0] // _LINES**2))
