"""Where a collection's cube is opened for a request: its own cube, or the one that its scenes make for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from terrella.cubes.scenes.expressions import is_expression
from terrella.errors import NotFound, Unsupported
from terrella.model.parameters import find

if TYPE_CHECKING:
    from terrella.contracts.cubes import CubeIndex, Origin
    from terrella.model.caller import Caller
    from terrella.model.extraction import Extraction
    from terrella.model.stac import Document
    from terrella.model.stated import StatedGrid


class Catalogue(Protocol):
    """What is needed of the catalogue: a collection's cube, if this caller may see it."""

    def open(self, caller: Caller, collection: str) -> tuple[CubeIndex, Origin]: ...


@dataclass(frozen=True, eq=False)
class Opened:
    """The cube that answers a request, and the request in that cube's words."""

    index: CubeIndex
    origin: Origin
    asked: Extraction
    stated: StatedGrid | None = None
    """What was stated of the grid that it was made on, of scenes; None for a collection's own cube."""


class MakesCubes(Protocol):
    """Makes a cube for one request out of a collection's items."""

    def open(self, caller: Caller, request: Extraction) -> Opened: ...

    def variables(self, caller: Caller, collection: str) -> dict[str, Document]:
        """What such a cube would hold, by name, as `cube:variables` has it; {} where the items are no images."""
        ...


def opened(catalog: Catalogue, scenes: MakesCubes | None, caller: Caller, request: Extraction) -> Opened:
    """The collection's own cube; where it has none, or the request states a grid or an expression, one of its scenes.

    Raises NotFound for a collection, Unsupported where there is neither; Invalid as `MakesCubes` does.
    """
    try:
        index, origin = catalog.open(caller, request.collection)
    except (NotFound, Unsupported):
        if scenes is None:
            raise
        return scenes.open(caller, request)
    if not _states(request, index):
        return Opened(index, origin, request)
    if scenes is None:
        raise Unsupported("Stated grids and expressions are for images, which are not opened here.", parameter="grid")
    try:
        return scenes.open(caller, request)
    except Unsupported as error:
        raise Unsupported(
            f"{request.collection!r} has a cube of its own and is no collection of images: only these take a stated "
            "grid (crs, resolution, anchor, resampling, group) and expressions of bands, or are opened in part.",
            parameter="grid",
        ) from error


def _states(request: Extraction, index: CubeIndex) -> bool:
    return request.grid is not None or any(
        is_expression(name) and not _names(index, name) and not find(name) for name in request.variables
    )


def _names(index: CubeIndex, name: str) -> bool:
    """Whether it is a variable after all: names and titles may have signs in them, like 'Temperature (K)'."""
    folded = name.strip().casefold()
    return any(
        folded in {one.name.casefold(), *(str(value).casefold() for value in one.attrs.values())}
        for one in index.variables
    )
