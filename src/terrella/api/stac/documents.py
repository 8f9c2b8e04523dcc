"""Answers: pages of stored documents with links spliced in, cut to the fields that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from terrella.api.stac.links import GEOJSON, JSON, Addresses, link
from terrella.api.stac.splicing import item_with_links
from terrella.errors import Invalid
from terrella.model.search import Page
from terrella.model.stac import Document

Finish = Callable[[Document], Document]
_KEPT: tuple[str, ...] = ("id", "collection")


@dataclass(frozen=True, slots=True)
class Fields:
    """Members to return, each as its steps; nothing included means everything."""

    include: tuple[tuple[str, ...], ...] = ()
    exclude: tuple[tuple[str, ...], ...] = ()

    def cut(self, document: Document) -> Document:
        """The document with only these fields; id and collection always stay, so that it can be fetched whole."""
        if not self.include and not self.exclude:
            return document
        made: Document = {name: document[name] for name in _KEPT if name in document}
        for path in self.include:
            _copy(document, made, path)
        if not self.include:
            made = document
        for path in self.exclude:
            if not any(wanted[: len(path)] == path for wanted in self.include):  # what is asked for by name stays
                made = _without(made, path)
        return made


def fields_of(given: str | Mapping[str, Sequence[str] | None] | None) -> Fields:
    """Fields from `id,-assets` or {"include": [...], "exclude": [...]}. Raises Invalid for an empty name."""
    if not given:
        return Fields()
    if isinstance(given, str):
        names = [name.strip() for name in given.split(",")]
        wanted = [name.lstrip("+") for name in names if not name.startswith("-")]
        unwanted = [name[1:] for name in names if name.startswith("-")]
    else:
        wanted, unwanted = list(given.get("include") or ()), list(given.get("exclude") or ())
    if not all((*wanted, *unwanted)):
        raise Invalid("There is an empty name in fields: separate names by single commas.", parameter="fields")
    return Fields(_paths(wanted), _paths(name for name in unwanted if name not in _KEPT))


def _paths(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name.split(".")) for name in names)


def _copy(source: Document, target: Document, path: Sequence[str]) -> None:
    """Copies a member, taking what is asked below it into a part that is already there."""
    *parents, last = path
    for step in parents:
        inner = source.get(step)
        if not isinstance(inner, dict):
            return
        source = inner
        if target.get(step) is source:
            return  # the whole of it is there
        target = target.setdefault(step, {})
    if last in source:
        target[last] = source[last]


def _without(document: Document, path: Sequence[str]) -> Document:
    step, *rest = path
    if step not in document:
        return document
    if not rest:
        return {name: value for name, value in document.items() if name != step}
    inner = document[step]
    return {**document, step: _without(inner, rest)} if isinstance(inner, dict) else document


def loaded(documents: Iterable[bytes], finish: Finish, fields: Fields) -> list[Document]:
    """Stored documents with their links, cut to fields."""
    return [fields.cut(finish(orjson.loads(document))) for document in documents]


def item_page(page: Page, addresses: Addresses, fields: Fields, links: list[Document]) -> Response:
    """A FeatureCollection."""
    if fields.include or fields.exclude:
        features: list[Any] = loaded(page.documents, addresses.item, fields)
    else:
        features = [orjson.Fragment(item_with_links(document, addresses)) for document in page.documents]
    body: Document = {"type": "FeatureCollection", "features": features, "links": links, **_counts(page)}
    return answer(body, GEOJSON)


def collection_page(page: Page, addresses: Addresses, fields: Fields, links: list[Document]) -> Response:
    """The answer of /collections."""
    collections = loaded(page.documents, addresses.collection, fields)
    return answer({"collections": collections, "links": links, **_counts(page)})


def _counts(page: Page) -> Document:
    counts: Document = {"numberReturned": len(page.documents)}
    if page.matched is not None:
        counts["numberMatched"] = page.matched
    late = [f"{one.provider}: {one.message or one.state}" for one in page.outcomes if one.state != "ok"]
    return {**counts, "terrella:missing_sources": late} if late else counts


def answer(body: Any, kind: str = JSON, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers=headers, media_type=kind)


def get_links(page: Page, addresses: Addresses, parameters: list[tuple[str, str]]) -> list[Document]:
    """Links of a page that was asked for by GET."""
    others = [(name, value) for name, value in parameters if name != "token"]
    made = [link("self", addresses.itself, GEOJSON), link("root", addresses.root)]
    for rel, token in (("next", page.next), ("prev", page.prev)):
        if token:
            made.append(link(rel, addresses.with_parameters([*others, ("token", token)]), GEOJSON, method="GET"))
    return made


def post_links(page: Page, addresses: Addresses, body: Document) -> list[Document]:
    """Links of a page that was asked for by POST: the next one's body is this one's with a token."""
    made = [link("self", addresses.asked, GEOJSON, method="POST", body=body), link("root", addresses.root)]
    for rel, token in (("next", page.next), ("prev", page.prev)):
        if token:
            made.append(link(rel, addresses.asked, GEOJSON, method="POST", body={**body, "token": token}, merge=False))
    return made
