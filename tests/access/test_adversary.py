"""A real server and its worker, met by somebody who means ill: keys, links, jobs of others, what is hidden, headers, logs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from api.conftest import collection, item
from grib_files import write_grib
from terrella.model.caller import OPERATOR
from terrella.site.site import Site

ANALYSIS = {"marsClass": "ea", "marsStream": "oper", "marsType": "an"}
SECRET = {"marsClass": "od", "marsStream": "enfo", "marsType": "pf"}
TOML = """
title = "Adversary"
[[access.rules]]
name = "open"
collections = "id <> 'secretqx'"
items = "embargo IS NULL"
[[access.rules]]
name = "agents"
roles = ["agent"]
[server]
trusted_proxies = ["127.0.0.1"]
logs = "json"
[access]
anonymous_rate = 1
anonymous_burst = 5
"""
HIDDEN = ("secretqx", "hiddenqx", "Geheimqx")
RETRIEVAL = {"class": "ea", "stream": "oper", "type": "an", "levtype": "sfc", "param": "167", "date": "20240301", "time": "0000"}  # fmt: skip
POINT = {"type": "timeseries", "points": [[50.0, 10.0]], "axes": "date", "time_axis": "date"}


@dataclass
class Under:
    """The site under attack."""

    url: str
    home: Path
    log: Path
    boss: str
    ann: str
    bob: str
    agent: str
    used: list[str] = field(default_factory=list)
    """Every secret that was sent or received: none may be found in logs or files."""

    def web(self, key: str = "", **headers: str) -> httpx.Client:
        shown = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=shown | headers, timeout=60, follow_redirects=False)

    def ask(self, method: str, path: str, key: str, **more: Any) -> httpx.Response:
        with self.web(key) as web:
            return web.request(method, path, **more)

    def key(self, owner: str, **more: Any) -> dict[str, Any]:
        made = self.ask("POST", "/account/keys", self.boss, json={"name": "x", "owner": owner, **more})
        assert made.status_code == 201, made.text
        self.used.append(made.json()["key"])
        return made.json()


def _fill(home: Path, folder: Path) -> dict[str, str]:
    write_grib(folder / "analysis.grib", step=10.0, times=range(4), keys=ANALYSIS)
    write_grib(
        folder / "secretqx.grib", step=10.0, param=130, times=(0, 12), levels=(850,), members=(1, 2), keys=SECRET
    )
    home.mkdir()
    (home / "terrella.toml").write_text(TOML)
    with Site.open(home) as site:
        for name in ("analysis", "secretqx"):
            assert not site.add(folder / f"{name}.grib", collection=name).failures
        site.lake.put_collection(OPERATOR, collection("mixed", [0.0, 0.0, 9.0, 9.0]))
        hidden = item("mixed", 9, 1.0, 1.0) | {"id": "hiddenqx"}
        hidden["properties"] |= {"embargo": "2187-01-01T00:00:00Z", "title": "Geheimqx"}
        site.lake.put_items(OPERATOR, [item("mixed", 1, 1.0, 1.0), hidden])
        keys = {"boss": site.access.first_key().text}
        for name, roles in (("ann", ["editor"]), ("bob", []), ("agent", ["agent"])):
            site.access.accounts.add_user(OPERATOR, name, roles=roles)
            keys[name] = site.access.accounts.make_key(OPERATOR, "first", owner=name).text
    return keys


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Under]:
    folder = tmp_path_factory.mktemp("adversary")
    home, log = folder / "home", folder / "server.log"
    keys = _fill(home, folder)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TERRELLA_")}
    command = [sys.executable, "-m", "terrella", "up", "--home", str(home), "--port", "0"]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=plain) as process:
        try:
            yield Under(_ready(process, log), home, log, **keys, used=list(keys.values()))
        finally:
            process.terminate()
            process.wait(30)


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    last = time.monotonic() + 90
    while time.monotonic() < last and process.poll() is None:
        if found := re.search(r"Ready at (\S+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-2000:])


# --- tokens ----------------------------------------------------------------------------------------------------------


def _changed(key: str) -> str:
    return key[:-1] + ("A" if key[-1] != "A" else "B")


def test_wrong_tampered_and_revoked_keys_open_nothing_in_any_form(site: Under) -> None:
    gone = site.key("ann")
    site.ask("DELETE", f"/account/keys/{gone['id']}", site.boss)
    short = site.key("ann", days=1e-6)
    time.sleep(0.3)
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    claims = base64.urlsafe_b64encode(b'{"sub":"admin","iss":"http://x","aud":"terrella"}').decode().rstrip("=")
    wrong = [_changed(site.boss), site.boss.swapcase(), site.boss + "A", site.boss[:-1], gone["key"], short["key"]]
    wrong += [f"{none}.{claims}.", f"{none}.{claims}.AAAA", "admin", "operator", "tk_", "tk_" + "-" * 43]
    paths = ["/account", "/stac/search", "/jobs", "/api/v1/requests", "/stac/v2/collections", "/odata/v1/Workflows",
             "/api/retrieve/v1/jobs", "/hda-broker/api/v1/datasets", "/ogc/collections", "/zarr/analysis"]  # fmt: skip
    for key, path in itertools.product(wrong, paths):
        pair = base64.b64encode(f"admin:{key}".encode()).decode()
        forms = [{"Authorization": f"Bearer {key}"}, {"Authorization": f"Basic {pair}"}, {"PRIVATE-TOKEN": key},
                 {"Authorization": f"EmailKey a@b.c:{key}"}, {"X-API-Key": key}]  # fmt: skip
        for headers in forms[: 5 if path == "/account" else 1]:
            answer = httpx.get(site.url + path, headers=headers)
            assert answer.status_code in ({401, 403} if "broker" in path else {401}), (path, key, answer.text)
            assert key not in answer.text or len(key) < 12


def test_keys_in_addresses_are_not_looked_at(site: Under) -> None:
    with site.web(**{"X-Forwarded-For": "198.51.100.7"}) as web:
        answer = web.get("/account", params={"key": site.boss, "token": site.boss, "access_token": site.boss})
        assert answer.status_code in {200, 400}
        assert "admin" not in answer.text.replace("/admin", "")


@pytest.mark.parametrize(
    "name", ["a\r\nSet-Cookie: x=1", "a\x00b", "a\nb", "é" * 200, "{{7*7}}", "<script>", " ", "../.."]
)
def test_names_of_keys_are_names(site: Under, name: str) -> None:
    answer = site.ask("POST", "/account/keys", site.ann, json={"name": name, "days": 1})
    assert answer.status_code in {201, 400}
    assert "x=1" not in str(answer.headers)
    if answer.status_code == 201:
        site.used.append(answer.json()["key"])
        assert name.isprintable()


def test_headers_that_lie(site: Under) -> None:
    host, port = urlsplit(site.url).hostname, urlsplit(site.url).port
    for lines in (
        [b"GET /account HTTP/1.1", b"Host: h", b"Authorization : Bearer " + site.boss.encode()],
        [b"GET /account HTTP/1.1", b"Host: h", b"Authorization: Bearer x\rAuthorization: Bearer " + site.boss.encode()],
        [b"POST /account/keys HTTP/1.1", b"Host: h", b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"POST /account/keys HTTP/1.1", b"Host: h", b"Content-Length: 5", b"Content-Length: 6"],
    ):
        with socket.create_connection((host, port), timeout=20) as wire:
            wire.sendall(b"\r\n".join(lines) + b"\r\n\r\nabcde")
            wire.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: wire.recv(65536), b""))
        assert said.count(b"HTTP/1.1 ") <= 1, said
        assert not said.startswith(b"HTTP/1.1 201")
        assert b'"administer"' not in said


def test_ten_megabytes_of_header(site: Under) -> None:
    for name in ("Authorization", "Cookie", "X-Request-Id", "PRIVATE-TOKEN"):
        try:
            answer = httpx.get(f"{site.url}/account", headers={name: "x" * 10_000_000}, timeout=60)
            assert answer.status_code in {400, 401, 431} or (name not in {"Authorization", "PRIVATE-TOKEN"})
        except httpx.TransportError:
            pass  # the line was cut: that is an answer too
    assert httpx.get(f"{site.url}/health").status_code == 200


def test_a_host_that_lies_reaches_no_page_as_markup(site: Under) -> None:
    with site.web(site.ann) as web:
        for host in ('a"><script>alert(1)</script>', "evil.example/x", "evil.example\\", "a b", "evil.example#"):
            for path in ("/", "/connect", "/account", "/stac", "/api.html"):
                answer = web.get(path, headers={"Host": host, "Accept": "text/html"})
                assert "<script>alert" not in answer.text
                assert answer.status_code < 500, (host, path, answer.text)


def test_other_origins_may_not_use_a_browser_s_session(site: Under) -> None:
    with site.web() as web:
        signed_in = web.post("/account/sign-in", data={"name": "", "password": site.ann}, headers={"Origin": site.url})
        session = signed_in.cookies["terrella_session"]
        site.used.append(session)
        cookie = {"Cookie": f"terrella_session={session}", "Origin": "https://evil.example"}
        answer = httpx.get(f"{site.url}/account", headers=cookie)
        assert answer.headers.get("access-control-allow-credentials") != "true"
        assert httpx.post(f"{site.url}/account/keys", json={"name": "x"}, headers=cookie).status_code == 403
        for path in ("/api/v1/requests/analysis", "/api/v2/analysis/requests", "/orders", "/stac/collections"):
            answer = httpx.post(site.url + path, json=RETRIEVAL, headers=cookie)
            assert answer.status_code in {403, 405}, (path, answer.text)


# --- jobs of others --------------------------------------------------------------------------------------------------


def _ended(web: httpx.Client, job: str) -> dict[str, Any]:
    last = time.monotonic() + 60
    while time.monotonic() < last:
        found = web.get(f"/jobs/{job}").json()
        if found["status"] in {"successful", "failed", "dismissed"}:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.fixture(scope="module")
def job(site: Under) -> str:
    """A finished job of ann's, from the Polytope dialect."""
    with site.web(site.ann) as web:
        made = web.post("/api/v1/requests/analysis", json={"verb": "retrieve", "request": RETRIEVAL})
        assert made.status_code == 202, made.text
        found = _ended(web, made.json()["id"])
        assert found["status"] == "successful", found
        return str(made.json()["id"])


