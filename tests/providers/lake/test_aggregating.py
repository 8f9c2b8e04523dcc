"""Counts, ends and frequencies over what matches."""

from __future__ import annotations

import pytest

from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.model.space import Extent
from terrella.providers.lake import Lake
from terrella.providers.lake.aggregating import geohash
from terrella.testing.catalog import plain_item


def _buckets(lake: Lake, name: str, query: Search) -> dict[str, int]:
    (found,) = lake.aggregate(OPERATOR, query, [name])
    assert found.data_type == "frequency_distribution"
    return {bucket["key"]: bucket["frequency"] for bucket in found.buckets}


def test_counts_and_ends(filled: Lake) -> None:
    query = Search(bbox=Extent(15.0, -1.0, 45.0, 1.0))
    total, first, last = filled.aggregate(OPERATOR, query, ["total_count", "datetime_min", "datetime_max"])
    assert (total.value, first.value, last.value) == (3, "2020-03-15T12:00:00Z", "2020-05-15T12:00:00Z")
    none = filled.aggregate(OPERATOR, Search(ids=("no",)), ["total_count", "datetime_min", "collection_frequency"])
    assert [one.value for one in none] == [0, None, None]
    assert none[2].buckets == ()


def test_frequencies(filled: Lake) -> None:
    assert _buckets(filled, "collection_frequency", Search()) == {"plain": 7, "other": 3}
    assert _buckets(filled, "platform_frequency", Search(collections=("plain",))) == {
        "satellite-0": 3,
        "satellite-1": 2,
        "satellite-2": 2,
    }
    months = _buckets(filled, "datetime_frequency", Search(collections=("other",)))
    assert months == {f"2020-{month:02d}-01T00:00:00Z": 1 for month in (8, 9, 10)}
    filled.put_items(OPERATOR, [plain_item("old", datetime="1969-12-31T23:59:59.999999Z")])
    assert "1969-12-01T00:00:00Z" in _buckets(filled, "datetime_frequency", Search())
    assert _buckets(filled, "cloud_cover_frequency", Search(ids=("i0", "i9"))) == {"0-10": 1, "90-100": 1}
    assert sum(_buckets(filled, "centroid_geohash_grid_frequency", Search()).values()) == 11


def test_an_unknown_name_is_told_with_the_nearest(filled: Lake) -> None:
    with pytest.raises(Invalid, match="'platform_frequency'") as caught:
        filled.aggregate(OPERATOR, Search(), ["total_count", "platfrom_frequency"])
    assert caught.value.parameter == "aggregations"


def test_geohashes() -> None:
    """The example of the encoding's own description (Jutland), and the corners of the map."""
    assert geohash(10.40744, 57.64911, 11) == "u4pruydqqvj"
    assert geohash(-180, -90, 3) == "000"
    assert geohash(179.999999, 89.999999, 3) == "zzz"
    assert geohash(190, 0, 2) == geohash(-170, 0, 2)
