"""A receipt as one cites it: a sentence, BibTeX, RIS, CSL-JSON."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from terrella.model.extraction import Receipt

_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True, slots=True)
class Cited:
    """What is cited: data (by their receipt), asked for at an address of a site, on a day."""

    receipt: Receipt
    title: str
    address: str
    site: str
    day: date

    @property
    def authors(self) -> tuple[str, ...]:
        """Those who made the data; where nobody is named, nobody."""
        return self.receipt.credit.providers

    @property
    def place(self) -> str:
        """Where the data are described for good; where nothing is, where they were asked for."""
        return self.receipt.credit.cite_as or self.address

    @property
    def year(self) -> str:
        """As the citation of the data has it, the last year in it; '' where it has none."""
        found = _YEAR.findall(self.receipt.credit.citation)
        return found[-1] if found else ""

    @property
    def note(self) -> str:
        """What makes the very same answer again."""
        parts = [f"Values cut out by {self.receipt.software} at {self.site}", f"request sha256:{self.receipt.request}"]
        licence = self.receipt.credit.licence_href or self.receipt.licence
        return "; ".join([*parts, *([f"licence {licence}"] if licence else [])])


def sentence(cited: Cited) -> str:
    """For a list of references. Says what the data's own citation says, then how they were asked for."""
    receipt, credit = cited.receipt, cited.receipt.credit
    if credit.citation:
        first = _ended(credit.citation)
        shown = f" {credit.cite_as}." if credit.cite_as and credit.cite_as not in credit.citation else ""
    else:
        made = ", ".join(cited.authors)
        first = _ended(f"{made}: {cited.title}" if made else cited.title)
        shown = f" {cited.place}."
    said = f" {_ended(receipt.attribution)}" if receipt.attribution and not credit.citation else ""
    used = f" Version {receipt.version}, accessed {cited.day.isoformat()} at {cited.site}."
    licence = f" Licence: {receipt.licence}." if receipt.licence else ""
    return _line(f"{first}{shown}{said}{used}{licence} Request sha256:{receipt.request}.")


def _ended(text: str) -> str:
    plain = _line(text)
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."


def _line(text: str) -> str:
    """On one line, without marks that cannot be seen."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


# --- formats --------------------------------------------------------------------------------------------------------


def bibtex(cited: Cited) -> str:
    """An entry that BibTeX and biber read: @misc, all fields in braces, TeX's own marks escaped."""
    receipt = cited.receipt
    fields = {
        "title": f"{{{_tex(cited.title)}}}",
        "author": " and ".join(f"{{{_tex(one)}}}" for one in cited.authors),
        "year": cited.year,
        "version": _tex(receipt.version),
        "doi": _tex(receipt.credit.doi),
        "url": _address(cited.place),
        "urldate": cited.day.isoformat(),
        "howpublished": _tex(cited.site),
        "note": _tex(f"{receipt.credit.citation} {cited.note}".strip()),
    }
    rows = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{_key(receipt)},\n{rows}\n}}\n"


def _key(receipt: Receipt) -> str:
    plain = unicodedata.normalize("NFKD", receipt.collection).encode("ascii", "ignore").decode()
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', plain).strip('-') or 'data'}-{receipt.request[:8]}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(one, one) for one in _line(text))


def _address(text: str) -> str:
    """Addresses are read as they are: only what would end the field is written otherwise."""
    return _line(text).replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")


def ris(cited: Cited) -> str:
    """Lines of RIS, type DATA."""
    receipt, credit = cited.receipt, cited.receipt.credit
    rows = [("TY", "DATA"), ("ID", _key(receipt)), ("TI", cited.title)]
    rows += [("AU", one) for one in cited.authors]
    rows += [("PY", cited.year), ("ET", receipt.version), ("DO", credit.doi), ("UR", cited.place)]
    rows += [("DP", cited.site), ("Y2", cited.day.strftime("%Y/%m/%d")), ("N1", cited.note), ("N1", credit.citation)]
    return "".join(f"{tag}  - {_line(text)}\r\n" for tag, text in rows if text) + "ER  - \r\n"


def csl(cited: Cited) -> list[dict[str, Any]]:
    """CSL-JSON 1.0.2: one item of type dataset."""
    receipt, credit = cited.receipt, cited.receipt.credit
    made: dict[str, Any] = {
        "id": _key(receipt),
        "type": "dataset",
        "title": _line(cited.title),
        "author": [{"literal": _line(one)} for one in cited.authors],
        "issued": {"date-parts": [[int(cited.year)]]} if cited.year else None,
        "accessed": {"date-parts": [[cited.day.year, cited.day.month, cited.day.day]]},
        "version": receipt.version,
        "DOI": credit.doi,
        "URL": cited.place,
        "publisher": _line(cited.site),
        "license": credit.licence_href or receipt.licence,
        "note": _line(f"{credit.citation} {cited.note}"),
    }
    return [{name: value for name, value in made.items() if value}]
