"""Quotas over HTTP: headers say what is left, refusals when there will be more; an extraction is charged as measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.conftest import serving
from site_files import write_netcdf
from terrella.api.accounting import collection_in, quota_headers
from terrella.model.spending import Amounts, Usage
from terrella.site.site import Site

QUOTAS = [
    {"name": "requests", "per": "month", "requests": 8},
    {"name": "reading", "per": "month", "bytes_read": 60_000, "compute_seconds": 1000},
]
SERIES = "/ogc/collections/fields/position?coords=POINT(3%2045)"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site.open(tmp_path / "site", access={"quotas": QUOTAS}) as made:
        (tmp_path / "fields").mkdir()
        for number in range(3):
            write_netcdf(tmp_path / "fields" / f"f{number}.nc", hours=range(4 * number, 4 * number + 4))
        made.add(tmp_path / "fields", collection="fields")
        yield made


def test_requests_run_out_and_say_when_there_are_more(site: Site) -> None:
    with serving(site) as address, httpx.Client(base_url=address) as web:
        first = web.get("/stac/collections")
        assert first.headers["x-quota-name"] == '"requests:requests"'
        assert (first.headers["x-quota-limit"], first.headers["x-quota-remaining"]) == ("8", "8")
        assert first.headers["ratelimit-policy"].startswith('"requests:requests";q=8;w=2592000')
        left = [int(web.get("/stac/collections").headers["x-quota-remaining"]) for _ in range(7)]
        assert left == sorted(left, reverse=True)
        refused = web.get("/stac/collections")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) == int(refused.headers["x-quota-reset"]) > 0
        assert refused.headers["x-quota-remaining"] == "0"
        assert refused.json()["details"]["resource"] == "requests"
        assert "begins anew at" in refused.json()["description"]
        assert web.get("/health").status_code == 200
        shown = web.get("/account").json()["quotas"][0]
        assert shown["amounts"] == {"requests": {"limit": 8, "spent": 8, "left": 0}}
        mine = site.ledger.usage(site.access.anonymous)
    assert mine[0].spent["requests"] == 8


def test_an_extraction_is_charged_what_it_read_and_a_cached_answer_nothing(site: Site) -> None:
    caller = site.access.anonymous
    answer = site.cut("fields", point=(3.0, 45.0), caller=caller)
    assert answer.receipt.bytes_read > 0
    used = site.ledger.usage(caller)[1].spent
    assert used["bytes_read"] == answer.receipt.bytes_read
    assert 0 < used["compute_seconds"] < 60
    with serving(site) as address, httpx.Client(base_url=address) as web:
        assert web.get(SERIES).status_code == 200
        before = site.ledger.usage(caller)[1].spent["bytes_read"]
        assert web.get(SERIES).status_code == 200
        assert site.ledger.usage(caller)[1].spent["bytes_read"] == before
        assert site.ledger.open_holds() == []
        assert site.ledger.differences() == []


def test_what_would_read_too_much_is_refused_before_it_reads(site: Site) -> None:
    caller = site.access.anonymous
    site.ledger.hold(caller, "somebody's job", Amounts(bytes_read=59_999))
    with serving(site) as address, httpx.Client(base_url=address) as web:
        refused = web.get(SERIES)
        assert refused.status_code == 429, refused.text
        assert refused.json()["details"]["quota"] == "reading"
        assert int(refused.headers["retry-after"]) > 0
        site.ledger.release("somebody's job")
        assert web.get(SERIES).status_code == 200


def test_headers_speak_of_the_quota_that_leaves_least() -> None:
    roomy = Usage("größe", "day", 0, 1, {"bytes_out": 100}, {"bytes_out": 10})
    tight = Usage("tight", "hour", 0, 1, {"requests": 10}, {"requests": 9})
    headers = {name.decode(): value.decode("latin-1") for name, value in quota_headers([roomy, tight])}
    assert headers["x-quota-name"] == '"tight:requests"'
    assert headers["x-quota-remaining"] == "1"
    assert (
        headers["ratelimit-policy"]
        == '"gr??e:bytes_out";q=100;w=86400;qu="content-bytes", "tight:requests";q=10;w=3600'
    )
    assert quota_headers([]) == []
    assert collection_in("/ogc/collections/a%20b/position") == "a b"
    for none in ("/tiles/palettes", "/tiles/tileMatrixSets/WebMercatorQuad", "/tiles/conformance"):
        assert collection_in(none) == ""
    assert collection_in("/tiles/palettes-of-old/tilejson.json") == "palettes-of-old"
    assert collection_in("/zarr/x/zarr.json") == "x"
    assert collection_in("/stac/search") == ""
