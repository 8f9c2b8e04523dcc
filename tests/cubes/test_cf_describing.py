"""What models and tools write in practice, as trees in memory."""

from __future__ import annotations

from typing import Any

import astropy_healpix
import numpy as np
import pytest
from astropy import units

from terrella.cubes.cf.describing import parts
from terrella.cubes.cf.tree import Layout, Notes, Tree, Variable
from terrella.grids import grid_from_json
from terrella.model.scan import ArrayScan, Axis, Part

NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}
SINCE = {"units": "hours since 2000-01-01"}


def tree(attrs: dict[str, Any] | None = None, **variables: tuple[Any, ...]) -> Tree:
    """From name=(dims, values, attributes)."""
    made = {}
    for name, (dims, values, *rest) in variables.items():
        array = np.asarray(values)
        names = tuple(dims.split())
        made[name] = Variable(name, names, array.shape, array.dtype, rest[0] if rest else {}, lambda array=array: array)
    return Tree(made, attrs or {})


def described(given: Tree) -> tuple[dict[str, tuple[Part, ArrayScan]], tuple[str, ...]]:
    notes = Notes()
    found = parts(given, lambda variable: Layout(variable.shape, {}), notes)
    return {array.name: (part, array) for part in found for array in part.arrays}, notes.lines()


def axes(part: Part) -> dict[str, Axis]:
    return {axis.name: axis for axis in part.axes}


def test_cfgrib_reference_time_step_and_valid_time() -> None:
    found, _ = described(
        tree(
            time=("time", [0, 12], SINCE | {"standard_name": "forecast_reference_time"}),
            step=("step", [0.0, 6.0], {"units": "hours", "standard_name": "forecast_period"}),
            valid_time=("time step", [[0, 6], [12, 18]], SINCE | {"standard_name": "time"}),
            isobaricInhPa=("isobaricInhPa", [500.0, 850.0], {"units": "hPa", "positive": "down"}),
            number=("number", [0, 1, 2], {"standard_name": "realization"}),
            latitude=("latitude", [2.0, 1.0], NORTH),
            longitude=("longitude", [5.0, 6.0], EAST),
            t=("number time step isobaricInhPa latitude longitude", np.zeros((3, 2, 2, 2, 2, 2))),
        )
    )
    part, array = found["t"]
    assert array.dims == ("number", "reference_time", "step", "isobaricInhPa", "lat", "lon")
    assert axes(part)["step"].values.tolist() == [0, 21_600_000]
    assert axes(part)["isobaricInhPa"].kind == "vertical"


def test_wrf() -> None:
    lat, lon = np.meshgrid(np.linspace(40, 44, 3), np.linspace(-5, 5, 4), indexing="ij")
    times = np.array([list(b"2001-01-01_00:00:00"), list(b"2001-01-01_06:00:00")], "u1").view("S1")
    found, notes = described(
        tree(
            Times=("Time DateStrLen", times),
            XLAT=("Time south_north west_east", np.stack([lat + lon / 50] * 2), NORTH),
            XLONG=("Time south_north west_east", np.stack([lon] * 2), EAST),
            T2=("Time south_north west_east", np.zeros((2, 3, 4), "f4"), {"coordinates": "XLONG XLAT XTIME"}),
            XTIME=("Time", [0.0, 360.0], {"units": "minutes since 2001-01-01 00:00:00"}),
        )
    )
    part, array = found["T2"]
    assert part.grid["kind"] == "curvilinear"
    assert array.dims == ("time", "y", "x")
    assert axes(part)["time"].values.astype("M8[ms]").astype(str).tolist()[1] == "2001-01-01T06:00:00.000"
    assert notes == ("Times: left out, it holds text.",)


