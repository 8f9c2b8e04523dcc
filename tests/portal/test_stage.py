"""The stage that the other tests stand on: the made data come out of the server as their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from portal import made

pytestmark = pytest.mark.server


def value(web, collection: str, lon: float, lat: float, **more: str) -> float | None:
    asked = {"coords": f"POINT({lon} {lat})", "f": "CoverageJSON", **more}
    said = web.get(f"/ogc/collections/{collection}/position", params=asked).raise_for_status().json()
    said = said["coverages"][0] if said["type"] == "CoverageCollection" else said
    return next(iter(said["ranges"].values()))["values"][0]


@pytest.mark.parametrize(("hours", "lon", "lat"), [(0, 10, 40), (18, -170, -88), (210, 180, 0)])
def test_the_field_is_its_formula(web, hours: int, lon: float, lat: float) -> None:
    found = value(web, "field", lon, lat, datetime=made.iso(hours), **{"parameter-name": "t"})
    np.testing.assert_allclose(found, made.smooth(lat, lon, hours), rtol=1e-6)


@pytest.mark.parametrize("collection", ["healpix", "gaussian", "curved", "pacific"])
def test_other_grids_are_near_theirs(web, collection: str) -> None:
    lon, lat = (-175.0, 3.0) if collection == "pacific" else (12.0, 48.0)
    np.testing.assert_allclose(value(web, collection, lon, lat), made.smooth(lat, lon), atol=1.0)


def test_what_is_missing_is_missing(web) -> None:
    assert value(web, "field", 110, -30, datetime=made.iso(0), **{"parameter-name": "t"}) is None