@pytest.fixture(scope="module")
def jobs_of_dialects(site: Under, job: str) -> dict[str, str]:
    """Ann's jobs by dialect."""
    made = {"polytope": job}
    with site.web(site.ann) as web:
        answer = web.post(
            "/api/retrieve/v1/processes/analysis/execution", json={"inputs": {"variable": ["2t"], "time": ["00:00"]}}
        )
        if answer.status_code < 300:
            made["cds"] = answer.json()["jobID"]
        ordered = web.post("/stac/v2/collections/analysis/order", json=RETRIEVAL)
        if ordered.status_code < 300:
            made["hda"] = ordered.json()["id"]
        made["orders"] = web.post("/orders", json={"collection": "analysis", "to": "folder"}).json()["id"]
        for one in made.values():
            _ended(web, one)
    return made


def test_every_dialect_made_a_job(jobs_of_dialects: dict[str, str]) -> None:
    assert set(jobs_of_dialects) == {"polytope", "cds", "hda", "orders"}


def test_nobody_sees_or_touches_another_s_job_in_any_dialect(site: Under, jobs_of_dialects: dict[str, str]) -> None:
    absent = "00000000-0000-4000-8000-000000000000"
    routes = [("GET", "/jobs/{}"), ("GET", "/jobs/{}/results"), ("GET", "/jobs/{}/logs"), ("GET", "/jobs/{}/events"),
              ("DELETE", "/jobs/{}"), ("GET", "/api/v1/requests/{}"), ("DELETE", "/api/v1/requests/{}"),
              ("GET", "/api/v2/requests/{}"), ("GET", "/api/retrieve/v1/jobs/{}"),
              ("GET", "/api/retrieve/v1/jobs/{}/results"), ("GET", "/api/retrieve/v1/jobs/{}/receipt"),
              ("DELETE", "/api/retrieve/v1/jobs/{}"), ("GET", "/stac/v2/collections/analysis/items/{}"),
              ("GET", "/hda-broker/api/v1/dataaccess/download/{}"), ("GET", "/orders/{}"), ("DELETE", "/orders/{}"),
              ("GET", "/orders/{}/files/delivery.json"), ("POST", "/jobs/{}/retry")]  # fmt: skip
    asked = itertools.product((site.bob, ""), routes, jobs_of_dialects.values())
    for number, (key, (method, route), name) in enumerate(asked):  # strangers each from an address of their own
        with site.web(key, **({} if key else {"X-Forwarded-For": f"2001:db8:{number:x}::1"})) as web:
            theirs, none = web.request(method, route.format(name)), web.request(method, route.format(absent))
            assert theirs.status_code == none.status_code, (method, route, theirs.text, none.text)
            assert theirs.status_code in {401, 404, 405}, (method, route, theirs.text)
            assert (
                theirs.text.replace(name, absent).split("trace_id")[0].split("request_id")[0]
                == none.text.split("trace_id")[0].split("request_id")[0]
            )
    with site.web(site.bob) as web:
        for path in (
            "/jobs",
            "/api/v1/requests",
            "/api/retrieve/v1/jobs",
            "/orders",
            "/odata/v1/BatchOrder",
            "/odata/v1/ProductionOrders",
        ):
            shown = web.get(path)
            assert shown.status_code == 200, (path, shown.text)
            assert not [one for one in jobs_of_dialects.values() if one in shown.text], path
        number = int(jobs_of_dialects["orders"].replace("-", "")[:12], 16)
        for path in ("", "/Products", "/Product(1)", "/Product(1)/$value"):
            assert web.get(f"/odata/v1/BatchOrder({number}){path}").status_code == 404
        assert web.post(f"/odata/v1/BatchOrder({number})/OData.CSC.Cancel").status_code in {404, 405}
    with site.web(site.ann) as web:
        for one in jobs_of_dialects.values():
            assert web.get(f"/jobs/{one}").json()["status"] == "successful"


