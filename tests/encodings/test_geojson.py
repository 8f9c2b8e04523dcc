from __future__ import annotations

import io
import json

import geopandas
import numpy as np
import pytest

from terrella.encodings.geojson import GeoJson
from terrella.encodings.tables import row_count


@pytest.mark.filterwarnings("ignore:Error parsing datetimes")  # 30 February
def test_gdal_reads_it(dataset, extracted) -> None:
    text = GeoJson().encode(extracted(dataset))
    frame = geopandas.read_file(io.BytesIO(text), engine="pyogrio")
    assert len(frame) == row_count(dataset)
    name = next(iter(dataset))
    given = dataset[name].values.ravel()
    got = frame[name].to_numpy("f4")
    np.testing.assert_array_equal(np.sort(got[~np.isnan(got)]), np.sort(given[~np.isnan(given)]))


def test_features(shapes, extracted) -> None:
    document = json.loads(GeoJson().encode(extracted(shapes["series"]())), parse_constant=pytest.fail)
    assert document["numberReturned"] == 3
    first = document["features"][0]
    assert first["geometry"] == {"type": "Point", "coordinates": [10.0, 40.0]}
    assert first["properties"] == {"time": "2019-03-01T00:00:00Z", "t2m": None}
    assert document["terrella:receipt"]["attribution"] == "Somebody 2026"
    assert document["parameters"]["t2m"]["unit"]["label"] == {"en": "K"}


def test_longitudes_stay_in_the_standards_range(shapes, extracted) -> None:
    dataset = shapes["series"]().assign_coords(longitude=("point", [190.0]))
    document = json.loads(GeoJson().encode(extracted(dataset)))
    assert document["features"][0]["geometry"]["coordinates"] == [-170.0, 40.0]


def test_short_floats(shapes, extracted) -> None:
    assert b'"t2m":283.15}' in GeoJson().encode(extracted(shapes["point"]()))


def test_too_many_features_are_refused(shapes, extracted, monkeypatch) -> None:
    monkeypatch.setattr("terrella.encodings.geojson.MOST_FEATURES", 2)
    assert "3 features" in str(GeoJson().accepts(extracted(shapes["series"]())))
