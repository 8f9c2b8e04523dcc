"""The same question gives the same numbers, bit for bit, in every dialect, on every kind of data there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import eccodes
import netCDF4
import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.warp
import zarr

from clients.conftest import serve
from real.dialects import CELLS, FILES, Refused, Server, sorted_numbers
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.connecting import examples
from terrella.site.connecting.values import mars_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from terrella.site.connecting import Example

pytestmark = [pytest.mark.xdist_group("real"), pytest.mark.server]

NO_TIME = "A Polytope coverage needs a time, and these data have none."


@dataclass(frozen=True)
class Question:
    """A file, a part of the name of the collection that it becomes, who reads it independently, and which dialects cannot ask, and why."""

    kind: str
    file: str
    collection: str
    oracle: Callable[[Path, Example], float]
    cannot: dict[str, str] | None = None


def nearest(lats: np.ndarray, lons: np.ndarray, one: Example) -> tuple[Any, ...]:
    """Index of the nearest place on the sphere: the haversine."""
    lat, lon = np.radians(lats), np.radians(lons - one.lon)
    half = np.sin((lat - np.radians(one.lat)) / 2) ** 2
    half = half + np.cos(lat) * np.cos(np.radians(one.lat)) * np.sin(lon / 2) ** 2
    return np.unravel_index(int(np.argmin(half)), half.shape)


def from_grib(path: Path, one: Example) -> float:
    """ecCodes: the first message with the example's parameter, date, step, level and member."""
    wanted = {"paramId": one.mars["param"], "dataDate": one.mars["date"], "dataTime": one.mars["time"]}
    wanted |= {"endStep": one.mars["step"]} if "step" in one.mars else {}
    wanted |= {"level": one.mars["levelist"]} if "levelist" in one.mars else {}
    wanted |= {"perturbationNumber": one.mars["number"]} if "number" in one.mars else {}
    first = {key: int(text.split("/")[0]) for key, text in wanted.items()}
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            try:
                if all(eccodes.codes_get(handle, key, int) == number for key, number in first.items()):
                    arrays = (eccodes.codes_get_array(handle, name) for name in ("latitudes", "longitudes", "values"))
                    lats, lons, numbers = arrays
                    return float(numbers[nearest(lats, lons, one)])
            finally:
                eccodes.codes_release(handle)
    raise AssertionError(f"{path} has no message of {first}")


def from_netcdf(lat: str, lon: str, *before: int) -> Callable[[Path, Example], float]:
    """netCDF4: `before` are indices of the dimensions before those of space."""

    def read(path: Path, one: Example) -> float:
        with netCDF4.Dataset(path) as file:
            lats, lons = (np.ma.getdata(file[name][...]).astype("f8") for name in (lat, lon))
            if str(getattr(file[lat], "units", "")).startswith("rad"):
                lats, lons = np.degrees(lats), np.degrees(lons)
            if file[lat].dimensions != file[lon].dimensions:
                lats, lons = np.meshgrid(lats, lons, indexing="ij")
            return float(file[one.variable][(*before, *nearest(lats, lons, one))])

    return read


def from_rotated(path: Path, one: Example) -> float:
    """netCDF4 again; PROJ turns the place to the rotated pole."""
    with netCDF4.Dataset(path) as file:
        pole = file["rotated_pole"]
        turned = (
            f"+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p={pole.grid_north_pole_latitude} "
            f"+lon_0={180 + pole.grid_north_pole_longitude} +R=6371229 +no_defs"
        )
        to_rotated = pyproj.Transformer.from_crs("+proj=longlat +R=6371229 +no_defs", turned, always_xy=True)
        lon, lat = to_rotated.transform(one.lon, one.lat)
        row = int(np.abs(np.asarray(file["rlat"]) - lat).argmin())
        column = int(np.abs(np.asarray(file["rlon"]) - lon).argmin())
        return float(file[one.variable][0, 0, row, column])


def from_zarr(path: Path, one: Example) -> float:
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    lats, lons = np.meshgrid(np.asarray(group["lat"]), np.asarray(group["lon"]), indexing="ij")
    array = group[one.variable]
    row, column = nearest(lats, lons, one)
    return float(array[0, row, column]) * array.attrs.get("scale_factor", 1.0) + array.attrs.get("add_offset", 0.0)


def from_tiff(path: Path, one: Example) -> float:
    with rasterio.open(path) as image:
        (xs, ys) = rasterio.warp.transform("EPSG:4326", image.crs, [one.lon], [one.lat])
        return float(next(iter(image.sample([(xs[0], ys[0])])))[0])


