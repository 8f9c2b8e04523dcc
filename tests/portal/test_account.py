"""The account's page and the jobs' page: who somebody is, keys, use, users; jobs that go on by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from portal.conftest import NAME, PASSWORD

if TYPE_CHECKING:
    from portal.conftest import Portal, Served


def test_visitors_are_shown_the_way_in_and_back(portal: Portal) -> None:
    page = portal.open("account").page
    page.get_by_role("heading", name="You are not signed in").wait_for()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password, or a key").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_role("heading", name=NAME, exact=True).wait_for()
    assert page.url == f"{portal.url}/account"
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are not signed in").wait_for()
    assert not [one for one in page.context.cookies() if one["name"] == "terrella_session"]


def test_a_key_is_shown_once_works_and_ends(portal: Portal, web: httpx.Client) -> None:
    page = portal.sign_in().open("account").page
    page.get_by_label("Where it will be used").fill('a "laptop" <b>')
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("code[data-key]").inner_text()
    headers = {"Authorization": f"Bearer {key}"}
    told = web.get("/account", headers=headers).json()
    assert (told["name"], told["scopes"]) == (NAME, ["read", "run"])
    page.reload()
    page.get_by_text('a "laptop" <b>').first.wait_for()
    assert not page.locator("code[data-key]").count()
    end = page.get_by_role("button", name='End the key a "laptop" <b>')
    end.click()
    assert "shut out at once" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Cancel").click()
    assert web.get("/account", headers=headers).status_code == 200
    end.click()
    page.get_by_role("button", name="End it").click()
    portal.settled(lambda: not end.count())
    assert web.get("/account", headers=headers).status_code == 401


def test_the_password_wants_the_old_one(portal: Portal, web: httpx.Client) -> None:
    portal.expects("40")
    page = portal.sign_in().open("account").page
    page.get_by_text("Change password").first.click()
    page.get_by_label("The password until now").fill("not hers")
    page.get_by_label("New password, 8 letters or more").fill("another password")
    page.get_by_label("The new one again").fill("another passwort")
    assert page.get_by_role("button", name="Change password").is_disabled()
    page.get_by_label("The new one again").fill("another password")
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("alert").wait_for()
    answer = web.post("/account/login", json={"name": NAME, "password": PASSWORD})
    assert answer.status_code == 200


def test_use_is_what_the_ledger_says(portal: Portal, portal_site: Served, web: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {portal_site.key}"}
    for lat in (10, 20, 30):
        asked = {"coords": f"POINT(10 {lat})"}
        web.get("/ogc/collections/field/position", params=asked, headers=headers).raise_for_status()
    told = web.get("/account/usage", headers=headers).json()
    assert told["totals"]["bytes_read"] > 0
    page = portal.sign_in().open("account").page
    page.get_by_label("Shown").select_option("requests")
    rows = page.locator("figure table tr")
    portal.settled(lambda: rows.count() == 1)
    shown = int(rows.first.locator("td").inner_text().replace(",", ""))
    assert shown >= told["totals"]["requests"]
    assert page.locator("svg rect.bar").count() == 30
    page.get_by_role("combobox", name=re.compile("^Days")).select_option("7")
    portal.settled(lambda: page.locator("svg rect.bar").count() == 7)
    assert not page.get_by_label("Whose").count()


def test_administrators_see_to_users(portal: Portal, portal_site: Served, web: httpx.Client) -> None:
    page = portal.page
    page.goto(f"{portal.url}/account/login?next=/account")
    page.get_by_label("Password, or a key").fill(portal_site.admin)
    page.get_by_role("button", name="Sign in").first.click()
    users = page.get_by_role("region", name="Users")
    users.get_by_text("Add a user").first.click()
    users.get_by_label("Name", exact=True).fill("grace")
    users.get_by_label("Password (none: with keys only)").fill("a password of grace")
    users.get_by_label("Roles, with commas between").last.fill("hydrology, snow")
    users.get_by_role("button", name="Add a user").click()
    users.get_by_text("grace is added").wait_for()
    login = {"name": "grace", "password": "a password of grace"}
    key = web.post("/account/login", json=login).json()["key"]
    told = web.get("/account", headers={"X-API-Key": key}).json()
    assert {"hydrology", "snow"} <= set(told["roles"])
    row = users.get_by_role("listitem").filter(has_text="grace")
    row.get_by_role("button", name="Shut out").click()
    row.get_by_role("button", name="Let in again").wait_for()
    assert web.post("/account/login", json=login).status_code == 401
    row.get_by_role("button", name="Use", exact=True).click()
    portal.settled(lambda: page.get_by_label("Whose").input_value() == "grace")
    page.get_by_label("Whose").select_option("*")
    page.get_by_text("By user").wait_for()


def test_jobs_are_listed_with_what_they_made(portal: Portal, portal_site: Served, web: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {portal_site.key}", "Prefer": "respond-async"}
    asked = {"bbox": "0,40,12,50", "f": "NetCDF"}
    web.get("/ogc/collections/field/cube", params=asked, headers=headers).raise_for_status()
    page = portal.sign_in().open("jobs").page
    row = page.get_by_role("article").first
    row.get_by_text("done", exact=True).wait_for()
    link = row.get_by_role("link", name=re.compile("^Save "))
    link.wait_for()
    assert len(web.get(str(link.get_attribute("href"))).raise_for_status().content) > 1000
    page.get_by_label("Which jobs").select_option("failed")
    page.get_by_text("No jobs yet").wait_for()
    assert page.url.endswith("/jobs?status=failed")


@pytest.mark.parametrize("page_name", ["account", "jobs"])
@pytest.mark.window(360, 740, dark=True)
def test_on_a_telephone_nothing_is_cut_off(portal: Portal, page_name: str) -> None:
    page = portal.sign_in().open(page_name).page
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_timeout(600)
    wide = page.locator("main").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide[0] <= wide[1]
