"""Scenes are cut as the caller: hidden ones are not there, and those that may only be found are denied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import pytest

from scene_files import write_scene
from terrella.access.rules import grants_of
from terrella.errors import Denied, Invalid
from terrella.model.caller import OPERATOR, READ, Caller
from terrella.settings import Rule
from terrella.site import Site

FREE = Rule(name="free", items="embargo IS NULL")
ALL = Rule(name="known", allow="find")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "tiles").mkdir()
    for number, day in enumerate(("2023:06:01", "2023:06:06")):
        values = {"red": np.full((64, 64), 10 + number, dtype="u2")}
        corner = (700000.0 + 125 * number, 5200000.0)  # on grids of their own, so that they form no cube
        write_scene(folder / "tiles" / f"s{number}.tif", values, corner=corner, taken=f"{day} 10:30:00")
    with Site.open(folder / "site") as made:
        made.add(folder / "tiles", collection="tiles")
        hidden = orjson.loads(made.lake.item(OPERATOR, "tiles", "s1"))
        hidden["properties"]["embargo"] = "2187-01-01T00:00:00Z"
        made.lake.put_items(OPERATOR, [hidden])
        yield made


def _caller(*rules: Rule) -> Caller:
    finds, reads = grants_of(rules, [])
    return Caller("somebody", finds=finds, reads=reads, scopes=frozenset({READ}))


def test_hidden_scenes_are_not_there(site: Site) -> None:
    everything = site.extract("tiles", variables=["red"], resolution=10)
    assert sorted(np.unique(everything["red"].values[np.isfinite(everything["red"].values)])) == [10, 11]
    open_only = site.cut("tiles", variables=["red"], resolution=10, caller=_caller(FREE))
    values = open_only.dataset["red"].values
    assert set(np.unique(values[np.isfinite(values)])) == {10}
    assert open_only.receipt.items == ("s0",)
    with pytest.raises(Invalid) as refused:
        site.cut("tiles", time="2023-06-06", variables=["red"], caller=_caller(FREE))
    assert "2023-06-06" not in refused.value.message


def test_scenes_that_may_only_be_found_are_denied(site: Site) -> None:
    caller = _caller(FREE, ALL)
    with pytest.raises(Denied, match="all of them"):
        site.cut("tiles", variables=["red"], caller=caller)
    with pytest.raises(Denied):
        site.estimate("tiles", time="2023-06-06", variables=["red"], caller=caller)
    assert site.cut("tiles", time="2023-06-01", variables=["red"], caller=caller).receipt.items == ("s0",)
