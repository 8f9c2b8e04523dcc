"""The table of clients, and the lines that each needs at a site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrella.site.connecting import finding, stores, values

if TYPE_CHECKING:
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.examples import Example, Examples
    from terrella.site.connecting.scenes import Scene


@dataclass(frozen=True, slots=True)
class Client:
    """A client that people have: what it is called, what one asks with it, how it is installed, its language."""

    name: str
    about: str
    install: str
    language: str = "python"


@dataclass(frozen=True, slots=True)
class Connection:
    """The lines for one client; where `works` is false, a comment that says what the site lacks."""

    client: Client
    lines: str
    works: bool = True


CLIENTS = (
    Client(
        "polytope-client",
        "Polytope (ECMWF, Destination Earth): features cut out of data in MARS words",
        "pip install polytope-client",
    ),
    Client("earthkit-data", "Polytope, straight into xarray", "pip install earthkit-data polytope-client covjsonkit"),
    Client("eodag", "Searching and downloading, as with Destination Earth's data lake", "pip install eodag"),
    Client("hda", "WEkEO: files, and parts of a cube", "pip install hda"),
    Client("cdsapi", "The Climate Data Store: parts of a cube as a file", "pip install cdsapi"),
    Client(
        "ecmwf-datastores-client",
        "The Climate Data Store, with its newer client",
        "pip install ecmwf-datastores-client",
    ),
    Client("pystac-client", "The STAC catalogue: items and where their files are", "pip install pystac-client"),
    Client("OWSLib", "OGC API EDR: values at places", "pip install OWSLib"),
    Client("xarray", "A whole cube, opened lazily as Zarr", "pip install xarray zarr fsspec aiohttp"),
    Client("GDAL", "Images and cubes as rasters", "pip install rasterio"),
    Client("QGIS", "Footprints and images on a map", "https://qgis.org"),
    Client("odc-stac", "Images on one grid", "pip install odc-stac pystac-client"),
    Client("curl", "Values at a place, as CSV", "", "sh"),
    Client("terrella", "The Python interface, on the site's own machine", "pip install terrella"),
)
"""In the order in which they are shown."""

_NO_CUBE = "has no data cube that you may read and that gives a number with a small request"
_NO_TIMES = "has no data cube with times that you may read and that gives a number with a small request"
_NO_SCENE = "has no image (GeoTIFF) that you may read"
_NOTHING = "has no collection that you may see"
_LACKS = frozenset({_NO_CUBE, _NO_TIMES, _NO_SCENE, _NOTHING})


def connections(at: Address, known: Examples) -> list[Connection]:
    """Lines for every client of a site at an address."""
    return [_connection(client, at, known) for client in CLIENTS]


def _connection(client: Client, at: Address, known: Examples) -> Connection:
    lines = _MAKERS[client.name](at, known)
    if lines in _LACKS:
        mark = f"# {client.name}: this site {lines}. Add data, or sign in, and ask again.\n"
        return Connection(client, mark, works=False)
    return Connection(client, lines)


Maker = Callable[["Address", "Examples"], str]


def _of_cube(make: Callable[[Address, Example], str]) -> Maker:
    return lambda at, known: make(at, known.cube) if known.cube else _NO_CUBE


def _of_times(make: Callable[[Address, Example], str]) -> Maker:
    """For Polytope, whose answers have a time."""
    return lambda at, known: make(at, known.cube) if known.cube and known.cube.time_axis else _NO_TIMES


def _of_dates(make: Callable[[Address, Example], str]) -> Maker:
    """For the data stores, to whom a month is that of a date."""
    return lambda at, known: make(at, known.cube) if known.cube and not stores.clashes(known.cube) else _NO_CUBE


def _of_scene(make: Callable[[Address, Scene], str]) -> Maker:
    return lambda at, known: make(at, known.scene) if known.scene else _NO_SCENE


def _of_any(make: Callable[[Address, str], str]) -> Maker:
    return lambda at, known: make(at, known.collection) if known.collection else _NOTHING


def _gdal(at: Address, known: Examples) -> str:
    """An image where there is one, else a cube of latitudes and longitudes, which GDAL reads as Zarr."""
    if known.scene:
        return finding.gdal(at, known.scene)
    return values.gdal(at, known.cube) if known.cube and known.cube.sides else _NO_SCENE


def _qgis(at: Address, known: Examples) -> str:
    return finding.qgis(at, known.collection, known.scene) if known.collection else _NOTHING


_MAKERS: dict[str, Maker] = {
    "polytope-client": _of_times(values.polytope),
    "earthkit-data": _of_times(values.earthkit),
    "eodag": _of_any(finding.eodag),
    "hda": _of_dates(stores.hda),
    "cdsapi": _of_dates(stores.cdsapi),
    "ecmwf-datastores-client": _of_dates(stores.ecmwf_datastores_client),
    "pystac-client": _of_any(finding.pystac_client),
    "OWSLib": _of_cube(values.owslib),
    "xarray": _of_cube(values.xarray),
    "GDAL": _gdal,
    "QGIS": _qgis,
    "odc-stac": _of_scene(finding.odc_stac),
    "curl": _of_cube(values.curl),
    "terrella": _of_cube(values.terrella),
}
