"""What every grid must do, shown against brute force; and hypothesis strategies for grids, places and polygons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.affinity import scale
from shapely.geometry import shape as from_geojson
from shapely.ops import unary_union

from terrella.contracts.grids import Grid
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
    grid_from_json,
    octahedral_pl,
)
from terrella.model.space import EARTH_RADIUS_M, Extent

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy
    from shapely.geometry.base import BaseGeometry

checked = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""How the suite's properties are run: the same examples every time."""

_CRS = {
    "EPSG:32633": (5e5, 5.5e6, 2e4),
    "EPSG:32760": (5e5, 2e6, 4e4),
    "EPSG:3035": (4.3e6, 3.2e6, 1e5),
    "EPSG:3413": (1e5, -2e5, 2.5e5),
    "EPSG:3031": (-1e5, 3e5, 2.5e5),
    "EPSG:6933": (0.0, 0.0, 5e5),
    "EPSG:3857": (1.9e7, 1e6, 3e5),
    "+proj=lcc +lat_1=60 +lat_2=60 +lat_0=60 +lon_0=179 +R=6367470": (0.0, 0.0, 1e5),
    "+proj=sinu +R=6371007.181": (-9e6, 4e6, 6e5),
    "+proj=geos +h=35786023 +lon_0=-137 +sweep=x +ellps=GRS80": (0.0, 0.0, 4e5),
    "+proj=laea +lat_0=10 +lon_0=-81 +ellps=WGS84": (0.0, 0.0, 4e5),
}
"""Systems with a place to start from and a cell size that shows their oddities on small arrays."""

angles = st.floats(-360.0, 720.0) | st.sampled_from([-360.0, -180.0, -90.0, 0.0, 179.75, 180.0, 270.0, 360.0])
latitudes = st.floats(-90.0, 90.0) | st.sampled_from([-90.0, -89.9, -45.0, 0.0, 60.0, 89.99, 90.0])