QUESTIONS = [
    Question("regular GRIB", "grib/era5-2mt-2019-03-uk.grib", "era5-2mt-2019-03-uk", from_grib),
    Question("reduced Gaussian GRIB, levels and steps", "grib/t_n48.grib", "t_n48", from_grib),
    Question("HEALPix GRIB", "grib/healpix_H8.grib2", "healpix_h8", from_grib),
    Question("Lambert GRIB", "grib/lambert_grid.grib", "lambert_grid", from_grib),
    Question("members, start, steps", "grib/ens_storm.grib", "ens_storm", from_grib),
    Question(
        "curvilinear ORCA, 360-day calendar",
        "netcdf-climate/nemo_1m_20150101-20150201_grid-T.nc",
        "nemo_1m_20150101-20150201_grid-t",
        from_netcdf("nav_lat", "nav_lon", 0),
    ),
    Question(
        "rotated pole",
        "netcdf-climate/tas_rotated_grid_EUR11.nc",
        "tas_rotated_grid_eur11",
        from_rotated,
    ),
    Question(
        "360-day calendar, a scalar height",
        "netcdf-climate/A1B_north_america.nc",
        "a1b_north_america",
        from_netcdf("latitude", "longitude", 0),
    ),
    Question(
        "packed, with missing values",
        "netcdf-climate/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc",
        "ostia",
        from_netcdf("lat", "lon", 0),
    ),
    Question("Zarr", "netcdf-climate/analysed_sst.zarr", "analysed_sst", from_zarr),
    Question("HEALPix NetCDF", "destine-healpix/tas-healpix2.nc", "tas-healpix2", from_netcdf("lat", "lon", 0)),
    Question("a COG without a time", "imagery/cog.tif", "cog", from_tiff, {"polytope": NO_TIME}),
]


@pytest.fixture(scope="module")
def home(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same") / "home"
    with Site.open(folder) as site:
        report = site.add(*(test_data / one.file for one in QUESTIONS))
        assert not report.failures
    return folder


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Site]:
    with Site.open(home) as site:
        yield site


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    for one in serve(home, home.parent / "server.log"):
        yield Server(one.url)


@pytest.fixture(params=QUESTIONS, ids=lambda one: one.kind)
def question(request: pytest.FixtureRequest) -> Question:
    return request.param


def example(site: Site, question: Question) -> Example:
    """A few values of one cell, and how each dialect asks for them."""
    found = examples(site, OPERATOR, next(name for name in names(site) if question.collection in name)).cube
    assert found is not None
    return found


def names(site: Site) -> list[str]:
    return [str(one["id"]) for one in site.collections()]


def in_python(site: Site, one: Example) -> np.ndarray:
    """The type is that of the data."""
    place = (one.lon, one.lat)
    return site.extract(one.collection, point=place, variables=[one.variable], **one.words)[one.variable].values.ravel()


def test_every_dialect_gives_the_same_bits(question: Question, site: Site, server: Server) -> None:
    one = example(site, question)
    expected = in_python(site, one)
    assert np.isfinite(expected.astype("f8")).all()
    for name, ask in CELLS.items():
        reason = (question.cannot or {}).get(name)
        if reason is not None:
            with pytest.raises(Refused) as refusal:
                ask(server, one)
            assert (refusal.value.status, reason in refusal.value.body) == (400, True), refusal.value
            continue
        found = ask(server, one)
        np.testing.assert_array_equal(found.astype(expected.dtype), expected, err_msg=name)


def test_they_are_the_numbers_in_the_file(question: Question, site: Site, test_data: Path) -> None:
    one = example(site, question)
    assert question.oracle(test_data / question.file, one) == pytest.approx(float(in_python(site, one)[0]), rel=1e-6)


def test_missing_is_missing_in_every_dialect(site: Site, server: Server) -> None:
    """Sea surface temperature, asked far from every sea."""
    sea = example(site, next(one for one in QUESTIONS if "missing" in one.kind))
    land = replace(sea, lon=25.125, lat=49.875, lon_in_cube=25.125)
    assert np.isnan(in_python(site, land)).all()
    for name, ask in CELLS.items():
        found = ask(server, land)
        assert found.size, name
        assert np.isnan(found).all(), name


@pytest.mark.parametrize("kind", ["regular GRIB", "Zarr"])
def test_a_box_has_the_same_cells(kind: str, site: Site, server: Server) -> None:
    one = example(site, next(each for each in QUESTIONS if each.kind == kind))
    north, west, south, east = area = [one.lat + 0.9, one.lon - 1.3, one.lat - 0.4, one.lon + 0.6]
    box = site.extract(one.collection, bbox=(west, south, east, north), variables=[one.variable], **one.words)
    expected = np.sort(box[one.variable].values, axis=None)
    assert expected.size > 20
    for name, ask in FILES.items():
        found = sorted_numbers(ask(server, one, area), one.variable)
        np.testing.assert_array_equal(found.astype(expected.dtype), expected, err_msg=name)
    feature = {"type": "boundingbox", "points": [[south, west], [north, east]]}
    request = mars_request(one) | {"feature": feature}
    coverages = server.json("POST", f"/api/v2/{one.collection}/requests", request)["coverages"]
    cells = [value for each in coverages for value in next(iter(each["ranges"].values()))["values"]]
    np.testing.assert_array_equal(np.sort(np.array(cells)).astype(expected.dtype), expected)
