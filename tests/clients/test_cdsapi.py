"""cdsapi, unmodified, against a running server: what its users' scripts do, and what they read when it fails."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pytest

from grib_files import read_grib, value

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunClient, Served  # type: ignore[import-not-found]

CLIENT = """
import cdsapi, warnings
warnings.simplefilter("error")
client = cdsapi.Client(url=url + "/api", key=key, quiet=True, progress=False)
"""
RETRIEVE = CLIENT + "print(json.dumps(client.retrieve(dataset, request, target)))"
ERA = {
    "product_type": ["reanalysis"],
    "variable": ["2m_temperature"],
    "year": ["2024"],
    "month": ["03"],
    "day": ["01"],
    "time": ["00:00", "06:00", "23:00"],
    "data_format": "grib",
    "download_format": "unarchived",
}


@pytest.fixture
def retrieve(stores: Served, run_client: RunClient) -> Any:
    def ask(dataset: str, request: dict[str, Any], target: str) -> Any:
        return run_client(RETRIEVE, url=stores.url, key=stores.key, dataset=dataset, request=request, target=target)

    return ask


def test_grib_is_the_stored_messages(retrieve: Any, stores: Served, tmp_path: Path) -> None:
    assert retrieve("analysis", ERA, "out.grib") == "out.grib"
    found = read_grib(tmp_path / "out.grib")
    assert [one["time"] for one in found] == [0, 600, 2300]
    for one in found:
        np.testing.assert_allclose(one["values"], value(one["lat"], one["lon"], hours=one["time"] // 100), atol=1e-4)
    stored = (stores.home.parent / "analysis.grib").read_bytes()
    message = (tmp_path / "out.grib").read_bytes()[: len(stored) // 24]
    assert message in stored


def test_an_area_as_netcdf(retrieve: Any, tmp_path: Path) -> None:
    request = ERA | {"area": [52, -4, 48, 6], "data_format": "netcdf"}
    retrieve("analysis", request, "out.nc")
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        found = file["2t"][:]
        lat, lon = np.meshgrid(file["lat"][:], file["lon"][:], indexing="ij")
        times = netCDF4.num2date(file["time"][:], file["time"].units)
    assert sorted(set(lat.ravel().tolist())) == [48.0, 50.0, 52.0]
    assert sorted(set(lon.ravel().tolist())) == [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0]
    for index, moment in enumerate(times):
        np.testing.assert_allclose(found[index], value(lat, lon, hours=moment.hour), atol=1e-4)
    assert [moment.hour for moment in times] == [0, 6, 23]


@pytest.mark.parametrize(
    "changed",
    [
        {"variable": "2t"},
        {"variable": "167"},
        {"product_type": "reanalysis", "variable": "2m_temperature"},
        {"format": "grib"},
        {"format": "grib2"},
    ],
)
def test_spellings_of_one_request(retrieve: Any, changed: dict[str, Any], tmp_path: Path) -> None:
    request = {key: one for key, one in ERA.items() if key != "data_format" or "format" not in changed}
    retrieve("analysis", request | changed | {"time": "06:00"}, "out.grib")
    (one,) = read_grib(tmp_path / "out.grib")
    assert (one["time"], one["shortName"]) == (600, "2t")


def test_dates_as_a_range(retrieve: Any, tmp_path: Path) -> None:
    request = {"variable": "2m_temperature", "date": "2024-02-27/2024-03-02", "time": ["03:00"]}
    retrieve("analysis", request, "out.grib")
    (one,) = read_grib(tmp_path / "out.grib")
    assert (one["date"], one["time"]) == (20240301, 300)


def test_levels_members_and_lead_times(retrieve: Any, tmp_path: Path) -> None:
    request = {
        "product_type": "perturbed_forecast",
        "variable": "temperature",
        "pressure_level": ["850", 500],
        "number": [2],
        "date": "2024-03-01",
        "time": "12:00",
        "leadtime_hour": ["0", "6"],
    }
    retrieve("ensemble", request, "out.grib")
    found = read_grib(tmp_path / "out.grib")
    assert {(one["level"], one["step"]) for one in found} == {(850, 0), (850, 6), (500, 0), (500, 6)}
    for one in found:
        assert (one["number"], one["time"]) == (2, 1200)
        hours = 12 + one["step"]
        expected = value(one["lat"], one["lon"], hours=hours, level=one["level"], member=2)
        np.testing.assert_allclose(one["values"], expected, atol=1e-4)


def test_a_zip_file(retrieve: Any, tmp_path: Path) -> None:
    retrieve("analysis", ERA | {"download_format": "zip", "time": "01:00"}, "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        archive.extract(name, tmp_path)
    (one,) = read_grib(tmp_path / name)
    assert one["time"] == 100


def test_variables_of_different_axes_come_as_several_netcdf_files(retrieve: Any, tmp_path: Path) -> None:
    request = {"date": "2024-03-01", "time": "00:00", "data_format": "netcdf"}
    retrieve("levels", request, "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path / "apart")
    shapes = {}
    for path in sorted((tmp_path / "apart").iterdir()):
        with netCDF4.Dataset(path) as file:
            shapes |= {name: one.shape for name, one in file.variables.items() if one.ndim >= 3}
    assert {name: sorted(shape)[-2:] for name, shape in shapes.items()} == {"t": [91, 180], "2t": [91, 180]}
    assert len(shapes["t"]) == len(shapes["2t"]) + 1


def test_data_that_are_stored_as_netcdf(retrieve: Any, tmp_path: Path) -> None:
    request = {
        "variable": "2m_temperature",
        "year": 2024,
        "month": 1,
        "day": 1,
        "time": ["02:00"],
        "area": [45, 3, 44, 5],
    }
    retrieve("ordinary", request, "out.nc")
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        # value = hour * 10000 + row * 100 + column, rows from 50 N down, columns from 0 E
        assert file["t2m"][:].squeeze().tolist() == [[20503, 20504, 20505], [20603, 20604, 20605]]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("analysis", {"variable": "2m_temprature"}, "Did you mean '2m_temperature'?"),
    ("analysis", {"variabl": "x"}, "Did you mean 'variable'"),
    ("analysis", {"year": ["1999"]}, "There are: 2024."),
    ("analysis", {"time": ["00:00", "00:30"]}, "no time '00:30'"),
    ("analysis", {"product_type": "forecast"}, "There are: reanalysis."),
    ("analysis", {"pressure_level": "850"}, "Leave it out."),
    ("analysis", {"data_format": "grip"}, "There are: grib, netcdf."),
    ("analysis", {"area": [1, 2, 3]}, "north/west/south/east"),
    ("analysis", {"grid": [1, 1]}, "leave grid out"),
    ("analysis", {"year": None}, "no text and no number"),
    ("analysis", {"date": "2024-03-02/2024-03-01"}, "backwards"),
    ("ordinary", {"data_format": "grib", "month": "1", "time": "00:00"}, "ask for data_format netcdf"),
    ("analysys", {}, "Did you mean 'analysis'?"),
]


def test_what_is_wrong_is_said_at_once(stores: Served, run_client: RunClient) -> None:
    """The client tries 5xx again for hours, and prints the text of 4xx only."""
    lines = """
