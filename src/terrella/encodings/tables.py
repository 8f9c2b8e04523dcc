"""An answer as a tidy table: one row for each place, time, level and member, one column for each variable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from terrella.encodings.layout import DEGREES, ZONE, Layout, layouts, text
from terrella.encodings.receipts import receipt_text, reference

if TYPE_CHECKING:
    import xarray as xr

    from terrella.model.extraction import Extracted

_MOST_WKT = 64 << 20
"""Characters of a polygon repeated in all rows."""
_DEGREES = {"longitude": {"units": "degrees_east"}, "latitude": {"units": "degrees_north"}}


def row_count(dataset: xr.Dataset) -> int:
    """Rows that `table` gives, without making it."""
    made = 0
    for layout in layouts(dataset):
        places = np.prod([dataset.sizes[dim] for dim in layout.space], dtype=np.int64)
        if layout.inside is not None:
            places = np.count_nonzero(layout.inside)
        times = dataset.sizes.get(layout.time, 1) if layout.time else 1
        levels = 1 if layout.heights is None else layout.heights.size
        made += int(places) * times * levels * len(layout.labels)
    return made


def table(extracted: Extracted) -> pa.Table:
    """The whole answer; units and names in the metadata of the columns, the receipt in that of the table.

    Columns: other axes, `time` (UTC; text in odd calendars), the vertical axis, what is known of places,
    `longitude` and `latitude` in degrees, `x` and `y` on projected grids, then the variables. Missing is null.
    """
    groups = [_group(layout) for layout in layouts(extracted.dataset)]
    joined = groups[0] if len(groups) == 1 else pa.concat_tables(groups, promote_options="default")
    receipt = extracted.receipt
    metadata = {
        "terrella:receipt": receipt_text(extracted),
        "licence": receipt.licence,
        "attribution": receipt.attribution,
        "citation": reference(receipt),
    }
    order = [name for name in joined.column_names if name not in extracted.dataset.data_vars]
    order += [str(name) for name in extracted.dataset.data_vars]
    return joined.select(order).replace_schema_metadata(metadata)


def _group(layout: Layout) -> pa.Table:
    arrays = {name: layout.values(name) for name in layout.names}
    shape = next(iter(arrays.values())).shape
    columns = _axis_columns(layout, shape) | _place_columns(layout, shape)
    coordinates = layout.dataset.coords
    fields: list[Any] = []
    data: list[Any] = []
    for name, values in columns.items():
        attrs = dict(coordinates[name].attrs) if name in coordinates else {}
        _append(fields, data, name, values, _DEGREES.get(name, attrs))
    for name, array in arrays.items():
        _append(fields, data, name, array.reshape(-1), dict(layout.dataset[name].attrs))
    made = pa.Table.from_arrays(data, schema=pa.schema(fields))
    if layout.kind != "grid" or layout.inside is None:
        return made
    return made.filter(pa.array(np.broadcast_to(layout.inside, shape).ravel()))


def _append(fields: list[Any], data: list[Any], name: str, values: Any, attrs: dict[str, Any]) -> None:
    made = values if isinstance(values, pa.Array | pa.ChunkedArray) else _array(values)
    kept = {key: str(attrs[key]) for key in ("units", "standard_name", "long_name") if attrs.get(key)}
    fields.append(pa.field(name, made.type, metadata=kept or None))
    data.append(made)


def _array(values: np.ndarray) -> Any:
    if values.dtype.kind in "OU":
        return pa.array([text(value) for value in values.tolist()], pa.string())
    if values.dtype.kind == "M":
        return pa.array(values.astype("M8[ms]"), pa.timestamp("ms", tz="UTC"))
    return pa.array(np.ascontiguousarray(values, values.dtype.newbyteorder("=")), from_pandas=True)


def _along(values: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """Values of one axis repeated for every row."""
    form = [1] * len(shape)
    form[axis] = values.size
    return np.broadcast_to(values.reshape(form), shape).reshape(-1)


def _axis_columns(layout: Layout, shape: tuple[int, ...]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in layout.labels[0] if layout.labels else ():
        found = [label[name] for label in layout.labels]
        if name == "reference_time" and layout.calendar == "standard":
            columns[name] = _along(np.array([text.rstrip("Z") for text in found], "M8[ms]"), 0, shape)
        else:
            columns[name] = _along(np.array(found), 0, shape)
    if layout.moments is not None:
        columns["time"] = _times(layout, shape)
    if layout.vertical is not None and layout.heights is not None:
        columns[layout.vertical] = _along(layout.heights, 1, shape)
    return columns


def _times(layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    moments = layout.moments
    if moments is None or moments.dtype.kind != "M":
        moments = np.array(layout.times)
    form = (moments.shape[0], 1, moments.shape[1], *[1] * (len(shape) - 3))
    return np.broadcast_to(moments.reshape(form), shape).reshape(-1)


def _place_columns(layout: Layout, shape: tuple[int, ...]) -> dict[str, Any]:
    def spread(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values.reshape((1, 1, 1, *shape[3:])), shape).reshape(-1)

    columns: dict[str, Any] = {name: spread(values) for name, values in layout.columns.items()}
    if layout.kind == "grid" and layout.crs != DEGREES:
        columns |= {"y": _along(layout.y, 3, shape), "x": _along(layout.x, 4, shape)}
    columns |= {"longitude": spread(layout.longitude), "latitude": spread(layout.latitude)}
    return columns | _zone_column(layout, math.prod(shape))


def _zone_column(layout: Layout, rows: int) -> dict[str, Any]:
    """The polygon that all values are of, as WKT; none where it would make most of a large answer."""
    text = "" if layout.zone is None else layout.zone.wkt
    if not text or rows * len(text) > _MOST_WKT:
        return {}
    return {ZONE: pa.DictionaryArray.from_arrays(np.zeros(rows, "i4"), [text])}
