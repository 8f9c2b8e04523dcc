"""The same question gives the same bytes, in every format; and is answered from memory when asked again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from site_files import write_netcdf
from terrella.api.edr.remembering import Answers, Remembered
from terrella.model.extraction import Plan
from terrella.site.site import Site

FORMATS = ["covjson", "geojson", "netcdf", "parquet", "csv", "geotiff"]
QUESTIONS = {
    "position": "weather/position?coords=POINT(13.4 52.5)",
    "area": "weather/area?coords=POLYGON((-30 -20,41 -20,41 30,-30 -20))&datetime=2024-01-01",
    "cube": "weather/cube?bbox=170,-20,-170,20&datetime=2024-01-01T00:00:00Z&parameter-name=t2m",
    "corridor": "weather/corridor?coords=LINESTRING(0 0,40 20)&corridor-width=3000&width-units=km&datetime=2024-01-02",
    "members": "ensemble/position?coords=POINT(5 50)",
    "stations": "stations/position?coords=POINT(13.4 52.5)",
}


def _next_second() -> None:
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.01)


@pytest.mark.server
def test_the_same_bytes_cold_and_warm_and_later(site: Site, serving: Any) -> None:
    """Two servers share nothing but the site; its chunks are forgotten for one of the rounds, warm for the other."""
    seen: list[dict[tuple[str, str], tuple[int, bytes, str | None]]] = []
    for _ in range(2):
        found = {}
        with serving(site) as address, httpx.Client(base_url=f"{address}/ogc/collections", timeout=60) as client:
            for name, question in QUESTIONS.items():
                for fmt in FORMATS:
                    if len(seen) == 0:
                        site.cubes._reader.cache.clear()
                    answer = client.get(f"/{question}&f={fmt}")
                    body = answer.content if answer.status_code == 200 else b""
                    found[name, fmt] = (answer.status_code, body, answer.headers.get("etag"))
        seen.append(found)
        _next_second()
    assert seen[0] == seen[1]
    assert sum(status == 200 for status, *_ in seen[0].values()) >= 5 * len(QUESTIONS)
    tags = [tag for *_, tag in seen[0].values() if tag]
    assert len(tags) == len(set(tags))


@pytest.mark.server
@pytest.mark.parametrize("fmt", ["covjson", "netcdf"])
def test_asked_again_nothing_is_cut_out(site: Site, serving: Any, fmt: str) -> None:
    with serving(site) as address:
        url = f"{address}/ogc/collections/{QUESTIONS['position']}&f={fmt}"
        site.cubes._reader.cache.clear()
        first = httpx.get(url)
        assert int(first.headers["terrella-bytes-read"]) > 0
        site.cubes._reader.cache.clear()
        again = httpx.get(url)
        known = httpx.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert site.cubes._reader.cache.size == 0
    assert again.headers["terrella-bytes-read"] == "0"
    assert again.content == first.content
    for name in ("etag", "terrella-plan", "content-type", "link", "content-disposition"):
        assert again.headers.get(name) == first.headers.get(name)
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.server
def test_the_client_that_has_it_costs_nothing_even_after_a_restart(site: Site, serving: Any) -> None:
    question = f"/ogc/collections/{QUESTIONS['position']}"
    with serving(site) as address:
        tag = httpx.get(address + question).headers["etag"]
    site.cubes._reader.cache.clear()
    with serving(site) as address:
        assert httpx.get(address + question, headers={"If-None-Match": tag}).status_code == 304
        assert site.cubes._reader.cache.size == 0


@pytest.mark.server
def test_the_same_question_in_other_words(edr: httpx.Client) -> None:
    one = edr.get("/collections/weather/position?coords=POINT(13.4 52.5)&parameter-name=t2m&f=covjson")
    other = edr.get("/collections/weather/position?f=covjson&parameter_names=t2m&coords=POINT(13.40  52.50)")
    assert one.headers["etag"] == other.headers["etag"]
    assert one.content == other.content


@pytest.mark.server
def test_new_data_are_a_new_answer(tmp_path: Path, serving: Any) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_netcdf(data / "a.nc", hours=range(2))
    with Site.open(tmp_path / "home") as site, serving(site) as address:
        assert not site.add(data).failures
        (name,) = [one["id"] for one in site.collections()]
        url = f"{address}/ogc/collections/{name}/position?coords=POINT(3 45)&f=csv"
        first = httpx.get(url)
        write_netcdf(data / "b.nc", hours=range(2, 4))
        assert not site.add(data).failures
        second = httpx.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert len(second.text.splitlines()) == len(first.text.splitlines()) + 2


def test_memory_is_bounded() -> None:
    plan = Plan(1, 1, 1, 1, 1, 1)
    answers = Answers(limit=100_000)
    for number in range(50):
        answers.keep(str(number), Remembered(bytes(9000), plan))
        answers.get("0")
    assert answers.size <= 100_000
    assert answers.get("0") is not None
    assert answers.get("1") is None
    assert answers.get("49") is not None
    answers.keep("large", Remembered(bytes(20_000), plan))
    assert answers.get("large") is None
    before = answers.size
    answers.keep("49", Remembered(b"", plan))
    assert answers.size == before
