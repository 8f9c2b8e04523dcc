from dataclasses import replace

from terrella.contracts.cubes import Origin
from terrella.extraction.receipts import receipt, request_hash, software
from terrella.model.credit import Credit
from terrella.model.extraction import Box, Circle, Extraction, Points, Span
from terrella.model.ids import CollectionId
from terrella.model.space import Extent, LonLat
from terrella.model.time import parse_interval

REQUEST = Extraction(CollectionId("a"), Points((LonLat(1, 2),)), ("t",), select={"number": (1, 2), "step": (6.0,)})


def test_equal_requests_have_equal_hashes_and_others_have_not():
    others = [
        replace(REQUEST, collection=CollectionId("b")),
        replace(REQUEST, shape=Points((LonLat(2, 1),))),
        replace(REQUEST, shape=Circle(LonLat(1, 2), 5.0)),
        replace(REQUEST, shape=Box(Extent(1, 2, 3, 4))),
        replace(REQUEST, interval=parse_interval("2000")),
        replace(REQUEST, vertical=Span(1, 2)),
        replace(REQUEST, vertical=(1.0, 2.0)),
        replace(REQUEST, select={"number": (1,)}),
        replace(REQUEST, longitudes=(0.0, 360.0)),
    ]
    assert len({request_hash(one) for one in (REQUEST, *others)}) == len(others) + 1
    turned = replace(REQUEST, select={"step": (6.0,), "number": (1, 2)})
    assert request_hash(turned) == request_hash(REQUEST)
    assert len(request_hash(REQUEST)) == 64


def test_the_software_names_its_version():
    assert software().startswith("terrella ")


def test_a_receipt_has_versions_and_what_to_cite():
    credit = Credit("Somebody (2024)", "10.1/a", "https://doi.org/10.1/a", "https://example.org/l", ("Somebody",))
    origin = Origin("lake", "a", "7", ("x", "y", "z"), "CC0-1.0", "By somebody", ("1", "2", "3"), credit)
    made = receipt(REQUEST, origin, ["z", "x", "z"], 12)
    assert (made.items, made.item_versions) == (("x", "z"), ("1", "3"))
    assert (made.credit, made.licence, made.attribution, made.version) == (credit, "CC0-1.0", "By somebody", "7")
    assert receipt(REQUEST, replace(origin, item_versions=()), ["x"], 0).item_versions == ()
