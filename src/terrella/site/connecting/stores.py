"""Lines for the clients of the data stores (CDS, ADS) and of WEkEO, which ask in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.site.connecting.address import ANYBODY
from terrella.site.connecting.writing import text, written

if TYPE_CHECKING:
    from terrella.site.connecting.address import Address
    from terrella.site.connecting.examples import Example

_LEVELS = {"pressure": "pressure_level", "model_level": "model_level"}


def cdsapi(at: Address, example: Example) -> str:
    made = f'client = cdsapi.Client(url="{at.base}/api", key="{at.shown}", quiet=True, progress=False)'
    asked = f'client.retrieve({text(example.collection)}, request, "example.nc")'
    return _retrieving("import cdsapi", made, asked, example)


def ecmwf_datastores_client(at: Address, example: Example) -> str:
    made = f'client = Client(url="{at.base}/api", key="{at.shown}", progress=False)'
    asked = f'client.retrieve({text(example.collection)}, request, target="example.nc")'
    return _retrieving("from ecmwf.datastores import Client", made, asked, example)


def hda(at: Address, example: Example) -> str:
    words = request(example)
    north, west, south, east = words.pop("area")
    query = {"dataset_id": example.collection, **words, "bbox": [west, south, east, north]}
    query["format"] = query.pop("data_format")
    user = "anonymous" if at.shown == ANYBODY else "key"
    return f"""from pathlib import Path

import xarray as xr
from hda import Client, Configuration

configuration = Configuration(
    url="{at.base}/hda-broker/", user="{user}", password="{at.shown}"
)
client = Client(config=configuration, progress=False)
query = {written(query)}
client.search(query).download("hda-example")
(path,) = Path("hda-example").glob("*.nc")
with xr.open_dataset(path) as dataset:
    print(dataset[{text(example.variable)}].to_numpy().ravel().tolist())
"""


def _retrieving(imported: str, made: str, asked: str, example: Example) -> str:
    return f"""{imported}
import xarray as xr

{made}
request = {written(request(example))}
{asked}
with xr.open_dataset("example.nc") as dataset:
    print(dataset[{text(example.variable)}].to_numpy().ravel().tolist())
"""


def request(example: Example) -> dict[str, Any]:
    """The example as a box around its cell, in the words of the data stores: north, west, south, east."""
    made: dict[str, Any] = {"variable": [example.variable]}
    if "date" in example.mars:
        days = example.mars["date"].split("/")
        made["date"] = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days]
    if "time" in example.mars:
        made["time"] = [f"{clock[:2]}:{clock[2:]}" for clock in example.mars["time"].split("/")]
    for one in example.chosen:
        if one.kind == "step":
            made["leadtime_hour"] = list(one.texts)
        elif one.kind == "vertical":
            made[_LEVELS.get(one.axis, "level")] = example.mars["levelist"].split("/")
        elif one.kind not in ("time", "reference_time"):
            made[one.axis] = list(one.texts)
    return {**made, "area": _area(example), "data_format": "netcdf"}


def clashes(example: Example) -> bool:
    """Whether an axis is called like a part of a date."""
    return any(one.kind == "other" and one.axis in ("year", "month", "day", "time", "date") for one in example.chosen)


def _area(example: Example) -> list[float]:
    north, south = min(90.0, example.lat + example.reach), max(-90.0, example.lat - example.reach)
    return [round(side, 5) for side in (north, example.lon - example.reach, south, example.lon + example.reach)]
