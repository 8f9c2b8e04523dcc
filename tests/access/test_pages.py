"""The settings in the pages of the documentation are read as they stand, and do what the pages say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.conftest import collection, item, serving
from terrella.model.caller import OPERATOR
from terrella.site.site import Site

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", (PAGES / page).read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "number"), [(page, n) for page in ("accounts.md", "policy.md") for n in range(len(blocks(page)))]
)
def test_every_block_is_a_site(tmp_path: Path, page: str, number: int) -> None:
    (tmp_path / "terrella.toml").write_text(blocks(page)[number])
    with Site.open(tmp_path) as site:
        assert site.access.anonymous is not None
        assert site.ledger.usage(site.access.anonymous) is not None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The rules of the page, as they stand."""
    home = tmp_path_factory.mktemp("pages")
    (home / "terrella.toml").write_text(blocks("policy.md")[0])
    with Site.open(home) as made:
        for name, licence in (("destine-climate", "proprietary"), ("public", "CC-BY-4.0"), ("own", "proprietary")):
            made.lake.put_collection(OPERATOR, collection(name, [0.0, 0.0, 9.0, 9.0], license=licence))
            later = item(name, 2, 1.0, 1.0)
            later["properties"]["embargo"] = "2187-01-01T00:00:00Z"
            made.lake.put_items(OPERATOR, [item(name, 1, 1.0, 1.0), later])
        for name, more in (("plain", {}), ("upgraded", {"roles": ["upgraded"]}), ("hydro", {"groups": ["hydrology"]})):
            made.access.accounts.add_user(OPERATOR, name, **more)
        yield made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with serving(site) as made:
        yield made


@pytest.mark.parametrize(
    ("who", "finds", "reads"),
    [
        ("", {"destine-climate", "public"}, {"public"}),
        ("plain", {"destine-climate", "public"}, {"public"}),
        ("upgraded", {"destine-climate", "public"}, {"destine-climate", "public"}),
        ("hydro", {"destine-climate", "public", "own"}, {"destine-climate", "public", "own"}),
    ],
)
def test_upgraded_access_to_a_twin(site: Site, address: str, who: str, finds: set[str], reads: set[str]) -> None:
    key = site.access.accounts.make_key(OPERATOR, "x", owner=who).text if who else ""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=address, headers=headers) as web:
        assert {one["id"] for one in web.get("/stac/collections").json()["collections"]} == finds
        found = web.get("/stac/search?limit=100").json()["features"]
        assert {one["collection"] for one in found} == finds
        assert {one["collection"] for one in found if one["assets"]} == reads
        asset = web.get("/stac/collections/destine-climate/items/destine-climate-0001/assets/data")
        assert asset.status_code == (307 if "destine-climate" in reads else 403)
        if asset.status_code == 403:
            assert "upgraded" in asset.text
        embargoed = web.get("/stac/collections/public/items/public-0002").status_code
        assert embargoed == (200 if who == "hydro" else 404)
