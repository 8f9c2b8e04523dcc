"""Damaged messages: errors that name what is wrong, never wrong numbers, and never a dead process that answers."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from terrella.cubes.formats.grib import Grib
from terrella.cubes.formats.grib.messages import Message, fields
from terrella.cubes.scanning import Candidate, Scanners
from terrella.errors import TerrellaError, Unreadable
from terrella.model.scan import Failure
from terrella.storage.files import state

from .conftest import make_message, only_array, small

PACKINGS = [
    "grid_simple",
    "grid_ccsds",
    "grid_jpeg",
    "grid_png",
    "grid_complex",
    "grid_complex_spatial_differencing",
    "grid_ieee",
]


def message(packing: str) -> bytes:
    values = 280 + np.cumsum(np.random.default_rng(1).normal(size=24 * 30))
    grid = {"Ni": 30, "Nj": 24, "iDirectionIncrementInDegrees": 2, "jDirectionIncrementInDegrees": 2}
    corners = {"latitudeOfLastGridPointInDegrees": 14, "longitudeOfLastGridPointInDegrees": 58}
    bits = {} if packing == "grid_ieee" else {"bitsPerValue": 12}
    return small(2, values, **{**grid, **corners, "packingType": packing, **bits})


def section(data: bytes, number: int) -> int:
    """Where a section of edition 2 starts."""
    at = 16
    while data[at + 4] != number:
        at += int.from_bytes(data[at : at + 4])
    return at


def damaged(data: bytes, seed: int, start: int) -> bytes:
    rng = random.Random(seed)
    made = bytearray(data)
    for _ in range(rng.choice([1, 2, 8])):
        made[rng.randrange(start, len(made) - 4)] ^= rng.randrange(1, 256)
    return bytes(made)


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_was_damaged_after_it_was_added_is_refused(scanned, packing):
    """In this process: seeds of these numbers end a process that decodes JPEG 2000, PNG and complex packing."""
    whole = message(packing)
    found = scanned(whole)
    source = Grib().source(only_array(found), found.href)
    for seed in range(300):
        Path(found.href).write_bytes(damaged(whole, seed, section(whole, 5)))
        with pytest.raises(Unreadable, match="not the one that was added"):
            source.load((0, 0, 0, 0))
    Path(found.href).write_bytes(whole)
    assert source.load((0, 0, 0, 0)) is not None


@pytest.mark.parametrize("packing", PACKINGS)
def test_only_sound_messages_of_sturdy_packings_are_not_decoded_by_scanning(packing):
    (field,) = fields(Message(1, 0, message(packing)))
    assert field.is_delicate == (packing not in {"grid_simple", "grid_ccsds"})


def test_second_order_packing_is_decoded_by_scanning():
    values = np.cumsum(np.random.default_rng(1).normal(size=496))
    data = make_message("regular_ll_pl_grib1", values, bitsPerValue=12, packingType="grid_second_order")
    (field,) = fields(Message(1, 0, data))
    assert field.is_delicate


@pytest.mark.parametrize("packing", ["grid_simple", "grid_ccsds"])
@pytest.mark.parametrize("edit", ["count", "bitmap", "short"])
def test_unsound_messages_are_delicate_whatever_their_packing(packing, edit):
    data = bytearray(message(packing))
    at = section(data, 5)
    if edit == "count":
        data[at + 8] ^= 1
    elif edit == "bitmap":
        data[section(data, 6) + 5] = 7
    elif packing == "grid_simple":
        data[at + 19] = 32  # more bits than there are
    else:
        data[at + 22] = 200  # no size of a block
    (field,) = fields(Message(1, 0, bytes(data)))
    assert field.is_delicate


@pytest.fixture(scope="module")
def scanners():
    made = Scanners(processes=1)
    yield made
    made.close()


def test_what_was_damaged_before_costs_that_file_alone(tmp_path, scanners):
    candidates = []
    for packing in ("grid_jpeg", "grid_png", "grid_complex"):
        whole = message(packing)
        for seed in range(6):
            path = tmp_path / f"{packing}_{seed}.grib2"
            path.write_bytes(damaged(whole, seed, section(whole, 7)))
            candidates.append(Candidate(str(path), "grib", state(str(path))))
    sound = tmp_path / "sound.grib2"
    sound.write_bytes(message("grid_jpeg"))
    candidates.append(Candidate(str(sound), "grib", state(str(sound))))
    answers = list(scanners.scan(candidates))
    assert len(answers) == len(candidates)
    scans = {scan.href: scan for answer in answers if not isinstance(answer, Failure) for scan in answer}
    assert str(sound) in scans
    for href, scan in scans.items():  # what did not crash there does not crash here
        for part in scan.parts:
            for array in part.arrays:
                try:
                    Grib().source(array, href).load((0,) * len(array.shape))
                except TerrellaError:
                    continue


def test_a_scanning_process_that_is_killed_costs_one_file(tmp_path, scanners):
    """Killed while it waits for bytes that never come: a pipe in place of the file."""
    sound = tmp_path / "sound.grib2"
    sound.write_bytes(make_message("regular_ll_pl_grib2"))
    pipe = tmp_path / "pipe.grib2"
    os.mkfifo(pipe)
    scanner = scanners._all[0]
    process = scanner._running()

    def kill() -> None:
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    now = state(str(sound))
    (answer,) = scanners.scan([Candidate(str(pipe), "grib", now)])
    killer.join()
    assert isinstance(answer, Failure)
    assert answer.href == str(pipe)
    assert "crashed" in answer.reason
    (after,) = scanners.scan([Candidate(str(sound), "grib", now)])
    assert not isinstance(after, Failure)
