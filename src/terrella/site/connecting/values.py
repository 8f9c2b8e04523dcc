"""Lines that cut the example out of its cube, for each client that can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from terrella.site.connecting.writing import literal, text, written

if TYPE_CHECKING:
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.examples import Example


def polytope(at: Address, example: Example) -> str:
    plain = ", insecure=True" if at.is_plain else ""
    return f"""import json
from polytope.api import Client

client = Client(address="{at.base}", user_key="{at.shown}"{plain}, quiet=True)
request = {written(mars_request(example))}
client.retrieve({text(example.collection)}, request, output_file="example.covjson")
with open("example.covjson") as file:
    coverage = json.load(file)["coverages"][0]
for name, one in coverage["ranges"].items():
    print(name, one["values"])
"""


def earthkit(at: Address, example: Example) -> str:
    plain = "\n    insecure=True," if at.is_plain else ""
    return f"""import earthkit.data

request = {written(mars_request(example))}
source = earthkit.data.from_source(
    "polytope",
    {text(example.collection)},
    request,
    address="{at.base}",
    user_key="{at.shown}",{plain}
    quiet=True,
    stream=False,
)
for name, values in source.to_xarray().data_vars.items():
    print(name, values.to_numpy().ravel().tolist())
"""


def mars_request(example: Example) -> dict[str, Any]:
    """In MARS words, latitude first."""
    feature: dict[str, Any] = {"type": "position", "points": [[example.lat, example.lon]]}
    if example.time_axis:
        feature |= {"type": "timeseries", "time_axis": example.time_axis}
    return {**example.mars, "feature": feature}


def owslib(at: Address, example: Example) -> str:
    headers = f', headers={{"Authorization": "Bearer {at.needed}"}}' if at.needed else ""
    return f"""from owslib.ogcapi.edr import EnvironmentalDataRetrieval

edr = EnvironmentalDataRetrieval("{at.base}/ogc"{headers})
answer = edr.query_data(
    {text(example.collection)},
    "position",
    coords="POINT({example.lon:g} {example.lat:g})",
    parameter_names=[{text(example.variable)}],{_owslib_axes(example)}
)
coverage = answer.get("coverages", [answer])[0]
for name, one in coverage["ranges"].items():
    print(name, one["values"])
"""


def _owslib_axes(example: Example) -> str:
    """Axes that this client knows: times and levels; of others everything comes."""
    asked = edr_axes(example)
    return "".join(
        f'\n    {name}="{asked[key]}",' for key, name in (("datetime", "datetime_"), ("z", "z")) if key in asked
    )


def edr_axes(example: Example) -> dict[str, str]:
    asked: dict[str, str] = {}
    for one in example.chosen:
        if one.kind == "time":
            asked["datetime"] = one.texts[0] if len(one.texts) == 1 else f"{one.texts[0]}/{one.texts[-1]}"
        elif one.kind == "vertical":
            asked["z"] = ",".join(one.texts)
        else:
            asked[one.axis] = ",".join(one.texts)
    return asked


def position_url(at: Address, example: Example, kind: str) -> str:
    """The whole question as one address."""
    asked = {"coords": f"POINT({example.lon:g} {example.lat:g})", "parameter-name": example.variable}
    words = urlencode({**asked, **edr_axes(example), "f": kind}, quote_via=quote, safe=":/,()")
    return f"{at.base}/ogc/collections/{quote(example.collection, safe='')}/position?{words}"


def curl(at: Address, example: Example) -> str:
    shown = f" -H 'Authorization: Bearer {at.needed}'" if at.needed else ""
    return f"curl -sSf{shown} '{position_url(at, example, 'CSV')}'\n"


def xarray(at: Address, example: Example) -> str:
    storage = f'storage = {{"headers": {{"Authorization": "Bearer {at.needed}"}}}}\n' if at.needed else ""
    shown = ", storage_options=storage" if at.needed else ""
    return f"""import xarray as xr  # it needs zarr, fsspec and aiohttp

{storage}dataset = xr.open_zarr("{at.base}/zarr/{quote(example.collection, safe="")}"{shown})
{_selected(example)}
print(values.to_numpy().ravel().tolist())
"""


def _selected(example: Example) -> str:
    name = text(example.variable)
    axes = ", ".join(f"{dim}={'0' if count == 1 else f'slice({count})'}" for dim, count in example.first)
    picked = f"dataset[{name}].isel({axes})" if axes else f"dataset[{name}]"
    if example.sides:
        lat, lon = example.sides
        place = f"{lat}={example.lat:g}, {lon}={example.lon_in_cube:g}"
        return f'values = {picked}.sel({place}, method="nearest")'
    return (
        f"values = {picked}\n"
        f"far = abs(values.latitude - {example.lat:g}) + abs(values.longitude - {example.lon_in_cube:g})\n"
        "values = values.where(far == far.min().compute(), drop=True)"
    )


def terrella(at: Address, example: Example) -> str:
    home = text(at.home) if at.home else 'os.environ.get("TERRELLA_HOME", "~/.terrella")'
    first = "" if at.home else "import os\n\n"
    words = {"point": (example.lon, example.lat), "variables": [example.variable], **example.words}
    written = "".join(f"\n        {name}={literal(value)}," for name, value in words.items())
    return f"""{first}import terrella  # on the machine of the site: its files are read directly

with terrella.Site.open({home}) as site:
    values = site.extract(
        {text(example.collection)},{written}
    )[{text(example.variable)}]
    print(values.to_numpy().ravel().tolist())
"""


def gdal(at: Address, example: Example) -> str:
    """The cube as GDAL sees it through the Zarr view: the pixel of the example."""
    address = f'ZARR:"/vsicurl/{at.base}/zarr/{quote(example.collection, safe="")}":/{example.variable}'
    return f"""import rasterio

address = '{address}'
with rasterio.Env({gdal_options(at)}), rasterio.open(address) as image:
    (values,) = image.sample([({example.lon_in_cube:g}, {example.lat:g})], indexes={list(example.bands)})
    print(values.tolist())
"""


def gdal_options(at: Address) -> str:
    """Arguments of rasterio's environment: no look for neighbouring files, and the key."""
    shown = f', GDAL_HTTP_AUTH="BEARER", GDAL_HTTP_BEARER="{at.needed}"' if at.needed else ""
    return f'GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"{shown}'
