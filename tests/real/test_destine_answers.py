"""Real answers of the Climate twin's Polytope service: cubes rebuilt from them and cut again give the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.geometry

from terrella.contracts.cubes import Origin
from terrella.contracts.loading import load
from terrella.cubes.assembling import assemble
from terrella.cubes.cubes import Cubes
from terrella.encodings.coveragejson import CoverageJson
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Everything, Extraction, Points
from terrella.model.ids import CollectionId
from terrella.model.space import LonLat

ANSWERS = ("test_geotiff", "test_coverage1", "test_coverage2")


class Rebuilt:
    """The cube of an answer, and the answer itself: lon, lat and values by variable."""

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text())
        made = load("formats", "table")()
        self.index = assemble(("a", part, str(path), "table") for scan in made.scan(str(path)) for part in scan.parts)
        first = self.document["coverages"][0]
        places = np.array(first["domain"]["axes"]["composite"]["values"], dtype="f8")
        self.lat, self.lon = places[:, 0], places[:, 1]  # the service writes latitude first
        self.values = {name: np.array(one["values"], dtype="f8") for name, one in first["ranges"].items()}
        self.site = Extractor(self, Cubes(threads=2), Limits())

    def open(self, caller: object, collection: object) -> tuple[object, Origin]:
        return self.index, Origin("lake", "twin", "1")

    def ask(self, shape: object, **more: object):
        return self.site.extract(OPERATOR, Extraction(CollectionId("twin"), shape, **more))

    def first(self, dataset, name: str) -> np.ndarray:
        """Values by place, of the first coverage where there are several."""
        array = dataset[name]
        return array.isel(dict.fromkeys(array.dims[:-1], 0)).to_numpy()


@pytest.fixture(params=ANSWERS)
def rebuilt(request: pytest.FixtureRequest, test_data: Path) -> Rebuilt:
    return Rebuilt(test_data / "destine-healpix" / f"{request.param}.json")


def test_everything_comes_back(rebuilt: Rebuilt) -> None:
    found = rebuilt.ask(Everything()).dataset
    order = np.lexsort((found.longitude.values, found.latitude.values))
    truth = np.lexsort((rebuilt.lon, rebuilt.lat))
    np.testing.assert_allclose(found.latitude.values[order], rebuilt.lat[truth], atol=1e-9)
    np.testing.assert_allclose(found.longitude.values[order], rebuilt.lon[truth], atol=1e-9)
    for name, values in rebuilt.values.items():
        np.testing.assert_allclose(rebuilt.first(found, name)[order], values[truth], rtol=1e-6)


def test_a_polygon_of_it_is_the_places_inside(rebuilt: Rebuilt) -> None:
    west, east, south, north = rebuilt.lon.min(), rebuilt.lon.max(), rebuilt.lat.min(), rebuilt.lat.max()
    lon, lat = np.median(rebuilt.lon), np.median(rebuilt.lat)
    reach = 1.01 * (east - west) + 0.01, 1.01 * (north - south) + 0.01
    area = shapely.Polygon([(lon - reach[0] / 3, south - 0.01), (lon + reach[0], lat - 0.003), (lon, north + 0.01)])
    inside = shapely.intersects_xy(area, rebuilt.lon, rebuilt.lat)
    assert 0 < inside.sum() < inside.size
    found = rebuilt.ask(Area(dict(shapely.geometry.mapping(area)))).dataset
    for name, values in rebuilt.values.items():
        np.testing.assert_allclose(np.sort(rebuilt.first(found, name)), np.sort(values[inside]), rtol=1e-6)


def test_a_point_of_it_is_its_nearest_place(rebuilt: Rebuilt) -> None:
    number = rebuilt.lon.size // 2
    place = LonLat(float(rebuilt.lon[number]) + 1e-4, float(rebuilt.lat[number]) - 1e-4)
    found = rebuilt.ask(Points((place,))).dataset
    for name, values in rebuilt.values.items():
        assert float(rebuilt.first(found, name)[0]) == pytest.approx(values[number], rel=1e-6)


def test_our_answer_is_read_as_theirs_is(rebuilt: Rebuilt, tmp_path: Path) -> None:
    """Rebuilt, cut, written by us, and rebuilt of that again."""
    (tmp_path / "again.covjson").write_bytes(CoverageJson().encode(rebuilt.ask(Everything())))
    made = load("formats", "table")()
    path = str(tmp_path / "again.covjson")
    index = assemble(("a", part, path, "table") for scan in made.scan(path) for part in scan.parts)
    assert {one.name for one in index.variables} == set(rebuilt.values)
    again, before = rebuilt, rebuilt.ask(Everything()).dataset
    again.index = index
    again.site = Extractor(again, Cubes(threads=2), Limits())
    after = again.ask(Everything()).dataset
    for name in rebuilt.values:
        np.testing.assert_allclose(np.sort(after[name].values.ravel()), np.sort(before[name].values.ravel()), rtol=1e-6)
