"""What a collection is about, in few words: its own themes, else its keywords, else what its variables measure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from terrella.model.stac import Document

THEMES = {
    "ice": ("Snow and ice", r"sea_ice|land_ice|glacier|snow|permafrost|iceberg|frozen"),
    "ocean": ("Ocean", r"(^|_)sea_(?!level(_pressure|$))|ocean|^tos$|^sst$|salinity|tide|(^|_)wave_"),
    "composition": (
        "Air composition",
        r"mole_fraction|mass_concentration|aerosol|ozone|nitrogen_dioxide|methane|carbon_|particulate|dust|turbidity",
    ),
    "radiation": ("Radiation", r"radiat|shortwave|longwave|irradiance|sunshine|albedo|insolation"),
    "water": ("Fresh water", r"runoff|river|lake_|soil_moisture|soil_water|groundwater|flood|discharge|evapo"),
    "imagery": ("Satellite images", r"reflectance|brightness_temp|backscatter|radiance|(^|_)(red|green|blue|nir)(_|$)"),
    "land": ("Land", r"soil|surface_altitude|altitude|elevation|vegetation|leaf_area|ndvi|land_|canopy|orograph|fire"),
    "atmosphere": (
        "Atmosphere",
        r"air_|^air$|wind|pressure|humidity|precipitation|rain|cloud|geopot|atmosphere|temperature|dew_point|vorticity",
    ),
}  # fmt: skip
"""Our own themes: title, and what CF standard names (and names of variables) of them have in them. The first that
fits is that of a variable."""

_KEYWORDS = {
    "ice": ("cryosphere", "snow", "sea ice", "glaciers", "snow and ice"),
    "ocean": ("oceans", "marine", "oceanography", "sea"),
    "composition": ("atmospheric composition", "air quality", "aerosols", "greenhouse gases"),
    "radiation": ("solar radiation", "surface radiation", "solar"),
    "water": ("hydrology", "freshwater", "rivers", "water"),
    "imagery": ("satellite imagery", "satellite images", "earth observation", "multispectral"),
    "land": ("land surface", "land cover", "vegetation", "terrain", "soil", "dem"),
    "atmosphere": ("meteorology", "weather", "climate", "atmospheric conditions"),
}
_MOST = 20
_BY_KEYWORD = {word: name for name, words in _KEYWORDS.items() for word in (name, *words)}
_FITS = {name: re.compile(fits) for name, (_, fits) in THEMES.items()}


def themes_of(document: Document, variables: Iterable[str], *, has_images: bool) -> dict[str, str]:
    """Ids of themes with their titles. `variables` are CF standard names where they have any, else names."""
    said = dict(_stated(document.get("themes")))
    if said:
        return said
    words = document.get("keywords")
    keyed = [_BY_KEYWORD.get(_folded(word)) for word in words] if isinstance(words, list) else []
    found = [one for one in keyed if one] or [one for name in variables if (one := theme_of(name))]
    found = found or (["imagery"] if has_images else [])
    return {name: THEMES[name][0] for name in dict.fromkeys(found)}


def theme_of(name: str) -> str | None:
    """The theme of a CF standard name, or of the name of a variable."""
    folded = name.casefold()
    return next((theme for theme, fits in _FITS.items() if fits.search(folded)), None)


def _stated(themes: Any) -> Iterable[tuple[str, str]]:
    """Concepts of OGC API Records and of STAC's extension `themes`; ours where they mean the same."""
    listed = themes if isinstance(themes, list) else []
    concepts = [one.get("concepts") for one in listed if isinstance(one, dict)]
    for concept in [one for some in concepts if isinstance(some, list) for one in some][:_MOST]:
        name = concept.get("id") if isinstance(concept, dict) else concept
        if not isinstance(name, str) or not name.strip():
            continue
        title = concept.get("title") if isinstance(concept, dict) else None
        ours = _BY_KEYWORD.get(_folded(name)) or _BY_KEYWORD.get(_folded(title))
        if ours:
            yield ours, THEMES[ours][0]
        else:
            yield name.strip()[:100], str(title or name).strip()[:100]


def _folded(word: Any) -> str:
    return word.casefold().replace("_", " ").replace("-", " ").strip() if isinstance(word, str) else ""
