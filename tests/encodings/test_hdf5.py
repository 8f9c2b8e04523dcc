"""Times taken out of HDF5 images: they stay files that HDF5 reads, whatever they hold."""

from __future__ import annotations

import io
import time

import h5py
import netCDF4
import numpy as np
import pytest

from terrella.encodings.hdf5 import without_times


def _image(attributes: int) -> bytes:
    file = netCDF4.Dataset("made.nc", mode="w", format="NETCDF4", memory=1 << 14)
    file.createDimension("x", 5)
    file.createVariable("v", "f4", ("x",), zlib=True)[:] = np.arange(5)
    file.setncatts({f"a{number}": "text" * number for number in range(attributes)})
    return bytes(file.close())


@pytest.mark.parametrize("attributes", [0, 3, 40])
def test_the_same_at_another_second(attributes: int) -> None:
    first = _image(attributes)
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.01)
    second = _image(attributes)
    assert first != second
    made = without_times(first)
    assert made == without_times(second) == without_times(made)
    with h5py.File(io.BytesIO(made)) as file:
        np.testing.assert_array_equal(file["v"][:], np.arange(5))
        assert sum(name.startswith("a") for name in file.attrs) == attributes


@pytest.mark.parametrize(
    "image", [b"", b"CDF\x01", b"\x89HDF\r\n\x1a\n" + bytes(3), b"\x89HDF\r\n\x1a\n\x02\x08" + bytes(90)]
)
def test_anything_else_stays(image: bytes) -> None:
    assert without_times(image) == image
