"""CF packing attributes, odd ones too."""

from __future__ import annotations

import base64
import struct
from typing import Any

import numpy as np
import pytest

from terrella.cubes.cf.packing import coordinate, packing, stored_dtype
from terrella.cubes.cf.tree import Variable
from terrella.model.scan import Packing


def variable(dtype: str, attrs: dict[str, Any], data: Any = (), unwritten: float | None = None) -> Variable:
    values = np.array(data, dtype=dtype)
    return Variable("v", ("v",), values.shape, np.dtype(dtype), attrs, lambda: values, None, unwritten)


@pytest.mark.parametrize(
    ("dtype", "attrs", "expected"),
    [
        ("<f4", {}, Packing()),
        ("<f4", {"_FillValue": np.nan}, Packing()),
        ("<f8", {"_FillValue": base64.b64encode(struct.pack("<d", -9.0)).decode()}, Packing(missing=(-9.0,))),
        ("<f4", {"missing_value": np.array([1e20, -5])}, Packing(missing=(float(np.float32(1e20)), -5.0))),
        ("<i2", {"_FillValue": np.nan, "scale_factor": 0.1}, Packing(0.1)),
        ("<i2", {"_FillValue": 99999}, Packing()),
        ("<i2", {"scale_factor": "0.5", "add_offset": b"2"}, Packing(0.5, 2.0)),
        ("<i2", {"valid_range": np.array([1, 9], "i2")}, Packing(valid_min=1.0, valid_max=9.0)),
        ("<i2", {"valid_min": "2021-01-09T00:00"}, Packing()),
        ("<i2", {"valid_range": np.array([9, 1], "i2")}, Packing()),
        ("<i2", {"scale_factor": -0.5, "valid_max": 1.0}, Packing(-0.5, valid_min=-2.0)),
        ("|i1", {"_Unsigned": "true", "_FillValue": np.int8(-1)}, Packing(missing=(255,))),
        ("|i1", {"_Unsigned": "true", "valid_max": np.int8(-2)}, Packing(valid_max=254.0)),
        ("<u2", {"missing_value": np.int16(-1)}, Packing(missing=(65535,))),
    ],
)
def test_packing(dtype: str, attrs: dict[str, Any], expected: Packing) -> None:
    assert packing(variable(dtype, attrs)) == expected


def test_default_fill_only_where_none_is_declared() -> None:
    assert packing(variable("<f4", {}, unwritten=9.9e36)).missing
    assert packing(variable("<f4", {"_FillValue": -1.0}, unwritten=9.9e36)).missing == (-1.0,)


def test_unsigned() -> None:
    assert stored_dtype(variable(">i2", {"_Unsigned": "true"})) == np.dtype(">u2")
    assert stored_dtype(variable("<u4", {"_Unsigned": "false"})) == np.dtype("<i4")
    assert stored_dtype(variable("|b1", {})) == np.dtype("u1")


def test_coordinates() -> None:
    assert coordinate(variable("<i2", {}, [1, 2])).dtype == np.int64
    np.testing.assert_array_equal(coordinate(variable(">f4", {"_FillValue": 5.0}, [1, 5])), [1, np.nan])
    np.testing.assert_allclose(coordinate(variable("<i2", {"scale_factor": 0.1, "valid_max": 1}, [1, 2])), [0.1, 0.2])
    np.testing.assert_array_equal(coordinate(variable("|i1", {"_Unsigned": "true"}, [-1, 2])), [255, 2])
    np.testing.assert_array_equal(coordinate(variable("<f4", {}, [0, 1], unwritten=0.0)), [0, 1])
