"""Every file of the real data: what it became, and that grid, times, units and values are right.

Values are compared with ecCodes, netCDF4, zarr and rasterio reading the files themselves.
"""

from __future__ import annotations

import random
import warnings
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import eccodes
import netCDF4
import numpy as np
import orjson
import pytest
import rasterio
import rasterio.warp
import zarr

from real.conftest import FOLDERS, wants_pages
from terrella.errors import TerrellaError
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.adding import Added

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "formats.md"
NOTES = (".md", ".json.gz")

pytestmark = pytest.mark.xdist_group("real")


def files_of(test_data: Path) -> list[Path]:
    """Every file, a folder that is one dataset counted once."""
    found: dict[Path, None] = {}
    for folder in FOLDERS:
        for path in sorted((test_data / folder).rglob("*")):
            store = next((parent for parent in path.parents if parent.suffix == ".zarr"), None)
            if path.is_file() and path.suffix != ".md":
                found[store or path] = None
    return list(found)


def homes_of(site: Site) -> dict[str, list[str]]:
    """Collections by href."""
    found: dict[str, list[str]] = {}
    for name, home in site.lake.homes().items():
        for href in home.members:
            found.setdefault(href, []).append(name)
    return found


def document(site: Site, name: str) -> dict[str, Any]:
    return orjson.loads(site.catalog.collection(OPERATOR, name))


def became(site: Site, names: list[str]) -> str:
    told = []
    for name in names:
        one = document(site, name)
        if "terrella:grid" in one:
            lengths = {axis.name: axis.values.size for axis in site.catalog.open(OPERATOR, name)[0].axes}
        variables = ", ".join(f"`{key}`" for key in list(one.get("cube:variables", {}))[:6])
        more = len(one.get("cube:variables", {})) - 6
        if "terrella:grid" in one:
            axes = [f"{key} {length}" for key, length in lengths.items()]
            grid = one["terrella:grid"]
            shape = "x".join(str(length) for length in grid["shape"])
            told.append(
                f"**{name}**: {grid['kind']} {shape}{', ' + ', '.join(axes) if axes else ''}: {variables}"
                + (f" and {more} more" if more > 0 else "")
            )
        else:
            told.append(f"**{name}**: STAC items, no single cube")
    return "; ".join(told)


