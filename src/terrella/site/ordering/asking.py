"""An order out of the words of JSON or of the shell. Secrets are taken out of it first, and never shown in an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from terrella.access.sealing import Sealed
from terrella.errors import Invalid, Unauthenticated, nearest_names
from terrella.model.ids import collection_id
from terrella.model.order import Bucket, Order
from terrella.model.space import Extent
from terrella.model.time import parse_interval
from terrella.storage.buckets import S3Key, parse_s3
from terrella.storage.web import check_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from terrella.model.caller import Caller

_WORDS = (
    "collection",
    "items",
    "bbox",
    "time",
    "assets",
    "format",
    "variables",
    "package",
    "to",
    "days",
    "endpoint",
    "region",
    "key",
    "secret",
    "token",
)
_OF_BUCKETS = ("endpoint", "region", "key", "secret", "token")
_MOST_DAYS = 365.0


def order_from(given: Mapping[str, Any], *, most_items: int) -> tuple[Order, S3Key | None]:
    """What is asked for, and the key of the S3 store that it goes to. Raises Invalid naming the word at fault.

    ``to`` is ``link`` (the default), ``folder`` or ``s3://BUCKET/FOLDER`` with `key`, `secret`, and `endpoint`,
    `region`, `token` where the store wants them.
    """
    for name in given:
        if name not in _WORDS:
            raise Invalid(f"An order has no {str(name)[:60]!r}. {nearest_names(str(name), _WORDS)}", parameter="body")
    made = Order(
        collection=collection_id(_text(given, "collection", needed=True)),
        items=_texts(given, "items", most_items),
        bbox=_bbox(given.get("bbox")),
        time=_time(given),
        assets=_texts(given, "assets", 1000),
        format=_text(given, "format"),
        variables=_texts(given, "variables", 1000),
        days=_days(given.get("days", 7.0)),
    )
    package = _text(given, "package") or "zip"
    if package not in ("zip", "each"):
        raise Invalid(
            f"A package is zip (one archive) or each (a file an item), not {package[:40]!r}.", parameter="package"
        )
    _check_together(made)
    return _addressed(replace(made, package=package), given)  # type: ignore[arg-type]


def with_secrets(order: Order, key: S3Key | None, home: Path) -> Order:
    """The order with the name under which its key is sealed at the site."""
    if order.bucket is None or key is None:
        return order
    name = Sealed(home).keep({"key": key.key, "secret": key.secret, "token": key.token})
    return replace(order, bucket=replace(order.bucket, secret=name))


def check_recipient(order: Order, caller: Caller) -> None:
    """Raises Unauthenticated where somebody without an account wants more than a link."""
    if order.to != "link" and caller.is_anonymous:
        raise Unauthenticated("To have an order put into a folder or a store, sign in; anybody may have links.")


def _addressed(order: Order, given: Mapping[str, Any]) -> tuple[Order, S3Key | None]:
    to = _text(given, "to") or "link"
    if not to.startswith("s3:"):
        if to not in ("link", "folder"):
            raise Invalid(f"An order goes to link, folder or s3://BUCKET/FOLDER, not {to[:40]!r}.", parameter="to")
        for name in _OF_BUCKETS:
            if given.get(name):
                raise Invalid(f"{name} belongs to s3://BUCKET/FOLDER; this order goes to a {to}.", parameter=name)
        return replace(order, to=to), None  # type: ignore[arg-type]
    name, prefix = parse_s3(to)
    endpoint = _text(given, "endpoint")
    if endpoint:
        check_address(endpoint)
    key = S3Key(*(_secret(given, word) for word in ("key", "secret", "token")))
    if not key.key or not key.secret:
        raise Invalid("To put an order into an S3 store, give its key and secret.", parameter="key")
    region = _text(given, "region") or "us-east-1"
    if not region.replace("-", "").isalnum() or len(region) > 40:
        raise Invalid("A region is a word such as eu-central-1.", parameter="region")
    return replace(order, to="s3", bucket=Bucket(name, prefix, endpoint, region)), key


def _check_together(order: Order) -> None:
    if order.format and order.items:
        raise Invalid(
            "Name items for files as they are; for another format say bbox, time and variables.", parameter="format"
        )
    if order.variables and not order.format:
        raise Invalid("Variables are cut out of files: say the format to write too.", parameter="variables")
    if order.format and order.assets:
        raise Invalid("A cut-out is made of variables, not of assets.", parameter="assets")
    if order.items and (order.bbox or order.time):
        raise Invalid("Name items, or say bbox and time, not both.", parameter="items")


def _text(given: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    value = given.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value) or len(value) > 2000:
        raise Invalid(f"{name} is a text" + (", and needed." if needed else "."), parameter=name)
    return value


def _secret(given: Mapping[str, Any], name: str) -> str:
    """A secret: whatever is wrong with it, it is not repeated."""
    value = given.get(name) or ""
    if not isinstance(value, str) or len(value) > 4000 or not value.isascii() or any(mark.isspace() for mark in value):
        raise Invalid(f"{name} is a text without spaces.", parameter=name)
    return value


def _texts(given: Mapping[str, Any], name: str, most: int) -> tuple[str, ...]:
    value = given.get(name)
    if value is None:
        return ()
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) and 0 < len(one) <= 500 for one in found):
        raise Invalid(f"{name} is a list of names.", parameter=name)
    if len(found) > most:
        raise Invalid(f"At most {most:,} {name} at once, not {len(found):,}.", parameter=name)
    return tuple(dict.fromkeys(found))


def _bbox(value: Any) -> tuple[float, ...]:
    if value is None:
        return ()
    try:
        numbers = tuple(float(one) for one in (value.split(",") if isinstance(value, str) else value))
        Extent.of(*numbers)
    except (TypeError, ValueError):
        raise Invalid("bbox is west,south,east,north in degrees.", parameter="bbox") from None
    return numbers


def _time(given: Mapping[str, Any]) -> str:
    text = _text(given, "time")
    if text:
        parse_interval(text, parameter="time")
    return text


def _days(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST_DAYS:
        raise Invalid(f"days is how long links are good: more than 0, at most {_MOST_DAYS:.0f}.", parameter="days")
    return float(value)
