"""NetCDF files of all kinds, written by the NetCDF library and h5py, read through chunks."""

from __future__ import annotations

from pathlib import Path

import cftime
import h5py
import netCDF4
import numpy as np
import pytest

from terrella.cubes.formats.hdf5 import Hdf5
from terrella.cubes.formats.netcdf3 import NetCdf3
from terrella.errors import TerrellaError, Unreadable
from terrella.grids import grid_from_json

CLASSIC = ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA")
KINDS = (*CLASSIC, "NETCDF4", "NETCDF4_CLASSIC")


def coordinates(dataset: netCDF4.Dataset | netCDF4.Group, ny: int = 4, nx: int = 6, nt: int | None = 5) -> None:
    dataset.createDimension("lat", ny)
    dataset.createDimension("lon", nx)
    lat = dataset.createVariable("lat", "f8", ("lat",))
    lat.units = "degrees_north"
    lat[:] = np.linspace(50, 50 + ny - 1, ny)
    lon = dataset.createVariable("lon", "f8", ("lon",))
    lon.units = "degrees_east"
    lon[:] = np.linspace(10, 10 + nx - 1, nx)
    if nt is not None:
        dataset.createDimension("time", None)
        time = dataset.createVariable("time", "i4", ("time",))
        time.units = "hours since 2020-01-01"
        time[:] = np.arange(nt) * 6


@pytest.mark.parametrize("kind", KINDS)
def test_records_fixed_and_packed(tmp_path: Path, scan, values, arrays, kind: str) -> None:
    path = tmp_path / "a.nc"
    rng = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w", format=kind) as dataset:
        coordinates(dataset)
        for name, dtype, dims in [
            ("t", "f4", ("time", "lat", "lon")),
            ("packed", "i2", ("time", "lat", "lon")),
            ("tiny", "i1", ("time", "lat", "lon")),
            ("oro", "f8", ("lat", "lon")),
        ]:
            variable = dataset.createVariable(name, dtype, dims, fill_value=-99 if dtype[0] == "i" else None)
            variable.units = "K"
            if name == "packed":
                variable.scale_factor, variable.add_offset = 0.01, 273.15
            shape = tuple(5 if dim == "time" else len(dataset.dimensions[dim]) for dim in dims)
            data = np.ma.masked_less(rng.uniform(-2, 100, shape), 0)
            variable[:] = data + 273.15 if name == "packed" else data
    named = arrays(scan(path))
    assert named["t"][1].dims == ("time", "lat", "lon")
    assert named["oro"][1].dims == ("lat", "lon")
    with netCDF4.Dataset(path) as dataset:
        for name, (_, array) in named.items():
            expected = np.ma.filled(dataset[name][:].astype(float), np.nan)
            np.testing.assert_allclose(values(path, array), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", CLASSIC)
def test_one_record_variable_has_no_padding(tmp_path: Path, scan, values, arrays, kind: str) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=kind) as dataset:
        coordinates(dataset, nt=None)
        dataset.createDimension("run", None)
        dataset.createVariable("flag", "i1", ("run", "lat", "lon"))[:] = np.arange(7 * 24).reshape(7, 4, 6) % 50
    (_, array) = arrays(scan(path))["flag"]
    np.testing.assert_array_equal(values(path, array), np.arange(7 * 24).reshape(7, 4, 6) % 50)


