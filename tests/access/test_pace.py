"""How fast strangers may ask, against the definition of a bucket of tokens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from terrella.access.pace import Paces, network_of
from terrella.errors import QuotaExceeded
from terrella.settings import Issuer


@given(st.lists(st.floats(0, 20, allow_nan=False), max_size=60), st.integers(1, 8), st.sampled_from([0.5, 1.0, 3.0]))
@settings(derandomize=True, deadline=None)
def test_no_more_than_the_bucket_gives(pauses: list[float], burst: int, rate: float) -> None:
    now = 0.0
    paces = Paces(rate, burst, lambda: now)
    allowed: list[float] = []
    for pause in pauses:
        now += pause
        try:
            pace = paces.take("203.0.113.1")
        except QuotaExceeded:
            pass
        else:
            assert pace is not None
            assert 0 <= pace.left < burst
            allowed.append(now)
    for first, start in enumerate(allowed):  # of any stretch of time
        for last, end in enumerate(allowed[first:], first):
            assert last - first + 1 <= burst + rate * (end - start) + 1e-6


def test_everybody_has_their_own_and_who_waits_may_ask_again() -> None:
    now = 0.0
    paces = Paces(1, 2, lambda: now)
    assert [paces.take("203.0.113.1").left, paces.take("203.0.113.1").left] == [1, 0]
    with pytest.raises(QuotaExceeded, match="or send a key") as refused:
        paces.take("203.0.113.1")
    assert paces.take("203.0.113.2").left == 1
    now += refused.value.details["retry_after"]
    assert paces.take("203.0.113.1").left == 0


def test_whom_an_address_stands_for() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:203.0.113.1") == network_of("203.0.113.1") == "203.0.113.1"
    assert [network_of(one) for one in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")] == [""] * 4
    assert network_of("unknown") == network_of("300.1.1.1") == "?"
    assert Paces(0, 1).take("203.0.113.1") is None


@pytest.mark.parametrize(
    "address", ["http://login.example.org", "ftp://x", "login.example.org", "http://localhost.evil.example"]
)
def test_issuers_are_at_https(address: str) -> None:
    with pytest.raises(ValidationError, match="allow_http"):
        Issuer(issuer=address, client_id="x")


def test_issuers_of_this_machine_or_by_wish_may_be_at_http() -> None:
    for address in ("http://127.0.0.1:8080/realm", "http://localhost/", "http://[::1]:1/", "https://login.example.org"):
        assert Issuer(issuer=address, client_id="x").issuer == address
    assert Issuer(issuer="http://login.example.org", client_id="x", allow_http=True).allow_http
