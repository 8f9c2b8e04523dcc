"""Where a place lies on a map of the portal, by the textbook formulas alone: nothing here is the portal's own.

Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395, 1987): orthographic p. 149, stereographic
p. 157, equirectangular p. 91, Mercator p. 41; Equal Earth: Savric, Patterson and Jenny (2018),
https://doi.org/10.1080/13658816.2018.1504949.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Camera:
    """What is in the middle (degrees), how large, and on what map."""

    lon: float
    lat: float
    zoom: float
    projection: str

    @property
    def radius(self) -> float:
        """of the Earth in CSS pixels: at zoom z a degree of latitude, in the middle, is 256 * 2^z / 180 pixels."""
        return 256 * 2**self.zoom / math.pi


def camera_of(url: str) -> Camera:
    """The camera that an address of the portal tells. Raises KeyError where it tells none."""
    lon, lat, zoom, projection = parse_qs(urlsplit(url).query)["at"][0].split(",")
    return Camera(float(lon), float(lat), float(zoom), projection)


def place(camera: Camera, lon: float, lat: float, width: float, height: float) -> tuple[float, float]:
    """CSS pixels from the left and the top of a pane. Raises ValueError for places that are not to be seen."""
    x, y = _plane(camera, lon, lat)
    x0, y0 = _plane(camera, camera.lon, camera.lat)
    return width / 2 + camera.radius * (x - x0), height / 2 - camera.radius * (y - y0)


def is_seen(camera: Camera, lon: float, lat: float, width: float, height: float, margin: float = 4) -> bool:
    """Whether a place lies on the front of the Earth and within the pane, by a margin in pixels."""
    try:
        x, y = place(camera, lon, lat, width, height)
    except ValueError:
        return False
    return margin <= x <= width - margin and margin <= y <= height - margin


def _plane(camera: Camera, lon: float, lat: float) -> tuple[float, float]:
    """Radii to the right and up."""
    phi, lam = math.radians(lat), math.radians((lon - camera.lon + 180) % 360 - 180)
    match camera.projection:
        case "globe":
            return _orthographic(math.radians(camera.lat), phi, lam)
        case "flat":
            return lam, phi
        case "mercator":
            return lam, math.log(math.tan(math.pi / 4 + phi / 2))
        case "equalearth":
            return _equal_earth(phi, lam)
        case "north":
            far = 2 * math.tan(math.pi / 4 - phi / 2)
            return far * math.sin(math.radians(lon)), -far * math.cos(math.radians(lon))
        case "south":
            far = 2 * math.tan(math.pi / 4 + phi / 2)
            return far * math.sin(math.radians(lon)), far * math.cos(math.radians(lon))
    raise ValueError(camera.projection)


def _orthographic(middle: float, phi: float, lam: float) -> tuple[float, float]:
    facing = math.sin(middle) * math.sin(phi) + math.cos(middle) * math.cos(phi) * math.cos(lam)
    if facing < 0.05:
        raise ValueError("behind the Earth, or at its rim")
    up = math.cos(middle) * math.sin(phi) - math.sin(middle) * math.cos(phi) * math.cos(lam)
    return math.cos(phi) * math.sin(lam), up


_A = (1.340264, -0.081106, 0.000893, 0.003796)


def _equal_earth(phi: float, lam: float) -> tuple[float, float]:
    theta = math.asin(math.sqrt(3) / 2 * math.sin(phi))
    slope = _A[0] + 3 * _A[1] * theta**2 + theta**6 * (7 * _A[2] + 9 * _A[3] * theta**2)
    x = 2 * math.sqrt(3) * lam * math.cos(theta) / (3 * slope)
    return x, theta * (_A[0] + _A[1] * theta**2 + theta**6 * (_A[2] + _A[3] * theta**2))
