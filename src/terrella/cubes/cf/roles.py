"""What a variable is for, by CF 1.11 chapter 4 first, then by the names that files use in practice."""

from __future__ import annotations

import re

from terrella.cubes.cf.attributes import text
from terrella.cubes.cf.times import duration_unit, is_time_units
from terrella.cubes.cf.tree import Variable

_STANDARD = {
    "latitude": "latitude",
    "longitude": "longitude",
    "grid_latitude": "grid_latitude",
    "grid_longitude": "grid_longitude",
    "projection_x_coordinate": "x",
    "projection_y_coordinate": "y",
    "projection_x_angular_coordinate": "x",
    "projection_y_angular_coordinate": "y",
    "time": "time",
    "forecast_reference_time": "reference_time",
    "forecast_period": "step",
    "realization": "number",
    "sensor_band_identifier": "band",
    "air_pressure": "vertical",
    "height": "vertical",
    "altitude": "vertical",
    "depth": "vertical",
    "model_level_number": "vertical",
    "geopotential_height": "vertical",
    "sea_water_pressure": "vertical",
}
_AXIS_TYPE = {
    "Lat": "latitude",
    "Lon": "longitude",
    "GeoX": "x",
    "GeoY": "y",
    "Time": "time",
    "RunTime": "reference_time",
    "Ensemble": "number",
    "Height": "vertical",
    "Pressure": "vertical",
    "GeoZ": "vertical",
}
_NAMES = {
    "latitude": "lat latitude nav_lat clat xlat lats gridlat_0 lat_0 lat2d xlat_m tlat ulat glat latc elat",
    "longitude": "lon longitude nav_lon clon xlong lons gridlon_0 lon_0 lon2d xlong_m tlon tlong ulon ulong glon lonc",
    "grid_latitude": "rlat grid_latitude",
    "grid_longitude": "rlon grid_longitude",
    "x": "x easting eastings xc projection_x_coordinate",
    "y": "y northing northings yc projection_y_coordinate",
    "number": "number realization ensemble ensemble_member member ens",
    "band": "band bands",
}
_BY_NAME = {name: role for role, names in _NAMES.items() for name in names.split()}
_DEGREES_NORTH = re.compile(r"degrees?_?(n|north)", re.IGNORECASE)
_DEGREES_EAST = re.compile(r"degrees?_?(e|east)", re.IGNORECASE)
_VERTICAL_NAMES = re.compile(
    r"(p?lev(el)?s?|isobaric.*|pressure.*|pres|depth[a-z_]*|height.*|altitude.*|alt|z|sigma|hybrid.*|model_?level.*|"
    r"isobaricinhpa|pfull|phalf|deptht|olevel|s_rho|s_w)\d*",
    re.IGNORECASE,
)
_STEPS = {"step", "lead_time", "leadtime", "lead", "forecast_period", "prediction_timedelta", "forecast_hour"}
_PRESSURE = {"pa", "hpa", "mbar", "mb", "millibar", "millibars", "dbar", "decibar", "bar", "kpa"}


def role(variable: Variable) -> str:
    """'latitude', 'longitude', 'grid_latitude', 'grid_longitude', 'x', 'y', an axis kind, or ''.

    This says what the variable would be if it is a coordinate; a field of heights has role 'vertical' too.
    """
    if variable.dtype is None:
        return ""
    return _by_standard_name(variable) or _by_units(variable) or _by_axis(variable) or _by_name(variable)


def _by_standard_name(variable: Variable) -> str:
    name = text(variable.attrs.get("standard_name")).casefold()
    if name in _STANDARD:
        return _STANDARD[name]
    parametric = name.startswith(("atmosphere_", "ocean_")) and name.endswith("_coordinate")
    return "vertical" if parametric or name.startswith("height_above_") else ""


def _by_units(variable: Variable) -> str:
    units = text(variable.attrs.get("units"))
    if _DEGREES_NORTH.fullmatch(units):
        return "latitude"
    if _DEGREES_EAST.fullmatch(units):
        return "longitude"
    if variable.dtype is not None and variable.dtype.kind in "Mm":
        return "time" if variable.dtype.kind == "M" else "step"
    if is_time_units(units):
        return "time"
    if _last(variable.name).casefold() in _STEPS and duration_unit(units) is not None:
        return "step"
    return ""


def _by_axis(variable: Variable) -> str:
    kind = text(variable.attrs.get("_CoordinateAxisType"))
    if kind in _AXIS_TYPE:
        return _AXIS_TYPE[kind]
    name = _BY_NAME.get(_last(variable.name).casefold(), "")
    axis = text(variable.attrs.get("axis")).upper()
    if axis in {"X", "Y"}:
        return name or axis.lower()
    return "vertical" if axis == "Z" else ""


def _by_name(variable: Variable) -> str:
    name = _last(variable.name).casefold()
    units = text(variable.attrs.get("units")).casefold()
    if name in _BY_NAME:
        return _BY_NAME[name]
    is_vertical = bool(text(variable.attrs.get("positive"))) or units in _PRESSURE or _VERTICAL_NAMES.fullmatch(name)
    return "vertical" if is_vertical and len(variable.shape) <= 1 else ""


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def is_text(variable: Variable) -> bool:
    return variable.dtype is not None and variable.dtype.kind in "SUOT"


def is_number(variable: Variable) -> bool:
    """Whether its stored values can be served: integers, floats of at most 8 bytes, truth values."""
    dtype = variable.dtype
    return dtype is not None and dtype.kind in "biuf" and dtype.itemsize <= 8