# --- signed links ----------------------------------------------------------------------------------------------------


def _link(web: httpx.Client, job: str) -> str:
    return str(next(iter(web.get(f"/jobs/{job}/results").json().values()))["href"])


def test_signed_links_end_with_their_key_and_their_owner(site: Under, job: str) -> None:
    key = site.key("ann")
    with site.web(key["key"]) as web:
        link = _link(web, job)
    site.used.append(urlsplit(link).path.split("/")[2])
    assert httpx.get(link).status_code == 200
    with site.web(site.boss) as boss:
        boss.delete(f"/account/keys/{key['id']}")
        assert _until(lambda: httpx.get(link).status_code == 401)
        with site.web(site.ann) as web:
            other = _link(web, job)
        assert httpx.get(other).status_code == 200
        boss.patch("/account/users/ann", json={"disabled": True})
        assert _until(lambda: httpx.get(other).status_code == 401)
        assert httpx.get(f"{site.url}/account", headers={"PRIVATE-TOKEN": site.ann}).status_code == 401
        boss.patch("/account/users/ann", json={"disabled": False})
        assert _until(lambda: httpx.get(other).status_code == 200)


def test_signed_links_cannot_be_bent(site: Under, job: str) -> None:
    with site.web(site.ann) as web:
        link = _link(web, job)
        other = _ended(
            web,
            web.post(
                "/api/v1/requests/analysis", json={"verb": "retrieve", "request": RETRIEVAL | {"time": "0100"}}
            ).json()["id"],
        )
    token = urlsplit(link).path.split("/")[2]
    payload, _, signature = token.partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    for bent in (
        [claims[0].replace(job, other["jobID"]), *claims[1:]],
        [*claims[:3], claims[3] + 1e9],
        [claims[0], "admin", "", claims[3]],
        [claims[0] + "/../../x", *claims[1:]],
    ):
        text = base64.urlsafe_b64encode(json.dumps(bent).encode()).rstrip(b"=").decode()
        guessed = base64.urlsafe_b64encode(hmac.digest(b"", text.encode(), hashlib.sha256)).rstrip(b"=").decode()
        for made in (
            f"{text}.{signature}",
            f"{text}.",
            text,
            f"{text}.{guessed}",
            f"{payload}.{signature}=",
            f"{payload}.{signature[:-1]}",
        ):
            assert httpx.get(f"{site.url}/d/{made}/x").status_code == 401
    assert httpx.get(f"{site.url}/d/{token}/../../etc/passwd").status_code in {200, 404}
    assert httpx.get(f"{site.url}/d/{token}/another-name").status_code == 200
    with site.web(token) as web:
        assert web.get("/account").status_code == 401


