"""Logs as lines of JSON, ours and those of libraries."""

from __future__ import annotations

import json
import subprocess
import sys

from terrella.api.logs import redacted

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


def test_no_secret_passes() -> None:
    key, jwt = "tk_" + "k" * 43, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
    link = "W" * 40 + "." + "s" * 43
    for line, left in (
        (f"a {key} b", "a [hidden] b"),
        (f'{{"x": "{jwt}"}}', '{"x": "[hidden]"}'),
        (f"/d/{link}/name.nc", "/d/[hidden]/name.nc"),
        ("/d/broken?x=1", "/d/[hidden]?x=1"),
        ("Authorization: Basic YTpi", "Authorization: Basic [hidden]"),
        ("EmailKey a@b.c:secret", "EmailKey [hidden]"),
        ("?f=json&token=abc&limit=3", "?f=json&token=[hidden]&limit=3"),
        ("X-Amz-Signature=abc&X-Amz-Security-Token=def", "X-Amz-Signature=[hidden]&X-Amz-Security-Token=[hidden]"),
        ("code=abc&state=def", "code=[hidden]&state=[hidden]"),
    ):
        assert redacted(line) == left


def test_what_is_no_secret_stays() -> None:
    for line in (
        "query=collections=sentinel-2-l2a&bbox=1.5,2,3,4&datetime=2019-03-01T00:00:00Z/..",
        "S2A_MSIL2A_20190301T105021_N0211_R051_T31UFU_20190301T134152.SAFE/GRANULE/x.jp2",
        "/ogc/collections/era5/position?coords=POINT(13.4 52.5)&parameter-name=2t",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "GET /dev/data/file.nc monkey=1 turnkey=2 keys=3 stateless=4",
    ):
        assert redacted(line) == line
