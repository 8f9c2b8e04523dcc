"""Collections and items as Destination Earth shows them: who hosts them, what an order of them needs, one download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from terrella.api.assets import is_local
from terrella.api.hda.addresses import BACKEND, GEOJSON, QUERYABLES, SCHEMA, kept, link
from terrella.extraction.mars import identities

if TYPE_CHECKING:
    from terrella.api.hda.addresses import Addresses
    from terrella.model.stac import Document

WHOLE = "downloadLink"
"""The asset that is the whole product."""
STATED: dict[str, Any] = {"order:status": "succeeded", "storage:tier": "online", "federation:backends": [BACKEND]}
"""Properties of every item that lies here."""
_TABLE = "https://codes.ecmwf.int/grib/param-db/"
_SHORT = 240
ZIP = "application/zip"


# --- collections ------------------------------------------------------------------------------------------------------


def collection_document(collection: Document, at: Addresses, title: str) -> Document:
    """A collection with its links, its host and its parameters in MARS words; changes it. `title` is the site's."""
    here = at.to("collections", collection["id"])
    collection["links"] = [
        link("self", here),
        link("parent", at.root),
        link("root", at.root),
        link("items", f"{here}/items", GEOJSON),
        link(QUERYABLES, f"{here}/queryables", SCHEMA, title="What may be asked, narrowed by what is picked"),
        *kept(collection),
    ]
    collection["dedl:short_description"] = _short(collection)
    collection["federation:backends"] = [BACKEND]
    collection["providers"] = [*_producers(collection), _host(at, title)]
    _add_parameters(collection)
    return at.assets.of_collection(collection)


def _short(collection: Document) -> str:
    """The first sentence."""
    text = " ".join(str(collection.get("description") or collection.get("title") or collection["id"]).split())
    first, dot, _ = text.partition(". ")
    made = first + ("." if dot else "")
    return made if len(made) <= _SHORT else made[: _SHORT - 3] + "..."


def _producers(collection: Document) -> list[Document]:
    found = collection.get("providers")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _host(at: Addresses, title: str) -> Document:
    return {"name": BACKEND, "description": title, "roles": ["host"], "url": at.site, "priority": 1}


def _add_parameters(collection: Document) -> None:
    """What an order of each parameter says, beside what the datacube extension tells."""
    variables, dimensions = collection.get("cube:variables"), collection.get("cube:dimensions", {})
    if not isinstance(variables, dict):
        return
    for one in identities(collection):
        about = variables[one.variable]
        words = {key: "/".join(sorted(one.words[key])) for key in ("levtype", "stream") if key in one.words}
        about.setdefault("shortName", about.get("grib:shortName", one.variable))
        about.update({key: word for key, word in words.items() if key not in about})
        if number := about.get("mars:param"):
            about.setdefault("parameterId", str(number))
            about.setdefault("url", f"{_TABLE}{number}" if str(number).isdecimal() else _TABLE)
        upright = [dimensions[dim] for dim in one.dims if dimensions.get(dim, {}).get("axis") == "z"]
        if upright and upright[0].get("values"):
            about.setdefault("levelist", upright[0]["values"])


# --- items ------------------------------------------------------------------------------------------------------------


def item_document(item: Document, at: Addresses) -> Document:
    """An item with its links, and every file of the site at its address here; changes it."""
    collection, name = str(item.get("collection", "")), str(item["id"])
    files = local_files(item)
    item["links"] = [*at.of_item(collection, name), *kept(item)]
    item = at.assets.of_item(item)
    item["properties"] = {**(item.get("properties") or {}), **STATED}
    if item.get("assets"):
        item["assets"] = _assets(item["assets"], files, at, collection, name)
    return item


def _assets(assets: Document, files: dict[str, tuple[str, str]], at: Addresses, collection: str, item: str) -> Document:
    others = {key: one for key, one in assets.items() if key not in files}
    made = {
        shown: {**_as_sent(assets[key], href), "href": at.data(collection, item, shown)}
        for key, (shown, href) in files.items()
        if key in assets
    }
    whole = _whole(list(made.values()), others)
    if made:
        whole["href"] = at.data(collection, item, WHOLE)
    return {**({WHOLE: whole} if whole else {}), **made, **others}


def _as_sent(asset: Document, href: str) -> Document:
    """A folder is sent as an archive, whose size and checksum nobody has said."""
    if not Path(local_path(href)).is_dir():
        return asset
    return {**{key: value for key, value in asset.items() if not key.startswith("file:")}, "type": ZIP}


def _whole(files: list[Document], others: Document) -> Document:
    """The whole product: the one file, or all of them in an archive, or what lies elsewhere where that is one file."""
    about = {"title": "Whole product", "roles": ["data"]}
    if len(files) == 1:
        return {**about, **{key: files[0][key] for key in ("type", "file:size", "file:checksum") if key in files[0]}}
    if files:
        return {**about, "type": ZIP}
    data = [one for one in others.values() if isinstance(one, dict) and "data" in (one.get("roles") or ())]
    if len(data) == 1:
        return {**about, **{key: data[0][key] for key in ("href", "type", "file:size") if key in data[0]}}
    return {}


def local_files(item: Document) -> dict[str, tuple[str, str]]:
    """Assets that are files or folders of the site: by their key, the name they are shown by here, and where they lie.

    That is the file's name, or the key where two have one.
    """
    found = item.get("assets")
    hrefs = {
        key: str(one["href"])
        for key, one in (found.items() if isinstance(found, dict) else ())
        if isinstance(one, dict) and is_local(one.get("href"))
    }
    names = {key: _file_name(href) for key, href in hrefs.items()}
    taken = [*names.values(), *(set(found or ()) - set(hrefs)), WHOLE]
    return {key: (names[key] if taken.count(names[key]) == 1 else key, href) for key, href in hrefs.items()}


def _file_name(href: str) -> str:
    return local_path(href).rstrip("/\\").replace("\\", "/").rpartition("/")[2]


def local_path(href: str) -> str:
    """The path of a local file's href."""
    return unquote(urlsplit(href).path) if href[:5].lower() == "file:" else href
