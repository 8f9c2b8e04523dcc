"""Words that state a grid, as Python and as text have them."""

from __future__ import annotations

from typing import Any

import pytest

from terrella.errors import Invalid
from terrella.model.stated import StatedGrid, parse_stated, stated_grid


@pytest.mark.parametrize(
    ("given", "grid"),
    [
        ({}, None),
        ({"crs": None, "resolution": None}, None),
        ({"crs": " EPSG:3035 "}, StatedGrid("EPSG:3035")),
        ({"resolution": 20}, StatedGrid(resolution=(20.0, 20.0))),
        ({"resolution": "20, 1e1"}, StatedGrid(resolution=(20.0, 10.0))),
        ({"resolution": [30, 20], "anchor": (0, -5.5)}, StatedGrid(resolution=(30.0, 20.0), anchor=(0.0, -5.5))),
        ({"anchor": "-3,4", "resampling": "cubic", "group": "time"}, StatedGrid(None, None, (-3.0, 4.0), "cubic", "time")),
    ],
)  # fmt: skip
def test_words(given: dict[str, Any], grid: StatedGrid | None) -> None:
    assert stated_grid(given) == grid


@pytest.mark.parametrize(
    "given",
    [{"size": 1}, {"crs": ""}, {"resolution": 0}, {"resolution": "nan"}, {"resolution": "1,2,3"}, {"resolution": "1_0"},
     {"anchor": "1"}, {"anchor": 1}, {"anchor": (1, float("inf"))}, {"resolution": {}}, {"resolution": "x"}],
)  # fmt: skip
def test_nonsense(given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        stated_grid(given)


def test_what_is_left_out() -> None:
    usual = StatedGrid("EPSG:3035", (20.0, 20.0), (0.0, 0.0), "bilinear", "time")
    assert StatedGrid().over(usual) == usual
    assert StatedGrid(resolution=(5.0, 5.0)).over(usual).crs == "EPSG:3035"
    other = StatedGrid("EPSG:32632", resampling="mode").over(usual)
    assert other == StatedGrid("EPSG:32632", None, None, "mode", "time"), "sizes are in units of the other system"


def test_text_for_the_shell() -> None:
    made = parse_stated("crs=EPSG:3035; resolution=20,10;resampling=bilinear;")
    assert made == StatedGrid("EPSG:3035", (20.0, 10.0), resampling="bilinear")
    assert stated_grid(made.document()) == made


@pytest.mark.parametrize(
    "text", ["", ";", "EPSG:3035", "crs=EPSG:3035;crs=utm", "size=1", "resolution=0", "resampling=best", "group=week"]
)
def test_text_that_is_no_grid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_stated(text)
