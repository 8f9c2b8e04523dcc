"""Places by name, of the countries that come with Terrella and of collections, as callers may see them."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Denied, Invalid
from terrella.extraction.gazetteer import Gazetteer, Place
from terrella.extraction.regions import country, region, region_names
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Everything, Region
from terrella.model.space import Extent
from terrella.site import Site

PROPERTY = settings(derandomize=True, deadline=None, max_examples=60)
STRANGER = replace(OPERATOR, name="stranger", finds=None, reads=())


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gazetteer]:
    folder = tmp_path_factory.mktemp("gazetteer")
    for name, codes in (("first", "AB"), ("second", "CD")):
        features = [
            {
                "type": "Feature",
                "properties": {"code": code, "name": f"Field {code}"},
                "geometry": shapely.geometry.mapping(shapely.box(number, 0, number + 1, 1)),
            }
            for number, code in enumerate(codes)
        ]
        (folder / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with Site.open(folder / "home", reading={"scanners": 1}) as site:
        assert not site.add(folder / "first.geojson", folder / "second.geojson", collection="fields").failures
        site.scanners.close()
        yield site.gazetteer


def test_features_of_several_files_are_one_source(gazetteer: Gazetteer) -> None:
    assert gazetteer.sources(OPERATOR) == ["countries", "fields"]
    assert [gazetteer.place(OPERATOR, f"fields:{one}").title for one in "abcd"] == [f"Field {one}" for one in "ABCD"]
    with pytest.raises(Invalid, match="Did you mean 'Field D'"):
        gazetteer.place(OPERATOR, "fields:Field Y D")


def test_who_may_not_read_gets_no_outline(gazetteer: Gazetteer) -> None:
    with pytest.raises(Denied, match="not yours to read"):
        gazetteer.place(STRANGER, "fields:A")
    assert gazetteer.place(STRANGER, "France").code == "250"
    listed = gazetteer.listed(STRANGER, limit=1000)
    assert {one.source for one in listed.places} == {"countries"}


def test_only_regions_of_collections_are_turned_into_outlines(gazetteer: Gazetteer) -> None:
    assert gazetteer.resolved(OPERATOR, Everything()) == Everything()
    assert gazetteer.resolved(OPERATOR, Region("France")) == Region("France")
    assert gazetteer.resolved(OPERATOR, Region("countries:france")) == Region("France")
    made = gazetteer.resolved(OPERATOR, Region("fields:B"))
    assert isinstance(made, Area)
    assert shapely.geometry.shape(made.geometry).equals(shapely.box(1, 0, 2, 1))


def test_pages_hold_every_place_once(gazetteer: Gazetteer) -> None:
    found, start = [], 0
    while start is not None:
        page = gazetteer.listed(OPERATOR, limit=60, start=start)
        found += [one.name for one in page.places]
        start = page.next
    assert found == [*region_names(), "fields:A", "fields:B", "fields:C", "fields:D"]
    assert page.matched == len(found)


def test_names_of_countries(gazetteer: Gazetteer) -> None:
    for name in region_names():
        assert country(name)[0] == name
        place = gazetteer.place(OPERATOR, name)
        assert place.extent.width <= 360
        box = shapely.union_all([shapely.box(*part.bbox()) for part in place.extent.parts()])
        assert box.buffer(1e-6).covers(region(name))
        assert shapely.geometry.shape(place.sketch()).is_valid
    assert gazetteer.place(OPERATOR, "Fiji").extent.width < 10


@PROPERTY
@given(st.lists(st.tuples(st.integers(-180, 170), st.integers(1, 10)), min_size=1, max_size=6))
def test_the_box_around_parts_is_the_narrowest(spans: list[tuple[int, int]]) -> None:
    outline = shapely.union_all([shapely.box(west, 0, west + wide, 5) for west, wide in spans])
    extent = Place("s", "i", "t", outline).extent
    assert isinstance(extent, Extent)
    inside = [any(west <= lon < west + wide for west, wide in spans) for lon in range(-180, 180)]
    if inside[0] and inside[-1] and not all(inside):
        twice, longest, run = inside + inside, 0, 0
        for one in twice:
            run = 0 if one else run + 1
            longest = max(longest, run)
        assert extent.width == pytest.approx(360 - longest)
    else:
        assert extent.bbox()[::2] == pytest.approx(list(outline.bounds[::2]))
