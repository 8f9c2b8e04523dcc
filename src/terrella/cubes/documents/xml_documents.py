"""XML of strangers: no document types, no entities, a limit on size and depth."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from xml.parsers import expat

from terrella.errors import Unreadable

MOST_BYTES = 32 << 20
_MOST_DEPTH = 200


def parse_xml(data: bytes) -> ET.Element:
    """The root element. Raises Unreadable for broken XML, and for any that declares a document type or entities."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"Its XML has {len(data):,} bytes; at most {MOST_BYTES:,} are read.")
    _check(data)
    return ET.fromstring(data)  # noqa: S314 -- checked: no document type, hence no entities


def _check(data: bytes) -> None:
    """A first pass, because only the parser itself knows in which encoding a declaration may hide."""
    parser = expat.ParserCreate()
    depth = 0

    def refuse(*_: object) -> None:
        raise Unreadable("Its XML declares a document type; such XML is not read.")

    def deeper(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise Unreadable(f"Its XML is nested deeper than {_MOST_DEPTH} levels.")

    def higher(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = deeper
    parser.EndElementHandler = higher
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"Its XML is broken: {error}.") from error


def local_name(element: ET.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rsplit("}", 1)[-1]


def first_text(root: ET.Element, *names: str) -> str:
    """Text of the first element, anywhere below, whose local name is one of these; '' when there is none."""
    for element in root.iter():
        if local_name(element) in names and element.text and element.text.strip():
            return element.text.strip()
    return ""
