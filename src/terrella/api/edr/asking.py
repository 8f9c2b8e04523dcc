"""From the parameters of a data query to the one typed request that every dialect makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from terrella.api.edr import shapes
from terrella.api.edr.documents import axes_of, vertical_of
from terrella.api.edr.query import Query
from terrella.cubes.scenes.expressions import listed_names
from terrella.errors import Invalid, TooLarge
from terrella.model.extraction import Corridor, Extraction
from terrella.model.reduction import USUAL_CELLS, parse_cells, parse_reductions
from terrella.model.stated import stated_grid
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from terrella.api.edr.crs import InputCrs
    from terrella.model.ids import CollectionId
    from terrella.model.stac import Document
    from terrella.model.time import Interval

SHAPES: dict[str, Callable[[Query, InputCrs], shapes.Asked]] = {
    "position": shapes.position,
    "radius": shapes.radius,
    "area": shapes.area,
    "cube": shapes.cube,
    "trajectory": shapes.trajectory,
    "corridor": shapes.corridor,
}


ESTIMATE, CITE = "estimate", "cite"


GRID_WORDS = {
    "grid-crs": "crs",
    "resolution": "resolution",
    "anchor": "anchor",
    "resampling": "resampling",
    "group": "group",
}
"""Parameters that state a grid. `crs` is none of them: in EDR it is the system of the request's own coordinates."""
_GRID_NAMES = {word: name for name, word in GRID_WORDS.items()}


def spoken(request: Request) -> str:
    """The query type that a route is for: the last word of its path, or the one before `estimate` and `cite`."""
    words = str(request.scope["path"]).rstrip("/").rsplit("/", 2)
    return words[-2] if words[-1] in (ESTIMATE, CITE) else words[-1]


def extraction(
    collection: CollectionId, asked: shapes.Asked, query: Query, document: Callable[[], Document]
) -> Extraction:
    """The request; `document` is only called for where axes or units must be known. Raises Invalid."""
    names = query.take("parameter-name", "parameter_names")
    grid = stated_grid({word: query.take(name) for name, word in GRID_WORDS.items()}, _GRID_NAMES)
    interval = _interval(query, asked)
    vertical = shapes.asked_levels(asked, query.take("z"))
    reduce, cells = query.take("reduce"), query.take("cells")
    if isinstance(asked.shape, Corridor) and asked.corridor_units:
        found = vertical_of(document())
        asked = shapes.in_axis_units(asked, str(found[1].get("unit", "")) if found else "")
    select = query.finish(axes_of(document())) if query.rest() else {}
    return Extraction(
        collection=collection,
        shape=asked.shape,
        variables=listed_names(names, "parameter-name") if names else (),
        interval=interval,
        vertical=vertical,
        select=dict(select),
        longitudes=(0.0, 360.0) if asked.beyond_180 else (-180.0, 180.0),
        reduce=parse_reductions(reduce) if reduce else (),
        cells=parse_cells(cells) if cells else USUAL_CELLS,
        grid=grid,
    )


def _interval(query: Query, asked: shapes.Asked) -> Interval | None:
    text = query.take("datetime")
    if text is None:
        return None
    if asked.has_times:
        raise Invalid("Times stand in the coordinates already: leave datetime out.", parameter="datetime")
    return parse_interval(text)


async def read_pairs(request: Request, most: int) -> list[tuple[str, str]]:
    """Parameters in a body: a form or a JSON object of texts, numbers and lists. Raises Invalid, TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLarge(
                f"The body is larger than the {most:,} bytes that are read. Simplify the shape.",
                parameter="body",
                details={"limit": most},
            )
    kind = request.headers.get("content-type", "").split(";")[0].strip().casefold()
    if kind == "application/x-www-form-urlencoded":
        return _form(bytes(body))
    if kind == "application/json":
        return _json(bytes(body))
    raise Invalid(
        "The body is a form (application/x-www-form-urlencoded) or a JSON object (application/json), "
        f"not {kind[:60] or 'of no stated type'!r}.",
        parameter="Content-Type",
    )


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise Invalid(f"The form cannot be read: {error}.", parameter="body") from None


def _json(body: bytes) -> list[tuple[str, str]]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is no JSON: {error}.", parameter="body") from None
    if not isinstance(found, dict):
        raise Invalid("The body is a JSON object of parameters.", parameter="body")
    return [(name, _text(name, value)) for name, value in found.items() if value is not None]


def _text(name: str, value: Any) -> str:
    if name == "coords" and isinstance(value, dict):  # GeoJSON
        return orjson.dumps(value).decode()
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ",".join(str(one) for one in value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise Invalid(f"{name[:60]} is a text, a number or a list of these.", parameter=name[:60])
