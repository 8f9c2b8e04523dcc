"""The task `order`: choose once, pack item by item, deliver file by file; a killed worker's successor goes on there."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import orjson

from terrella.access.sealing import Sealed
from terrella.errors import NotFound, Unsupported
from terrella.jobs.results import media_type
from terrella.model.job import Output
from terrella.model.order import Order, Price, Product
from terrella.site.assets import collection_of
from terrella.site.ordering.asking import check_recipient, with_secrets
from terrella.site.ordering.choosing import amounts_of, check_format, check_order, cut_of, price_of, products
from terrella.site.ordering.packing import PACKED, Packing, check_size
from terrella.storage.buckets import S3Bucket, S3Key
from terrella.storage.web import Web

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from terrella.contracts.jobs import Work
    from terrella.model.caller import Caller
    from terrella.model.job import Job
    from terrella.model.stac import Document
    from terrella.site.site import Site

ORDER = "order"
DELIVERY = "delivery.json"


def inputs_of(order: Order) -> Document:
    """Inputs of an `order` job."""
    return {"order": order.as_json()}


def submit(
    site: Site,
    caller: Caller,
    order: Order,
    key: S3Key | None = None,
    *,
    title: str = "",
    dialect: str = "",
    submission: str = "",
) -> str:
    """Id of the job that does an order, once it is sure that it can be done. Raises what `check_order` does."""
    check_order(site, caller, order)
    kept = with_secrets(order, key, site.settings.home)
    named = title or f"{order.collection}: {'cut-out' if order.format else 'products'}"
    secret, used = kept.bucket.secret if kept.bucket else "", None
    try:
        job = site.jobs.submit(caller, ORDER, inputs_of(kept), title=named, dialect=dialect, key=submission)
        used = site.jobs.get(caller, job).inputs["order"].get("bucket")
    finally:
        if secret and (not used or used["secret"] != secret):  # refused, or placed before
            Sealed(site.settings.home).forget(secret)
    return job


def staging_of(site: Site, job: str) -> Path:
    """Where a job packs."""
    return site.settings.home / "orders" / job


def folder_of(site: Site, owner: str, job: str) -> Path:
    """Where an order for a folder goes: below ``home/users/NAME/orders``."""
    return site.settings.home / "users" / owner / "orders" / job


def delivered_files(site: Site, job: Job) -> list[dict[str, Any]]:
    """What a finished order for a folder or a store brought, with checksums; [] where that is not known any more."""
    try:
        text = site.jobs.published(job.id, DELIVERY)[1].read_bytes()
    except NotFound:
        return []
    found: list[dict[str, Any]] = orjson.loads(text)["files"]
    return found


def delivered_file(site: Site, job: Job, name: str) -> Path:
    """A file that was delivered into its owner's folder. Raises NotFound."""
    path = folder_of(site, job.owner, job.id) / name
    if "/" in name or name.startswith(".") or not path.is_file():
        raise NotFound(f"The order has no file {name!r:.80}.", parameter="name")
    return path


def remove(site: Site, caller: Caller, job: Job) -> None:
    """Cancel an order that has not ended, and delete what lies in the owner's folder of it."""
    site.jobs.cancel(caller, job.id)
    folder = folder_of(site, job.owner, job.id)
    if not folder.is_dir():
        return
    gone = folder.with_name(folder.name + ".gone")
    try:
        folder.rename(gone)  # whoever comes second finds nothing
    except OSError:
        return
    shutil.rmtree(gone, ignore_errors=True)
    site.ledger.let_go(f"{job.id}:order")


def ended(site: Site, job: Job) -> None:
    """Forget what a job needed while it ran: half-packed files, and the secrets that were lent to it."""
    if job.kind != ORDER:
        return
    shutil.rmtree(staging_of(site, job.id), ignore_errors=True)
    bucket = (job.inputs.get("order") or {}).get("bucket")
    if bucket and bucket.get("secret"):
        Sealed(site.settings.home).forget(bucket["secret"])


def order(site: Site, work: Work) -> tuple[Output, ...]:
    """Pack and deliver."""
    asked = Order.of_json(work.inputs["order"])
    check_recipient(asked, work.caller)
    staging = staging_of(site, work.job)
    staging.mkdir(parents=True, exist_ok=True)
    key = _key(site, asked)
    work.progress(0.01, "Choosing.")
    if asked.format:
        files = [_cut(site, work, asked, staging)]
        return _delivered(site, work, asked, files, key)
    chosen = [Product.of_json(one) for one in work.step("products", lambda: _chosen(site, work, asked))]
    price = price_of(asked, chosen)
    work.log(f"{price.items:,} items, {price.files:,} files, {price.size:,} bytes.")
    site.ledger.hold(work.caller, f"{work.job}:order", amounts_of(asked, price), asked.collection)
    packing = Packing(site, work, asked, collection_of(site, asked.collection), chosen, staging)
    return _delivered(site, work, asked, packing.run(), key)


