import numpy as np
import pyproj
import pytest

from terrella.extraction.corridors import segment_distance
from terrella.model.space import EARTH_RADIUS_M, LonLat

SPHERE = pyproj.Geod(a=EARTH_RADIUS_M, b=EARTH_RADIUS_M)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (LonLat(0, 0), LonLat(40, 20)),
        (LonLat(170, 50), LonLat(-170, 55)),
        (LonLat(10, 80), LonLat(-170, 82)),
        (LonLat(5, 5), LonLat(5, 5)),
        (LonLat(0, -90), LonLat(30, 10)),
    ],
)
def test_the_distance_to_a_segment_is_that_to_its_nearest_point(start, end):
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-180, 180, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    line = np.array([tuple(start), *SPHERE.npts(*start, *end, 4000), tuple(end)])
    away = np.array(
        [SPHERE.inv(np.full(len(line), x), np.full(len(line), y), *line.T)[2] for x, y in zip(lon, lat, strict=True)]
    )
    found, fraction = segment_distance(lon, lat, start, end)
    np.testing.assert_allclose(found, away.min(axis=1), atol=2000, rtol=1e-3)
    if start != end:
        near = away.argmin(axis=1) / (len(line) - 1)
        sure = np.ptp(np.sort(away, axis=1)[:, :2], axis=1) > 1e-9
        np.testing.assert_allclose(fraction[sure], near[sure], atol=2e-2)
