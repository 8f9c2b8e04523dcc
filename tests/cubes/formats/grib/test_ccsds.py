"""CCSDS packing: whole messages and single values equal, to the last bit, to what ecCodes decodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj  # noqa: F401 -- before ecCodes: libproj clash

# isort: split
import eccodes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.formats.grib import Grib, aec
from terrella.errors import Unreadable
from terrella.site import Site
from terrella.storage import files

from .conftest import only_array, small

PROPERTY = settings(derandomize=True, deadline=None, max_examples=60)
SHAPE = (48, 60)
CELLS = SHAPE[0] * SHAPE[1]


def field(values, **keys):
    """A field of 48 x 60 points in CCSDS packing."""
    grid = {"Ni": 60, "Nj": 48, "iDirectionIncrementInDegrees": 1, "jDirectionIncrementInDegrees": 1}
    corners = {"latitudeOfLastGridPointInDegrees": 13, "longitudeOfLastGridPointInDegrees": 59}
    packing = {"packingType": "grid_ccsds", "ccsdsBlockSize": 8, "ccsdsRsi": 4}
    if "packingType" in keys:
        packing = {}
    return small(2, values, **{**grid, **corners, **packing, **keys})


def by_eccodes(message):
    """Values of a message, missing as NaN."""
    handle = eccodes.codes_new_from_message(message)
    try:
        eccodes.codes_set(handle, "missingValue", 1e30)
        values = eccodes.codes_get_values(handle)
        return np.where(values == 1e30, np.nan, values)
    finally:
        eccodes.codes_release(handle)


def series(count=3, seed=0, missing=0.0, **keys):
    rng = np.random.default_rng(seed)
    made = []
    for day in range(count):
        values = 280 + np.cumsum(rng.normal(size=CELLS)) * 0.1
        if missing:
            values[rng.random(CELLS) < missing] = 1e30
            keys |= {"bitmapPresent": 1, "missingValue": 1e30}
        made.append(field(values, dataDate=20200101 + day, **{"bitsPerValue": 16, **keys}))
    return made


def opened(scan, folder=None):
    """A source, and positions of its chunks."""
    kind = Grib()
    if folder is not None:
        kind.keep_in(folder)
    array = only_array(scan)
    return kind.source(array, scan.href), np.array([(day, 0, 0, 0) for day in range(array.shape[0])])


def test_the_decoder_is_here():
    """Of this project's own environment; without it messages are decoded whole by ecCodes."""
    assert aec.is_here()


@PROPERTY
@given(
    bits=st.integers(1, 32),
    block=st.sampled_from([8, 16, 32, 64]),
    interval=st.sampled_from([1, 2, 7, 128]),
    size=st.integers(-6, 9),
    missing=st.sampled_from([0, 0, 0.02, 0.6, 0.999, 1]),
    smooth=st.booleans(),
    data=st.data(),
)
def test_any_ccsds_packing_equals_eccodes(tmp_path_factory, bits, block, interval, size, missing, smooth, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    noise = rng.normal(size=(2, CELLS)) * 10.0**size
    values = np.cumsum(noise, axis=1) if smooth else noise
    if smooth:
        values[:, 500:1800] = values[:, 500:501]  # long runs of equal numbers have a code of their own
    keys = {"bitmapPresent": 1, "missingValue": 1e30} if missing else {}
    values[rng.random(values.shape) < missing] = 1e30
    coding = {"bitsPerValue": bits, "ccsdsBlockSize": block, "ccsdsRsi": interval}
    messages = [field(one, dataDate=20200101 + day, **keys, **coding) for day, one in enumerate(values)]
    path = tmp_path_factory.mktemp("ccsds") / "made.grib"
    path.write_bytes(b"".join(messages))
    (scan,) = Grib().scan(str(path))
    source, indices = opened(scan)
    for index, message in zip(indices.tolist(), messages, strict=True):
        np.testing.assert_array_equal(source.load(tuple(index)).ravel(), by_eccodes(message))
    drawn = data.draw(st.lists(st.integers(0, CELLS - 1), min_size=1, max_size=12))
    cells = np.array([*drawn, 0, CELLS - 1])
    if "blocks" in only_array(scan).codec and "way" not in only_array(scan).codec:
        assert source.cells_stored(indices, cells) is not None
        found, _ = source.load_cells(indices, cells)
        np.testing.assert_array_equal(found, [by_eccodes(message)[cells] for message in messages])


def test_the_second_request_reads_the_needed_blocks_only(scanned, tmp_path, monkeypatch):
    messages = series(8)
    scan = scanned(*messages)
    source, indices = opened(scan, tmp_path / "kept")
    cells = np.array([777])
    assert source.cells_stored(indices, cells) is None  # nothing is known: whole messages
    for index in indices.tolist():
        source.load(tuple(index))

    again, _ = opened(scan, tmp_path / "kept")  # as after a restart
    said = again.cells_stored(indices, cells)
    read = []
    really = files.read_ranges
    monkeypatch.setattr(files, "read_ranges", lambda *args: read.append(sum(args[2])) or really(*args))
    found, is_there = again.load_cells(indices, cells)
    assert is_there is None
    assert sum(read) == said < sum(map(len, messages)) / 20
    np.testing.assert_array_equal(found[:, 0], [by_eccodes(one)[777] for one in messages])


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_every_cell_of_a_message_by_blocks(scanned, missing):
    (message,) = messages = series(1, seed=3, missing=missing)
    source, indices = opened(scanned(*messages))
    source.load((0, 0, 0, 0))
    found, _ = source.load_cells(indices, np.arange(CELLS)[::-1])
    np.testing.assert_array_equal(found[0], by_eccodes(message)[::-1])


def test_messages_that_are_not_known_yet_are_read_whole_and_known_then(scanned):
    messages = series(3)
    source, indices = opened(scanned(*messages))
    source.load((1, 0, 0, 0))
    before = source.cells_stored(indices, np.array([5]))
    assert len(messages[0]) + len(messages[2]) < before < sum(map(len, messages))
    found, _ = source.load_cells(indices, np.array([5]))
    np.testing.assert_array_equal(found[:, 0], [by_eccodes(one)[5] for one in messages])
    assert source.cells_stored(indices, np.array([5])) < before / 10


def test_rows_that_run_in_columns_or_to_and_fro(scanned):
    for keys in ({"jPointsAreConsecutive": 1}, {"alternativeRowScanning": 1}):
        scan = scanned(field(np.random.default_rng(2).normal(size=CELLS), bitsPerValue=12, **keys))
        source, indices = opened(scan)
        whole = source.load((0, 0, 0, 0)).ravel()
        found, _ = source.load_cells(indices, np.arange(CELLS))
        np.testing.assert_array_equal(found[0], whole)


def test_simple_and_ccsds_messages_in_one_array(scanned):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, CELLS))
    messages = [
        field(values[0], bitsPerValue=16),
        field(values[1], bitsPerValue=16, packingType="grid_simple", dataDate=20200102),
    ]
    scan = scanned(*messages)
    source, indices = opened(scan)
    whole = [source.load(tuple(index)).ravel() for index in indices.tolist()]
    found, _ = source.load_cells(indices, np.array([0, 1234]))
    np.testing.assert_array_equal(found, [one[[0, 1234]] for one in whole])


