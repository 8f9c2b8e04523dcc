"""What the data stores' clients read: collections, processes, jobs, results, receipts."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote

from terrella.model.credit import credit_of
from terrella.model.job import ENDED
from terrella.site.terms import REVISION, terms_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.requests import Request

    from terrella.extraction.cds import Offer
    from terrella.model.job import Job, LogLine
    from terrella.model.stac import Document

_TITLES = {
    "variable": "Variable",
    "product_type": "Product type",
    "pressure_level": "Pressure level (hPa)",
    "leadtime_hour": "Lead time (hours)",
    "number": "Ensemble member",
    "date": "Date, or FIRST/LAST",
}


def base(request: Request, part: str) -> str:
    """Address of one of the three parts: catalogue, retrieve, profiles."""
    return f"{str(request.base_url).rstrip('/')}/api/{part}/v1"


def link(rel: str, href: str, title: str = "", kind: str = "application/json") -> dict[str, str]:
    made = {"rel": rel, "href": href, "type": kind}
    return made | {"title": title} if title else made


# --- what there is ----------------------------------------------------------------------------------------------------


def collection_document(request: Request, document: Document) -> Document:
    """A STAC collection with the members and links that the clients go by."""
    name = quote(str(document["id"]), safe="")
    here = f"{base(request, 'catalogue')}/collections/{name}"
    terms = terms_of(document)
    links = [link("self", here), link("root", base(request, "catalogue"))]
    links += [link("form", f"{here}/form.json"), link("constraints", f"{here}/constraints.json")]
    if "cube:variables" in document:
        links.append(link("retrieve", f"{base(request, 'retrieve')}/processes/{name}"))
    if terms.href:
        links.append(link("license", terms.href, terms.title, "text/html"))
    made = {key: value for key, value in document.items() if key not in ("links", "assets")}
    return made | {
        "title": str(document.get("title") or document["id"]),
        "description": str(document.get("description") or ""),
        "published": document.get("created"),
        "updated": document.get("updated"),
        "links": links,
    }


def process_summary(request: Request, document: Document) -> Document:
    here = f"{base(request, 'retrieve')}/processes/{quote(str(document['id']), safe='')}"
    return {
        "id": document["id"],
        "title": str(document.get("title") or document["id"]),
        "description": str(document.get("description") or ""),
        "version": str(document.get("version") or "1"),
        "jobControlOptions": ["async-execute"],
        "outputTransmission": ["reference"],
        "links": [
            link("self", here),
            link("execute", f"{here}/execution"),
            link("constraints", f"{here}/constraints"),
            link("costing", f"{here}/costing"),
        ],
    }


def process_document(
    request: Request, document: Document, values: dict[str, list[str]], formats: list[str]
) -> Document:
    """A process (OGC API - Processes): its inputs are the keys of a request, with all their values."""
    inputs = {
        key: {
            "title": _TITLES.get(key, key.replace("_", " ").capitalize()),
            "schema": {"type": "array", "items": {"type": "string"} | ({"enum": found} if key != "date" else {})},
        }
        for key, found in values.items()
    }
    inputs["area"] = {
        "title": "North, west, south, east (degrees)",
        "schema": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    }
    inputs["data_format"] = {"title": "Format", "schema": {"type": "string", "enum": formats}}
    inputs["download_format"] = {"title": "Archive", "schema": {"type": "string", "enum": ["unarchived", "zip"]}}
    outputs = {"asset": {"title": "The answer", "schema": {"type": "object"}}}
    return process_summary(request, document) | {"inputs": inputs, "outputs": outputs}


def form(known: Sequence[Offer], values: dict[str, list[str]], formats: list[str]) -> list[Document]:
    """Widgets for people: one a key, with values and what they mean."""
    labels = {one.name: one.title for one in known}
    made: list[Document] = [
        {
            "name": key,
            "label": _TITLES.get(key, key.replace("_", " ").capitalize()),
            "type": "StringListWidget" if key != "date" else "DateRangeWidget",
            "required": key == "variable",
            "details": {"values": found, "labels": {one: labels.get(one, one) for one in found}},
        }
        for key, found in values.items()
    ]
    whole = {"n": 90, "w": -180, "s": -90, "e": 180}
    area = {"name": "area", "label": "Area", "type": "GeographicExtentWidget", "required": False}
    choice = {"type": "StringChoiceWidget", "required": False}
    made.append(area | {"details": {"precision": 2, "range": whole, "default": whole}})
    for name, label, found in (
        ("data_format", "Format", formats),
        ("download_format", "Archive", ["unarchived", "zip"]),
    ):
        details = {"values": found, "labels": {one: one for one in found}, "default": [found[0]]}
        made.append(choice | {"name": name, "label": label, "details": details})
    return made


def licence_document(collection: Document) -> Document:
    terms = terms_of(collection)
    made = {"id": terms.name, "label": terms.title, "revision": REVISION, "scope": "dataset"}
    return made | ({"contents_url": terms.href} if terms.href else {})


# --- jobs -------------------------------------------------------------------------------------------------------------


def job_document(request: Request, job: Job, lines: Sequence[LogLine] = ()) -> Document:
    """How far a job is, what was asked, and its log."""
    here = f"{base(request, 'retrieve')}/jobs/{job.id}"
    links = [link("self", here), link("monitor", here)]
    if job.state in ("successful", "failed"):
        links.append(link("results", f"{here}/results"))
    made = {
        "processID": job.inputs.get("collection"),
        "type": "process",
        "jobID": job.id,
        "status": job.state,
        "created": stamp(job.created),
        "started": stamp(job.started),
        "finished": stamp(job.finished),
        "updated": stamp(job.updated),
        "progress": int(job.progress * 100),
        "links": links,
    }
    asked = job.inputs.get("asked", {})
    metadata = {"origin": "api", "request": {"ids": asked, "labels": asked}}
    log = [[stamp(one.at), f"{one.level.upper()}: {one.text}"] for one in lines]
    made["metadata"] = metadata | ({"log": log} if log else {})
    return {key: value for key, value in made.items() if value is not None}


def results_document(job: Job, href: str) -> Document:
    """Where the answer is, how long, and its checksum (multihash in hex, as STAC's file extension has it)."""
    output = job.outputs[0]
    value = {
        "type": output.media_type,
        "href": href,
        "file:size": output.size,
        "file:checksum": f"1220{output.sha256}",
        "file:local_path": output.name,
    }
    return {"asset": {"value": value}}


def receipt(request: Request, job: Job, collection: Document) -> Document:
    """Who asked what of which data, what came out, and whom to name."""
    credit, terms = credit_of(collection), terms_of(collection)
    made = {
        "request_uid": job.id,
        "process_id": job.inputs.get("collection"),
        "user": job.owner,
        "status": job.state,
        "timestamp": stamp(job.finished or job.updated),
        "request": job.inputs.get("asked", {}),
        "mars": job.inputs.get("request", {}),
        "job": f"{base(request, 'retrieve')}/jobs/{job.id}",
        "dataset_version": str(collection.get("version") or ""),
        "licence": {"id": terms.name, "label": terms.title, "href": terms.href},
        "citation": credit.citation,
        "doi": credit.doi,
        "providers": list(credit.providers),
        "software": f"terrella {version('terrella')}",
        "message": job.message if job.state == "failed" else "",
        "results": [
            {"name": one.name, "type": one.media_type, "size": one.size, "sha256": one.sha256} for one in job.outputs
        ],
    }
    return {key: value for key, value in made.items() if value not in (None, "", [])}


def is_over(job: Job) -> bool:
    return job.state in ENDED


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else None