def test_many_small_records_are_read_together(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        coordinates(dataset, 2, 3, nt=20_000)
        dataset["time"][:] = np.arange(20_000)
        dataset.createVariable("a", "i2", ("time", "lat", "lon"))[:] = np.arange(120_000).reshape(-1, 2, 3) % 30_000
    (part, array) = arrays(scan(path))["a"]
    assert len(array.table.offsets) < 10
    assert part.axes[0].values.size == 20_000
    np.testing.assert_array_equal(values(path, array), np.arange(120_000).reshape(-1, 2, 3) % 30_000)


def test_large_fixed_arrays_are_cut(tmp_path: Path, scan, values, arrays) -> None:
    data = np.arange(3 * 400 * 900, dtype="f4").reshape(3, 400, 900)
    for kind in ("NETCDF3_CLASSIC", "NETCDF4"):
        path = tmp_path / f"{kind}.nc"
        with netCDF4.Dataset(path, "w", format=kind) as dataset:
            coordinates(dataset, 400, 900, nt=None)
            dataset["lat"][:] = np.linspace(-80, 80, 400)
            dataset["lon"][:] = np.linspace(0, 359, 900)
            dataset.createDimension("level", 3)
            dataset.createVariable("a", "f4", ("level", "lat", "lon"), contiguous=True)[:] = data
        (_, array) = arrays(scan(path))["a"]
        assert len(array.table.offsets) > 3
        assert array.table.lengths.max() <= 1 << 20
        np.testing.assert_array_equal(values(path, array), data)


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "julian", "all_leap", "standard", "proleptic_gregorian"])
def test_calendars(tmp_path: Path, scan, arrays, calendar: str) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, nt=3)
        dataset["time"].calendar = calendar
        dataset["time"].units = "days since 1850-03-01 12:00"
        dataset["time"][:] = [0, 59_000, 90_001]
        dataset.createVariable("t", "f4", ("time", "lat", "lon"))[:] = 1
    axis = arrays(scan(path))["t"][0].axes[0]
    expected = cftime.num2date([0, 59_000, 90_001], "days since 1850-03-01 12:00", calendar)
    got = cftime.num2date(axis.values, "milliseconds since 1970-01-01", axis.calendar)
    assert [one.isoformat() for one in got] == [one.isoformat() for one in expected]


def test_filters_and_byte_order(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    data = np.random.default_rng(2).integers(0, 1000, (3, 70, 90))
    options = {
        "deflated": {"compression": "zlib", "shuffle": True, "fletcher32": True},
        "plain": {"chunksizes": (1, 32, 32)},
        "big": {"endian": "big", "compression": "zlib", "shuffle": True},
        "big_whole": {"endian": "big", "contiguous": True},
        "zstd": {"compression": "zstd"},
    }
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, 70, 90, nt=None)
        dataset["lat"][:] = np.linspace(-60, 60, 70)
        dataset.createDimension("n", 3)
        for name, how in options.items():
            kind = ">i4" if name.startswith("big") else "i4"
            dataset.createVariable(name, kind, ("n", "lat", "lon"), **how)[:] = data
    found = scan(path)
    named = arrays(found)
    assert set(named) == set(options), found.notes
    for name, (_, array) in named.items():
        np.testing.assert_array_equal(values(path, array), data, err_msg=name)
    assert named["big"][1].dtype == ">i4"


