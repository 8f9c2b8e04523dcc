"""Single values without decoding: equal, to the last bit, to what ecCodes gives for the whole message."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.contracts.formats import SupportsCells
from terrella.cubes.formats.grib import Grib
from terrella.cubes.formats.grib.cells import message_places
from terrella.cubes.formats.grib.source import arranged
from terrella.errors import Unreadable

from .conftest import only_array, small

PROPERTY = settings(deadline=None, max_examples=3000, database=None)


def source_of(scan, array=None):
    source = Grib().source(array or only_array(scan), scan.href)
    assert isinstance(source, SupportsCells)
    return source


def chunks_of(array):
    """Position of every chunk, one row each."""
    grid_dims = int(array.codec["grid_dims"])
    axes = array.shape[: len(array.shape) - grid_dims]
    return np.array([(*index, *(0,) * grid_dims) for index in np.ndindex(*axes)]).reshape(-1, len(array.shape))


def assert_same(source, indices, cells):
    """Values of cells are those of the whole field."""
    found, is_there = source.load_cells(indices, cells)
    for row, index in enumerate(indices.tolist()):
        whole = source.load(tuple(index))
        if whole is None:
            assert is_there is not None
            assert not is_there[row]
        else:
            np.testing.assert_array_equal(found[row], whole.ravel()[cells], strict=True)


def field(edition, values, **keys):
    """A field of 24 x 30 points."""
    grid = {"Ni": 30, "Nj": 24, "iDirectionIncrementInDegrees": 3, "jDirectionIncrementInDegrees": 2.5}
    corners = {"latitudeOfLastGridPointInDegrees": 2.5, "longitudeOfLastGridPointInDegrees": 87}
    return small(edition, values, **{**grid, **corners, "packingType": "grid_simple", **keys})


def signed(number):
    """Sign and magnitude in two bytes."""
    return (abs(number) | (0x8000 if number < 0 else 0)).to_bytes(2)


def rescaled(message, head, binary, decimal):
    """The same packed numbers, with other scales; `head` is where the section with the scales starts."""
    made = bytearray(message)
    if message[7] == 1:
        made[head + 4 : head + 6], made[8 + 26 : 8 + 28] = signed(binary), signed(decimal)
    else:
        made[head + 15 : head + 17], made[head + 17 : head + 19] = signed(binary), signed(decimal)
    return bytes(made)


@PROPERTY
@given(
    edition=st.sampled_from([1, 2]),
    bits=st.sampled_from([1, 2, 3, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 20, 23, 24, 25, 29, 31, 32]),
    binary=st.integers(-60, 30),
    decimal=st.integers(-9, 12),
    size=st.integers(-6, 9),
    missing=st.sampled_from([0, 0, 0.02, 0.5, 0.999, 1]),
    data=st.data(),
)
def test_any_simple_packing_equals_eccodes(tmp_path_factory, edition, bits, binary, decimal, size, missing, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(rng.normal() * 10.0**size, 10.0**size, 720)
    gone = rng.random(720) < missing
    keys = {"bitmapPresent": 1, "missingValue": 1e30, "bitsPerValue": bits} if missing else {"bitsPerValue": bits}
    messages = [
        field(edition, np.where(gone, 1e30, values * (1 + day)), dataDate=20200101 + day, **keys) for day in (0, 1)
    ]
    path = tmp_path_factory.mktemp("cells") / "made.grib"
    path.write_bytes(b"".join(messages))
    (scan,) = Grib().scan(str(path))
    heads = [way[1] for way in only_array(scan).codec["values"]] * 2
    path.write_bytes(messages[0] + rescaled(messages[1], heads[1], binary, decimal))
    (scan,) = Grib().scan(str(path))
    cells = np.array(data.draw(st.lists(st.integers(0, 719), min_size=1, max_size=12)), dtype=np.int64)
    assert_same(source_of(scan), chunks_of(only_array(scan)), np.concatenate((cells, [0, 719])))


@pytest.mark.parametrize("edition", [1, 2])
@pytest.mark.parametrize("bits", [9, 29, 31, 32])
def test_a_field_without_any_value_at_the_end_of_a_file(scanned, edition, bits):
    """It holds no packed number at all, so that there are hardly any bytes behind its bitmap."""
    scan = scanned(field(edition, np.full(720, 1e30), bitmapPresent=1, missingValue=1e30, bitsPerValue=bits))
    assert_same(source_of(scan), chunks_of(only_array(scan)), np.array([0, 719]))


@pytest.mark.parametrize("edition", [1, 2])
@pytest.mark.parametrize("value", [0.0, -3.25, 273.16, 1e-9, -1e12])
def test_constant_fields_need_their_head_only(scanned, edition, value):
    scan = scanned(field(edition, np.full(720, value)))
    source, indices = source_of(scan), chunks_of(only_array(scan))
    assert source.cells_stored(indices, np.array([5, 700])) == (11 if edition == 1 else 21)
    assert_same(source, indices, np.arange(0, 720, 50))


@pytest.mark.parametrize("edition", [1, 2])
def test_the_bytes_that_are_said_are_the_bytes_that_are_read(scanned, edition, monkeypatch):
    rng = np.random.default_rng(5)
    scan = scanned(*(field(edition, rng.normal(280, 9, 720), bitsPerValue=16, dataDate=20200101 + d) for d in range(9)))
    source, indices = source_of(scan), chunks_of(only_array(scan))
    said = source.cells_stored(indices, np.array([400, 401, 719]))
    read = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, offset: read.append(length) or real(file, length, offset))
    source.load_cells(indices, np.array([400, 401, 719]))
    head = 11 if edition == 1 else 32 - 11  # of edition 2 section 5; sections 6 and 7 lie between it and the values
    assert said == sum(read) == 9 * (head + 4 + 2)


def test_bytes_of_fields_with_a_bitmap_are_exact_too(scanned, monkeypatch):
    values = np.random.default_rng(6).normal(280, 9, 720)
    values[::3] = 9999
    scan = scanned(field(2, values, bitsPerValue=13, bitmapPresent=1, missingValue=9999))
    source, indices = source_of(scan), chunks_of(only_array(scan))
    read = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, offset: read.append(length) or real(file, length, offset))
    cells = np.array([1, 300, 301])
    said = source.cells_stored(indices, cells)
    source.load_cells(indices, cells)
    assert said == sum(read)
    assert_same(source, indices, cells)


SCANNING = [
    (edition, *flags)
    for edition in (1, 2)
    for flags in itertools.product([0, 1], repeat=4)
    if edition == 2 or not flags[3]  # edition 1 has no rows that turn
]


@pytest.mark.parametrize(("edition", "negative", "upwards", "columns", "turning"), SCANNING)
def test_every_scanning_mode(scanned, edition, negative, upwards, columns, turning):
    values = np.random.default_rng(7).normal(size=720)
    keys = {
        "iScansNegatively": negative,
        "jScansPositively": upwards,
        "jPointsAreConsecutive": columns,
        "alternativeRowScanning": turning,
    }
    if edition == 1:
        del keys["alternativeRowScanning"]
    if negative:
        keys |= {"longitudeOfFirstGridPointInDegrees": 87, "longitudeOfLastGridPointInDegrees": 0}
    if upwards:
        keys |= {"latitudeOfFirstGridPointInDegrees": 2.5, "latitudeOfLastGridPointInDegrees": 60}
    scan = scanned(field(edition, values, **keys))
    array = only_array(scan)
    assert_same(source_of(scan), chunks_of(array), np.arange(720))


@PROPERTY
@given(st.tuples(st.integers(1, 7), st.integers(1, 7)), st.booleans(), st.booleans())
def test_places_in_messages_reverse_the_arranging(shape, columns, turning):
    order = {key: True for key, is_so in (("columns", columns), ("turning", turning)) if is_so}
    size = shape[0] * shape[1]
    numbers = arranged(np.arange(size), shape, order)
    np.testing.assert_array_equal(message_places(np.arange(size), shape, order), numbers.ravel())


def test_several_fields_in_a_message_with_one_bitmap_for_all(scanned):
    """Edition 2 may give a bitmap once: later fields point back to it."""
    values = np.arange(12.0)
    values[[2, 7]] = 9999
    keys = {"bitmapPresent": 1, "missingValue": 9999, "bitsPerValue": 12, "level": 500}
    one, two = (small(2, v, **keys, parameterNumber=n) for n, v in ((2, values), (3, np.where(values < 99, 3, 9999))))
    both = joined(one, two)
    scan = scanned(both)
    (part,) = scan.parts
    assert len(part.arrays) == 2
    for array in part.arrays:
        assert "values" in array.codec
        assert_same(source_of(scan, array), chunks_of(array), np.arange(12))


def joined(one, two):
    """Two fields in one message: of the second sections 4 to 7, its bitmap being the one given before."""
    again = b"".join(
        (6).to_bytes(4) + b"\x06\xfe" if number == 6 else section for number, section in sections(two) if number >= 4
    )
    body = one[:-4] + again + b"7777"
    return body[:8] + len(body).to_bytes(8) + body[16:]


def sections(message):
    at = 16
    while at < len(message) - 4:
        length = int.from_bytes(message[at : at + 4])
        yield message[at + 4], message[at : at + length]
        at += length


def test_other_packings_are_left_to_eccodes(scanned):
    simple = field(2, np.arange(720.0))
    other = field(2, np.arange(720.0), packingType="grid_ccsds", dataDate=20200102)
    scan = scanned(simple, other)
    source, indices = source_of(scan), chunks_of(only_array(scan))
    assert source.cells_stored(indices, np.array([3])) is None
    assert source.cells_stored(indices[:1], np.array([3])) is not None
    alone = scanned(other)
    assert source_of(alone).cells_stored(chunks_of(only_array(alone)), np.array([3])) is None


def test_messages_that_are_not_there(scanned):
    scan = scanned(
        field(2, np.arange(720.0), level=500),
        field(2, np.arange(720.0), level=850),
        field(2, np.arange(720.0), level=500, dataDate=20200102),
    )
    source, indices = source_of(scan), chunks_of(only_array(scan))
    assert len(indices) == 4
    assert_same(source, indices, np.array([0, 99]))
    assert source.cells_stored(indices, np.array([0])) == source.cells_stored(indices[:1], np.array([0])) * 3


def test_many_cells_are_no_longer_worth_it(scanned):
    scan = scanned(field(2, np.random.default_rng(1).normal(size=720)))
    source, indices = source_of(scan), chunks_of(only_array(scan))
    assert source.cells_stored(indices, np.arange(0, 720, 40)) is None


@pytest.mark.parametrize("edition", [1, 2])
def test_a_file_that_changed_is_an_error_and_no_number(scanned, edition):
    rng = np.random.default_rng(3)
    scan = scanned(*(field(edition, rng.normal(size=720), bitsPerValue=16, dataDate=20200101 + d) for d in range(3)))
    source, indices, cells = source_of(scan), chunks_of(only_array(scan)), np.array([7])
    path = Path(scan.href)
    whole = path.read_bytes()
    for broken in (
        whole[8:] + bytes(8),
        bytes(len(whole)),
        b"".join(field(edition, rng.normal(size=720), bitsPerValue=12, dataDate=20200101 + d) for d in range(4)),
        whole[: len(whole) // 2],
    ):
        path.write_bytes(broken)
        with pytest.raises(Unreadable):
            source.load_cells(indices, cells)


def test_real_files(test_data):
    """Every message of every real file that can be read so, at some cells."""
    for path in sorted((test_data / "grib").glob("*.gr*b*")):
        (scan,) = Grib().scan(str(path))
        rng = np.random.default_rng(1)
        for part in scan.parts:
            for array in part.arrays:
                source, indices = source_of(scan, array), chunks_of(array)[:60]
                size = int(np.prod(array.chunks))
                cells = np.unique(np.concatenate((rng.integers(0, size, 3), [0, size - 1])))
                if source.cells_stored(indices, cells) is not None:
                    assert_same(source, indices, cells)


def test_edition_1_messages_of_over_eight_mebibytes(scanned):
    """Their length is coded in another way, and so is that of their section 4."""
    values = np.random.default_rng(9).normal(size=1500 * 1500)
    grid = {"Ni": 1500, "Nj": 1500, "iDirectionIncrementInDegrees": 0.06, "jDirectionIncrementInDegrees": 0.04}
    corners = {"latitudeOfLastGridPointInDegrees": 0.04, "longitudeOfLastGridPointInDegrees": 89.94}
    message = small(1, values, **grid, **corners, bitsPerValue=32)
    assert len(message) > 1 << 23
    scan = scanned(message)
    array = only_array(scan)
    assert "values" in array.codec
    assert_same(source_of(scan), chunks_of(array), np.array([0, 1, 1_000_000, 1500 * 1500 - 1]))
