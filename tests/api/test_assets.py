"""Assets: served where they were added, addressed as the caller may see them, and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.conftest import collection, item, serving
from site_files import write_netcdf
from terrella.api.assets import is_local, restored
from terrella.model.caller import OPERATOR
from terrella.site.site import Site

RULES = [
    {"name": "open", "items": "embargo IS NULL", "collections": "id <> 'closed'"},
    {"name": "known", "allow": "find", "collections": "id = 'known'"},
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Anybody may write, but not everything is open."""
    folder = tmp_path_factory.mktemp("assets")
    access = {"rules": RULES, "anonymous_roles": ["editor"]}
    with Site.open(folder / "site", access=access, api={"transactions": True}) as made:
        (folder / "fields").mkdir()
        write_netcdf(folder / "fields" / "one.nc")
        made.add(folder / "fields", collection="fields")
        (folder / "secret.nc").write_bytes(b"secret")
        for name in ("closed", "mixed"):
            made.lake.put_collection(OPERATOR, collection(name, [0.0, 0.0, 9.0, 9.0]))
            hidden = item(name, 1, 1.0, 1.0)
            hidden["properties"]["embargo"] = "2187-01-01T00:00:00Z"
            made.lake.put_items(OPERATOR, [item(name, 0, 1.0, 1.0), hidden])
        yield made


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[httpx.Client]:
    with serving(site) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made


def _with_href(href: str, number: int = 50) -> dict[str, Any]:
    made = item("fields", number, 1.0, 1.0)
    made["assets"] = {"data": {"href": href}}
    return made


@pytest.mark.parametrize("href", ["/etc/passwd", "file:///etc/passwd", "FILE:/etc/passwd", "\\\\host\\share"])
def test_who_writes_over_http_names_no_file_of_the_server(web: httpx.Client, href: str) -> None:
    answer = web.post("/stac/collections/fields/items", json=_with_href(href))
    assert answer.status_code == 400
    assert "file of this server" in answer.text


def test_what_was_not_added_is_not_served(web: httpx.Client, site: Site) -> None:
    folder = site.settings.home.parent
    known = ["/etc/passwd", str(folder / "secret.nc"), str(folder / "fields" / ".." / "secret.nc"), "/", str(folder)]
    for number, href in enumerate(known, 60):
        made = _with_href(href, number)
        site.lake.put_items(OPERATOR, [made])
        answer = web.get(f"/stac/collections/fields/items/{made['id']}/assets/data")
        assert answer.status_code == 404, (href, answer.text)
        assert str(folder) not in answer.text
    assert web.get("/stac/collections/fields/items/one/assets/nothing").status_code == 404


def test_a_link_out_of_what_was_added_leads_nowhere(web: httpx.Client, site: Site) -> None:
    folder = site.settings.home.parent
    (folder / "fields" / "link.nc").symlink_to(folder / "secret.nc")
    made = item("fields", 70, 1.0, 1.0) | {"id": "one-more"}
    made["assets"] = {"data": {"href": str(folder / "fields" / "link.nc")}}
    site.lake.put_items(OPERATOR, [made])
    assert web.get("/stac/collections/fields/items/one-more/assets/data").status_code == 404


def test_what_lies_elsewhere_is_pointed_to(web: httpx.Client, site: Site) -> None:
    site.lake.put_items(OPERATOR, [_with_href("https://example.org/a.tif", 80)])
    answer = web.get("/stac/collections/fields/items/fields-0080/assets/data")
    assert (answer.status_code, answer.headers["location"]) == (307, "https://example.org/a.tif")


def test_a_document_that_is_fetched_and_sent_back_keeps_its_file(web: httpx.Client, site: Site) -> None:
    address = "/stac/collections/fields/items/one"
    before = site.catalog.item(OPERATOR, "fields", "one")
    document = web.get(address).json()
    assert document["assets"]["data"]["href"].endswith("/items/one/assets/data")
    document["properties"]["title"] = "renamed"
    answer = web.put(address, json=document)
    assert answer.status_code == 200, answer.text
    assert b"/fields/one.nc" in site.catalog.item(OPERATOR, "fields", "one")
    assert b"/fields/one.nc" in before
    assert web.get(document["assets"]["data"]["href"]).status_code == 200
    assert web.patch(address, json={"properties": {"title": "again"}}).status_code == 200