def test_filters_that_only_hdf5_knows(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.h5"
    data = np.arange(40 * 50).reshape(40, 50)
    with h5py.File(path, "w") as file:
        file["lat"] = np.linspace(-70, 70, 40)
        file["lon"] = np.linspace(0, 98, 50)
        file.create_dataset("lzf", data=data, compression="lzf", chunks=(16, 16))
        file.create_dataset("scaled", data=data, scaleoffset=0, chunks=(16, 16))
        small = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        small.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((40, 50))
        compact = h5py.h5d.create(file.id, b"compact", h5py.h5t.NATIVE_INT32, space, small)
        compact.write(h5py.h5s.ALL, h5py.h5s.ALL, data.astype("i4"))
    named = arrays(scan(path))
    assert set(named) == {"lzf", "scaled", "compact"}
    for _, array in named.values():
        assert array.dims == ("lat", "lon")
        np.testing.assert_array_equal(values(path, array), data)


def test_incompressible_chunks_skip_their_filter(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["lat"] = np.linspace(-70, 70, 32)
        file["lon"] = np.linspace(0, 98, 48)
        made = file.create_dataset("a", (32, 48), "i4", chunks=(16, 16), compression="gzip", shuffle=True)
        made[...] = np.arange(32 * 48).reshape(32, 48)
        plain = np.full((16, 16), 7, "i4")
        made.id.write_direct_chunk((16, 32), plain.tobytes(), filter_mask=3)
    (_, array) = arrays(scan(path))["a"]
    assert array.codec["masks"] == {"5": 3}
    with h5py.File(path) as file:
        np.testing.assert_array_equal(values(path, array), file["a"][...])


def test_space_before_time_is_turned(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    data = np.arange(6 * 4 * 5, dtype="f4").reshape(6, 4, 5)
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset)
        dataset["lat"][:] = [53, 52, 51, 50]
        dataset.createVariable("a", "f4", ("lon", "lat", "time"), compression="zlib", chunksizes=(4, 3, 2))[:] = data
        dataset.createVariable("b", "f4", ("lon", "lat"))[:] = data[..., 0]
    named = arrays(scan(path))
    part, array = named["a"]
    assert array.dims == ("time", "lat", "lon")
    assert array.shape == (5, 4, 6)
    assert array.chunks == (2, 3, 4)
    assert part.grid["lat0"] == 53.0
    np.testing.assert_array_equal(values(path, array), data.transpose(2, 1, 0))
    np.testing.assert_array_equal(values(path, named["b"][1]), data[..., 0].T)


def test_missing_unsigned_and_valid(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    raw = np.array([[0, 1, 100, -1, -2, 50]] * 4, dtype="i1")
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        coordinates(dataset, nt=None)
        dataset.set_auto_maskandscale(False)
        for name in ("unsigned", "ranged", "several", "unpacked"):
            dataset.createVariable(name, "i1", ("lat", "lon"))[:] = raw
        dataset["unsigned"].setncatts({"_Unsigned": "true", "missing_value": np.int8(-1), "scale_factor": 2.0})
        dataset["ranged"].setncatts({"valid_range": np.array([0, 60], "i1")})
        dataset["several"].setncatts({"missing_value": np.array([-1, 100], "i1")})
        dataset["unpacked"].setncatts({"valid_max": 5.0, "scale_factor": 0.1})
    named = arrays(scan(path))
    got = {name: values(path, array)[0] for name, (_, array) in named.items()}
    nan = np.nan
    np.testing.assert_allclose(got["unsigned"], [0, 2, 200, nan, 508, 100])
    np.testing.assert_allclose(got["ranged"], [0, 1, nan, nan, nan, 50])
    np.testing.assert_allclose(got["several"], [0, 1, nan, nan, -2, 50])
    np.testing.assert_allclose(got["unpacked"], [0, 0.1, nan, -0.1, -0.2, 5.0])


def test_never_written_is_missing(tmp_path: Path, scan, values, arrays) -> None:
    for kind in ("NETCDF3_CLASSIC", "NETCDF4"):
        path = tmp_path / f"{kind}.nc"
        with netCDF4.Dataset(path, "w", format=kind) as dataset:
            coordinates(dataset)
            a = dataset.createVariable("a", "f4", ("time", "lat", "lon"))
            a[0] = 1.0
            a[4] = 2.0
        (_, array) = arrays(scan(path))["a"]
        got = values(path, array)
        assert (got[0] == 1).all()
        assert np.isnan(got[1:4]).all()
        assert (got[4] == 2).all()


def test_unlimited_dimension_longer_than_a_variable(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, nt=5)
        dataset.createVariable("short", "i4", ("time", "lat", "lon"))[:2] = 3
    (_, array) = arrays(scan(path))["short"]
    assert array.shape == (5, 4, 6)
    got = values(path, array)
    assert (got[:2] == 3).all()
    assert np.isnan(got[2:]).all()
    assert array.packing.missing  # so that the cube knows it needs floats


def test_groups_see_the_coordinates_around_them(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset)
        inner = dataset.createGroup("model").createGroup("run1")
        inner.createVariable("t", "f4", ("time", "lat", "lon"))[:] = np.ones((5, 4, 6))
        other = dataset.createGroup("fine")
        coordinates(other, 8, 12)
        other.createVariable("t", "f4", ("time", "lat", "lon"))[:] = 2
    found = scan(path)
    named = arrays(found)
    assert set(named) == {"model/run1/t", "fine/t"}
    assert named["model/run1/t"][1].shape == (5, 4, 6)
    assert named["fine/t"][1].shape == (5, 8, 12)
    assert {part.label for part in found.parts} == {"model/run1", "fine"}
    assert (values(path, named["fine/t"][1]) == 2).all()


def test_staggered_grids_become_two_parts(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        for name, size in (("lat", 4), ("lon", 6), ("lat_v", 5), ("lon_u", 7)):
            dataset.createDimension(name, size)
            made = dataset.createVariable(name, "f8", (name,))
            made.units = "degrees_north" if name.startswith("lat") else "degrees_east"
            made[:] = np.arange(size) - (0.5 if "_" in name else 0.0)
        dataset.createVariable("u", "f4", ("lat", "lon_u"))[:] = 1
        dataset.createVariable("v", "f4", ("lat_v", "lon"))[:] = 1
    found = scan(path)
    assert [part.label for part in found.parts] == ["lat-lon_u", "lat_v-lon"]
    assert arrays(found)["u"][1].shape == (4, 7)


def test_what_is_left_out_is_said(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset)
        dataset.createDimension("bnds", 2)
        dataset["time"].bounds = "time_bnds"
        dataset.createVariable("time_bnds", "f8", ("time", "bnds"))[:] = 0
        dataset.createVariable("t", "f4", ("time", "lat", "lon"))[:] = 1
        dataset.createVariable("spread", "f4", ("time",))[:] = 1
        dataset.createVariable("words", str, ("lat",))
        dataset.createVariable("crs", "i4", ()).grid_mapping_name = "latitude_longitude"
    found = scan(path)
    assert set(arrays(found)) == {"t"}
    assert found.notes == ("spread: left out, it has no position.", "words: left out, it holds text.")


def test_no_records_yet(tmp_path: Path, scan) -> None:
    for kind in ("NETCDF3_CLASSIC", "NETCDF4"):
        path = tmp_path / f"{kind}.nc"
        with netCDF4.Dataset(path, "w", format=kind) as dataset:
            coordinates(dataset, nt=0)
            dataset.createVariable("t", "f4", ("time", "lat", "lon"))
        found = scan(path)
        assert found.parts == ()
        assert found.notes == ("t: left out, it has no values yet.",)


def test_arrays_without_coordinates_have_no_position(tmp_path: Path, scan) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["Altitude"] = np.zeros((18, 36), "u1")
    found = scan(path)
    assert found.parts == ()
    assert found.notes == ("Altitude: left out, it has no position.",)
    assert found.media_type == "application/x-hdf5"


def test_values_in_other_files_are_not_followed(tmp_path: Path, scan) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"s" * 80)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["lat"], file["lon"] = np.linspace(-70, 70, 4), np.linspace(0, 98, 5)
        file.create_dataset("outside", (4, 5), "f4", external=[(str(secret), 0, 80)])
        layout = h5py.VirtualLayout((4, 5), "f4")
        layout[...] = h5py.VirtualSource("other.h5", "x", (4, 5))
        file.create_virtual_dataset("virtual", layout)
    found = scan(path)
    assert found.parts == ()
    assert found.notes == ("outside, virtual: left out, its values lie in other files, which are not followed.",)


def test_odd_attributes_do_no_harm(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["lat"], file["lon"] = np.linspace(-70, 70, 4), np.linspace(0, 98, 5)
        made = file.create_dataset("t", data=np.zeros((4, 5), "f4"))
        made.attrs.create("long_name", b"K\xe4lte", dtype=h5py.string_dtype("utf-8", 6))
        made.attrs["units"] = np.bytes_(b"\xb0C")
        made.attrs["empty"] = h5py.Empty("f4")
        made.attrs["valid_min"] = "not a number"
        made.attrs["scale_factor"] = np.array([2.0])
        made.attrs["missing_value"] = [np.nan, 5.0]
        made.attrs["ref"] = file.ref
        made.attrs["flag_values"] = np.array([1, 2], "i1")
        file.attrs["title"] = "x" * 100_000
        file["loop"] = h5py.SoftLink("/loop")
        file["away"] = h5py.ExternalLink("nowhere.h5", "/x")
        group = file.create_group("g")
        group["back"] = file
    found = scan(path)
    array = arrays(found)["t"][1]
    assert array.attrs["long_name"] == "Kälte"
    assert array.attrs["units"] == "°C"
    assert array.attrs["flag_values"] == [1, 2]
    assert (array.packing.scale, array.packing.missing) == (2.0, (5.0,))
    assert len(found.attrs["title"]) < 5000


@pytest.mark.parametrize("kind", ["NETCDF3_CLASSIC", "NETCDF4"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.97])
def test_cut_off_files_are_refused(tmp_path: Path, kind: str, part: float) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=kind) as dataset:
        coordinates(dataset, 40, 60)
        dataset.createVariable("t", "f4", ("time", "lat", "lon"))[:] = 1
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * part)])
    reader = Hdf5() if kind == "NETCDF4" else NetCdf3()
    with pytest.raises(Unreadable):
        list(reader.scan(str(path)))


