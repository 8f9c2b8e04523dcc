"""Grid mappings: attributes of many dialects to one coordinate reference system."""

from __future__ import annotations

import json
import re
import warnings
from functools import lru_cache
from typing import Any

import pyproj
from pyproj.exceptions import CRSError

from terrella.cubes.cf.attributes import numbers, text

_WKT = ("crs_wkt", "spatial_ref", "esri_pe_string", "wkt")
_PROJ = ("proj4", "proj4text", "proj4_string", "proj4_params", "proj_string", "crs", "epsg", "epsg_code", "EPSG")


def crs_of(attrs: dict[str, Any]) -> pyproj.CRS | None:
    """The system that a grid mapping variable, or a variable with a `crs` attribute, describes; None for none."""
    for key in _WKT:
        if text(attrs.get(key)):
            found = from_text(text(attrs.get(key)))
            if found is not None:
                return found
    if text(attrs.get("grid_mapping_name")):
        found = _from_cf(attrs)
        if found is not None:
            return found
    for key in _PROJ:
        value = attrs.get(key)
        said = text(value) or (str(int(numbers(value)[0])) if numbers(value) else "")
        if said and (found := from_text(said)) is not None:
            return found
    return None


@lru_cache(maxsize=64)
def from_text(value: str) -> pyproj.CRS | None:
    """WKT, PROJ string, 'EPSG:4326', '4326' or the old '+init=epsg:4326'."""
    old = re.fullmatch(r"\+?init=(?P<code>\w+:\w+).*", value.strip(), re.IGNORECASE)
    asked = old["code"] if old else value.strip()
    asked = f"EPSG:{asked}" if asked.isdigit() else asked
    if len(asked) > 20_000:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pyproj.CRS.from_user_input(asked)
    except CRSError:
        return None


_SIZES = {"semi_major_axis", "semi_minor_axis", "inverse_flattening", "earth_radius"}


def _from_cf(attrs: dict[str, Any]) -> pyproj.CRS | None:
    plain = {key: _plain(value) for key, value in attrs.items()}
    if _SIZES & plain.keys():  # spelt out, because looking Greenwich up by its name takes PROJ a second
        plain.setdefault("longitude_of_prime_meridian", 0.0)
        plain.setdefault("prime_meridian_name", "Greenwich")
    return _of_mapping(json.dumps(plain, sort_keys=True, default=str))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


@lru_cache(maxsize=64)
def _of_mapping(text_of_attrs: str) -> pyproj.CRS | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pyproj.CRS.from_cf(json.loads(text_of_attrs))
    except (CRSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def geotransform(attrs: dict[str, Any]) -> tuple[float, ...] | None:
    """GDAL's six numbers (x0, dx, rx, y0, ry, dy) of a grid mapping, upright ones only.

    GDAL writes `GeoTransform`; old xarray wrote an affine `transform` (dx, rx, x0, ry, dy, y0).
    """
    found = numbers(attrs.get("GeoTransform"))
    if len(found) == 6 and found[2] == found[4] == 0 and found[1] and found[5]:
        return tuple(float(one) for one in found)
    found = numbers(attrs.get("transform"))
    if len(found) in {6, 9} and found[1] == found[3] == 0 and found[0] and found[4]:
        return float(found[2]), float(found[0]), 0.0, float(found[5]), 0.0, float(found[4])
    return None


def coordinate_factor(units: str, crs: pyproj.CRS, attrs: dict[str, Any]) -> float:
    """What projection coordinates are multiplied by to be in the units of the system.

    Radians of a geostationary view times the height of the satellite are PROJ's metres.
    """
    name = units.strip().casefold()
    height = numbers(attrs.get("perspective_point_height"))
    if name in {"rad", "radian", "radians"} and height:
        return float(height[0])
    if name in {"microradian", "microradians", "urad"} and height:
        return float(height[0]) * 1e-6
    metres = {"km": 1000.0, "kilometer": 1000.0, "kilometers": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0}
    is_metric = bool(crs.axis_info) and crs.axis_info[0].unit_conversion_factor == 1.0
    return metres.get(name, 1.0) if is_metric else 1.0
