"""Walking files message by message: what lies between, what is damaged, what holds several fields."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.cubes.formats.grib.messages import MessageReader, fields, only_field
from terrella.errors import TerrellaError, Unreadable, Unsupported

from .conftest import loaded, make_message, only_array, small


def offsets(data: bytes) -> list[int]:
    return [message.offset for message in MessageReader(io.BytesIO(data), len(data))]


def test_messages_are_found_between_headers_and_padding():
    one = small()
    bulletin = b"\x01\r\r\n123\r\r\nHTXA50 ECMF 101200\r\r\n"
    data = bulletin + one + b"\0" * 52 + one + b"\r\r\n\x03" + one
    assert offsets(data) == [len(bulletin), len(bulletin) + len(one) + 52, len(data) - len(one)]


def test_zeros_between_messages_are_not_worth_a_note_but_other_bytes_are(scanned):
    assert scanned(small(), b"\0" * 100).notes == ()
    assert scanned(small(), b"junk\0").notes == ("4 bytes outside of messages were passed over.",)


def test_the_word_alone_is_no_message():
    assert offsets(b"GRIB is a format. GRIB\x00\x00\x00\x07" + small()) == [26]
    assert offsets(b"GRI") == []


def test_messages_longer_than_a_block_are_read():
    values = np.random.default_rng(1).random(1_000_000)
    long = make_message(
        "regular_ll_pl_grib2",
        Ni=1000,
        Nj=1000,
        iDirectionIncrement=1,
        jDirectionIncrement=1,
        bitsPerValue=24,
        values=values,
    )
    assert len(long) > 2 << 20
    assert offsets(small() + long + small()) == [0, len(small()), len(small()) + len(long)]


def test_edition_1_messages_over_8_mib():
    """ecCodes writes ECMWF's long form by itself."""
    values = np.random.default_rng(1).random(2000 * 2300)
    long = make_message("regular_ll_pl_grib1", Ni=2000, Nj=2300, bitsPerValue=16, values=values)
    assert len(long) > 1 << 23
    assert long[4] & 0x80
    assert offsets(b"x" + long + small(1)) == [1, 1 + len(long)]


def test_a_cut_off_message_is_named(scanned):
    one = small()
    with pytest.raises(Unreadable, match=rf"Message 2 at byte {len(one)} is cut off: it has {len(one)} bytes"):
        scanned(one, one[:-30])


def test_a_message_that_does_not_end_is_named(scanned):
    one = small()
    with pytest.raises(Unreadable, match="Message 1 at byte 0 is damaged"):
        scanned(one[:-4] + b"7778", one)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"nothing here", "no GRIB message"), (b"GRIB", "no GRIB")]
)
def test_files_without_messages(scanned, content, reason):
    with pytest.raises(Unreadable, match=reason):
        scanned(content)


def test_spectral_fields_are_refused_by_name(scanned):
    spectral = make_message("sh_pl_grib2")
    with pytest.raises(Unsupported, match="spectral coefficients"):
        scanned(spectral)
    mixed = scanned(spectral, small())
    assert "1 field left out: spectral" in mixed.notes[0]
    assert len(mixed.parts) == 1


def joined(*messages: bytes) -> bytes:
    """Messages of one grid as one message of several fields: sections 4 to 7 repeat."""
    first = messages[0]
    body = first[16:-4] + b"".join(sections_from(message, 4) for message in messages[1:])
    return first[:8] + (20 + len(body)).to_bytes(8) + body + b"7777"


def sections_from(message: bytes, number: int) -> bytes:
    at = 16
    while message[at + 4] != number:
        at += int.from_bytes(message[at : at + 4])
    return message[at:-4]


def test_messages_of_several_fields(scanned):
    wind = [small(shortName=name, values=np.arange(12.0) + shift) for name, shift in (("u", 0), ("v", 100))]
    found = scanned(small(shortName="t"), joined(*wind))
    arrays = {array.name: array for array in found.parts[0].arrays}
    assert set(arrays) == {"t", "u", "v"}
    assert "fields" not in arrays["t"].codec
    assert arrays["u"].table.offsets[0] == arrays["v"].table.offsets[0]
    for name, shift in (("u", 0), ("v", 100)):
        values = loaded(found, arrays[name], (0,) * (len(arrays[name].dims) - 2))
        np.testing.assert_allclose(values.ravel(), np.arange(12) + shift, atol=0.01)


def test_a_field_taken_out_of_several_is_the_message_it_came_from():
    wind = [small(shortName=name) for name in ("u", "v")]
    whole = joined(*wind)
    assert [only_field(whole, part) for part in (0, 1)] == wind


def test_a_bitmap_given_once_holds_for_later_fields(scanned):
    values = np.arange(12.0)
    values[5] = 9999
    holes = [small(shortName=name, bitmapPresent=1, missingValue=9999, values=values) for name in ("u", "v")]
    at = holes[1].index(sections_from(holes[1], 6))
    length = int.from_bytes(holes[1][at : at + 4])
    without = holes[1][:at] + b"\0\0\0\6\6\xfe" + holes[1][at + length :]
    found = scanned(joined(holes[0], without))
    for array in found.parts[0].arrays:
        chunk = loaded(found, array, (0,) * (len(array.dims) - 2)).ravel()
        assert np.flatnonzero(np.isnan(chunk)).tolist() == [5]


def test_identity_is_blind_to_time_and_member_only():
    base = {"dataDate": 20200101, "shortName": "t", "level": 500}
    (first,) = fields(next(iter(MessageReader(io.BytesIO(small(**base)), 1 << 20))))
    for changed, same in (({"dataDate": 20210203}, True), ({"level": 850}, False), ({"step": 6}, False)):
        (other,) = fields(next(iter(MessageReader(io.BytesIO(small(**base | changed)), 1 << 20))))
        assert (first.identity == other.identity) is same
        assert first.grid == other.grid


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.integers(1, 2), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_corruption_is_an_error_of_ours_or_harmless(tmp_path_factory, edition, changes):
    data = bytearray(small(edition))
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.mktemp("corrupt") / "corrupt.grib"
    path.write_bytes(data)
    from terrella.cubes.formats.grib import Grib

    try:
        (found,) = Grib().scan(str(path))
        array = found.parts[0].arrays[0]
        if np.prod(array.shape) < 1e6:
            Grib().source(array, str(path)).load((0,) * len(array.shape))
    except TerrellaError as error:
        said = error.message
    else:
        said = ""
    assert "\n" not in said
    assert str(tmp_path_factory.getbasetemp()) not in said


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_random_bytes_behind_the_mark(tail):
    data = b"GRIB" + tail
    try:
        for message in MessageReader(io.BytesIO(data), len(data)):
            fields(message)
    except Unreadable:
        pass


def test_tail_of_the_only_array_is_read_from_its_own_bytes(scanned):
    found = scanned(b"prefix", small(values=np.arange(12.0)))
    array = only_array(found)
    assert array.table.offsets[0] == 6
    np.testing.assert_allclose(loaded(found, array, (0,) * (len(array.dims) - 2)).ravel(), np.arange(12), atol=0.01)
