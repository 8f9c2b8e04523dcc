"""The landing page: what is here, three things to try, and how to get at it from one's own tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from terrella.model.stac import Document


@dataclass(frozen=True, slots=True)
class Here:
    """What a site has to show."""

    title: str
    description: str
    base: str
    """Address of the site, without a slash at its end."""
    collections: tuple[Document, ...]
    more: bool
    """Whether there are more collections than these."""
    counts: Mapping[str, int]

    def as_json(self) -> Document:
        """The same for machines."""
        links = [
            {"rel": "self", "type": "application/json", "href": f"{self.base}/"},
            {"rel": "alternate", "type": "text/html", "href": f"{self.base}/?f=html"},
            {"rel": "service-desc", "type": "application/vnd.oai.openapi+json;version=3.1", "href": f"{self.base}/api"},
            {"rel": "service-doc", "type": "text/html", "href": f"{self.base}/api.html"},
            {"rel": "child", "type": "application/json", "href": f"{self.base}/stac", "title": "STAC API"},
            {"rel": "child", "type": "application/json", "href": f"{self.base}/ogc", "title": "OGC API EDR"},
        ]
        return {"title": self.title, "description": self.description, "links": links}

    @property
    def items(self) -> int:
        return sum(self.counts.values())


def landing_html(here: Here) -> str:
    """The whole page. All that comes from the catalogue is escaped."""
    first = _most_telling(here.collections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(here.title)}</title>
<meta name="description" content="{escape(here.description)}">
<link rel="icon" href="static/terrella.svg">
<link rel="stylesheet" href="static/site.css">
</head>
<body>
<a class="skip" href="#here">To what is here</a>
<header>
<div class="band">
<p class="mark"><img src="static/terrella.svg" alt="" width="28" height="28"> {escape(here.title)}</p>
<nav aria-label="Interfaces">{_navigation()}</nav>
</div>
<div class="hero">
<h1>{escape(here.title)}</h1>
<p class="lead">{escape(here.description)}</p>
{_figures(here)}
</div>
</header>
<main>
<section aria-labelledby="try">
<h2 id="try">Three things to try</h2>
<div class="tries">{_tries(first)}</div>
</section>
<section aria-labelledby="here">
<h2 id="here">What is here</h2>
{_collections(here)}
</section>
<section aria-labelledby="tools">
<h2 id="tools">From your own tools</h2>
<div class="tools">{_tools(here, first)}</div>
</section>
</main>
<footer><p>Served by Terrella, open source under Apache 2.0. Data keep the licences of those who made them.</p></footer>
</body>
</html>
"""


def _navigation() -> str:
    entries = [("connect", "Connect"), ("stac", "STAC"), ("ogc", "OGC API"), ("api.html", "Interface")]
    entries.append(("account", "Account"))
    return "".join(f'<a href="{href}">{name}</a>' for href, name in entries)


def _figures(here: Here) -> str:
    if not here.collections:
        return ""
    more = " or more" if here.more else ""
    figures = [(f"{len(here.collections):,}{more}", "collection" if len(here.collections) == 1 else "collections")]
    if here.counts:
        figures.append((f"{here.items:,}", "item" if here.items == 1 else "items"))
    span = _span([collection_times(one) for one in here.collections])
    if span:
        figures.append((span, "covered"))
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for value, name in figures) + "</dl>"


def _most_telling(collections: Sequence[Document]) -> Document | None:
    """The collection to make examples of: one whose values can be cut, with the most to say, else any."""
    return max(collections, key=lambda one: (bool(_gridded(one)), -len(_gridded(one))), default=None)


