"""The reading engine against numpy on whole arrays: random pieces, chunks, packings and selections."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory_format import ORIGIN, MemoryFormat, hours, one_piece, regular
from terrella.contracts.cubes import CubeIndex, CubeVariable, Piece
from terrella.contracts.formats import SupportsCells
from terrella.cubes import costs, picking
from terrella.cubes.caching import ReadTally
from terrella.cubes.cubes import Cubes
from terrella.cubes.selecting import Selection
from terrella.errors import Invalid, Unreadable
from terrella.model.scan import Packing

PROPERTY = settings(derandomize=True, deadline=None, max_examples=100)


def read(cubes, cube, selection, name="t", tally=None, items=()):
    return cubes.read(cubes.cut(cube, {name: selection}, items), tally)[name]


@st.composite
def indices(draw, size):
    if draw(st.booleans()):
        start = draw(st.integers(0, size - 1))
        return slice(start, draw(st.integers(start + 1, size)))
    return np.array(draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=8)), dtype=np.int64)


def as_array(one, size):
    return np.arange(size)[one] if isinstance(one, slice) else one


@st.composite
def layouts(draw):
    """A cube in pieces along time and space, some places left out, some pieces lying over others."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.integers(1, high)) for high in (7, 4, 9, 11))
    dims = ("time", "pressure", "lat", "lon")
    whole = np.full(shape, np.nan, dtype="f4")
    fmt = MemoryFormat()
    pieces = []
    for number in range(draw(st.integers(1, 4))):
        pieces.append(draw_piece(draw, rng, fmt, number, shape, dims, whole))
    return fmt, dims, shape, whole, tuple(pieces)