def test_roms_with_three_staggered_grids() -> None:
    def two(ny: int, nx: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
        lat, lon = np.meshgrid(np.arange(ny) + shift, np.arange(nx) - shift, indexing="ij")
        return lat + lon * 0.1, lon - lat * 0.1

    variables: dict[str, tuple[Any, ...]] = {"ocean_time": ("ocean_time", [0.0], {"units": "seconds since 1968-05-23"})}
    variables["s_rho"] = (
        "s_rho",
        [-0.5],
        {"standard_name": "ocean_s_coordinate_g2", "formula_terms": "s: s_rho C: Cs"},
    )
    variables["Cs"] = ("s_rho", [-0.4])
    for name, ny, nx, shift in (("rho", 4, 5, 0.0), ("u", 4, 4, 0.5), ("v", 3, 5, 0.25)):
        lat, lon = two(ny, nx, shift)
        variables[f"lat_{name}"] = (f"eta_{name} xi_{name}", lat, NORTH)
        variables[f"lon_{name}"] = (f"eta_{name} xi_{name}", lon, EAST)
        field = np.zeros((1, 1, ny, nx), "f4")
        listed = {"coordinates": f"lon_{name} lat_{name} s_rho ocean_time"}
        variables[f"f_{name}"] = (f"ocean_time s_rho eta_{name} xi_{name}", field, listed)
    found, notes = described(tree(**variables))
    assert set(found) == {"f_rho", "f_u", "f_v"}
    assert not notes
    assert len({part.label for part, _ in found.values()}) == 3
    assert found["f_u"][1].dims == ("time", "s_rho", "y", "x")


def test_rotated_without_a_mapping_falls_back_on_positions() -> None:
    lat, lon = np.meshgrid(np.linspace(40, 44, 3), np.linspace(-5, 5, 4), indexing="ij")
    found, _ = described(
        tree(
            rlat=("rlat", [0.0, 1, 2], {"standard_name": "grid_latitude", "units": "degrees"}),
            rlon=("rlon", [0.0, 1, 2, 3], {"standard_name": "grid_longitude", "units": "degrees"}),
            lat=("rlat rlon", lat + lon, NORTH),
            lon=("rlat rlon", lon, EAST),
            t=("rlat rlon", np.zeros((3, 4)), {"coordinates": "lat lon"}),
        )
    )
    assert found["t"][0].grid["kind"] == "curvilinear"


@pytest.mark.parametrize("order", ["ring", "nested"])
@pytest.mark.parametrize("kind", ["f8", "f4"])
def test_healpix_by_where_its_centres_are(order: str, kind: str) -> None:
    pixels = astropy_healpix.HEALPix(nside=8, order=order)
    lon, lat = pixels.healpix_to_lonlat(np.arange(768))
    degrees = [one.to_value(units.deg).astype(kind) for one in (lat, lon)]
    found, _ = described(
        tree(
            lat=("cell", degrees[0], NORTH),
            lon=("cell", (degrees[1] + 180) % 360 - 180, EAST),
            t=("cell", np.zeros(768, "f4")),
        )
    )
    grid = found["t"][0].grid
    assert (grid["kind"], grid["nside"], grid["order"]) == ("healpix", 8, order)


def test_points_with_corners_and_cells_without_a_place() -> None:
    lat = np.array([0.1, 0.2, 9.9e36])
    corner = np.array([[0.0, 0.1, 0.2]] * 3)
    found, _ = described(
        tree(
            clat=("cells", lat, {"standard_name": "latitude", "units": "radian", "bounds": "clat_v"}),
            clon=("cells", lat, {"standard_name": "longitude", "units": "radian", "bounds": "clon_v"}),
            clat_v=("cells nv", corner),
            clon_v=("cells nv", corner),
            t=("cells", np.zeros(3), {"coordinates": "clat clon"}),
        )
    )
    lon, lat = grid_from_json(found["t"][0].grid).centres()
    np.testing.assert_allclose(lat[:2], np.degrees([0.1, 0.2]))
    assert np.isnan(lat[2])
    assert np.isnan(lon[2])


def test_ragged_arrays_are_named() -> None:
    found, notes = described(
        tree(
            lat=("station", [1.0, 2.0], NORTH),
            lon=("station", [1.0, 2.0], EAST),
            which=("obs", [0, 0, 1], {"instance_dimension": "station"}),
            time=("obs", [0, 1, 2], SINCE | {"standard_name": "time"}),
            t=("obs", [1.0, 2.0, 3.0], {"coordinates": "time lat lon"}),
            height=("station", [5.0, 6.0]),
        )
    )
    assert set(found) == {"height"}
    assert any(note.startswith("t:") or "t" in note.split(":")[0] for note in notes)


def test_two_clocks_in_one_file_become_two_parts() -> None:
    found, _ = described(
        tree(
            lat=("lat", [1.0, 2.0], NORTH),
            lon=("lon", [1.0, 2.0], EAST),
            time=("time", [0, 1], SINCE),
            day=("day", [0, 24, 48], SINCE | {"standard_name": "time"}),
            hourly=("time lat lon", np.zeros((2, 2, 2))),
            daily=("day lat lon", np.zeros((3, 2, 2))),
            fixed=("lat lon", np.zeros((2, 2))),
        )
    )
    assert found["hourly"][0] is not found["daily"][0]
    assert axes(found["daily"][0])["time"].values.size == 3
    assert found["hourly"][0].label == "time-lat-lon"


def test_a_broken_clock_leaves_its_variables_out_and_says_so() -> None:
    found, notes = described(
        tree(
            lat=("lat", [1.0, 2.0], NORTH),
            lon=("lon", [1.0, 2.0], EAST),
            time=("time", [0.0, np.nan], SINCE),
            t=("time lat lon", np.zeros((2, 2, 2))),
            fixed=("lat lon", np.zeros((2, 2))),
        )
    )
    assert set(found) == {"fixed"}
    assert notes == ("t: left out, because of its time 'time': some of its times are missing.",)


def test_analysis_is_told_by_its_time_alone() -> None:
    found, _ = described(
        tree(
            lat=("lat", [1.0, 2.0], NORTH),
            lon=("lon", [1.0, 2.0], EAST),
            time=("", 6, SINCE | {"standard_name": "time"}),
            forecast_reference_time=("", 6, SINCE | {"standard_name": "forecast_reference_time"}),
            forecast_period=("", 0, {"units": "hours", "standard_name": "forecast_period"}),
            t=("lat lon", np.zeros((2, 2)), {"coordinates": "time forecast_reference_time forecast_period"}),
        )
    )
    part, array = found["t"]
    assert array.dims == ("time", "lat", "lon")
    assert [axis.name for axis in part.axes] == ["time"]


def test_scalar_time_belongs_to_those_who_list_it() -> None:
    found, _ = described(
        tree(
            lat=("lat", [1.0, 2.0], NORTH),
            lon=("lon", [1.0, 2.0], EAST),
            time=("", 6, SINCE),
            t=("lat lon", np.zeros((2, 2)), {"coordinates": "time"}),
            mask=("lat lon", np.zeros((2, 2))),
        )
    )
    assert found["t"][1].dims == ("time", "lat", "lon")
    assert found["mask"][1].dims == ("lat", "lon")


def test_geographic_crs_on_x_and_y() -> None:
    found, _ = described(
        tree(
            x=("x", [10.0, 11.0, 12.0]),
            y=("y", [50.0, 49.0]),
            spatial_ref=(
                "",
                0,
                {
                    "crs_wkt": 'GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",ELLIPSOID["WGS 84",6378137,298.257223563]],CS[ellipsoidal,2],AXIS["latitude",north],AXIS["longitude",east],UNIT["degree",0.0174532925199433]]'
                },
            ),
            band=("band", [1, 2]),
            a=("band y x", np.zeros((2, 2, 3)), {"grid_mapping": "spatial_ref"}),
        )
    )
    part, array = found["a"]
    assert part.grid["kind"] == "regular"
    assert part.grid["dlat"] == -1.0
    assert axes(part)["band"].kind == "band"
    assert array.dims == ("band", "lat", "lon")


def test_columns_and_rows_alone() -> None:
    found, _ = described(
        tree(
            lat=("lat", [1.0, 2.0, 3.0], NORTH),
            lon=("", 7.0, EAST),
            time=("time", [0, 1], SINCE),
            zonal=("time lat", np.zeros((2, 3)), {"coordinates": "lon"}),
        )
    )
    part, array = found["zonal"]
    assert (array.dims, array.shape, array.codec) == (("time", "lat", "lon"), (2, 3, 1), {"insert": [2]})
    assert grid_from_json(part.grid).shape == (3, 1)