@pytest.mark.parametrize("at", [-400, -5, 190])
def test_a_flipped_bit_is_never_a_wrong_number(scanned, tmp_path, at):
    messages = series(2)
    scan = scanned(*messages)
    source, indices = opened(scan, tmp_path / "kept")
    expected = [source.load(tuple(index)).ravel() for index in indices.tolist()]
    data = bytearray(Path(scan.href).read_bytes())
    data[at] ^= 0x10
    Path(scan.href).write_bytes(data)
    day = 0 if at > 0 else 1
    with pytest.raises(Unreadable, match="not the one that was added"):
        source.load((day, 0, 0, 0))
    for cell in range(0, CELLS, 32):
        try:
            found, _ = source.load_cells(indices[day : day + 1], np.array([cell]))
        except Unreadable:
            continue
        assert found[0, 0] == expected[day][cell]


def test_what_is_known_of_another_file_of_that_name_is_not_used(scanned, tmp_path):
    first = scanned(*series(2))
    source, indices = opened(first, tmp_path / "kept")
    for index in indices.tolist():
        source.load(tuple(index))
    other, _ = opened(scanned(*series(2, seed=9)), tmp_path / "kept")
    assert other.cells_stored(indices, np.array([7])) is None


def test_kept_blocks_that_are_damaged_are_learnt_again(scanned, tmp_path):
    scan = scanned(*series(2))
    source, indices = opened(scan, tmp_path / "kept")
    for index in indices.tolist():
        source.load(tuple(index))
    (kept,) = (tmp_path / "kept").iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[:-7], whole[:60] + b"\xff" + whole[61:], b"", b"junk" * 9):
        kept.write_bytes(damaged)
        again, _ = opened(scan, tmp_path / "kept")
        values = [again.load(tuple(index)).ravel()[33] for index in indices.tolist()]
        found, _ = again.load_cells(indices, np.array([33]))
        assert found[:, 0].tolist() == values


def test_a_site_that_is_opened_again_reads_blocks(tmp_path):
    messages = series(20)
    path = tmp_path / "series.grib2"
    path.write_bytes(b"".join(messages))
    point = {"point": (7.2, 55.1)}
    with Site.open(tmp_path / "home", reading={"scanners": 1, "cache_bytes": 0}) as site:
        site.add(path)
        before = site.cut("series", **point)
        assert before.plan.bytes_read == len(path.read_bytes())
    with Site.open(tmp_path / "home", reading={"scanners": 1}) as site:
        again = site.cut("series", **point)
        assert again.plan.bytes_read < before.plan.bytes_read / 20
        (name,) = again.dataset.data_vars
        np.testing.assert_array_equal(again.dataset[name].values, before.dataset[name].values)
        assert [one.name for one in (tmp_path / "home" / "cache" / "grib").iterdir()]


def test_a_real_file_bit_by_bit(test_data):
    path = test_data / "grib" / "ecmwf-ifs-oper-surface.grib2"
    (scan,) = Grib().scan(str(path))
    arrays = [array for part in scan.parts for array in part.arrays]
    data = path.read_bytes()
    cells = np.random.default_rng(0).integers(0, 1_038_240, 40)
    for array in arrays:
        source = Grib().source(array, scan.href)
        indices = np.zeros((1, len(array.shape)), dtype=np.int64)
        whole = source.load((0,) * len(array.shape)).ravel()
        offset, length = source.place((0,) * len(array.shape))
        np.testing.assert_array_equal(whole, by_eccodes(data[offset : offset + length]))
        found, _ = source.load_cells(indices, cells)
        np.testing.assert_array_equal(found[0], whole[cells])
        assert source.cells_stored(indices, cells[:1]) < length / 20