def draw_piece(draw, rng, fmt, number, shape, dims, whole):
    where, positions = [], []
    for size in shape:
        if draw(st.booleans()):
            where.append(np.arange(size))
            positions.append(None)
        else:
            chosen = rng.permutation(size)[: draw(st.integers(1, size))]
            chosen = np.sort(chosen) if draw(st.booleans()) else chosen
            where.append(chosen)
            positions.append(chosen.astype(np.int64))
    own = tuple(one.size for one in where)
    stored = rng.integers(-40, 40, own).astype("i2")
    packing = Packing(scale=0.5, offset=10, missing=(-7.0, 1e20), valid_min=-35, valid_max=30)
    chunks = tuple(draw(st.integers(1, size)) for size in own)
    absent = {tuple(int(rng.integers(0, -(-s // c))) for s, c in zip(own, chunks, strict=True))}
    absent = absent if draw(st.booleans()) else set()
    values = stored * 0.5 + 10
    values[(stored == -7) | (stored < -35) | (stored > 30)] = np.nan
    for index in absent:
        values[tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunks, strict=True))] = np.nan
    spot = np.ix_(*where)
    whole[spot] = np.where(np.isnan(values), whole[spot], values)
    # the file has its axes in another order, and leaves out a dimension of size one
    order = [1, 0, 2, 3] if draw(st.booleans()) else [0, 1, 2, 3]
    keep = [d for d in order if not (d < 2 and own[d] == 1 and draw(st.booleans()))]
    index_of = {tuple(i[d] for d in keep) for i in absent}
    scan = fmt.put(
        f"/f{number}",
        "t",
        tuple(dims[d] for d in keep),
        stored.transpose(order).reshape([own[d] for d in keep]),
        tuple(chunks[d] for d in keep),
        packing=packing,
        table=draw(st.booleans()),
        padded=draw(st.booleans()),
        absent=index_of,
    )
    return Piece(f"/f{number}", "memory", f"item{number}", scan, tuple(positions))


class Cellular:
    """A source in memory that gives single cells, for 4 bytes each."""

    def __init__(self, source):
        self.source = source
        self.asked = 0
        self.stored, self.load = source.stored, source.load

    def cells_stored(self, indices, cells):
        return 4 * cells.size * sum(self.stored(tuple(index)) > 0 for index in indices.tolist())

    def load_cells(self, indices, cells):
        self.asked += len(indices)
        found = np.full((len(indices), cells.size), 55, dtype=self.source.array.dtype)
        is_there = np.ones(len(indices), dtype=bool)
        for row, index in enumerate(indices.tolist()):
            chunk = self.source.load(tuple(index))
            is_there[row] = chunk is not None
            if chunk is not None:
                pads = [(0, size - have) for size, have in zip(self.source.chunks, chunk.shape, strict=True)]
                found[row] = np.pad(chunk, pads).ravel()[cells]
        return found, None if is_there.all() else is_there


class CellularFormat(MemoryFormat):
    """Files in memory whose sources give single cells."""

    def __init__(self):
        super().__init__()
        self.made = {}

    def source(self, array, href):
        return self.made.setdefault((href, array.name), Cellular(self.files[(href, array.name)]))


@PROPERTY
@given(layouts(), st.data(), st.booleans(), st.integers(1, 40))
def test_any_selection_of_any_pieces_equals_numpy(layout, data, cells_alone, at_once):
    """Also where all cells are read alone, in batches of any size."""
    plain = layout[0]
    fmt = CellularFormat() if cells_alone else plain
    fmt.files = plain.files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "SPARSE", 0)
        patch.setattr(picking, "_MOST", at_once)
        check_selection((fmt, *layout[1:]), data)


def check_selection(layout, data):
    fmt, dims, shape, whole, pieces = layout
    variable = CubeVariable("t", dims, shape, "<f4", {}, pieces)
    grid = regular(shape[2], shape[3], lat0=10, dlat=-1, dlon=1)
    from terrella.model.scan import Axis

    axes = (hours(shape[0]), Axis("pressure", "vertical", np.arange(shape[1], dtype=float)))
    cubes = Cubes(formats={"memory": fmt}, threads=3)
    cube = cubes.open(CubeIndex(grid, axes, (variable,)), ORIGIN)
    try:
        chosen = [data.draw(indices(size)) for size in shape]
        axis = dict(zip(dims[:2], chosen[:2], strict=True))
        along = [as_array(one, size) for one, size in zip(chosen, shape, strict=True)]
        found = read(cubes, cube, Selection(axis, lines=tuple(chosen[2:])))
        np.testing.assert_allclose(found, whole[np.ix_(*along)], rtol=1e-6)

        cells = data.draw(indices(shape[2] * shape[3]))
        cells = as_array(cells, shape[2] * shape[3])
        found = read(cubes, cube, Selection(axis, cells=cells))
        flat = whole.reshape(*shape[:2], -1)
        np.testing.assert_allclose(found, flat[np.ix_(along[0], along[1], cells)], rtol=1e-6)
        np.testing.assert_allclose(cube.dataset.t.values, whole, rtol=1e-6)
    finally:
        cubes.close()


def small(**more):
    fmt = MemoryFormat()
    values = np.arange(10 * 6 * 8, dtype="f4").reshape(10, 6, 8)
    index = one_piece(fmt, values, ("time", "lat", "lon"), (4, 3, 4), regular(6, 8), [hours(10)], **more)
    cubes = Cubes(formats={"memory": fmt}, threads=2)
    return fmt, values, cubes, cubes.open(index, ORIGIN)


def test_opening_reads_nothing():
    fmt = MemoryFormat()
    index = one_piece(fmt, np.zeros((2, 3, 4), "f4"), ("time", "lat", "lon"), (1, 3, 4), regular(3, 4), [hours(2)])
    fmt.files.clear()  # any touch would be a KeyError
    cube = Cubes(formats={"memory": fmt}).open(index, ORIGIN)
    assert cube.dataset.sizes == {"time": 2, "lat": 3, "lon": 4}
    assert cube.dataset.t.isel(time=0).shape == (3, 4)


def test_only_the_needed_chunks_are_read_once_and_counted():
    fmt, values, cubes, cube = small()
    tally = ReadTally()
    selection = Selection({"time": slice(2, 9)}, cells=np.array([9, 10, 11]))
    cuts = cubes.cut(cube, {"t": selection})
    cost = cubes.plan(cuts)
    source = fmt.files[("/data/one", "t")]
    assert source.loads == []
    found = cubes.read(cuts, tally)["t"]
    np.testing.assert_array_equal(found, values.reshape(10, -1)[2:9][:, [9, 10, 11]])
    assert sorted(source.loads) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]
    assert tally.bytes_read == cost.bytes_read == sum(source.stored(index) for index in source.loads)
    assert (cost.chunks, tally.loaded, tally.remembered) == (3, 3, 0)
    again = ReadTally()
    cubes.read(cuts, again)
    assert (again.bytes_read, again.loaded, again.remembered) == (0, 0, 3)
    assert len(source.loads) == 3


@pytest.mark.parametrize("table", [True, False])
def test_the_plan_knows_stored_bytes_with_or_without_a_table(table):
    _, _, cubes, cube = small(table=table)
    selection = Selection({"time": np.array([0, 9])}, lines=(slice(0, 6), np.array([7, 0])))
    cuts = cubes.cut(cube, {"t": selection})
    cost = cubes.plan(cuts)
    tally = ReadTally()
    cubes.read(cuts, tally)
    assert cost.bytes_read == tally.bytes_read
    assert cost.chunks == tally.loaded == 8


def test_one_chunk_asked_for_by_many_threads_is_loaded_once():
    fmt, _, cubes, cube = small()
    source = fmt.files[("/data/one", "t")]
    start = threading.Barrier(8)
    found = []

    def ask():
        start.wait()
        found.append(read(cubes, cube, Selection(cells=np.array([0]))))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(one, found[0]) for one in found)
    assert sorted(source.loads) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_a_broken_chunk_names_the_file_and_does_not_poison_the_cache():
    fmt, values, cubes, cube = small()
    source = fmt.files[("/data/one", "t")]
    source.broken = True
    with pytest.raises(Unreadable, match=r"one: t at .* cannot be decoded .bad checksum."):
        read(cubes, cube, Selection(cells=np.array([0])))
    source.broken = False
    np.testing.assert_array_equal(read(cubes, cube, Selection(cells=np.array([0])))[:, 0], values[:, 0, 0])


