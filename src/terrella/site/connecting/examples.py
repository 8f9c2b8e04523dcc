"""What to make examples of: a cube of the site that answers with a number, and an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from terrella.encodings.calendars import iso
from terrella.errors import NotFound, TerrellaError, Unsupported
from terrella.extraction.mars.matching import identities
from terrella.extraction.mars.placing import TO_PASCAL
from terrella.model.search import CollectionSearch, Search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from terrella.contracts.cubes import Cube, CubeIndex, CubeVariable, Origin
    from terrella.model.caller import Caller
    from terrella.model.scan import Axis
    from terrella.model.stac import Document
    from terrella.site.site import Site

LOOKED_AT = 200
"""Collections that are considered, and cubes of these that are tried."""
_TRIED = 12
MOST_READ = 32 << 20
"""Bytes that an example may read."""
_MOST_TIMES = 3
_TOWNS = ((13.4, 52.5), (-3.7, 40.4), (-74.0, 40.7), (28.2, -26.2), (77.2, 28.6), (139.7, 35.7), (-58.4, -34.6))
"""Longitudes and latitudes where somebody may live: tried before places anywhere."""
_FRACTIONS = ((0.5, 0.5), (0.3, 0.6), (0.7, 0.4), (0.6, 0.75), (0.4, 0.25), (0.15, 0.5), (0.85, 0.5))
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
_STANDARD = frozenset({"", "standard", "gregorian", "proleptic_gregorian"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an example takes of one axis: `values` as their axis has them, `texts` as requests write them."""

    axis: str
    kind: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]


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
class Scene:
    """An item with an asset that GDAL reads: its projected image, as STAC says it."""

    collection: str
    item: str
    asset: str
    band: str
    """As odc-stac calls it: the asset, and of several bands the first."""
    path: str
    """Of the bytes, below the address of the site."""
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Examples:
    """What a caller may read: a cube and an image, each None where there is none, and a collection to search in."""

    cube: Example | None
    scene: Scene | None
    collection: str | None


def examples(site: Site, caller: Caller, collection: str | None = None) -> Examples:
    """The best to make examples of; with `collection`, only of that. Raises NotFound for it."""
    documents = _documents(site, caller, collection)
    cube, scene = next(_made(site, caller, documents), None), _scene(site, caller, documents)
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
    chosen = tuple(_chosen(axis) for axis in index.axes if axis.name in variable.dims)
    words = _words(chosen)
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
        mars=_mars(document, variable, chosen),
        words=_words(chosen),
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


# --- axes -----------------------------------------------------------------------------------------------------------


def _chosen(axis: Axis) -> Chosen:
    """The first few times; of anything else the first value."""
    if axis.kind == "time":
        return _told(axis, _first_times(axis.values))
    if axis.kind == "step":
        return _told(axis, axis.values[:_MOST_TIMES])
    return _told(axis, axis.values[:1])


def _first_times(values: np.ndarray) -> np.ndarray:
    """At most three, if their dates and their times of day, each listed, mean no more than these: else one."""
    some = values[:_MOST_TIMES]
    meant = np.isin(values // _DAY_MS, some // _DAY_MS) & np.isin(values % _DAY_MS, some % _DAY_MS)
    return some if int(meant.sum()) == some.size else values[:1]


def _told(axis: Axis, values: np.ndarray) -> Chosen:
    if axis.kind in ("time", "reference_time"):
        texts = list(iso(values.astype(np.int64), axis.calendar))
    elif axis.kind == "step":
        texts = [f"{value / _HOUR_MS:g}" for value in values.tolist()]
    else:
        texts = [f"{value:.10g}" if isinstance(value, float) else str(value) for value in values.tolist()]
    if axis.kind == "vertical" and axis.units in TO_PASCAL:
        mars = [f"{float(value) * TO_PASCAL[axis.units] / 100:.10g}" for value in values.tolist()]
        return Chosen(axis.name, axis.kind, tuple(mars), tuple(texts))
    return Chosen(axis.name, axis.kind, tuple(values.tolist()), tuple(texts))


def _words(chosen: Sequence[Chosen]) -> dict[str, Any]:
    """The axes as `Site.extract` takes them."""
    words: dict[str, Any] = {}
    for one in chosen:
        if one.kind == "time":
            words["time"] = one.texts[0] if len(one.texts) == 1 else f"{one.texts[0]}/{one.texts[-1]}"
        elif one.kind == "vertical":
            words["level"] = [float(text) for text in one.texts]
        elif one.kind == "step":
            words["step"] = [float(text) for text in one.texts]
        else:
            words[one.axis] = list(one.texts)
    return words


# --- MARS words -----------------------------------------------------------------------------------------------------


def _mars(document: Document, variable: str, chosen: Sequence[Chosen]) -> dict[str, str]:
    """The example in MARS words: what the variable is known by, then its axes."""
    identity = next(one for one in identities(document) if one.variable == variable)
    made = {key: min(identity.words[key]) for key in ("class", "stream", "type", "levtype") if key in identity.words}
    made["param"] = str(document["cube:variables"][variable].get("mars:param") or variable)
    for one in chosen:
        if one.kind in ("time", "reference_time"):
            made |= _clock(one)
        elif one.kind == "step":
            made["step"] = "/".join(one.texts)
        elif one.kind == "vertical":
            made["levelist"] = "/".join(map(_plain, one.values))
        elif one.kind == "number":
            made["number"] = "/".join(one.texts)
        else:
            made[one.axis] = "/".join(one.texts)
    return made


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _clock(one: Chosen) -> dict[str, str]:
    """Dates, and times of day where these are whole minutes."""
    dates = dict.fromkeys(text[:10].replace("-", "") for text in one.texts)
    made = {"date": "/".join(dates)}
    if all(value % _MINUTE_MS == 0 for value in one.values):
        made["time"] = "/".join(dict.fromkeys(text[11:16].replace(":", "") or "0000" for text in one.texts))
    return made


# --- images ---------------------------------------------------------------------------------------------------------


def _scene(site: Site, caller: Caller, documents: Sequence[Document]) -> Scene | None:
    """The first item with a projected GeoTIFF, of at most a few items of each collection."""
    reader = caller.reading()
    for document in documents:
        page = site.catalog.search(reader, Search(collections=(document["id"],), limit=3))
        for content in page.documents:
            found = _scene_of(orjson.loads(content))
            if found is not None:
                return found
    return None


def _scene_of(item: Document) -> Scene | None:
    about = item.get("properties", {})
    for name, asset in item.get("assets", {}).items():
        code = asset.get("proj:code") or about.get("proj:code")
        placed = asset.get("proj:transform") or about.get("proj:transform")
        if "tiff" not in str(asset.get("type", "")) or not code or not placed or len(item.get("bbox") or ()) != 4:
            continue
        bands = asset.get("bands") or []
        band = str(bands[0].get("name") or name) if len(bands) == 1 else name
        path = f"/stac/collections/{item['collection']}/items/{item['id']}/assets/{name}"
        west, south, east, north = item["bbox"]
        return Scene(str(item["collection"]), str(item["id"]), name, band, path, (west, south, east, north))
    return None
