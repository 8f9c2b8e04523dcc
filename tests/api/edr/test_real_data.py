"""Real files, read over HTTP, equal to what ecCodes, netCDF4 and astropy-healpix read and find themselves."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import astropy_healpix
import eccodes
import httpx
import netCDF4
import numpy as np
import pandas as pd
import pytest
import shapely

from terrella.site.site import Site

FILES = {
    "era5-2mt-2019-03-uk": "grib/era5-2mt-2019-03-uk.grib",
    "ersstv5_sst_monthly_2010-2020": "netcdf-climate/ersstv5_sst_monthly_2010-2020.nc",
    "tas-healpix2": "destine-healpix/tas-healpix2.nc",
}


@pytest.fixture(scope="module")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[httpx.Client]:
    with Site.open(tmp_path_factory.mktemp("real")) as site:
        report = site.add(*(test_data / name for name in FILES.values()))
        assert not report.failures
        with serving(site) as address, httpx.Client(base_url=f"{address}/ogc/collections", timeout=60) as client:
            yield client


def rows(answer: httpx.Response) -> pd.DataFrame:
    assert answer.status_code == 200, answer.text
    return pd.read_csv(io.BytesIO(answer.content))


def test_a_month_of_hours_of_a_town_equals_eccodes(real, test_data) -> None:
    found = rows(real.get("/era5-2mt-2019-03-uk/position?coords=POINT(-3.19 55.95)&parameter-name=2t&f=csv"))
    values, times = [], []
    with (test_data / FILES["era5-2mt-2019-03-uk"]).open("rb") as file:
        while (message := eccodes.codes_grib_new_from_file(file)) is not None:
            near = eccodes.codes_grib_find_nearest(message, 55.95, -3.19)[0]
            values.append(near.value)
            date, time = (eccodes.codes_get(message, key) for key in ("validityDate", "validityTime"))
            times.append(pd.Timestamp(f"{date}T{time:04d}", tz="UTC"))
            place = near.lon, near.lat
            eccodes.codes_release(message)
    assert len(found) == 744
    np.testing.assert_allclose(found["2t"].to_numpy(), np.array(values)[np.argsort(times)], rtol=1e-7)
    assert pd.to_datetime(found.time).tolist() == sorted(times)
    np.testing.assert_allclose((found.longitude[0] % 360, found.latitude[0]), (place[0] % 360, place[1]), atol=1e-6)


def test_a_polygon_of_healpix_cells_equals_brute_force(real, test_data) -> None:
    shape = shapely.from_wkt("POLYGON((-10 35,30 35,30 60,10 65,-10 60,-10 35),(5 45,15 45,15 50,5 50,5 45))")
    found = rows(real.get("/tas-healpix2/area", params={"coords": shape.wkt, "f": "csv"}))
    lon, lat = (
        part.to_value("deg") for part in astropy_healpix.healpix_to_lonlat(np.arange(12 * 32**2), 32, order="nested")
    )
    inside = np.flatnonzero(shapely.covers(shape, shapely.points((lon + 180) % 360 - 180, lat)))
    with netCDF4.Dataset(test_data / FILES["tas-healpix2"]) as file:
        wanted = np.asarray(file["tas"][:])[:, inside]
    assert len(found) == wanted.size
    assert found.time.nunique() == 12
    np.testing.assert_allclose(np.sort(found.tas.to_numpy()), np.sort(wanted.ravel()), rtol=1e-6)
    places = set(zip(found.longitude.round(6), found.latitude.round(6), strict=True))
    assert places == set(zip(((lon[inside] + 180) % 360 - 180).round(6), lat[inside].round(6), strict=True))


def test_a_box_of_sea_surface_over_the_date_line(real, test_data) -> None:
    answer = real.get("/ersstv5_sst_monthly_2010-2020/cube?bbox=170,-10,-150,10&datetime=2016-01&parameter-name=sst")
    document = answer.json()
    with netCDF4.Dataset(test_data / FILES["ersstv5_sst_monthly_2010-2020"]) as file:
        lat, lon = np.asarray(file["lat"][:]), np.asarray(file["lon"][:])
        months = netCDF4.num2date(file["time"][:], file["time"].units)
        at = next(place for place, month in enumerate(months) if (month.year, month.month) == (2016, 1))
        block = file["sst"][at][np.ix_((lat >= -10) & (lat <= 10), (lon >= 170) & (lon <= 210))]
    assert document["ranges"]["sst"]["shape"] == [1, *block.shape]
    found = np.array(document["ranges"]["sst"]["values"], "f4").reshape(block.shape)
    np.testing.assert_array_equal(np.isnan(found), np.ma.getmaskarray(block))
    np.testing.assert_array_equal(found[~np.isnan(found)], block.compressed())
    x = np.array(document["domain"]["axes"]["x"]["values"])
    np.testing.assert_array_equal(x % 360, lon[(lon >= 170) & (lon <= 210)])


def test_only_what_is_needed_is_read(real, test_data) -> None:
    size = (test_data / FILES["era5-2mt-2019-03-uk"]).stat().st_size
    answer = real.get("/era5-2mt-2019-03-uk/position?coords=POINT(1 50)&datetime=2019-03-31T23:00:00Z")
    assert 0 <= int(answer.headers["Terrella-Bytes-Read"]) < size / 500