@st.composite
def places(draw: DrawFn, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(lon, lat) anywhere, on centres, and half-way between centres, where ties are."""
    anywhere = draw(st.lists(st.tuples(angles, latitudes), min_size=1, max_size=30))
    cells = draw(st.lists(st.integers(0, grid.size - 1), min_size=1, max_size=20))
    lon, lat = grid.centres(np.array(cells))
    other_lon, other_lat = grid.centres(np.minimum(np.array(cells) + draw(st.integers(1, 40)), grid.size - 1))
    apart = np.mod(other_lon - lon + 180.0, 360.0) - 180.0
    lons = np.concatenate([[place[0] for place in anywhere], lon, lon + apart / 2, lon + apart / 3])
    lats = np.concatenate([[place[1] for place in anywhere], lat, (lat + other_lat) / 2, lat])
    real = np.isfinite(lons) & np.isfinite(lats)
    return lons[real], lats[real]


@st.composite
def polygons(draw: DrawFn, grid: Grid) -> BaseGeometry:
    """Stars, some with a hole, boxes with corners on centres, and caps around a pole; longitudes in any range."""
    kind = draw(st.sampled_from(["star", "star", "holed", "box", "pair", "cap"]))
    if kind == "cap":
        south, hole = draw(st.floats(-80.0, 80.0)), draw(st.booleans())
        sign = draw(st.sampled_from([-1, 1]))
        outer: BaseGeometry = shapely.box(-180, min(sign * 90, sign * south), 180, max(sign * 90, sign * south))
        pole = shapely.box(-180, min(sign * 90, sign * 85), 180, max(sign * 90, sign * 85))
        return outer.difference(pole) if hole else outer
    if kind == "box":
        return _box_on_centres(draw, grid)
    lon, lat = draw(st.floats(-200.0, 380.0)), draw(st.floats(-85.0, 85.0))
    star = _star(draw, lon, lat)
    if kind == "holed":
        inner: BaseGeometry = scale(star, 0.5, 0.5, origin=(lon, lat))
        return star.difference(inner)
    if kind == "pair":
        return unary_union([star, _star(draw, lon + draw(st.floats(-90.0, 90.0)), -lat)])
    return star


def _star(draw: DrawFn, lon: float, lat: float) -> BaseGeometry:
    rays = draw(st.lists(st.floats(0.5, 1.0), min_size=3, max_size=12))
    size = draw(st.floats(0.5, 60.0))
    turn = np.linspace(0, 2 * np.pi, len(rays), endpoint=False)
    x, y = lon + size * np.array(rays) * np.cos(turn), lat + size * np.array(rays) * np.sin(turn)
    made = shapely.make_valid(shapely.Polygon(np.column_stack([x, np.clip(y, -90, 90)])))
    star: BaseGeometry = unary_union([part for part in shapely.get_parts(made) if part.geom_type == "Polygon"])
    return star


def _box_on_centres(draw: DrawFn, grid: Grid) -> BaseGeometry:
    cells = np.array(draw(st.lists(st.integers(0, grid.size - 1), min_size=2, max_size=2)))
    lon, lat = (values[np.isfinite(values)] for values in grid.centres(cells))
    if lon.size < 2 or lon[0] == lon[1] or lat[0] == lat[1]:
        return shapely.box(-10, -10, 10, 10)
    between: BaseGeometry = shapely.box(lon.min(), lat.min(), lon.max(), lat.max())
    return between


@st.composite
def extents(draw: DrawFn) -> Extent:
    """Boxes, also over the antimeridian."""
    south, north = sorted((draw(latitudes), draw(latitudes)))
    west = draw(st.floats(-180.0, 179.0) | st.sampled_from([-180.0, 0.0, 170.0]))
    return Extent.of(west, south, west + draw(st.floats(0.0, 181.0) | st.just(180.0)), north)


@st.composite
def regular_grids(draw: DrawFn) -> RegularGrid:
    """Small ones of any direction and range: global, regional, a row, a column, a cell."""
    if draw(st.booleans()):
        step = draw(st.sampled_from([5.0, 7.5, 10.0, 22.5, 45.0]))
        top = draw(st.sampled_from([90.0, 90.0 - step / 2]))
        rows = round(2 * top / step) + 1
        sign = draw(st.sampled_from([1, -1]))
        first = draw(st.sampled_from([0.0, -180.0, step / 2, -180.0 + step / 2, 180.0]))
        return RegularGrid(
            sign * top, -sign * step, rows, first, draw(st.sampled_from([step, -step])), round(360 / step)
        )
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    dlat, dlon = draw(st.floats(0.01, 14.0)), draw(st.floats(0.01, 29.0))
    south = draw(st.floats(-90.0, 90.0 - (rows - 1) * dlat)) if (rows - 1) * dlat < 180 else -80.0
    lat0, sign = (south, 1) if draw(st.booleans()) else (south + (rows - 1) * dlat, -1)
    return RegularGrid(min(lat0, 90.0), sign * dlat, rows, draw(angles), draw(st.sampled_from([1, -1])) * dlon, columns)


@st.composite
def rectilinear_grids(draw: DrawFn) -> RectilinearGrid:
    """Gaussian rows, uneven rows and columns, unsorted ones, a repeated meridian."""
    n = draw(st.integers(2, 12))
    lat = gaussian_latitudes(n) if draw(st.booleans()) else _uneven(draw, -90.0, 90.0)
    if draw(st.booleans()):
        lon = np.arange(4 * n + draw(st.integers(0, 1))) * (360.0 / (4 * n))
    else:
        lon = _uneven(draw, draw(st.sampled_from([-180.0, 0.0, 100.0])), 250.0)
    return RectilinearGrid.of(lat, np.roll(lon, draw(st.integers(0, 3))))


def _uneven(draw: DrawFn, low: float, high: float) -> np.ndarray:
    steps = np.array(draw(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=15)))
    values: np.ndarray = low + np.cumsum(steps) * min(1.0, (high - low) / steps.sum())
    return values[::-1] if draw(st.booleans()) else values


@st.composite
def projected_grids(draw: DrawFn) -> ProjectedGrid:
    """Windows of maps of all sorts, some turned, some unevenly spaced."""
    crs, (x, y, size) = draw(st.sampled_from(sorted(_CRS.items())))
    rows, columns = draw(st.integers(2, 24)), draw(st.integers(2, 24))
    step = size * draw(st.floats(0.3, 1.0))
    way = draw(st.sampled_from(["transform", "turned", "coordinates"]))
    if way == "coordinates":
        xs = x + step * (np.arange(columns) - columns / 2 + 0.2 * np.sin(np.arange(columns)))
        ys = y + step * (np.arange(rows) - rows / 2 + 0.2 * np.sin(np.arange(rows)))
        return ProjectedGrid.from_coordinates(crs, xs, ys[:: draw(st.sampled_from([1, -1]))])
    b, d = (0.3 * step, -0.2 * step) if way == "turned" else (0.0, 0.0)
    corner = (x - step * columns / 2, y + step * rows / 2)
    return ProjectedGrid.from_transform(crs, (step, b, corner[0], d, -step, corner[1]), rows, columns)


@st.composite
def rotated_grids(draw: DrawFn) -> RotatedGrid:
    """Regional and global, with the pole anywhere."""
    step = draw(st.sampled_from([1.0, 4.0, 15.0]))
    rlat = draw(st.floats(-40.0, 20.0)) + step * np.arange(draw(st.integers(2, 14)))
    rlon = draw(st.floats(-180.0, 180.0)) + step * np.arange(draw(st.integers(2, 20)))
    return RotatedGrid.of(draw(angles), draw(latitudes), rlat[rlat <= 90.0], rlon, draw(st.sampled_from([0.0, 25.0])))


@st.composite
def healpix_grids(draw: DrawFn) -> HealpixGrid:
    """Both orders, whole and in part, nside of any kind."""
    order: Literal["ring", "nested"] = draw(st.sampled_from(["ring", "nested"]))
    nside = draw(st.sampled_from([1, 2, 4, 8]) if order == "nested" else st.integers(1, 9))
    if draw(st.booleans()):
        return HealpixGrid(nside, order)
    pixels = draw(st.lists(st.integers(0, 12 * nside**2 - 1), min_size=1, max_size=60, unique=True))
    return HealpixGrid(nside, order, np.array(pixels))


@st.composite
def gaussian_grids(draw: DrawFn) -> ReducedGaussianGrid:
    """Octahedral, and with any number of points a row."""
    n = draw(st.integers(1, 12))
    if draw(st.booleans()):
        return ReducedGaussianGrid(n, octahedral_pl(n))
    return ReducedGaussianGrid(n, draw(st.lists(st.integers(1, 40), min_size=2 * n, max_size=2 * n)))


@st.composite
def curvilinear_grids(draw: DrawFn) -> CurvilinearGrid:
    """Warped arrays, with cells that have no place, repeated columns, over the antimeridian and poles."""
    turned = draw(rotated_grids())
    lon, lat = (part.reshape(turned.shape).copy() for part in turned.centres())
    for cell in draw(st.lists(st.integers(0, lon.size - 1), max_size=min(6, lon.size - 1))):
        lon.flat[cell] = np.nan
    if draw(st.booleans()):
        lon, lat = np.concatenate([lon, lon[:, :2]], axis=1), np.concatenate([lat, lat[:, :2]], axis=1)
    return CurvilinearGrid(np.where(lon < 0, lon + draw(st.sampled_from([0.0, 360.0])), lon), lat)


@st.composite
def points_grids(draw: DrawFn) -> PointsGrid:
    """Stations and meshes, some places twice."""
    count = draw(st.sampled_from([1, 3, 40, 200]))
    draws = np.random.default_rng(draw(st.integers(0, 10_000)))
    lon, lat = draws.uniform(-180, 180, count), np.degrees(np.arcsin(draws.uniform(-1, 1, count)))
    twice = draws.integers(0, count, count // 5)
    return PointsGrid(np.concatenate([lon, lon[twice] + 360.0]), np.concatenate([lat, lat[twice]]))


def unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Shape (n, 3)."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def brute_chords(grid: Grid, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Straight distances on the unit sphere, shape (places, cells); infinite for cells without a place."""
    centres = unit_vectors(*grid.centres())
    apart = np.sqrt(((unit_vectors(lon, lat)[:, None, :] - centres[None, :, :]) ** 2).sum(axis=-1))
    return np.where(np.isfinite(apart), apart, np.inf)


def brute_within(grid: Grid, geometry: BaseGeometry) -> tuple[np.ndarray, np.ndarray]:
    """(cells whose centre shapely finds inside or on the border, cells that are that or within 1e-8 degrees of it)."""
    lon, lat = grid.centres()
    inside, near = np.zeros(lon.size, dtype=bool), np.zeros(lon.size, dtype=bool)
    for turn in (-720.0, -360.0, 0.0, 360.0, 720.0):
        real = np.isfinite(lon)
        points = shapely.points(lon[real] + turn, lat[real])
        inside[real] |= shapely.intersects(geometry, points)
        near[real] |= shapely.distance(geometry, points) < 1e-8
    return np.flatnonzero(inside), np.flatnonzero(near)


class GridSuite:
    """Subclass it as ``class TestMine(GridSuite): grids = my_strategy``; each example is compared with brute force."""

    grids: ClassVar[SearchStrategy[Any]]

    def _drawn(self, data: st.DataObject) -> Grid:
        grid: Grid = data.draw(self.grids)
        return grid

    @checked
    @given(data=st.data())
    def test_keeps_the_protocol(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        assert isinstance(grid, Grid)
        assert grid.size == np.prod(grid.shape)
        assert len(grid.dims) == len(grid.shape)
        assert grid.resolution() > 0
        for dim, values in grid.coordinates().items():
            assert values.shape == (grid.shape[grid.dims.index(dim)],)

    @checked
    @given(data=st.data())
    def test_json_comes_back_the_same(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        text = json.dumps(grid.to_json())
        again = grid_from_json(json.loads(text))
        assert again == grid
        assert json.dumps(again.to_json()) == text
        for mine, other in zip(grid.centres(), again.centres(), strict=True):
            np.testing.assert_array_equal(mine, other)

    @checked
    @given(data=st.data())
    def test_centres_are_places(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        lon, lat = grid.centres()
        assert lon.shape == lat.shape == (grid.size,)
        assert lon.dtype == lat.dtype == np.float64
        real = np.isfinite(lon)
        assert ((lon[real] >= -180) & (lon[real] < 180) & (np.abs(lat[real]) <= 90 + 1e-6)).all()
        cells = np.arange(grid.size)[::-3]
        np.testing.assert_array_equal(grid.centres(cells), (lon[cells], lat[cells]))

    @checked
    @given(data=st.data())
    def test_nearest_is_nearest_on_the_sphere(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        lon, lat = data.draw(places(grid))
        found = grid.nearest(lon, lat)
        apart = brute_chords(grid, lon, lat)
        for k in np.flatnonzero(found >= 0):
            least = apart[k].min()
            assert apart[k, found[k]] <= least + 3e-12, (lon[k], lat[k], found[k], apart[k].argmin())
            assert found[k] <= np.flatnonzero(apart[k] <= least + 1e-14)[0], (lon[k], lat[k])

    @checked
    @given(data=st.data())
    def test_nearest_finds_every_centre(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        lon, lat = grid.centres()
        found = grid.nearest(lon, lat)
        real = np.isfinite(lon)
        assert (found[~real] == -1).all()
        assert (found[real] >= 0).all()
        assert (found[real] <= np.flatnonzero(real)).all()

    def test_nearest_of_no_place_is_no_cell(self) -> None:
        nowhere = np.array([np.nan, 0.0, np.inf])

        @checked
        @given(grid=self.grids)
        def check(grid: Grid) -> None:
            assert (grid.nearest(nowhere, np.array([0.0, np.nan, 0.0])) == -1).all()
            assert grid.nearest(np.empty(0), np.empty(0)).shape == (0,)

        check()

    @checked
    @given(data=st.data())
    def test_within_is_centre_in_polygon(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        geometry = data.draw(polygons(grid))
        found = grid.within(geometry)
        inside, near = brute_within(grid, geometry)
        assert found.dtype == np.int64
        assert (np.diff(found) > 0).all()
        assert set(inside) <= set(found.tolist()) <= set(near)

    @checked
    @given(data=st.data())
    def test_in_extent_is_centre_in_box(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        box = data.draw(extents())
        lon, lat = grid.centres()

        def held(slack: float) -> set[int]:
            rows = (lat >= box.south - slack) & (lat <= box.north + slack)
            turned = [lon + turn for turn in (-360.0, 0.0, 360.0)]
            beside = [(east >= box.west - slack) & (east <= box.west + box.width + slack) for east in turned]
            return set(np.flatnonzero(rows & np.any(beside, axis=0)).tolist())

        found = grid.in_extent(box)
        assert (np.diff(found) > 0).all()
        assert held(0.0) <= set(found.tolist()) <= held(1e-8)

    @checked
    @given(data=st.data())
    def test_in_circle_is_centre_within_radius(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        lon, lat, radius = data.draw(angles), data.draw(latitudes), data.draw(st.floats(0.0, 1.2e7))
        chords = brute_chords(grid, np.array([lon]), np.array([lat]))[0]
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chords, 2.0) / 2)
        metres[np.isinf(chords)] = np.inf
        found = grid.in_circle(lon, lat, radius)
        assert (np.diff(found) > 0).all()
        inside, near = np.flatnonzero(metres <= radius - 0.5), np.flatnonzero(metres <= radius + 0.5)
        assert set(inside) <= set(found.tolist()) <= set(near)

    @checked
    @given(data=st.data())
    def test_areas_are_of_cells(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        areas = grid.areas()
        assert areas.shape == (grid.size,)
        assert not (areas < 0).any()
        assert not np.nansum(areas) > 4 * np.pi * EARTH_RADIUS_M**2 * (1 + 1e-9) or grid.kind == "curvilinear"
        cells = np.arange(grid.size)[::-3]
        np.testing.assert_allclose(grid.areas(cells), areas[cells], rtol=1e-12)

    @checked
    @given(data=st.data())
    def test_extent_holds_the_centres(self, data: st.DataObject) -> None:
        grid = self._drawn(data)
        box = grid.extent()
        lon, lat = (part[np.isfinite(part)] for part in grid.centres())
        assert -180 <= box.west <= 180 and -180 <= box.east <= 180 and -90 <= box.south <= box.north <= 90  # noqa: PT018
        slack = 0.02 * (box.north - box.south) + 1e-6
        assert ((lat >= box.south - slack) & (lat <= box.north + slack)).all()
        east = np.mod(lon - box.west + 1.0, 360.0) - 1.0
        assert ((east <= box.width + 1.0) | (np.abs(lat) > 89.9)).all()

    @checked
    @given(data=st.data())
    def test_footprint_is_valid_geojson(self, data: st.DataObject) -> None:
        document = self._drawn(data).footprint()
        geometry = from_geojson(json.loads(json.dumps(document)))
        assert geometry.is_valid
        west, south, east, north = geometry.bounds
        assert west >= -180 - 1e-9 and east <= 180 + 1e-9 and south >= -90 - 1e-9 and north <= 90 + 1e-9  # noqa: PT018
        for part in shapely.get_parts(geometry):
            assert part.geom_type != "Polygon" or part.exterior.is_ccw