def test_random_damage_never_escapes(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        coordinates(dataset)
        dataset.title = "damaged"
        dataset.createVariable("t", "f4", ("time", "lat", "lon"))[:] = 1
    raw = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    for _ in range(300):
        damaged = bytearray(raw)
        for place in rng.integers(4, 500, 3):
            damaged[place] = int(rng.integers(0, 256))
        path.write_bytes(damaged)
        try:
            list(NetCdf3().scan(str(path)))
        except TerrellaError as error:
            assert str(tmp_path) not in error.message  # noqa: PT017 -- most damage is harmless


def test_damaged_chunk_is_found_by_its_checksum(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, nt=None)
        dataset.createVariable("t", "f4", ("lat", "lon"), fletcher32=True)[:] = 1
    (_, array) = arrays(scan(path))["t"]
    raw = bytearray(path.read_bytes())
    raw[int(array.table.offsets[0]) + 9] ^= 255
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match="fletcher32"):
        Hdf5().source(array, str(path)).load((0, 0))


def test_forecasts_have_a_start_and_steps(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset)
        start = dataset.createVariable("forecast_reference_time", "f8", ())
        start.standard_name, start.units = "forecast_reference_time", "hours since 2020-01-01"
        start[...] = 0
        member = dataset.createVariable("realization", "i4", ())
        member.standard_name = "realization"
        member[...] = 7
        level = dataset.createVariable("pressure", "f4", ())
        level.setncatts({"units": "hPa", "standard_name": "air_pressure"})
        level[...] = 850
        t = dataset.createVariable("t", "f4", ("time", "lat", "lon"))
        t.coordinates = "forecast_reference_time realization pressure"
        t[:] = np.arange(120).reshape(5, 4, 6)
    (part, array) = arrays(scan(path))["t"]
    axes = {axis.name: axis for axis in part.axes}
    assert {axis.kind for axis in part.axes} == {"reference_time", "step", "number", "vertical"}
    assert axes["step"].values.tolist() == [hours * 3_600_000 for hours in (0, 6, 12, 18, 24)]
    assert axes["number"].values.tolist() == [7]
    assert axes["pressure"].units == "hPa"
    assert array.shape == (1, 1, 1, 5, 4, 6)
    np.testing.assert_array_equal(values(path, array).squeeze(), np.arange(120).reshape(5, 4, 6))


