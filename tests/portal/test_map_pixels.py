"""The map engine by itself: a map of our own on the page, scenes, and its picture pixel by pixel against EDR and formulas."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from portal import made, screens

if TYPE_CHECKING:
    import httpx

    from portal.conftest import Portal

pytestmark = [pytest.mark.server, pytest.mark.window(1000, 700, reduced=True)]

SPAN = made.PALETTE_RANGE
PLAIN = "at=0,0,1,flat&map=0"
_SHOW = """async map => {
    const asked = SCENE;
    const json = path => fetch(path).then(answer => answer.json());
    const kept = window.__kept ??= {};
    const get = path => kept[path] ??= json(path);
    const { palettes } = await get("/tiles/palettes");
    const bytes = name => window.__kept["colors " + name] ??= Uint8Array.from(palettes[name.replace("_r", "")].flatMap(
        one => [1, 3, 5].map(at => parseInt(one.slice(at, at + 2), 16))));
    const field = async ({ c, v, at, then }) =>
        ({ tileset: await get("/tiles/" + c), variable: v, at: at ?? {}, ...(then ? { then } : {}) });
    const layer = async (one, key) => {
        const usual = { range: [240, 320], opacity: 1, classes: 0, contour: 0, smooth: false };
        const style = { ...usual, ...one.style, colors: bytes(one.palette ?? "viridis") };
        if (one.rgb) return { key: "l" + key, kind: "rgb", fields: await Promise.all(one.rgb.map(field)),
            ranges: one.ranges, opacity: 1, gamma: one.gamma ?? 1 };
        if (one.minus) return { key: "l" + key, kind: "difference", field: await field(one),
            minus: await field(one.minus), style };
        return { key: "l" + key, kind: "field", field: await field(one), style };
    };
    const panes = await Promise.all(asked.panes.map(async ({ layers, clip }) =>
        ({ layers: await Promise.all(layers.map(layer)), ...(clip ? { clip } : {}) })));
    const [lon, lat, zoom, projection] = asked.camera;
    window.__scene = { camera: { lon, lat, zoom, projection }, arrangement: asked.arrangement, panes,
        basemap: { land: false, borders: false, graticule: false, labels: false } };
    if (asked.prefetch) return map.prefetch([await field(asked.prefetch)]);
    map.show(window.__scene);
    await map.idle();
}"""
_OWN = """map => {
    const box = window.__box = document.createElement("div");
    Object.assign(box.style, { position: "fixed", inset: "0 auto auto 0", width: "800px", height: "600px" });
    document.body.append(box);
    window.__engine = new map.constructor(box, { pixelRatio: 1 });
    return 0;
}"""
_PICTURE = """map => map.image().then(blob => new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(blob);
}))"""

T = {"c": "field", "v": "t", "at": {"datetime": made.iso(6)}}
Place = tuple[float, float]


class Engine:
    """A map of our own, of the class that the page has, over the page."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal.open(PLAIN).idle(field=False)
        self.portal.on_map(_OWN)
        self.camera = screens.Camera(0, 0, 1, "flat")
        self.width, self.height = 800, 600

    def do(self, does: str) -> Any:
        """What a function of the map answers."""
        return self.portal.on_map(f"async () => ({does})(window.__engine)")

    def show(self, camera: str, *panes: list[dict[str, Any]], arrangement: str = "side", **more: Any) -> np.ndarray:
        lon, lat, zoom, projection = camera.split(",")
        self.camera = screens.Camera(float(lon), float(lat), float(zoom), projection)
        place = [self.camera.lon, self.camera.lat, self.camera.zoom, projection]
        clips = more.pop("clips", [None] * len(panes))
        said = [{"layers": one, "clip": clip} for one, clip in zip(panes, clips, strict=True)]
        scene = {"camera": place, "arrangement": arrangement, "panes": said, **more}
        self.do(_SHOW.replace("SCENE", json.dumps(scene)))
        return self.picture()

    def picture(self) -> np.ndarray:
        data = base64.b64decode(self.do(_PICTURE))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def pixel(self, picture: np.ndarray, at: Place) -> np.ndarray:
        x, y = screens.place(self.camera, *at, self.width, self.height)
        assert 0 <= x < self.width, at
        assert 0 <= y < self.height, at
        found: np.ndarray = picture[int(y), int(x)]
        return found

    def read(self, at: Place) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.do(f"map => map.read({list(at)})")
        return found

    @property
    def tiles(self) -> int:
        return int(self.do("map => map.cost.requests"))


@pytest.fixture
def engine(portal: Portal) -> Engine:
    return Engine(portal)


def edr(web: httpx.Client, at: Place) -> float | None:
    more = {"coords": f"POINT({at[0]} {at[1]})", "datetime": made.iso(6), "parameter-name": "t", "f": "CoverageJSON"}
    said = web.get("/ogc/collections/field/position", params=more).raise_for_status().json()
    value: float | None = next(iter(said["ranges"].values()))["values"][0]
    return value


