"""The application as a whole: layers that every request passes, and routes for whoever runs the site."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import httpx
import pytest

from api.conftest import NotingSite, make_site, serving
from terrella.api.app import create_app
from terrella.errors import NotFound, Unreadable


def test_health_and_readiness(web: httpx.Client) -> None:
    assert web.get("/health").json()["status"] == "ok"
    assert web.get("/ready").json()["status"] == "ready"


def test_not_ready_without_a_catalogue(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.catalog.collections = lambda *_: 1 / 0
    answer = asked(site, "/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reason": "ZeroDivisionError"}


def test_the_site_is_closed_when_the_server_stops(tmp_path: Path) -> None:
    site = make_site(tmp_path, filled=False)
    with serving(site) as address:
        assert httpx.get(f"{address}/health").status_code == 200
        assert not site.closings
    assert site.closings == 1


@pytest.mark.parametrize("given", ["abc-1:2.3_x", "A" * 80])
def test_a_sane_request_id_is_kept(web: httpx.Client, given: str) -> None:
    assert web.get("/health", headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "A" * 81, 'x"y', "a b", "<script>"])
def test_another_request_id_is_replaced(web: httpx.Client, given: str) -> None:
    made = web.get("/health", headers={"X-Request-Id": given}).headers["x-request-id"]
    assert made != given
    assert len(made) == 16


def test_metrics_count_by_route_template(tmp_path: Path) -> None:
    async def several() -> str:
        async with client(make_site(tmp_path)) as web:
            await web.get("/stac/collections/optical")
            await web.get("/stac/collections/nothing")
            await web.get("/no/such/route")
            return (await web.get("/metrics")).text

    text = asyncio.run(several())
    route = 'route="/stac/collections/{collection_id}"'
    assert f'terrella_requests_total{{method="GET",{route},status="200"}} 1.0' in text
    assert f'terrella_requests_total{{method="GET",{route},status="404"}} 1.0' in text
    assert 'route="unmatched",status="404"' in text
    assert "/no/such/route" not in text
    assert "terrella_request_seconds_bucket" in text


def test_bytes_read_come_from_the_answers_header(tmp_path: Path) -> None:
    from starlette.responses import Response

    app = create_app(make_site(tmp_path, filled=False))
    app.add_api_route("/read", lambda: Response("x", headers={"Terrella-Bytes-Read": "1234"}))

    async def both() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as web:
            await web.get("/read")
            return (await web.get("/metrics")).text

    assert "terrella_bytes_read_total 1234.0" in asyncio.run(both())


def test_apps_do_not_share_metrics(tmp_path: Path) -> None:
    create_app(make_site(tmp_path / "a", filled=False))
    create_app(make_site(tmp_path / "b", filled=False))


def test_a_body_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with serving(make_site(tmp_path, limits={"body_bytes": 1000})) as address:
        answer = httpx.post(f"{address}/stac/search", content=b"x" * 1001, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["code"] == "too-large"
        assert "1000 bytes" in answer.json()["description"]
        assert answer.headers["connection"] == "close"


def test_a_chunked_body_is_counted_as_it_comes(tmp_path: Path) -> None:
    with serving(make_site(tmp_path, limits={"body_bytes": 1000})) as address:
        chunks = (b"x" * 100 for _ in range(11))
        answer = httpx.post(f"{address}/stac/search", content=chunks, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["code"] == "too-large"


def test_a_body_within_the_limit_passes(tmp_path: Path) -> None:
    with serving(make_site(tmp_path, limits={"body_bytes": 1000})) as address:
        assert httpx.post(f"{address}/stac/search", json={"limit": 1}).status_code == 200


def test_browsers_of_any_origin_may_ask(web: httpx.Client) -> None:
    answer = web.get("/stac/search", headers={"Origin": "https://example.com"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
    preflight = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    assert web.options("/stac/search", headers=preflight).status_code == 200


def test_origins_can_be_restricted(tmp_path: Path) -> None:
    site = make_site(tmp_path, api={"cors_origins": ("https://good.example",)})
    assert "access-control-allow-origin" not in asked(site, "/stac", {"Origin": "https://bad.example"}).headers


def test_documents_are_compressed_and_data_are_not(tmp_path: Path) -> None:
    from starlette.responses import Response

    app = create_app(make_site(tmp_path))
    app.add_api_route("/ogc-like", lambda: Response(b"0" * 100_000, media_type="application/x-netcdf"))

    async def both() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as web:
            return await web.get("/stac/search?limit=100"), await web.get("/ogc-like")

    document, data = asyncio.run(both())
    assert document.headers["content-encoding"] == "gzip"
    assert len(document.json()["features"]) == 100
    assert "content-encoding" not in data.headers


def test_an_unexpected_error_is_a_plain_500_and_logged(tmp_path: Path) -> None:
    from structlog.testing import capture_logs

    site = make_site(tmp_path)
    site.catalog.search = lambda *_: 1 / 0
    with capture_logs() as lines:
        answer = asked(site, "/stac/search", {"X-Request-Id": "the-id"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["request_id"] == "the-id"
    assert "ZeroDivisionError" not in answer.text
    assert "Traceback" not in answer.text
    assert any(line["event"] == "unexpected error" and line["log_level"] == "error" for line in lines)


def test_dialects_write_errors_in_their_own_way(tmp_path: Path) -> None:
    app = create_app(make_site(tmp_path, filled=False))

    def fails() -> None:
        raise Unreadable("The file is broken.", parameter="file", details={"line": 3})

    app.add_api_route("/else", fails)
    app.add_api_route("/stac/else", fails)
    ours, stac = asked_app(app, "/else"), asked_app(app, "/stac/else")
    assert ours.status_code == stac.status_code == 422
    assert ours.headers["content-type"] == "application/problem+json"
    body = ours.json()
    assert body["title"]
    assert body["status"] == 422
    assert body["detail"] == body["description"] == "The file is broken."
    assert (body["code"], body["parameter"], body["details"]) == ("unreadable", "file", {"line": 3})
    assert stac.headers["content-type"] == "application/json"
    assert {"code": "unreadable", "description": "The file is broken."}.items() <= stac.json().items()
    assert "title" not in stac.json()


def test_head_is_answered_like_get(web: httpx.Client) -> None:
    for path in ("/health", "/", "/stac/search?limit=1", "/stac/nothing", "/static/site.css"):
        get, head = web.get(path), web.head(path)
        assert head.status_code == get.status_code
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.content == b""


def test_unknown_routes_and_methods(web: httpx.Client) -> None:
    missing = web.get("/nowhere")
    assert missing.status_code == 404
    assert "/nowhere" in missing.json()["detail"]
    wrong = web.delete("/stac/search")
    assert wrong.status_code == 405
    assert wrong.json()["code"] == "method-not-allowed"


def test_tricks_with_paths_find_nothing(web: httpx.Client) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"):
        assert web.get(path).status_code == 404
    for name in ("..%2f..%2fetc", "%00", "a" * 5000, "'; drop table items --", "%F0%9F%8C%8D"):
        for path in (f"/stac/collections/{name}", f"/stac/collections/optical/items/{name}"):
            assert web.get(path).status_code == 404


def test_the_log_has_one_line_a_request(tmp_path: Path) -> None:
    from structlog.testing import capture_logs

    with capture_logs() as lines:
        asked(make_site(tmp_path), "/stac/collections/optical?x=1")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["route"] == "/stac/collections/{collection_id}"
    assert (line["status"], line["method"], line["query"]) == (400, "GET", "x=1")
    assert line["ms"] >= 0


def test_known_errors_below_500_are_no_errors_of_ours(tmp_path: Path) -> None:
    from structlog.testing import capture_logs

    site = make_site(tmp_path)

    def missing(*_: object) -> None:
        raise NotFound("Gone.")

    site.catalog.search = missing
    with capture_logs() as lines:
        assert asked(site, "/stac/search").status_code == 404
    assert not [line for line in lines if line["log_level"] == "error"]


def client(site: NotingSite) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(site)), base_url="http://here")


def asked(site: NotingSite, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return asked_app(create_app(site), path, headers)


def asked_app(app: object, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    async def one() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as web:  # type: ignore[arg-type]
            return await web.get(path, headers=headers)

    logging.getLogger("asyncio").setLevel(logging.WARNING)
    return asyncio.run(one())


def test_the_description_says_how_to_show_a_key(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    for name, anonymous in (("open", True), ("closed", False)):
        app = create_app(make_site(tmp_path / name, filled=False, access={"anonymous": anonymous}))
        described = asked_app(app, "/api").json()
        schemes = described["components"]["securitySchemes"]
        kinds = {(one["type"], one.get("scheme") or one["name"]) for one in schemes.values()}
        assert kinds == {("http", "bearer"), ("http", "basic"), ("apiKey", "PRIVATE-TOKEN")}
        assert described["security"] == [*([{}] if anonymous else []), *({one: []} for one in schemes)]
