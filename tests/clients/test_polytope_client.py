"""polytope-client, unmodified, against a running server: its whole flow, and each thing that it stumbles over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import eccodes
import numpy as np
import pytest

from clients.conftest import ANALYSIS, serve
from grib_files import value, write_grib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunClient, Served  # type: ignore[import-not-found]

CLIENT = """
from polytope.api import Client
client = Client(address=url, insecure=True, user_key=key, quiet=True)
"""
SERIES = {
    "class": "ea",
    "stream": "oper",
    "type": "an",
    "levtype": "sfc",
    "param": 167,
    "date": "20240301",
    "time": "0000/to/0600/by/2",
    "feature": {"type": "timeseries", "points": [[50, 10], [-20, 200]], "time_axis": "date"},
}


def test_who_and_what(served: Served, run_client: RunClient) -> None:
    lines = """
client.ping()
print(json.dumps([client.list_collections(), client.describe_user()]))
"""
    collections, _ = run_client(CLIENT + lines, url=served.url, key=served.key)
    assert collections == ["all", "analysis", "ensemble"]


def test_a_retrieval_downloads_the_very_values(served: Served, run_client: RunClient, tmp_path: Path) -> None:
    lines = "print(json.dumps(client.retrieve('analysis', request, output_file='out.covjson')))"
    (path,) = run_client(CLIENT + lines, url=served.url, key=served.key, request=SERIES)
    document = json.loads((tmp_path / "out.covjson").read_text())
    assert path.endswith("out.covjson")
    assert document["domainType"] == "PointSeries"
    first, second = document["coverages"]
    assert first["domain"]["axes"]["t"]["values"] == [f"2024-03-01T{hour:02d}:00:00Z" for hour in (0, 2, 4, 6)]
    for coverage, (lat, lon) in ((first, (50, 10)), (second, (-20, 200))):
        expected = [value(lat, lon, hours=hour) for hour in (0, 2, 4, 6)]
        np.testing.assert_allclose(coverage["ranges"]["2t"]["values"], expected, atol=1e-4)
    assert second["domain"]["axes"]["longitude"]["values"] == [200.0]  # as it was asked for


def test_a_request_asynchronously(served: Served, run_client: RunClient) -> None:
    lines = """
