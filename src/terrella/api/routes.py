"""What a request's route is called and takes: for logs, metrics, and for refusing parameters that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from terrella.errors import Invalid, nearest_names

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

UNMATCHED = "unmatched"


def route_template(scope: Scope) -> str:
    """The template of the route that a request matched; there are few, so that it makes a label."""
    route = scope.get("route")
    template: str | None = getattr(route, "path_format", None) or getattr(route, "path", None)
    if template is None:
        return "/static" if scope["path"].startswith("/static/") else UNMATCHED
    # a router that is included below a prefix names its routes without it
    first = "/" + scope["path"].split("/", 2)[1]
    return template if template.startswith(first) or template == scope["path"] else first + template


class HeadLikeGet:
    """ASGI: HEAD is answered wherever GET is; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        inner = {**scope, "method": "GET", "terrella.head": True}
        await self.app(inner, receive, send)
        scope["route"] = inner.get("route")


async def known_parameters_only(request: Request) -> None:
    """Refuse query parameters that the route does not have, as OGC API Features demands; a FastAPI dependency.

    Raises Invalid with the nearest names.
    """
    known = _query_parameters(request.scope["route"])
    for name in request.query_params:
        if name not in known:
            raise Invalid(f"There is no parameter {name!r:.80} here. {nearest_names(name, known)}", parameter=name[:80])


def _query_parameters(route: Any) -> frozenset[str]:
    if not hasattr(route, "known_query_parameters"):  # kept on the route: routes cannot be keys of a cache
        route.known_query_parameters = frozenset(_names(route.dependant))
    known: frozenset[str] = route.known_query_parameters
    return known


def _names(dependant: Any) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(inner) for inner in dependant.dependencies))
