"""What to cite for a question is what its answer will say, before anything is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import orjson
import pytest

from site_files import write_netcdf
from terrella.model.caller import OPERATOR
from terrella.site import Site

QUERIES = {
    "position": {"coords": "POINT(3.2 45.9)"},
    "area": {"region": "France"},
    "cube": {"bbox": "2,44,5,47", "datetime": "2024-01-02T01:00:00Z"},
    "trajectory": {"coords": "LINESTRING(2 44,5 47)"},
    "locations/France": {"reduce": "mean:space"},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("citing")
    write_netcdf(folder / "first.nc", hours=range(24))
    write_netcdf(folder / "second.nc", hours=range(24), start="2024-01-02")
    with Site.open(folder / "home", reading={"scanners": 1}, limits={"values": 20_000}) as site:
        site.add(folder / "first.nc", folder / "second.nc", collection="t2m")
        site.scanners.close()
        document = orjson.loads(site.catalog.collection(OPERATOR, "t2m"))
        document |= {"sci:doi": "10.1234/abc", "sci:citation": "Somebody (2021): Air", "license": "CC-BY-4.0"}
        site.lake.put_collection(OPERATOR, document)
        with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
            yield made


@pytest.mark.parametrize("query", QUERIES)
def test_the_receipt_is_that_of_the_answer(client: httpx.Client, query: str) -> None:
    path, words = f"/ogc/collections/t2m/{query}", QUERIES[query]
    told = client.get(f"{path}/cite", params=words).raise_for_status().json()
    posted = client.post(f"{path}/cite", json=words).raise_for_status().json()
    answer = client.get(path, params={**words, "f": "CoverageJSON"}).raise_for_status().json()
    read = {key: value for key, value in answer["terrella:receipt"].items() if key != "weights_over_space"}
    assert told["receipt"] == read == posted["receipt"]
    assert httpx.URL(told["address"]).path == path
    assert dict(httpx.URL(told["address"]).params) == words
    assert told["title"]


def test_only_the_items_that_would_be_read_are_named(client: httpx.Client) -> None:
    receipt = client.get("/ogc/collections/t2m/cube/cite", params=QUERIES["cube"]).json()["receipt"]
    assert len(receipt["items"]) == 1


def test_every_form_alone(client: httpx.Client) -> None:
    path, words = "/ogc/collections/t2m/position/cite", QUERIES["position"]
    whole = client.get(path, params=words).json()
    for form, kind, has in (
        ("text", "text/plain", "Somebody (2021): Air. https://doi.org/10.1234/abc."),
        ("bibtex", "application/x-bibtex", "doi = {10.1234/abc}"),
        ("ris", "application/x-research-info-systems", "DO  - 10.1234/abc"),
    ):
        answer = client.get(path, params={**words, "f": form})
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"].startswith('attachment; filename="t2m.')
        assert answer.text == whole[form]
        assert has in answer.text
    item = client.get(path, params={**words, "f": "CSL"}).json()[0]
    today = datetime.now(UTC)
    assert item["accessed"]["date-parts"][0][0] in (today.year, today.year - 1)
    assert item["DOI"] == "10.1234/abc"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("t2m/position/cite?coords=POINT(3 45)&f=apa", 400),
        ("t2m/position/cite?coords=POINT(3 95)", 400),
        ("t2m/position/cite?coords=POINT(3 45)&foo=1", 400),
        ("none/position/cite?coords=POINT(3 45)", 404),
    ],
)
def test_wrong_questions_are_refused(client: httpx.Client, query: str, status: int) -> None:
    assert client.get(f"/ogc/collections/{query}").status_code == status


def test_an_estimate_says_what_would_pass(client: httpx.Client) -> None:
    fine = client.get("/ogc/collections/t2m/cube/estimate?bbox=2,44,5,47").json()
    assert fine["at_once"] == fine["as_job"] == {"passes": True}
    large = client.get("/ogc/collections/t2m/cube/estimate?bbox=0,40,12,50&reduce=mean:time").json()
    assert large["passes"] is large["at_once"]["passes"] is True
    many = client.get("/ogc/collections/t2m/position/estimate", params={"coords": places(600)}).json()
    assert many["at_once"]["passes"] is many["passes"] is False
    assert "limits.values" in many["at_once"]["why"]
    assert many["as_job"] == {"passes": True}


def places(count: int) -> str:
    return f"MULTIPOINT({','.join(f'({3 + one / 1000:g} 45)' for one in range(count))})"
