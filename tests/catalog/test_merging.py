"""Answers of several sources joined."""

from __future__ import annotations

from terrella.catalog.merging import merged_aggregations, merged_queryables
from terrella.model.search import Aggregation


def test_aggregations_add_up() -> None:
    one = (
        Aggregation("total_count", "integer", 3),
        Aggregation("datetime_max", "datetime", "2020-01-01T00:00:00Z"),
        Aggregation("datetime_min", "datetime", None),
        Aggregation(
            "f", "frequency_distribution", buckets=({"key": "a", "frequency": 1}, {"key": "b", "frequency": 2})
        ),
    )
    other = (
        Aggregation("total_count", "integer", 4),
        Aggregation("datetime_max", "datetime", "2021-01-01T00:00:00Z"),
        Aggregation("datetime_min", "datetime", "2019-01-01T00:00:00Z"),
        Aggregation("f", "frequency_distribution", buckets=({"key": "b", "frequency": 5},)),
    )
    total, last, first, frequency = merged_aggregations([one, other])
    assert (total.value, last.value, first.value) == (7, "2021-01-01T00:00:00Z", "2019-01-01T00:00:00Z")
    assert frequency.buckets == ({"key": "a", "frequency": 1}, {"key": "b", "frequency": 7})


def test_queryables_of_any_source_are_there_and_the_first_describes_them() -> None:
    documents = [{"title": "t", "properties": {"a": 1}}, {"title": "u", "properties": {"a": 2, "b": 3}}]
    assert merged_queryables(documents) == {"title": "t", "properties": {"a": 1, "b": 3}}
