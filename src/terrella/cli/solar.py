"""The two global fields of pvlib, given the coordinates that their files lack.

Both are 2160 x 4320 cells of 1/12 degree, first row in the north, first column at 180 W, as
pvlib.clearsky.lookup_linke_turbidity and pvlib.location.lookup_altitude read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

_ROWS, _COLUMNS = 2160, 4320


def turbidity(source: Path, folder: Path) -> Path:
    """Monthly Linke turbidity as NetCDF: month x lat x lon; stored numbers are twentieths."""
    import h5py
    import numpy as np

    with h5py.File(source) as file:
        values = np.moveaxis(file["LinkeTurbidity"][...], -1, 0)
    attrs = {
        "units": "1",
        "long_name": "Linke turbidity",
        "scale_factor": np.float64(0.05),
        "add_offset": np.float64(0),
    }
    return _written(folder / "linke_turbidity.nc", "linke_turbidity", values, attrs)


def altitude(source: Path, folder: Path) -> Path:
    """Altitude in metres as NetCDF: lat x lon; stored numbers are 28 m, from -450 m; 255 is missing."""
    import h5py
    import numpy as np

    with h5py.File(source) as file:
        values = file["Altitude"][...]
    attrs = {
        "units": "m",
        "standard_name": "surface_altitude",
        "long_name": "altitude",
        "scale_factor": np.float64(28),
        "add_offset": np.float64(-450),
        "missing_value": np.uint8(255),
    }
    return _written(folder / "altitude.nc", "altitude", values, attrs)


def _written(target: Path, name: str, values: np.ndarray, attrs: dict[str, Any]) -> Path:
    import netCDF4
    import numpy as np

    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    with netCDF4.Dataset(draft, "w") as file:
        step = 180 / _ROWS
        _coordinate(file, "lat", 90 - step / 2 - step * np.arange(_ROWS), "degrees_north", "latitude")
        _coordinate(file, "lon", -180 + step / 2 + step * np.arange(_COLUMNS), "degrees_east", "longitude")
        dims: tuple[str, ...] = ("lat", "lon")
        if values.ndim == 3:
            _coordinate(file, "month", np.arange(1, 13), "", "")
            dims = ("month", *dims)
        chunks = (*(1,) * (values.ndim - 2), 360, 360)
        variable = file.createVariable(
            name, values.dtype, dims, zlib=True, complevel=4, chunksizes=chunks, fill_value=False
        )
        variable.set_auto_maskandscale(False)
        variable[...] = values
        variable.setncatts(attrs)
        file.setncatts({"title": attrs["long_name"], "Conventions": "CF-1.11"})
    draft.replace(target)
    return target


def _coordinate(file: Any, name: str, values: np.ndarray, units: str, standard_name: str) -> None:
    file.createDimension(name, values.size)
    variable = file.createVariable(name, values.dtype, (name,))
    variable[:] = values
    if units:
        variable.setncatts({"units": units, "standard_name": standard_name})
