"""A few pictures of the map, as people looked at them once and found them right; WRITE_PICTURES=1 makes them anew.

Only the canvases, without words, so that fonts do not matter; halved, and compared with tolerance, so that another
version of the browser, which smooths edges a little otherwise, does not either.
"""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from portal import made
from portal.conftest import Portal

pytestmark = [pytest.mark.server, pytest.mark.window(800, 600, reduced=True)]

KEPT = Path(__file__).parent / "pictures"
VIEWS = {
    "globe": (f"at=-20,35,0.7,globe&map=lb&t={made.iso(18)}&l=c=field;v=t;r=260,300", "light"),
    "dark": (f"at=-20,35,0.7,globe&map=lb&t={made.iso(18)}&l=c=field;v=rain;r=0,20;o=0.7", "dark"),
    "south": (f"at=0,-90,0.8,south&map=lb&t={made.iso(0)}&l=c=field;v=t;r=260,300;n=8;iso=4", "light"),
    "grids": ("at=180,10,0.4,equalearth&map=lb&l=id=a;c=healpix;r=260,300;cells=1&l=id=b;c=pacific;r=240,320", "light"),
}
PNG = """map => map.image().then(blob => new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(blob);
}))"""


@pytest.mark.parametrize("name", VIEWS)
def test_it_looks_as_it_did(portal: Portal, name: str) -> None:
    view, scheme = VIEWS[name]
    portal.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    portal.open(view).idle()
    whole = Image.open(io.BytesIO(base64.b64decode(portal.on_map(PNG)))).convert("RGB")
    seen = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BOX)
    kept = KEPT / f"{name}.png"
    if os.environ.get("WRITE_PICTURES") == "1":
        KEPT.mkdir(exist_ok=True)
        seen.quantize(128).save(kept, optimize=True)
        return
    before = np.asarray(Image.open(kept).convert("RGB"), dtype=float)
    assert seen.size == (before.shape[1], before.shape[0])
    away = np.abs(np.asarray(seen, dtype=float) - before).mean(axis=2)
    assert away.mean() < 3
    assert (away > 40).mean() < 0.01
