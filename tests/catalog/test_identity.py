"""CF variables bear the names of GRIB fields where it is clear which parameter they are, and none where it is not."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import orjson
import pytest

from terrella.catalog.dimensions import cube_variables
from terrella.cubes.formats.hdf5 import Hdf5
from terrella.model.caller import OPERATOR
from terrella.site import Site


def written(path: Path, name: str, attrs: dict, level: tuple[str, list[float], dict] | None = None) -> Path:
    """A NetCDF file of one variable; `level` is a scalar coordinate where it has one value, else a dimension."""
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in (("lat", 3), ("lon", 4)):
            file.createDimension(dim, size)
            file.createVariable(dim, "f8", (dim,))[:] = np.arange(size) * 10.0
            file[dim].units = "degrees_north" if dim == "lat" else "degrees_east"
        dims: tuple[str, ...] = ("lat", "lon")
        if level is not None:
            label, values, about = level
            if len(values) > 1:
                file.createDimension(label, len(values))
                dims = (label, *dims)
            file.createVariable(label, "f8", (label,) if len(values) > 1 else ())[:] = values
            file[label].setncatts(about)
        variable = file.createVariable(name, "f4", dims)
        variable.setncatts(attrs)
        if level is not None and len(level[1]) == 1:
            variable.coordinates = level[0]
        variable[:] = 280.0
    return path


def names_of(path: Path, name: str) -> tuple[str | None, str | None]:
    """Short name and number in `cube:variables`."""
    (scan,) = Hdf5().scan(str(path))
    (part,) = scan.parts
    made = cube_variables(part.arrays, part.axes)[name]
    return made.get("grib:shortName"), made.get("mars:param")


HEIGHT = {"standard_name": "height", "units": "m", "positive": "up"}
AIR = {"standard_name": "air_temperature", "units": "K"}
WIND = {"standard_name": "eastward_wind", "units": "m s-1"}


@pytest.mark.parametrize(
    ("name", "attrs", "level", "short", "number"),
    [
        ("x", AIR, ("height", [2.0], HEIGHT), "2t", "167"),
        ("x", {**AIR, "cell_methods": "time: maximum"}, ("height", [2.0], HEIGHT), "mx2t", "201"),
        ("x", {**AIR, "cell_methods": "area: mean time: mean"}, ("height", [2.0], HEIGHT), "2t", "167"),
        ("x", {**AIR, "units": "degC"}, ("height", [2.0], HEIGHT), "2t", "167"),
        ("x", WIND, ("height", [10.0], HEIGHT), "10u", "165"),
        ("x", WIND, ("plev", [85000.0, 50000.0], {"standard_name": "air_pressure", "units": "Pa"}), "u", "131"),
        ("x", AIR, ("plev", [50000.0], {"standard_name": "air_pressure", "units": "Pa"}), "t", "130"),
        ("tas", AIR, ("plev", [85000.0, 50000.0], {"standard_name": "air_pressure", "units": "Pa"}), "t", "130"),
        ("t2m", {"units": "K"}, None, "2t", "167"),
        ("tas", AIR, None, "2t", "167"),
        ("anything", {"long_name": "2 metre temperature", "units": "K"}, None, "2t", "167"),
        ("x", {"standard_name": "surface_air_pressure", "units": "hPa"}, None, "sp", "134"),
        ("2t", {"code": 167}, None, "2t", "167"),
    ],
)
def test_what_is_clear(tmp_path: Path, name: str, attrs: dict, level: tuple, short: str, number: str) -> None:
    assert names_of(written(tmp_path / "a.nc", name, attrs, level), name) == (short, number)


@pytest.mark.parametrize(
    ("name", "attrs", "level"),
    [
        ("x", AIR, None),  # at 2 m or on levels: the file does not say
        ("x", WIND, None),
        ("air_temperature", AIR, None),
        ("x", AIR, ("height", [1.5], HEIGHT)),
        ("tas", AIR, ("height", [1.5], HEIGHT)),
        ("t2m", {"units": "m"}, None),
        ("t2m", {}, None),
        ("t", {"units": "K"}, None),
        ("z", {"units": "m"}, None),
        ("tas", {**AIR, "cell_methods": "time: standard_deviation"}, ("height", [2.0], HEIGHT)),
        ("tas", {"units": "K", "long_name": "temperature anomaly"}, None),
        ("tas", {**AIR, "cell_methods": "time: maximum"}, None),
        ("t2m", {"standard_name": "sea_surface_temperature", "units": "m"}, None),
        ("code", {"code": 167, "units": "K"}, None),
    ],
)
def test_what_is_not_clear_bears_no_name(tmp_path: Path, name: str, attrs: dict, level: tuple) -> None:
    assert names_of(written(tmp_path / "a.nc", name, attrs, level), name) == (None, None)


def test_documents_of_a_site_say_it(tmp_path: Path) -> None:
    written(tmp_path / "warm.nc", "x", AIR, ("height", [2.0], HEIGHT))
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        site.add(tmp_path / "warm.nc")
        collection = orjson.loads(site.catalog.collection(OPERATOR, "warm"))
        item = orjson.loads(site.catalog.item(OPERATOR, "warm", "warm"))
    for variables in (collection["cube:variables"], item["properties"]["cube:variables"]):
        assert variables["x"]["grib:shortName"] == "2t"
        assert variables["x"]["mars:param"] == "167"
