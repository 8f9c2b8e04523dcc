"""Awkward polygons and boxes on every kind of grid, against brute force on all centres."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.geometry

from memory_format import ORIGIN, MemoryFormat, hours, one_piece
from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.cubes.cubes import Cubes
from terrella.errors import Invalid
from terrella.extraction.extract import Extractor
from terrella.extraction.limits import Limits
from terrella.grids import (
    CurvilinearGrid,
    HealpixGrid,
    PointsGrid,
    ProjectedGrid,
    RectilinearGrid,
    ReducedGaussianGrid,
    RegularGrid,
    RotatedGrid,
    gaussian_latitudes,
    octahedral_pl,
)
from terrella.model.caller import OPERATOR
from terrella.model.extraction import Area, Box, Extraction, Frame, Points
from terrella.model.ids import CollectionId
from terrella.model.reduction import parse_reductions
from terrella.model.scan import Axis
from terrella.model.space import Extent, LonLat


def curvilinear() -> CurvilinearGrid:
    j, i = np.mgrid[0:35, 0:72]
    return CurvilinearGrid(73.0 + 5.0 * i + np.sin(j), -84.0 + 5.0 * j + 0.3 * np.sin(i))


def scattered() -> PointsGrid:
    dice = np.random.default_rng(2)
    return PointsGrid(dice.uniform(-180, 180, 2000), np.degrees(np.arcsin(dice.uniform(-1, 1, 2000))))


GRIDS = {
    "regular": RegularGrid(90, -5, 37, 0, 5, 72),
    "rectilinear": RectilinearGrid.of(gaussian_latitudes(16), np.arange(0, 360, 5.625)),
    "projected": ProjectedGrid.from_coordinates(
        "EPSG:3413", np.arange(-40, 41) * 1e5 + 3e4, np.arange(40, -41, -1) * 1e5
    ),
    "rotated": RotatedGrid.of(-162.0, 39.25, np.arange(-88.0, 89, 4), np.arange(-180.0, 180, 4)),
    "healpix": HealpixGrid(16),
    "gaussian": ReducedGaussianGrid(16, octahedral_pl(16)),
    "curvilinear": curvilinear(),
    "points": scattered(),
}


def site(grid) -> Extractor:
    fmt = MemoryFormat()
    values = np.stack([np.arange(grid.size), np.full(grid.size, np.nan)]).reshape(2, *grid.shape).astype("f8")
    chunks = (1, *grid.shape)
    index = one_piece(fmt, values, ("time", *grid.dims), chunks, grid.to_json(), [hours(2)])

    class Held:
        def open(self, caller, collection):
            return index, ORIGIN

    return Extractor(Held(), Cubes(formats={"memory": fmt}, threads=2), Limits())


def gappy(grid) -> Extractor:
    """Members 0 and 1 in files of their own: the second has neither the second time nor any cell of variable u."""
    fmt = MemoryFormat()
    variables = []
    for name, members in (("t", (0, 1)), ("u", (0,))):
        pieces = []
        for member in members:
            hrs = np.arange(2 - member)
            cells = np.arange(grid.size) + 1000.0 * member
            values = np.stack([cells + 100_000 * hour for hour in hrs]).reshape(-1, *grid.shape)
            scan = fmt.put(f"/data/{member}", name, ("time", *grid.dims), values, (1, *grid.shape))
            where = (np.array([member]), hrs, *(None for _ in grid.shape))
            pieces.append(Piece(f"/data/{member}", "memory", f"m{member}", scan, where))
        dims = ("number", "time", *grid.dims)
        variables.append(CubeVariable(name, dims, (2, 2, *grid.shape), "<f8", {}, tuple(pieces)))
    number = Axis("number", "number", np.arange(2))
    index = CubeIndex(grid.to_json(), (number, hours(2)), tuple(variables))

    class Held:
        def open(self, caller, collection):
            return index, ORIGIN

    return Extractor(Held(), Cubes(formats={"memory": fmt}, threads=2), Limits())


SITES = {name: site(grid) for name, grid in GRIDS.items()}


def ask(name, shape) -> np.ndarray:
    """Numbers of the cells that come back; those of the second time are missing in the file, and stay so."""
    found = SITES[name].extract(OPERATOR, Extraction(CollectionId("test"), shape)).dataset.t.values
    assert np.isnan(found[1]).all()
    return np.sort(found[0][np.isfinite(found[0])]).astype(int)


def area(geometry) -> Area:
    return Area(dict(shapely.geometry.mapping(geometry)))


def centres(name):
    lon, lat = GRIDS[name].centres()
    return np.nan_to_num(lon, nan=-999.0), np.nan_to_num(lat, nan=-999.0)


@pytest.mark.parametrize("name", GRIDS)
def test_a_polygon_of_no_cell_is_refused_with_the_nearest(name):
    lon, lat = (float(one[GRIDS[name].size // 2]) for one in GRIDS[name].centres())
    tiny = shapely.box(lon + 0.01, lat + 0.01, lon + 0.02, lat + 0.02)
    with pytest.raises(Invalid, match="No cell centre lies in it"):
        ask(name, area(tiny))


@pytest.mark.parametrize("name", GRIDS)
def test_a_polygon_of_all_cells(name):
    expected = np.flatnonzero(centres(name)[1] > -900)
    np.testing.assert_array_equal(ask(name, area(shapely.box(-180, -90, 180, 90))), expected)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("north", [True, False])
def test_a_pole_inside_and_a_hole_at_it(name, north):
    _, lat = centres(name)
    low, hole = (71.3, 82.1) if north else (-71.3, -82.1)
    end = 90 if north else -90
    cap = shapely.box(-180, min(low, end), 180, max(low, end))
    inside = lat >= low if north else (lat <= low) & (lat > -900)
    ring = inside & ((lat <= hole) if north else (lat >= hole))
    holed = cap - shapely.box(-180, min(hole, end), 180, max(hole, end))
    for shape, expected in ((cap, inside), (holed, ring)):
        if not expected.any():
            with pytest.raises(Invalid):
                ask(name, area(shape))
            continue
        np.testing.assert_array_equal(ask(name, area(shape)), np.flatnonzero(expected))


@pytest.mark.parametrize("name", GRIDS)
def test_a_box_all_the_way_round(name):
    lon, lat = centres(name)
    expected = np.flatnonzero((lat >= 52.2) & (lat <= 77.7))
    for extent in (Extent.of(-180, 52.2, 180, 77.7), Extent.of(0, 52.2, 360, 77.7)):
        np.testing.assert_array_equal(ask(name, Box(extent)), expected)
    held = (lat >= 52.2) & (lat <= 77.7) & ~((np.abs(lon) < 30) & (lat > 60) & (lat < 70))
    frame = Frame(Extent.of(-180, 52.2, 180, 77.7), Extent.of(-30, 60, 30, 70))
    assert set(np.flatnonzero(held)) <= set(ask(name, frame))


@pytest.mark.parametrize("name", GRIDS)
def test_a_point_on_the_border_of_cells_takes_one_of_those_that_are_equally_near(name):
    grid = GRIDS[name]
    lon, lat = centres(name)
    vectors = np.stack(
        [
            np.cos(np.radians(lat)) * np.cos(np.radians(lon)),
            np.cos(np.radians(lat)) * np.sin(np.radians(lon)),
            np.sin(np.radians(lat)),
        ],
        axis=-1,
    )
    for first in (grid.size // 3, grid.size // 2, 2 * grid.size // 3):
        near = np.argsort(-(vectors @ vectors[first]))[1]
        middle = vectors[first] + vectors[near]
        middle /= np.linalg.norm(middle)
        place = LonLat(float(np.degrees(np.arctan2(middle[1], middle[0]))), float(np.degrees(np.arcsin(middle[2]))))
        (found,) = ask(name, Points((place,)))
        away = np.linalg.norm(vectors - middle, axis=1)
        assert away[found] <= away.min() + 1e-9
        (again,) = ask(name, Points((place,)))
        assert again == found


@pytest.mark.parametrize("name", GRIDS)
def test_a_member_or_time_that_one_file_lacks_is_missing_and_no_other(name):
    grid = GRIDS[name]
    extractor = gappy(grid)
    lon, lat = centres(name)
    cell = int(np.argmin(np.abs(lat - 60) + np.abs(lon)))
    expected = cell + np.array([[0.0, 100_000.0], [1000.0, np.nan]])
    near = Points((LonLat(float(lon[cell]), float(lat[cell])),))
    around = area(shapely.Point(lon[cell], lat[cell]).buffer(1e-3))
    for shape in (near, around):
        found = extractor.extract(OPERATOR, Extraction(CollectionId("test"), shape)).dataset
        np.testing.assert_array_equal(found.t.values.reshape(2, 2), expected)
        np.testing.assert_array_equal(found.u.values.reshape(2, 2), np.where([[True], [False]], expected, np.nan))
    over = {}
    for text in ("mean:number", "count:number", "mean:number:strict"):
        asked = Extraction(CollectionId("test"), near, ("t",), reduce=parse_reductions(text))
        over[text] = extractor.extract(OPERATOR, asked).dataset.t.values.ravel().tolist()
    assert over["mean:number"] == [cell + 500.0, cell + 100_000.0]
    assert over["count:number"] == [2, 1]
    assert np.isnan(over["mean:number:strict"][1])
