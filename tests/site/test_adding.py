"""Adding files, by the road that users take: real files, real processes, a real catalogue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np
import orjson
import pytest

from site_files import write_netcdf
from terrella.errors import Invalid, Unreadable
from terrella.model.caller import OPERATOR
from terrella.model.search import Search
from terrella.site import Site
from terrella.site.adding import Event


def ids(site: Site) -> list[str]:
    return [document["id"] for document in site.collections()]


def test_files_along_time_become_one_cube(site: Site, data: Path) -> None:
    one = write_netcdf(data / "t2m_20240101.nc", hours=range(4))
    two = write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    report = site.add(data)
    assert report.failures == []
    assert ids(site) == ["t2m"]
    assert report.collections[0].dimensions == {"time": 8}
    cube = site.open_cube("t2m")
    np.testing.assert_array_equal(cube["t2m"].values, np.concatenate([one, two]))
    assert str(cube["time"].values[4]) == "2024-01-02T00:00:00.000000000"


def test_variables_in_files_of_their_own_join(site: Site, data: Path) -> None:
    write_netcdf(data / "t2m.nc", name="t2m")
    write_netcdf(data / "d2m.nc", name="d2m", offset=5)
    report = site.add(data)
    assert len(report.collections) == 1
    assert report.collections[0].variables == ("d2m", "t2m")


def test_unlike_files_stay_apart(site: Site, data: Path) -> None:
    write_netcdf(data / "here.nc")
    write_netcdf(data / "there.nc", lon0=100)
    write_netcdf(data / "other.nc", title="Something else", start="1990-01-01", name="u10")
    assert len(site.add(data).collections) == 3


def test_adding_again_changes_nothing(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    site.add(data)
    before = site.catalog.collection(OPERATOR, "a")
    report = site.add(data)
    assert (report.unchanged, report.collections) == (1, [])
    assert site.catalog.collection(OPERATOR, "a") == before


def test_a_changed_file_is_a_new_version_of_its_item(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    site.add(data)
    values = write_netcdf(data / "a.nc", offset=7)
    site.add(data)
    item = orjson.loads(site.catalog.item(OPERATOR, "a", "a"))
    assert item["properties"]["version"] == "2"
    np.testing.assert_array_equal(site.open_cube("a")["t2m"].values, values)


def test_a_file_that_joins_later_finds_its_collection(site: Site, data: Path) -> None:
    write_netcdf(data / "t2m_20240101.nc", hours=range(4))
    write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    site.add(data)
    write_netcdf(data / "t2m_20240103.nc", hours=range(48, 52))
    report = site.add(data)
    assert [one.id for one in report.collections] == ["t2m"]
    assert site.open_cube("t2m").sizes["time"] == 12
    assert report.unchanged == 2


def test_a_removed_file_is_marked_and_leaves_the_cube(site: Site, data: Path) -> None:
    write_netcdf(data / "t2m_20240101.nc", hours=range(4))
    write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    site.add(data)
    (data / "t2m_20240102.nc").unlink()
    report = site.add(data)
    assert report.missing == [str(data / "t2m_20240102.nc")]
    item = orjson.loads(site.catalog.item(OPERATOR, "t2m", "t2m_20240102"))
    assert item["properties"]["deprecated"] is True
    assert site.open_cube("t2m").sizes["time"] == 4
    write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    site.add(data)
    assert site.open_cube("t2m").sizes["time"] == 8
    assert "deprecated" not in orjson.loads(site.catalog.item(OPERATOR, "t2m", "t2m_20240102"))["properties"]


def test_all_files_gone_leaves_the_collection_to_be_found(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    site.add(data)
    (data / "a.nc").unlink()
    site.add(data)
    assert orjson.loads(site.catalog.collection(OPERATOR, "a"))["deprecated"] is True


def test_a_collection_of_ones_own(site: Site, data: Path) -> None:
    write_netcdf(data / "x1.nc", hours=range(4))
    other = data / "other"
    other.mkdir()
    write_netcdf(other / "y1.nc", hours=range(24, 28))
    site.add(data / "x1.nc", other / "y1.nc", collection="mine")
    assert ids(site) == ["mine"]
    assert site.open_cube("mine").sizes["time"] == 8
    write_netcdf(data / "x1.nc", hours=range(4), offset=3)
    site.add(data / "x1.nc")
    assert ids(site) == ["mine"], "a changed file stays where the user put it"
    assert site.open_cube("mine").sizes["time"] == 8


def test_a_forced_collection_that_is_no_cube_is_refused(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    write_netcdf(data / "b.nc", lon0=100)
    report = site.add(data, collection="both")
    assert "no single cube" in report.failures[0].reason
    assert ids(site) == []


def test_a_wrong_collection_id_is_refused(site: Site, data: Path) -> None:
    with pytest.raises(Invalid, match="is no collection id"):
        site.add(data, collection="../up")


def test_dry_run_changes_nothing(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    report = site.add(data, dry_run=True)
    assert report.collections[0].id == "a"
    assert ids(site) == []
    assert site.lake.sources() == {}


def test_copies_outlive_their_source(site: Site, data: Path) -> None:
    values = write_netcdf(data / "a.nc")
    site.add(data, copy=True)
    (data / "a.nc").unlink()
    np.testing.assert_array_equal(site.open_cube("a")["t2m"].values, values)


def test_bad_files_fail_by_name_and_all_else_is_kept(site: Site, data: Path) -> None:
    write_netcdf(data / "good.nc")
    whole = (data / "good.nc").read_bytes()
    (data / "cut.nc").write_bytes(whole[: len(whole) // 2])
    (data / "empty.nc").write_bytes(b"")
    (data / "noise.grib").write_bytes(b"GRIB" + os.urandom(100))
    (data / "what.xyz").write_text("hello")
    (data / "README.md").write_text("notes beside data are passed over")
    report = site.add(data)
    assert {Path(one.href).name for one in report.failures} == {"cut.nc", "empty.nc", "noise.grib", "what.xyz"}
    reasons = {Path(one.href).name: one.reason for one in report.failures}
    assert reasons["empty.nc"] == "The file is empty."
    assert "GRIB" in reasons["what.xyz"]
    assert all("\n" not in reason for reason in reasons.values())
    assert ids(site) == ["good"]


def test_nothing_there_is_said(site: Site, tmp_path: Path) -> None:
    report = site.add(tmp_path / "nowhere", "ftp://example.org/x.nc", str(tmp_path / "*.nc"))
    assert [one.reason.split(":")[0].split(" (")[0] for one in report.failures] == [
        "No such file or folder.",
        "Addresses start with http",
        "Nothing matches this pattern.",
    ]


def test_items_can_be_removed(site: Site, data: Path) -> None:
    write_netcdf(data / "t2m_20240101.nc", hours=range(4))
    write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    site.add(data)
    assert site.remove("t2m", ["t2m_20240101"]) == 1
    assert site.open_cube("t2m").sizes["time"] == 4
    assert site.add(data).collections[0].changed == 1, "a removed file is new when it is seen again"
    assert site.remove("t2m") == 2
    assert ids(site) == []
    assert site.lake.sources() == {}


def test_stac_documents_keep_their_names(site: Site, data: Path) -> None:
    item = {
        "type": "Feature", "stac_version": "1.1.0", "id": "scene-1", "collection": "scenes", "links": [],
        "geometry": {"type": "Point", "coordinates": [10, 50]}, "bbox": [10, 50, 10, 50],
        "properties": {"datetime": "2024-05-01T10:00:00Z", "eo:cloud_cover": 12}, "assets": {"b": {"href": "b.tif"}},
    }  # fmt: skip
    (data / "items.ndjson").write_bytes(orjson.dumps(item) + b"\n" + orjson.dumps(item | {"id": "scene-2"}) + b"\n")
    site.add(data)
    assert ids(site) == ["scenes"]
    found = list(site.search(Search(collections=("scenes",), limit=10)))
    assert {one["id"] for one in found} == {"scene-1", "scene-2"}
    assert found[0]["assets"]["b"]["href"] == str(data / "b.tif")


def test_events_tell_the_progress(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc")
    heard: list[Event] = []
    site.add(data, tell=heard.append)
    assert [one.kind for one in heard] == ["found", "scanning", "scanned", "grouped", "registered"]


def test_odd_calendars_stay(site: Site, data: Path) -> None:
    write_netcdf(data / "a.nc", hours=range(0, 24 * 90, 24))
    with netCDF4.Dataset(data / "a.nc", "a") as file:
        file["time"].calendar = "360_day"
    site.add(data)
    document = orjson.loads(site.catalog.collection(OPERATOR, "a"))
    assert "2024-02-30T00:00:00Z" in document["cube:dimensions"]["time"]["values"]
    assert document["cube:dimensions"]["time"]["terrella:calendar"] == "360_day"
    assert document["extent"]["temporal"]["interval"] == [["2024-01-01T00:00:00Z", "2024-03-30T00:00:00Z"]]


KILLED = """
import sys
from terrella.site import Site
site = Site.open(sys.argv[1])
def tell(event):
    if event.kind == "registered":
        print("registered", event.text, flush=True)
    if event.kind == "scanned":
        print("scanned", flush=True)
