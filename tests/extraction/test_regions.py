"""Countries, frames, HEALPix pixels, geohashes and tiles as shapes."""

import math

import numpy as np
import pytest
import shapely
from astropy import units
from astropy_healpix import HEALPix
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid, TooLarge
from terrella.extraction.cell_ids import geohash, pixel, tile
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.extraction.regions import region, region_names
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Extraction, Frame, Pixel, Region
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_cells
from terrella.model.space import Extent

PROPERTY = settings(derandomize=True, deadline=None, max_examples=30)


class Held:
    def __init__(self, index):
        self.index = index

    def open(self, caller, collection):
        return self.index, ORIGIN


VALUES = np.random.default_rng(9).normal(size=(2, 181, 360)).astype("f4")
every_lon, every_lat = (one.ravel() for one in np.meshgrid(np.arange(360.0), np.arange(90.0, -91, -1)))
every_lon = (every_lon + 180) % 360 - 180


def site(limits=None):
    fmt = MemoryFormat()
    index = one_piece(fmt, VALUES, ("time", "lat", "lon"), (1, 60, 90), regular(181, 360), [hours(2)])
    return Extractor(Held(index), Cubes(formats={"memory": fmt}, threads=2), limits or Limits())


SITE = site()


def ask(shape, where=SITE, **more):
    return where.extract(OPERATOR, Extraction(CollectionId("test"), shape, **more)).dataset


def check(found, inside):
    np.testing.assert_array_equal(found.t.values, VALUES.reshape(2, -1)[:, inside])
    np.testing.assert_allclose(found.longitude.values, every_lon[inside])


@pytest.mark.parametrize("name", ["France", "fiji", "RUSSIA", "010", "10", "Lesotho"])
def test_a_country_takes_the_cells_inside(name):
    shape = region(name)
    inside = np.zeros(every_lon.size, dtype=bool)
    for turn in (-360, 0, 360):  # the centre at -180 is also 180
        inside |= shapely.intersects_xy(shape, every_lon + turn, every_lat)
    if not inside.any():
        with pytest.raises(Invalid, match="No cell centre"):
            ask(Region(name))
        return
    check(ask(Region(name)), np.flatnonzero(inside))


def test_countries_have_the_sizes_that_one_knows():
    """Areas in km2 on an authalic plane, within the coarseness of 1:50m."""
    import geopandas

    known = {
        "France": 640_000,
        "Germany": 357_600,
        "Australia": 7_692_000,
        "Brazil": 8_516_000,
        "Antarctica": 12_300_000,
    }
    frame = geopandas.GeoSeries([region(name) for name in known], crs="OGC:CRS84").to_crs("EPSG:6933")
    for found, expected in zip(frame.area / 1e6, known.values(), strict=True):
        assert abs(found / expected - 1) < 0.04
    assert len(region_names()) > 200
    assert all(region(name).is_valid for name in region_names())


@pytest.mark.parametrize("name", ["Bosnia and Herzegovina", "usa", "S. Sudan", "south sudan", "Czech Republic", "840"])
def test_a_country_has_many_names(name):
    assert region(name).area > 0


def test_an_unknown_region_names_those_that_look_like_it():
    with pytest.raises(Invalid, match=r"no region 'Frence'. Did you mean 'France'") as caught:
        ask(Region("Frence"))
    assert caught.value.parameter == "region"


def test_a_region_may_overlap_and_be_too_large():
    overlapped = ask(Region("Lesotho"), cells=parse_cells("overlap"))
    cells = np.cos(np.radians(overlapped.latitude.values))
    assert (
        0.95 < (overlapped.weight.values * cells).sum() / (region("Lesotho").area * math.cos(math.radians(29.5))) < 1.05
    )
    with pytest.raises(TooLarge, match="bbox="):
        ask(Region("Russia"), site(Limits(cells=500)))


