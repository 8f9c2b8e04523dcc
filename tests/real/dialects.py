"""One question, asked over HTTP in each dialect; answers come back as plain arrays of the example's cell."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import netCDF4
import numpy as np
import xarray as xr

from terrella.site.connecting import stores, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from terrella.site.connecting import Example


class Refused(Exception):
    """The status and the body of a refusal."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


@dataclass(frozen=True)
class Server:
    """Asks a running site."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, Any]:
        """Status, body and headers. Raises Refused."""
        url = path if path.startswith("http") else self.url + path
        content = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=90) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    def json(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self.ask(method, path, body)[1])

    def until(self, ended: Callable[[Any], bool], method: str, path: str) -> Any:
        """The answer, once it says so; the site holds each question."""
        for _ in range(60):
            answer = self.ask(method, path)
            if ended(answer):
                return answer
        raise AssertionError(f"{path} never ends")


# --- one cell -------------------------------------------------------------------------------------------------------


def edr(server: Server, one: Example) -> np.ndarray:
    words = {"coords": f"POINT({one.lon} {one.lat})", "parameter-name": one.variable, **values.edr_axes(one)}
    document = server.json("GET", f"/ogc/collections/{one.collection}/position?{urlencode(words)}&f=CoverageJSON")
    return _of_coverages(document.get("coverages", [document]))


def polytope(server: Server, one: Example) -> np.ndarray:
    document = server.json("POST", f"/api/v2/{one.collection}/requests", values.mars_request(one))
    return _of_coverages(document["coverages"])


def _of_coverages(coverages: list[Any]) -> np.ndarray:
    found = [value for each in coverages for name in each["ranges"] for value in each["ranges"][name]["values"]]
    return np.array([np.nan if value is None else value for value in found], dtype="f8")


def hda(server: Server, one: Example) -> np.ndarray:
    return _cell(hda_file(server, one, stores.request(one)["area"]), one)


def cds(server: Server, one: Example) -> np.ndarray:
    return _cell(cds_file(server, one, stores.request(one)["area"]), one)


def wekeo(server: Server, one: Example) -> np.ndarray:
    return _cell(wekeo_file(server, one, stores.request(one)["area"]), one)


def zarr(server: Server, one: Example) -> np.ndarray:
    with xr.open_zarr(f"{server.url}/zarr/{one.collection}", decode_times=False) as dataset:
        return _at(dataset[one.variable].isel({dim: slice(count) for dim, count in one.first}), one)


CELLS = {"edr": edr, "polytope": polytope, "hda": hda, "cds": cds, "wekeo": wekeo, "zarr": zarr}


def _cell(content: bytes, one: Example) -> np.ndarray:
    with netCDF4.Dataset("answer.nc", memory=content) as file:
        dataset = xr.open_dataset(xr.backends.NetCDF4DataStore(file), decode_times=False)
        return _at(dataset[one.variable].load(), one)


def _at(array: xr.DataArray, one: Example) -> np.ndarray:
    """The values of the cell at the example's place, whichever way cells are laid out."""
    if "lat" in array.dims:
        far = np.abs(array.lat - one.lat) + np.abs((array.lon - one.lon + 180) % 360 - 180)
    else:
        far = np.abs(array.latitude - one.lat) + np.abs((array.longitude - one.lon + 180) % 360 - 180)
    place = np.unravel_index(int(np.argmin(far.values)), far.shape)
    return array.isel(dict(zip(far.dims, place, strict=True))).values.ravel()


# --- files of a box -------------------------------------------------------------------------------------------------


def hda_file(server: Server, one: Example, area: list[float]) -> bytes:
    """An order, as Destination Earth takes them."""
    words = {**one.mars, "area": "/".join(map(str, area)), "format": "netcdf"}
    _, _, headers = server.ask("POST", f"/stac/v2/collections/{one.collection}/order", words)
    _, body, _ = server.until(lambda answer: answer[0] != 202, "GET", headers["Location"])
    return server.ask("GET", json.loads(body)["assets"]["downloadLink"]["href"])[1]


def cds_file(server: Server, one: Example, area: list[float]) -> bytes:
    """A retrieval, as the Climate Data Store takes them."""
    inputs = stores.request(one) | {"area": area}
    job = server.json("POST", f"/api/retrieve/v1/processes/{one.collection}/execution", {"inputs": inputs})["jobID"]
    ended = ("successful", "failed")
    server.until(lambda answer: json.loads(answer[1])["status"] in ended, "GET", f"/api/retrieve/v1/jobs/{job}")
    return server.ask("GET", server.json("GET", f"/api/retrieve/v1/jobs/{job}/results")["asset"]["value"]["href"])[1]


def wekeo_file(server: Server, one: Example, area: list[float]) -> bytes:
    """A download, as WEkEO's broker takes them."""
    words = stores.request(one)
    north, west, south, east = area
    del words["area"], words["data_format"]
    query = {"dataset_id": one.collection, **words, "bbox": [west, south, east, north], "format": "netcdf"}
    (found,) = server.json("POST", "/hda-broker/api/v1/dataaccess/search", query)["features"]
    wanted = {"product_id": found["id"], "location": found["properties"]["location"]}
    path = "/hda-broker/api/v1/dataaccess/download"
    name = server.json("POST", path, {"dataset_id": one.collection, **wanted})["download_id"]
    server.until(lambda answer: answer[0] == 200, "HEAD", f"{path}/{name}")
    return server.ask("GET", f"{path}/{name}")[1]


def edr_file(server: Server, one: Example, area: list[float]) -> bytes:
    north, west, south, east = area
    words = {"bbox": f"{west},{south},{east},{north}", "parameter-name": one.variable, **values.edr_axes(one)}
    return server.ask("GET", f"/ogc/collections/{one.collection}/cube?{urlencode(words)}&f=NetCDF")[1]


FILES = {"edr": edr_file, "hda": hda_file, "cds": cds_file, "wekeo": wekeo_file}


def sorted_numbers(content: bytes, variable: str) -> np.ndarray:
    """All values of a NetCDF file, whatever the order of its axes."""
    with netCDF4.Dataset("answer.nc", memory=content) as file:
        return np.sort(np.ma.filled(file[variable][...].astype("f8"), np.nan), axis=None)