def test_one_place_and_stations(tmp_path: Path, scan, values, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.featureType = "timeSeries"
        dataset.createDimension("time", 3)
        time = dataset.createVariable("time", "f8", ("time",))
        time.units, time[:] = "days since 2000-01-01", [0, 1.5, 2]
        for name, value in (("lat", 52.5), ("lon", 13.4)):
            made = dataset.createVariable(name, "f8", ())
            made.units = "degrees_north" if name == "lat" else "degrees_east"
            made[...] = value
        dataset.createVariable("t", "f4", ("time",))[:] = [1, 2, 3]
    (part, array) = arrays(scan(path))["t"]
    assert (array.dims, array.shape) == (("time", "cell"), (3, 1))
    lon, lat = grid_from_json(part.grid).centres()
    np.testing.assert_allclose([lon[0], lat[0]], [13.4, 52.5])
    assert values(path, array).ravel().tolist() == [1, 2, 3]


def test_trajectories_and_ragged_series_are_refused_by_name(tmp_path: Path, scan) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, nt=None)
        dataset.createDimension("obs", 9)
        for name, units in (
            ("ship_lat", "degrees_north"),
            ("ship_lon", "degrees_east"),
            ("when", "hours since 2000-01-01"),
        ):
            made = dataset.createVariable(name, "f8", ("obs",))
            made.units = units
            made[:] = np.arange(9)
        sst = dataset.createVariable("sst", "f4", ("obs",))
        sst.coordinates = "when ship_lat ship_lon"
        sst[:] = 1
    found = scan(path)
    assert found.parts == ()
    assert "sst" in found.notes[0]
    assert "trajectories" in found.notes[0]


