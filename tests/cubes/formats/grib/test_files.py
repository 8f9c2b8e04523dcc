"""Real files: what they become, and every field of a sample compared with ecCodes' own reading of that file."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes
import numpy as np
import pytest

from terrella.cubes.formats.grib import Grib
from terrella.grids import grid_from_json
from terrella.model.scan import ArrayScan, FileScan, Part

# File: {part's label: (kind of grid, sizes of axes by name, names of arrays)}
FILES = {
    "CMC_glb_TMP_TGL_2_latlon.15x.15_2020081000_P000.grib2": {
        "cwao-af-sfc": ("regular", {"reference_time": 1, "step": 1}, {"2t"})
    },
    "O32_global.grib2": {"od-oper-an-ml": ("reduced_gaussian", {"time": 1, "model_level": 1}, {"t"})},
    "cfrzr_and_cprat.grib": {
        "kwbc-fc-sfc": ("regular", {"reference_time": 1, "step": 1}, {"cpr", "cpr_avg", "cfrzr", "cfrzr_avg"})
    },
    "ecmwf-ifs-oper-surface.grib2": {
        "od-oper-fc-sfc": ("regular", {"reference_time": 1, "step": 1}, {"asn", "ptype", "rsn", "sd", "tcc"})
    },
    "ens_50.grib": {
        "od-enfo-pf-pl": ("regular", {"reference_time": 1, "step": 1, "number": 51, "pressure": 1}, {"z"}),
    },
    "ens_storm.grib": {
        "od-enfo-pf-sfc": ("regular", {"reference_time": 1, "step": 3, "number": 51}, {"10fg3"}),
        "od-enfo-pf-pl": ("regular", {"reference_time": 1, "step": 1, "number": 51, "pressure": 1}, {"z"}),
    },
    "era5-2mt-2019-03-uk.grib": {"ea-oper-an-sfc": ("regular", {"time": 744}, {"2t"})},
    "era5-levels-members.grib": {"ea-enda-an-pl": ("regular", {"time": 4, "number": 10, "pressure": 2}, {"t", "z"})},
    "era5_moda_2t_201808_0p25.grb": {"ea-moda-an-sfc": ("regular", {"time": 1}, {"2t"})},
    "forecast_monthly_ukmo.grib": {
        "c3-msmm-fcmean-sfc": ("regular", {"reference_time": 2, "step": 5, "number": 28}, {"2t"})
    },
    "healpix_H8.grib2": {"od-oper-fc-pl": ("healpix", {"reference_time": 1, "step": 2, "pressure": 1}, {"t", "r"})},
    "hpa_and_pa.grib": {"od-oper-fc-pl": ("regular", {"reference_time": 1, "step": 1, "pressure": 3}, {"t"})},
    "lambert_grid.grib": {"96-sfc": ("projected", {"reference_time": 1, "step": 1}, {"nlwrs"})},
    "lsm-ifs.grb": {"se-a0iz-oper-an-sfc": ("reduced_gaussian", {"time": 1}, {"lsm"})},
    "ml_data.grib": {"od-oper-fc-ml": ("regular", {"reference_time": 1, "step": 1, "model_level": 35}, {"t", "lnsp"})},
    "multi_param_on_multi_dims.grib": {
        "od-oper-fc-pl": ("regular", {"reference_time": 1, "step": 4, "pressure": 4}, {"z", "t", "u"})
    },
    "pl_regular_ll.grib": {
        "od-oper-fc-pl": ("regular", {"reference_time": 4, "step": 2, "pressure": 6}, {"t", "r", "u", "v", "z"})
    },
    "regular_gg_ml_g2.grib": {
        "od-oper-fc-ml": ("rectilinear", {"reference_time": 1, "step": 1, "model_level": 3}, {"t"})
    },
    "regular_ll_msl.grib": {"kwbc-pf-sfc": ("regular", {"reference_time": 1, "step": 1, "number": 1}, {"prmsl"})},
    "t2m_grib.grib": {"od-oper-fc-sfc": ("reduced_gaussian", {"reference_time": 1, "step": 1}, {"2t"})},
    "t_n48.grib": {"od-oper-fc-pl": ("reduced_gaussian", {"reference_time": 1, "step": 4, "pressure": 1}, {"t"})},
    "test4.grib": {"ea-oper-an-pl": ("regular", {"time": 1, "pressure": 2}, {"t", "z"})},
    "uv_on_different_levels.grib": {
        "od-oper-fc-pl": ("regular", {"reference_time": 1, "step": 2, "pressure": 5}, {"u", "v"})
    },
    "wave_spectra.grib": {"od-wave-an-sfc": ("regular", {"time": 1, "direction": 6, "frequency": 3}, {"2dfd"})},
}


@dataclass
class Truth:
    """A message as ecCodes reads it from the file."""

    short_name: str
    valid: datetime
    level: float
    number: int | None
    lons: np.ndarray
    lats: np.ndarray
    values: np.ndarray


def truths(path: Path, offsets: set[int]) -> dict[int, Truth]:
    found = {}
    with path.open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            at = int(eccodes.codes_get_message_offset(handle))
            if at in offsets:
                found[at] = truth(handle)
            eccodes.codes_release(handle)
    return found


def truth(handle: int) -> Truth:
    date, clock = (eccodes.codes_get_long(handle, key) for key in ("validityDate", "validityTime"))
    valid = datetime(date // 10000, date // 100 % 100, date % 100, clock // 100, clock % 100, tzinfo=UTC)
    level = eccodes.codes_get_double(handle, "level")
    if eccodes.codes_get_string(handle, "typeOfLevel") == "isobaricInPa":
        level /= 100
    number = eccodes.codes_get_long(handle, "number") if eccodes.codes_is_defined(handle, "number") else None
    eccodes.codes_set(handle, "missingValue", 1e35)
    values = eccodes.codes_get_values(handle)
    lons, lats = (eccodes.codes_get_array(handle, key) for key in ("longitudes", "latitudes"))
    name = eccodes.codes_get_string(handle, "shortName")
    return Truth(name, valid, level, number, lons, lats, np.where(values == 1e35, np.nan, values))


def instant(part: Part, index: dict[str, int]) -> datetime:
    """Valid time of a field by the axes that lead to it."""
    at = {
        axis.name: int(axis.values[index[axis.name]]) for axis in part.axes if axis.name in index and "t" in axis.kind
    }
    ms = at["time"] if "time" in at else at["reference_time"] + at["step"]
    return datetime.fromtimestamp(ms / 1000, UTC)


def stored(array: ArrayScan) -> list[tuple[int, ...]]:
    sizes = array.shape[: len(array.dims) - array.codec["grid_dims"]]
    return [np.unravel_index(flat, sizes) for flat in np.flatnonzero(array.table.lengths)]


@pytest.fixture(scope="module")
def scan(test_data):
    known: dict[str, FileScan] = {}

    def get(name: str) -> FileScan:
        if name not in known:
            (known[name],) = Grib().scan(str(test_data / "grib" / name))
        return known[name]

    return get


def test_no_file_is_forgotten(test_data):
    there = {path.name for path in (test_data / "grib").iterdir() if path.suffix != ".md"}
    assert there == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_structure(scan, name):
    found = scan(name)
    assert found.notes == ()
    assert {part.label for part in found.parts} == set(FILES[name])
    for part in found.parts:
        kind, axes, arrays = FILES[name][part.label]
        assert part.grid["kind"] == kind
        assert {axis.name: axis.values.size for axis in part.axes} == axes
        assert {array.name for array in part.arrays} == arrays
        for axis in part.axes:
            assert (np.diff(axis.values) > 0).all()
        for array in part.arrays:
            lengths = {axis.name: axis.values.size for axis in part.axes}
            grid = grid_from_json(part.grid)
            assert array.shape == (*(lengths[dim] for dim in array.dims if dim in lengths), *grid.shape)
            assert array.dims[-len(grid.dims) :] == grid.dims


@pytest.mark.parametrize("name", FILES)
def test_fields_are_where_eccodes_finds_them(scan, test_data, name):
    path = test_data / "grib" / name
    wanted: list[tuple[Part, ArrayScan, tuple[int, ...], int]] = []
    for part in scan(name).parts:
        for array in part.arrays:
            places = stored(array)
            for index in random.Random(5).sample(places, min(4, len(places))):
                flat = np.ravel_multi_index(index, array.shape[: len(index)])
                wanted.append((part, array, index, int(array.table.offsets[flat])))
    known = truths(path, {offset for *_, offset in wanted})
    for part, array, index, offset in wanted:
        check(part, array, index, known[offset], path)


def check(part: Part, array: ArrayScan, index: tuple[int, ...], field: Truth, path: Path) -> None:
    at = dict(zip(array.dims, index, strict=False))
    assert array.attrs["grib:shortName"] == field.short_name
    assert instant(part, at) == field.valid
    for axis in part.axes:
        if axis.kind == "vertical" and axis.name in at:
            assert axis.values[at[axis.name]] == pytest.approx(field.level)
        if axis.kind == "number":
            assert axis.values[at[axis.name]] == field.number
    chunk = Grib().source(array, str(path)).load((*index, *([0] * array.codec["grid_dims"])))
    np.testing.assert_array_equal(chunk.ravel(), field.values)
    lon, lat = grid_from_json(part.grid).centres()
    assert np.abs(lat - field.lats).max() < 1.1e-3
    aside = np.abs((lon - field.lons + 180) % 360 - 180)
    assert (aside * np.cos(np.radians(field.lats))).max() < 1.1e-3


@pytest.mark.parametrize("name", FILES)
def test_every_message_is_in_the_table_once(scan, test_data, name):
    with (test_data / "grib" / name).open("rb") as file:
        count = eccodes.codes_count_in_file(file)
    offsets = [
        offset
        for part in scan(name).parts
        for array in part.arrays
        for offset, length in zip(array.table.offsets, array.table.lengths, strict=True)
        if length
    ]
    assert len(offsets) == len(set(offsets)) == count


def test_identity_of_2t(scan):
    (array,) = scan("era5-2mt-2019-03-uk.grib").parts[0].arrays
    assert array.attrs == {
        "long_name": "2 metre temperature",
        "units": "K",
        "standard_name": "air_temperature",
        "height": 2.0,
        "mars:class": "ea",
        "mars:stream": "oper",
        "mars:type": "an",
        "mars:expver": "0001",
        "mars:levtype": "sfc",
        "mars:param": "167",
        "grib:shortName": "2t",
        "grib:typeOfLevel": "surface",
        "grib:gridType": "regular_ll",
        "grib:centre": "ecmf",
        "grib:stepType": "instant",
    }


def test_monthly_means_say_so(scan):
    (array,) = scan("era5_moda_2t_201808_0p25.grb").parts[0].arrays
    assert array.attrs["cell_methods"] == "time: mean"


def test_lagged_members_share_their_nominal_start(scan):
    """28 members started on four days, a week apart; the file gives the first of the month as their common date."""
    (part,) = scan("forecast_monthly_ukmo.grib").parts
    starts = [datetime.fromtimestamp(ms / 1000, UTC) for ms in part.axes[0].values.tolist()]
    assert starts == [datetime(2016, 1, 1, tzinfo=UTC), datetime(2016, 2, 1, tzinfo=UTC)]


def test_pascal_and_hectopascal_are_one_axis(scan):
    pressure = scan("hpa_and_pa.grib").parts[0].axes[-1]
    assert (pressure.values.tolist(), pressure.units) == ([0.01, 0.1, 1.0], "hPa")


def test_the_checksum_is_of_the_whole_file(scan, test_data):
    import hashlib

    name = "wave_spectra.grib"
    content = (test_data / "grib" / name).read_bytes()
    assert scan(name).checksum == "1220" + hashlib.sha256(content).hexdigest()
    assert scan(name).size == len(content)