def test_nobody_writes_over_what_they_cannot_see(web: httpx.Client, site: Site) -> None:
    sent = item("mixed", 1, 1.0, 1.0)
    for answer in (
        web.post("/stac/collections/mixed/items", json=sent),
        web.post("/stac/collections", json=collection("closed", [0, 0, 1, 1])),
        web.delete("/stac/collections/mixed"),
        web.patch("/stac/collections/mixed", json={"title": "mine"}),
    ):
        assert answer.status_code == 409, answer.text
        assert "not yours to change" in answer.text
    for answer in (
        web.put("/stac/collections/mixed/items/mixed-0001", json=sent),
        web.delete("/stac/collections/mixed/items/mixed-0001"),
        web.delete("/stac/collections/closed"),
        web.post("/stac/collections/closed/items", json=item("closed", 9, 1.0, 1.0)),
    ):
        assert answer.status_code == 404, answer.text
    assert site.lake.count(OPERATOR, site_search()) == 4


def site_search() -> Any:
    from terrella.model.search import Search

    return Search(("mixed", "closed"))


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "copy", "from": "/assets/data/href", "path": "/properties/title"}],
        [{"op": "copy", "from": "/assets", "path": "/properties/all"}],
        [{"op": "copy", "from": "", "path": "/properties/all"}],
        [{"op": "copy", "from": "/assets/data", "path": "/properties/one"}],
        [{"op": "move", "from": "/assets/data/href", "path": "/properties/title"}],
        [{"op": "test", "path": "/assets/data/href", "value": "/x"}],
        [{"op": "test", "path": "/assets", "value": {}}],
        [
            {"op": "copy", "from": "/assets/data", "path": "/assets/other"},
            {"op": "copy", "from": "/assets/other/href", "path": "/properties/title"},
        ],
    ],
)
def test_a_patch_is_no_way_to_see_where_files_lie(web: httpx.Client, site: Site, patch: list[Any]) -> None:
    address = "/stac/collections/fields/items/one"
    answer = web.patch(address, json=patch)
    assert answer.status_code == 400, answer.text
    assert str(site.settings.home.parent) not in answer.text + web.get(address).text


def test_an_asset_may_be_called_otherwise(web: httpx.Client, site: Site) -> None:
    address = "/stac/collections/fields/items/one"
    answer = web.patch(address, json=[{"op": "copy", "from": "/assets/data", "path": "/assets/again"}])
    assert answer.status_code == 200, answer.text
    assert str(site.settings.home.parent) not in answer.text
    assert web.get(answer.json()["assets"]["again"]["href"]).status_code == 200
    assert web.patch(address, json=[{"op": "remove", "path": "/assets/again"}]).status_code == 200


def test_links_and_other_places_name_no_file_either(web: httpx.Client) -> None:
    for more in (
        {"links": [{"rel": "about", "href": "file:///etc/passwd"}]},
        {"assets": {"a": {"href": "https://x/a", "alternate": {"l": {"href": "/etc/passwd"}}}}},
    ):
        answer = web.post("/stac/collections/fields/items", json=item("fields", 51, 1.0, 1.0) | more)
        assert answer.status_code == 400
        assert "file of this server" in answer.text


def test_administrators_are_given_addresses_too(web: httpx.Client, site: Site) -> None:
    """Their clients may run on another machine than the server."""
    key = site.access.first_key()
    assert key is not None
    headers = {"Authorization": f"Bearer {key.text}"}
    shown = web.get("/stac/collections/fields/items/one", headers=headers).json()
    assert shown["assets"]["data"]["href"].endswith("/stac/collections/fields/items/one/assets/data")
    assert web.get(shown["assets"]["data"]["href"], headers=headers).status_code == 200


def test_hrefs_are_known_by_their_look() -> None:
    assert all(map(is_local, ["/a", "file:///a", "FILE:/a", "\\\\h\\s"]))
    assert not any(map(is_local, ["https://a", "s3://a/b", "./a", "", None, 3]))
    new = {"assets": {"a": {"href": "http://h/items/x/assets/a"}, "b": {"href": "http://h/items/x/assets/b"}}}
    old = {"id": "x", "assets": {"a": {"href": "/a.tif"}, "b": {"href": "s3://b"}}}
    assert restored(new, old)["assets"] == {"a": {"href": "/a.tif"}, "b": {"href": "http://h/items/x/assets/b"}}
