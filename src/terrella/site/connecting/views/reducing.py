"""Lines that reduce with xarray as EDR's `reduce` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from terrella.errors import Unsupported

if TYPE_CHECKING:
    from terrella.model.reduction import Reduce
    from terrella.site.connecting.views.meaning import Meant

_PLAIN = ("mean", "min", "max", "sum", "std", "median", "count", "quantile", "exceedance")
_WEIGHTED = ("mean", "std", "exceedance")
_CLOSE = 1e-9


def reduced(view: Meant, imports: set[str]) -> list[str]:
    """Lines after `values`, one reduction after the other. Raises Unsupported."""
    made: list[str] = []
    for one in view.question.request.reduce:
        if one.every is not None:
            raise Unsupported("Periods of a calendar are EDR's to say: with xarray, see its resample and groupby.")
        made += _over_space(view, one, imports) if one.over == "space" else [_over(one, [_axis(view, one)])]
    return made


def _axis(view: Meant, one: Reduce) -> str:
    if one.over != "level":
        return one.over
    return next(name for name in view.dims if view.axis(name).kind == "vertical")


def _over_space(view: Meant, one: Reduce, imports: set[str]) -> list[str]:
    grid, shape = view.prepared.cube.grid, view.question.shape
    if not shape.is_of_cells:
        return [_over(one, ["point"])]
    usual = "equal" if one.how in ("sum", "count", "min", "max") else "area"
    if (one.weights or usual) == "equal" or one.how in ("min", "max", "count") or grid.kind == "healpix":
        return [_over(one, list(grid.dims))]
    if one.how not in _WEIGHTED:
        raise Unsupported(f"xarray has no {one.how} that weighs cells by their area: ask EDR.")
    if not is_even(view):
        raise Unsupported("How large these cells are is not told by Zarr: EDR and the Python interface weigh them.")
    imports.add("import numpy as np")
    weights = [
        'half = abs(float(dataset["lat"][1] - dataset["lat"][0])) / 2',
        'north, south = (np.deg2rad((values["lat"] + one).clip(-90, 90)) for one in (half, -half))',
        "weights = np.sin(north) - np.sin(south)  # as the areas of the cells are to one another",
    ]
    return [*weights, _over(one, list(grid.dims), weighted=True)]


def is_even(view: Meant) -> bool:
    """Whether areas go by latitude as those lines have them."""
    grid = view.prepared.cube.grid
    own = grid.coordinates()
    if not {"lat", "lon"} <= own.keys() or own["lat"].size < 2:
        return False
    half = abs(float(own["lat"][1] - own["lat"][0])) / 2
    north, south = (np.radians(np.clip(own["lat"] + one, -90, 90)) for one in (half, -half))
    expected = np.repeat(np.sin(north) - np.sin(south), own["lon"].size)
    known = grid.areas()
    share = known / known.sum() - expected / expected.sum()
    return bool(np.abs(share).max() <= _CLOSE / known.size)


def _over(one: Reduce, dims: list[str], *, weighted: bool = False) -> str:
    said = str(dims).replace("'", '"') if len(dims) > 1 else f'"{dims[0]}"'
    of = "values.weighted(weights)" if weighted else "values"
    strict = "" if one.skipna else ", skipna=False"
    if one.how == "exceedance":
        sign = ">" if one.direction == "above" else "<"
        beyond = f"(values {sign} {one.amount!r}).where(values.notnull())"
        return f"values = {beyond}{'.weighted(weights)' if weighted else ''}.mean({said}{strict})"
    if one.how == "quantile":
        return f"values = values.quantile({one.amount!r}, {said}{strict})"
    if one.how == "sum" and one.skipna:
        return f"values = values.sum({said}, min_count=1)"
    return f"values = {of}.{one.how}({said}{strict})"
