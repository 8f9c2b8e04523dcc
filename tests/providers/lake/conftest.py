"""A lake with a few known items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from terrella.model.caller import OPERATOR
from terrella.providers.lake import Lake
from terrella.testing.catalog import plain_collection, plain_item


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake(tmp_path) as made:
        made.put_collection(OPERATOR, plain_collection("plain", title="Plain things", keywords=["sea", "ice"]))
        made.put_collection(OPERATOR, plain_collection("other"))
        yield made


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """i0 .. i9: one a month of 2020, cloud cover 0, 10 .. 90, along the equator at 0, 10 .. 90 degrees east."""
    items = []
    for n in range(10):
        item = plain_item(
            f"i{n}",
            "plain" if n < 7 else "other",
            datetime=f"2020-{n + 1:02d}-15T12:00:00Z",
            created=f"2021-01-{n + 1:02d}T00:00:00+01:00",
            platform=f"satellite-{n % 3}",
            keywords=["a", "b"] if n % 2 else ["b", "c"],
            title=f"Straße Nr. {n}",
            flag=n % 2 == 0,
            **{"eo:cloud_cover": n * 10, "view:angles": {"sun": {"azimuth": n}}, "dotted.name": n},
        )
        item["geometry"] = {"type": "Point", "coordinates": [n * 10.0, 0.0]}
        items.append(item)
    lake.put_items(OPERATOR, items)
    return lake
