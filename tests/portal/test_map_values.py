"""Colours of places on every projection: where a place lies by the textbook, what is there by formula, and the palette."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from portal import made, screens
from portal.conftest import Portal, colour, near

pytestmark = pytest.mark.server

SPAN = made.PALETTE_RANGE
LAYER = "c=field;v=t;r=240,320;cells=1"


def cells(camera: str) -> list[tuple[float, float]]:
    """Centres of cells of `field` that are to be seen, well within the Earth and away from what lies over the map."""
    lon, lat, zoom, projection = camera.split(",")
    seen = screens.Camera(float(lon), float(lat), float(zoom), projection)
    every = product(np.arange(-180.0, 180, 24), [-88.0, -80, -66, -46, -14, 0, 14, 46, 66, 80, 88])
    return [(lon, lat) for lon, lat in every if is_clear(seen, lon, lat)]


def is_clear(camera: screens.Camera, lon: float, lat: float) -> bool:
    west, south, east, north = made.HOLE
    if west - 4 < lon < east + 4 and south - 4 < lat < north + 4:
        return False
    try:
        x, y = screens.place(camera, lon, lat, 0, 0)
    except ValueError:
        return False
    # not at the rim, where a cell is narrower than a pixel
    return abs(x) < 240 and abs(y) < 180 and is_wide(camera, lon, lat)


def is_wide(camera: screens.Camera, lon: float, lat: float) -> bool:
    """Whether the middle of a cell is more than two pixels away from its edges."""
    try:
        x, y = screens.place(camera, lon, lat, 0, 0)
        for aside, up in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)):
            other = screens.place(camera, lon + aside, max(-90, min(90, lat + up)), 0, 0)
            if not 0.7 < np.hypot(other[0] - x, other[1] - y) < 60:
                return False
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "camera",
    [
        "0,0,0.9,globe",
        "15,70,1.5,globe",
        "179,-60,1.5,globe",
        "0,0,1,flat",
        "180,10,1.5,flat",
        "-100,0,1,mercator",
        "20,10,1,equalearth",
        "0,90,1.5,north",
        "0,-90,1.5,south",
    ],
)
@pytest.mark.window(1000, 700, reduced=True)
def test_a_pixel_is_the_colour_of_its_cell(portal: Portal, camera: str) -> None:
    portal.open(f"at={camera}&map=0&t={made.iso(6)}&l={LAYER}").idle()
    places = cells(camera)
    assert len(places) >= 12
    seen = portal.pixels(places)
    wrong = [
        (place, one, colour(float(made.smooth(place[1], place[0], 6)), SPAN))
        for place, one in zip(places, seen, strict=True)
        if not near(one, colour(float(made.smooth(place[1], place[0], 6)), SPAN))
    ]
    assert not wrong, wrong[:5]
