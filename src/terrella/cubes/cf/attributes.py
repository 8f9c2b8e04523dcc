"""Attributes as files have them, and as we keep them: plain JSON values, nothing technical."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_KEPT_WORDS = """
    units standard_name long_name cell_methods flag_values flag_masks flag_meanings comment description source
    references positive code table param original_name original_long_name var_desc level_desc statistic
    ancillary_variables cell_measures um_stash_source ukmo__um_stash_source um_stash STASH
    axis formula_terms instrument resolution type interval_operation online_operation
"""
_GLOBAL_WORDS = """
    title summary institution source license licence history references comment Conventions keywords id doi DOI
    creator creator_name creator_email creator_url publisher_name publisher_email publisher_url contributor_name
    project program acknowledgment acknowledgement naming_authority product_version processing_level platform
    platform_ID instrument instrument_type sensor featureType cdm_data_type date_created metadata_link citation
    attribution rights experiment_id experiment model_id source_id institution_id activity_id variant_label
    realization frequency table_id mip_era grid_label parent_experiment_id description author contact
    time_coverage_start time_coverage_end standard_name_vocabulary spatial_resolution orbital_slot scene_id
"""
_KEPT = frozenset(_KEPT_WORDS.split())
_GLOBAL = frozenset(_GLOBAL_WORDS.split())
_LONGEST = 4000


def text(value: Any) -> str:
    """An attribute as text; '' where it is none."""
    if isinstance(value, bytes):
        return decoded(value).strip()
    if isinstance(value, np.ndarray) and value.size == 1:
        return text(value.reshape(-1)[0])
    return str(value).strip() if isinstance(value, str) else ""


def decoded(value: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, which never fails. NULs at the end are padding."""
    value = value.rstrip(b"\0")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def numbers(value: Any) -> list[float | int]:
    """An attribute as a list of numbers; [] where it holds none."""
    if isinstance(value, str | bytes) or value is None:
        return _parsed(text(value))
    try:
        found = np.asarray(value).reshape(-1)
    except (ValueError, TypeError):
        return []
    return [one for one in found.tolist() if isinstance(one, int | float)] if found.dtype.kind in "biuf" else []


def _parsed(value: str) -> list[float | int]:
    try:
        return [float(word) for word in value.replace(",", " ").split()]
    except ValueError:
        return []


def number(value: Any) -> float | None:
    """The first number of an attribute."""
    found = numbers(value)
    return float(found[0]) if found else None


def plain(value: Any) -> Any:
    """As JSON: numbers, text, lists; None for what is neither, is not finite, or is longer than is worth keeping."""
    if isinstance(value, bytes):
        return plain(decoded(value))
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, np.ndarray | list | tuple):
        listed = [plain(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
        return listed[0] if len(listed) == 1 else listed if 0 < len(listed) <= 256 else None
    return None


def kept(attrs: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a variable that say what it means."""
    chosen = {key: plain(value) for key, value in attrs.items() if _is_kept(key)}
    for key in ("flag_values", "flag_masks"):
        if isinstance(chosen.get(key), int | float):
            chosen[key] = [chosen[key]]
    return {key: value for key, value in chosen.items() if value is not None and value != ""}


def _is_kept(key: str) -> bool:
    return key in _KEPT or key.startswith(("GRIB_", "_Quantize")) or "significant" in key.casefold()


def kept_global(attrs: dict[str, Any]) -> dict[str, Any]:
    """Facts about the whole file worth keeping."""
    chosen = {key: plain(value) for key, value in attrs.items() if key in _GLOBAL or key.casefold() in _GLOBAL}
    return {key: value for key, value in chosen.items() if value is not None and value != ""}
