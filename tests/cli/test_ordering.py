"""`terrella order`: a price, a folder of files, an exit status."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from site_files import write_netcdf
from terrella.cli.ordering import order
from terrella.errors import Invalid, NotFound
from terrella.site import Site

ALL = {"items": [], "bbox": None, "time": None, "assets": [], "format": None, "variables": [], "package": "zip"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ordering")
    for day in (1, 2):
        write_netcdf(folder / f"day{day}.nc", start=f"2024-01-0{day}", offset=day)
    with Site.open(folder / "home") as site:
        site.add(*folder.glob("*.nc"), collection="days")
    return folder / "home"


def test_a_price_a_folder_and_the_site_itself(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order(home, "days", ALL, "link", estimate=True, as_job=False, as_json=True)
    price = json.loads(capsys.readouterr().out)
    assert (price["items"], price["files"]) == (2, 2)
    order(home, "days", ALL, str(tmp_path / "out"), estimate=False, as_job=False, as_json=True)
    assert json.loads(capsys.readouterr().out)["state"] == "successful"
    with ZipFile(tmp_path / "out" / "days.zip") as archive:
        assert archive.read("day1/day1.nc") == (home.parent / "day1.nc").read_bytes()


def test_a_job_for_a_worker(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order(home, "days", ALL, "link", estimate=False, as_job=True, as_json=False)
    assert "terrella job wait" in capsys.readouterr().out


def test_what_is_wrong_is_said_before_anything_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        order(home, "days", ALL | {"items": ["day9"]}, "link", estimate=False, as_job=False, as_json=False)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(Invalid, match="AWS_ACCESS_KEY_ID"):
        order(home, "days", ALL, "s3://mine", estimate=False, as_job=False, as_json=False)