(result,) = client.retrieve('analysis', request, output_file='out.covjson', asynchronous=True)
print(json.dumps(result.download()))
"""
    assert run_client(CLIENT + lines, url=served.url, key=served.key, request=SERIES).endswith("out.covjson")


def test_a_pointer_needs_no_credentials(served: Served, run_client: RunClient) -> None:
    lines = "print(json.dumps(client.retrieve('analysis', request, pointer=True)))"
    (pointer,) = run_client(CLIENT + lines, url=served.url, key=served.key, request=SERIES)
    ask = urllib.request.Request(pointer["location"], method="HEAD")
    with urllib.request.urlopen(ask) as head, urllib.request.urlopen(pointer["location"]) as answer:
        body = answer.read()
        assert answer.headers["Content-Type"] == head.headers["Content-Type"] == "application/prs.coverage+json"
        assert int(head.headers["Content-Length"]) == int(answer.headers["Content-Length"]) == len(body)
        assert "Content-Encoding" not in answer.headers
        assert body.startswith(b'{"type": "CoverageCollection"')
    part = urllib.request.Request(pointer["location"], headers={"Range": "bytes=10-19", "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(part) as answer:
        assert (answer.status, answer.read()) == (206, body[10:20])


def test_two_requests_into_one_file(served: Served, run_client: RunClient, tmp_path: Path) -> None:
    fields = {
        "class": "od",
        "stream": "enfo",
        "type": "pf",
        "param": "t",
        "levelist": 850,
        "date": 20240301,
        "number": 1,
    }
    asked = [fields | {"time": "0000", "step": 0}, fields | {"time": "1200", "step": "2/to/4/by/2"}]
    lines = "client.retrieve('ensemble', request, output_file='out.grib')"
    run_client(CLIENT + lines, url=served.url, key=served.key, request=asked)
    found = []
    with (tmp_path / "out.grib").open("rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            found.append(tuple(eccodes.codes_get(handle, key) for key in ("time", "step", "level", "number")))
            eccodes.codes_release(handle)
    assert found == [(0, 0, 850, 1), (1200, 2, 850, 1), (1200, 4, 850, 1)]


def test_whole_fields_are_the_stored_messages(served: Served, run_client: RunClient, tmp_path: Path) -> None:
    request = {"class": "od", "param": 130, "levelist": 500, "date": "20240301", "time": "0000", "number": 2, "step": 6}
    lines = "client.retrieve('ensemble', request, output_file='out.grib')"
    run_client(CLIENT + lines, url=served.url, key=served.key, request=request)
    stored = (served.home.parent / "ensemble.grib").read_bytes()
    message = (tmp_path / "out.grib").read_bytes()
    assert len(message) > 10_000
    assert message in stored


def test_an_area_of_fields(served: Served, run_client: RunClient, tmp_path: Path) -> None:
    request = {"class": "ea", "param": "2t", "date": "20240301", "time": "0300", "area": "52/-4/48/6"}
    lines = "client.retrieve('analysis', request, output_file='out.grib')"
    run_client(CLIENT + lines, url=served.url, key=served.key, request=request)
    with (tmp_path / "out.grib").open("rb") as file:
        handle = eccodes.codes_grib_new_from_file(file)
        lat, lon, values = (eccodes.codes_get_array(handle, key) for key in ("latitudes", "longitudes", "values"))
        eccodes.codes_release(handle)
    places = {(a, (b + 180) % 360 - 180) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)}
    assert places == {(a, b) for a in (52.0, 50.0, 48.0) for b in (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0)}
    np.testing.assert_allclose(values, value(lat, lon, hours=3), atol=1e-4)


def test_revoking_all(served: Served, run_client: RunClient) -> None:
    assert (
        run_client(CLIENT + "client.revoke('all')\nprint(json.dumps('done'))", url=served.url, key=served.key) == "done"
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"date": "19990101"}, "2024-03-01T00:00:00Z"),
    ({"parm": 1}, "param"),
    ({"param": "nonsense"}, "2t"),
    ({"feature": {"type": "polgon"}}, "polygon"),
    ({"feature": {"type": "polygon", "shape": [[0, 0], [0, 1]]}}, "three different points"),
    ({"feature": {"type": "timeseries", "points": [[91, 0]], "time_axis": "date"}}, "no latitude 91"),
    ({"feature": {"type": "polygon", "shape": [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4]]}}, "nearest centre"),
    ({"feature": {"type": "circle", "center": [[0, 0]], "radius": 0}}, "more than 0"),
    ({"time": "1/to/2/by/0"}, "more than 0"),
]


def test_what_is_wrong_is_said_at_once(served: Served, run_client: RunClient) -> None:
    """The client tries some statuses again for twenty minutes, and crashes on nested texts."""
    lines = """
import time
from polytope.api.helpers import PolytopeError
said = []
for changed in refused:
    started = time.monotonic()
    try:
        client.retrieve('analysis', request | changed)
    except PolytopeError as error:
        said.append([str(error), time.monotonic() - started])