def colours(web: httpx.Client, name: str = "viridis") -> np.ndarray:
    said = web.get("/tiles/palettes").json()["palettes"][name]
    return np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in said])


def share(value: float, span: tuple[float, float] = SPAN) -> float:
    return min(1.0, max(0.0, (value - span[0]) / (span[1] - span[0]))) * 255


def assert_coloured(pixel: np.ndarray, value: float, table: np.ndarray, span: tuple[float, float] = SPAN) -> None:
    """The colour of a value, within 1; half way between two colours either is right."""
    at = share(value, span)
    near = {int(np.floor(at + 0.5 + aside)) for aside in (-0.02, 0.02)}
    assert min(np.abs(pixel - table[min(255, one)]).max() for one in near) <= 1, (pixel, value, at)


# places lie near the middle of cells of two degrees: a tile's pixel, and the window's, shows the cell at its own middle
@pytest.mark.parametrize(
    ("camera", "places"),
    [
        ("170,20,1.6,globe", [(170, 20), (178.1, 30.1), (-178.1, 30.1), (179.98, -8.1), (-179.98, -8.1), (120, 50.1)]),
        ("-30,90,2,globe", [(0, 90), (100, 88.1), (-78, 88), (179.9, 80.1), (-179.9, 80.1), (46.1, 70)]),
        ("20,-90,3,globe", [(0, -90), (100, -89.7), (-130, -86.1), (180, -84.1)]),
        ("180,0,0.55,flat", [(0.45, 10.1), (-0.45, 10.1), (179.9, 60.1), (-179.9, -60.1), (92, 88.1), (92, -88.1)]),
        ("-100,10,0.4,mercator", [(-100, 10), (-180, 60.1), (-20.1, -70), (-56, 79.9)]),
        ("60,0,0.7,equalearth", [(60, 0.1), (-118, 20.1), (-118, -20.1), (10.1, 70), (179.98, -46.1)]),
        ("0,90,1.4,north", [(0, 90), (34, 88.1), (179.9, 60.1), (-179.9, 60.1), (90.1, 20.1)]),
        ("0,-90,1.4,south", [(0, -90), (34, -88.1), (179.9, -60.1), (-90.1, -20.1)]),
        ("12.34,46.28,12,globe", [(12.34, 46.28), (12.40, 46.30), (12.30, 46.26)]),
        ("-179.999,6.001,11,flat", [(-179.99, 6.03), (179.95, 5.98), (-179.9, 6.0)]),
    ],
)
def test_a_pixel_is_what_edr_says(engine: Engine, web: httpx.Client, camera: str, places: list[Place]) -> None:
    picture, table = engine.show(camera, [T]), colours(web)
    scale = next(one["scale"] for one in web.get("/tiles/field").json()["variables"] if one["name"] == "t")
    for at in places:
        value = edr(web, at)
        assert value is not None
        assert engine.read(at)[0]["value"] == pytest.approx(value, abs=scale * 0.51), at
        assert_coloured(engine.pixel(picture, at), value, table)


def test_smooth_has_no_seams(engine: Engine, web: httpx.Client) -> None:
    """Between neighbours nothing jumps: not at edges of tiles, nor at the antimeridian; and no data stay no data."""
    bare = engine.show("180,0,3,globe", [])
    picture = engine.show("180,0,3,globe", [T | {"style": {"smooth": True}}])
    middle = picture[100:600, 100:700]
    assert np.abs(np.diff(middle, axis=0)).max() <= 12
    assert np.abs(np.diff(middle, axis=1)).max() <= 12
    hole = engine.show("110,-30,2.5,globe", [T | {"style": {"smooth": True}}])
    x, y = int(engine.width / 2), int(engine.height / 2)
    assert (hole[y - 60 : y + 60, x - 60 : x + 60] == bare[y, x]).all()
    assert engine.read((110, -30))[0]["value"] is None
    # beyond its edge, which lies half a cell outside of the last missing cell, there are values
    assert (engine.pixel(hole, (122.2, -30)) != bare[y, x]).any()


def test_style_needs_no_request(engine: Engine, web: httpx.Client) -> None:
    engine.show("0,0,1,flat", [T])
    before, at = engine.tiles, (30.1, 40.1)
    value = edr(web, at)
    assert value is not None
    for style, palette in (
        ({"range": [300, 250]}, "magma"),
        ({"range": [270, 290], "classes": 4}, "viridis"),
        ({"opacity": 0.5, "contour": 5}, "cividis"),
        ({"mask": [0, 1]}, "viridis"),
    ):
        picture = engine.show("0,0,1,flat", [T | {"style": style, "palette": palette}])
        if "range" in style and "classes" not in style:
            assert_coloured(engine.pixel(picture, at), value, colours(web, palette), (300, 250))
        if "classes" in style:
            number = min(3, int((value - 270) / 20 * 4))
            table = colours(web, palette)
            assert np.abs(engine.pixel(picture, at) - table[round(number / 3 * 255)]).max() <= 1
        if "mask" in style:
            assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 2 + 6  # the rim is antialiased
    assert engine.tiles == before