def test_a_chunk_that_became_smaller_is_no_wrong_number():
    fmt, _, cubes, cube = small()
    source = fmt.files[("/data/one", "t")]
    source.array = source.array[:, :2]
    with pytest.raises(Unreadable, match="smaller"):
        read(cubes, cube, Selection(lines=(slice(0, 3), slice(0, 1))))
    with pytest.raises(Unreadable, match="smaller"):
        read(cubes, cube, Selection(cells=np.array([16])))


def test_only_pieces_of_the_items_asked_for_are_read():
    fmt = MemoryFormat()
    pieces = []
    for number in range(3):
        scan = fmt.put(f"/f{number}", "t", ("time", "lat", "lon"), np.full((1, 2, 2), number, "f4"), (1, 2, 2))
        pieces.append(Piece(f"/f{number}", "memory", f"i{number}", scan, (np.array([number]), None, None)))
    variable = CubeVariable("t", ("time", "lat", "lon"), (3, 2, 2), "<f4", {}, tuple(pieces))
    cubes = Cubes(formats={"memory": fmt})
    cube = cubes.open(CubeIndex(regular(2, 2), (hours(3),), (variable,)), ORIGIN)
    found = read(cubes, cube, Selection(), items=("i1",))
    np.testing.assert_array_equal(found[:, 0, 0], [np.nan, 1, np.nan])


def test_an_unknown_variable_is_named():
    _, _, cubes, cube = small()
    with pytest.raises(Invalid, match=r"'tt'.*'t'"):
        cubes.cut(cube, {"tt": Selection()})


