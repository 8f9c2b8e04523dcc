"""What can be ordered in this dialect: one workflow, with the options that HOOK gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terrella.errors import Invalid, NotFound, Unsupported, nearest_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from terrella.model.order import Order
    from terrella.model.stac import Document

HARVEST = "data-harvest"
HIDDEN = "********"
_ELSEWHERE = ("card_bs", "card_cohinf", "sen2cor", "c2rcc", "lai", "maja", "copdem", "dedl_hello_world")
"""Workflows of the Data Lake that no one has put here."""
DAYS = 14.0
"""How long TEMPORARY output is kept in the Data Lake."""
_ENDINGS = (".SAFE", ".SEN3", ".zip", ".nc", ".tif", ".grib")
"""Identifiers of products often carry one that ids of items lack."""

_OPTIONS: tuple[tuple[str, str, bool, Any, tuple[str, ...]], ...] = (
    ("source_type", "Where products are taken from: DESP is the catalogue of this site.", True, "DESP", ("DESP",)),
    ("desp_source_collection", "Id of a collection of this site.", True, None, ()),
    ("desp_source_username", "Not needed: whoever orders is known already. It is not kept.", False, None, ()),
    ("desp_source_password", "Not needed: whoever orders is known already. It is not kept.", False, None, ()),
    (
        "output_storage",
        "TEMPORARY: download links for two weeks. PRIVATE: your own S3 store.",
        True,
        "TEMPORARY",
        ("TEMPORARY", "PRIVATE"),
    ),
    ("output_s3_path", "For PRIVATE: s3://BUCKET/FOLDER.", False, None, ()),
    ("output_s3_access_key", "For PRIVATE. Sealed while the order runs, then forgotten.", False, None, ()),
    ("output_s3_secret_key", "For PRIVATE. Sealed while the order runs, then forgotten.", False, None, ()),
    ("output_s3_session_token", "For PRIVATE, with temporary keys.", False, None, ()),
    ("output_s3_endpoint_url", "For PRIVATE: address of the store; without it, Amazon's.", False, None, ()),
    ("output_s3_region", "For PRIVATE: region of the store.", False, "us-east-1", ()),
)
_NAMES = tuple(name for name, *_ in _OPTIONS)
FIELDS = ("Id", "Uuid", "Name", "DisplayName", "Description", "WorkflowVersion", "WorkflowOptions")


def workflows() -> list[Document]:
    """Every workflow."""
    options = [
        {
            "Name": name,
            "Description": description,
            "Type": "string",
            "Required": needed,
            "Default": usual,
            "Value": list(allowed),
        }
        for name, description, needed, usual, allowed in _OPTIONS
    ]
    return [
        {
            "Id": 1,
            "Uuid": "8f4d61e6-93a3-5a0e-9a55-6f6c6bb0d0a1",
            "Name": HARVEST,
            "DisplayName": "Data harvest",
            "Description": "Brings whole products of a collection to you: as downloads, or into your own S3 store.",
            "WorkflowVersion": "1.0.0",
            "WorkflowOptions": options,
        }
    ]


def words_of(given: Mapping[str, Any], has_item: Callable[[str, str], bool]) -> Document:
    """The body of an order in the words of `order_from`. `has_item` says whether a collection has an item.

    Raises Invalid, Unsupported for workflows that are not here; no value of a secret is ever repeated.
    """
    _check_workflow(given.get("WorkflowName"))
    options = _options(given.get("WorkflowOptions"))
    if options.get("source_type", "DESP") != "DESP":
        raise Unsupported(
            "Products come from the catalogue of this site: source_type is DESP. What others have is brought into it "
            "by those who run the site (terrella harvest).",
            parameter="source_type",
        )
    collection = options.get("desp_source_collection", "")
    if not collection:
        raise Invalid(
            "The option desp_source_collection is needed: the id of a collection.", parameter="WorkflowOptions"
        )
    names = given.get("IdentifierList")
    if not isinstance(names, list) or not names or not all(isinstance(one, str) and one for one in names):
        raise Invalid("IdentifierList is a list of identifiers of products.", parameter="IdentifierList")
    items = [_item(collection, name, has_item) for name in names]
    return {"collection": collection, "items": items, "package": "each", "days": DAYS, **_storage(options)}


def title_of(given: Mapping[str, Any]) -> str:
    """What its orderer calls it."""
    name = given.get("Name") or HARVEST
    if not isinstance(name, str) or len(name) > 300:
        raise Invalid("Name is a text of at most 300 characters.", parameter="Name")
    return name


def options_of(order: Order) -> list[Document]:
    """The options of an order that was placed, without its secrets."""
    made = {
        "source_type": "DESP",
        "desp_source_collection": order.collection,
        "output_storage": "PRIVATE" if order.bucket else "TEMPORARY",
    }
    if order.bucket:
        made |= {
            "output_s3_path": order.bucket.address,
            "output_s3_endpoint_url": order.bucket.endpoint,
            "output_s3_region": order.bucket.region,
            "output_s3_access_key": HIDDEN,
            "output_s3_secret_key": HIDDEN,
        }
    return [{"Name": name, "Value": value} for name, value in made.items() if value]


def _check_workflow(name: Any) -> None:
    if name == HARVEST:
        return
    if name in _ELSEWHERE:
        raise Unsupported(f"The workflow {name!r} is not offered here; there is {HARVEST!r}.", parameter="WorkflowName")
    raise Invalid(f"There is no workflow {str(name)[:60]!r}; there is {HARVEST!r}.", parameter="WorkflowName")


def _options(given: Any) -> dict[str, str]:
    """Option values by name. Raises Invalid that repeats no value."""
    found: dict[str, str] = {}
    if not isinstance(given, list | type(None)):
        raise Invalid('WorkflowOptions is a list of {"Name": ..., "Value": ...}.', parameter="WorkflowOptions")
    for one in given or ():
        name = one.get("Name") if isinstance(one, dict) else None
        value = one.get("Value") if isinstance(one, dict) else None
        if not isinstance(name, str) or not isinstance(value, str | type(None)):
            raise Invalid('WorkflowOptions is a list of {"Name": ..., "Value": text}.', parameter="WorkflowOptions")
        if name not in _NAMES:
            raise Invalid(
                f"There is no option {name[:60]!r}. {nearest_names(name, _NAMES)}", parameter="WorkflowOptions"
            )
        found[name] = value or ""
    return found


def _item(collection: str, name: str, has_item: Callable[[str, str], bool]) -> str:
    if has_item(collection, name):
        return name
    for ending in _ENDINGS:
        if name.endswith(ending) and has_item(collection, name.removesuffix(ending)):
            return name.removesuffix(ending)
    raise NotFound(f"{collection!r:.80} has no product {name!r:.120}.", parameter="IdentifierList")


def _storage(options: Mapping[str, str]) -> Document:
    where = options.get("output_storage", "TEMPORARY")
    if where == "TEMPORARY":
        return {"to": "link"}
    if where != "PRIVATE":
        raise Invalid(f"output_storage is TEMPORARY or PRIVATE, not {where[:40]!r}.", parameter="output_storage")
    path = options.get("output_s3_path", "")
    made = {
        "to": path if "://" in path else f"s3://{path.lstrip('/')}",
        "key": options.get("output_s3_access_key"),
        "secret": options.get("output_s3_secret_key"),
        "token": options.get("output_s3_session_token"),
        "endpoint": options.get("output_s3_endpoint_url"),
        "region": options.get("output_s3_region"),
    }
    return {name: value for name, value in made.items() if value}
