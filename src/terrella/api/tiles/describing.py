"""The handlers of what is said about tiles."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from fastapi import Request
from fastapi.responses import Response

from terrella.api.caller import caller_of
from terrella.api.tiles import documents
from terrella.api.tiles.asking import Parameters, drawing, view
from terrella.api.tiles.documents import REL, document_of, link, root_of, token
from terrella.encodings.palettes import names, palette
from terrella.errors import Invalid
from terrella.extraction.tiling import View
from terrella.extraction.variables import resolve
from terrella.grids.matrices import MATRIX_SETS, MERCATOR, matrix_set
from terrella.model.ids import collection_id as checked_id
from terrella.model.search import CollectionSearch

if TYPE_CHECKING:
    from terrella.contracts.cubes import Cube
    from terrella.model.caller import Caller
    from terrella.model.stac import Document
    from terrella.site.site import Site

MOST_PER_PAGE = 1000
_JSON = "application/json"


class Described:
    """The handlers over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def landing(self, request: Request) -> Response:
        """Where everything is."""
        _no_more(request)
        root, settings = root_of(request), self._site.settings
        links = [
            link("self", f"{root}/", _JSON),
            link("conformance", f"{root}/conformance", _JSON),
            link("data", f"{root}/collections", _JSON),
            link(f"{REL}tiling-schemes", f"{root}/tileMatrixSets", _JSON),
            link("service-desc", root.removesuffix("/tiles") + "/api", "application/vnd.oai.openapi+json;version=3.1"),
        ]
        return _answer(
            request, {"title": f"{settings.title}: maps", "description": settings.description, "links": links}
        )

    def conformance(self, request: Request) -> Response:
        """Which parts of the standards are kept."""
        _no_more(request)
        return _answer(request, {"conformsTo": documents.CONFORMANCE})

    def matrix_sets(self, request: Request) -> Response:
        """How maps are cut into tiles."""
        _no_more(request)
        root = root_of(request)
        found = [_named(one.id, one.title, one.uri, f"{root}/tileMatrixSets/{one.id}") for one in MATRIX_SETS.values()]
        return _answer(request, {"tileMatrixSets": found})

    def matrix_set(self, request: Request, tile_matrix_set_id: str) -> Response:
        """One tile matrix set."""
        _no_more(request)
        return _answer(request, matrix_set(tile_matrix_set_id).to_json())

    def palettes(self, request: Request) -> Response:
        """The colours of every palette, from the lowest value to the highest, as #rrggbb."""
        _no_more(request)
        made = {name: [f"#{bytes(one).hex()}" for one in palette(name)] for name in names()}
        return _answer(request, {"palettes": made})

    def collections(self, request: Request) -> Response:
        """Collections that can be drawn, one page."""
        given = Parameters(request.query_params.multi_items())
        tokened = given.take("token")
        _json(given)
        page = self._site.catalog.collections(caller_of(request), CollectionSearch(limit=MOST_PER_PAGE, token=tokened))
        caller, root = caller_of(request), root_of(request)
        found = [
            one for text in page.documents if documents.can_be_drawn(self._site, caller, one := orjson.loads(text))
        ]
        links = [link("self", f"{root}/collections", _JSON)]
        if page.next:
            links.append(link("next", f"{root}/collections?{urlencode({'token': page.next})}", _JSON))
        made = [documents.ogc_collection(one, root) for one in found]
        return _answer(request, {"collections": made, "links": links})

    def collection(self, request: Request, collection_id: str) -> Response:
        """One collection with its maps."""
        _no_more(request)
        document = document_of(self._site, caller_of(request), collection_id)
        return _answer(request, documents.ogc_collection(document, root_of(request)))

    def ogc_tilesets(self, request: Request, collection_id: str) -> Response:
        """Its tilesets."""
        _no_more(request)
        document, root = document_of(self._site, caller_of(request), collection_id), root_of(request)
        made = [documents.ogc_tileset(document, root, one, "") for one in MATRIX_SETS.values()]
        here = f"{root}/collections/{collection_id}/map/tiles"
        return _answer(request, {"tilesets": made, "links": [link("self", here, _JSON)]})

    def ogc_tileset(self, request: Request, collection_id: str, tile_matrix_set_id: str) -> Response:
        """One tileset as OGC API - Tiles describes it; parameters of maps go on into its addresses."""
        matrices = matrix_set(tile_matrix_set_id)
        query = self._kept_words(request, collection_id)
        caller = caller_of(request)
        document = document_of(self._site, caller, collection_id)
        _, most = documents.zooms(matrices, self._site.tiler.own_cube(caller, checked_id(collection_id)))
        return _answer(request, documents.ogc_tileset(document, root_of(request), matrices, query, most))

    def tilejson(self, request: Request, collection_id: str) -> Response:
        """TileJSON of one variable, for MapLibre, Leaflet and the like; parameters of maps go on into its address."""
        query = self._kept_words(request, collection_id)
        caller, root = caller_of(request), root_of(request)
        document = document_of(self._site, caller, collection_id)
        cube = self._site.tiler.own_cube(caller, checked_id(collection_id))
        asked = view(checked_id(collection_id), Parameters(_without_f(request)))
        kept = f"/v/{token(cube.origin.version, self._site.tiler.mark(cube))}" if cube is not None else ""
        words = f"?f=png{'&' + query if query else ''}"
        template = f"{root}/{collection_id}{kept}/{MERCATOR.id}/{{z}}/{{y}}/{{x}}{words}"
        variable = self._variable_name(caller, cube, asked)
        return _answer(request, documents.tilejson(document, template, documents.zooms(MERCATOR, cube)[1], variable))

    def tileset(self, request: Request, collection_id: str) -> Response:
        """Everything that a client needs to draw the collection: variables, axes, scales, ranges, addresses."""
        caller, root = caller_of(request), root_of(request)
        given = Parameters(request.query_params.multi_items())
        name = given.take("variable", "variables") or ""
        _json(given)
        document = document_of(self._site, caller, collection_id)
        cube = self._site.tiler.own_cube(caller, checked_id(collection_id))
        made = self._of_scenes(caller, document, name) if cube is None else self._of_cube(cube, name)
        version = token(cube.origin.version, self._site.tiler.mark(cube)) if cube is not None else ""
        addresses = documents.own_templates(root, collection_id, version)
        most = {one.id: documents.zooms(one, cube)[1] for one in MATRIX_SETS.values()}
        more = {"version": version, "tiles": addresses, "zooms": most, "axes": made[1]}
        return _answer(request, documents.tileset(document, root, made[0], **more))

    def _of_cube(self, cube: Cube, name: str) -> tuple[list[Document], list[Document]]:
        found = resolve(cube, (name,) if name else ())
        space = len(cube.grid.shape)
        variables = [
            documents.variable_entry(one, self._site.tiler.legend(cube, one), list(one.dims[:-space]))
            | documents.overviews_entry(self._site.tiler.shown_by_overviews(cube, one.name))
            for one in found
        ]
        used = {dim for one in found for dim in one.dims}
        return variables, [documents.axis_entry(axis) for axis in cube.axes if axis.name in used]

    def _of_scenes(self, caller: Caller, document: Document, name: str) -> tuple[list[Document], list[Document]]:
        """Bands that items name; times are those of items, which the catalogue lists."""
        known = self._site.extractor.variables(caller, document["id"])
        if name:
            known = {name: known.get(name, {})}
        collection = checked_id(document["id"])
        made = []
        for band, said in known.items():
            legend = self._site.tiler.legend_of_scenes(caller, View(collection, band))
            made.append(documents.band_entry(band, said, legend))
        return made, []

    def _kept_words(self, request: Request, collection: str) -> str:
        """The parameters of maps in a request for a description, checked, as they go into addresses."""
        pairs = _without_f(request)
        given = Parameters([*pairs])
        drawing(given)
        view(checked_id(collection), given)
        return urlencode(pairs)

    def _variable_name(self, caller: Caller, cube: Cube | None, asked: View) -> str:
        if cube is not None:
            return resolve(cube, (asked.variable,) if asked.variable else ())[0].name
        return asked.variable or next(iter(self._site.extractor.variables(caller, asked.collection)), "")


def _without_f(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name != "f"]


def _no_more(request: Request) -> None:
    """Raises Invalid for any parameter but `f=json`."""
    _json(Parameters(request.query_params.multi_items()))


def _json(given: Parameters) -> None:
    form = given.take("f")
    if form is not None and form.casefold() not in ("json", "application/json"):
        raise Invalid(f"This is answered as f=json, not as {form[:40]!r}.", parameter="f")
    given.finish()


def _named(name: str, title: str, uri: str, href: str) -> Document:
    return {"id": name, "title": title, "uri": uri, "links": [link("self", href, _JSON)]}


def _answer(request: Request, body: Any) -> Response:
    """JSON; whoever has it asks whether it is still so."""
    data = orjson.dumps(body)
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    said = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=said)
    return Response(data, media_type=_JSON, headers=said)
