"""The answer to reductions as a dataset: what is left of the coordinates, and in words what was done (CF 7.3, 7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from terrella.cubes.opening import axis_variable
from terrella.extraction.answering import attributes, axes
from terrella.extraction.cells import LATITUDE, LONGITUDE, turned
from terrella.extraction.reducing import SPACE
from terrella.extraction.zones import zone
from terrella.grids.sphere import lonlat, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.periods import Periods
    from terrella.extraction.planning import Prepared
    from terrella.extraction.reducers import Step
    from terrella.extraction.reducing import Reductions
    from terrella.model.extraction import Receipt
    from terrella.model.reduction import Reduce
    from terrella.model.scan import Axis

_METHODS = {
    "mean": "mean",
    "sum": "sum",
    "min": "minimum",
    "max": "maximum",
    "std": "standard_deviation",
    "median": "median",
}
"""CF's words (appendix E); what it has no word for keeps ours."""
_MOST_CENTRES = 100_000
_OTHER_QUANTITY = ("count", "exceedance")


def dataset(reductions: Reductions, values: Mapping[str, np.ndarray], receipt: Receipt) -> xr.Dataset:
    """Dims of the axes that are left, then of space. Periods of time have their start as `time`, and bounds."""
    prepared = reductions.prepared
    touched = {step.dim for steps in reductions.steps.values() for step in steps}
    data = {}
    for one in prepared.variables:
        dims = reductions.dims(one)
        space = prepared.cells.dims if SPACE in dims else ()
        shape = prepared.cells.shape if SPACE in dims else ()
        named = (*(dim for dim in dims if dim != SPACE), *space)
        made = np.asarray(values[one.name])
        made = made.reshape((*made.shape[: len(named) - len(space)], *shape))
        made = prepared.cells.masked(made) if space else made
        data[one.name] = xr.Variable(named, made, _described(one, reductions.steps[one.name]))
    coords = {name: one for name, one in axes(prepared) if name not in touched and not touched & set(one.dims)}
    for axis in prepared.cube.axes:
        if axis.name in reductions.periods:
            coords |= dict(_period_coords(axis, reductions.periods[axis.name], _left(reductions, axis.name)))
    if SPACE in touched:
        coords |= _middle(prepared) | zone(prepared.cube.grid, prepared.request.shape)
    else:
        coords |= prepared.cells.place()
    attrs = attributes(prepared, receipt) | {"reduced": ", ".join(str(one) for one in prepared.request.reduce)}
    if reductions.said:
        attrs["weights_over_space"] = "; ".join(reductions.said)
    return xr.Dataset(data, coords=coords, attrs=attrs)


def _left(reductions: Reductions, dim: str) -> bool:
    return any(dim in reductions.dims(one) for one in reductions.prepared.variables)


def _period_coords(axis: Axis, periods: Periods, is_left: bool) -> Iterator[tuple[str, xr.Variable]]:  # noqa: FBT001
    """A time axis after a reduction: starts of the periods with their bounds; one of each where the axis is gone."""
    name = f"{axis.name}_bounds"
    starts = axis_variable(axis, periods.starts)
    ends = axis_variable(axis, periods.bounds.ravel()).values.reshape(-1, 2)
    attrs = starts.attrs | {"climatology" if periods.is_climatology else "bounds": name}
    if is_left:
        yield axis.name, xr.Variable(starts.dims, starts.values, attrs)
        yield name, xr.Variable((axis.name, "bnds"), ends)
    else:
        yield axis.name, xr.Variable((), starts.values[0], attrs)
        yield name, xr.Variable(("bnds",), ends[0])


def _middle(prepared: Prepared) -> dict[str, xr.Variable]:
    """One place for all cells: the middle of a box, else the middle of the centres on the sphere."""
    if set(prepared.cells.dims) == {"lat", "lon"}:
        coords = prepared.cells.place()
        lon, lat = (float(np.mean(coords[name].values[[0, -1]])) for name in ("lon", "lat"))
    else:
        lons, lats = _some_centres(prepared)
        real = np.isfinite(lons) & np.isfinite(lats)
        lon, lat = _centroid(lons[real], lats[real])
    lon = float(turned(np.array([lon]), prepared.request.longitudes)[0])
    said = {"comment": "middle of the cells that were reduced"}
    return {
        "longitude": xr.Variable((), round(lon, 6), LONGITUDE | said),
        "latitude": xr.Variable((), round(lat, 6), LATITUDE | said),
    }


def _some_centres(prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) of all cells, or of so many spread over them that their middle is the same to the eye."""
    cells = prepared.cells
    if cells.count <= _MOST_CENTRES or cells.blend is not None:
        coords = cells.place()
        lons, lats = (coords[name].values.ravel() for name in ("longitude", "latitude"))
        return lons, lats
    numbers = np.arange(prepared.cube.grid.size) if cells.flat is None else cells.flat
    return prepared.cube.grid.centres(numbers[:: cells.count // _MOST_CENTRES])


def _centroid(lon: np.ndarray, lat: np.ndarray) -> tuple[float, float]:
    """The direction of the mean of unit vectors; (0, 0) where cells lie all around."""
    mean = unit(lon, lat).mean(axis=0) if lon.size else np.zeros(3)
    if np.linalg.norm(mean) < 1e-6:
        return 0.0, 0.0
    x, y = lonlat(mean[None, :])
    return float(x[0]), float(y[0])


def _described(variable: CubeVariable, steps: tuple[Step, ...]) -> dict[str, Any]:
    """Attributes of a variable after its reductions."""
    attrs = dict(variable.attrs)
    methods = [str(attrs["cell_methods"])] if attrs.get("cell_methods") else []
    for step in steps:
        methods.append(_method(step.dim, step.reduce))
        if step.reduce.how not in ("min", "max", "median"):
            for name in ("flag_values", "flag_meanings", "flag_masks"):
                attrs.pop(name, None)
        if step.reduce.how in _OTHER_QUANTITY:
            attrs = _of_another_quantity(variable.name, attrs, step.reduce)
        elif step.reduce.how == "sum" and step.reduce.weights == "area" and attrs.get("units"):
            attrs["units"] = f"{attrs['units']} m2"
            attrs.pop("standard_name", None)
    return attrs | ({"cell_methods": " ".join(methods)} if methods else {})


def _of_another_quantity(name: str, attrs: dict[str, Any], reduce: Reduce) -> dict[str, Any]:
    """Counts and shares have no unit, and are not what was counted."""
    title, units = attrs.get("long_name") or name, attrs.get("units", "")
    if reduce.how == "count":
        said = f"number of values of {title}"
    else:
        said = f"share of {title} {reduce.direction} {reduce.amount:g} {units}".strip()
    kept = {key: value for key, value in attrs.items() if key in ("cell_methods", "coordinates")}
    return kept | {"long_name": said, "units": "1"}


def _method(dim: str, reduce: Reduce) -> str:
    """One entry of `cell_methods`."""
    over = "area" if dim == SPACE else dim
    how = _METHODS.get(reduce.how, reduce.how)
    notes = []
    if reduce.amount is not None:
        notes.append(f"{reduce.direction} {reduce.amount:g}" if reduce.how == "exceedance" else f"{reduce.amount:g}")
    if not reduce.skipna:
        notes.append("missing where any value is missing")
    comment = f" (comment: {', '.join(notes)})" if notes else ""
    if reduce.every is not None and reduce.every.startswith("climatology-"):
        inner, outer = ("days", "days") if reduce.every.endswith("hour") else ("years", "years")
        return f"{over}: {how} within {inner} {over}: {how} over {outer}{comment}"
    return f"{over}: {how}{comment}"
