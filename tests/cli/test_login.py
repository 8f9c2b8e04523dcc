"""Which of several issuers `terrella login` asks."""

from __future__ import annotations

import pytest

from terrella.cli.login import _chosen
from terrella.errors import Invalid

ONE = {"issuer": "https://one.example", "title": "One University", "client_id": "a", "scopes": "openid"}
TWO = {"issuer": "https://two.example", "title": "", "client_id": "b", "scopes": "openid"}


@pytest.mark.parametrize("wanted", ["One University", "one university", "https://one.example"])
def test_by_title_or_address(wanted: str) -> None:
    assert _chosen([ONE, TWO], wanted) is ONE
    assert _chosen([TWO], None) is TWO
    assert _chosen([ONE, TWO], "https://two.example") is TWO


def test_what_is_not_clear_is_asked_for() -> None:
    with pytest.raises(Invalid, match=r"say --issuer with one of 'One University', 'https://two\.example'"):
        _chosen([ONE, TWO], None)
    with pytest.raises(Invalid, match="Did you mean 'One University'"):
        _chosen([ONE, TWO], "One Universty")
    with pytest.raises(Invalid, match="There are none"):
        _chosen([], "x")
