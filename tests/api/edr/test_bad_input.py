"""Everything that can be wrong in a request: always a 4xx that names the parameter, never a 500, never a hang."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

POINT = "coords=POINT(10 50)"
AREA = "/collections/weather/area?coords="

BAD = [
    ("/collections/wether/position?" + POINT, 404, None, "weather"),
    ("/collections/..%2F..%2Fetc/position?" + POINT, {400, 404}, None, ""),
    ("/collections/%00/position?" + POINT, {400, 404}, None, ""),
    ("/collections/" + "x" * 300 + "/position?" + POINT, {400, 404}, None, ""),
    ("/collections/weather/position", 400, "coords", "missing"),
    ("/collections/weather/position?coords=", 400, "coords", "empty"),
    ("/collections/weather/position?coords=13.4,52.5", 400, "coords", "POINT(13.4 52.5)"),
    ("/collections/weather/position?coords=POINT(13.4 nan)", 400, "coords", "finite"),
    ("/collections/weather/position?coords=POINT(13.4 95)", 400, "coords", "latitude"),
    ("/collections/weather/position?coords=POLYGON((0 0,1 1,1 0,0 0))", 400, "coords", "POINT"),
    ("/collections/weather/position?coords=POINT EMPTY", 400, "coords", "empty"),
    ("/collections/weather/position?" + POINT + "&" + POINT, 400, "coords", "twice"),
    ("/collections/weather/position?" + POINT + "&parameter-name=t2mm", 400, "parameter-name", "t2m"),
    ("/collections/weather/position?" + POINT + "&parameter-name=,", 400, "parameter-name", "empty"),
    (
        "/collections/weather/position?" + POINT + "&parameter-name=t2m&parameter_names=t2m",
        400,
        "parameter_names",
        "same",
    ),
    ("/collections/weather/position?" + POINT + "&datetime=yesterday", 400, "datetime", "2024-07-01"),
    ("/collections/weather/position?" + POINT + "&datetime=2024-01-02/2024-01-01", 400, "datetime", "before"),
    ("/collections/weather/position?" + POINT + "&datetime=2030-01-01", 400, "datetime", "2024-01-02"),
    (
        "/collections/weather/position?" + POINT + "&datetime=2024-01-01T01:00:00Z",
        400,
        "datetime",
        "2024-01-01T00:00:00Z",
    ),
    ("/collections/weather/position?" + POINT + "&datetime=..", 400, "datetime", "leave it out"),
    ("/collections/weather/position?" + POINT + "&z=850", 400, "z", ""),
    ("/collections/ensemble/position?" + POINT + "&z=851", 400, "z", "850"),
    ("/collections/ensemble/position?" + POINT + "&z=900/600", 400, "z", "reversed"),
    ("/collections/ensemble/position?" + POINT + "&z=NaN", 400, "z", "numbers"),
    ("/collections/ensemble/position?coords=POINTZ(10 50 850)&z=850", 400, "z", "already"),
    ("/collections/ensemble/position?" + POINT + "&number=7", 400, "number", "0, 1, 2"),
    ("/collections/ensemble/position?" + POINT + "&number=a", 400, "number", "0, 1, 2"),
    ("/collections/weather/position?" + POINT + "&number=0", 400, "number", "no parameter"),
    ("/collections/weather/position?" + POINT + "&crs=EPSG:0000", 400, "crs", "CRS84"),
    ("/collections/weather/position?" + POINT + "&f=docx", 400, "f", "covjson"),
    ("/collections/weather/position?" + POINT + "&f=geotiff", 400, "f", "grid"),
    ("/collections/weather/position?" + POINT + "&datetim=2024", 400, "datetim", "datetime"),
    (AREA + "POLYGON((0 0,9 9,9 0,0 9,0 0))", 400, "coords", "crosses itself at longitude 4.5"),
    (AREA + "POLYGON((0 0,9 9,9 0))", 400, "coords", "ring"),
    (AREA + "POLYGON((1 1,2 1,2 2,1 1))", {400, 404}, "coords", ""),
    ("/collections/weather/cube", 400, "bbox", "missing"),
    ("/collections/weather/cube?bbox=1,2,3", 400, "bbox", "4 numbers"),
    ("/collections/weather/cube?bbox=1,5,3,4", 400, "bbox", "Latitudes"),
    ("/collections/weather/cube?bbox=1,2,inf,4", 400, "bbox", "numbers"),
    ("/collections/ensemble/cube?bbox=0,45,900,5,50,500", 400, "bbox", "reversed"),
    ("/collections/ensemble/cube?bbox=0,45,500,5,50,900&z=500", 400, "z", "already"),
    ("/collections/weather/radius?" + POINT, 400, "within", "missing"),
    ("/collections/weather/radius?" + POINT + "&within=10", 400, "within-units", "missing"),
    ("/collections/weather/radius?" + POINT + "&within=-1&within-units=km", 400, "within", "above 0"),
    ("/collections/weather/radius?" + POINT + "&within=1&within-units=parsec", 400, "within-units", "km"),
    ("/collections/weather/radius?" + POINT + "&within=1e9&within-units=km", 400, "within", "at most"),
    ("/collections/weather/trajectory?" + POINT, 400, "coords", "LINESTRING"),
    ("/collections/weather/trajectory?coords=LINESTRING(1 2)", 400, "coords", "two vertices"),
    ("/collections/weather/trajectory?coords=LINESTRINGM(1 2 1e300,3 4 5)", 400, "coords", "seconds since"),
    ("/collections/weather/trajectory?coords=LINESTRINGM(1 2 0,3 4 5)&datetime=2024-01-01", 400, "datetime", "already"),
    ("/collections/weather/corridor?coords=LINESTRING(1 2,3 4)", 400, "corridor-width", "missing"),
    (
        "/collections/weather/corridor?coords=LINESTRING(1 2,3 4)&corridor-width=0&width-units=km",
        400,
        "corridor-width",
        "above",
    ),
    (
        "/collections/weather/corridor?coords=LINESTRING(1 2,3 4)&corridor-width=9&width-units=km&corridor-height=1",
        400,
        "height-units",
        "height-units",
    ),
    ("/collections?limit=0", 400, "limit", "1 to"),
    ("/collections?limit=x", 400, "limit", "whole number"),
    ("/collections?bbox=1", 400, "bbox", ""),
    ("/collections?token=nonsense", {400}, None, ""),
    ("/collections?f=xml", 400, "f", "JSON"),
    ("/collections/weather?x=1", 400, "x", ""),
    ("/collections/weather/items?limit=100000", 400, "limit", ""),
    ("/collections/weather/items/none", 404, None, ""),
    ("/collections/stations/locations/99", 404, "locationId", "0 to 2"),
    ("/collections/stations/locations/-1", 404, "locationId", ""),
    ("/collections/weather/locations?f=csv", 400, "f", ""),
    ("/nothing", 404, None, ""),
]


@pytest.mark.parametrize(
    ("url", "status", "parameter", "said"), BAD, ids=[f"{n}-{one[2]}" for n, one in enumerate(BAD)]
)
def test_bad_requests(edr, url, status, parameter, said) -> None:
    answer = edr.get(url)
    assert answer.status_code in (status if isinstance(status, set) else {status}), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert said in body["detail"], body
    assert body["code"]
    if parameter:
        assert body["parameter"] == parameter, body


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[1]", 400),
        ("application/json", b'{"coords": {"a": 1}}', 400),
        ("application/json", b'{"coords": true}', 400),
        ("application/json", b"", 400),
        ("application/xml", b"<a/>", 400),
        ("application/x-www-form-urlencoded", b"coords=%FF%FE", 400),
        ("application/x-www-form-urlencoded", b"coords=POINT(1 2)&coords=POINT(1 2)", 400),
        ("", b"coords=POINT(1 2)", 400),
    ],
)
def test_bad_bodies(edr, kind, body, status) -> None:
    answer = edr.post("/collections/weather/position", content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_ten_megabytes_of_wkt(edr) -> None:
    text = "POLYGON((" + "0.123 0.456," * 900_000 + "0.123 0.456))"
    answer = edr.post("/collections/weather/area", data={"coords": text})
    assert answer.status_code == 413
    assert answer.json()["parameter"] == "coords"


def test_a_body_beyond_every_limit(edr) -> None:
    answer = edr.post(
        "/collections/weather/area", content=b"x" * (17 << 20), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_ten_megabytes_in_the_address(server) -> None:
    """The server may answer or close the connection, but it lives."""
    place = urlsplit(server)
    with socket.create_connection((place.hostname, place.port), timeout=20) as link:
        try:
            link.sendall(
                b"GET /ogc/collections/weather/area?coords=" + b"0" * 10_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            head = link.recv(100)
        except (ConnectionError, BrokenPipeError):
            head = b""
    assert head == b"" or head.startswith((b"HTTP/1.1 4", b"HTTP/1.1 3"))


def test_too_deep_a_geometry(edr) -> None:
    for text in ("(" * 50_000, "POLYGON" + "(" * 50_000, "MULTIPOLYGON" + "(" * 50_000 + ")" * 50_000):
        answer = edr.post("/collections/weather/area", data={"coords": text})
        assert answer.status_code == 400


def test_unacceptable(edr) -> None:
    answer = edr.get("/collections/weather/position?" + POINT, headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert "text/csv" in answer.json()["detail"]


def test_wrong_method(edr) -> None:
    assert edr.delete("/collections/weather/position").status_code == 405
