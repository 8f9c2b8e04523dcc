"""Values as 16-bit numbers: error bounds by hypothesis, bytes by decoders of others."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from terrella.encodings.valuetiles import CODES, Scaling, accepted, blank, coded, filtered, unfiltered

SMALL = st.floats(-1e30, 1e30, allow_nan=False)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data(), SMALL, SMALL)
def test_no_value_is_off_by_more_than_half_a_step(data, one, other) -> None:
    low, high = sorted((one, other))
    scaling = Scaling.between(low, high)
    values = data.draw(hnp.arrays(np.float64, 50, elements=st.floats(low, high, allow_nan=False)))
    numbers, outside = scaling.numbers(values)
    assert outside == 0
    assert numbers.min() >= 1
    rounding = 8 * np.finfo(np.float64).eps * (abs(low) + abs(high) + abs(scaling.offset))
    assert np.abs(scaling.values(numbers) - values).max() <= scaling.scale / 2 * (1 + 1e-9) + rounding


@settings(derandomize=True, deadline=None)
@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_rows_of_differences(numbers) -> None:
    data = filtered(numbers)
    assert len(data) == 2 * numbers.size
    assert (unfiltered(data, numbers.shape[1]) == numbers).all()
    row, total, made = np.frombuffer(data, "<u2").reshape(numbers.shape)[-1].tolist(), 0, []
    for difference in row:  # as a client does it
        total = (total + difference) % 65536
        made.append(total)
    assert made == numbers[-1].tolist()


def test_packed_numbers_come_back_exactly() -> None:
    stored = np.arange(-32767, 32768)
    values = (stored * 0.01 + 273.15).astype(np.float32)
    numbers, outside = Scaling.stepped(-32767 * 0.01 + 273.15, 0.01).numbers(values)
    assert (numbers == np.arange(1, CODES + 1)).all()
    assert outside == 0


def test_missing_is_zero_and_beyond_is_the_end() -> None:
    numbers, outside = Scaling.between(0.0, 1.0).numbers(np.array([np.nan, 0, 1, 2, -1, np.inf]))
    assert numbers.tolist() == [0, 1, CODES, CODES, 1, 0]
    assert outside == 2


@pytest.mark.parametrize(("low", "high"), [(0.0, 1e-30), (280.0, 280.0), (0.0, 0.0), (-8e307, 8e307), (5e-324, 1e-323)])
def test_ranges_of_all_sizes(low, high) -> None:
    scaling = Scaling.between(low, high)
    assert scaling.scale > 0
    assert np.isfinite([scaling.scale, scaling.offset]).all()
    numbers, _ = scaling.numbers(np.array([low, high]))
    assert numbers[0] == 1
    assert abs(scaling.values(numbers)[1] - high) <= scaling.scale
    if low == 0.0 and high == 1e-30:
        assert numbers[1] == CODES


@pytest.mark.parametrize(("coding", "decode"), [("zstd", lambda data, size: pa.decompress(data, size, "zstd", asbytes=True)), ("gzip", lambda data, _: gzip.decompress(data)), ("deflate", lambda data, _: zlib.decompress(data)), ("identity", lambda data, _: data)])  # fmt: skip
def test_codings_as_others_decode_them(coding, decode) -> None:
    data = filtered(np.random.default_rng(1).integers(0, 65536, (258, 258)).astype(np.uint16))
    assert decode(coded(data, coding), len(data)) == data


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"), ("", "identity"), ("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate, br", "gzip"), ("deflate", "deflate"), ("*", "zstd"),
        ("zstd;q=0, gzip;q=0.5", "gzip"), ("zstd;q=0.1, gzip;q=0.9", "gzip"), ("identity;q=0, br", "identity"), ("br", "identity"), ("gzip;q=nonsense", "identity"), ("ZSTD", "zstd"),
    ],
)  # fmt: skip
def test_what_clients_accept(header, coding) -> None:
    assert accepted(header) == coding


def test_blank() -> None:
    assert (unfiltered(blank((3, 5)), 5) == np.zeros((3, 5))).all()
