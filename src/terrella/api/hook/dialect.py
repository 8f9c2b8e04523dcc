"""The routes of HOOK: list workflows, order a batch of products, see how far each is, download it.

A batch order is an `order` job; its number is the first 48 bits of the job's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from terrella.api import downloads
from terrella.api.bodies import json_object
from terrella.api.caller import caller_of
from terrella.api.errors import ErrorFormat
from terrella.api.files import serve_file
from terrella.api.hook.odata import MOST_ROWS, parse_query
from terrella.api.hook.workflows import FIELDS, HARVEST, options_of, title_of, words_of, workflows
from terrella.errors import NotFound
from terrella.model.job import ENDED
from terrella.model.order import Order
from terrella.site import ordering
from terrella.site.ordering.packing import PACKED

if TYPE_CHECKING:
    from datetime import datetime

    from terrella.api.errors import Report
    from terrella.api.hook.odata import Query
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.site import Site

DIALECT = "hook"
_STATUS = {
    "accepted": "queued",
    "running": "in_progress",
    "successful": "completed",
    "failed": "failed",
    "dismissed": "cancelled",
}
_ORDER_FIELDS = (
    "Id",
    "Uuid",
    "Name",
    "Status",
    "StatusMessage",
    "WorkflowName",
    "WorkflowId",
    "SubmissionDate",
    "CompletedDate",
    "InputProductReference",
    "WorkflowOptions",
)
_PRODUCT_FIELDS = (
    "Id",
    "Name",
    "BatchOrderId",
    "Status",
    "StatusMessage",
    "SubmissionDate",
    "CompletedDate",
    "ContentLength",
    "Checksum",
    "DownloadLink",
)


def _error(report: Report, request_id: str | None) -> dict[str, Any]:
    del request_id
    target = {"target": report.parameter} if report.parameter else {}
    return {"error": {"code": report.kind, "message": report.message, **target}}


ERRORS = ErrorFormat("/odata/v1", _error)


class Hook:
    """What the routes do. `site` does the work."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def service(self, request: Request) -> Response:
        """What there is."""
        names = ("Workflows", "ProductionOrders", "BatchOrder")
        return _json(request, "", {"value": [{"name": one, "kind": "EntitySet", "url": one} for one in names]})

    def workflows(self, request: Request) -> Response:
        """Workflows; with `$expand=WorkflowOptions` what they take."""
        query = _query(request, FIELDS, ("WorkflowOptions",))
        return _json(request, "#Workflows", query.page(workflows(), expandable=("WorkflowOptions",)))

    async def order(self, request: Request) -> Response:
        """A new batch order, once it is sure that it can be done."""
        body = await request.body()
        return await run_in_threadpool(self._ordered, request, body)

    def _ordered(self, request: Request, body: bytes) -> Response:
        caller, given = caller_of(request), json_object(body)
        title = title_of(given)
        words = words_of(given, lambda collection, item: self._has(caller, collection, item))
        order, key = ordering.order_from(words, most_items=self._site.settings.orders.items)
        job = ordering.submit(self._site, caller, order, key, title=title, dialect=DIALECT)
        return _json(request, "#OData.CSC.BatchOrder", {"value": _order(self._site.jobs.get(caller, job))}, 201)

    def orders(self, request: Request) -> Response:
        """My orders, newest first; one is found with `$filter=id eq N`."""
        caller, query = caller_of(request), _query(request, _ORDER_FIELDS)
        return _json(request, "#ProductionOrders", query.page([_order(job) for job in self._jobs(caller, query)]))

    def one(self, request: Request, number: int) -> Response:
        """One order."""
        return _json(request, "#ProductionOrders/$entity", _order(self._job(caller_of(request), number)))

    def products(self, request: Request, number: int) -> Response:
        """The products of an order: how far each is, and where it can be had."""
        caller, query = caller_of(request), _query(request, _PRODUCT_FIELDS)
        found = self._products(request, caller, self._job(caller, number))
        return _json(request, "#Products", query.page(found))

    def product(self, request: Request, number: int, product: int) -> Response:
        """The file of a product."""
        job = self._job(caller_of(request), number)
        items = Order.of_json(job.inputs["order"]).items
        if not 1 <= product <= len(items):
            raise NotFound(f"The order has products 1 to {len(items)}, not {product}.", parameter="product")
        if job.state != "successful" or not _is_here(job):
            raise NotFound("This product cannot be downloaded here: see its Status and DownloadLink.")
        output, path = self._site.jobs.published(job.id, job.outputs[product - 1].name)
        return serve_file(request, path, media_type=output.media_type, name=output.name, sha256=output.sha256)

    def cancel(self, request: Request, number: int) -> Response:
        """Stop an order that has not ended."""
        caller = caller_of(request)
        job = self._site.jobs.cancel(caller, self._job(caller, number).id)
        return _json(request, "#OData.CSC.BatchOrder", {"value": _order(job)})

    # --- finding ---------------------------------------------------------------------------------------------------

    def _has(self, caller: Caller, collection: str, item: str) -> bool:
        self._site.catalog.collection(caller, collection)  # NotFound with the nearest names
        try:
            self._site.catalog.item(caller, collection, item)
        except NotFound:
            return False
        return True

    def _jobs(self, caller: Caller, query: Query) -> list[Job]:
        if query.only_id is not None:
            try:
                return [self._job(caller, query.only_id)]
            except NotFound:
                return []
        found, _ = self._site.jobs.list(caller, dialect=DIALECT, limit=MOST_ROWS)
        return list(found)

    def _job(self, caller: Caller, number: int) -> Job:
        missing = NotFound(f"There is no order {number}, or it is not yours.", parameter="id")
        if not 0 <= number < 1 << 48:
            raise missing
        text = f"{number:012x}"
        try:
            job = self._site.jobs.beginning(caller, f"{text[:8]}-{text[8:]}-")
        except NotFound:
            raise missing from None
        if job.dialect != DIALECT:
            raise missing
        return job

    def _products(self, request: Request, caller: Caller, job: Job) -> list[dict[str, Any]]:
        order = Order.of_json(job.inputs["order"])
        files: list[dict[str, Any]] = [{} for _ in order.items]
        if job.state == "successful":
            files = self._links(request, caller, job) if _is_here(job) else _delivered(self._site, job)
        done = int(job.progress / PACKED * len(order.items) + 1e-6) if job.state == "running" else 0
        return [
            {
                "Id": count,
                "Name": item,
                "BatchOrderId": number_of(job),
                "Status": _status(job, count, done),
                "StatusMessage": job.message if job.state in ("failed", "dismissed") else "",
                "SubmissionDate": _time(job.created),
                "CompletedDate": _time(job.finished),
                "ContentLength": file.get("size"),
                "Checksum": [{"Algorithm": "SHA256", "Value": file["sha256"]}] if file else [],
                "DownloadLink": file.get("href"),
            }
            for count, (item, file) in enumerate(zip(order.items, files, strict=True), 1)
        ]

    def _links(self, request: Request, caller: Caller, job: Job) -> list[dict[str, Any]]:
        days = min(Order.of_json(job.inputs["order"]).days, self._site.settings.jobs.keep_days)
        return [
            {
                "size": one.size,
                "sha256": one.sha256,
                "href": downloads.link(request, caller, job, one, days * 86400.0),
            }
            for one in job.outputs[:-1]  # the last is the receipt
        ]


