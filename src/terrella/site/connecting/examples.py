"""What to make examples of: a cube of the site that answers with a number, and an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.errors import NotFound, TerrellaError, Unsupported
from terrella.model.search import CollectionSearch
from terrella.site.connecting.axes import Chosen, chosen_of, mars_of, words_of
from terrella.site.connecting.scenes import Scene, first_scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from terrella.contracts.cubes import Cube, CubeIndex, CubeVariable, Origin
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site

LOOKED_AT = 200
"""Collections that are considered, and cubes of these that are tried."""
_TRIED = 12
MOST_READ = 32 << 20
"""Bytes that an example may read."""
_TOWNS = ((13.4, 52.5), (-3.7, 40.4), (-74.0, 40.7), (28.2, -26.2), (77.2, 28.6), (139.7, 35.7), (-58.4, -34.6))
"""Longitudes and latitudes where somebody may live: tried before places anywhere."""
_FRACTIONS = ((0.5, 0.5), (0.3, 0.6), (0.7, 0.4), (0.6, 0.75), (0.4, 0.25), (0.15, 0.5), (0.85, 0.5))


@dataclass(frozen=True, slots=True)
class Example:
    """A variable of a cube, at the middle of one cell (degrees, as the cube tells longitudes), at a few times."""

    collection: str
    title: str
    variable: str
    unit: str
    lon: float
    lat: float
    chosen: tuple[Chosen, ...]
    values: tuple[float, ...]
    """What the answer is, in the order of the axes."""
    mars: dict[str, str] = field(default_factory=dict)
    """The same in MARS words, without the place."""
    words: dict[str, Any] = field(default_factory=dict)
    """The same as `Site.extract` takes it, without the place."""
    sides: tuple[str, ...] = ()
    """Names of the cube's latitude and longitude, where these are its dimensions."""
    first: tuple[tuple[str, int], ...] = ()
    """How many of the first entries of each dimension of the opened cube, but for those of space."""
    bands: tuple[int, ...] = (1,)
    """The same as GDAL counts bands: all these dimensions as one, from 1."""
    lon_in_cube: float = 0.0
    """The longitude as the cube tells it: some go from 0 to 360."""
    reach: float = 0.1
    """Degrees around the place in which the cell lies, and few others."""

    def of(self, *kinds: str) -> Chosen | None:
        """The first axis of one of these kinds."""
        return next((one for one in self.chosen if one.kind in kinds), None)

    @property
    def time_axis(self) -> str | None:
        """The axis that a series in MARS words runs along."""
        if self.of("step") is not None:
            return "step"
        return "date" if self.of("time", "reference_time") else None


@dataclass(frozen=True, slots=True)
class Examples:
    """What a caller may read: a cube and an image, each None where there is none, and a collection to search in."""

    cube: Example | None
    scene: Scene | None
    collection: str | None


def examples(site: Site, caller: Caller, collection: str | None = None) -> Examples:
    """The best to make examples of; with `collection`, only of that. Raises NotFound for it."""
    documents = _documents(site, caller, collection)
    cube, scene = next(_made(site, caller, documents), None), first_scene(site, caller, documents)
    known = [one.collection for one in (cube, scene) if one] + [str(one["id"]) for one in documents]
    return Examples(cube, scene, known[0] if known else None)


def _documents(site: Site, caller: Caller, collection: str | None) -> list[Document]:
    if collection is not None:
        return [orjson.loads(site.catalog.collection(caller, collection))]
    page = site.catalog.collections(caller, CollectionSearch(limit=LOOKED_AT))
    return [orjson.loads(document) for document in page.documents]


def _made(site: Site, caller: Caller, documents: Sequence[Document]) -> Iterator[Example]:
    cubes = sorted((one for one in documents if _is_cube(one)), key=_rank)
    for document in cubes[:_TRIED]:
        try:
            opened = site.catalog.open(caller, document["id"])
        except (NotFound, Unsupported):  # to be known of, not to be read; or images without a grid of their own
            continue
        for variable in _ranked(opened[0])[:3]:
            try:
                found = _tried(site, caller, document, opened, variable)
            except TerrellaError:  # a file that has gone, a quota that is used up
                continue
            if found is not None:
                yield found


def _is_cube(document: Document) -> bool:
    return "terrella:grid" in document and bool(document.get("cube:variables"))


def _rank(document: Document) -> tuple[Any, ...]:
    """Cubes with everything to say come first: times, a plain grid, MARS words, few other axes, few cells."""
    dimensions = document.get("cube:dimensions", {})
    about = list(document["cube:variables"].values())
    kinds = [one.get("type") for one in dimensions.values()]
    named = any("mars:class" in one for one in about)
    known = any("mars:param" in one for one in about)
    plain = document["terrella:grid"].get("kind") in ("regular", "rectilinear")
    others = len(kinds) - kinds.count("temporal") - 2
    size = float(document["terrella:grid"].get("cells", 0))
    single = all(_count(one) < 2 for one in dimensions.values() if one.get("type") == "temporal")
    return (not plain, single, not named, others, not known, size > 2e6, document["id"])