@pytest.mark.parametrize("span", [(280.0, 280.0), (280.0, 280.0 + 1e-30), (1e30, -1e30), (281.0, 280.0)])
def test_odd_ranges(engine: Engine, web: httpx.Client, span: tuple[float, float]) -> None:
    picture, table = engine.show("0,0,1,flat", [T | {"style": {"range": list(span)}}]), colours(web)
    for at in ((30.1, 60.1), (30.1, -60.1), (-100.2, 20.3)):
        value = edr(web, at)
        assert value is not None
        if abs(span[1] - span[0]) < 1e-20:
            assert tuple(engine.pixel(picture, at)) in {tuple(table[0]), tuple(table[255])}
            assert tuple(engine.pixel(picture, at)) == tuple(table[0 if value < 280 else 255])
        else:
            assert_coloured(engine.pixel(picture, at), value, table, span)


def test_odd_data(engine: Engine, web: httpx.Client) -> None:
    """Nothing at all, one value, values of 1e-30, a single cell."""
    bare, table = engine.show("11,47,1,globe", []), colours(web)
    nothing = engine.show("11,47,1,globe", [{"c": "odd", "v": "missing"}])
    assert (nothing == bare).all()
    assert engine.read((11, 47))[0]["value"] is None
    tileset = {one["name"]: one for one in web.get("/tiles/odd").json()["variables"]}
    constant = engine.show("11,47,1,globe", [{"c": "odd", "v": "constant", "style": {"range": [7.25, 7.25]}}])
    assert tuple(engine.pixel(constant, (11, 47))) in {tuple(table[at]) for at in (0, 127, 128, 255)}
    assert engine.read((11, 47))[0]["value"] == pytest.approx(7.25, abs=tileset["constant"]["scale"])
    tiny = engine.show("11,47,1,globe", [{"c": "odd", "v": "tiny", "style": {"range": [0, 1e-30]}}])
    value = engine.read((11, 47))[0]["value"]
    assert 0 <= value <= 1.01e-30
    assert_coloured(engine.pixel(tiny, (11, 47)), value, table, (0, 1e-30))
    cell = engine.show("11,47,10,globe", [{"c": "cell", "v": "t"}])
    assert engine.read((11, 47))[0]["value"] == pytest.approx(281.5, abs=0.01)
    assert_coloured(engine.pixel(cell, (11, 47)), 281.5, table)


def test_differences_blends_and_bands(engine: Engine, web: httpx.Client) -> None:
    at, table = (30.1, 40.1), colours(web)
    later = {"datetime": made.iso(54)}
    style = {"range": [-3, 3]}
    picture = engine.show("0,0,1,flat", [{**T, "at": later, "minus": T, "style": style}])
    # the formula adds an hour's thirtieth of a kelvin
    assert_coloured(engine.pixel(picture, at), 48 / 30, table, (-3, 3))
    assert engine.read(at)[0]["value"] == pytest.approx(48 / 30, abs=0.02)
    picture = engine.show("0,0,1,flat", [{**T, "then": {"at": later, "mix": 0.25}}])
    said = engine.read(at)[0]
    value = edr(web, at)
    assert value is not None
    assert said["value"] == pytest.approx(value + 12 / 30, abs=0.02)
    assert said["parts"] == pytest.approx([value, value + 48 / 30], abs=0.02)
    assert_coloured(engine.pixel(picture, at), said["value"], table)
    rgb = [{"c": "picture", "v": band} for band in ("red", "green", "blue")]
    tiles = web.get("/tiles/picture").json()
    west, south, east, north = tiles["bounds"]
    middle = ((west + east) / 2, (south + north) / 2)
    ranges = [[0, 12000]] * 3
    picture = engine.show(f"{middle[0]},{middle[1]},9,globe", [{"rgb": rgb, "ranges": ranges}])
    parts = engine.read(middle)[0]["parts"]
    x, y = int(engine.width / 2), int(engine.height / 2)
    spread = np.array([[share(one, (0, 12000)) for one in parts]])
    assert np.abs(picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3) - spread).max(axis=1).min() <= 3


