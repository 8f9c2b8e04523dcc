"""Keys: those of Zarr are understood, everything else is nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrella.api.zarr.keys import Key, parse_key
from terrella.api.zarr.view import node_name
from terrella.errors import NotFound


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", Key()),
        ("zarr.json", Key()),
        ("t2m/zarr.json", Key("t2m")),
        ("t2m/c", Key("t2m", ())),
        ("t2m/c/0", Key("t2m", (0,))),
        ("t2m/c/10/0/7", Key("t2m", (10, 0, 7))),
        ("c/c/1", Key("c", (1,))),
        ("@abc", Key(version="abc")),
        ("@abc/", Key(version="abc")),
        ("@abc/zarr.json", Key(version="abc")),
        ("@abc/t2m/c/1", Key("t2m", (1,), "abc")),
        ("~crs=utm~", Key(stated="crs=utm")),
        ("~variables=a=b/c~/@abc/t2m/c/1", Key("t2m", (1,), "abc", "variables=a=b/c")),
    ],
)
def test_keys(text: str, key: Key) -> None:
    assert parse_key(text) == key


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text("c/0123456789.-@zarjson ٣\x00", max_size=30) | st.text(max_size=30))
def test_whatever_comes(text: str) -> None:
    try:
        key = parse_key(text)
    except NotFound:
        return
    if key.chunk is not None:
        assert text.endswith("/".join(["/c", *map(str, key.chunk)]))
        assert all(number >= 0 for number in key.chunk)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=20))
def test_names_of_nodes(name: str) -> None:
    made = node_name(name)
    assert made.strip(".")
    assert not set(made) & set("/\\?#%\x00\n")
    assert not made.startswith("__") or set(made) == {"_"}
    assert node_name(made) == made


def test_usual_names_stay() -> None:
    for name in ("t2m", "2t", "_x", "air_temperature", "B8A", "sea level", "τ"):
        assert node_name(name) == name
