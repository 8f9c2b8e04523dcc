from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from terrella.api.edr.formats import chosen, known_formats
from terrella.errors import Invalid

KNOWN = known_formats()


@pytest.mark.parametrize(
    ("f", "accept", "name"),
    [
        (None, None, "covjson"),
        (None, "*/*", "covjson"),
        (None, "application/json", "covjson"),
        (None, "text/csv", "csv"),
        (None, "text/*", "csv"),
        (None, "application/netcdf;q=0.5, text/csv;q=0.9", "csv"),
        (None, "text/csv;q=0, application/x-netcdf", "netcdf"),
        (None, "text/html,application/xhtml+xml,*/*;q=0.8", "covjson"),
        (None, "image/tiff", "geotiff"),
        (None, "application/geo+json", "geojson"),
        (None, "text/csv;q=nonsense", "csv"),
        ("NetCDF", "text/csv", "netcdf"),
        ("CoverageJSON", None, "covjson"),
        ("application/geo+json", None, "geojson"),
        ("json", None, "covjson"),
        ("tif", None, "geotiff"),
    ],
)
def test_choice(f, accept, name) -> None:
    assert chosen(f, accept, KNOWN).name == name


def test_unknown_format_names_what_there_is() -> None:
    with pytest.raises(Invalid, match=r"'covjson'.*'netcdf'") as error:
        chosen("grib9", None, KNOWN)
    assert error.value.parameter == "f"


def test_nothing_acceptable() -> None:
    with pytest.raises(HTTPException) as error:
        chosen(None, "text/html", KNOWN)
    assert error.value.status_code == 406


def test_default_comes_first() -> None:
    assert next(iter(KNOWN)) == "covjson"
    assert set(KNOWN) == {"covjson", "csv", "geojson", "geotiff", "netcdf", "parquet"}
