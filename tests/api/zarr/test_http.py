"""What HTTP says of chunks: tags, ranges, lengths, limits, versions, and wrong addresses."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from site_files import write_netcdf

pytestmark = pytest.mark.server
CHUNK = "/packed/t2m/c/0/0/0"


def test_a_chunk(web: httpx.Client) -> None:
    answer = web.get(CHUNK)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "content-encoding" not in answer.headers
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')
    assert "no-cache" in answer.headers["cache-control"]
    assert answer.headers["terrella-bytes-read"].isdigit()


def test_bytes_read_are_those_of_the_files(site: Any, serving: Any) -> None:
    with serving(site) as server:  # its own dialect, whose encoded chunks are none yet
        site.cubes._reader.cache.clear()
        first, second = (httpx.get(f"{server.address}/zarr/gaps/tp/c/0/0/0") for _ in range(2))
    stored = site.estimate("gaps", time="2020-02-28T00:00:00Z").bytes_read
    assert int(first.headers["terrella-bytes-read"]) == stored > 0
    assert second.headers["terrella-bytes-read"] == "0"
    assert first.content == second.content


def test_the_same_bytes_every_time(site: Any, serving: Any) -> None:
    seen = []
    for _ in range(2):
        with serving(site) as server:
            site.cubes._reader.cache.clear()
            keys = ("zarr.json", "t2m/zarr.json", "t2m/c/0/0/0", "lat/c/0", "time/c/0", "spatial_ref/c")
            answers = [httpx.get(f"{server.address}/zarr/packed/{key}") for key in keys]
            seen.append([(one.status_code, one.content, one.headers["etag"]) for one in answers])
    assert seen[0] == seen[1]
    tags = [tag for _, _, tag in seen[0]]
    assert len(set(tags)) == len(tags)


def test_many_at_once(web: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        bodies = set(pool.map(lambda _: web.get("/gaps/tp/c/2/0/0").content, range(16)))
    assert len(bodies) == 1


def test_head(web: httpx.Client) -> None:
    whole, head = web.get(CHUNK), web.head(CHUNK)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "etag", "content-type"):
        assert head.headers[name] == whole.headers[name]
    assert web.head("/packed/zarr.json").status_code == 200
    assert web.head("/packed/t2m/c/99/0/0").status_code == 404


def test_not_modified(web: httpx.Client) -> None:
    tag = web.get(CHUNK).headers["etag"]
    for given in (tag, f'"other", W/{tag}'):
        answer = web.get(CHUNK, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert web.get(CHUNK, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=3-3", slice(3, 4)),
    ],
)
def test_ranges(web: httpx.Client, given: str, part: slice) -> None:
    whole = web.get(CHUNK).content
    answer = web.get(CHUNK, headers={"Range": given})
    start, stop, _ = part.indices(len(whole))
    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_range_past_the_end_is_cut(web: httpx.Client) -> None:
    whole = web.get(CHUNK).content
    answer = web.get(CHUNK, headers={"Range": f"bytes=10-{len(whole) * 9}"})
    assert (answer.status_code, answer.content) == (206, whole[10:])
    long = web.get(CHUNK, headers={"Range": f"bytes=-{len(whole) * 9}"})
    assert (long.status_code, long.content) == (206, whole)


@pytest.mark.parametrize("given", ["bytes=99999999-", "bytes=-0", "bytes=99999999-99999999999"])
def test_ranges_outside(web: httpx.Client, given: str) -> None:
    answer = web.get(CHUNK, headers={"Range": given})
    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")


@pytest.mark.parametrize(
    "given", ["bytes=0-1,4-5", "bytes=5-2", "bytes=-", "items=0-1", "bytes=a-b", "", "bytes=٣-٤".encode()]
)
def test_ranges_that_are_none_are_answered_whole(web: httpx.Client, given: Any) -> None:
    answer = web.get(CHUNK, headers={b"Range": given if isinstance(given, bytes) else given.encode()})
    assert (answer.status_code, answer.content) == (200, web.get(CHUNK).content)


def test_if_range(web: httpx.Client) -> None:
    tag = web.get(CHUNK).headers["etag"]
    assert web.get(CHUNK, headers={"Range": "bytes=0-1", "If-Range": tag}).status_code == 206
    assert web.get(CHUNK, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/zarr.json",
        "/packed/t3m/zarr.json",
        "/packed/t3m/c/0/0/0",
        "/packed/t2m/c/0/0",
        "/packed/t2m/c/0/0/0/0",
        "/packed/t2m/c/-1/0/0",
        "/packed/t2m/c/0/0/99",
        "/packed/t2m/c/99999999999999999999999999/0/0",
        "/packed/t2m/c/01/0/0",
        "/packed/t2m/c/a/0/0",
        "/packed/t2m/c/٣/0/0",
        "/packed/t2m/c/0.5/0/0",
        "/packed/t2m/c/0/0/0/",
        "/packed/t2m/c//0/0",
        "/packed/t2m/c",
        "/packed/t2m/0.0.0",
        "/packed/t2m",
        "/packed/t2m/",
        "/packed/.zgroup",
        "/packed/.zmetadata",
        "/packed/t2m/../../etc/passwd",
        "/packed/%2e%2e/%2e%2e/etc/passwd",
        "/packed/..%2f..%2fetc%2fpasswd",
        "/packed//zarr.json",
        "/packed/t2m%00/zarr.json",
        "/packed/" + "x" * 5000,
        "/packed/t2m/c/" + "/".join("0" * 3000),
    ],
)
def test_wrong_addresses(web: httpx.Client, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_near_names_are_named(web: httpx.Client) -> None:
    assert "'packed'" in web.get("/pakced/zarr.json").json()["detail"]
    assert "'t2m'" in web.get("/packed/t3m/zarr.json").json()["detail"]
    assert web.get("/..bad/zarr.json").status_code == 400


def test_writing_is_not_possible(web: httpx.Client) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert web.request(method, CHUNK, content=b"x").status_code == 405


def test_limits(files: Path, tmp_path: Path, opening: Any, serving: Any) -> None:
    with (
        opening(tmp_path / "home", files / "gaps.nc", limits={"values": 1000}) as site,
        serving(site) as server,
    ):
        answer = httpx.get(f"{server.address}/zarr/gaps/tp/c/0/0/0")
        assert site.cubes._reader.cache.size == 0
        assert httpx.get(f"{server.address}/zarr/gaps/lat/c/0").status_code == 200
    assert answer.status_code == 413
    assert answer.json()["details"]["estimate"]["values"] == 160_000
    assert answer.json()["details"]["limit"]["values"] == 1000


def test_a_version_that_is_gone_is_never_answered_with_another(tmp_path: Path, opening: Any, serving: Any) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_netcdf(data / "a.nc", hours=range(4))
    with opening(tmp_path / "home", data) as site, serving(site) as server:
        (name,) = [one["id"] for one in site.collections()]
        base = f"{server.address}/zarr/{name}"
        first = httpx.get(f"{base}/zarr.json")
        version = first.json()["attributes"]["terrella_version"]
        pinned = httpx.get(f"{base}/@{version}/t2m/c/0/0/0")
        assert pinned.status_code == 200
        assert "immutable" in pinned.headers["cache-control"]
        assert httpx.get(f"{base}/@{version}").json() == first.json()
        write_netcdf(data / "b.nc", hours=range(4, 8))
        site.add(data)
        later = httpx.get(f"{base}/zarr.json", headers={"If-None-Match": first.headers["etag"]})
        assert later.status_code == 200
        assert later.json()["consolidated_metadata"]["metadata"]["t2m"]["shape"] == [8, 10, 12]
        gone = httpx.get(f"{base}/@{version}/t2m/c/0/0/0")
        assert gone.status_code == 409
        assert "open" in gone.json()["detail"]


def test_a_broken_file_is_an_error_that_names_it(files: Path, tmp_path: Path, opening: Any, serving: Any) -> None:
    copy = tmp_path / "gaps.nc"
    shutil.copy(files / "gaps.nc", copy)
    with opening(tmp_path / "home", copy) as site, serving(site) as server:
        size = copy.stat().st_size
        with copy.open("r+b") as file:
            file.seek(size // 3)
            file.write(b"\xff" * (size // 2))
        broken = [httpx.get(f"{server.address}/zarr/gaps/tp/c/{time}/0/0") for time in (0, 2)]
    assert any(one.status_code == 422 and "gaps.nc" in one.json()["detail"] for one in broken)
