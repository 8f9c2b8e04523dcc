import numpy as np
import pytest
import xarray as xr

from terrella.cubes.packing import unpack
from terrella.model.scan import Packing


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "i4", ">f4", "f8"])
def test_values_equal_those_of_xarray(dtype):
    stored = np.array([0, 1, 2, 100, 7], dtype=dtype)
    packing = Packing(scale=0.01, offset=250.0, missing=(7.0,))
    raw = xr.Dataset({"t": ("x", stored, {"scale_factor": 0.01, "add_offset": 250.0, "_FillValue": stored[4]})})
    expected = xr.decode_cf(raw).t.values
    np.testing.assert_allclose(unpack(stored, packing, np.dtype("f8")), expected, rtol=1e-6)
    assert unpack(stored, packing, np.dtype("f4")).dtype == np.float32


def test_missing_numbers_are_compared_as_they_are_stored():
    stored = np.array([1e20, 2, 9.96921e36], dtype="f4")
    found = unpack(stored, Packing(missing=(1e20, 9.969209968386869e36)), np.dtype("f4"))
    np.testing.assert_array_equal(found, [np.nan, 2, np.nan])
    found = unpack(np.array([255, 3], "u1"), Packing(missing=(-9999.0, 255.0, 0.5, float("nan"))), np.dtype("f4"))
    np.testing.assert_array_equal(found, [np.nan, 3])


def test_what_lies_outside_the_valid_range_is_missing():
    found = unpack(np.array([1, 5, 9], "i2"), Packing(valid_min=2, valid_max=8), np.dtype("f4"))
    np.testing.assert_array_equal(found, [np.nan, 5, np.nan])


def test_the_stored_array_is_never_changed():
    stored = np.array([1, 2], "f4")
    unpack(stored, Packing(missing=(2.0,)), np.dtype("f4"))
    assert stored.tolist() == [1, 2]