def _chosen(site: Site, work: Work, asked: Order) -> list[Document]:
    return [asdict(one) for one in products(site, work.caller, asked)]


def _key(site: Site, asked: Order) -> S3Key | None:
    """Opened before anything is packed: an order whose key is gone fails at once."""
    if asked.bucket is None:
        return None
    return S3Key(**Sealed(site.settings.home).open(asked.bucket.secret))


def _cut(site: Site, work: Work, asked: Order, staging: Path) -> Path:
    """The cut-out, in its format; it carries its own receipt."""
    from terrella.site.tasks import encodings

    check_format(asked.format)
    encoding = encodings()[asked.format]
    path = staging / f"{asked.collection}{encoding.suffix}"

    def once() -> str:
        work.progress(0.05, "Reading.")
        answer = site.cut(cut_of(asked), caller=work.caller)
        if 0 in answer.dataset.sizes.values():
            raise NotFound("No cell lies in there: take a larger box.")
        if reason := encoding.accepts(answer):
            raise Unsupported(f"{encoding.title} cannot hold this answer: {reason}")
        path.write_bytes(encoding.encode(answer))
        return _digest(path)

    if work.step("cut", once) != (_digest(path) if path.is_file() else ""):
        once()
    return path


# --- delivering ------------------------------------------------------------------------------------------------------


def _delivered(site: Site, work: Work, asked: Order, files: Sequence[Path], key: S3Key | None) -> tuple[Output, ...]:
    """Bring the files where they go, and put them on the account, once; what the job itself keeps."""
    amounts = amounts_of(asked, Price(0, len(files), check_size(files, site.settings.orders.size)))
    measured = replace(amounts, bytes_read=0) if asked.format else amounts  # what a cut-out read is there already
    held = f"{work.job}:order"
    site.ledger.hold(work.caller, held, measured, asked.collection)
    work.progress(PACKED, "Delivering.")
    made = _brought(site, work, asked, files, key)
    site.ledger.settle(held, measured)
    return made


def _brought(site: Site, work: Work, asked: Order, files: Sequence[Path], key: S3Key | None) -> tuple[Output, ...]:
    if asked.to == "link":
        for one in files:
            _linked(one, work.folder / one.name)
        return tuple(Output(one.name, media_type(one.name), 0, "") for one in files)
    if asked.to == "folder":
        where = _into_folder(site, work, files)
    else:
        assert key is not None
        where = _into_bucket(site, work, asked, files, key)
    (work.folder / DELIVERY).write_bytes(orjson.dumps({"to": asked.to, "files": where}, option=orjson.OPT_INDENT_2))
    return (Output(DELIVERY, "application/json", 0, "", "What was delivered, and where"),)


def _into_folder(site: Site, work: Work, files: Sequence[Path]) -> list[dict[str, Any]]:
    """All at once: the folder appears when it is whole."""
    target = folder_of(site, work.caller.name, work.job)
    if not target.is_dir():
        draft = target.with_name(target.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for one in files:
            _linked(one, draft / one.name)
        draft.rename(target)
    return [_about(one, f"orders/{work.job}/{one.name}") for one in files]


def _into_bucket(site: Site, work: Work, asked: Order, files: Sequence[Path], key: S3Key) -> list[dict[str, Any]]:
    bucket = asked.bucket
    assert bucket is not None
    made, total, sent = [], max(1, sum(one.stat().st_size for one in files)), 0

    def tell(count: int) -> None:
        nonlocal sent
        sent += count
        work.progress(PACKED + (1 - PACKED) * min(1.0, sent / total), "Delivering.")

    with Web(allow_private=site.settings.orders.allow_private, timeout=120.0) as web:
        there = S3Bucket(web, bucket.bucket, key, endpoint=bucket.endpoint, region=bucket.region)
        for one in files:
            name = f"{bucket.prefix}/{one.name}".lstrip("/")
            about = _about(one, f"s3://{bucket.bucket}/{name}")
            made.append(work.step(f"sent {one.name}", lambda: _sent(there, name, one, about, tell)))  # noqa: B023
    return made


def _sent(bucket: S3Bucket, name: str, path: Path, about: dict[str, Any], tell: Any) -> dict[str, Any]:
    bucket.put(name, path, tell)
    return about


def _about(path: Path, where: str) -> dict[str, Any]:
    return {"name": path.name, "href": where, "size": path.stat().st_size, "sha256": _digest(path)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _linked(source: Path, target: Path) -> None:
    """The same bytes under another name, copied only where the folders lie on different disks."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
