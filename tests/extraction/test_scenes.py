"""Scenes are found as the caller: nobody's answer is made of items that they may not see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import pytest

from scene_files import lonlat, numbers, write_scene
from terrella.catalog.catalog import Catalog
from terrella.cubes.cubes import Cubes
from terrella.cubes.scenes import source
from terrella.errors import Unsupported
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.extraction.scenes import Scenes
from terrella.model.caller import ANONYMOUS, OPERATOR, Caller
from terrella.model.extraction import Everything, Extraction, Points
from terrella.model.ids import CollectionId
from terrella.model.search import Page, Search
from terrella.model.space import LonLat
from terrella.model.stated import StatedGrid
from terrella.site import Site

NAME = CollectionId("fields")
HERE = Points((LonLat(*lonlat("EPSG:32632", 700_205, 5_199_795)),))


class OnlySome:
    """A catalogue in which anonymous callers see nothing that was taken on the second day."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.asked: list[tuple[Caller, Search]] = []

    def collection(self, caller: Caller, collection: str) -> bytes:
        return self._catalog.collection(OPERATOR, collection)

    def open(self, caller: Caller, collection: str) -> object:
        raise Unsupported("No cube.")

    def search(self, caller: Caller, query: Search) -> Page:
        self.asked.append((caller, query))
        page = self._catalog.search(OPERATOR, query)
        if caller is OPERATOR:
            return page
        return Page(tuple(one for one in page.documents if not orjson.loads(one)["id"].endswith("2")))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("policy")
    for number in (1, 2):
        values = {"red": numbers(number, (60, 60))}
        write_scene(folder / f"day{number}.tif", values, taken=f"2023:06:0{number} 10:00:00")
    with Site.open(folder / "home", reading={"scanners": 1}) as made:
        made.add(*sorted(folder.glob("*.tif")), collection=NAME)
        yield made


@pytest.fixture
def some(site: Site) -> OnlySome:
    return OnlySome(site.catalog)


@pytest.fixture
def extractor(site: Site, some: OnlySome) -> Iterator[Extractor]:
    cubes = Cubes(formats={source.NAME: source.SceneFormat()}, threads=2)
    yield Extractor(some, cubes, Limits(), scenes=Scenes(some, site.lake.scans, site.lake.sources))  # type: ignore[arg-type]
    cubes.close()


def test_each_sees_their_own(extractor: Extractor, some: OnlySome) -> None:
    request = Extraction(NAME, HERE, ("red",))
    for _ in range(2):  # also once the cube is known
        whole, part = extractor.extract(OPERATOR, request), extractor.extract(ANONYMOUS, request)
        assert whole.dataset.sizes["time"] == 2
        assert part.dataset.sizes["time"] == 1
        assert part.receipt.items == ("day1",)
        assert whole.receipt.version != part.receipt.version
        np.testing.assert_array_equal(whole.dataset["red"].values[:1], part.dataset["red"].values)
    assert extractor.plan(ANONYMOUS, request).chunks == 1
    assert {caller for caller, _ in some.asked} == {OPERATOR, ANONYMOUS}


def test_the_same_request_is_the_same_index(extractor: Extractor) -> None:
    request = Extraction(NAME, Everything(), grid=StatedGrid(crs="EPSG:3035", resolution=(20.0, 20.0)))
    first, again = (extractor.open(OPERATOR, request) for _ in range(2))
    assert first.index is again.index
    assert first.origin == again.origin
    other = Extraction(NAME, Everything(), grid=StatedGrid(crs="EPSG:3035", resolution=(25.0, 25.0)))
    assert extractor.open(OPERATOR, other).origin.version != first.origin.version


def test_without_scenes_there_is_no_stated_grid(site: Site) -> None:
    cubes = Cubes(threads=1)
    plain = Extractor(site.catalog, cubes, Limits())
    assert plain.variables(OPERATOR, NAME) == {}
    with pytest.raises(Unsupported):
        plain.open(OPERATOR, Extraction(NAME, HERE, grid=StatedGrid(crs="utm")))
    cubes.close()