def test_links_of_a_dismissed_job_open_nothing(site: Under) -> None:
    with site.web(site.ann) as web:
        made = web.post("/orders", json={"collection": "analysis"}).json()["id"]
        assert _ended(web, made)["status"] == "successful"
        link = _link(web, made)
        assert httpx.head(link).status_code == 200
        web.delete(f"/orders/{made}")
        web.delete(f"/jobs/{made}")
    assert httpx.get(link).status_code in {200, 404}


def _until(is_so: Any) -> bool:
    last = time.monotonic() + 6
    while time.monotonic() < last:
        if is_so():
            return True
        time.sleep(0.2)
    return False


# --- what is hidden --------------------------------------------------------------------------------------------------

LISTS = ["/", "/?f=json", "/connect", "/connect?f=json", "/stac", "/stac/collections", "/stac/search?limit=1000", "/ogc/collections",
         "/zarr", "/api/v1/collections", "/stac/v2", "/stac/v2/collections", "/stac/v2/search?limit=100", "/stac/v2/queryables",
         "/api/catalogue/v1/collections", "/api/catalogue/v1/datasets", "/api/catalogue/v1/vocabularies/keywords",
         "/api/retrieve/v1/processes", "/hda-broker/api/v1/datasets", "/hda-broker/api/v1/stac/collections/", "/odata/v1/Workflows",
         "/api/catalogue/v1/collections/secretqz", "/robots.txt", "/sitemap.xml", "/metrics", "/api", "/data/", "/services"]  # fmt: skip


