"""GET /places: names of places, for a field that helps to find one: towns and countries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import shapely
from fastapi import APIRouter, Request
from fastapi.responses import Response

from terrella.errors import Invalid
from terrella.extraction.gazetteer import country_place
from terrella.extraction.regions import region_names
from terrella.extraction.towns import SOURCE, Town, country_name, folded, towns_in_zone, towns_named, towns_near

if TYPE_CHECKING:
    from terrella.extraction.gazetteer import Place

USUAL, MOST = 10, 50
_LONGEST = 100
_MOST_COUNTRIES = 3
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_KEPT = {"Cache-Control": "public, max-age=86400"}
_NAMES = ("q", "tz", "lat", "lon", "limit", "f")


def _query(name: str, said: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema, "example": example}


_SAID: dict[str, Any] = {
    "summary": "Find towns and countries by name, time zone or place",
    "openapi_extra": {
        "parameters": [
            _query(
                "q",
                "The beginning of a name, with or without accents; a country may stand behind a comma.",
                {"type": "string", "minLength": 1, "maxLength": _LONGEST},
                "Gottingen",
            ),
            _query("tz", "A time zone: the towns in it.", {"type": "string", "maxLength": _LONGEST}, "Europe/Berlin"),
            _query("lat", "With lon: the towns nearest.", {"type": "number", "minimum": -90, "maximum": 90}, 51.5),
            _query("lon", "Degrees east.", {"type": "number", "minimum": -360, "maximum": 360}, 0.1),
            _query("limit", "Most places.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, 10),
            _query("f", "`json`.", {"type": "string", "enum": ["json"]}, "json"),
        ]
    },
    "responses": {
        200: {
            "description": "Places, the likeliest first.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["places", "attribution"],
                        "properties": {
                            "places": {
                                "type": "array",
                                "items": {"type": "object", "required": ["name", "country", "lon", "lat", "kind"]},
                            },
                            "attribution": {"type": "string"},
                        },
                    }
                }
            },
        }
    },
}  # fmt: skip


def router() -> APIRouter:
    """GET /places."""
    made = APIRouter()
    made.add_api_route(
        "/places",
        places,
        name="places",
        operation_id="places",
        tags=["Discovery"],
        methods=["GET"],
        response_model=None,
        response_class=Response,
        **_SAID,
    )
    return made


def places(request: Request) -> Response:
    """Places by name, time zone or coordinates. Raises Invalid, NotFound."""
    given = _given(request)
    limit = _limit(given.get("limit"))
    ways = [name for name in ("q", "tz", "lat") if name in given or (name == "lat" and "lon" in given)]
    if len(ways) != 1:
        raise Invalid("Give one of q=NAME, tz=TIME/ZONE, or lat=..&lon=.. together.", parameter=(ways or ["q"])[-1])
    if ways == ["q"]:
        made = _named(given["q"], limit)
    elif ways == ["tz"]:
        made = [_town(one) for one in towns_in_zone(given["tz"], limit)]
    else:
        lat, lon = _number(given, "lat", 90.0), _number(given, "lon", 360.0)
        made = [_town(one) | {"distance_m": round(away)} for one, away in towns_near(lon, lat, limit)]
    body = orjson.dumps({"places": made, "attribution": SOURCE})
    return Response(body, media_type="application/json", headers=_KEPT)


def _given(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in _NAMES:
            known = ", ".join(_NAMES)
            raise Invalid(f"There is no parameter {name[:40]!r} here. There are: {known}.", parameter=name[:40])
        if name in found:
            raise Invalid(f"{name} stands in the request twice.", parameter=name)
        if not value.strip() or len(value) > _LONGEST:
            raise Invalid(f"{name} is empty, or longer than {_LONGEST} characters.", parameter=name)
        found[name] = value.strip()
    if found.get("f", "json") != "json":
        raise Invalid(f"This is answered as f=json, not as {found['f'][:40]!r}.", parameter="f")
    return found


def _named(text: str, limit: int) -> list[dict[str, Any]]:
    """Countries that begin so, the one of just that name before all towns, then towns."""
    wanted = folded(text)
    begun = sorted((name for name in region_names() if wanted and folded(name).startswith(wanted)), key=len)
    made = [_country(country_place(name)) for name in begun[:_MOST_COUNTRIES]]
    towns = [_town(one) for one in towns_named(text, limit)]
    exact = bool(begun) and folded(begun[0]) == wanted
    first = made if exact or not towns else []
    rest = made if not first else []
    room = max(limit - len(first) - min(len(rest), limit // 2), 0)
    return [*first, *towns[:room], *rest][:limit]


def _town(one: Town) -> dict[str, Any]:
    return {
        "name": one.name,
        "country": country_name(one.country),
        "lon": one.lon,
        "lat": one.lat,
        "kind": "town",
        "people": one.people * 1000,
        "timezone": one.zone,
    }


def _country(one: Place) -> dict[str, Any]:
    """A country, with what `region=` takes; its place is the middle of its largest part."""
    inside = max(shapely.get_parts(one.outline), key=shapely.area).representative_point()
    return {
        "name": one.title,
        "country": one.title,
        "lon": round(inside.x, 3),
        "lat": round(inside.y, 3),
        "kind": "country",
        "bbox": one.extent.bbox(),
        "region": one.name,
    }


def _number(given: dict[str, str], name: str, most: float) -> float:
    text = given.get(name)
    if text is None:
        raise Invalid(f"{name} is missing: a place has lat and lon.", parameter=name)
    if not _NUMBER.fullmatch(text) or abs(float(text)) > most:
        raise Invalid(f"{name} is a number from {-most:g} to {most:g}, not {text[:40]!r}.", parameter=name)
    return float(text)


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        raise Invalid(f"limit is a whole number from 1 to {MOST}, not {text[:40]!r}.", parameter="limit")
    return int(text)
