from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from terrella.encodings.geotiff import GeoTiff


@pytest.fixture
def opened(extracted):
    files = []

    def _open(dataset):
        answer = extracted(dataset)
        assert GeoTiff().accepts(answer) is None
        memory = MemoryFile(GeoTiff().encode(answer))
        files.append(memory)
        return memory.open()

    yield _open
    for memory in files:
        memory.close()


def test_values_and_places(shapes, opened) -> None:
    dataset = shapes["grid"]()
    with opened(dataset) as found:
        assert found.count == 6
        assert found.crs.to_epsg() == 4326
        np.testing.assert_array_equal(found.read(2), dataset.t2m.values[1])
        row, column = found.index(11.0, 49.0)
        assert found.read(3)[row, column] == dataset.t2m.sel(lat=49.0, lon=11.0).values[2]
        assert found.descriptions[1] == "t2m 2019-03-01T01:00:00Z"
        assert found.units[0] == "K"
        assert np.isnan(found.nodata)
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert json.loads(found.tags()["TERRELLA_RECEIPT"])["licence"] == "CC-BY-4.0"


def test_south_up_is_turned(shapes, opened) -> None:
    dataset = shapes["one_time_grid"]().isel(lat=slice(None, None, -1))
    with opened(dataset[["t2m"]]) as found:
        assert found.transform.e < 0
        np.testing.assert_array_equal(found.read(1), dataset.t2m.values[0, ::-1])


def test_over_the_antimeridian(shapes, opened) -> None:
    dataset = shapes["one_time_grid"]()
    x = [179.0, 179.5, -180.0, -179.5, -179.0]
    dataset = dataset.drop_vars("longitude").assign_coords(lon=x)
    with opened(dataset[["t2m"]]) as found:
        assert found.bounds.left == 178.75
        assert found.bounds.right == 181.25


def test_projected(shapes, opened) -> None:
    with opened(shapes["projected"]()) as found:
        assert found.crs == rasterio.CRS.from_epsg(3035)
        assert found.transform.a == 1000


def test_integers_stay_integers(shapes, opened) -> None:
    with opened(shapes["grid"]()[["cover"]]) as found:
        assert found.dtypes == ("int16",)


@pytest.mark.parametrize("name", ["cells", "series", "mesh", "trajectory"])
def test_what_is_no_grid_is_refused(name, shapes, extracted) -> None:
    assert "grid" in str(GeoTiff().accepts(extracted(shapes[name]())))


def test_uneven_rows_are_refused(shapes, extracted) -> None:
    dataset = shapes["grid"]().assign_coords(lat=[50.0, 49.4, 49.0, 48.5])
    assert "evenly" in str(GeoTiff().accepts(extracted(dataset)))
