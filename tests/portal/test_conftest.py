"""The stage finds faults: a test that is blind would be worse than none."""

from __future__ import annotations

import pytest

from portal.conftest import Portal

pytestmark = pytest.mark.server


def test_faults_of_a_page_are_found(portal: Portal) -> None:
    portal.open("account")
    assert portal.unexpected() == []
    portal.page.evaluate("""() => {
        console.error("a fault");
        setTimeout(() => { throw new Error("nobody catches this") });
        const outside = document.createElement("img");
        outside.src = "http://127.0.0.2:9/tile.png";
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(outside, script);
    }""")
    wanted = ("a fault", "nobody catches this", "another host", "img-src", "script-src")
    portal.settled(lambda: all(any(word in fault for fault in portal.faults) for word in wanted))
    assert portal.page.evaluate("window.hacked") is None
    portal.expects("")
