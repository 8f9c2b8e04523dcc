"""Vector files of three kinds: GeoJSON, GeoParquet, and shapefiles in a zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely
import shapely.geometry
from shapely.errors import ShapelyError

from terrella.cubes.columns.tables import Parquet
from terrella.cubes.documents.json_documents import kind_of, read_json, suffix
from terrella.cubes.images.archives import archive_at
from terrella.cubes.vectors.features import Features, Rows, features
from terrella.cubes.vectors.shapefiles import shapefile
from terrella.errors import TerrellaError, Unreadable
from terrella.storage.files import is_remote, read_range, state

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPES = {
    "geojson": "application/geo+json",
    "geoparquet": "application/vnd.apache.parquet",
    "shapefile": "application/vnd.shp+zip",
}
_MOST_BYTES = 512 << 20
_AREAS = {"Polygon", "MultiPolygon", "Polygon Z", "MultiPolygon Z"}


def kind(href: str) -> str:
    """'geojson', 'geoparquet' or 'shapefile' where the file may hold polygons; '' for all else. Reads little of it."""
    head = read_range(href, 0, min(1024, state(href).size))
    if head.startswith(b"PAR1"):
        return "geoparquet" if _columns(Parquet(href).geo()) else ""
    if head.startswith(b"PK\x03\x04"):
        return "shapefile" if has_shapes(href) else ""
    return "geojson" if kind_of(href, head) == "features" else ""


def has_shapes(href: str) -> bool:
    """Whether a file is a zip with a shapefile in it."""
    if suffix(href) != ".zip" or is_remote(href):
        return False
    try:
        return any(name.casefold().endswith(".shp") for name in archive_at(href).members)
    except TerrellaError:
        return False


def read_features(href: str) -> Features:
    """Raises Unreadable where the file holds no polygons, NotFound where it is gone."""
    found = kind(href)
    if found == "geojson":
        return features(_geojson(href))
    if found == "geoparquet":
        return features(_geoparquet(href))
    if found == "shapefile":
        return features(shapefile(archive_at(href)))
    raise Unreadable("It holds no polygons: GeoJSON, GeoParquet and shapefiles in a zip are read.")


def has_polygons(document: Any) -> bool:
    """Whether a GeoJSON document has a feature with an area."""
    found = document.get("features") if isinstance(document, dict) else None
    return isinstance(found, list) and any(_kind_of_geometry(one) in _AREAS for one in found)


def _kind_of_geometry(feature: Any) -> str:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    return str(geometry.get("type")) if isinstance(geometry, dict) else ""


def _geojson(href: str) -> Rows:
    document = read_json(href, most=_MOST_BYTES)
    if not has_polygons(document):
        raise Unreadable("It is GeoJSON, but has no polygons.")
    found = [one for one in document["features"] if isinstance(one, dict)]
    ids = [str(one["id"]) for one in found if one.get("id") is not None]
    return Rows(
        [one["properties"] if isinstance(one.get("properties"), dict) else {} for one in found],
        np.array([_shape(one.get("geometry")) for one in found], dtype=object),
        ids if len(ids) == len(found) else (),
        _named_crs(document.get("crs")),
    )


def _named_crs(crs: Any) -> str | None:
    """GeoJSON before RFC 7946 could name a system; longitude and latitude are what it is without."""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name") or "") if isinstance(properties, dict) else ""
    return None if not name or name.endswith(("CRS84", "EPSG::4326", "EPSG:4326")) else name


def _shape(geometry: Any) -> Any:
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        return None
    try:
        return shapely.geometry.shape(geometry)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ShapelyError) as error:
        raise Unreadable(f"A polygon in it is broken: {str(error)[:160]}.") from None


def _columns(geo: bytes | None) -> Mapping[str, Any]:
    """The description of the main column (GeoParquet 1.1), where it may hold polygons; {} where not."""
    try:
        said = orjson.loads(geo or b"{}")
        column = dict(said["columns"][said["primary_column"]]) | {"name": said["primary_column"]}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return {}
    kinds = set(column.get("geometry_types") or _AREAS)
    return column if kinds & _AREAS else {}


def _geoparquet(href: str) -> Rows:
    table = Parquet(href)
    column = _columns(table.geo())
    if column.get("encoding", "WKB") != "WKB":
        raise Unreadable(f"Its geometry is encoded as {str(column['encoding'])[:40]}; GeoParquet is read as WKB.")
    name = str(column["name"])
    plain = [one.name for one in table.columns() if one.name != name and not one.is_number]
    numbers = [one.name for one in table.columns() if one.is_number]
    found = table.read([name, *plain, *numbers])
    outlines = shapely.from_wkb(found.column(name).to_pylist(), on_invalid="ignore")
    properties = found.drop_columns([name]).to_pylist()
    crs = column.get("crs")
    return Rows(properties, np.asarray(outlines, dtype=object), (), None if crs is None else orjson.dumps(crs).decode())
