"""The answer as a dataset: values with the coordinates that are left, and where they came from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from terrella.cubes.selecting import as_slice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from terrella.contracts.cubes import CubeVariable
    from terrella.extraction.planning import Prepared
    from terrella.model.extraction import Receipt


def dataset(prepared: Prepared, values: Mapping[str, np.ndarray], receipt: Receipt) -> xr.Dataset:
    """Dims of the axes, then of space. Where valid time is reference time plus step, it is the coordinate `time`."""
    data = {}
    for one in prepared.variables:
        dims = (*prepared.dims(one), *prepared.cells.dims)
        data[one.name] = xr.Variable(dims, unpaired(prepared, one, dims, values[one.name]), dict(one.attrs))
    coords = {**dict(axes(prepared)), **prepared.cells.place()}
    return xr.Dataset(data, coords=coords, attrs=attributes(prepared, receipt))


def unpaired(prepared: Prepared, variable: CubeVariable, dims: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """Values whose reference time plus step is none of the times asked for become missing."""
    if prepared.pairs is None or not {"reference_time", "step"} <= set(variable.dims):
        return values
    shape = [1] * len(dims)
    for name, size in zip(("reference_time", "step"), prepared.pairs.shape, strict=True):
        shape[dims.index(name)] = size
    inside = prepared.pairs if dims.index("reference_time") < dims.index("step") else prepared.pairs.T
    return np.where(inside.reshape(shape), values, np.array(np.nan, dtype=values.dtype))


def axes(prepared: Prepared) -> Iterator[tuple[str, xr.Variable]]:
    """Coordinates along axes: cut as the values are; single ones that the cube has beside; along a path by vertex."""
    known = prepared.cube.dataset.variables
    left = {dim for one in prepared.variables for dim in prepared.dims(one)}
    for name in [axis.name for axis in prepared.cube.axes if axis.name in left]:
        indices = prepared.axes.get(name)
        yield name, known[name] if indices is None else known[name][as_slice(indices)]
    for name, indices in prepared.along.items():
        yield name, xr.Variable(("vertex",), known[name].values[indices], known[name].attrs)
    for name in ("reference_time", "step"):
        if name in known and known[name].ndim == 0:
            yield name, known[name]
    if {"reference_time", "step"} <= left and "valid_time" in known:
        valid = known["valid_time"]
        for d, name in enumerate(("reference_time", "step")):
            if name in prepared.axes:
                valid = valid[(slice(None),) * d + (as_slice(prepared.axes[name]),)]
        yield "time", valid


def attributes(prepared: Prepared, receipt: Receipt) -> dict[str, Any]:
    """What the cube says of itself, and the receipt as JSON."""
    slip: dict[str, Any] = {
        "request": receipt.request,
        "collection": receipt.collection,
        "version": receipt.version,
        "items": list(receipt.items[:100]),
        "software": receipt.software,
        "licence": receipt.licence,
        "attribution": receipt.attribution,
        "item_versions": list(receipt.item_versions[:100]),
        **asdict(receipt.credit),
    }
    slip = {key: value for key, value in slip.items() if value}
    return dict(prepared.cube.dataset.attrs) | {"terrella_receipt": json.dumps(slip)}
