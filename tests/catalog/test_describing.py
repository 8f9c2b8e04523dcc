"""Documents of added files are STAC: by the standard's own schemas, and by what they say."""

from __future__ import annotations

import orjson
import pystac
import pytest
from stac_pydantic import Collection, Item

from site_files import write_netcdf
from terrella.catalog.describing import Wishes, _joined, licence
from terrella.model.caller import OPERATOR
from terrella.site import Site


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("describing")
    write_netcdf(folder / "t2m_1.nc", hours=range(24), lon0=175)
    with Site.open(folder / "home", reading={"scanners": 1}) as site:
        site.add(folder / "t2m_1.nc", wishes=Wishes(title="Warmth", licence="CC BY 4.0", attribution="Somebody"))
        collection = orjson.loads(site.catalog.collection(OPERATOR, "t2m_1"))
        return collection, orjson.loads(site.catalog.item(OPERATOR, "t2m_1", "t2m_1"))


def test_they_are_valid_stac(documents: tuple[dict, dict]) -> None:
    collection, item = documents
    Collection.model_validate(collection)
    Item.model_validate(item)
    assert pystac.Item.from_dict(item).datetime is None
    assert pystac.Collection.from_dict(collection).title == "Warmth"


def test_an_item_says_what_a_client_wants_to_know(documents: tuple[dict, dict]) -> None:
    _, item = documents
    properties, asset = item["properties"], item["assets"]["data"]
    assert item["bbox"] == [174.5, 40.5, -173.5, 50.5]
    assert item["geometry"]["type"] == "MultiPolygon", "cut at the antimeridian"
    assert properties["start_datetime"] == "2024-01-01T00:00:00Z"
    assert properties["end_datetime"] == "2024-01-01T23:00:00Z"
    assert properties["cube:dimensions"]["lon"]["extent"] == [175, 186]
    assert properties["cube:variables"]["t2m"]["unit"] == "K"
    assert properties["proj:code"] == "EPSG:4326"
    assert properties["version"] == "1"
    assert asset["file:size"] > 1000
    assert asset["file:checksum"].startswith("1220")
    assert asset["bands"] == [
        {"name": "t2m", "data_type": "float32", "description": "temperature", "unit": "K", **({"nodata": asset["bands"][0]["nodata"]} if "nodata" in asset["bands"][0] else {})}
    ]  # fmt: skip


def test_a_collection_says_it_for_all(documents: tuple[dict, dict]) -> None:
    collection, _ = documents
    assert collection["license"] == "CC-BY-4.0"
    assert collection["attribution"] == "Somebody"
    assert collection["extent"]["spatial"]["bbox"] == [[174.5, 40.5, -173.5, 50.5]]
    assert collection["extent"]["temporal"]["interval"] == [["2024-01-01T00:00:00Z", "2024-01-01T23:00:00Z"]]
    assert collection["terrella:grid"]["kind"] == "regular"


def test_licences_become_spdx() -> None:
    assert licence("This work is CC BY 4.0 licensed") == "CC-BY-4.0"
    assert licence("") == licence("call us") == "other"


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([[0, 0, 10, 5], [20, -5, 30, 0]], [0, -5, 30, 5]),
        ([[170, 0, 175, 1], [-175, 0, -170, 1]], [170, 0, -170, 1]),
        ([[175, 0, -175, 1], [-178, 0, -170, 2]], [175, 0, -170, 2]),
        ([[-180, -90, 180, 90], [1, 1, 2, 2]], [-180, -90, 180, 90]),
        ([[0, 0, 1, 1]], [0, 0, 1, 1]),
    ],
)
def test_boxes_join_the_short_way_around(boxes: list[list[float]], expected: list[float]) -> None:
    assert _joined(boxes) == expected
