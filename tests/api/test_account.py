"""Accounts over HTTP: one key in every form that clients send, pages for people, nothing for strangers."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from api.conftest import NotingSite, make_site, serving
from terrella.access import passwords
from terrella.access.access import FIRST_USER

PASSWORD = "correct horse"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> NotingSite:
    return make_site(tmp_path_factory.mktemp("accounts"))


@pytest.fixture(scope="module")
def key(site: NotingSite) -> str:
    new = site.access.first_key()
    assert new is not None
    boss = site.access.caller(FIRST_USER)
    site.access.accounts.add_user(boss, "slow", password=PASSWORD)
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: quick)
        site.access.accounts.add_user(boss, "ann", password=PASSWORD, roles=["hydrology"], groups=["field"])
        site.access.accounts.add_user(boss, "bob", password=PASSWORD)
    return new.text


@pytest.fixture(scope="module")
def address(site: NotingSite) -> Iterator[str]:
    with serving(site) as made:
        yield made


@pytest.fixture
def web(address: str, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_without_credentials_one_is_anonymous(web: httpx.Client) -> None:
    found = web.get("/account").json()
    assert (found["name"], found["anonymous"], found["roles"], found["keys"]) == ("anonymous", True, ["anonymous"], [])


def test_one_key_in_every_form(web: httpx.Client, key: str) -> None:
    for headers in (
        bearer(key),
        {"authorization": f"bearer {key}"},
        basic("anybody", key),
        basic("", key),
        basic(key, ""),
        {"Authorization": f"EmailKey ann@example.org:{key}"},
        {"PRIVATE-TOKEN": key},
        {"X-API-Key": key},
        {"Authorization": f"EmailKey ann@example.org:{key}, Bearer {key}"},
        {"Authorization": f"Bearer tk_wrong, Basic {base64.b64encode(f'x:{key}'.encode()).decode()}"},
    ):
        answer = web.get("/account", headers=headers)
        assert (answer.status_code, answer.json()["name"]) == (200, FIRST_USER), headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert web.get("/account", headers=basic("ann", PASSWORD)).json()["groups"] == ["field"]


def test_a_key_in_a_query_opens_nothing(web: httpx.Client, key: str) -> None:
    for name in ("token", "key", "api_key", "access_token"):
        assert web.get("/account", params={name: key}).json()["anonymous"]


@pytest.mark.parametrize(
    "headers",
    [
        bearer("tk_wrong"),
        bearer("nonsense"),
        bearer("a.b.c"),
        bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
        basic("ann", "wrong horse"),
        basic("nobody", PASSWORD),
        basic(FIRST_USER, ""),
        {"Authorization": ""},
        {"Authorization": "Negotiate abc"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !!!"},
        {"PRIVATE-TOKEN": ""},
        {"PRIVATE-TOKEN": "tk_ü".encode()},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Authorization": "Bearer " + "x" * 100_000},
    ],
)
def test_wrong_credentials_are_never_silently_anonymous(web: httpx.Client, headers: dict[str, Any]) -> None:
    for path in ("/account", "/stac/search", "/", "/nowhere"):
        answer = web.get(path, headers=headers)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"].endswith('realm="terrella"')
        assert "expired" not in answer.text.lower()
        assert answer.json()["code"] == "unauthenticated"
        assert not any(secret in answer.text for secret in ("tk_wrong", "nonsense", "wrong horse"))
    assert web.get("/health", headers=headers).status_code == 200


def test_errors_are_in_the_words_of_the_dialect(web: httpx.Client) -> None:
    answer = web.get("/stac/search", headers=bearer("tk_wrong"))
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"code", "description", "request_id"}
    assert web.get("/ogc/collections", headers=bearer("tk_wrong")).headers["Content-Type"] == "application/problem+json"


def test_ten_megabytes_of_header(web: httpx.Client) -> None:
    answer = web.get("/account", headers=bearer("x" * 10_000_000))
    assert answer.status_code in {400, 401, 431}
    assert web.get("/health").status_code == 200


def test_keys_are_made_used_and_ended(web: httpx.Client, key: str) -> None:
    answer = web.post("/account/keys", json={"name": "ci", "scopes": ["read"], "days": 30}, headers=bearer(key))
    assert answer.status_code == 201
    made = answer.json()
    assert (made["owner"], made["scopes"], made["valid"]) == (FIRST_USER, ["read"], True)
    assert web.get("/account", headers=bearer(made["key"])).json()["scopes"] == ["read"]
    listed = web.get("/account/keys", headers=bearer(key))
    assert made["key"] not in listed.text
    assert made["id"] in {one["id"] for one in listed.json()["keys"]}
    refused = web.post("/account/keys", json={"name": "x", "scopes": ["write"]}, headers=bearer(made["key"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "denied")
    assert web.delete(f"/account/keys/{made['id']}", headers=bearer(key)).json()["valid"] is False
    answer = web.get("/account", headers=bearer(made["key"]))
    assert (answer.status_code, "no longer valid" in answer.text) == (401, True)


def test_a_stranger_s_keys_are_not_there(web: httpx.Client, key: str) -> None:
    hers = web.post("/account/keys", json={"name": "hers"}, headers=basic("ann", PASSWORD)).json()
    answer = web.delete(f"/account/keys/{hers['id']}", headers=basic("bob", PASSWORD))
    assert answer.status_code == 404
    assert web.get("/account/keys?owner=ann", headers=basic("bob", PASSWORD)).status_code == 403
    assert web.get("/account/keys").status_code == 401
    assert web.post("/account/keys", json={"name": "x"}).status_code == 401
    assert web.get("/account/keys?owner=ann", headers=bearer(key)).json()["keys"][0]["id"] == hers["id"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x", "days": 0}, {"name": "x", "days": -1}, {"name": "x", "days": 1e9}, {"name": "x", "scopes": []},
     {"name": "x", "scopes": ["fly"]}, {"name": "x", "more": 1}, {"name": "a\nb"}, [], "x", {"name": "x", "days": "1"},
     {"name": "x" * 101}, {"name": "x", "owner": "nobody"}],
)  # fmt: skip
def test_bodies_that_cannot_be(web: httpx.Client, key: str, body: Any) -> None:
    assert web.post("/account/keys", json=body, headers=bearer(key)).status_code in {400, 404}


def test_administrators_look_after_users(web: httpx.Client, key: str) -> None:
    boss = bearer(key)
    made = web.post("/account/users", json={"name": "eve", "password": PASSWORD, "roles": ["x"]}, headers=boss)
    assert (made.status_code, made.json()["roles"]) == (201, ["x"])
    assert "argon2" not in made.text
    assert web.post("/account/users", json={"name": "eve"}, headers=boss).status_code == 409
    assert web.get("/account", headers=basic("eve", PASSWORD)).json()["name"] == "eve"
    changed = web.patch("/account/users/eve", json={"roles": ["editor"]}, headers=boss).json()
    assert changed["roles"] == ["editor"]
    assert "write" in web.get("/account", headers=basic("eve", PASSWORD)).json()["scopes"]
    assert web.patch("/account/users/eve", json={"disabled": True}, headers=boss).json()["disabled"]
    assert "disabled" in web.get("/account", headers=basic("eve", PASSWORD)).json()["detail"]
    assert web.get("/account/users", headers=boss).json()["users"][-2]["name"] == "eve"
    last = web.patch(f"/account/users/{FIRST_USER}", json={"disabled": True}, headers=boss)
    assert (last.status_code, "last administrator" in last.text) == (400, True)
    assert web.patch("/account/users/eve", json={}, headers=boss).status_code == 400
    for headers, status in ((basic("ann", PASSWORD), 403), ({}, 401)):
        assert web.get("/account/users", headers=headers).status_code == status
        assert web.post("/account/users", json={"name": "mallory"}, headers=headers).status_code == status
        assert web.patch("/account/users/ann", json={"roles": ["administrator"]}, headers=headers).status_code == status
    assert web.get("/account/users/ann", headers=basic("ann", PASSWORD)).json()["name"] == "ann"
    assert web.get("/account/users/ann", headers=basic("bob", PASSWORD)).status_code == 403


def test_a_key_is_not_enough_to_take_an_account(web: httpx.Client) -> None:
    hers = web.post("/account/keys", json={"name": "leaked"}, headers=basic("ann", PASSWORD)).json()["key"]
    answer = web.patch("/account/users/ann", json={"password": "another horse"}, headers=bearer(hers))
    assert (answer.status_code, answer.json()["parameter"]) == (403, "old_password")
    assert web.get("/account", headers=basic("ann", PASSWORD)).status_code == 200


def test_programs_sign_in_for_some_hours(web: httpx.Client) -> None:
    answer = web.post("/account/login", json={"name": "ann", "password": PASSWORD})
    assert answer.json()["expires"] is not None
    assert "set-cookie" not in answer.headers
    assert web.get("/account", headers=bearer(answer.json()["key"])).json()["name"] == "ann"
    assert web.post("/account/login", json={"name": "ann", "password": "x"}).status_code == 401
    assert web.get("/account/login").json() == {"password": True, "issuers": []}


def test_people_sign_in_and_out(web: httpx.Client) -> None:
    page = web.get("/account/login?next=/stac", headers=PAGE)
    assert page.headers["Content-Type"].startswith("text/html")
    assert 'value="/stac"' in page.text
    assert "<script" not in page.text
    form = {"name": "ann", "password": PASSWORD, "next": "/stac"}
    answer = web.post("/account/sign-in", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/stac")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "max-age=43200"))
    page = web.get("/account?f=html")
    assert "<h1>ann</h1>" in page.text
    new = web.post("/account/new-key", data={"name": "<b>lap", "scopes": ["read"], "days": "30"}, headers=SAME_ORIGIN)
    assert "&lt;b&gt;lap" in new.text
    made = re.search(r"tk_[\w-]{43}", new.text)
    assert made is not None
    with httpx.Client(base_url=web.base_url) as program:
        assert program.get("/account", headers=bearer(made[0])).json()["scopes"] == ["read"]
        listed = program.get("/account", headers=bearer(made[0])).json()["keys"]
    identifier = next(one["id"] for one in listed if one["name"] == "<b>lap")
    assert identifier in web.get("/account?f=html").text
    assert web.post("/account/end-key", data={"key": identifier}, headers=SAME_ORIGIN).status_code == 303
    session = web.cookies["terrella_session"]
    assert web.post("/account/logout", headers=SAME_ORIGIN).status_code == 303
    assert "terrella_session" not in web.cookies
    assert web.get("/account", headers=bearer(session)).status_code == 401


def test_a_script_that_signs_out_is_sent_nowhere(web: httpx.Client, key: str) -> None:
    web.post("/account/sign-in", data={"name": "", "password": key}, headers=SAME_ORIGIN)
    assert "terrella_session" in web.cookies
    left = web.post("/account/logout", headers={**SAME_ORIGIN, "Accept": "application/json"})
    assert (left.status_code, left.content) == (204, b"")
    assert "terrella_session" not in web.cookies


def test_a_session_that_ended_does_not_close_public_pages(web: httpx.Client) -> None:
    answer = web.get("/account", headers={"Cookie": "other=1; terrella_session=ts_old"})
    assert answer.json()["anonymous"]
    assert "terrella_session=; Max-Age=0" in answer.headers["set-cookie"]


def test_other_sites_pages_change_nothing(web: httpx.Client, address: str) -> None:
    form = {"name": "ann", "password": PASSWORD}
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site", "Origin": address}):  # fmt: skip
        assert web.post("/account/sign-in", data=form, headers=headers).status_code == 403
    assert web.post("/account/sign-in", data=form, headers={"Origin": address}).status_code == 303
    for path in ("/account/logout", "/account/new-key", "/account/end-key"):
        assert (
            web.post(path, data={"name": "x", "scopes": "read"}, headers={"Origin": "http://evil.example"}).status_code
            == 403
        )
    assert web.post("/account/keys", json={"name": "x"}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert web.post("/account/keys", json={"name": "x"}, headers={"Origin": address}).status_code == 201


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil", "evil", "", "/a\r\nSet-Cookie: x=1"]
)
def test_nobody_is_sent_elsewhere(web: httpx.Client, back: str) -> None:
    form = {"name": "ann", "password": PASSWORD, "next": back}
    answer = web.post("/account/sign-in", data=form, headers=SAME_ORIGIN)
    assert answer.headers["location"] == "/account"


def test_a_wrong_password_shows_the_page_again(web: httpx.Client) -> None:
    form = {"name": "<script>", "password": "wrong horse", "next": '"><script>'}
    answer = web.post("/account/sign-in", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert "are wrong" in answer.text
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers


def test_people_may_sign_in_with_a_key(web: httpx.Client, key: str) -> None:
    answer = web.post("/account/sign-in", data={"name": "", "password": key}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert web.get("/account").json()["name"] == FIRST_USER


def test_passwords_do_not_hold_up_others(web: httpx.Client, address: str) -> None:
    """While many sign in, the event loop answers, and what is too much is refused at once."""
    statuses: list[int] = []

    def guess(number: int) -> None:
        statuses.append(
            httpx.get(f"{address}/account", headers=basic("slow", f"guess {number}"), timeout=60).status_code
        )

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(14)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        began = time.perf_counter()
        assert web.get("/health").status_code == 200
        slowest = max(slowest, time.perf_counter() - began)
        time.sleep(0.02)
    assert set(statuses) == {401, 429}
    assert slowest < 1.0
    busy = statuses.count(429)
    assert busy >= 1


def test_without_anonymous_reading(tmp_path: Path) -> None:
    site = make_site(tmp_path, access={"anonymous": False})
    new = site.access.first_key()
    assert new is not None
    with serving(site) as address, httpx.Client(base_url=address) as web:
        for path in (
            "/stac",
            "/stac/search",
            "/ogc",
            "/account",
            "/metrics",
            "/nowhere",
            "/stac/../account",
            "/d",
        ):
            answer = web.get(path)
            assert (answer.status_code, path) == (401, path)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="terrella"'
        for path in ("/health", "/ready", "/", "/api", "/api.html", "/account/login", "/static/site.css"):
            assert (web.get(path).status_code, path) == (200, path)
        assert web.get("/d/nonsense").status_code != 200
        opened = web.get("/stac/search", headers=PAGE | {"Sec-Fetch-Mode": "navigate"})
        assert (opened.status_code, opened.headers["location"]) == (303, "/account/login?next=%2Fstac%2Fsearch")
        wrong = web.get("/stac/search", headers=bearer("tk_x") | {"Sec-Fetch-Mode": "navigate"})
        assert wrong.status_code == 401
        assert web.get("/stac/search", headers=bearer(new.text)).status_code == 200
        assert web.get("/stac/search", headers=basic("x", new.text)).json()["features"]
        assert "optical" not in web.get("/?f=html", headers=PAGE).text
        assert "optical" in web.get("/?f=html", headers=PAGE | bearer(new.text)).text
        assert (
            web.options(
                "/stac/search", headers={"Origin": "http://x", "Access-Control-Request-Method": "GET"}
            ).status_code
            == 200
        )
