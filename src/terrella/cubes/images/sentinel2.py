"""What the metadata of a Sentinel-2 product say. Source: Sentinel-2 Products Specification Document, issue 15."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from terrella.cubes.documents.xml_documents import first_text, local_name
from terrella.cubes.images.times import parse_time
from terrella.errors import Unreadable
from terrella.model.scan import Packing

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""In the order of their `bandId`."""
_COMMON_NAMES = (
    "coastal",
    "blue",
    "green",
    "red",
    "rededge071",
    "rededge075",
    "rededge078",
    "nir",
    "nir08",
    "nir09",
    "cirrus",
    "swir16",
    "swir22",
)
_SCENE_CLASSES = (
    "no_data",
    "saturated_or_defective",
    "dark_area",
    "cloud_shadow",
    "vegetation",
    "not_vegetated",
    "water",
    "unclassified",
    "cloud_medium_probability",
    "cloud_high_probability",
    "thin_cirrus",
    "snow",
)
_PLAIN_ATTRS: dict[str, dict[str, Any]] = {
    "AOT": {"long_name": "aerosol optical thickness at 550 nm", "units": "1"},
    "WVP": {"long_name": "water vapour", "units": "cm"},
    "SCL": {
        "long_name": "scene classification",
        "flag_values": list(range(12)),
        "flag_meanings": " ".join(_SCENE_CLASSES),
    },
}


@dataclass(frozen=True, eq=False)
class Product:
    """One product: when, what, and how its numbers become reflectances."""

    start: datetime
    facts: dict[str, Any]
    quantification: dict[str, float]
    """Divisor by kind: 'reflectance', 'AOT', 'WVP'."""
    offsets: dict[str, float]
    """Added before dividing, by band."""
    nodata: float
    spectral: dict[str, dict[str, Any]]

    def packing(self, band: str) -> Packing:
        """``value = (stored + offset) / quantification``; scene classes are themselves."""
        if band == "SCL":
            return Packing(missing=(self.nodata,))
        by = self.quantification["reflectance" if band in BANDS else band]
        return Packing(1 / by, self.offsets.get(band, 0.0) / by, (self.nodata,))

    def attrs(self, band: str) -> dict[str, Any]:
        if band not in BANDS:
            return dict(_PLAIN_ATTRS[band])
        level = "top of atmosphere" if self.facts.get("processing:level") == "L1C" else "surface"
        name = "toa_bidirectional_reflectance" if level.startswith("top") else "surface_bidirectional_reflectance"
        wave = self.spectral.get(band, {}).get("eo:center_wavelength")
        named = {"long_name": f"{level} reflectance, band {band}", "standard_name": name, "units": "1"}
        return named | ({"radiation_wavelength": wave, "radiation_wavelength_units": "um"} if wave else {})


def product_of(root: ET.Element) -> Product:
    """From MTD_MSIL1C.xml or MTD_MSIL2A.xml. Raises Unreadable where it does not say when and what."""
    start = parse_time(first_text(root, "PRODUCT_START_TIME", "DATATAKE_SENSING_START"))
    if start is None:
        raise Unreadable("The product's metadata have no PRODUCT_START_TIME.")
    divisors = {
        "reflectance": _positive(root, "QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE", default=10000.0),
        "AOT": _positive(root, "AOT_QUANTIFICATION_VALUE", default=1000.0),
        "WVP": _positive(root, "WVP_QUANTIFICATION_VALUE", default=1000.0),
    }
    return Product(start, _facts(root, start), divisors, _offsets(root), _nodata(root), _spectral(root))


def _positive(root: ET.Element, *names: str, default: float) -> float:
    try:
        found = float(first_text(root, *names) or default)
    except ValueError:
        found = 0.0
    if not found > 0:
        raise Unreadable(f"The product's {names[0]} is no positive number.")
    return found


def _offsets(root: ET.Element) -> dict[str, float]:
    """RADIO_ADD_OFFSET (L1C) and BOA_ADD_OFFSET (L2A), there since processing baseline 04.00."""
    found = {}
    for element in root.iter():
        if local_name(element) in {"RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"}:
            number = element.get("band_id", "")
            if number.isdigit() and int(number) < len(BANDS):
                found[BANDS[int(number)]] = float(element.text or 0)
    return found


def _nodata(root: ET.Element) -> float:
    for element in root.iter():
        if local_name(element) == "Special_Values" and first_text(element, "SPECIAL_VALUE_TEXT") == "NODATA":
            return float(first_text(element, "SPECIAL_VALUE_INDEX") or 0)
    return 0.0


def _spectral(root: ET.Element) -> dict[str, dict[str, Any]]:
    """Common name, centre and width in micrometres, as STAC says it."""
    found = {band: {"name": band, "eo:common_name": name} for band, name in zip(BANDS, _COMMON_NAMES, strict=True)}
    made: dict[str, dict[str, Any]] = {band: dict(facts) for band, facts in found.items()}
    for element in root.iter():
        number = element.get("bandId", "")
        if local_name(element) == "Spectral_Information" and number.isdigit() and int(number) < len(BANDS):
            central, low, high = (first_text(element, name) for name in ("CENTRAL", "MIN", "MAX"))
            facts = made[BANDS[int(number)]]
            if central:
                facts["eo:center_wavelength"] = round(float(central) / 1000, 6)
            if low and high:
                facts["eo:full_width_half_max"] = round((float(high) - float(low)) / 1000, 6)
    return made


def _facts(root: ET.Element, start: datetime) -> dict[str, Any]:
    craft = first_text(root, "SPACECRAFT_NAME").lower()
    uri = first_text(root, "PRODUCT_URI")
    tile = re.search(r"_T(\d{2}[A-Z]{3})[_.]", uri)
    facts: dict[str, Any] = {
        "datetime": start.isoformat().replace("+00:00", "Z"),
        "title": uri.removesuffix(".SAFE"),
        "constellation": "sentinel-2",
        "platform": craft,
        "instruments": ["msi"],
        "eo:cloud_cover": _number(first_text(root, "Cloud_Coverage_Assessment")),
        "processing:level": first_text(root, "PROCESSING_LEVEL").replace("Level-", "L"),
        "s2:product_type": first_text(root, "PRODUCT_TYPE"),
        "s2:processing_baseline": first_text(root, "PROCESSING_BASELINE"),
        "s2:product_uri": uri,
        "s2:generation_time": first_text(root, "GENERATION_TIME"),
        "sat:orbit_state": first_text(root, "SENSING_ORBIT_DIRECTION").lower(),
        "sat:relative_orbit": _number(first_text(root, "SENSING_ORBIT_NUMBER")),
        "grid:code": f"MGRS-{tile[1]}" if tile else "",
        "footprint": _footprint(first_text(root, "EXT_POS_LIST")),
    }
    return {key: value for key, value in facts.items() if value not in ("", None)}


def _number(text: str) -> float | int | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return int(found) if found.is_integer() else found


def _footprint(text: str) -> dict[str, Any] | None:
    """GeoJSON polygon from `lat lon lat lon ...`; None where it is broken or runs over the antimeridian."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return None
    ring = [[lon, lat] for lat, lon in zip(numbers[::2], numbers[1::2], strict=False)]
    if len(ring) < 3 or max(lon for lon, _ in ring) - min(lon for lon, _ in ring) > 180:
        return None  # the grid's own footprint, which is split there, serves instead
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    return {"type": "Polygon", "coordinates": [ring if area > 0 else ring[::-1]]}
