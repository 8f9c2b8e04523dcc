"""Orders: a search in MARS words finds one feature that may be ordered; the order is a job, seen as an item."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from terrella.api.downloads import link as signed
from terrella.api.hda.addresses import BACKEND, GEOJSON, link
from terrella.api.hda.asking import MARS
from terrella.api.hda.documents import WHOLE
from terrella.errors import Invalid, NotFound
from terrella.extraction.mars import today
from terrella.extraction.mars.times import dates
from terrella.extraction.mars.values import parse_values
from terrella.model.stac import STAC_VERSION
from terrella.model.time import parse_interval
from terrella.site.mars import priced, understood
from terrella.site.mars.retrieving import checked, inputs_of
from terrella.site.tasks import RETRIEVE, submit_or_perform

if TYPE_CHECKING:
    from terrella.api.hda.addresses import Addresses
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.model.stac import Document
    from terrella.site import Site

DIALECT = "hda"
STATUS = {
    "accepted": "ordered",
    "running": "shipping",
    "successful": "succeeded",
    "failed": "failed",
    "dismissed": "canceled",
}
"""Words of the order extension for states of a job."""
_ORDER = "https://stac-extensions.github.io/order/v1.1.0/schema.json"


# --- what may be ordered ----------------------------------------------------------------------------------------------


def orderable(site: Site, caller: Caller, collection: Document, words: Document, at: Addresses) -> Document:
    """The one feature that stands for a request. Raises Invalid for what is not there, with what is; Unsupported."""
    name = str(collection["id"])
    retrieval = understood(site, caller, words, name)
    plan = priced(site, caller, retrieval)
    body = {key: _text(value) for key, value in words.items()}
    known = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
    item = _feature(f"{name}_ORDERABLE_{known}", collection, words)
    item["properties"] |= {
        "order:status": "orderable",
        "storage:tier": "offline",
        "terrella:estimate": {
            "values": plan.values,
            "bytes_read": plan.bytes_read,
            "bytes_out": plan.bytes_out,
            "seconds": round(plan.seconds, 3),
        },
    }
    here = at.to("collections", name)
    order = link("retrieve", f"{here}/order", GEOJSON, title="Order this", method="POST", body=body)
    item["links"] = [link("collection", here), link("parent", here), link("root", at.root), order]
    return item


def dated(words: Document, interval: str | None, collection: Document) -> Document:
    """Words that say the dates too, where the search said them as an interval. Days are whole; a midnight ends one."""
    if interval is None or {"date", "year", "month"} & words.keys():
        return words
    found = parse_interval(interval.upper())
    first, last = _extent(collection)
    start = found.start.as_datetime() if found.start else first
    end = found.end.as_datetime() if found.end else last
    if start is None or end is None:
        raise Invalid("These data have no known extent in time: say both ends of the interval.", parameter="datetime")
    if end > start and (end.hour, end.minute, end.second) == (0, 0, 0):
        end = datetime.fromtimestamp(end.timestamp() - 1, UTC)
    days = [f"{one:%Y%m%d}" for one in (start, end)]
    return {**words, "date": days[0] if days[0] == days[1] else f"{days[0]}/to/{days[1]}"}


def _extent(collection: Document) -> tuple[datetime | None, datetime | None]:
    try:
        ends = collection["extent"]["temporal"]["interval"][0]
        return tuple(datetime.fromisoformat(one) if one else None for one in ends)  # type: ignore[return-value]
    except (KeyError, IndexError, TypeError, ValueError):
        return None, None


def _text(value: Any) -> Any:
    """Lists as MARS writes them: clients hand bodies on as text, in which a list may lose its quotes."""
    return "/".join(str(one) for one in value) if isinstance(value, list) else value


def _feature(name: str, collection: Document, words: Document, base: date | None = None) -> Document:
    box = (collection.get("extent") or {}).get("spatial", {}).get("bbox", [[-180.0, -90.0, 180.0, 90.0]])[0]
    box = [float(one) for one in (box if len(box) == 4 else [*box[:2], *box[3:5]])]
    start, end = _period(words, collection, base or today())
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [_ORDER],
        "id": name,
        "collection": str(collection["id"]),
        "bbox": box,
        "geometry": _geometry(*box),
        "properties": {
            "title": name,
            "datetime": None,
            "start_datetime": start,
            "end_datetime": end,
            "federation:backends": [BACKEND],
            **{f"{MARS}{key}": value for key, value in words.items()},
        },
        "assets": {},
    }


def _geometry(west: float, south: float, east: float, north: float) -> Document:
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    rings = [[[[a, south], [b, south], [b, north], [a, north], [a, south]]] for a, b in spans]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _period(words: Document, collection: Document, base: date) -> tuple[str, str]:
    first, last = _extent(collection)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    whole = _stamp(first or epoch), _stamp(last or first or epoch)
    if "date" not in words:
        return whole
    try:
        asked = dates(parse_values("date", words["date"]), base)
    except Invalid:  # of an order made long ago, in words since changed
        return whole
    return whole if not asked else (_stamp(_midnight(min(asked))), _stamp(_midnight(max(asked)), "23:59:59"))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _stamp(at: datetime, clock: str = "") -> str:
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d}T{clock or f'{at:%H:%M:%S}'}Z"


# --- what was ordered -------------------------------------------------------------------------------------------------


def ordered(site: Site, caller: Caller, collection: str, words: Document) -> Job:
    """A new job for a request. Raises what is wrong with it, or too large, before anything is submitted."""
    plan = checked(site, caller, understood(site, caller, words, collection))
    title = f"{collection}: {words.get('param', 'all parameters')}"[:120]
    inputs = inputs_of(words, collection, zipped="several")
    return submit_or_perform(site, caller, RETRIEVE, inputs, plan, title=title, dialect=DIALECT)


def words_of_order(given: Document) -> Document:
    """The request in the body of an order: words of MARS, with or without their prefix. Raises Invalid."""
    words = {key.removeprefix(MARS): value for key, value in given.items()}
    if not words:
        raise Invalid("Order with a request in MARS words: the body of the link `retrieve`.", parameter="body")
    if None in words.values():
        empty = next(key for key, value in words.items() if value is None)
        raise Invalid(f"{empty:.60} has no value.", parameter=empty[:60])
    return words


def order_of(job: Job, collection: str) -> Document:
    """Its request. Raises NotFound for a job that is no order of this collection."""
    if job.kind != RETRIEVE or job.dialect != DIALECT or job.inputs.get("collection") != collection:
        raise NotFound(f"There is no item {job.id!r:.80} in {collection!r:.80}.", parameter="item_id")
    found: Document = job.inputs["request"]
    return found


def order_document(job: Job, caller: Caller, collection: Document, at: Addresses) -> Document:
    """An order as an item, with its download once that is there."""
    name = str(collection["id"])
    words = order_of(job, name)
    item = _feature(job.id, collection, words, date.fromisoformat(job.inputs["base"]))
    item["properties"] |= {
        "created": _stamp(job.created),
        "updated": _stamp(job.updated),
        "order:status": STATUS[job.state],
        "order:id": job.id,
        "order:date": _stamp(job.created),
        "order:progress": round(job.progress, 3),
        "storage:tier": "online" if job.state == "successful" else "offline",
    }
    if job.message:
        item["properties"]["order:message"] = job.message
    if job.state == "successful" and job.outputs:
        item["assets"][WHOLE] = _download(job, caller, at)
    item["links"] = at.of_item(name, job.id)
    return item


def _download(job: Job, caller: Caller, at: Addresses) -> Document:
    output = job.outputs[0]
    return {
        "href": signed(at.request, caller, job, output),
        "title": output.name,
        "type": output.media_type,
        "roles": ["data"],
        "file:size": output.size,
        "file:checksum": f"1220{output.sha256}",
    }
