"""The published set of requests: what is planned is what is read, answered and held in memory."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ESTIMATES = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "estimates.py"))
SET = {one["what"]: one for one in ESTIMATES["requests"]()}
LOW, HIGH = ESTIMATES["LOW"], ESTIMATES["HIGH"]

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells"),
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("estimates")
    ESTIMATES["make"](folder)
    found: dict[str, Any] = ESTIMATES["measure"](folder, rounds=0)
    return found


def test_the_set_is_large_enough() -> None:
    assert len(SET) >= 12


@pytest.mark.parametrize("what", SET)
def test_the_estimate_is_what_is_measured(measured: dict[str, Any], what: str) -> None:
    found = measured[what]
    assert "error" not in found, found
    planned, real = found["planned"], found["measured"]
    assert planned["bytes_out"] == real["bytes_out"]
    assert LOW <= planned["bytes_read"] / real["bytes_read"] <= HIGH
    assert planned["seconds"] > 0
    assert real["memory"] <= 1.5 * max(planned["memory"], ESTIMATES["SMALL"] / 1.5), found
    if real["memory"] > ESTIMATES["SMALL"]:
        assert LOW <= planned["memory"] / real["memory"] <= HIGH, found
