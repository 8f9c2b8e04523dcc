import cftime
import numpy as np
import pytest
import xarray as xr

from terrella.cubes.times import step_values, time_values

DAY = 86_400_000


@pytest.mark.parametrize(
    "calendar", ["standard", "proleptic_gregorian", "gregorian", "", "noleap", "360_day", "julian"]
)
def test_times_equal_those_that_xarray_decodes(calendar):
    days = np.array([0, 59, 60, 11_000, -3000], dtype=np.int64)
    attrs = {"units": "days since 1970-01-01", "calendar": calendar or "standard"}
    expected = xr.decode_cf(xr.Dataset({"time": ("time", days, attrs)})).time.values
    found = time_values(days * DAY, calendar)
    if calendar == "julian":
        assert found[0] == cftime.datetime(1970, 1, 1, calendar="julian")
    assert found.dtype == (expected.dtype if expected.dtype == object else "M8[ns]")
    assert (found == expected).all()


def test_dates_beyond_nanoseconds_and_before_gregory_are_kept():
    far = time_values(np.array([3000 * 365 * DAY]), "standard")
    assert far[0].year > 4000
    old = time_values(np.array([-400 * 365 * DAY]), "standard")
    assert old[0].calendar == "standard"


def test_steps_are_differences():
    assert step_values(np.array([3_600_000])) == np.timedelta64(1, "h")
