"""Where along axes a request lies. Expected indices are written by hand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from terrella.errors import Invalid
from terrella.extraction.mars import parse_request, placed
from terrella.model.extraction import Everything, Extraction
from terrella.model.scan import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = 3_600_000
DAY = 24 * HOUR
EXTRACTION = Extraction("c", Everything())
FIRST = np.datetime64("2024-02-27", "ms").astype(np.int64)
HOURLY = Axis("time", "time", FIRST + np.arange(96) * HOUR, "", "proleptic_gregorian")
"""27 February 2024 to 1 March, across the 29th."""
STARTS = Axis("reference_time", "reference_time", FIRST + np.arange(6) * 12 * HOUR, "", "standard")
STEPS = Axis("step", "step", np.array([0, 3, 6, 12, 24]) * HOUR)
HECTOPASCAL = Axis("pressure", "vertical", np.array([1000.0, 850.0, 500.0, 300.0]), "hPa")
MEMBERS = Axis("number", "number", np.arange(5))


def select(axes: Sequence[Axis], base: date = date(2024, 3, 1), **words: Any) -> Extraction:
    return placed(parse_request(words), EXTRACTION, axes, base=base)


def at(day: str, hour: int) -> str:
    return f"2024-{day}T{hour:02d}:00:00Z"


def interval(made: Extraction) -> tuple[str, str]:
    assert made.interval is not None
    return str(made.interval.start), str(made.interval.end)


def test_one_date_is_all_its_times() -> None:
    assert interval(select([HOURLY], date="20240228")) == (at("02-28", 0), at("02-28", 23))
    assert interval(select([HOURLY], date="2024-02-28")) == (at("02-28", 0), at("02-28", 23))


def test_relative_dates_count_from_today() -> None:
    assert interval(select([HOURLY], date=-1)) == (at("02-29", 0), at("02-29", 23))
    assert interval(select([HOURLY], date="0", time="0000")) == (at("03-01", 0), at("03-01", 0))


def test_dates_times_and_ranges_cross() -> None:
    made = select([HOURLY], date="20240227/to/20240301/by/2", time="0000/0600")
    assert made.select["time"] == tuple(at(day, hour) for day in ("02-27", "02-29") for hour in (0, 6))
    made = select([HOURLY], date="20240227/to/20240301", time="0/to/12/by/12")
    assert made.select["time"] == tuple(
        at(day, hour) for day in ("02-27", "02-28", "02-29", "03-01") for hour in (0, 12)
    )


@pytest.mark.parametrize("text", ["0000", "0", 0, "00", "00:00", "000000"])
def test_midnight_in_every_spelling(text: object) -> None:
    assert interval(select([HOURLY], date="20240227", time=text)) == (at("02-27", 0), at("02-27", 0))


def test_a_clock_that_yaml_turned_into_a_number() -> None:
    assert interval(select([HOURLY], date="20240227", time=600)) == (at("02-27", 6), at("02-27", 6))
    assert interval(select([HOURLY], date="20240227", time=1200)) == (at("02-27", 12), at("02-27", 12))


def test_year_month_and_day() -> None:
    assert interval(select([HOURLY], year=2024, month=2)) == (at("02-27", 0), at("02-29", 23))
    assert interval(select([HOURLY], year="2024", month="2/3", day="1")) == (at("03-01", 0), at("03-01", 23))


def test_a_range_includes_its_end() -> None:
    made = select([STARTS, STEPS], date="20240227", time="0000", step="0/to/12/by/6")
    assert made.select == {"reference_time": (at("02-27", 0),), "step": (0.0, 6.0, 12.0)}


def test_a_range_without_a_stride_takes_what_lies_there() -> None:
    assert select([STARTS, STEPS], step="0/to/12").select["step"] == (0.0, 3.0, 6.0, 12.0)
    assert select([HECTOPASCAL], levelist="1000/to/500").vertical == (1000.0, 850.0, 500.0)
    assert select([MEMBERS], number="1/to/3").select["number"] == (1, 2, 3)


def test_all_is_all() -> None:
    made = select(
        [STARTS, STEPS, MEMBERS, HECTOPASCAL], date="ALL", time="ALL", step="ALL", number="ALL", levelist="ALL"
    )
    assert made.select == {"step": (0.0, 3.0, 6.0, 12.0, 24.0)}
    assert made.vertical is None


def test_steps_in_hours_minutes_and_periods() -> None:
    axis = Axis("step", "step", np.array([30, 60, 90]) * 60_000)
    assert select([STARTS, axis], step="30m/1h30m").select["step"] == (0.5, 1.5)
    assert select([STARTS, STEPS], step="0-24").select["step"] == (24.0,)
    assert select([STARTS, STEPS], step="6h").select["step"] == (6.0,)


def test_a_step_on_valid_times_counts_from_the_date() -> None:
    assert interval(select([HOURLY], date="20240227", time="1200", step=36)) == (at("02-29", 0), at("02-29", 0))


def test_levels_are_in_hectopascal_whatever_the_axis_counts() -> None:
    pascal = Axis("pressure", "vertical", HECTOPASCAL.values * 100, "Pa")
    assert select([pascal], levelist="500/300").vertical == (50000.0, 30000.0)


def test_a_single_member_needs_no_axis() -> None:
    assert select([HOURLY], number=0).select == {}
    with pytest.raises(Invalid, match="leave number out"):
        select([HOURLY], number="0/1/2")


def test_other_axes_by_their_own_names() -> None:
    axis = Axis("direction", "other", np.array([1, 2, 3]))
    request = parse_request({"direction": "1/to/3/by/2"}, also=["direction"])
    assert placed(request, EXTRACTION, [axis]).select == {"direction": (1.0, 3.0)}


def test_a_calendar_of_360_days() -> None:
    values = (np.arange(60) * DAY).astype(np.int64)
    axis = Axis("time", "time", values, "", "360_day")
    made = select([axis], date="19700201/to/19700228", year=1970)
    assert interval(made) == ("1970-02-01T00:00:00Z", "1970-02-28T00:00:00Z")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"date": "20240230"}, "no date"),
        ({"date": "yesterday"}, "no date"),
        ({"date": "20230101"}, "2024-02-27T00:00:00Z to 2024-03-01T23:00:00Z"),
        ({"date": "20240228/20250101"}, "2025-01-01"),
        ({"date": "20240301/to/20240228"}, "backwards"),
        ({"date": "20240227/to/20240301/by/0"}, "by/0"),
        ({"date": "20240227/to/20240301/by/x"}, "no number"),
        ({"time": "2500"}, "no time of day"),
        ({"time": "0030"}, "that date and time"),
        ({"date": "20240227", "time": "0000/0030"}, "0030"),
        ({"levelist": "500"}, "no levels"),
        ({"step": "1x"}, "no step"),
    ],
)
def test_what_is_not_there_is_named(words: dict[str, str], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        select([HOURLY], **words)


def test_a_step_that_is_not_there_names_what_is() -> None:
    with pytest.raises(Invalid, match="0, 3, 6, 12, 24 h"):
        select([STARTS, STEPS], step="0/to/24/by/6")
    with pytest.raises(Invalid, match="more than 0"):
        select([STARTS, STEPS], step="0/to/24/by/0")
    with pytest.raises(Invalid, match="at most"):
        select([STARTS, STEPS], step="0/to/99999999/by/1")
