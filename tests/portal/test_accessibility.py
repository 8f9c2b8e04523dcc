"""No fault that axe calls serious or critical, on any page or panel, light and dark."""

from __future__ import annotations

from importlib import resources

import pytest

from portal import made
from portal.conftest import Portal

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

VIEW = f"at=10,20,1,globe&t={made.iso(0)}&l=id=a;c=field;v=t&l=id=b;c=curved;v=sst&p=id=1;n=Here;at=10,40"
PAGES = {
    "explore": f"explore?{VIEW}",
    "layers": f"explore?{VIEW}&panel=layers",
    "probe": f"explore?{VIEW}&panel=probe",
    "compare": f"explore?{VIEW}&panel=compare&vs=mode%3Ddifference%3Ba%3Da%3Bb%3Did%253Db%253Bc%253Dfield%253Bv%253Dt",
    "cube": f"explore?{VIEW}&panel=cube",
    "takeaway": f"explore?{VIEW}&panel=takeaway",
    "share": f"explore?{VIEW}&panel=share",
    "discover": "discover",
    "nothing found": "discover?q=nosuchthing",
    "jobs": "jobs",
    "account": "account",
    "sign in": "account/login",
    "connect": "connect",
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, as the package carries it."""
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed: scripts/setup")
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def faults(portal: Portal, axe: str) -> list[str]:
    """What axe calls serious or critical, and where."""
    portal.page.evaluate(axe)
    found = portal.page.evaluate("axe.run({resultTypes: ['violations']}).then(one => one.violations)")
    return [
        f"{one['id']}: {node['html'][:160]} ({'; '.join(check['message'] for check in node['any'])[:200]})"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.window(1280, 800, reduced=True)
def test_no_page_has_a_serious_fault(portal: Portal, axe: str, scheme: str) -> None:
    portal.sign_in()
    portal.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    wrong = {}
    for name, path in PAGES.items():
        portal.page.goto(f"{portal.url}/{path}")
        portal.page.wait_for_load_state("networkidle")
        wrong[name] = faults(portal, axe)
    assert not any(wrong.values()), "\n".join(f"{name}: {one}" for name, some in wrong.items() for one in some)


@pytest.mark.window(390, 844, reduced=True)
def test_nor_on_a_phone(portal: Portal, axe: str) -> None:
    for path in (PAGES["probe"], PAGES["discover"], "account"):
        portal.page.goto(f"{portal.url}/{path}")
        portal.page.wait_for_load_state("networkidle")
        assert faults(portal, axe) == []
        assert portal.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
