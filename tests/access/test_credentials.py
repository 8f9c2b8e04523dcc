"""What may stand in a header."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from terrella.access.access import Access
from terrella.access.credentials import LONGEST, Credentials, credentials_from
from terrella.errors import Unauthenticated

KEY = "tk_" + "k" * 43


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("header", "tokens", "passwords"),
    [
        (b"Bearer " + KEY.encode(), (KEY,), ()),
        (b"bearer   " + KEY.encode() + b" ", (KEY,), ()),
        (b"EmailKey ann@example.org:" + KEY.encode(), (KEY,), ()),
        (basic(f"any:{KEY}"), (KEY,), ()),
        (basic(f":{KEY}"), (KEY,), ()),
        (basic(f"{KEY}:"), (KEY,), ()),
        (basic("ann:pass:word"), (), (("ann", "pass:word"),)),
        (basic("ännchen:pässwörd"), (), (("ännchen", "pässwörd"),)),
        (b"EmailKey a@b:" + KEY.encode() + b", Bearer x.y.z, " + basic("a:b"), (KEY, "x.y.z"), (("a", "b"),)),
        (b"EmailKey a@b:" + KEY.encode() + b",Bearer " + KEY.encode(), (KEY, KEY), ()),
    ],
)
def test_forms(header: bytes, tokens: tuple[str, ...], passwords: tuple[tuple[str, str], ...]) -> None:
    assert credentials_from([header]) == Credentials(tokens, passwords)


@pytest.mark.parametrize(
    "header",
    [b"", b" ", b",", b"Bearer", b"Bearer ", b"Bearer a,", b"Negotiate x", b"Basic", b"Basic !", b"Basic YQ==", b"Basic Og==",
     b"Basic /w==", b"EmailKey a:", b"\xff\xfe", b"Bearer \xff", b"Bearer " + b"x" * LONGEST, KEY.encode()],
)  # fmt: skip
def test_refused(header: bytes) -> None:
    with pytest.raises(Unauthenticated) as refused:
        credentials_from([header])
    assert "kkk" not in refused.value.message


@pytest.mark.parametrize(
    "header", [b"Bearer anonymous", b"EmailKey any@example.org:anonymous", basic("anonymous:x"), basic("anonymous:")]
)
def test_anonymous_shows_nothing(header: bytes) -> None:
    assert not credentials_from([header])
    assert not credentials_from([header], [b"anonymous"])
    assert credentials_from([header], [KEY.encode()]).tokens == (KEY,)


def test_nothing_shown_by_repr() -> None:
    assert KEY not in repr(credentials_from([b"Bearer " + KEY.encode(), basic("ann:secret")]))
    assert not Credentials()


@given(st.lists(st.binary(max_size=60), max_size=3), st.lists(st.binary(max_size=60), max_size=2))
@example([b"Bearer a.b.c"], [])
@example([b"Bearer eyJhbGciOiJub25lIn0.e30."], [])
@example([], ["tk_ä".encode()])
@settings(derandomize=True, deadline=None, max_examples=200)
def test_any_bytes_are_refused_or_nobody(shared_access: Access, headers: list[bytes], tokens: list[bytes]) -> None:
    if not headers and not tokens:
        assert shared_access.authenticate(credentials_from(headers, tokens)).is_anonymous
        return
    with pytest.raises(Unauthenticated) as refused:
        shared_access.authenticate(credentials_from(headers, tokens))
    assert "expired" not in refused.value.message


@pytest.fixture(scope="module")
def shared_access(tmp_path_factory: pytest.TempPathFactory) -> Access:
    from terrella import settings as wanted

    return Access(tmp_path_factory.mktemp("access"), wanted.Access())