print(json.dumps(said))
"""
    refused = [changed for changed, _ in REFUSED]
    said = run_client(CLIENT + lines, url=served.url, key=served.key, request=SERIES, refused=refused)
    assert len(said) == len(REFUSED)
    for (text, seconds), (_, expected) in zip(said, REFUSED, strict=True):
        assert "400" in text
        assert expected in text
        assert seconds < 60


def test_a_key_that_is_no_longer_valid(served: Served, run_client: RunClient) -> None:
    """A 401 whose text says 'expired' crashes the client's own error."""
    lines = """
try:
    client.retrieve('analysis', request)
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    name, text = run_client(CLIENT + lines, url=served.url, key="tk_" + "0" * 43, request=SERIES)
    assert name == "HTTPResponseError"
    assert "401" in text
    assert "expired" not in text


@pytest.mark.parametrize("header", ["Bearer {key}", "EmailKey admin@example.org:{key}", "Basic YTpi, Bearer {key}"])
def test_every_way_to_show_a_key(served: Served, header: str) -> None:
    asked = urllib.request.Request(
        f"{served.url}/api/v1/user", headers={"Authorization": header.format(key=served.key)}
    )
    with urllib.request.urlopen(asked) as answer:
        told = json.loads(answer.read())
    assert told["user"] == "admin"
    assert all(isinstance(one, str) for one in told.values())


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nparam: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "alias"),
        ("[" * 100_000, "nested too deeply"),
        ("param: [" + "1," * 400_000 + "]", "too many values"),
        ("param: 2t\n  date: 1", "no YAML"),
        ("!!python/object/apply:os.system ['id']", "YAML"),
        ("just text", "keys with values"),
        ("", "keys with values"),
        ("param: " + "/".join("1" * 1 for _ in range(400_000)), "at most"),
        ("retrieve, class ea, param = 2t", "no key = value"),
    ],
)
def test_hostile_bodies(served: Served, text: str, expected: str) -> None:
    body = json.dumps({"verb": "retrieve", "request": text}).encode()
    asked = urllib.request.Request(
        f"{served.url}/api/v1/requests/analysis", body, {"Authorization": f"Bearer {served.key}"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked)
    with caught.value as answer:
        assert answer.code == 400
        assert expected in json.loads(answer.read())["message"]


def test_the_form_of_mars_itself(served: Served, run_client: RunClient, tmp_path: Path) -> None:
    request = "retrieve, class=ea, param=2t, date=2024-03-01, time=06"
    run_client(
        CLIENT + "client.retrieve('all', request, output_file='out.grib')",
        url=served.url,
        key=served.key,
        request=request,
    )
    assert (tmp_path / "out.grib").read_bytes()[:4] == b"GRIB"


def test_version_2_answers_with_the_data(served: Served) -> None:
    asked = urllib.request.Request(
        f"{served.url}/api/v2/analysis/requests",
        json.dumps(SERIES).encode(),
        {"Authorization": f"Bearer {served.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked) as answer:
        assert json.loads(answer.read())["domainType"] == "PointSeries"


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site whose only message was damaged after it was added, and on which a stranger has two requests an hour."""
    folder = tmp_path_factory.mktemp("troubled")
    path = write_grib(folder / "analysis.grib", step=10.0, keys=ANALYSIS)
    home = folder / "home"
    command = [sys.executable, "-m", "terrella", "add", "--home", str(home), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-200] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    quota = '[[access.quotas]]\nname = "few"\nroles = ["anonymous"]\nper = "hour"\nrequests = 2\n'
    (home / "terrella.toml").write_text(quota)
    yield from serve(home, folder / "server.log")


def test_a_failure_while_it_runs_is_told_in_one_sentence(troubled: Served, run_client: RunClient) -> None:
    lines = """
try:
    client.retrieve('analysis', request, output_file='out.grib')
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    request = {"class": "ea", "param": "2t", "date": "20240301", "time": "0000"}
    _, text = run_client(CLIENT + lines, url=troubled.url, key=troubled.key, request=request)
    assert "The request failed with" in text
    assert "damaged" in text
    assert "Traceback" not in text


def test_who_has_used_up_a_quota_is_not_kept_waiting(troubled: Served, run_client: RunClient) -> None:
    """Of 429 and 503 the client makes ten attempts, two minutes apart."""
    lines = """
import time
started = time.monotonic()
for _ in range(4):
    try:
        client.list_collections()
    except Exception as error:
        print(json.dumps([str(error), time.monotonic() - started]))
        break
"""
    text, seconds = run_client(CLIENT + lines, url=troubled.url, key="anonymous")
    assert "529" in text
    assert "few" in text
    assert seconds < 60
