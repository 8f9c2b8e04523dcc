"""Lines that find items and images, for each client that can."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from terrella.site.connecting.values import gdal_options
from terrella.site.connecting.writing import text

if TYPE_CHECKING:
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.scenes import Scene


def pystac_client(at: Address, collection: str) -> str:
    return f"""from pystac_client import Client

{_catalog(at)}
search = catalog.search(collections=[{text(collection)}], max_items=3)
for item in search.items():
    print(item.id, item.datetime, [asset.href for asset in item.assets.values()])
"""


def _catalog(at: Address) -> str:
    if not at.needed:
        return f'catalog = Client.open("{at.base}/stac")'
    return (
        f'headers = {{"Authorization": "Bearer {at.needed}"}}\ncatalog = Client.open("{at.base}/stac", headers=headers)'
    )


def eodag(at: Address, collection: str) -> str:
    return f"""from eodag import EODataAccessGateway

dag = EODataAccessGateway()
{_eodag_provider(at)}
products = dag.search(provider="terrella", collection={text(collection)}, items_per_page=3)
for product in products:
    print(product.properties["id"], product.properties["start_datetime"], product.properties["end_datetime"])
# dag.download(products[0]) fetches its files
"""


def _eodag_provider(at: Address) -> str:
    url = f"{at.base}/stac/v2/search"
    if not at.needed:
        return f'dag.add_provider("terrella", "{url}")'
    return f"""auth = {{
    "type": "HTTPHeaderAuth",
    "matching_url": "{at.base}",
    "headers": {{"Authorization": "Bearer {{apikey}}"}},
    "credentials": {{"apikey": "{at.needed}"}},
}}
dag.add_provider("terrella", "{url}", search={{"need_auth": True}}, auth=auth)"""


def odc_stac(at: Address, scene: Scene) -> str:
    return f"""import odc.stac
from pystac_client import Client

odc.stac.configure_rio({gdal_options(at)})
{_catalog(at)}
found = catalog.search(collections=[{text(scene.collection)}], ids=[{text(scene.item)}])
dataset = odc.stac.load(found.item_collection())
for name, band in dataset.data_vars.items():
    print(name, band.dims, band.shape, float(band.mean()))
"""


def gdal(at: Address, scene: Scene) -> str:
    return f"""import rasterio

address = "/vsicurl/{at.base}{quote(scene.path)}"
with rasterio.Env({gdal_options(at)}), rasterio.open(address) as image:
    print(image.crs, image.shape)
    print(image.read(1).mean())
"""


def qgis(at: Address, collection: str, scene: Scene | None) -> str:
    """For the Python console of QGIS; its menus take the same addresses."""
    shown = (
        f'\nimport os\nos.environ |= {{"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": "{at.needed}"}}\n'
        if at.needed
        else ""
    )
    image = (
        f'image = QgsRasterLayer("/vsicurl/{at.base}{quote(scene.path)}", {text(scene.item)})\n'
        "QgsProject.instance().addMapLayer(image)\n"
        if scene
        else ""
    )
    name = text(collection)
    return f"""# In the Python console of QGIS. From its menus: Layer, Add WFS / OGC API Features Layer: {at.base}/stac
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer
{shown}
layer = QgsVectorLayer("OAPIF:{at.base}/stac|layername={quote(collection, safe="")}", {name}, "ogr")
QgsProject.instance().addMapLayer(layer)
{image}print(layer.isValid(), layer.featureCount())
"""