def page(site: Site, report: Added, test_data: Path) -> str:
    homes, failures = homes_of(site), {one.href: one.reason for one in report.failures}
    rows = []
    for path in files_of(test_data):
        href = str(path)
        reason = failures.get(href, "passed over").split(" Read are:")[0]
        text = became(site, homes[href]) if href in homes else f"refused: {reason}"
        rows.append(f"| `{path.relative_to(test_data)}` | {text.replace('|', '/')} |")
    return "\n".join(
        [
            "# Formats, file by file",
            "",
            "Read are NetCDF 3 and 4, HDF5, GRIB 1 and 2, GeoTIFF and COG, JPEG 2000, Sentinel-2 SAFE, Zarr v2 and v3, Icechunk, static",
            "STAC (JSON, NDJSON, GeoParquet), point tables (CSV, Parquet, GeoJSON, CoverageJSON) and Met Office PP.",
            "",
            "This table is made by a test from a collection of real files: what each became, or why it is refused.",
            "",
            "| file | what it became |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def test_the_page_is_current(site: Site, report: Added, test_data: Path) -> None:
    made = page(site, report, test_data)
    if wants_pages():
        PAGE.write_text(made)
    assert PAGE.read_text() == made, "run: WRITE_PAGES=1 pytest tests/real"


def test_nearly_all_files_are_read(report: Added, site: Site, test_data: Path) -> None:
    homes = homes_of(site)
    data = [one for one in files_of(test_data) if "TestEOPatch" not in one.parts]
    refused = [str(one.relative_to(test_data)) for one in data if str(one) not in homes]
    assert len(refused) <= 0.1 * len(data), refused


# --- GRIB --------------------------------------------------------------------------------------------------------------


def grib_messages(path: Path) -> list[int]:
    with path.open("rb") as file:
        handles = []
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            handles.append(handle)
    return handles


def key(handle: int, name: str, default: Any = None) -> Any:
    return eccodes.codes_get(handle, name) if eccodes.codes_is_defined(handle, name) else default


def candidates(site: Site, names: list[str], handle: int) -> list[tuple[str, str]]:
    """Collections and variables that may hold a message, by paramId."""
    wanted = str(key(handle, "paramId"))
    return [
        (name, variable)
        for name in names
        for variable, facts in document(site, name).get("cube:variables", {}).items()
        if str(facts.get("mars:param", facts.get("grib:paramId"))) == wanted
    ]


def test_grib_values_are_those_of_eccodes(site: Site, test_data: Path) -> None:
    homes, compared, wrong = homes_of(site), 0, []
    dice = random.Random(3)
    for path in sorted((test_data / "grib").iterdir()):
        if str(path) not in homes:
            continue
        handles = grib_messages(path)
        for handle in dice.sample(handles, min(4, len(handles))):
            found = compare_message(site, homes[str(path)], handle, dice)
            compared += found is not None
            if found is False:
                wrong.append(f"{path.name}: {key(handle, 'shortName')} {key(handle, 'level')}")
        for handle in handles:
            eccodes.codes_release(handle)
    assert wrong == []
    assert compared >= 60


def compare_message(site: Site, names: list[str], handle: int, dice: random.Random) -> bool | None:
    """Whether three cells of a message have ecCodes' values through the whole road; None where it is held nowhere."""
    eccodes.codes_set(handle, "missingValue", 1e30)
    values = eccodes.codes_get_values(handle)
    lats, lons = eccodes.codes_get_array(handle, "latitudes"), eccodes.codes_get_array(handle, "longitudes")
    at = datetime.strptime(f"{key(handle, 'dataDate')}{key(handle, 'dataTime'):04d}", "%Y%m%d%H%M")
    end = at + timedelta(hours=int(eccodes.codes_get(handle, "endStep", int)))
    told: list[bool] = []
    for name, variable in candidates(site, names, handle):
        right = []
        inner = np.flatnonzero(np.abs(lats) < 89.9).tolist()  # at a pole all cells of the row are equally near
        for place in dice.sample(inner, min(3, len(inner))):
            got = value_at(site, name, variable, (lons[place], lats[place]), handle, at, end)
            if got is not None:
                expected = np.nan if values[place] == 1e30 else values[place]
                right.append(bool(np.isclose(got, expected, rtol=1e-6, atol=0, equal_nan=True).any()))
        if right:
            told.append(all(right))
    return any(told) if told else None


def value_at(
    site: Site, name: str, variable: str, place: tuple[float, float], handle: int, at: datetime, end: datetime
) -> Any:
    """Values of one message's cell, all that time and level and member allow; None where the cube has no such."""
    facts = document(site, name)
    dims = facts["cube:variables"][variable]["dimensions"]
    wanted: dict[str, Any] = {"variables": [variable], "points": [place]}
    if "time" in dims or "reference_time" in dims:
        wanted["time"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    if any(facts["cube:dimensions"][dim].get("axis") == "z" for dim in dims):
        level = float(key(handle, "level"))
        wanted["level"] = [level / 100 if key(handle, "pressureUnits") == "Pa" else level]
    if "number" in dims:
        wanted["number"] = [int(key(handle, "number", 0))]
    try:
        return site.extract(name, **wanted)[variable].values
    except TerrellaError:
        return None


# --- NetCDF and Zarr ----------------------------------------------------------------------------------------------------


def plain(variable: Any) -> np.ndarray:
    """Values of a netCDF4 variable, missing as NaN."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.ma.filled(np.ma.asarray(variable[...]).astype("f8"), np.nan)


def same_numbers(one: np.ndarray, other: np.ndarray) -> bool:
    """The same multiset of values, however dimensions are ordered."""
    a, b = np.sort(one.ravel()), np.sort(other.ravel())
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_netcdf_values_are_those_of_netcdf4(site: Site, test_data: Path) -> None:
    homes, compared, wrong = homes_of(site), 0, []
    paths = [
        *sorted((test_data / "netcdf-climate").glob("*.nc")),
        *sorted((test_data / "destine-healpix").glob("*.nc")),
        *sorted((test_data / "imagery").glob("*.nc")),
    ]
    for path in paths:
        for name in homes.get(str(path), []):
            index, _ = site.catalog.open(OPERATOR, name)
            if len({piece.href for variable in index.variables for piece in variable.pieces}) > 1:
                continue
            cube = site.open_cube(name)
            with netCDF4.Dataset(path) as file:
                for variable in cube.data_vars:
                    source = str(variable).replace("__", "/")
                    if source not in file.variables:
                        continue
                    compared += 1
                    if not same_numbers(cube[variable].values.astype("f8"), plain(file.variables[source])):
                        wrong.append(f"{path.name}: {variable}")
    assert wrong == []
    assert compared >= 40


def test_zarr_values_are_those_of_zarr(site: Site, test_data: Path) -> None:
    path = test_data / "netcdf-climate" / "analysed_sst.zarr"
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    raw = np.asarray(group["analysed_sst"])
    attrs = dict(group["analysed_sst"].attrs)
    expected = np.where(raw == attrs.get("_FillValue", group["analysed_sst"].fill_value), np.nan, raw.astype("f8"))
    expected = expected * attrs.get("scale_factor", 1) + attrs.get("add_offset", 0)
    (name,) = homes_of(site)[str(path)]
    assert same_numbers(site.open_cube(name)["analysed_sst"].values.astype("f8"), expected)


# --- rasters ------------------------------------------------------------------------------------------------------------


def test_raster_values_are_those_of_rasterio(site: Site, test_data: Path) -> None:
    homes, wrong, compared = homes_of(site), [], 0
    dice = random.Random(5)
    for path in sorted([*(test_data / "imagery").rglob("*.tif"), *(test_data / "landcover-dem").rglob("*.tif")]):
        for name in homes.get(str(path), []):
            # radar composites keep their scale in a tag of their own, which rasterio does not know
            if "cube:variables" not in document(site, name) or "FINUTM" in path.name:
                continue
            with rasterio.open(path) as source:
                lonlat = (
                    rasterio.warp.transform(source.crs, "EPSG:4326", *places(source, dice))
                    if source.crs
                    else places(source, dice)
                )
                compared += 1
                if not same_at(site, name, source, lonlat, path):
                    wrong.append(path.name)
    assert wrong == []
    assert compared >= 15


def places(source: Any, dice: random.Random) -> tuple[list[float], list[float]]:
    rows = [dice.randrange(source.height) for _ in range(5)]
    cols = [dice.randrange(source.width) for _ in range(5)]
    return rasterio.transform.xy(source.transform, rows, cols)


def same_at(site: Site, name: str, source: Any, lonlat: Any, path: Path) -> bool:
    """Five pixel centres of the first band."""
    item = next(item for href, (item, _) in site.lake.homes()[name].members.items() if href == str(path))
    index, _ = site.catalog.open(OPERATOR, name)
    variable = next(
        one.name
        for one in index.variables
        for piece in one.pieces
        if piece.item == item and piece.array.codec.get("band", 1) == 1
    )
    from terrella.model.extraction import Extraction, Points
    from terrella.model.space import LonLat

    for lon, lat in zip(*lonlat, strict=True):
        if not np.isfinite([lon, lat]).all():
            continue
        asked = Extraction(name, Points((LonLat(lon, lat),)), (variable,), items=(item,))
        got = np.ravel(site.extract(asked)[variable].values.astype("f8"))
        x, y = (
            (lon, lat)
            if not source.crs
            else [values[0] for values in rasterio.warp.transform("EPSG:4326", source.crs, [lon], [lat])[:2]]
        )
        raw = next(source.sample([(x, y)], indexes=1, masked=True))[0]
        expected = np.nan if np.ma.is_masked(raw) else float(raw) * source.scales[0] + source.offsets[0]
        known = got[np.isfinite(got)] if np.isfinite(expected) else got
        if not any(np.isclose(one, expected, rtol=1e-6, equal_nan=True) for one in known):
            return False
    return True


def test_the_safe_product_is_read(site: Site, test_data: Path) -> None:
    path = next((test_data / "imagery").glob("S2A_*.zip"))
    (name,) = homes_of(site)[str(path)]
    inner = next(one for one in zipfile.ZipFile(path).namelist() if one.endswith("_B01.jp2"))
    with rasterio.open(f"/vsizip/{path}/{inner}") as source:
        raw = source.read(1)
    cube = site.open_cube(name)
    assert cube["B01"].squeeze().shape == raw.shape
    sample = cube["B01"].squeeze().values[::50, ::50]
    np.testing.assert_allclose(np.nan_to_num(sample), np.nan_to_num(raw[::50, ::50] / 10000), atol=1e-6)