def test_projected_by_coordinates_and_by_transform(tmp_path: Path, scan, arrays) -> None:
    import pyproj

    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("y", 3)
        dataset.createDimension("x", 4)
        crs = dataset.createVariable("crs", "i4", ())
        crs.spatial_ref = pyproj.CRS("EPSG:32633").to_wkt()
        crs.GeoTransform = "500000 10 0 5600000 0 -10"
        dataset.createVariable("a", "u1", ("y", "x"), fill_value=255).grid_mapping = "crs"
        for name, units in (("x", "km"), ("y", "km")):
            made = dataset.createVariable(name, "f8", (name,))
            made.units, made.standard_name = units, f"projection_{name}_coordinate"
            made[:] = np.arange(len(dataset.dimensions[name])) + 500
        dataset.createVariable("b", "u1", ("y", "x"))[:] = 1
        dataset["a"][:] = 1
    grid = grid_from_json(arrays(scan(path))["b"][0].grid)
    assert grid.crs == "EPSG:32633"
    assert grid.coordinates()["x"].tolist() == [500_000, 501_000, 502_000, 503_000]
    bare = tmp_path / "b.h5"
    with h5py.File(bare, "w") as file:
        made = file.create_dataset("a", data=np.ones((3, 4), "f4"))
        made.dims[0].label = "y"
        scale_y, scale_x = file.create_dataset("y", data=np.zeros(3)), file.create_dataset("x", data=np.zeros(4))
        del file["y"], file["x"], scale_y, scale_x
    assert scan(bare).parts == ()


def test_curvilinear_that_is_a_mesh_of_lines(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("j", 5)
        dataset.createDimension("i", 7)
        lon, lat = np.meshgrid(np.arange(7) * 2.0, np.arange(5) * 1.0)
        for name, data, units in (("nav_lat", lat, "degrees_north"), ("nav_lon", lon, "degrees_east")):
            made = dataset.createVariable(name, "f4", ("j", "i"))
            made.units = units
            made[:] = data
        sst = dataset.createVariable("sst", "f4", ("j", "i"))
        sst.coordinates = "nav_lon nav_lat"
        sst[:] = 1
        dataset["nav_lat"][:] = lat
    (part, _) = arrays(scan(path))["sst"]
    assert part.grid["kind"] == "regular"


def test_an_array_on_unknown_axes_keeps_them(tmp_path: Path, scan, arrays) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        coordinates(dataset, nt=None)
        dataset.createDimension("quantile", 2)
        dataset.createDimension("basis", 3)
        dataset.createDimension("season", 4)
        quantile = dataset.createVariable("quantile", "f4", ("quantile",))
        quantile[:] = [0.1, 0.9]
        season = dataset.createVariable("season", str, ("season",))
        for place, name in enumerate(("DJF", "MAM", "JJA", "SON")):
            season[place] = name
        dataset.createVariable("t", "f4", ("season", "quantile", "basis", "lat", "lon"))[:] = 1
    (part, array) = arrays(scan(path))["t"]
    axes = {axis.name: axis for axis in part.axes}
    assert axes["quantile"].values.tolist() == [0.1, 0.9]
    assert axes["basis"].values.tolist() == [0, 1, 2]
    assert axes["season"].values.tolist() == ["DJF", "MAM", "JJA", "SON"]
    assert array.dims == ("season", "quantile", "basis", "lat", "lon")