def _tries(first: Document | None) -> str:
    wanted = [("limit", "3")] if first is None else [("collections", first["id"]), ("limit", "3")]
    cards = [
        _try(
            "Find",
            "Search the catalogue",
            "The newest items as GeoJSON.",
            f"stac/search?{urlencode(wanted)}",
            "GeoJSON",
        ),
    ]
    if first is not None and _gridded(first):
        cards.append(_cut_out(first))
    else:
        cards.append(_try("Browse", "Walk the catalogue", "Everything hangs together by links.", "stac", "STAC"))
    cards.append(
        _try(
            "Explore", "Read the interface", "Every route and parameter, to try in the browser.", "api.html", "OpenAPI"
        )
    )
    return "".join(cards)


def _cut_out(collection: Document) -> str:
    lon, lat = _middle(collection)
    name = next(iter(_gridded(collection)))
    wanted = {"coords": f"POINT({lon:g} {lat:g})", "parameter-name": name}
    path = f"ogc/collections/{quote(collection['id'], safe='')}/position?"
    also = f'<a class="also" href="{escape(path + urlencode({**wanted, "f": "CSV"}))}">CSV</a>'
    text = f"{_label(collection)}: {name} at {_place(lon, lat)}, for all times."
    return _try(
        "Cut out", "A series at a point", text, path + urlencode({**wanted, "f": "CoverageJSON"}), "CoverageJSON", also
    )


def _try(verb: str, title: str, text: str, href: str, kind: str, also: str = "") -> str:
    return (
        f'<article class="try"><p class="verb">{verb}</p><h3>{title}</h3><p>{escape(text)}</p>'
        f'<p class="go"><a href="{escape(href)}">{kind}</a>{also}</p></article>'
    )


def _collections(here: Here) -> str:
    if not here.collections:
        return (
            '<p class="empty">Nothing yet. Point Terrella at a folder of files, and reload this page:</p>'
            "<pre><code>terrella add PATH</code></pre>"
        )
    cards = "".join(_card(one, here.counts.get(one["id"])) for one in here.collections)
    more = '<p><a href="stac/collections">All collections</a></p>' if here.more else ""
    return f'<div class="cards">{cards}</div>{more}'


def _card(collection: Document, count: int | None) -> str:
    path = f"stac/collections/{quote(collection['id'], safe='')}"
    facts = [("Items", f"{count:,}" if count is not None else ""), ("Time", _span([collection_times(collection)]))]
    facts += [("Place", _box_text(_bbox(collection))), ("Licence", str(collection.get("license") or ""))]
    rows = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts if value)
    return (
        '<article class="card"><div class="head"><div>'
        f'<h3><a href="{escape(path)}">{escape(_label(collection))}</a></h3>'
        f'<p class="id">{escape(collection["id"])}</p></div>{_map(_bbox(collection))}</div>'
        f"<p>{escape(_shortened(collection.get('description')))}</p><dl>{rows}</dl>{_chips(collection)}</article>"
    )


def _chips(collection: Document) -> str:
    variables = collection.get("cube:variables")
    if not isinstance(variables, dict) or not variables:
        return ""
    shown = list(variables.items())[:8]
    chips = [f'<li title="{escape(_about(about))}">{escape(name)}</li>' for name, about in shown]
    if len(variables) > len(shown):
        chips.append(f'<li class="more">{len(variables) - len(shown)} more</li>')
    return f'<ul class="chips" aria-label="Variables">{"".join(chips)}</ul>'


def _about(variable: Any) -> str:
    known = variable if isinstance(variable, dict) else {}
    parts = [known.get("description"), known.get("unit") and f"in {known['unit']}"]
    return " ".join(str(part) for part in parts if part)


def _map(box: Sequence[float] | None) -> str:
    """A small map of the world's degrees with the box on it; two rectangles over the antimeridian."""
    grid = "".join(f'<path d="M{lon} -90V90"/>' for lon in range(-150, 180, 30))
    grid += "".join(f'<path d="M-180 {lat}H180"/>' for lat in range(-60, 90, 30))
    return (
        '<svg class="map" viewBox="-180 -90 360 180" aria-hidden="true"><rect class="sea" x="-180" y="-90" width="360" '
        f'height="180"/><g class="grid">{grid}</g><g class="box">{_rectangles(box)}</g></svg>'
    )