site.add(sys.argv[2], tell=tell)
print("done", flush=True)
"""


def test_a_killed_run_loses_nothing_and_goes_on(tmp_path: Path, data: Path) -> None:
    for number in range(12):
        write_netcdf(data / f"part_{number:02d}.nc", hours=range(number * 4, number * 4 + 4))
    home = tmp_path / "home"
    command = [sys.executable, "-c", KILLED, str(home), str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "scanned\n"
        process.send_signal(signal.SIGKILL)
    time.sleep(0.1)
    with Site.open(home) as site:
        assert len(site.lake.sources()) >= 3
        report = site.add(data)
        assert report.failures == []
        assert site.open_cube(ids(site)[0]).sizes["time"] == 48


def test_a_crash_of_a_native_library_fails_one_file(site: Site, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scanning process dies on one file; that file is named, and the others are added."""
    write_netcdf(data / "a.nc")
    write_netcdf(data / "crash.nc", name="u")
    site.add(data / "a.nc", dry_run=True)
    crasher = data / "sitecustomize.py"
    crasher.write_text(
        "import os, h5py\n_open = h5py.File.__init__\n"
        "def opened(self, name, *a, **k):\n"
        "    os.abort() if 'crash.nc' in str(name) else _open(self, name, *a, **k)\n"
        "h5py.File.__init__ = opened\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(data))
    site.scanners.close()
    report = site.add(data / "a.nc", data / "crash.nc")
    assert [one.id for one in report.collections] == ["a"]
    assert "crashed" in report.failures[0].reason


def test_a_file_that_hangs_is_given_up(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_netcdf(data / "slow.nc")
    (data / "sitecustomize.py").write_text("import time\ntime.sleep(30)\n")
    monkeypatch.setenv("PYTHONPATH", str(data))
    with Site.open(tmp_path / "home", reading={"scan_seconds": 0.3}) as site:
        report = site.add(data / "slow.nc")
    assert "longer than 0.3 s" in report.failures[0].reason


ADDED = """
import sys
from terrella.site import Site
with Site.open(sys.argv[1], reading={"scanners": 1}) as site:
    report = site.add(*sys.argv[2:])
    assert report.failures == [], report.failures
"""


def test_two_who_add_at_once_lose_nothing(tmp_path: Path, data: Path) -> None:
    names = []
    for number in range(8):
        write_netcdf(data / f"part_{number:02d}.nc", hours=range(number * 4, number * 4 + 4))
        names.append(str(data / f"part_{number:02d}.nc"))
    home = str(tmp_path / "home")
    both = [subprocess.Popen([sys.executable, "-c", ADDED, home, *half]) for half in (names[::2], names[1::2])]
    assert [one.wait(60) for one in both] == [0, 0]
    with Site.open(home) as site:
        assert len(ids(site)) == 1
        assert site.open_cube(ids(site)[0]).sizes["time"] == 32


def members(site: Site) -> dict[str, set[str]]:
    return {name: {Path(href).name for href in home.members} for name, home in site.lake.homes().items()}


def test_files_that_no_longer_fit_their_collection_get_one_of_their_own(site: Site, data: Path) -> None:
    write_netcdf(data / "t_1.nc", name="t", hours=range(4))
    write_netcdf(data / "u_1.nc", name="u", hours=range(4))
    together = site.add(data).collections[0].id
    write_netcdf(data / "t_2.nc", name="t", hours=range(4, 8))
    site.add(data)
    found = members(site)
    assert sorted(map(sorted, found.values())) == [["t_1.nc", "t_2.nc"], ["u_1.nc"]]
    for name, files in found.items():
        items = {item["id"] for item in site.search(Search(collections=(name,)))}
        assert items == {Path(file).stem for file in files}
    write_netcdf(data / "u_2.nc", name="u", hours=range(4, 8))
    site.add(data)
    assert members(site) == {together: {"t_1.nc", "t_2.nc", "u_1.nc", "u_2.nc"}}
    assert ids(site) == [together]


def test_a_collection_of_ones_own_takes_only_what_is_named(site: Site, data: Path) -> None:
    for number in range(3):
        write_netcdf(data / f"a_{number}.nc", hours=range(number * 4, number * 4 + 4))
    everything = site.add(data).collections[0].id
    site.add(data / "a_1.nc", collection="mine")
    assert members(site)["mine"] == {"a_1.nc"}
    values = write_netcdf(data / "a_1.nc", hours=range(4, 8), offset=7)
    assert {one.id for one in site.add(data).collections} == {"mine", everything}
    np.testing.assert_array_equal(site.open_cube("mine")["t2m"].values, values)
    np.testing.assert_array_equal(site.open_cube(everything)["t2m"].values[4:8], values)


def test_files_that_come_back_find_their_collection(site: Site, data: Path) -> None:
    write_netcdf(data / "t2m_20240101.nc", hours=range(4))
    write_netcdf(data / "t2m_20240102.nc", hours=range(24, 28))
    site.add(data)
    away = data.rename(data.with_name("away"))
    data.mkdir()
    assert len(site.add(data).missing) == 2
    data.rmdir()
    away.rename(data)
    site.add(data)
    assert members(site) == {"t2m": {"t2m_20240101.nc", "t2m_20240102.nc"}}
    item = orjson.loads(site.catalog.item(OPERATOR, "t2m", "t2m_20240101"))
    assert (item["properties"]["version"], "deprecated" in item["properties"]) == ("2", False)
    assert "deprecated" not in orjson.loads(site.catalog.collection(OPERATOR, "t2m"))


def test_a_pattern_finds_what_is_gone(site: Site, data: Path) -> None:
    for number in range(2):
        write_netcdf(data / f"a_{number}.nc", hours=range(number * 4, number * 4 + 4))
    site.add(str(data / "*.nc"))
    (data / "a_0.nc").unlink()
    assert site.add(str(data / "*.nc")).missing == [str(data / "a_0.nc")]


def test_what_the_catalogue_cannot_hold_fails_alone(site: Site, data: Path) -> None:
    write_netcdf(data / "fine.nc")
    far = data / "far"
    far.mkdir()
    write_netcdf(far / "far.nc", start="12000-01-01")
    report = site.add(data)
    assert [Path(one.href).name for one in report.failures] == ["far.nc"]
    assert ids(site) == ["fine"]


def test_odd_places_are_one_line_each(site: Site, data: Path) -> None:
    write_netcdf(data / "fine.nc")
    (data / "circle").symlink_to(data)
    store = data / "broken.zarr"
    (store / "t").mkdir(parents=True)
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    (store / "t" / "0.0").symlink_to("/nowhere")
    (Path(os.fsdecode(os.fsencode(data) + b"/caf\xe9.nc"))).write_bytes(b"CDF\x01")
    report = site.add(data, "x" * 300, "")
    assert ids(site) == ["fine"]
    assert len(report.failures) == 4
    assert all("\n" not in one.reason for one in report.failures)


def test_a_home_inside_the_data_is_passed_over(site: Site, data: Path) -> None:
    write_netcdf(data / "fine.nc")
    with Site.open(data / "home"):
        pass
    assert site.add(data).failures == []


def test_documents_of_one_collection_in_several_folders(site: Site, data: Path) -> None:
    for name in ("x", "y"):
        (data / name).mkdir()
        item = {
            "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "both", "assets": {}, "links": [],
            "geometry": {"type": "Point", "coordinates": [0, 0]}, "bbox": [0, 0, 0, 0],
            "properties": {"datetime": "2020-01-01T00:00:00Z", "$": [1], "@": "x", "$@": 2},
        }  # fmt: skip
        (data / name / "items.ndjson").write_bytes(orjson.dumps(item))
        site.add(data / name)
    assert [site.add(data / name).unchanged for name in ("x", "y")] == [1, 1]
    (data / "x" / "items.ndjson").unlink()
    assert len(site.add(data / "x").missing) == 1
    assert {Path(href).parent.name for href in site.lake.homes()["both"].members} == {"y"}
    assert orjson.loads(site.catalog.item(OPERATOR, "both", "y"))["properties"]["$@"] == 2


def test_a_file_changed_behind_the_sites_back_gives_no_numbers(site: Site, data: Path) -> None:
    """Its old offsets would point at other bytes."""
    write_netcdf(data / "a.nc")
    site.add(data)
    assert float(site.extract("a", point=(3, 45), time="2024-01-01T00:00:00Z")["t2m"].values.ravel()[0]) == 503
    values = write_netcdf(data / "a.nc", hours=range(8), offset=9)
    os.utime(data / "a.nc", ns=(1, 1))
    with pytest.raises(Unreadable, match="add it again"):
        site.extract("a", point=(4, 45))
    site.add(data)
    np.testing.assert_array_equal(site.open_cube("a")["t2m"].values, values)