def test_lists_of_every_dialect_say_nothing_of_what_is_hidden(site: Under) -> None:
    for key, path in itertools.product((site.bob, site.ann), LISTS):
        with site.web(key) as web:
            for accept in ("application/json", "text/html"):
                answer = web.get(path, headers={"Accept": accept})
                assert answer.status_code < 500, (path, answer.text)
                assert not [word for word in HIDDEN if word in answer.text + str(answer.headers)], (
                    path,
                    answer.text[:500],
                )
    with site.web(site.agent) as web:
        for path in (
            "/stac/collections",
            "/api/v1/collections",
            "/stac/v2/collections",
            "/hda-broker/api/v1/datasets",
            "/ogc/collections",
        ):
            assert "secretqx" in web.get(path).text, path


DOORS: list[tuple[str, str, Any]] = [
    ("GET", "/stac/collections/secretqx", None), ("GET", "/ogc/collections/secretqx", None), ("GET", "/zarr/secretqx/zarr.json", None),
    ("POST", "/api/v1/requests/secretqx", {"verb": "retrieve", "request": {"class": "od", "stream": "enfo", "param": "130"}}),
    ("POST", "/api/v2/secretqx/requests", {"class": "od", "stream": "enfo", "param": "130"}),
    ("GET", "/api/v1/requests/secretqx", None),
    ("GET", "/stac/v2/collections/secretqx", None), ("GET", "/stac/v2/collections/secretqx/queryables", None),
    ("GET", "/stac/v2/collections/secretqx/items", None), ("POST", "/stac/v2/collections/secretqx/order", RETRIEVAL),
    ("POST", "/stac/v2/search", {"collections": ["secretqx"]}),
    ("GET", "/api/catalogue/v1/collections/secretqx", None), ("GET", "/api/retrieve/v1/processes/secretqx", None),
    ("POST", "/api/retrieve/v1/processes/secretqx/execution", {"inputs": {"variable": ["t"]}}),
    ("POST", "/api/retrieve/v1/processes/secretqx/constraints", {"inputs": {}}),
    ("POST", "/api/retrieve/v1/processes/secretqx/costing", {"inputs": {}}),
    ("GET", "/hda-broker/api/v1/datasets/secretqx", None), ("GET", "/hda-broker/api/v1/dataaccess/queryable/secretqx", None),
    ("POST", "/hda-broker/api/v1/dataaccess/search", {"dataset_id": "secretqx"}),
    ("POST", "/hda-broker/api/v1/dataaccess/download", {"dataset_id": "secretqx", "product_id": "x", "location": "y"}),
    ("POST", "/orders", {"collection": "secretqx"}), ("POST", "/orders/estimate", {"collection": "secretqx"}),
    ("POST", "/orders", {"collection": "mixed", "items": ["hiddenqx"]}),
    ("POST", "/odata/v1/BatchOrder/OData.CSC.Order", {"Name": "x", "WorkflowName": "data-harvest", "InputProductReference": {"Reference": "hiddenqx", "ContentDate": None}}),
    ("GET", "/stac/collections/mixed/items/hiddenqx", None), ("GET", "/stac/v2/collections/mixed/items/hiddenqx", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_hidden_things_answer_as_absent_ones_in_every_dialect(site: Under, method: str, path: str, body: Any) -> None:
    def asked(text: str) -> tuple[int, str]:
        sent = (
            None if body is None else json.loads(json.dumps(body).replace("secretqx", text).replace("hiddenqx", text))
        )
        answer = web.request(method, path.replace("secretqx", text).replace("hiddenqx", text), json=sent)
        plain = re.sub(r'"(request_id|traceId|trace_id|timeStamp)":\s*"[^"]*"', "", answer.text).replace(text, "NAME")
        return answer.status_code, plain

    with site.web(site.bob) as web:
        hidden, absent = asked("secretqx" if "secretqx" in path + json.dumps(body) else "hiddenqx"), asked("secretqz")
    assert hidden == absent
    assert hidden[0] < 500


def test_time_tells_little_of_what_is_hidden(site: Under) -> None:
    def took(name: str) -> float:
        began = time.perf_counter()
        web.get(f"/stac/collections/{name}")
        return time.perf_counter() - began

    with site.web(site.bob) as web:
        pairs = [(took("secretqx"), took("secretqz")) for _ in range(60)]
    hidden, absent = (statistics.median(one) for one in zip(*pairs, strict=True))
    assert hidden < 3 * absent + 0.005
    assert absent < 3 * hidden + 0.005


def test_where_files_lie_is_told_to_nobody_but_administrators(site: Under, jobs_of_dialects: dict[str, str]) -> None:
    folder = str(site.home.parent)
    with site.web(site.ann) as web:
        paths = [*LISTS, "/stac/collections/analysis/items", "/stac/v2/collections/analysis/items", "/ogc/collections/analysis/items",
                 "/hda-broker/api/v1/stac/collections/analysis/items", "/jobs", "/stac/collections/analysis",
                 *(f"/jobs/{one}{end}" for one in jobs_of_dialects.values() for end in ("", "/results", "/logs")),
                 *(f"/orders/{one}" for one in jobs_of_dialects.values())]  # fmt: skip
        for path in paths:
            answer = web.get(path)
            assert folder not in answer.text, (path, answer.text[:800])
            assert "file://" not in answer.text, path


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_bodies_that_burst(site: Under) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
    )
    with site.web(site.ann) as web:
        for request in (bomb, {"param": "/".join(["167"] * 1_000_000)}, {"param": "0/to/1000000000/by/1"}, {"param": "2000/to/2001"},
                        {"number": list(range(1_000_000))}, [], "x", None, 5):  # fmt: skip
            began = time.monotonic()
            answer = web.post("/api/v1/requests/analysis", json={"verb": "retrieve", "request": request})
            assert answer.status_code in {400, 413}, (str(request)[:80], answer.text[:300])
            assert len(answer.text) < 20_000
            assert "Traceback" not in answer.text
            assert time.monotonic() - began < 15
        answer = web.post(
            "/api/v1/requests/analysis", json={"verb": "retrieve", "request": RETRIEVAL | {"parm": "167"}}
        )
        assert (answer.status_code, "param" in answer.text) == (400, True)
        deep = "[" * 100_000
        for path in ("/stac/search", "/orders", "/api/v1/requests/analysis", "/hda-broker/api/v1/dataaccess/search"):
            assert web.post(path, content=deep, headers={"Content-Type": "application/json"}).status_code == 400, path
        assert web.get("/health").status_code == 200


# --- pace ------------------------------------------------------------------------------------------------------------


def test_one_stranger_does_not_spend_what_others_have(site: Under) -> None:
    with httpx.Client(base_url=site.url) as web:
        mine = [web.get("/stac", headers={"X-Forwarded-For": "203.0.113.5"}) for _ in range(8)]
        assert [one.status_code for one in mine[:5]] == [200] * 5
        assert mine[-1].status_code == 429
        assert int(mine[-1].headers["retry-after"]) >= 1
        assert mine[0].headers["ratelimit"].startswith('"each address";r=4')
        spoofed = {"X-Forwarded-For": "192.0.2.9, 203.0.113.5"}  # what the caller wrote itself stands before
        assert web.get("/stac", headers=spoofed).status_code == 429
        assert web.get("/stac", headers={"X-Forwarded-For": "203.0.113.6"}).status_code == 200
        keyed = {"X-Forwarded-For": "203.0.113.5", "PRIVATE-TOKEN": site.bob}
        assert [web.get("/stac", headers=keyed).status_code for _ in range(8)] == [200] * 8


# --- and last: what was written down ---------------------------------------------------------------------------------


def test_no_secret_is_in_any_log_or_file(site: Under, job: str) -> None:
    with site.web(site.ann) as web:
        site.used.append(urlsplit(_link(web, job)).path.split("/")[2])
        web.get(
            f"/nowhere/{quote(site.ann)}?x={site.ann}",
            headers={"X-Request-Id": site.ann, "User-Agent": site.ann, "Referer": site.ann},
        )
    secrets = {one.removeprefix("tk_") for one in site.used if len(one) > 20}
    assert len(secrets) > 6
    kept = [site.log, *(path for path in site.home.rglob("*") if path.is_file())]
    assert len(kept) > 8
    for path in kept:
        content = path.read_bytes()
        assert not [one for one in secrets if one.encode() in content], path
    assert b"Traceback" not in site.log.read_bytes()
