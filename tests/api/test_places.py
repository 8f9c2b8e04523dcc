"""GET /places."""

from __future__ import annotations

import httpx
import pytest


def test_a_town_by_the_beginning_of_its_name_without_accents(web: httpx.Client) -> None:
    answer = web.get("/places", params={"q": "gotting"})
    assert answer.headers["cache-control"] == "public, max-age=86400"
    body = answer.json()
    (first, *_) = body["places"]
    assert first == {
        "name": "Göttingen",
        "country": "Germany",
        "lon": 9.932,
        "lat": 51.534,
        "kind": "town",
        "people": 122000,
        "timezone": "Europe/Berlin",
    }
    assert "GeoNames" in body["attribution"]
    assert "CC BY 4.0" in body["attribution"]


def test_countries_are_places_with_a_box_and_what_region_takes(web: httpx.Client) -> None:
    first = web.get("/places", params={"q": "france"}).json()["places"][0]
    assert (first["name"], first["kind"], first["region"]) == ("France", "country", "France")
    assert web.get("/places", params={"q": "fran", "limit": 1}).json()["places"][0]["kind"] == "town"
    kinds = [one["kind"] for one in web.get("/places", params={"q": "norw"}).json()["places"]]
    assert "country" in kinds


def test_a_time_zone_gives_a_first_guess(web: httpx.Client) -> None:
    places = web.get("/places", params={"tz": "Asia/Calcutta", "limit": 2}).json()["places"]
    assert [one["name"] for one in places] == ["Kolkata", "Mumbai"]


def test_the_nearest_town_of_a_place(web: httpx.Client) -> None:
    (only,) = web.get("/places", params={"lat": 51.45, "lon": -0.97, "limit": 1}).json()["places"]
    assert only["name"] == "Reading"
    assert 0 < only["distance_m"] < 5000


def test_what_nobody_knows_is_an_empty_list(web: httpx.Client) -> None:
    assert web.get("/places", params={"q": "zzzzzz<b>"}).json()["places"] == []


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("", 400, "q"),
        ("q=", 400, "q"),
        ("q=a&tz=Europe/Berlin", 400, "tz"),
        ("lat=5", 400, "lon"),
        ("lon=5", 400, "lat"),
        ("lat=95&lon=0", 400, "lat"),
        ("lat=x&lon=0", 400, "lat"),
        ("q=a&limit=0", 400, "limit"),
        ("q=a&limit=51", 400, "limit"),
        ("q=a&q=b", 400, "q"),
        ("name=a", 400, "name"),
        ("q=a&f=xml", 400, "f"),
        ("tz=Mars/Olympus", 404, "tz"),
        ("q=" + "a" * 101, 400, "q"),
    ],
)
def test_bad_input_is_refused(web: httpx.Client, query: str, status: int, parameter: str) -> None:
    answer = web.get(f"/places?{query}")
    assert answer.status_code == status, answer.text
    assert answer.json()["parameter"] == parameter
