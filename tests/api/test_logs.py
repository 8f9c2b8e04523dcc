"""Logs as lines of JSON, ours and those of libraries."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import logging, structlog
from terrella.api import logs
logs.configure({mode!r})
with structlog.contextvars.bound_contextvars(request_id="r1"):
    structlog.get_logger("terrella.x").info("hello", number=1)
    logging.getLogger("some.library").warning("careful %s", "now")
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger("terrella.x").exception("bad")
structlog.get_logger("terrella.x").debug("hidden")
"""


def written(mode: str) -> str:
    run = subprocess.run([sys.executable, "-c", SCRIPT.format(mode=mode)], capture_output=True, text=True, check=True)
    assert run.stdout == ""
    return run.stderr


def test_json_lines_carry_the_request_id() -> None:
    for mode in ("json", "auto"):
        hello, careful, bad = (json.loads(line) for line in written(mode).splitlines())
        assert (hello["event"], hello["number"], hello["request_id"]) == ("hello", 1, "r1")
        assert hello["level"] == "info"
        assert hello["timestamp"].endswith("Z")
        assert (careful["event"], careful["level"], careful["request_id"]) == ("careful now", "warning", "r1")
        assert "ZeroDivisionError" in bad["exception"]


def test_pretty_lines_are_for_people() -> None:
    text = written("pretty")
    assert "hello" in text
    assert not text.startswith("{")
