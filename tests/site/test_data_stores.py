"""Requests in the words of the data stores on real files: what comes out is what ecCodes and netCDF4 read there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pytest

import terrella
from grib_files import read_grib
from terrella.errors import NotFound
from terrella.extraction.cds import asked, combinations
from terrella.model.caller import OPERATOR
from terrella.site.mars.retrieving import checked, understood
from terrella.site.mars.stores import offered, price
from terrella.site.mars.writing import write

if TYPE_CHECKING:
    from pathlib import Path

    from terrella.site import Site

GRIB = ("era5-levels-members.grib", "ml_data.grib", "t_n48.grib", "hpa_and_pa.grib")


def answer(site: Site, collection: str, request: dict[str, Any], path: Path) -> Path:
    wish = asked(*offered(site, OPERATOR, collection), request)
    retrieval = understood(site, OPERATOR, wish.words, collection)
    checked(site, OPERATOR, retrieval)
    path.unlink(missing_ok=True)
    write(site, OPERATOR, retrieval, path, lambda _: None)
    return path


@pytest.mark.parametrize("name", GRIB)
def test_every_combination_of_a_file_is_messages_of_it(test_data: Path, tmp_path: Path, name: str) -> None:
    file = test_data / "grib" / name
    with terrella.Site.open(tmp_path / "site") as site:
        site.add(file, collection="c")
        document, known = offered(site, OPERATOR, "c")
        assert document["id"] == "c"
        everything, seen = read_grib(file), 0
        for one in combinations(known)[:4]:
            request = {key: values[-1:] if key != "variable" else values[:1] for key, values in one.items()}
            got = answer(site, "c", request, tmp_path / "out.grib")
            assert got.read_bytes()
            for field in read_grib(got):
                same = [
                    other
                    for other in everything
                    if all(other[key] == value for key, value in field.items() if not isinstance(value, np.ndarray))
                ]
                assert any(np.array_equal(field["values"], other["values"], equal_nan=True) for other in same)
                assert [f"{field['time']:04d}"] == [text.replace(":", "") for text in request["time"]]
                seen += 1
    assert seen


@pytest.mark.parametrize(
    ("name", "variable", "request_", "index"),
    [
        ("era5_2t_monthly_2000_2p5deg.nc", "2t", {"month": ["07"]}, (6,)),
        ("tas_Amon_CanESM2_rcp85_r1i1p1_200701-200712.nc", "tas", {"year": "2007", "month": "3"}, None),
    ],
)
def test_months_of_climate_data(
    test_data: Path, tmp_path: Path, name: str, variable: str, request_: dict[str, Any], index: Any
) -> None:
    with terrella.Site.open(tmp_path / "site") as site:
        site.add(test_data / "netcdf-climate" / name, collection="c")
        got = answer(site, "c", {"variable": variable} | request_, tmp_path / "out.nc")
        estimate = price(site, OPERATOR, "c", {"variable": variable} | request_)
    with netCDF4.Dataset(test_data / "netcdf-climate" / name) as source, netCDF4.Dataset(got) as found:
        values = np.ma.filled(found[variable][:].squeeze(), np.nan)
        dates = netCDF4.num2date(
            source["time"][:], source["time"].units, getattr(source["time"], "calendar", "standard")
        )
        month = int(np.ravel(request_["month"])[0])
        (place,) = [i for i, one in enumerate(dates) if one.month == month]
        assert index is None or index == (place,)
        every = [one for one in source.variables.values() if one.ndim >= 3 and one.shape[0] == len(dates)]
        expected = [np.ma.filled(np.ma.squeeze(one[place]), np.nan) for one in every]
        lon = np.asarray(found["lon"][:])
        there = np.asarray(source[next(n for n in ("lon", "longitude") if n in source.variables)][:])
        order = [int(np.argmin(np.abs((there - one + 180) % 360 - 180))) for one in lon]
        lat = np.asarray(source[next(n for n in ("lat", "latitude") if n in source.variables)][:])
        rows = [int(np.argmin(np.abs(lat - one))) for one in np.asarray(found["lat"][:])]
        assert any(np.allclose(values, one[np.ix_(rows, order)], equal_nan=True) for one in expected if one.ndim == 2)
    assert estimate.plan.values == values.size
    assert not estimate.refusal


def test_what_has_no_field_is_refused_at_once(test_data: Path, tmp_path: Path) -> None:
    """Each value is there, their combination is not: never an empty file."""
    with terrella.Site.open(tmp_path / "site") as site:
        site.add(test_data / "grib" / "forecast_monthly_ukmo.grib", collection="c")
        request = {"variable": "2m_temperature", "leadtime_hour": "696", "year": "2016", "month": "01"}
        with pytest.raises(NotFound, match="No field has all"):
            answer(site, "c", request, tmp_path / "out.grib")
