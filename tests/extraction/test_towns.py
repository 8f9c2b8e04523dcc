"""Towns, against what everybody knows and against distances worked out one by one."""

from __future__ import annotations

import math
from importlib.resources import files

import pytest

from terrella.errors import NotFound
from terrella.extraction import towns
from terrella.extraction.towns import country_name, towns_in_zone, towns_named, towns_near


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("göttingen", "Göttingen", "DE"),
        ("Gottingen", "Göttingen", "DE"),
        ("munchen", "Munich", "DE"),
        ("Cologne", "Köln", "DE"),
        ("LODZ", "Łódź", "PL"),
        ("sao paulo", "São Paulo", "BR"),
        ("new york", "New York City", "US"),
        ("reading, gb", "Reading", "GB"),
        ("reading, united states", "Reading", "US"),
        ("london", "London", "GB"),
        ("london, canada", "London", "CA"),
    ],
)
def test_the_likeliest_town_of_a_name_comes_first(text: str, name: str, country: str) -> None:
    first = towns_named(text, 5)[0]
    assert (first.name, first.country) == (name, country)


def test_beginnings_are_enough_and_own_names_come_before_others() -> None:
    found = [town.name for town in towns_named("stockh", 5)]
    assert found[0] == "Stockholm"
    assert [town.name for town in towns_named("york", 3)][:2] == ["York", "York"]
    assert len(towns_named("s", 7)) == 7
    assert towns_named("qqqqqq", 5) == []
    assert towns_named(" ,. ", 5) == []


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Berlin", "Berlin"),
        ("Asia/Calcutta", "Kolkata"),
        ("Europe/Kiev", "Kyiv"),
        ("Europe/Oslo", "Oslo"),
        ("America/New_York", "New York City"),
        ("US/Pacific", "Los Angeles"),
        ("Pacific/Auckland", "Auckland"),
    ],
)
def test_of_a_time_zone_the_town_that_it_is_named_after(zone: str, name: str) -> None:
    assert towns_in_zone(zone, 3)[0].name == name


def test_every_zone_of_the_browser_has_a_town_near_the_place_that_it_is_for() -> None:
    """tzdata says where zones are; some lie where no town is."""
    rows = (files("tzdata") / "zoneinfo" / "zone1970.tab").read_text().splitlines()
    zones = [row.split("\t")[2] for row in rows if not row.startswith("#")]
    without = []
    for zone in zones:
        try:
            assert towns_in_zone(zone, 1)
        except NotFound:
            without.append(zone)
    assert len(without) / len(zones) < 0.25
    assert not {one for one in without if one.startswith("Europe/")} - {"Europe/Astrakhan"}


def test_unknown_zones_are_not_found() -> None:
    with pytest.raises(NotFound, match="Europe/Berlin"):
        towns_in_zone("Europe/Berlim", 3)


@pytest.mark.parametrize(("lon", "lat"), [(-0.97, 51.44), (179.9, -16.5), (0.0, 90.0), (540.5, 10.0)])
def test_the_nearest_are_those_of_every_distance(lon: float, lat: float) -> None:
    def metres(town: towns.Town) -> float:
        one, other = math.radians(lat), math.radians(town.lat)
        apart = math.radians(town.lon - lon)
        part = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(apart / 2) ** 2
        return 6_371_008.7714 * 2 * math.asin(min(1.0, math.sqrt(part)))

    expected = sorted((metres(town), town.name) for town in towns._towns())[:4]
    found = towns_near(lon, lat, 4)
    assert [away for _, away in found] == pytest.approx([away for away, _ in expected], rel=1e-4, abs=5)
    assert found[0][0].name == expected[0][1]


def test_countries_have_names() -> None:
    assert country_name("DE") == "Germany"
    assert country_name("ZZ") == "ZZ"
