"""Hostile XML."""

from __future__ import annotations

import pytest

from terrella.cubes.documents.xml_documents import first_text, parse_xml
from terrella.errors import Unreadable

BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + BOMB).encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>' + BOMB.encode("cp037"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 1000 + b"</a>" * 1000,
        b"<a><b></a>",
        b"",
        b"\x00",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>" + bytes(33 << 20) + b"</a>",
    ],
)
def test_is_refused_in_one_line(data):
    with pytest.raises(Unreadable) as caught:
        parse_xml(data)
    assert "\n" not in caught.value.message


def test_plain_xml_is_read():
    root = parse_xml(b'<n:a xmlns:n="urn:x"><n:b> </n:b><b>two</b></n:a>')
    assert first_text(root, "b") == "two"
    assert first_text(root, "c") == ""
