"""The body of a Polytope request: JSON that holds YAML, which is read safely and within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from terrella.api.bodies import json_object
from terrella.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 2_000_000
MOST_NODES = 300_000
_DEEPEST = 12


class _Words(yaml.SafeLoader):
    """YAML without dates, booleans, octal numbers and aliases: `0000` and `0600` stay text, no bomb can be built."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise Invalid("The request has a YAML alias: write it out.", parameter="request")
        return super().compose_node(parent, index)


_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("null", "merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_body(body: bytes) -> dict[str, Any]:
    """The request inside ``{"verb": "retrieve", "request": YAML or an object}``. Raises Invalid, TooLarge."""
    given = json_object(body)
    verb = given.get("verb", "retrieve")
    if verb != "retrieve":
        raise Invalid(f"The verb {str(verb)[:40]!r} is not done here: there is retrieve.", parameter="verb")
    if "request" not in given:
        raise Invalid('Send {"verb": "retrieve", "request": ...}.', parameter="request")
    request = given["request"]
    return read_request(request) if isinstance(request, str) else _mapping(request)


def read_flat(body: bytes) -> dict[str, Any]:
    """The request itself as a JSON object. Raises Invalid."""
    return _mapping(json_object(body))


def read_request(text: str) -> dict[str, Any]:
    """A request as YAML, or in MARS's own form ``retrieve, key = value, key = value``. Raises Invalid, TooLarge."""
    if len(text) > MOST_CHARACTERS:
        raise TooLarge(f"The request is longer than {MOST_CHARACTERS:,} characters.", parameter="request")
    if _looks_like_mars(text):
        return _mars(text)
    try:
        _check_events(text)
        return _mapping(yaml.load(text, _Words))  # noqa: S506 -- made from SafeLoader, and with less
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(
            f"The request is no YAML{place}: {getattr(error, 'problem', error)}.", parameter="request"
        ) from None


def _check_events(text: str) -> None:
    """Counted before anything is built. (Flow styles nest without a limit of YAML's own.)"""
    depth = 0
    for count, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if count > MOST_NODES or depth > _DEEPEST:
            raise TooLarge("The request has too many values, or they are nested too deeply.", parameter="request")


def _mapping(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or not given:
        raise Invalid(
            "The request is a list of keys with values, such as {param: 2t, date: 20240101}.", parameter="request"
        )
    return {str(key): value for key, value in given.items()}


def _looks_like_mars(text: str) -> bool:
    head = text.lstrip()[:300]
    return "=" in head.split("\n", 1)[0] and ":" not in head.split("=", 1)[0] and not head.startswith(("{", "["))


def _mars(text: str) -> dict[str, Any]:
    """``retrieve, class = od, date = 20240101``: the verb may be left out."""
    return dict(_pairs(text))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.replace("\n", " ").split(","):
        key, equals, value = part.partition("=")
        if not equals:
            if key.strip().lower() not in ("", "retrieve", "ret"):
                raise Invalid(f"{part.strip()[:60]!r} is no key = value.", parameter="request")
            continue
        yield key.strip(), value.strip()
