"""Lines that open the whole cube lazily with xarray, over Zarr, and pick the very cells that EDR answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from terrella.encodings.calendars import iso
from terrella.errors import Unsupported
from terrella.site.connecting.views.meaning import own_only
from terrella.site.connecting.views.outlines import masked
from terrella.site.connecting.views.reducing import reduced
from terrella.site.connecting.views.shapes import Asked
from terrella.site.connecting.writing import text

if TYPE_CHECKING:
    from terrella.model.scan import Axis
    from terrella.site.connecting.views.meaning import Meant

MOST_LISTED = 1000
"""Indices that are written out one by one."""
_FEW = 10_000
"""Values that are printed."""


def xarray(view: Meant) -> str:
    """Raises Unsupported where it cannot be said by indices, a mask and a reduction."""
    _check(view)
    imports, body = {"import xarray as xr  # it needs zarr, fsspec and aiohttp"}, [*_opened(view)]
    body.append(f"values = {_variables(view)}{_along_axes(view)}{_in_space(view)}")
    body += masked(view, imports)
    body += reduced(view, imports)
    body.append(_printed(view))
    return "\n".join([*sorted(imports, key=_import_order), "", *body]) + "\n"


def _import_order(line: str) -> tuple[bool, str]:
    return not line.startswith("import json"), line


def _check(view: Meant) -> None:
    own_only(view, "xarray")
    cells = view.prepared.cells
    if cells.blend is not None or cells.share is not None or view.question.request.cells.how == "touched":
        raise Unsupported("xarray takes cells as they are: EDR interpolates and weighs parts of cells.")
    if view.prepared.along:
        raise Unsupported("Times and heights go along with the line: EDR and the Python interface follow it.")
    if view.prepared.pairs is not None:
        raise Unsupported("These times are some pairs of a run and a step: EDR picks them.")
    if view.question.shape.kind == Asked.CIRCLE:
        raise Unsupported("xarray knows no distances on the sphere: EDR cuts circles.")


def _opened(view: Meant) -> list[str]:
    at, shown, made = view.at, "", []
    if at.needed:
        made.append(f'storage = {{"headers": {{"Authorization": "Bearer {at.needed}"}}}}')
        shown = ", storage_options=storage"
    made.append(f'dataset = xr.open_zarr("{at.base}/zarr/{quote(view.question.collection, safe="")}"{shown})')
    return made


def _variables(view: Meant) -> str:
    if len(view.names) == 1:
        return f"dataset[{text(view.names[0])}]"
    return f"dataset[[{', '.join(map(text, view.names))}]]"


def _printed(view: Meant) -> str:
    if len(view.names) > 1:
        return "print(values.compute())"
    if view.prepared.values <= _FEW or view.is_reduced("space"):
        return "print(values.to_numpy().ravel().tolist())"
    return "print(values)"


# --- axes -----------------------------------------------------------------------------------------------------------


def _along_axes(view: Meant) -> str:
    """What was said of axes: by value where the axis has values that can be written, else by index."""
    chosen = [view.axis(name) for name in view.dims if name in view.prepared.axes]
    picks = [_pick(axis, view.chosen(axis.name)) for axis in chosen]
    made = ""
    for method in ("sel", "isel"):
        if said := ", ".join(f"{name}={what}" for how, name, what in picks if how == method):
            made += f".{method}({said})"
    return made


def _pick(axis: Axis, found: np.ndarray) -> tuple[str, str, str]:
    """`sel` or `isel`, the axis, and what to take."""
    values = _labels(axis)
    if values is None or not axis.name.isidentifier():
        return "isel", axis.name, indices(found)
    if found.size == 1:
        return "sel", axis.name, values[int(found[0])]
    rises = axis.values.dtype.kind in "iuf" and bool((np.diff(axis.values) > 0).all())
    if rises and _is_run(found):
        return "sel", axis.name, f"slice({values[int(found[0])]}, {values[int(found[-1])]})"
    if axis.kind != "time" and found.size <= MOST_LISTED:
        return "sel", axis.name, f"[{', '.join(values[one] for one in found.tolist())}]"
    return "isel", axis.name, indices(found)


def _labels(axis: Axis) -> list[str] | None:
    """Values as they are written in Python; None for steps, and for times with parts of a second."""
    if axis.kind == "step":
        return None
    if axis.kind in ("time", "reference_time"):
        texts = [one.removesuffix("Z") for one in iso(axis.values.astype(np.int64), axis.calendar)]
        return None if any("." in one for one in texts) else [text(one) for one in texts]
    return [text(one) if isinstance(one, str) else repr(one) for one in axis.values.tolist()]


def indices(found: np.ndarray) -> str:
    """As `isel` takes them: one, a slice, or a list. Raises Unsupported for a list that is too long to write out."""
    if found.size == 1:
        return str(int(found[0]))
    if _is_run(found):
        return f"slice({int(found[0])}, {int(found[-1]) + 1})"
    if found.size > MOST_LISTED:
        raise Unsupported(f"That is {found.size:,} places, too many to write out: ask EDR.")
    return str(found.tolist())


def _is_run(found: np.ndarray) -> bool:
    return bool((np.diff(found) == 1).all())


# --- space ----------------------------------------------------------------------------------------------------------


def _in_space(view: Meant) -> str:
    kind, cells = view.question.shape.kind, view.prepared.cells
    if kind == Asked.MAP:
        return ""
    if not view.question.shape.is_of_cells:
        assert cells.flat is not None
        return _place(view, int(cells.flat[0])) if kind == Asked.POINT else _places(view, cells.flat)
    if cells.lines is not None:
        return _crossed(view, [_as_array(line) for line in cells.lines])
    assert cells.flat is not None
    return _around(view, cells.flat)


def _as_array(line: Any) -> np.ndarray:
    return np.arange(line.start, line.stop) if isinstance(line, slice) else np.asarray(line)


def _place(view: Meant, cell: int) -> str:
    """One cell: by its own coordinates where it has some."""
    grid = view.prepared.cube.grid
    own, at = grid.coordinates(), np.unravel_index(cell, grid.shape)
    if set(grid.dims) <= own.keys():
        said = ", ".join(f"{dim}={float(own[dim][one])!r}" for dim, one in zip(grid.dims, at, strict=True))
        return f'.sel({said}, method="nearest")'
    return f".isel({', '.join(f'{dim}={int(one)}' for dim, one in zip(grid.dims, at, strict=True))})"


def _places(view: Meant, flat: np.ndarray) -> str:
    grid = view.prepared.cube.grid
    if flat.size > MOST_LISTED:
        raise Unsupported(f"That is {flat.size:,} places, too many to write out: ask EDR.")
    rows = np.unravel_index(flat, grid.shape)
    said = ", ".join(
        f'{dim}=xr.DataArray({one.tolist()}, dims="point")' for dim, one in zip(grid.dims, rows, strict=True)
    )
    return f".isel({said})"


def _crossed(view: Meant, lines: list[np.ndarray]) -> str:
    """Rows and columns: between coordinates where the grid has them and they run on, else by index."""
    grid = view.prepared.cube.grid
    own, by_value, by_index = grid.coordinates(), [], []
    for dim, line, size in zip(grid.dims, lines, grid.shape, strict=True):
        if line.size == size and _is_run(line):
            continue
        if dim in own and line.size > 1 and _is_run(line):
            first, last = float(own[dim][line[0]]), float(own[dim][line[-1]])
            by_value.append(f"{dim}=slice({first!r}, {last!r})")
        else:
            by_index.append(f"{dim}={_listed(line)}")
    made = f".sel({', '.join(by_value)})" if by_value else ""
    return made + (f".isel({', '.join(by_index)})" if by_index else "")


def _listed(line: np.ndarray) -> str:
    """Indices that stay a dimension; over the seam of the array as two runs."""
    cuts = np.flatnonzero(np.diff(line) != 1) + 1
    runs = np.split(line, cuts)
    if len(runs) == 1:
        return f"slice({int(line[0])}, {int(line[-1]) + 1})"
    if len(runs) <= 4:
        return "[" + ", ".join(f"*range({int(run[0])}, {int(run[-1]) + 1})" for run in runs) + "]"
    return indices(line)


def _around(view: Meant, flat: np.ndarray) -> str:
    """The rows and columns around single cells; what lies outside of the shape is masked after."""
    grid = view.prepared.cube.grid
    if len(grid.shape) != 2 or not flat.size:
        return ""
    row, column = np.divmod(flat, grid.shape[1])
    spans = [np.arange(int(one.min()), int(one.max()) + 1) for one in (row, column)]
    return _crossed(view, spans)
