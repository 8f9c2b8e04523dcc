"""Clients as people have them: GDAL reads coloured tiles, OWSLib draws maps."""

from __future__ import annotations

import warnings

import httpx
import numpy as np
import pytest
import rasterio
from owslib.ogcapi.maps import Maps
from rasterio.windows import Window

from encodings_of_tiles import rgba

TMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{url}</ServerUrl></Service>
<DataWindow><UpperLeftX>-20037508.342789244</UpperLeftX><UpperLeftY>20037508.342789244</UpperLeftY>
<LowerRightX>20037508.342789244</LowerRightX><LowerRightY>-20037508.342789244</LowerRightY>
<TileLevel>3</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
<Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>{bands}</BandsCount>
</GDAL_WMS>"""


def test_gdal_reads_the_tiles_that_tilejson_names(web: httpx.Client, tmp_path) -> None:
    said = web.get(
        "/tiles/global/tilejson.json", params={"z": 850, "datetime": "2024-01-01T00:00Z", "range": "270,310"}
    ).json()
    assert said["tilejson"] == "3.0.0"
    assert said["bounds"] == [-180, -90, 180, 90]
    url = said["tiles"][0]
    assert web.get(url.format(z=2, x=1, y=1)).status_code == 200
    template = url.replace("{z}", "${z}").replace("{x}", "${x}").replace("{y}", "${y}").replace("&", "&amp;")
    path = tmp_path / "tms.xml"
    path.write_text(TMS.format(url=template, bands=4))
    with warnings.catch_warnings(), rasterio.open(path) as image:
        warnings.simplefilter("ignore")
        assert (image.width, image.height) == (2048, 2048)
        found = image.read(window=Window(4 * 256, 3 * 256, 256, 256))
    own = rgba(web.get(url.format(z=3, x=4, y=3)).content)
    assert (np.moveaxis(found, 0, -1) == own).all()


def test_owslib_finds_and_draws_maps(address: str, web: httpx.Client) -> None:
    client = Maps(f"{address}/tiles/")
    assert {"global", "scenes"} <= set(client.maps())
    found = rgba(
        client.map("global", bbox=[-10, 35, 30, 60], width=80, height=50, datetime_="2024-01-01T00:00Z").read()
    )
    assert found.shape == (50, 80, 4)
    words = {"variable": "missing", "width": 90, "height": 45, "transparent": "false"}
    opaque = rgba(web.get("/tiles/collections/odd/map", params=words).content)
    assert (opaque == 255).all()  # no value at all: all is background
    assert rgba(client.map("global", bbox=[170, -10, -170, 10], width=40, height=40).read())[..., 3].min() == 255
    own = web.get(
        "/tiles/collections/global/map", params={"bbox": "170,-10,190,10", "width": 40, "height": 40, "f": "png"}
    ).content
    assert own == client.map("global", bbox=[170, -10, -170, 10], width=40, height=40).read()


@pytest.mark.parametrize("path", ["", "conformance", "tileMatrixSets", "tileMatrixSets/WorldCRS84Quad", "palettes", "collections", "collections/global", "collections/global/map/tiles", "collections/global/map/tiles/WorldCRS84Quad", "global", "global/WebMercatorQuad", "scenes"])  # fmt: skip
def test_links_lead_somewhere(web: httpx.Client, path: str) -> None:
    """Every link and template of every document, filled in."""

    def links(found):
        if isinstance(found, dict):
            if "href" in found:
                yield found["href"]
            for one in found.values():
                yield from links(one)
        elif isinstance(found, list):
            for one in found:
                yield from links(one)

    document = web.get(f"/tiles/{path}").json()
    for href in set(links(document)) | set(
        document.get("tiles", {}).values() if isinstance(document.get("tiles"), dict) else ()
    ):
        names = [one["name"] for one in document.get("variables", [{"name": ""}])]
        filled = href.format(
            tileMatrix=1, tileRow=0, tileCol=1, tileMatrixSet="WebMercatorQuad", variable=names[0] if names else ""
        )
        answer = web.get(filled)
        assert answer.status_code == 200, (filled, answer.text)
    assert (
        web.get(f"/tiles/{path}", headers={"If-None-Match": web.get(f"/tiles/{path}").headers["etag"]}).status_code
        == 304
    )