@PROPERTY
@given(st.integers(-170, 150), st.integers(-80, 60), st.integers(8, 30), st.integers(1, 3))
def test_a_frame_is_a_box_without_the_inside_of_another(west, south, wide, border):
    outer = Extent.of(west, south, west + wide, min(south + wide, 90))
    inner = Extent.of(west + border, south + border, west + wide - border, min(south + wide, 90) - border)
    found = ask(Frame(outer, inner))
    east = np.mod(every_lon - west, 360)
    in_outer = (east <= wide) & (every_lat >= south) & (every_lat <= outer.north)
    in_hole = (east > border) & (east < wide - border) & (every_lat > inner.south) & (every_lat < inner.north)
    check(found, np.flatnonzero(in_outer & ~in_hole))


def test_a_frame_has_overlaps_too():
    frame = Frame(Extent.of(0, 0, 10, 10), Extent.of(2.5, 2.5, 7.5, 7.5))
    found = ask(frame, cells=parse_cells("overlap"))
    np.testing.assert_allclose(found.weight.sum(), 75)
    with pytest.raises(Invalid, match="No cell centre"):
        ask(Frame(Extent.of(0.2, 0.2, 0.8, 0.8), Extent.of(0.4, 0.4, 0.6, 0.6)))


@PROPERTY
@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True), st.sampled_from(["nested", "ring"]))
def test_a_pixel_takes_the_centres_that_it_holds(depth, share, order):
    nside = 2**depth
    number = int(share * 12 * nside**2)
    numbers = HEALPix(nside, order=order).lonlat_to_healpix(np.mod(every_lon, 360) * units.deg, every_lat * units.deg)
    inside = np.flatnonzero(numbers == number)
    found = ask(Pixel(nside, number, order))
    # a centre on the very border of two pixels may go to either
    lon, lat = every_lon + 1e-7, np.clip(every_lat + 1e-7, -90, 90)
    again = HEALPix(nside, order=order).lonlat_to_healpix(np.mod(lon, 360) * units.deg, lat * units.deg)
    sure = np.flatnonzero((numbers == number) & (again == number))
    row = np.round(90 - found.latitude.values).astype(int)
    cells = row * 360 + np.mod(np.round(found.longitude.values), 360).astype(int)
    assert np.isin(sure, cells).all()
    assert abs(cells.size - inside.size) <= 4 * nside + 360


@PROPERTY
@given(st.floats(-180, 180, exclude_max=True), st.floats(-90, 90, exclude_max=True), st.integers(1, 9))
def test_a_geohash_halves_the_world(lon, lat, length):
    bits = []
    low, high = [-180.0, -90.0], [180.0, 90.0]
    for number in range(5 * length):
        axis = number % 2
        middle = (low[axis] + high[axis]) / 2
        up = (lon, lat)[axis] >= middle
        bits.append("1" if up else "0")
        (low if up else high)[axis] = middle
    digits = "0123456789bcdefghjkmnpqrstuvwxyz"
    text = "".join(digits[int("".join(bits[i : i + 5]), 2)] for i in range(0, len(bits), 5))
    assert geohash(text) == Extent(low[0], low[1], high[0], high[1])


def test_known_geohashes_and_tiles():
    box = geohash("u33")
    assert (box.west, box.south, box.east, box.north) == (12.65625, 52.03125, 14.0625, 53.4375)
    world = tile("0/0/0")
    np.testing.assert_allclose((world.south, world.north), (-85.0511287798066, 85.0511287798066))
    assert tile("wgs84:0/1/0") == Extent(0.0, -90.0, 180.0, 90.0)
    berlin = tile("10/550/335")
    assert berlin.west < 13.4 < berlin.east
    assert berlin.south < 52.52 < berlin.north
    assert pixel("healpix:64:ring:7") == Pixel(64, 7, "ring")


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (geohash, "abc", "no geohash"),
        (geohash, "", "no geohash"),
        (tile, "1/2/0", r"columns are 0\.\.1"),
        (tile, "31/0/0", "zoom 30"),
        (tile, "1-2-3", "no tile"),
        (tile, "mars:1/0/0", "no tile"),
        (pixel, "3:nested:0", "power of 2"),
        (pixel, "2:nested:48", r"0\.\.47"),
        (pixel, "2:zigzag:4", "no pixel"),
    ],
)
def test_cells_that_do_not_exist(read, text, says):
    with pytest.raises(Invalid, match=says):
        read(text)
