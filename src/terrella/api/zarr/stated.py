"""What a view of images shows: words in its address become the request whose cube it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrella.cubes.scenes.expressions import listed_names
from terrella.cubes.scenes.indexing import systems_of
from terrella.errors import Invalid, Unsupported, nearest_names
from terrella.model.extraction import Box, Everything, Extraction
from terrella.model.space import Extent
from terrella.model.stated import WORDS, StatedGrid, stated_grid
from terrella.model.time import parse_interval

if TYPE_CHECKING:
    from terrella.extraction.opening import Opened
    from terrella.model.ids import CollectionId

_ALSO = ("variables", "bbox", "datetime")
_SEPARATOR = ";"


def asked_by(collection: CollectionId, words: str) -> Extraction:
    """The request of words like 'crs=EPSG:3035;resolution=20;variables=ndvi=(nir-red)/(nir+red)'.

    Raises Invalid for unknown words, and for one that stands twice.
    """
    given: dict[str, str] = {}
    for part in words.split(_SEPARATOR) if words.strip() else ():
        name, sign, value = part.partition("=")
        name = name.strip()
        if name not in (*WORDS, *_ALSO):
            raise Invalid(
                f"{name[:40]!r} says nothing here. {nearest_names(name[:40], (*WORDS, *_ALSO))}", parameter="key"
            )
        if name in given or not sign or not value.strip():
            raise Invalid(f"Write {name} once, as {name}=VALUE; words are divided by {_SEPARATOR}.", parameter=name)
        given[name] = value.strip()
    grid = stated_grid({name: value for name, value in given.items() if name in WORDS})
    if given and grid is None:
        grid = StatedGrid()  # only images are opened in part
    names = listed_names(given["variables"], "variables") if "variables" in given else ()
    interval = parse_interval(given["datetime"]) if "datetime" in given else None
    shape = Box(_extent(given["bbox"])) if "bbox" in given else Everything()
    return Extraction(collection, shape, names, interval, grid=grid)


def _extent(text: str) -> Extent:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise Invalid(f"bbox is west,south,east,north in degrees, not {text:.60}.", parameter="bbox") from None
    return Extent.of(west, south, east, north)


def check_grid(found: Opened) -> None:
    """Raises Unsupported for images whose grid is neither stated nor the same for all."""
    if found.stated is None or found.stated.crs is not None:
        return
    systems, collection = systems_of(found.index), found.origin.collection
    if len(systems) > 1:
        raise Unsupported(
            f"The images of {collection!r} lie in {len(systems)} reference systems ({', '.join(systems[:4])}"
            f"{', ...' if len(systems) > 4 else ''}), so there is no one grid to open. State one in the address, "
            f"/zarr/{collection}/~crs={systems[0]};resolution=20~ for example, or keep one with the collection as its "
            "property terrella:stated_grid.",
            parameter="collection_id",
        )
