"""Orders over HTTP: whole products, packed near the data, delivered as links, into a folder or into an S3 store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from terrella.api import downloads
from terrella.api.account import quotas_of
from terrella.api.bodies import json_object
from terrella.api.caller import caller_of
from terrella.api.files import serve_file
from terrella.api.jobs import status_info
from terrella.errors import NotFound
from terrella.jobs.results import media_type
from terrella.model.order import Order
from terrella.site import ordering

if TYPE_CHECKING:
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.site import Site

DIALECT = "orders"
_LISTED = 1000
_TEXTS = {"type": "array", "items": {"type": "string"}}
_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["collection"],
    "additionalProperties": False,
    "properties": {
        "collection": {"type": "string"},
        "items": _TEXTS | {"description": "Ids of items; without them, those in the box and time."},
        "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "time": {"type": "string", "description": "An instant or start/end."},
        "assets": _TEXTS | {"description": "Names of assets; without them, all."},
        "format": {"type": "string", "description": "Cut the box and time out of the cube, and write this format."},
        "variables": _TEXTS | {"description": "Of the cut-out."},
        "package": {"enum": ["zip", "each"], "description": "One archive, or a file for each item."},
        "to": {"type": "string", "description": "link, folder or s3://BUCKET/FOLDER."},
        "days": {"type": "number", "description": "How long links are good."},
        "endpoint": {"type": "string", "description": "Address of the S3 store; without it, Amazon's."},
        "region": {"type": "string"},
        "key": {"type": "string", "description": "Of the S3 store; forgotten when the order ends."},
        "secret": {"type": "string", "writeOnly": True},
        "token": {"type": "string", "writeOnly": True},
    },
}
_SENT = {"requestBody": {"content": {"application/json": {"schema": _BODY}}, "required": True}}


def router(site: Site) -> APIRouter:
    """POST /orders and /orders/estimate; GET /orders, /orders/{order} and its files; DELETE /orders/{order}."""
    routes, made = _Routes(site), APIRouter(tags=["Orders"])
    for path, serve, method, summary, more in (
        ("/orders", routes.place, "POST", "Order products", {"openapi_extra": _SENT, "status_code": 202}),
        ("/orders/estimate", routes.estimate, "POST", "What an order would take", {"openapi_extra": _SENT}),
        ("/orders", routes.orders, "GET", "Your orders, newest first", {}),
        ("/orders/{order}", routes.order, "GET", "How far an order is, and its files", {}),
        ("/orders/{order}", routes.remove, "DELETE", "Cancel an order, or delete its files", {}),
        ("/orders/{order}/files/{name}", routes.file, "GET", "A file of an order in your folder", {}),
    ):
        made.add_api_route(path, serve, methods=[method], summary=summary, response_class=Response, **more)
    return made


class _Routes:
    """The handlers: parse, one call, encode."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def place(self, request: Request) -> Response:
        """Submit an order once it is sure that it can be done. `Idempotency-Key` makes sending it twice safe."""
        body = await request.body()
        return await run_in_threadpool(self._placed, request, body)

    def _placed(self, request: Request, body: bytes) -> Response:
        caller = caller_of(request)
        order, key = ordering.order_from(json_object(body), most_items=self._site.settings.orders.items)
        said = request.headers.get("idempotency-key", "")[:200]
        job = ordering.submit(
            self._site, caller, order, key, dialect=DIALECT, submission=f"order:{said}" if said else ""
        )
        document = self._document(request, caller, self._site.jobs.get(caller, job))
        return _json(document, 202, {"Location": document["links"][0]["href"]})

    async def estimate(self, request: Request) -> Response:
        """Items, files and bytes, what is possible in one order, and what your quotas leave. Nothing is read."""
        body = await request.body()
        return await run_in_threadpool(self._estimated, request, body)

    def _estimated(self, request: Request, body: bytes) -> Response:
        caller, limits = caller_of(request), self._site.settings.orders
        order, _ = ordering.order_from(json_object(body), most_items=limits.items)
        price = ordering.priced(self._site, caller, order)
        quotas = quotas_of(self._site, caller)
        return _json(price.as_json() | {"most_bytes": limits.size, "most_items": limits.items, "quotas": quotas})

    def orders(self, request: Request) -> Response:
        """Those of every way to order, HOOK's too. Anonymous callers know theirs by their ids."""
        caller = caller_of(request)
        found, _ = self._site.jobs.list(caller, kind=ordering.ORDER, limit=_LISTED)
        return _json({"orders": [self._summary(request, job) for job in found]})

    def order(self, request: Request, order: str) -> Response:
        """Its state; once it is done, its files: links that open without credentials, or where they were put."""
        caller = caller_of(request)
        return _json(self._document(request, caller, self._job(caller, order)))

    def remove(self, request: Request, order: str) -> Response:
        """What was delivered into your folder is deleted; what links open stays until it expires."""
        caller = caller_of(request)
        ordering.remove(self._site, caller, self._job(caller, order))
        return _json(self._summary(request, self._site.jobs.get(caller, order)))

    def file(self, request: Request, order: str, name: str) -> Response:
        """Whole or by range."""
        path = ordering.delivered_file(self._site, self._job(caller_of(request), order), name)
        return serve_file(request, path, media_type=media_type(name), name=name)

    # --- documents -------------------------------------------------------------------------------------------------

    def _job(self, caller: Caller, name: str) -> Job:
        job = self._site.jobs.get(caller, name)
        if job.kind != ordering.ORDER:
            raise NotFound(f"There is no order {name!r:.80}, or it is not yours.", parameter="order")
        return job

    def _document(self, request: Request, caller: Caller, job: Job) -> dict[str, Any]:
        files = self._files(request, caller, job) if job.state == "successful" else []
        return self._summary(request, job) | {"files": files}

    def _summary(self, request: Request, job: Job) -> dict[str, Any]:
        base, order = str(request.base_url).rstrip("/"), Order.of_json(job.inputs["order"])
        info = status_info(request, job)
        here = {"rel": "self", "href": f"{base}/orders/{job.id}", "type": "application/json", "title": "This order"}
        known = ("status", "message", "created", "started", "finished", "updated", "progress", "title")
        return {
            "id": job.id,
            **{name: info[name] for name in known if name in info},
            "collection": order.collection,
            "to": order.bucket.address if order.bucket else order.to,
            "links": [here, *info["links"]],
        }

    def _files(self, request: Request, caller: Caller, job: Job) -> list[dict[str, Any]]:
        order = Order.of_json(job.inputs["order"])
        if order.to == "link":
            seconds = min(order.days, self._site.settings.jobs.keep_days) * 86400.0
            return [
                {
                    "name": one.name,
                    "href": downloads.link(request, caller, job, one, seconds),
                    "type": one.media_type,
                    "size": one.size,
                    "sha256": one.sha256,
                }
                for one in job.outputs
            ]
        found = ordering.delivered_files(self._site, job)
        if order.to == "s3":
            return found
        below = f"{str(request.base_url).rstrip('/')}/orders/{job.id}/files/"
        here = ordering.folder_of(self._site, job.owner, job.id)
        return [one | {"href": below + quote(one["name"])} for one in found if (here / one["name"]).is_file()]


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    told = {"Cache-Control": "no-cache", **(headers or {})}
    return Response(orjson.dumps(body), status, headers=told, media_type="application/json")
