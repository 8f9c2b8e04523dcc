"""Every data query has a price: the plan of what it would read, told before anything is read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from site_files import write_netcdf
from terrella.site import Site

QUERIES = {
    "position": "coords=POINT(3.2 45.9)",
    "radius": "coords=POINT(3.2 45.9)&within=200&within-units=km",
    "area": "coords=POLYGON((2 44,5 44,5 47,2 47,2 44))",
    "cube": "bbox=2,44,5,47",
    "trajectory": "coords=LINESTRING(2 44,5 47)",
    "corridor": "coords=LINESTRING(2 44,5 47)&corridor-width=200&width-units=km",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, serving) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("estimates")
    write_netcdf(folder / "t2m.nc", hours=range(24))
    with Site.open(folder / "home", reading={"scanners": 1}, limits={"values": 500}) as site:
        site.add(folder / "t2m.nc")
        site.scanners.close()
        with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
            yield made


@pytest.mark.parametrize("query", QUERIES)
def test_the_estimate_is_what_is_read(client: httpx.Client, query: str) -> None:
    path = f"/ogc/collections/t2m/{query}"
    words = QUERIES[query] + "&datetime=2024-01-01T00:00:00Z/2024-01-01T05:00:00Z"
    price = client.get(f"{path}/estimate?{words}").json()
    posted = client.post(f"{path}/estimate", data=dict(one.split("=", 1) for one in words.split("&"))).json()
    assert posted | {"seconds": 0} == price | {"seconds": 0}, "only time is never the same"
    assert price["passes"] is True
    assert price["seconds"] > 0
    answer = client.get(f"{path}?{words}&f=CSV")
    assert answer.status_code == 200
    assert price["values"] == len(answer.text.splitlines()) - 1
    assert int(answer.headers["terrella-bytes-read"]) <= price["bytes_read"]


def test_what_is_too_large_is_priced_too(client: httpx.Client) -> None:
    price = client.get("/ogc/collections/t2m/cube/estimate?bbox=0,40,12,50").json()
    assert price["passes"] is False
    assert price["values"] > price["limits"]["values"] == 500
    refused = client.get("/ogc/collections/t2m/cube?bbox=0,40,12,50")
    assert refused.status_code == 413


def test_wrong_questions_have_no_price(client: httpx.Client) -> None:
    assert client.get("/ogc/collections/t2m/position/estimate?coords=POINT(0 95)").status_code == 400
    assert client.get("/ogc/collections/none/position/estimate?coords=POINT(0 5)").status_code == 404
    assert client.get("/ogc/collections/t2m/position/estimate?coords=POINT(3 45)&foo=1").status_code == 400