def _rectangles(box: Sequence[float] | None) -> str:
    if box is None:
        return ""
    west, south, east, north = box
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    rectangles = []
    for left, right in spans:
        wide, high = max(right - left, 5.0), max(north - south, 5.0)  # a place stays visible
        x, y = min(left, 180 - wide), min(-north, 90 - high)
        rectangles.append(f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"/>')
    return "".join(rectangles)


def _tools(here: Here, first: Document | None) -> str:
    base, name = here.base, first["id"] if first else "COLLECTION"
    find = (
        "from pystac_client import Client\n\n"
        f'catalog = Client.open("{base}/stac")\n'
        f'search = catalog.search(collections=["{name}"], max_items=5)\n'
        "for item in search.items():\n    print(item.id, item.datetime)"
    )
    blocks = [("Python, with pystac-client", find)]
    lon, lat = _middle(first) if first else (13.4, 52.5)
    blocks.append(
        (
            "Shell, with terrella",
            f"terrella search --collection {name}\nterrella extract {name} --point {lon:g},{lat:g}",
        )
    )
    blocks.append(("Shell, with curl", f"curl '{base}/stac/search?collections={quote(name)}&limit=1'"))
    return "".join(
        f"<figure><figcaption>{title}</figcaption><pre><code>{escape(code)}</code></pre></figure>"
        for title, code in blocks
    )


def _label(collection: Document) -> str:
    return str(collection.get("title") or collection["id"])


def _shortened(text: Any, most: int = 180) -> str:
    words = " ".join(str(text or "").split())
    return words if len(words) <= most else words[: most - 1].rsplit(" ", 1)[0] + " …"


def _gridded(collection: Document) -> Document:
    """Variables whose values can be cut out."""
    variables = collection.get("cube:variables")
    return variables if isinstance(variables, dict) and collection.get("cube:dimensions") else {}


def _bbox(collection: Document) -> list[float] | None:
    """West, south, east, north of the first box."""
    try:
        numbers = [float(number) for number in collection["extent"]["spatial"]["bbox"][0]]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    half = len(numbers) // 2
    return [*numbers[:2], *numbers[half : half + 2]] if half in {2, 3} else None


def _middle(collection: Document) -> tuple[float, float]:
    box = _bbox(collection)
    if box is None:
        return 13.4, 52.5
    west, south, east, north = box
    east = east + 360 if east < west else east
    lon = (west + east) / 2
    return round(lon - 360 if lon > 180 else lon, 2), round((south + north) / 2, 2)


def collection_times(collection: Document) -> tuple[str | None, str | None]:
    """First and last instant; None is open or unknown."""
    try:
        start, end = collection["extent"]["temporal"]["interval"][0]
    except (KeyError, IndexError, TypeError, ValueError):
        return None, None
    return (str(start) if start else None), (str(end) if end else None)


def _span(times: Iterable[tuple[str | None, str | None]]) -> str:
    found = list(times)
    starts, ends = [start for start, _ in found if start], [end for _, end in found if end]
    if not starts and not ends:
        return ""
    first, last = (min(starts)[:10] if starts else "…"), (max(ends)[:10] if ends else "now")
    return first if first == last else f"{first} to {last}"


def _box_text(box: Sequence[float] | None) -> str:
    if box is None:
        return ""
    west, south, east, north = box
    if (west, south, east, north) == (-180, -90, 180, 90):
        return "the whole Earth"
    if (west, south) == (east, north):
        return _place(west, south)
    return f"{_degrees(west, 'EW')} to {_degrees(east, 'EW')}, {_degrees(south, 'NS')} to {_degrees(north, 'NS')}"


def _place(lon: float, lat: float) -> str:
    return f"{_degrees(lat, 'NS')} {_degrees(lon, 'EW')}"


def _degrees(value: float, letters: str) -> str:
    return f"{abs(round(value, 2)):g}°{letters[0] if value >= 0 else letters[1]}"
