"""Lines that show a view as a map, from its tiles; and its values as an image."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from terrella.errors import Unsupported
from terrella.grids.matrices import matrix_set
from terrella.site.connecting.views.edr import address, check_size, question
from terrella.site.connecting.views.meaning import texts_of
from terrella.site.connecting.views.shapes import Asked
from terrella.site.connecting.writing import text, written

if TYPE_CHECKING:
    from terrella.site.connecting.views.meaning import Meant

_SET = "WebMercatorQuad"
_EDGE = 20037508.342789244
"""Half of the Earth's girth in EPSG:3857, in metres."""
_MOST_ZOOM = 18
_NO_KEY = "It cannot send your key, and a key does not belong in an address."


def words(view: Meant) -> dict[str, str]:
    """The picture in the words of map tiles: of several times the last, of other axes the first."""
    if view.question.request.reduce:
        raise Unsupported("A map shows the values as they are, not what is made of them: ask EDR.")
    made = {"variable": _variable(view)}
    for name in view.dims:
        if name not in view.prepared.axes:
            continue
        axis, found = view.axis(name), view.chosen(name)
        one = found[-1:] if axis.kind in ("time", "reference_time", "step") else found[:1]
        key = {"time": "datetime", "vertical": "z"}.get(axis.kind, name)
        made[key] = texts_of(axis, axis.values[one])[0]
    return made | view.question.drawn


def _variable(view: Meant) -> str:
    """As it was asked for: of images it may be an expression."""
    asked = view.question.words.get("variables")
    return str(asked[0]) if asked and not view.is_own else view.names[0]


def template(view: Meant, row: str = "{z}/{y}/{x}") -> str:
    """Address of a tile, with places to fill in."""
    said = urlencode({"f": "png"} | words(view), quote_via=quote, safe=":,")
    return f"{view.at.base}/tiles/{quote(view.question.collection, safe='')}/{_SET}/{row}?{said}"


def tilejson(view: Meant) -> str:
    """Address of the TileJSON."""
    said = urlencode(words(view), quote_via=quote, safe=":,")
    return f"{view.at.base}/tiles/{quote(view.question.collection, safe='')}/tilejson.json?{said}"


def zoom(view: Meant) -> int:
    """The greatest zoom that shows something new."""
    if not view.is_own:
        return _MOST_ZOOM
    return min(_MOST_ZOOM, matrix_set(_SET).zoom_for(view.prepared.cube.grid.resolution()))


def title(view: Meant) -> str:
    return f"{view.question.collection} {view.names[0]}"


def qgis(view: Meant) -> str:
    """The address to paste, and the same for the Python console."""
    source = f"type=xyz&url={quote(template(view), safe='')}&zmin=0&zmax={zoom(view)}"
    key = (
        "# This site wants a key: give the layer an API header, Authorization: Bearer KEY.\n" if view.at.needed else ""
    )
    return f"""# Layer > Add Layer > Add XYZ Layer: a new connection with this address
#   {template(view)}
{key}# or in the Python console:
from qgis.core import QgsProject, QgsRasterLayer

layer = QgsRasterLayer({text(source)}, {text(title(view))}, "wms")
QgsProject.instance().addMapLayer(layer)
"""


def gdal_map(view: Meant) -> str:
    """The tiles as one large image."""
    options = f'GDAL_HTTP_HEADERS="Authorization: Bearer {view.at.needed}"' if view.at.needed else ""
    row = "${z}/${y}/${x}"
    return f'''import rasterio

# what stands between the quotes is a file for gdal_translate and gdalwarp, too
tiles = """<GDAL_WMS>
  <Service name="TMS"><ServerUrl>{escape(template(view, row))}</ServerUrl></Service>
  <DataWindow>
    <UpperLeftX>-{_EDGE}</UpperLeftX><UpperLeftY>{_EDGE}</UpperLeftY>
    <LowerRightX>{_EDGE}</LowerRightX><LowerRightY>-{_EDGE}</LowerRightY>
    <TileLevel>{zoom(view)}</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin>
  </DataWindow>
  <Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY>
  <BandsCount>4</BandsCount><ZeroBlockHttpCodes>404</ZeroBlockHttpCodes>
</GDAL_WMS>"""
with rasterio.Env({options}), rasterio.open(tiles) as image:
    colours = image.read(out_shape=(4, 256, 256))  # the Earth, seen from afar
    print(image.crs, image.shape, colours[:3].mean(axis=(1, 2)))
'''


def gdal_values(view: Meant) -> str:
    """A field as a GeoTIFF."""
    check_size(view)
    if view.question.shape.kind not in (Asked.BOX, Asked.MAP) or not view.is_field:
        raise Unsupported("GDAL reads images: look at a box or at the whole map; for places ask EDR.")
    if view.prepared.cube.grid.kind not in ("regular", "projected"):
        raise Unsupported("This grid is none that an image has: ask EDR for NetCDF.")
    several = [name for name in view.dims if view.chosen(name).size > 1]
    if several:
        raise Unsupported(f"An image is of one {several[0]}: choose one, or ask EDR for NetCDF.")
    shown = f', headers={{"Authorization": "Bearer {view.at.needed}"}}' if view.at.needed else ""
    return f"""import requests
from rasterio.io import MemoryFile

asked = {written(question(view, "GeoTIFF"))}
answer = requests.get("{address(view)}", asked{shown})
answer.raise_for_status()
with MemoryFile(answer.content) as file, file.open() as image:
    values = image.read(masked=True)
    print(image.crs, image.bounds, image.shape, values.mean())
"""


def maplibre(view: Meant) -> str:
    """A layer of a map that one has."""
    key = (
        f"""// in the options of new maplibregl.Map:
//   transformRequest: (url) => url.startsWith({_js(view.at.base)})
//     ? {{ url, headers: {{ Authorization: "Bearer {view.at.needed}" }} }} : {{ url }}
"""
        if view.at.needed
        else ""
    )
    return f"""{key}map.addSource("terrella", {{ type: "raster", tileSize: 256, url: {_js(tilejson(view))} }});
map.addLayer({{ id: "terrella", type: "raster", source: "terrella" }});
"""


def leaflet(view: Meant) -> str:
    """A layer of a map that one has."""
    if view.at.needed:
        raise Unsupported(_NO_KEY)
    credit = escape(str(view.document.get("attribution") or title(view)))
    return f"""L.tileLayer({_js(template(view))}, {{
  maxNativeZoom: {zoom(view)},
  attribution: {_js(credit)},
}}).addTo(map);
"""


def _js(value: str) -> str:
    """A literal of JavaScript that ends no script element."""
    return json.dumps(value).replace("<", "\\u003c")