import time
said = []
for dataset, changed in refused:
    started = time.monotonic()
    try:
        client.retrieve(dataset, request | changed, "never")
    except Exception as error:
        said.append([str(error), time.monotonic() - started])
print(json.dumps(said))
"""
    refused = [(dataset, changed) for dataset, changed, _ in REFUSED]
    said = run_client(CLIENT + lines, url=stores.url, key=stores.key, request=ERA, refused=refused)
    assert len(said) == len(REFUSED)
    for (text, seconds), (dataset, changed, expected) in zip(said, REFUSED, strict=True):
        assert expected in text, (dataset, changed, text)
        assert "Client Error" in text
        assert "Traceback" not in text
        assert seconds < 30


def test_a_wrong_key(stores: Served, run_client: RunClient) -> None:
    lines = """
try:
    client.retrieve("analysis", request, "never")
except Exception as error:
    print(json.dumps(str(error)))
"""
    quiet = CLIENT.replace('"error"', '"ignore"')
    text = run_client(quiet + lines, url=stores.url, key="tk_" + "0" * 43, request=ERA)
    assert "401" in text
    assert "not known here" in text


def test_the_answer_opens_without_a_key_and_by_range(stores: Served, run_client: RunClient, tmp_path: Path) -> None:
    lines = """
result = client.retrieve("analysis", request)
half = result.content_length // 2
result.download("out.grib")
print(json.dumps([result.location, result.content_length, result.content_type]))
"""
    href, length, kind = run_client(CLIENT + lines, url=stores.url, key=stores.key, request=ERA)
    assert kind == "application/x-grib"
    whole = (tmp_path / "out.grib").read_bytes()
    assert len(whole) == length
    with urllib.request.urlopen(urllib.request.Request(href, method="HEAD")) as head:
        assert int(head.headers["Content-Length"]) == length
        assert head.headers["Accept-Ranges"] == "bytes"
    part = urllib.request.Request(href, headers={"Range": f"bytes={length // 2}-"})
    with urllib.request.urlopen(part) as answer:
        assert (answer.status, answer.read()) == (206, whole[length // 2 :])
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(href.replace("/d/", "/d/x"))
    with caught.value as answer:
        assert answer.code == 401


def test_a_broken_download_goes_on(stores: Served, run_client: RunClient, tmp_path: Path) -> None:
    """As the client does it: Range from where the file ends."""
    lines = """
import multiurl
result = client.retrieve("analysis", request)
with open("part.grib", "wb") as file:
    import urllib.request
    file.write(urllib.request.urlopen(result.location).read()[:10000])
result._download(result.location, "part.grib")
result._check_size("part.grib")
result.download("whole.grib")
print(json.dumps(None))
"""
    run_client(CLIENT + lines, url=stores.url, key=stores.key, request=ERA)
    assert (tmp_path / "part.grib").read_bytes() == (tmp_path / "whole.grib").read_bytes()


def test_anothers_job_is_not_there(stores: Served, run_client: RunClient, stranger: str) -> None:
    lines = "print(json.dumps(client.client.submit('analysis', request).request_id))"
    job = run_client(CLIENT + lines, url=stores.url, key=stores.key, request=ERA)
    for path in ("", "/results", "/receipt"):
        asked = urllib.request.Request(
            f"{stores.url}/api/retrieve/v1/jobs/{job}{path}", headers={"PRIVATE-TOKEN": stranger}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asked)
        with caught.value as answer:
            assert answer.code == 404
            assert "traceback" not in json.loads(answer.read())