def test_panes(engine: Engine, web: httpx.Client) -> None:
    """Beside each other and over each other; each pane knows what it shows."""
    table, other = colours(web), colours(web, "magma")
    layers = [T], [T | {"palette": "magma"}]
    picture = engine.show("0,0,0.5,globe", *layers)
    value = edr(web, (0.4, 0.4))
    assert value is not None
    boxes = engine.do("map => map.layout()")
    for box, colour in zip(boxes, (table, other), strict=True):
        x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
        assert_coloured(picture[int(y), int(x)], value, colour)
        assert engine.do(f"map => map.unproject({x}, {y}).pane") == boxes.index(box)
    assert [one["pane"] for one in engine.read((0.4, 0.4))] == [0, 1]
    picture = engine.show("0,0,1.5,flat", *layers, arrangement="swipe", clips=[[0, 0.5], [0.5, 1]])
    y, x = int(engine.height / 2), int(engine.width / 2)
    for aside, colour in ((-40, table), (40, other)):
        at = engine.do(f"map => map.unproject({x + aside}, {y}).at")
        there = edr(web, (at[0], at[1]))
        assert there is not None
        assert_coloured(picture[y, x + aside], there, colour)


def test_a_lost_context_comes_back(engine: Engine) -> None:
    before, asked = engine.show("20,30,1,globe", [T | {"style": {"smooth": True}}]), engine.tiles
    lose = """map => new Promise(done => {
        const told = window.__told = [];
        map.on("lost", lost => { told.push(lost); if (!lost) done(told); });
        const gl = window.__box.querySelectorAll("canvas")[1].getContext("webgl2");
        const context = gl.getExtension("WEBGL_lose_context");
        context.loseContext();
        setTimeout(() => context.restoreContext(), 200);
    })"""
    assert engine.do(lose) == [True, False]
    engine.do("map => { map.show(window.__scene); return map.idle() }")
    assert (engine.picture() == before).all()
    assert engine.tiles == asked


def test_what_was_fetched_ahead_is_at_hand(engine: Engine) -> None:
    engine.show("0,0,1,flat", [T])
    ahead = {**T, "at": {"datetime": made.iso(12)}}
    engine.do(_SHOW.replace("SCENE", json.dumps({"camera": [0, 0, 1, "flat"], "panes": [], "prefetch": ahead})))
    before = engine.tiles
    engine.show("0,0,1,flat", [ahead])
    assert engine.tiles == before
    assert engine.read((0.1, 0.1))[0]["value"] == pytest.approx(float(made.smooth(0, 0, 12)), abs=0.02)


def test_tiles_that_fail_are_told_and_asked_for_again(engine: Engine) -> None:
    engine.portal.expects("503")
    page = engine.portal.page
    refuse = re.compile(r"/tiles/field/.*f=values")
    page.route(refuse, lambda route: route.fulfill(status=503, json={"detail": "The lake is dry."}))
    engine.do("map => { window.__loads = []; map.on('load', one => window.__loads.push(one)); return 0 }")
    engine.show("0,0,1,flat", [T])
    assert page.evaluate("window.__loads.at(-1).message") == "The lake is dry."
    assert page.evaluate("window.__loads.at(-1).failed") > 0
    page.unroute(refuse)
    engine.portal.settled(lambda: page.evaluate("window.__loads.at(-1).failed === 0 && !window.__loads.at(-1).pending"))
    engine.do("map => map.idle()")
    assert engine.read((0.1, 0.1))[0]["value"] == pytest.approx(float(made.smooth(0, 0, 6)), abs=0.02)


def test_a_new_version_is_read_by_itself(engine: Engine) -> None:
    engine.portal.expects("409")
    page = engine.portal.page
    # the tileset that the page holds is of a version that is no longer there
    version = page.evaluate("fetch('/tiles/field').then(one => one.json()).then(one => one.version)")
    page.evaluate(
        """([now]) => { window.__kept = { "/tiles/field": fetch("/tiles/field").then(one => one.json()).then(one => {
            one.version = "1.0000000000000000";
            one.tiles.values = one.tiles.values.replace(now, one.version);
            return one;
        }) } }""",
        [version],
    )
    engine.do("map => { window.__stale = []; map.on('stale', one => window.__stale.push(one)); return 0 }")
    engine.show("0,0,1,flat", [T])
    engine.portal.settled(lambda: page.evaluate("window.__stale.length > 0"))
    engine.do("map => map.idle()")
    assert page.evaluate("window.__stale.map(one => [one.collection, one.tileset.version])") == [["field", version]]
    assert engine.read((0.1, 0.1))[0]["value"] == pytest.approx(float(made.smooth(0, 0, 6)), abs=0.02)


def test_nothing_is_left_of_a_map_that_is_taken_away(engine: Engine) -> None:
    engine.show("0,0,1,flat", [T])
    left = engine.do(
        "map => { map.destroy(); map.destroy(); const c = window.__box;"
        " return [c.querySelectorAll('canvas').length, 'terrellaMap' in c, map.cost.textures] }"
    )
    assert left == [0, False, 0]