def router(site: Site) -> APIRouter:
    """Everything below /odata/v1."""
    made, hook = APIRouter(tags=["HOOK"]), Hook(site)
    body = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
    sent: dict[str, Any] = {"methods": ["POST"], "status_code": 201, "openapi_extra": {"requestBody": body}}
    get: dict[str, Any] = {"methods": ["GET"]}
    for path, endpoint, more in (
        ("", hook.service, get),
        ("/Workflows", hook.workflows, get),
        ("/BatchOrder/OData.CSC.Order", hook.order, sent),
        ("/BatchOrder", hook.orders, get),
        ("/ProductionOrders", hook.orders, get),
        ("/BatchOrder({number:int})", hook.one, get),
        ("/ProductionOrders({number:int})", hook.one, get),
        ("/BatchOrder({number:int})/Products", hook.products, get),
        ("/BatchOrder({number:int})/Product({product:int})", hook.product, get),
        ("/BatchOrder({number:int})/Product({product:int})/$value", hook.product, get),
        ("/BatchOrder({number:int})/OData.CSC.Cancel", hook.cancel, {"methods": ["POST"]}),
    ):
        made.add_api_route(f"/odata/v1{path}", endpoint, response_class=Response, **more)
    return made


def number_of(job: Job) -> int:
    """What this dialect calls a job: a whole number that JavaScript can hold too."""
    return int(job.id.replace("-", "")[:12], 16)


def _order(job: Job) -> dict[str, Any]:
    order = Order.of_json(job.inputs["order"])
    return {
        "Id": number_of(job),
        "Uuid": job.id,
        "Name": job.title,
        "Status": _STATUS[job.state],
        "StatusMessage": job.message,
        "WorkflowName": HARVEST,
        "WorkflowId": 1,
        "SubmissionDate": _time(job.created),
        "CompletedDate": _time(job.finished),
        "InputProductReference": {"Reference": list(order.items)},
        "WorkflowOptions": options_of(order),
    }


def _status(job: Job, count: int, done: int) -> str:
    """Of one product: they are packed one after the other, and handed out together at the end."""
    if job.state in ENDED or job.state == "accepted":
        return _STATUS[job.state]
    return "in_progress" if count <= done + 1 else "queued"


def _is_here(job: Job) -> bool:
    return bool(job.inputs["order"]["to"] == "link")


def _delivered(site: Site, job: Job) -> list[dict[str, Any]]:
    return ordering.delivered_files(site, job)[:-1] or [{} for _ in job.inputs["order"]["items"]]


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _query(request: Request, fields: tuple[str, ...], expandable: tuple[str, ...] = ()) -> Query:
    return parse_query(request.query_params.multi_items(), fields, expandable)


def _json(request: Request, about: str, body: dict[str, Any], status: int = 200) -> Response:
    context = f"{str(request.base_url).rstrip('/')}/odata/v1/$metadata{about}"
    headers = {"Cache-Control": "no-cache", "OData-Version": "4.0"}
    return Response(
        orjson.dumps({"@odata.context": context, **body}), status, headers=headers, media_type="application/json"
    )