def _count(dimension: Document) -> int:
    """How many values a dimension has; where it has too many to list, its extent says whether it is one."""
    values = dimension.get("values")
    if values is not None:
        return len(values)
    low, high = dimension.get("extent") or (0, 0)
    return 1 + (low != high)


def _ranked(index: CubeIndex) -> list[CubeVariable]:
    """Variables with the most axes first, as those are what the cube is about."""
    numbers = [one for one in index.variables if np.dtype(one.dtype).kind in "fiu"]
    return sorted(numbers, key=lambda one: (-len(one.dims), one.name))


def _tried(
    site: Site, caller: Caller, document: Document, opened: tuple[CubeIndex, Origin], variable: CubeVariable
) -> Example | None:
    index, origin = opened
    chosen = tuple(chosen_of(axis) for axis in index.axes if axis.name in variable.dims)
    words = words_of(chosen)
    for lon, lat in _places(document):
        asked = {"variables": [variable.name], "point": (lon, lat), **words}
        if site.estimate(document["id"], caller=caller, **asked).bytes_read > MOST_READ:
            return None
        found = site.extract(document["id"], caller=caller, **asked)
        numbers = np.asarray(found[variable.name], dtype="f8").ravel()
        if numbers.size and np.isfinite(numbers).all():
            place = tuple(float(np.ravel(found[name])[0]) for name in ("longitude", "latitude"))
            cube = site.cubes.open(index, origin)
            return _example(document, cube, variable.name, chosen, (place[0], place[1]), numbers)
    return None


def _example(
    document: Document,
    cube: Cube,
    variable: str,
    chosen: tuple[Chosen, ...],
    place: tuple[float, float],
    numbers: np.ndarray,
) -> Example:
    array = cube.dataset[variable]
    first = tuple((str(dim), _first(str(dim), chosen)) for dim in array.dims if dim not in cube.grid.dims)
    return Example(
        collection=str(document["id"]),
        title=str(document.get("title") or document["id"]),
        variable=variable,
        unit=str(document["cube:variables"][variable].get("unit", "")),
        lon=round(place[0], 6),
        lat=round(place[1], 6),
        chosen=chosen,
        values=tuple(numbers.tolist()),
        mars=mars_of(document, variable, chosen),
        words=words_of(chosen),
        sides=cube.grid.dims if cube.grid.kind in ("regular", "rectilinear") else (),
        first=first,
        bands=_bands([array.sizes[dim] for dim, _ in first], [count for _, count in first]),
        lon_in_cube=_as_in(cube, place[0]),
        reach=max(1e-4, float(f"{document['terrella:grid'].get('resolution_m', 1e4) / 111_000 * 0.4:.2g}")),
    )


def _first(dim: str, chosen: Sequence[Chosen]) -> int:
    """How many are chosen along a dimension; valid times of one start stand for the start and its steps."""
    counts = {one.axis: len(one.texts) for one in chosen}
    return counts.get(dim) or counts.get("reference_time", 1) * counts.get("step", 1)


def _bands(shape: Sequence[int], first: Sequence[int]) -> tuple[int, ...]:
    """Numbers of the first entries, as all dimensions are counted as one, the last running fastest."""
    if not shape:
        return (1,)
    numbers = 1 + np.arange(int(np.prod(shape))).reshape(shape)
    return tuple(numbers[tuple(slice(count) for count in first)].ravel().tolist())


def _as_in(cube: Cube, lon: float) -> float:
    """A longitude as the cube's own coordinates tell it."""
    name = "lon" if "lon" in cube.dataset.coords else "longitude"
    known = np.asarray(cube.dataset[name]).ravel()
    return round(float(known[np.argmin(np.abs((known - lon + 180) % 360 - 180))]), 6)


def _places(document: Document) -> Iterator[tuple[float, float]]:
    """Longitudes and latitudes to try: towns in the box, then here and there."""
    west, south, east, north = _bbox(document)
    east = east + 360 if east < west else east
    for lon, lat in _TOWNS:
        if south <= lat <= north and west <= lon <= east:
            yield lon, lat
    for right, up in _FRACTIONS:
        lon = west + right * (east - west)
        yield round(lon - 360 if lon > 180 else lon, 4), round(south + up * (north - south), 4)


def _bbox(document: Document) -> tuple[float, float, float, float]:
    numbers = [float(one) for one in document["extent"]["spatial"]["bbox"][0]]
    half = len(numbers) // 2
    return numbers[0], numbers[1], numbers[half], numbers[half + 1]
