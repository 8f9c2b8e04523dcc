"""An extracted dataset with its axes told apart as MARS tells them: member, start, step, level, cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from terrella.encodings.layout import VERTICAL_NAMES, iso
from terrella.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

_SPACES = (("point",), ("cell",), ("vertex",))
_STARTS, _STEPS = ("reference_time", "time"), ("step",)


@dataclass(frozen=True, eq=False)
class Answer:
    """`values` of each variable are ``(member, start, step, level, cell)``, missing ones NaN.

    `starts` are ISO texts with Z, `steps` hours; for data without a forecast each valid time is a start with step 0.
    `times` are the valid times ``(start, step)``. `longitude` and `latitude` are degrees, one a cell.
    """

    members: list[int]
    starts: list[str]
    steps: list[float]
    times: list[list[str]]
    levels: list[float]
    longitude: np.ndarray
    latitude: np.ndarray
    values: dict[str, np.ndarray]
    attrs: dict[str, dict[str, Any]]

    @property
    def is_forecast(self) -> bool:
        return self.steps != [0.0] or len(self.starts) == 1


def told_apart(dataset: xr.Dataset, middle: float) -> Answer:
    """Longitudes come within half a turn of `middle`. Raises Unsupported for axes that have no place in a coverage."""
    dataset = _flat(dataset)
    level = next((name for name in map(str, dataset.coords) if _is_level(dataset, name)), None)
    starts, steps, order = _clock(dataset)
    space = next(dims[0] for dims in _SPACES if dims[0] in dataset.dims)
    dims = ["number", *order, level, space]
    for dim, size in dataset.sizes.items():
        if dim not in dims and size > 1:
            raise Unsupported(f"A Polytope coverage has no word for the axis {dim!r}: ask for one of its values.")
    times = _valid(starts, steps)
    return Answer(
        [int(one) for one in np.atleast_1d(dataset["number"].values)] if "number" in dataset.coords else [0],
        iso(starts),
        [_hours(one) for one in steps],
        [iso(row) for row in times],
        [float(one) for one in np.atleast_1d(dataset[level].values)] if level else [0.0],
        _turned(dataset["longitude"].values, middle),
        dataset["latitude"].values.astype(np.float64),
        {str(name): _ordered(array, dims) for name, array in dataset.data_vars.items()},
        {str(name): dict(array.attrs) for name, array in dataset.data_vars.items()},
    )


def joined(answers: Sequence[Answer]) -> Answer:
    """Answers of the same members, times, levels and cells as one. Raises Unsupported where they differ."""
    first, *others = answers
    for other in others:
        if _axes(other) != _axes(first) or not _same_cells(first, other):
            raise Unsupported("These parameters differ in their grid, times or levels: ask for one after the other.")
    values = {name: array for one in answers for name, array in one.values.items()}
    attrs = {name: about for one in answers for name, about in one.attrs.items()}
    return replace(first, values=values, attrs=attrs)


def _axes(answer: Answer) -> tuple[object, ...]:
    return answer.members, answer.starts, answer.steps, answer.times, answer.levels


def _same_cells(one: Answer, other: Answer) -> bool:
    pairs = ((one.longitude, other.longitude), (one.latitude, other.latitude))
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def _is_level(dataset: xr.Dataset, name: str) -> bool:
    about = dataset[name].attrs
    return dataset[name].ndim < 2 and (name in VERTICAL_NAMES or about.get("axis") == "Z" or "positive" in about)


def _flat(dataset: xr.Dataset) -> xr.Dataset:
    """Cells in one row, whatever the space was: rows and columns, points, or one place."""
    for name in ("point", "cell", "vertex"):
        if name in dataset.dims:
            return dataset
    lon = dataset["longitude"] if "longitude" in dataset.coords else None
    if lon is not None and lon.ndim == 0:
        return dataset.expand_dims("cell")
    dims: tuple[str, ...] = ("latitude", "longitude")
    if lon is None:
        y, x = next(pair for pair in (("lat", "lon"), ("latitude", "longitude")) if pair[0] in dataset.dims)
        dataset = dataset.rename({name: new for name, new in ((y, "latitude"), (x, "longitude")) if name != new})
    else:
        dims = tuple(map(str, lon.dims))
    return dataset.stack(cell=dims).reset_index("cell") if len(dims) > 1 else dataset.rename({dims[0]: "cell"})


def _clock(dataset: xr.Dataset) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Starts and steps, and the dims that stand for them ('' where there is none)."""
    zero = np.zeros(1, "m8[ms]")
    if "reference_time" not in dataset.coords:
        if "time" not in dataset.coords:
            raise Unsupported("A Polytope coverage needs a time, and these data have none.")
        return np.atleast_1d(dataset["time"].values), zero, ["time", ""]
    starts = np.atleast_1d(dataset["reference_time"].values)
    if "step" in dataset.dims or (
        "step" in dataset.coords and dataset["step"].ndim == 0 and "time" not in dataset.dims
    ):
        steps = np.atleast_1d(dataset["step"].values)
        return starts, steps, ["reference_time", "step" if "step" in dataset.dims else ""]
    if "time" in dataset.dims:  # one start; valid times stand in the place of steps
        return starts, dataset["time"].values - starts[0], ["", "time"]
    return starts, zero, ["reference_time", ""]


def _valid(starts: np.ndarray, steps: np.ndarray) -> np.ndarray:
    if starts.dtype.kind == "M":
        return np.asarray(starts[:, None] + steps[None, :])
    from datetime import timedelta

    ahead = [timedelta(hours=_hours(one)) for one in steps]
    return np.array([[start + one for one in ahead] for start in starts], dtype=object)


def _hours(step: Any) -> float:
    if isinstance(step, np.timedelta64):
        return float(step / np.timedelta64(1, "ms")) / 3_600_000
    return float(step.total_seconds()) / 3600 if hasattr(step, "total_seconds") else float(step)


def _turned(lon: np.ndarray, middle: float) -> np.ndarray:
    """Rounded where turning leaves 13.400000000000006."""
    turned = np.round(middle - 180 + (lon.astype(np.float64) - (middle - 180)) % 360, 10)
    return np.asarray(np.where(np.isin(np.round(lon, 10), turned), lon, turned))


def _ordered(array: xr.DataArray, dims: list[str | None]) -> np.ndarray:
    squeezed = array.squeeze([dim for dim in array.dims if dim not in dims], drop=True)
    full = squeezed.expand_dims([dim for dim in _named(dims) if dim not in squeezed.dims])
    values = full.transpose(*_named(dims)).values
    sizes = iter(values.shape)
    return values.reshape([next(sizes) if dim else 1 for dim in dims])


def _named(dims: list[str | None]) -> list[str]:
    return [dim for dim in dims if dim]
