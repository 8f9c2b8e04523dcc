"""The table of clients that a view is written out for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terrella.errors import Unsupported
from terrella.site.connecting.views import edr, lazily, maps, mars, own
from terrella.site.connecting.views.meaning import Meant, meant

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.views.asking import Question
    from terrella.site.site import Site


@dataclass(frozen=True, slots=True)
class Tongue:
    """One way to write a view out. `group` is values, picture or here (on the site's own machine)."""

    client: str
    title: str
    about: str
    install: str
    language: str
    group: str
    write: Callable[[Meant], str]


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines for one client; where they are empty, `why` says what it cannot say."""

    tongue: Tongue
    lines: str
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        one = self.tongue
        said = {"client": one.client, "title": one.title, "about": one.about, "install": one.install}
        said |= {"language": one.language, "group": one.group, "lines": self.lines}
        return said | {"works": not self.why, "why": self.why}


TONGUES = (
    Tongue("curl", "curl", "OGC API EDR, from any shell", "", "sh", "values", edr.curl),
    Tongue(
        "python",
        "Python",
        "OGC API EDR, with requests",
        "pip install requests xarray netCDF4",
        "python",
        "values",
        edr.python,
    ),
    Tongue(
        "xarray",
        "xarray",
        "The whole cube, opened lazily as Zarr",
        "pip install xarray zarr fsspec aiohttp shapely",
        "python",
        "values",
        lazily.xarray,
    ),
    Tongue("owslib", "OWSLib", "OGC API EDR, with OWSLib", "pip install OWSLib", "python", "values", edr.owslib),
    Tongue(
        "polytope",
        "polytope-client",
        "Polytope (ECMWF, Destination Earth), in MARS words",
        "pip install polytope-client",
        "python",
        "values",
        mars.polytope,
    ),
    Tongue(
        "rasterio",
        "GDAL: values",
        "A GeoTIFF, with rasterio",
        "pip install requests rasterio",
        "python",
        "values",
        maps.gdal_values,
    ),
    Tongue(
        "terrella", "Terrella in Python", "Where the site runs", "pip install terrella", "python", "here", own.python
    ),
    Tongue("shell", "terrella extract", "Where the site runs", "pip install terrella", "sh", "here", own.extract),
    Tongue("qgis", "QGIS", "The map as tiles", "https://qgis.org", "python", "picture", maps.qgis),
    Tongue(
        "gdal", "GDAL: the map", "The tiles as one image", "pip install rasterio", "python", "picture", maps.gdal_map
    ),
    Tongue("maplibre", "MapLibre GL JS", "The map as tiles", "npm install maplibre-gl", "js", "picture", maps.maplibre),
    Tongue("leaflet", "Leaflet", "The map as tiles", "npm install leaflet", "js", "picture", maps.leaflet),
)
"""In the order in which they are shown."""


def snippets(site: Site, caller: Caller, at: Address, question: Question) -> list[Snippet]:
    """A view written out for every client. Raises Invalid, NotFound for a question that means nothing here."""
    view = meant(site, caller, at, question)
    return [_snippet(one, view) for one in TONGUES]


def _snippet(tongue: Tongue, view: Meant) -> Snippet:
    try:
        return Snippet(tongue, tongue.write(view))
    except Unsupported as error:
        return Snippet(tongue, "", error.message)
