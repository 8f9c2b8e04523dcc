"""MGRS squares against what GEOTRANS of the NGA names, and against their neighbours."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.errors import Invalid
from terrella.extraction.mgrs import BANDS, mgrs

PROPERTY = settings(derandomize=True, deadline=None, max_examples=40)
NAMED = [
    (5.300000, 60.390000, "32VKN9600"),
    (3.500000, 57.000000, "32VJJ660308"),
    (15.630000, 78.220000, "33XWG14358299"),
    (8.900000, 72.500000, "31XFA9754"),
    (21.000000, 83.990000, "35XMP2930"),
    (-179.999900, -16.500000, "01KAB79727337"),
    (179.999900, -16.500000, "60KZG27"),
    (0.000000, 0.000000, "31NAA66020000"),
    (-0.000100, -0.000100, "30MZE3396799988"),
    (13.400000, 52.520000, "33UUU91442007"),
    (12.000000, 48.000000, "33UTP76222065"),
    (0.500000, 89.999999, "ZAG000999"),
    (-120.000000, 89.500000, "YZH5192427756"),
    (120.000000, 84.200000, "ZHL5822"),
    (10.000000, -80.500000, "BBY8340"),
    (-60.000000, -89.900000, "AZN90380555"),
    (180.000000, -85.000000, "BAG00004454"),
    (77.200000, 28.600000, "43RGM16"),
    (151.200000, -33.870000, "56HLH35"),
    (-70.660000, -33.450000, "19HCC45719759"),
    (109.801053, 38.016005, "49SCC9475608269"),
    (5.517202, -25.365888, "31JGM53309215"),
    (-160.584947, -13.489210, "04LCL2844908209"),
    (-32.949646, -65.429402, "25DEH0243"),
    (-162.447224, 86.710381, "YYL8948"),
    (54.852880, -32.071666, "40HBK97334960"),
    (-23.418881, 71.508801, "27WVV13"),
    (143.163939, 43.508492, "54TXP71"),
    (-38.734321, -0.799529, "24MWE21"),
    (63.608167, -61.449304, "41ENM3287"),
    (20.014602, -27.199927, "34JDQ09"),
    (136.674422, -60.641731, "53ENN91577595"),
    (64.505352, 47.746496, "41TPN1284089222"),
    (-98.165331, 52.269368, "14UNC5691"),
    (133.990368, -74.358082, "53CMT64"),
    (74.698404, -86.030161, "BGP25281635"),
    (1.211028, -7.276969, "31MCM09"),
    (-106.828979, -20.494332, "13KCT09253274"),
    (110.237519, -21.536620, "49KDS21"),
    (-126.346110, 23.392264, "09QYF7124989439"),
    (-18.524124, 36.718141, "27SYA21126646"),
    (-95.214075, -21.126649, "15KTS7004562233"),
    (107.956629, 0.809976, "48NZF29118964"),
    (2.298601, -31.844232, "31JDE33637661"),
    (-174.766939, 60.048439, "01VFG2458"),
    (-149.102715, 43.618521, "06TUP3033831652"),
    (-47.562934, 64.428317, "23WLM74"),
    (-36.206906, 60.795543, "24VXN54"),
]
"""Longitude, latitude, and the square that GEOTRANS 3 gives for it."""


@pytest.mark.parametrize(("lon", "lat", "name"), NAMED)
def test_a_square_holds_the_place_that_it_is_the_name_of(lon, lat, name):
    for text in (name, name[:-10] if len(name) > 13 else name, name.lower()):
        square = mgrs(text)
        assert square.is_valid
        assert square.distance(shapely.Point(lon, lat)) < 2e-5 / max(np.cos(np.radians(lat)), 1e-3), text


@pytest.mark.parametrize(("lon", "lat", "name"), NAMED)
def test_a_square_has_its_size_and_not_more(lon, lat, name):
    """On the ellipsoid; the scale of UTM and UPS is within 0.6 %; squares at the edge of a zone are cut."""
    square = mgrs(name)
    side = 10.0 ** (5 - len(name.lstrip("0123456789")[3:]) / 2) if lat < 84 and lat > -80 else None
    area = abs(pyproj.Geod(ellps="WGS84").geometry_area_perimeter(shapely.segmentize(square, 0.05))[0])
    assert side is None or area <= 1.013 * side**2
    assert lon == 0 or area > 0


def test_squares_of_a_zone_tile_it():
    """Every place of a zone and band lies in one square, and all of them together are the zone."""
    for zone in ("33U", "32V", "31V", "37X", "01C", "60N", "60X"):
        squares = []
        for column in "ABCDEFGHJKLMNPQRSTUVWXYZ":
            for row in "ABCDEFGHJKLMNPQRSTUV":
                try:
                    squares.append(mgrs(f"{zone}{column}{row}"))
                except Invalid:
                    continue
        whole = mgrs(zone)
        assert abs(sum(one.area for one in squares) / whole.area - 1) < 1e-6
        assert abs(shapely.union_all(squares, grid_size=1e-9).area / whole.area - 1) < 1e-6


def test_polar_squares_tile_their_caps():
    for cap, least in (("A", -90), ("B", -90), ("Y", 84), ("Z", 84)):
        squares = []
        for column in "ABCDEFGHJKLMNPQRSTUVWXYZ":
            for row in "ABCDEFGHJKLMNPQRSTUVWXYZ":
                try:
                    squares.append(mgrs(f"{cap}{column}{row}"))
                except Invalid:
                    continue
        assert mgrs(cap).bounds[1] == least
        assert abs(sum(one.area for one in squares) / mgrs(cap).area - 1) < 1e-5


@PROPERTY
@given(st.integers(1, 60), st.sampled_from(BANDS), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.integers(0, 5))
def test_places_in_the_plane_are_in_the_square_with_their_digits(zone, band, x, y, digits):
    """The reference system's own arithmetic, forwards: zone, then 100 km, then digits."""
    try:
        limits = mgrs(f"{zone}{band}")
    except Invalid:
        assert band == "X"
        return
    west, south, east, north = limits.bounds
    lon, lat = west + x * (east - west), south + y * (north - south)
    plane = pyproj.Proj(f"EPSG:{32600 + zone + 100 * (lat < 0)}")
    easting, northing = plane(lon, lat)
    columns = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")[(zone - 1) % 3]
    rows = "ABCDEFGHJKLMNPQRSTUV" if zone % 2 else "FGHJKLMNPQRSTUVABCDE"
    name = f"{zone}{band}{columns[int(easting // 1e5) - 1]}{rows[int(northing // 1e5) % 20]}"
    size = 10 ** (5 - digits)
    if digits:
        name += "".join(f"{int(number % 1e5 // size):0{digits}d}" for number in (easting, northing))
    assert mgrs(name).distance(shapely.Point(lon, lat)) < 1e-6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no MGRS square"),
        ("33", "no MGRS square"),
        ("33I", "no MGRS square"),
        ("33U123", "no MGRS square"),
        ("33UUU123", "even number"),
        ("33UUU123456789012", "no MGRS square"),
        ("61C", "zones are 1 to 60"),
        ("0C", "zones are 1 to 60"),
        ("34X", "31X, 33X, 35X and 37X"),
        ("33UAA", "first letters are S to Z"),
        ("33UUZ", "outside of the zone"),
        ("ZZZ", "no MGRS square ZZ in zone Z"),
        ("33A", "no MGRS square"),
    ],
)
def test_squares_that_do_not_exist(text, says):
    with pytest.raises(Invalid, match=says) as caught:
        mgrs(text)
    assert caught.value.parameter == "mgrs"