def test_integers_without_missing_values_stay_integers():
    fmt = MemoryFormat()
    values = np.arange(6, dtype="u1").reshape(2, 3)
    scan = fmt.put("/i", "c", ("lat", "lon"), values, (2, 3))
    variable = CubeVariable("c", ("lat", "lon"), (2, 3), "|u1", {}, (Piece("/i", "memory", "i", scan, (None, None)),))
    cubes = Cubes(formats={"memory": fmt})
    cube = cubes.open(CubeIndex(regular(2, 3), (), (variable,)), ORIGIN)
    found = read(cubes, cube, Selection(cells=np.array([5, 0])), name="c")
    assert found.dtype == np.uint8
    assert found.tolist() == [5, 0]


def cellular(limit=1 << 20):
    """4 chunks of 3 hours, 10 x 16 cells each."""
    fmt = CellularFormat()
    values = np.random.default_rng(1).normal(size=(12, 10, 16)).astype("f4")
    index = one_piece(fmt, values, ("time", "lat", "lon"), (3, 10, 16), regular(10, 16), [hours(12)])
    cubes = Cubes(formats={"memory": fmt}, threads=2, cache_bytes=limit)
    source = fmt.source(index.variables[0].pieces[0].array, "/data/one")
    assert isinstance(source, SupportsCells)
    return source, values, cubes, cubes.open(index, ORIGIN)


def test_a_few_cells_of_many_chunks_are_read_alone_and_cost_what_the_plan_says():
    source, values, cubes, cube = cellular()
    cuts = cubes.cut(cube, {"t": Selection({"time": slice(0, 12)}, cells=np.array([33]))})
    cost, tally = cubes.plan(cuts), ReadTally()
    np.testing.assert_array_equal(cubes.read(cuts, tally)["t"], values.reshape(12, -1)[:, [33]])
    assert source.asked == 4
    assert cost.bytes_read == tally.bytes_read == 4 * 3 * 4
    assert cost.chunks == tally.loaded == 4
    assert 0 < cost.largest < 200


def test_many_cells_are_read_with_their_chunks():
    source, values, cubes, cube = cellular()
    cuts = cubes.cut(cube, {"t": Selection({"time": slice(0, 12)}, cells=np.arange(0, 160, 2))})
    cost, tally = cubes.plan(cuts), ReadTally()
    np.testing.assert_array_equal(cubes.read(cuts, tally)["t"], values.reshape(12, -1)[:, ::2])
    assert source.asked == 0
    assert cost.bytes_read == tally.bytes_read == sum(source.stored((n, 0, 0)) for n in range(4))


def test_chunks_in_memory_are_used_for_single_cells_too():
    source, values, cubes, cube = cellular()
    read(cubes, cube, Selection())
    tally = ReadTally()
    found = read(cubes, cube, Selection(cells=np.array([5])), tally=tally)
    np.testing.assert_array_equal(found, values.reshape(12, -1)[:, [5]])
    assert (tally.bytes_read, tally.remembered, source.asked) == (0, 4, 0)


def test_an_error_while_reading_single_cells_names_the_file():
    source, _, cubes, cube = cellular()
    source.source.broken = True
    with pytest.raises(Unreadable, match=r"one: t at .0, 0, 0. cannot be decoded .bad checksum."):
        read(cubes, cube, Selection(cells=np.array([5])))


def test_chunks_of_a_far_store_are_waited_for_together():
    fmt = MemoryFormat()
    values = np.arange(32 * 4 * 5, dtype="f4").reshape(32, 4, 5)
    scan = fmt.put("https://host/a.zarr", "t", ("time", "lat", "lon"), values, (1, 4, 5))
    piece = Piece("https://host/a.zarr", "memory", "a", scan, (None,) * 3)
    index = CubeIndex(regular(4, 5), (hours(32),), (CubeVariable("t", scan.dims, values.shape, "<f4", {}, (piece,)),))
    cubes = Cubes(formats={"memory": fmt}, threads=2)
    source = fmt.files[("https://host/a.zarr", "t")]
    meet = threading.Barrier(8)  # passed only when eight wait at once
    real = source.load
    source.load = lambda place: meet.wait(10) >= 0 and real(place)
    np.testing.assert_array_equal(read(cubes, cubes.open(index, ORIGIN), Selection()), values)
    cubes.close()
