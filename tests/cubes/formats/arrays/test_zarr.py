"""Zarr stores written by zarr and xarray, read without the zarr library."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

from terrella.cubes.formats.zarr import Zarr
from terrella.cubes.zarrs.arrays import ZarrArray
from terrella.errors import Unreadable

DATA = np.arange(5 * 7 * 11, dtype="f4").reshape(5, 7, 11)
DIMS = ("time", "lat", "lon")


def lines(group: zarr.Group, *, three: bool) -> None:
    for name, values, units in (
        ("time", np.arange(5), "days since 2000-01-01"),
        ("lat", np.linspace(60, 54, 7), "degrees_north"),
        ("lon", np.linspace(0, 10, 11), "degrees_east"),
    ):
        made = array(group, name, values, (name,), three=three)
        made.attrs["units"] = units


def array(group: zarr.Group, name: str, data: np.ndarray, dims: tuple[str, ...], *, three: bool, **how) -> zarr.Array:
    how.setdefault("chunks", data.shape)
    made = group.create_array(name, shape=data.shape, dtype=data.dtype, dimension_names=dims if three else None, **how)
    made[...] = data
    if not three:
        made.attrs["_ARRAY_DIMENSIONS"] = list(dims)
    return made


THREE = {
    "zstd": {"chunks": (2, 3, 4), "compressors": ZstdCodec()},
    "blosc": {"chunks": (2, 3, 4), "compressors": BloscCodec(cname="zstd")},
    "gzip_crc": {"chunks": (2, 3, 4), "compressors": [GzipCodec(), Crc32cCodec()]},
    "plain_big": {"chunks": (5, 7, 11), "compressors": None, "serializer": BytesCodec(endian="big")},
    "turned": {"chunks": (2, 3, 4), "filters": [TransposeCodec(order=(2, 0, 1))]},
    "sharded": {"chunks": (1, 3, 4), "shards": (2, 6, 8), "compressors": ZstdCodec()},
    "old_keys": {"chunks": (2, 3, 4), "chunk_key_encoding": {"name": "v2", "separator": "."}},
}


@pytest.mark.parametrize("name", THREE)
def test_version_three(tmp_path: Path, scan, values, arrays, name: str) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    lines(group, three=True)
    array(group, "t", DATA, DIMS, three=True, **THREE[name])
    (part, got) = arrays(scan(tmp_path / "a.zarr"))["t"]
    assert got.chunks == THREE[name]["chunks"]
    assert got.dims == DIMS
    assert part.axes[0].name == "time"
    np.testing.assert_array_equal(values(tmp_path / "a.zarr", got), DATA)


def test_our_own_codecs_do_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    lines(group, three=True)
    for name, how in THREE.items():
        array(group, name, DATA, DIMS, three=True, **how)
    from terrella.cubes.zarrs.keys import FolderKeys

    for name in THREE:
        document = json.loads((tmp_path / "a.zarr" / name / "zarr.json").read_bytes())
        ours = ZarrArray(FolderKeys(tmp_path / "a.zarr"), name, document)
        np.testing.assert_array_equal(ours.whole(), DATA)


def test_shard_index_first_and_sizes(tmp_path: Path, scan, arrays) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    lines(group, three=True)
    sharding = ShardingCodec(chunk_shape=(1, 7, 11), codecs=[BytesCodec(), ZstdCodec()], index_location="start")
    array(group, "t", DATA, DIMS, three=True, chunks=(4, 7, 11), serializer=sharding, compressors=None)
    (_, got) = arrays(scan(tmp_path / "a.zarr"))["t"]
    assert got.chunks == (1, 7, 11)
    source = Zarr().source(got, str(tmp_path / "a.zarr"))
    for step in range(5):
        assert 0 < source.stored((step, 0, 0)) < 7 * 11 * 4 + 40
        np.testing.assert_array_equal(source.load((step, 0, 0))[0], DATA[step])


@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("consolidated", [True, False])
def test_version_two(tmp_path: Path, scan, values, arrays, separator: str, order: str, consolidated) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    lines(group, three=False)
    how = {
        "chunks": (2, 3, 4),
        "order": order,
        "fill_value": -1,
        "chunk_key_encoding": {"name": "v2", "separator": separator},
    }
    array(group, "t", DATA, DIMS, three=False, compressors=numcodecs.Blosc(), **how)
    filters = [numcodecs.FixedScaleOffset(offset=0, scale=10, dtype="<f4", astype="<i4"), numcodecs.Delta(dtype="<i4")]
    array(group, "filtered", DATA, DIMS, three=False, filters=filters, compressors=numcodecs.Zlib(), **how)
    if consolidated:
        zarr.consolidate_metadata(tmp_path / "a.zarr", zarr_format=2)
    named = arrays(scan(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(values(tmp_path / "a.zarr", named["t"][1]), DATA)
    np.testing.assert_allclose(values(tmp_path / "a.zarr", named["filtered"][1]), DATA)


@pytest.mark.parametrize("version", [2, 3])
def test_as_xarray_reads_what_it_wrote(tmp_path: Path, scan, values, arrays, version: int) -> None:
    rng = np.random.default_rng(4)
    dataset = xr.Dataset(
        {
            "t": (DIMS, np.where(rng.random((5, 7, 11)) < 0.2, np.nan, rng.random((5, 7, 11)))),
            "count": (DIMS, rng.integers(0, 9, (5, 7, 11)).astype("i2")),
            "mask": (("lat", "lon"), rng.random((7, 11)) < 0.5),
        },
        {
            "time": np.arange("2001-01-01", "2001-01-06", dtype="M8[D]").astype("M8[ns]"),
            "lat": np.linspace(-3, 3, 7),
            "lon": np.linspace(350, 360, 11),
            "region": ("lat", list("abcdefg")),
        },
    )
    encoding = {"t": {"dtype": "i2", "scale_factor": 1e-4, "_FillValue": -999}, "count": {"_FillValue": -1}}
    for name in dataset.coords:
        dataset[name].attrs = {"lat": {"units": "degrees_north"}, "lon": {"units": "degrees_east"}}.get(name, {})
    path = tmp_path / "a.zarr"
    dataset.to_zarr(path, encoding=encoding, zarr_format=version, consolidated=version == 2)
    back = xr.open_dataset(path, engine="zarr", chunks=None, consolidated=version == 2)
    named = arrays(scan(path))
    assert set(named) == {"t", "count", "mask"}
    for name, (part, got) in named.items():
        np.testing.assert_allclose(values(path, got), back[name].astype(float).values, err_msg=name)
        if "time" in got.dims:
            np.testing.assert_array_equal(part.axes[0].values.astype("M8[ms]"), dataset.time.values)


@pytest.mark.parametrize("version", [2, 3])
def test_what_was_never_written(tmp_path: Path, scan, values, arrays, version: int) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    lines(group, three=version == 3)
    for name, fill in (("nan", np.nan), ("zero", 0.0), ("none", -5.0)):
        dims = DIMS if version == 3 else None
        made = group.create_array(
            name, shape=DATA.shape, dtype="f4", chunks=(1, 7, 11), fill_value=fill, dimension_names=dims
        )
        made[0] = 1.0
        if version == 2:
            made.attrs["_ARRAY_DIMENSIONS"] = list(DIMS)
    named = arrays(scan(tmp_path / "a.zarr"))
    got = {name: values(tmp_path / "a.zarr", one)[4, 0, 0] for name, (_, one) in named.items()}
    assert np.isnan(got["nan"])
    # as xarray: the fill value of version 2 means missing, that of version 3 is a value like any other
    assert np.isnan(got["zero"]) if version == 2 else got["zero"] == 0.0
    assert np.isnan(got["none"]) if version == 2 else got["none"] == -5.0


def test_groups_of_a_data_tree(tmp_path: Path, scan, values, arrays) -> None:
    coords = {
        "lat": ("lat", [1.0, 2.0], {"units": "degrees_north"}),
        "lon": ("lon", [5.0, 6.0, 7.0], {"units": "degrees_east"}),
    }
    tree = xr.DataTree.from_dict(
        {
            "/": xr.Dataset(coords=coords),
            "/sea": xr.Dataset({"sst": (("lat", "lon"), np.ones((2, 3)))}),
            "/air/two": xr.Dataset({"t": (("lat", "lon"), np.full((2, 3), 2.0))}),
        }
    )
    tree.to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    named = arrays(scan(tmp_path / "a.zarr"))
    assert set(named) == {"sea/sst", "air/two/t"}
    assert (values(tmp_path / "a.zarr", named["air/two/t"][1]) == 2).all()


def test_healpix_said_in_three_ways(tmp_path: Path, scan, arrays) -> None:
    for number, (name, attrs, ids) in enumerate(
        [
            ("crs", {"grid_mapping_name": "healpix", "healpix_nside": 4, "healpix_order": "nest"}, None),
            ("cell_ids", {"grid_name": "healpix", "level": 2, "indexing_scheme": "nested"}, np.arange(192)),
            ("cell_ids", {"grid_name": "healpix", "level": 2, "indexing_scheme": "ring"}, np.arange(40, 90)),
        ]
    ):
        size = 192 if ids is None else ids.size
        dataset = xr.Dataset({"t": ("cells", np.arange(float(size)))})
        dataset[name] = xr.Variable((), 0, attrs) if ids is None else xr.Variable("cells", ids, attrs)
        if ids is None:
            dataset["t"].attrs["grid_mapping"] = "crs"
        else:
            dataset = dataset.set_coords(name)
        dataset.to_zarr(tmp_path / f"{number}.zarr", consolidated=False)
        grid = arrays(scan(tmp_path / f"{number}.zarr"))["t"][0].grid
        assert grid["kind"] == "healpix"
        assert grid["nside"] == 4
        assert grid["order"] == ("ring" if number == 2 else "nested")
        assert ("pixels" in grid and grid["pixels"] is not None) == (number == 2)


def test_zip_at_its_root_and_deflated(tmp_path: Path, scan, values, arrays) -> None:
    import zipfile

    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    lines(group, three=True)
    array(group, "t", DATA, DIMS, three=True, chunks=(2, 3, 4))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{method}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for file in sorted((tmp_path / "a.zarr").rglob("*")):
                archive.write(file, file.relative_to(tmp_path / "a.zarr"))
        (_, got) = arrays(scan(path))["t"]
        np.testing.assert_array_equal(values(path, got), DATA)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_over_http(tmp_path: Path, arrays) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    lines(group, three=False)
    array(group, "t", DATA, DIMS, three=False, chunks=(2, 3, 4))
    zarr.consolidate_metadata(tmp_path / "a.zarr", zarr_format=2)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        href = f"http://127.0.0.1:{server.server_port}/a.zarr"
        assert Zarr().claims(href, b"")
        (scanned,) = Zarr().scan(href)
        (_, got) = arrays(scanned)["t"]
        source = Zarr().source(got, href)
        np.testing.assert_array_equal(source.load((0, 0, 0)), DATA[:2, :3, :4])
        assert source.stored((0, 0, 0)) > 0
        with pytest.raises(Unreadable):
            list(Zarr().scan(f"http://127.0.0.1:{server.server_port}/b.zarr"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_bad_stores_are_refused(tmp_path: Path, scan) -> None:
    for number, (name, text) in enumerate(
        [
            ("zarr.json", "{"),
            ("zarr.json", "[]"),
            (".zgroup", "nonsense"),
            (".zmetadata", '{"metadata": {"a/.zarray": {}}}'),
        ]
    ):
        folder = tmp_path / f"{number}.zarr"
        folder.mkdir()
        (folder / name).write_text(text)
        if number < 3:
            with pytest.raises(Unreadable):
                scan(folder)
        else:
            assert scan(folder).parts == ()


def test_a_path_out_of_the_store_is_not_followed(tmp_path: Path, scan, arrays) -> None:
    group = zarr.open_group(tmp_path / "outside", mode="w", zarr_format=2)
    array(group, "secret", DATA, DIMS, three=False)
    document = json.loads((tmp_path / "outside" / "secret" / ".zarray").read_bytes())
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    metadata = {".zgroup": {"zarr_format": 2}, "../outside/secret/.zarray": document}
    (folder / ".zmetadata").write_text(json.dumps({"zarr_consolidated_format": 1, "metadata": metadata}))
    assert scan(folder).parts == ()


def test_damaged_chunk(tmp_path: Path, scan, arrays) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    lines(group, three=True)
    array(group, "t", DATA, DIMS, three=True, chunks=(5, 7, 11), compressors=[ZstdCodec(), Crc32cCodec()])
    (_, got) = arrays(scan(tmp_path / "a.zarr"))["t"]
    chunk = tmp_path / "a.zarr" / "t" / "c" / "0" / "0" / "0"
    chunk.write_bytes(b"x" + chunk.read_bytes()[1:])
    with pytest.raises(Unreadable):
        Zarr().source(got, str(tmp_path / "a.zarr")).load((0, 0, 0))
