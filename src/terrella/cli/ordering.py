"""`terrella order`: whole products, packed and brought where they are wanted."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrella.cli.console import console, print_json, size, table
from terrella.cli.jobs import follow
from terrella.errors import Invalid
from terrella.model.caller import OPERATOR
from terrella.site import Site
from terrella.site.ordering import check_order, order_from, submit

if TYPE_CHECKING:
    from terrella.model.job import Job
    from terrella.model.order import Price

_SECRETS = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
"""Where the key of an S3 store is read from: never from arguments, which everybody on the machine can see."""


def order(
    home: Path, collection: str, asked: dict[str, Any], to: str, *, estimate: bool, as_job: bool, as_json: bool
) -> None:
    words = {name: value for name, value in asked.items() if value} | {"collection": collection}
    target = None if _is_word(to) else Path(to).expanduser()
    with Site.open(home) as site:
        found, key = order_from(words | _place(to), most_items=site.settings.orders.items)
        price = check_order(site, OPERATOR, found)
        if estimate:
            _print_price(price, as_json=as_json)
            return
        if target is not None and not as_job:
            target.mkdir(parents=True, exist_ok=True)
        job = submit(site, OPERATOR, found, key, dialect="shell")
        if as_job:
            console().print(f"Submitted: terrella job wait {job}", markup=False)
            return
        done = _done(site, job)
        files = _brought(site, done, target)
    _print_done(done, files, as_json=as_json)


def _done(site: Site, job: str) -> Job:
    """Done by a worker where one runs; else by this process itself."""
    from threading import Thread

    from terrella.api.logs import plain_unless_configured
    from terrella.site.tasks import caller_named

    plain_unless_configured()  # what is asked for goes to standard output, and nothing else
    worker = site.jobs.worker(lambda name: caller_named(site, name))
    helping = Thread(target=worker.run, daemon=True)
    helping.start()
    try:
        return follow(site, job)
    finally:
        worker.stop()
        helping.join(10)
        site.jobs.chores.settle()


def _brought(site: Site, job: Job, target: Path | None) -> list[str]:
    """Files of a finished order in the folder that was asked for."""
    if job.state != "successful":
        return []
    made = []
    for output in job.outputs:
        path = site.jobs.file(OPERATOR, job.id, output.name)
        if target is not None:
            shutil.copyfile(path, target / output.name)
            path = target / output.name
        made.append(str(path))
    return made


def _place(to: str) -> dict[str, Any]:
    if not _is_word(to):
        return {"to": "link"}
    if not to.startswith("s3:"):
        return {"to": to}
    found = {word: os.environ.get(name, "") for word, name in _SECRETS.items()}
    if not found["key"] or not found["secret"]:
        raise Invalid("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment to deliver into an S3 store.")
    more = {"endpoint": os.environ.get("AWS_ENDPOINT_URL", ""), "region": os.environ.get("AWS_REGION", "")}
    return {"to": to, **{name: value for name, value in (found | more).items() if value}}


def _is_word(to: str) -> bool:
    return to in ("link", "folder") or to.startswith("s3:")


def _print_price(price: Price, *, as_json: bool) -> None:
    if as_json:
        print_json(price.as_json())
        return
    shown = table("items", "files", "size", "of unknown size")
    shown.add_row(str(price.items or "–"), str(price.files), size(price.size), str(price.unknown or "–"))
    console().print(shown)


def _print_done(job: Job, files: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"job": job.id, "state": job.state, "message": job.message, "files": files})
    elif job.state == "successful":
        for one in files:
            console().print(one, markup=False, soft_wrap=True)
    else:
        console(err=True).print(f"The order {job.state}: {job.message}", markup=False)
    if job.state != "successful":
        sys.exit(1)
