"""Signing in at a certified OpenID issuer with a browser that is driven here: code flow with PKCE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.conftest import make_site, serving
from issuers import certified_issuer, free_port, walk

PAGE = {"Accept": "text/html"}


@dataclass
class Place:
    site: str
    issuer: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    port = free_port()
    with certified_issuer(f"http://127.0.0.1:{port}/account/callback") as issuer:
        wanted = {
            "issuer": issuer,
            "client_id": "terrella",
            "title": "The <Test> Issuer",
            "groups_claim": "realm.groups",
            "administrators": ["chiefs"],
        }
        site = make_site(tmp_path_factory.mktemp("oidc"), access={"issuers": [wanted]})
        site.access.first_key()
        with serving(site, port) as address:
            yield Place(address, issuer)


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, headers=PAGE) as made:
        yield made


def set_out(browser: httpx.Client, place: Place, back: str = "/account") -> httpx.Response:
    """Up to the first page of the issuer."""
    page = browser.get(f"{place.site}/account/login", params={"next": back})
    assert "The &lt;Test&gt; Issuer" in page.text
    link = re.search(r'href="(/account/issuer[^"]+)"', page.text)
    assert link is not None
    return browser.get(place.site + link[1].replace("&amp;", "&"))


def test_signing_in_and_out(browser: httpx.Client, place: Place) -> None:
    gone = set_out(browser, place)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(gone.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert {"state", "nonce", "client_id", "redirect_uri"} < set(asked)
    page = walk(browser, gone, "ann")
    assert (page.status_code, str(page.url)) == (200, f"{place.site}/account")
    found = browser.get(f"{place.site}/account", headers={"Accept": "application/json"}).json()
    assert (found["name"], found["roles"], found["groups"]) == ("ann", ["hydrology", "user"], ["field"])
    assert found["scopes"] == ["read", "run"]
    assert browser.cookies.get("terrella_sign_in") is None
    browser.post(f"{place.site}/account/logout", headers={"Origin": place.site})
    assert browser.get(f"{place.site}/account?f=json").json()["anonymous"]


def test_who_is_a_chief_there_administers_here(browser: httpx.Client, place: Place) -> None:
    walk(browser, set_out(browser, place), "boss")
    found = browser.get(f"{place.site}/account?f=json").json()
    assert (found["name"], "administer" in found["scopes"]) == ("boss", True)


def test_the_local_administrator_stays_who_they_are(browser: httpx.Client, place: Place) -> None:
    walk(browser, set_out(browser, place), "admin")
    found = browser.get(f"{place.site}/account?f=json").json()
    assert (found["name"], found["scopes"]) == ("admin-127.0.0.1", ["read", "run"])


def test_who_does_not_agree_is_not_signed_in(browser: httpx.Client, place: Place) -> None:
    page = walk(browser, set_out(browser, place), "ann", agree=False)
    assert page.status_code == 401
    assert "did not sign you in" in page.text
    assert "terrella_session" not in browser.cookies


def stopped_at_callback(browser: httpx.Client, place: Place) -> str:
    """The address that the issuer sends the browser to, not gone to yet."""
    kept = browser.event_hooks

    class Stopped(Exception):
        pass

    def look(request: httpx.Request) -> None:
        if request.url.path == "/account/callback":
            raise Stopped(str(request.url))

    browser.event_hooks = {"request": [look]}
    try:
        walk(browser, set_out(browser, place), "ann")
    except Stopped as stop:
        return str(stop)
    finally:
        browser.event_hooks = kept
    raise AssertionError("the issuer did not send the browser back")


def test_a_way_back_is_gone_once_and_by_who_set_out(browser: httpx.Client, place: Place) -> None:
    address = stopped_at_callback(browser, place)
    with httpx.Client() as victim:  # whose browser is sent to somebody else's way back
        assert victim.get(address).status_code == 401
    state = parse_qs(urlsplit(address).query)["state"][0]
    for changed in (
        address.replace(state, "x" * len(state)),
        address.replace("state=", "other="),
        re.sub(r"iss=[^&]+", "iss=http%3A%2F%2Fevil.example", address),
        re.sub(r"code=[^&]+", "code=made-up", address),
    ):
        answer = browser.get(changed)
        assert (answer.status_code, changed) == (401, changed)
        assert "terrella_session" not in browser.cookies
    fresh = stopped_at_callback(browser, place)
    assert browser.get(fresh).status_code == 303
    assert browser.get(f"{place.site}/account?f=json").json()["name"] == "ann"
    assert browser.get(fresh).status_code == 401  # once


def test_a_code_is_of_use_only_with_the_verifier(browser: httpx.Client, place: Place) -> None:
    address = stopped_at_callback(browser, place)
    code = parse_qs(urlsplit(address).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "terrella", "code_verifier": "x" * 43}
    answer = httpx.post(f"{place.issuer}/token", data=form | {"redirect_uri": f"{place.site}/account/callback"})
    assert answer.json()["error"] == "invalid_grant"


def test_programs_learn_where_to_sign_in(place: Place) -> None:
    offered = httpx.get(f"{place.site}/account/login").json()["issuers"]
    assert [(one["issuer"], one["client_id"]) for one in offered] == [(place.issuer, "terrella")]


def id_token(place: Place, client: str, name: str) -> str:
    """By the device flow, approved in a browser of its own."""
    asked = {"client_id": client, "scope": "openid profile email"}
    started = httpx.post(f"{place.issuer}/device/auth", data=asked).json()
    form = {"client_id": client, "device_code": started["device_code"]}
    form["grant_type"] = "urn:ietf:params:oauth:grant-type:device_code"
    assert httpx.post(f"{place.issuer}/token", data=form).json()["error"] == "authorization_pending"
    with httpx.Client() as browser:
        walk(browser, browser.get(started["verification_uri_complete"]), name)
    return httpx.post(f"{place.issuer}/token", data=form).json()["id_token"]


def test_its_tokens_open_the_interface(place: Place) -> None:
    token = id_token(place, "terrella", "tom")
    found = httpx.get(f"{place.site}/account", headers={"Authorization": f"Bearer {token}"}).json()
    assert (found["name"], found["roles"], found["key"]) == ("tom", ["hydrology", "user"], None)
    middle = token.split(".")[1]
    for wrong in (
        id_token(place, "another", "tom"),
        token.replace(middle, middle[:-2] + "AA"),
        token[:-8] + "AAAAAAAA",
    ):
        answer = httpx.get(f"{place.site}/account", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401


def test_an_issuer_that_is_down_says_so(tmp_path: Path) -> None:
    wanted = {"issuer": f"http://127.0.0.1:{free_port()}", "client_id": "terrella"}
    with serving(make_site(tmp_path, access={"issuers": [wanted]})) as address:
        answer = httpx.get(f"{address}/account/issuer")
        assert (answer.status_code, answer.json()["code"]) == (502, "provider-unavailable")
        assert httpx.get(f"{address}/account").status_code == 200
