"""What a newcomer does with real data: a server process, the clients they already have, values checked by others."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import eccodes
import netCDF4
import numpy as np
import pytest
import shapely
from astropy_healpix import HEALPix
from owslib.ogcapi.edr import EnvironmentalDataRetrieval
from pystac_client import Client

from terrella.site import Site

pytestmark = [pytest.mark.xdist_group("real"), pytest.mark.server]

GERMANY = "POLYGON((6 51, 7 54, 14.5 54, 15 51, 12.5 48.5, 13 47.5, 8 47.6, 6 51),(9 50, 11 50, 11 52, 9 52, 9 50))"


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[str]:
    """`terrella up` on the site with all real files in it."""
    command = [sys.executable, "-m", "terrella", "up", "--home", str(site.settings.home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.stdout.readline().split()[2]
        process.terminate()
        assert process.wait(20) == 0


def get(url: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(url) as answer:
        return answer.read(), {key.lower(): value for key, value in answer.headers.items()}


def test_the_climate_twin_is_found_with_pystac_client(server: str) -> None:
    catalog = Client.open(f"{server}/stac")
    found = list(catalog.search(bbox=[10, 50, 11, 51], datetime="2040-01-02", max_items=5).items())
    assert [item.collection_id for item in found] == ["climate-dt_10u_2t_20400102t0000"]
    item = found[0]
    assert item.datetime == datetime(2040, 1, 2, tzinfo=UTC)
    assert {"10u", "2t"} <= set(item.properties["cube:variables"])
    assert item.assets["data"].extra_fields["file:size"] == 1044946
    matched = catalog.search(filter="version = '1'", collections=["tas-healpix2"]).matched()
    assert matched == 1


def test_a_month_of_a_town_equals_eccodes(server: str, test_data: Path) -> None:
    service = EnvironmentalDataRetrieval(f"{server}/ogc/")
    assert "era5-2mt-2019-03-uk" in service.data()
    answer = service.query_data("era5-2mt-2019-03-uk", "position", coords="POINT(-1.26 51.75)", parameter_names=["2t"])
    document = json.loads(answer) if isinstance(answer, bytes | str) else answer
    coverage = document["coverages"][0] if document["type"] == "CoverageCollection" else document
    expected = []
    with (test_data / "grib" / "era5-2mt-2019-03-uk.grib").open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            expected.append(eccodes.codes_grib_find_nearest(handle, 51.75, -1.26)[0].value)
            eccodes.codes_release(handle)
    assert len(expected) == 744
    np.testing.assert_allclose(coverage["ranges"]["2t"]["values"], expected, rtol=0, atol=0)


def test_a_polygon_of_healpix_equals_brute_force(server: str, test_data: Path) -> None:
    body, headers = get(f"{server}/ogc/collections/tas-healpix2/area?coords={quote(GERMANY)}&f=NetCDF")
    pixels = np.arange(12 * 32**2)
    lon, lat = (one.deg for one in HEALPix(32, order="nested").healpix_to_lonlat(pixels))
    lon = (lon + 180) % 360 - 180
    inside = shapely.intersects_xy(shapely.from_wkt(GERMANY), lon, lat)
    with netCDF4.Dataset(test_data / "destine-healpix" / "tas-healpix2.nc") as file:
        expected = np.asarray(file["tas"][:])[:, inside]
    with netCDF4.Dataset("answer", memory=body) as answer:
        got = np.asarray(answer["tas"][:]).reshape(expected.shape[0], -1)
    assert got.shape == expected.shape
    np.testing.assert_allclose(np.sort(got, axis=1), np.sort(expected, axis=1), rtol=1e-6)
    assert 0 < int(headers["terrella-bytes-read"]) <= 1_574_188


def test_a_box_of_sst_across_the_date_line(server: str, test_data: Path) -> None:
    body, _ = get(
        f"{server}/ogc/collections/ersstv5_sst_monthly_2010-2020/cube?bbox=170,-10,-170,10&datetime=2015-12-01T00:00:00Z&f=CSV"
    )
    rows = [line.split(",") for line in body.decode().splitlines()]
    place = {name: rows[0].index(name) for name in ("longitude", "latitude", "sst")}
    got = {(float(row[place["longitude"]]) % 360, float(row[place["latitude"]])): row[place["sst"]] for row in rows[1:]}
    with netCDF4.Dataset(test_data / "netcdf-climate" / "ersstv5_sst_monthly_2010-2020.nc") as file:
        lat, lon = np.asarray(file["lat"][:]), np.asarray(file["lon"][:])
        times = netCDF4.num2date(file["time"][:], file["time"].units)
        step = next(i for i, at in enumerate(times) if (at.year, at.month) == (2015, 12))
        rows_in, cols_in = np.flatnonzero(np.abs(lat) <= 10), np.flatnonzero((lon >= 170) & (lon <= 190))
        assert len(got) == rows_in.size * cols_in.size
        for j in rows_in:
            for i in cols_in:
                value = file["sst"][step, j, i]
                text = got[(float(lon[i]), float(lat[j]))]
                assert (text == "") == bool(np.ma.is_masked(value))
                if text:
                    assert float(text) == pytest.approx(float(value), rel=1e-6)


def test_the_landing_page_is_whole(server: str) -> None:
    page = get(f"{server}/")[0].decode()
    assert "tas-healpix2" in page
    for asset in ("/api", "/api.html", "/stac", "/ogc", "/metrics"):
        assert get(server + asset)[0]
