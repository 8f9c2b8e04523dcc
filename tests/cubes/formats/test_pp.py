"""PP files of the demo, compared with iris reading them."""

from __future__ import annotations

import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from terrella.cubes.formats.pp import Pp
from terrella.errors import Unreadable
from terrella.grids import grid_from_json

SAMPLES = Path(str(files("iris_sample_data"))) / "sample_data"
ENSEMBLE = SAMPLES / "GloSea4" / "ensemble_003.pp"


def by_iris(path: Path) -> list:
    import iris

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(iris.load_raw(str(path)))


@pytest.mark.filterwarnings("ignore")
def test_fields_are_those_of_iris() -> None:
    (scan,) = Pp().scan(str(ENSEMBLE))
    (part,) = scan.parts
    (array,) = part.arrays
    axes = {axis.name: axis.values.tolist() for axis in part.axes}
    assert axes["number"] == [3], "the member is told by the file's name alone"
    cubes = sorted(by_iris(ENSEMBLE), key=lambda cube: cube.coord("time").points[0])
    assert len(axes["time"]) == len(cubes) == 6
    source = Pp().source(array, str(ENSEMBLE))
    for number, cube in enumerate(cubes):
        at = cube.coord("time").cell(0).point
        since = (at - type(at)(1970, 1, 1)).total_seconds() * 1000
        assert part.axes[[a.name for a in part.axes].index("time")].values[number] == round(since)
        index = (*(number if axis.name == "time" else 0 for axis in part.axes), 0, 0)
        loaded = source.load(index)
        assert loaded is not None
        np.testing.assert_array_equal(loaded.reshape(cube.shape), np.ma.getdata(cube.data))
    lon, lat = grid_from_json(part.grid).centres()
    np.testing.assert_allclose(lat.reshape(cubes[0].shape)[:, 0], cubes[0].coord("latitude").points, atol=1e-5)
    np.testing.assert_allclose(
        lon.reshape(cubes[0].shape)[0] % 360, cubes[0].coord("longitude").points % 360, atol=1e-4
    )


def test_a_cut_off_file_is_named(tmp_path: Path) -> None:
    whole = ENSEMBLE.read_bytes()
    (tmp_path / "cut.pp").write_bytes(whole[: len(whole) - 1000])
    assert Pp().claims("cut.pp", whole[:1024])
    assert not Pp().claims("a.nc", b"CDF\x01" + bytes(1000))
    with pytest.raises(Unreadable, match="cut off"):
        list(Pp().scan(str(tmp_path / "cut.pp")))
