"""Times in tags and names of rasters."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from terrella.cubes.images.times import parse_time, taken, time_in_name

utc = partial(datetime, tzinfo=UTC)
EARLIEST, LATEST = utc(1900, 1, 1).replace(tzinfo=None), utc(2099, 12, 31).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openEO_2023-06-01Z", utc(2023, 6, 1)),
        ("S2A_MSIL1C_20170605T123045_N0205_R066_20180101T124911", utc(2017, 6, 5, 12, 30, 45)),
        ("201609281700_FINUTM", utc(2016, 9, 28, 17)),
        ("MOD10A2.A2022033.h09v05.061.2022042050729_Eight_Day_Snow_Cover", utc(2022, 2, 2)),
        ("VNP46A1.A2020366.0730.001", utc(2020, 12, 31, 7, 30)),
        ("OR_ABI-L2_G16_s20211451810267_e20211451810324_c20211451810387_CMI", utc(2021, 5, 25, 18, 10, 26)),
        ("SEAFLUX_V02R00_SST_D20210831_C20211223-0-sst", utc(2021, 8, 31)),
        ("climate-dt_2t_20400102T0000", utc(2040, 1, 2)),
        ("LC08_L2SP_089090_20240417_20240423_02_T1", utc(2024, 4, 17)),
        ("20200105_123000_analytic", utc(2020, 1, 5, 12, 30)),
        ("AST_L1A_00303182012144228_Z", utc(2012, 3, 18, 14, 42, 28)),
        ("ESA_WorldCover_10m_2021_v200_N00E006_Map", None),
        ("U2018_CLC2018_V2020_20u1_FR_GLP", None),
        ("occurrence-0000360000-0000480000", None),
        ("tile_12345678", None),
        ("20201345", None),
        ("A2021400", None),
        ("A2021366", None),
        ("id_202001051200345", None),
        ("dem", None),
    ],
)
def test_in_names(name, expected):
    assert time_in_name(name) == expected


@pytest.mark.parametrize(
    ("tags", "start", "source"),
    [
        ({"TIFFTAG_DATETIME": "2012:03:18 14:42:28"}, utc(2012, 3, 18, 14, 42, 28), "TIFF DateTime tag"),
        ({"ACQUISITIONDATETIME": "2012-03-18T14:42:28Z"}, utc(2012, 3, 18, 14, 42, 28), "metadata"),
        ({"NC_GLOBAL#time_coverage_start": "2012-03-18"}, utc(2012, 3, 18), "metadata"),
        ({"Observation time": "201609281700"}, utc(2016, 9, 28, 17), "metadata"),
        (
            {"DATE_ACQUIRED": "2012-03-18", "SCENE_CENTER_TIME": "14:42:28.1234567Z"},
            utc(2012, 3, 18, 14, 42, 28, 123456),
            "metadata",
        ),
        ({"class": "od", "date": "20120318", "time": "1200", "step": "36"}, utc(2012, 3, 20), "MARS keys"),
        ({"class": "od", "date": "20120318", "time": "0"}, utc(2012, 3, 18), "MARS keys"),
        ({"date": "yesterday", "time": "noon"}, None, ""),
        ({"TIFFTAG_DATETIME": "0000:00:00 00:00:00"}, None, ""),
    ],
)
def test_in_tags(tags, start, source):
    found = taken(tags, "x")
    assert (found.start if found else None) == start
    assert found is None or found.source.startswith(source)


def test_a_name_is_better_than_when_the_file_was_written():
    found = taken({"TIFFTAG_DATETIME": "2024:03:18 14:42:28"}, "x_20200105")
    assert found
    assert (found.start.year, found.source) == (2020, "file name")


def test_an_end_before_the_start_is_none():
    found = taken({"time_start": "2020-01-02", "time_end": "2020-01-01"}, "")
    assert found
    assert found.end is None


@settings(derandomize=True, deadline=None)
@given(some.text(max_size=40), some.text(alphabet="0123456789-_T:sA.Z", max_size=40))
def test_any_text(text, digits):
    for one in (text, digits):
        time_in_name(one)
        parse_time(one)
        taken({"datetime": one, "date": one, "class": "od", "time": one, "step": one}, one)


@settings(derandomize=True, deadline=None)
@given(some.datetimes(EARLIEST, LATEST).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)))
def test_every_time_is_found_again(at):
    for pattern in ("x_%Y%m%dT%H%M%S_y", "x_%Y-%m-%dT%H:%M:%S", "x%Y%m%d%H%M%S", "x_s%Y%j%H%M%S0_y"):
        assert time_in_name(at.strftime(pattern)) == at
