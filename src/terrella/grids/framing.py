"""Frames for small maps: a box with some room around it, as wide and high as a picture."""

from __future__ import annotations

import math

from terrella.model.space import Extent

_ROOM = 0.06
"""Of a box, on each side."""
_LEAST = 0.02
"""Degrees: a place has no size, its picture has."""
_FLATTEST = 0.2
"""Cosine of the latitude from which on meridians are not drawn closer together."""


def framed(extent: Extent, width: int, height: int) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees of a map of `width` x `height` pixels that shows a box.

    Rows and columns are parallels and meridians, and a kilometre is as long both ways in the middle. West lies in
    -180..180, east is greater than west; what would go round the Earth shows it once, from -180 to 180.
    """
    middle = (extent.south + extent.north) / 2
    flat = max(math.cos(math.radians(middle)), _FLATTEST)
    wide = max(extent.width * (1 + 2 * _ROOM), _LEAST)
    high = max((extent.north - extent.south) * (1 + 2 * _ROOM), _LEAST)
    shape = width / height / flat
    wide, high = max(wide, high * shape), max(high, wide / shape)
    high = min(high, 180.0)
    south = min(max(middle - high / 2, -90.0), 90.0 - high)
    if wide >= 360.0:
        return -180.0, south, 180.0, south + high
    west = extent.west + extent.width / 2 - wide / 2
    west = west + 360.0 if west < -180.0 else west
    return west, south, west + wide, south + high
